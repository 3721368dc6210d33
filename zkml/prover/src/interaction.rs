//! The interaction trace: the running sums that [`ciro_zkml_air`] constrains, from the same definition of a row.

use ciro_zkml_air::sums::{FractionOf, Target};
use ciro_zkml_air::{Challenges, ClaimedSums, Constraints, Form, VerifyingKey};
use num_traits::Zero;
use rayon::prelude::*;
use stwo::core::fields::m31::BaseField;
use stwo::core::fields::qm31::{SecureField, SECURE_EXTENSION_DEGREE};
use stwo::core::poly::circle::CanonicCoset;
use stwo::prover::backend::simd::column::BaseColumn;
use stwo::prover::backend::simd::m31::{PackedBaseField, LOG_N_LANES};
use stwo::prover::backend::simd::qm31::PackedSecureField;
use stwo::prover::backend::simd::SimdBackend;
use stwo::prover::backend::Column;
use stwo::prover::poly::circle::CircleEvaluation;
use stwo::prover::poly::BitReversedOrder;
use stwo_constraint_framework::preprocessed_columns::PreProcessedColumnId;
use stwo_constraint_framework::{EvalAtRow, LogupTraceGenerator};

use crate::witness::Witness;

/// Columns over their circle domains.
pub(crate) type Evaluations = Vec<CircleEvaluation<SimdBackend, BaseField, BitReversedOrder>>;

/// The interaction trace of all components, and the sum of each.
pub(crate) fn generate(
    key: &VerifyingKey,
    form: Form,
    mut preprocessed: &[BaseColumn],
    witness: &Witness,
    challenges: &Challenges,
) -> (Evaluations, ClaimedSums) {
    let sizes = key.sizes(form.batch);
    let (mut columns, mut claimed) = (Evaluations::new(), ClaimedSums::new());
    for ((kind, log_size), (_, main)) in form.components(key).zip(&witness.components) {
        let constraints = Constraints::new(
            kind,
            log_size,
            sizes,
            challenges.clone(),
            SecureField::zero(),
        );
        let (own, rest) = preprocessed.split_at(kind.columns(sizes).len());
        preprocessed = rest;
        let (sums, total) = running_sums(&constraints, own, main);
        columns.extend(sums);
        claimed.push(total);
    }
    (columns, claimed)
}

/// A secure column for each column of fractions, the last of them summed over the rows.
fn running_sums(
    constraints: &Constraints,
    preprocessed: &[BaseColumn],
    main: &[BaseColumn],
) -> (Evaluations, SecureField) {
    let rows = 1usize << (constraints.log_size - LOG_N_LANES);
    let row = |row: usize| {
        let mut cells = Cells {
            preprocessed: preprocessed.iter(),
            main: main.iter(),
            row,
        };
        constraints.row(&mut cells, Record::default()).0
    };
    let width = row(0).len();
    let nothing = (PackedSecureField::zero(), PackedSecureField::zero());
    let mut fractions = vec![nothing; rows * width];
    fractions
        .par_chunks_mut(width)
        .enumerate()
        .for_each(|(index, chunk)| chunk.copy_from_slice(&row(index)));

    let mut generator = LogupTraceGenerator::new(constraints.log_size);
    for column in 0..width {
        let of_rows = (0..rows)
            .into_par_iter()
            .map(|row| fractions[row * width + column]);
        generator.col_from_par_iter(of_rows);
    }
    generator.finalize_last()
}

/// A SIMD vector of a component's rows.
struct Cells<'a> {
    preprocessed: std::slice::Iter<'a, BaseColumn>,
    main: std::slice::Iter<'a, BaseColumn>,
    row: usize,
}

impl EvalAtRow for Cells<'_> {
    type F = PackedBaseField;
    type EF = PackedSecureField;

    fn get_preprocessed_column(&mut self, _: PreProcessedColumnId) -> Self::F {
        let column = self.preprocessed.next();
        column.map_or_else(Self::F::zero, |column| column.data[self.row])
    }

    /// The cell of this row whatever the offset: other rows matter to constraints only, not to fractions.
    fn next_interaction_mask<const N: usize>(&mut self, _: usize, _: [isize; N]) -> [Self::F; N] {
        let cell = self.main.next();
        [cell.map_or_else(Self::F::zero, |column| column.data[self.row]); N]
    }

    fn add_constraint<G>(&mut self, _: G)
    where
        Self::EF: std::ops::Mul<G, Output = Self::EF> + From<G>,
    {
    }

    fn combine_ef(values: [Self::F; SECURE_EXTENSION_DEGREE]) -> Self::EF {
        PackedSecureField::from_packed_m31s(values)
    }
}

/// The numerators and denominators of a row's columns.
#[derive(Default)]
struct Record(Vec<(PackedSecureField, PackedSecureField)>);

impl<'a> Target<Cells<'a>> for Record {
    fn column(&mut self, _: &mut Cells<'a>, fraction: FractionOf<Cells<'a>>, _: bool) {
        self.0.push((fraction.numerator, fraction.denominator));
    }
}

/// The column over the circle domain of its height.
pub(crate) fn evaluation(
    column: BaseColumn,
) -> CircleEvaluation<SimdBackend, BaseField, BitReversedOrder> {
    let domain = CanonicCoset::new(column.len().ilog2()).circle_domain();
    CircleEvaluation::new(domain, column)
}
