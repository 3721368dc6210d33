//! The components: what a row of each is, and what it proves.

pub mod embedding;
pub mod linear;
pub mod max;
pub mod port;
pub mod product;
pub mod relay;
pub mod requant;
pub mod sponge;
pub mod table;
pub mod tree;

use alloc::string::String;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering};
use num_traits::{One, Zero};
use stwo::core::fields::qm31::SecureField;
use stwo_constraint_framework::preprocessed_columns::PreProcessedColumnId;
use stwo_constraint_framework::{EvalAtRow, FrameworkEval};

use crate::challenges::{Challenges, Sizes};
use crate::sums::{Constrain, Sums, Target};

/// The kinds of components, in the order in which their columns are committed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Inputs that are read more than once.
    Relay,
    /// Weights.
    Linear,
    /// Requantised outputs of linear maps.
    Requant,
    /// The table of remainders.
    Range,
    /// The tables of activations.
    Activation,
    /// Maxima of two values.
    Max,
    /// Steps through decision trees.
    Tree,
    /// The table of tree nodes.
    Node,
    /// The table of a sample's features.
    Feature,
    /// Products of two words.
    Product,
    /// Tokens' rows of the vocabulary.
    Embedding,
    /// The vocabulary.
    Vocabulary,
    /// Permutations that absorb what is committed to.
    Sponge,
    /// Words of a committed input.
    InputPort,
    /// Words of a committed output.
    OutputPort,
}

impl Kind {
    /// Number of kinds that a model may have.
    pub const COUNT: usize = 12;

    /// The kinds that a model may have, in order. Those that open commitments follow them, see [`crate::Form`].
    pub const ALL: [Self; Self::COUNT] = [
        Self::Relay,
        Self::Linear,
        Self::Requant,
        Self::Range,
        Self::Activation,
        Self::Max,
        Self::Tree,
        Self::Node,
        Self::Feature,
        Self::Product,
        Self::Embedding,
        Self::Vocabulary,
    ];

    /// Names of the preprocessed columns, in the order in which they are committed.
    pub fn columns(self, sizes: Sizes) -> Vec<String> {
        let fixed = |names: &[&str]| names.iter().copied().map(Into::into).collect();
        match self {
            Self::Relay => fixed(&relay::COLUMNS),
            Self::Linear => linear::columns(sizes.lanes),
            Self::Requant => requant::columns(sizes),
            Self::Range => fixed(&table::RANGE_COLUMNS),
            Self::Activation => fixed(&table::ACTIVATION_COLUMNS),
            Self::Max => fixed(&max::COLUMNS),
            Self::Tree => fixed(&tree::STEP_COLUMNS),
            Self::Node => fixed(&tree::NODE_COLUMNS),
            Self::Feature => fixed(&tree::FEATURE_COLUMNS),
            Self::Product => fixed(&product::COLUMNS),
            Self::Embedding => embedding::columns(sizes),
            Self::Vocabulary => embedding::vocabulary_columns(sizes),
            Self::Sponge | Self::InputPort | Self::OutputPort => Vec::new(),
        }
    }
}

/// A component: its kind, its size, and the random elements of its fractions.
#[derive(Debug)]
pub struct Constraints {
    /// What its rows are.
    pub kind: Kind,
    /// Rows, as a logarithm.
    pub log_size: u32,
    /// Values of a word and of a row of weights.
    pub sizes: Sizes,
    /// The random elements.
    pub challenges: Challenges,
    /// The sum of its fractions, as the prover claims it.
    pub claimed: SecureField,
    columns: Vec<PreProcessedColumnId>,
    /// Whether stwo has been told the columns' names. It keeps them the first time, when it lays the component out; later a
    /// name would be an allocation for nothing, for each column at each row of the domain.
    named: AtomicBool,
}

impl Constraints {
    /// The component of `kind` with `2^log_size` rows.
    pub fn new(
        kind: Kind,
        log_size: u32,
        sizes: Sizes,
        challenges: Challenges,
        claimed: SecureField,
    ) -> Self {
        let columns = kind.columns(sizes).into_iter();
        Self {
            kind,
            log_size,
            sizes,
            challenges,
            claimed,
            columns: columns.map(|id| PreProcessedColumnId { id }).collect(),
            named: AtomicBool::new(false),
        }
    }

