//! Lookup tables: the range of remainders, and the activations.
//!
//! Each is a component of its own, so that the taller one does not double the height of the other.

use num_traits::Zero;
use stwo::core::fields::m31::BaseField;
use stwo::core::Fraction;
use stwo_constraint_framework::{EvalAtRow, FrameworkEval};

use crate::machine::column;
use crate::{Challenges, SHIFT};

/// The table whose keys are `0 .. 2^SHIFT`, each with value zero.
pub const RANGE_TABLE: u32 = 0;
/// The table of the identity activation.
pub const IDENTITY_TABLE: u32 = 1;
/// The table of the ReLU activation.
pub const RELU_TABLE: u32 = 2;

/// The preprocessed column of the range table, whose table number and values are constant.
pub const RANGE_COLUMNS: [&str; 1] = ["range.key"];
/// The preprocessed columns of the activation tables, in the order in which they are committed.
pub const ACTIVATION_COLUMNS: [&str; 3] =
    ["activation.table", "activation.key", "activation.value"];

/// The range table: a row is a remainder, with how often it was looked up.
#[derive(Clone, Debug)]
pub struct RangeEval {
    /// The random elements.
    pub challenges: Challenges,
}

impl FrameworkEval for RangeEval {
    fn log_size(&self) -> u32 {
        SHIFT
    }

    fn max_constraint_log_degree_bound(&self) -> u32 {
        SHIFT.saturating_add(1)
    }

    fn evaluate<E: EvalAtRow>(&self, mut eval: E) -> E {
        let [key] = RANGE_COLUMNS.map(|name| column(&mut eval, name.into()));
        let table = E::F::from(BaseField::from_u32_unchecked(RANGE_TABLE));
        write_row(eval, &self.challenges, [table, key, E::F::zero()])
    }
}

/// The activation tables: a row is an argument and a value, with how often it was looked up.
#[derive(Clone, Debug)]
pub struct ActivationEval {
    /// Rows, as a logarithm.
    pub log_size: u32,
    /// The random elements.
    pub challenges: Challenges,
}

impl FrameworkEval for ActivationEval {
    fn log_size(&self) -> u32 {
        self.log_size
    }

    fn max_constraint_log_degree_bound(&self) -> u32 {
        self.log_size.saturating_add(1)
    }

    fn evaluate<E: EvalAtRow>(&self, mut eval: E) -> E {
        let row = ACTIVATION_COLUMNS.map(|name| column(&mut eval, name.into()));
        write_row(eval, &self.challenges, row)
    }
}

/// Adds a row of a table, as often as the witness says that it was looked up.
#[allow(clippy::arithmetic_side_effects)] // field arithmetic
fn write_row<E: EvalAtRow>(
    mut eval: E,
    challenges: &Challenges,
    [table, key, value]: [E::F; 3],
) -> E {
    let multiplicity = eval.next_trace_mask();
    let row: E::EF = challenges.lookup(table, key, value);
    eval.write_logup_frac(Fraction::new(-E::EF::from(multiplicity), row));
    eval.finalize_logup();
    eval
}
