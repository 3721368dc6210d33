//! Lookup tables: the range of remainders, and the activations.

use stwo::core::Fraction;
use stwo_constraint_framework::{EvalAtRow, FrameworkEval};

use crate::machine::column;
use crate::Challenges;

/// The table whose keys are `0 .. 2^SHIFT`, each with value zero.
pub const RANGE_TABLE: u32 = 0;
/// The table of the identity activation.
pub const IDENTITY_TABLE: u32 = 1;
/// The table of the ReLU activation.
pub const RELU_TABLE: u32 = 2;

/// The lookup component: a row is a row of a table, with how often it was looked up.
#[derive(Clone, Debug)]
pub struct LookupEval {
    /// Rows, as a logarithm.
    pub log_size: u32,
    /// The random elements.
    pub challenges: Challenges,
}

/// Names of the preprocessed columns, in the order in which they are committed.
pub const PREPROCESSED_COLUMNS: [&str; 3] = ["lookup.table", "lookup.key", "lookup.value"];

impl FrameworkEval for LookupEval {
    fn log_size(&self) -> u32 {
        self.log_size
    }

    fn max_constraint_log_degree_bound(&self) -> u32 {
        self.log_size.saturating_add(1)
    }

    #[allow(clippy::arithmetic_side_effects)] // field arithmetic
    fn evaluate<E: EvalAtRow>(&self, mut eval: E) -> E {
        let [table, key, value] = PREPROCESSED_COLUMNS.map(|name| column(&mut eval, name.into()));
        let multiplicity = eval.next_trace_mask();
        let row: E::EF = self.challenges.lookup(table, key, value);
        eval.write_logup_frac(Fraction::new(-E::EF::from(multiplicity), row));
        eval.finalize_logup();
        eval
    }
}