    /// Reads a row from `eval`, constrains it, and hands its fractions to `target`.
    pub fn row<E: EvalAtRow, T: Target<E>>(&self, eval: &mut E, target: T) -> T {
        let mut sums = Sums::new(target);
        let named = self.named.load(Ordering::Relaxed);
        if !named {
            self.named.store(true, Ordering::Relaxed);
        }
        let name = |id: &PreProcessedColumnId| match named {
            true => PreProcessedColumnId { id: String::new() },
            false => id.clone(),
        };
        let columns = self.columns.iter();
        let columns: Vec<E::F> = columns
            .map(|id| eval.get_preprocessed_column(name(id)))
            .collect();
        let row = Row {
            columns: &columns,
            sizes: self.sizes,
            challenges: &self.challenges,
        };
        match self.kind {
            Kind::Relay => relay::row(row, eval, &mut sums),
            Kind::Linear => linear::row(row, eval, &mut sums),
            Kind::Requant => requant::row(row, eval, &mut sums),
            Kind::Range => table::range_row(row, eval, &mut sums),
            Kind::Activation => table::activation_row(row, eval, &mut sums),
            Kind::Max => max::row(row, eval, &mut sums),
            Kind::Tree => tree::step_row(row, eval, &mut sums),
            Kind::Node => tree::node_row(row, eval, &mut sums),
            Kind::Feature => tree::feature_row(row, eval, &mut sums),
            Kind::Product => product::row(row, eval, &mut sums),
            Kind::Embedding => embedding::row(row, eval, &mut sums),
            Kind::Vocabulary => embedding::vocabulary_row(row, eval, &mut sums),
            Kind::Sponge => sponge::row(row, eval, &mut sums),
            Kind::InputPort => port::input_row(row, eval, &mut sums),
            Kind::OutputPort => port::output_row(row, eval, &mut sums),
        }
        sums.finish(eval)
    }
}

impl FrameworkEval for Constraints {
    fn log_size(&self) -> u32 {
        self.log_size
    }

    fn max_constraint_log_degree_bound(&self) -> u32 {
        self.log_size.saturating_add(1)
    }

    fn evaluate<E: EvalAtRow>(&self, mut eval: E) -> E {
        self.row(&mut eval, Constrain::new(self.claimed, self.log_size));
        eval
    }
}

/// Constrains a cell to be 0 or 1.
#[allow(clippy::arithmetic_side_effects)] // field arithmetic
fn boolean<E: EvalAtRow>(eval: &mut E, cell: &E::F) {
    eval.add_constraint(cell.clone() * (cell.clone() - E::F::one()));
}

/// What a row has besides its cells.
#[derive(Clone, Copy)]
struct Row<'a, E: EvalAtRow> {
    columns: &'a [E::F],
    sizes: Sizes,
    challenges: &'a Challenges,
}

impl<'a, E: EvalAtRow> Row<'a, E> {
    /// The preprocessed columns, of which a component has `N`.
    fn columns<const N: usize>(&self) -> [E::F; N] {
        let mut columns = self.columns.iter().cloned();
        core::array::from_fn(|_| columns.next().unwrap_or_else(E::F::zero))
    }

    /// A word: a cell of the main trace for each position of each sample.
    fn word(&self, eval: &mut E) -> Vec<E::F> {
        self.cells(self.sizes.word(), eval)
    }

    /// Cells of the main trace.
    fn cells(&self, count: usize, eval: &mut E) -> Vec<E::F> {
        (0..count).map(|_| eval.next_trace_mask()).collect()
    }

    /// `sum_i coefficients[i] · values[i]`.
    #[allow(clippy::arithmetic_side_effects)] // field arithmetic
    fn combine(&self, values: &[E::F], coefficients: &[SecureField]) -> E::EF {
        values
            .iter()
            .zip(coefficients)
            .fold(E::EF::zero(), |sum, (value, coefficient)| {
                sum + E::EF::from(*coefficient) * value.clone()
            })
    }

    /// `rho - pole`.
    #[allow(clippy::arithmetic_side_effects)] // field arithmetic
    fn pole_distance(&self, pole: E::F) -> E::EF {
        E::EF::from(self.challenges.rho) - E::EF::from(pole)
    }

    /// `gamma - lane`.
    #[allow(clippy::arithmetic_side_effects)] // field arithmetic
    fn lane_distance(&self, lane: E::F) -> E::EF {
        E::EF::from(self.challenges.gamma) - E::EF::from(lane)
    }
}
