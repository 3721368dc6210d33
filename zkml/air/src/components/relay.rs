//! Inputs that are read more than once: a row reads a public input, which the verifier writes once, and writes it again
//! as often as the model reads it.

use num_traits::One;
use stwo_constraint_framework::EvalAtRow;

use super::Row;
use crate::sums::{Sums, Target};

/// Where the value is read, where it is written, and how often it is read there (zero on padding).
pub const COLUMNS: [&str; 3] = ["relay.from", "relay.to", "relay.reads"];

#[allow(clippy::arithmetic_side_effects)] // field arithmetic
pub(super) fn row<E: EvalAtRow, T: Target<E>>(
    row: Row<'_, E>,
    eval: &mut E,
    sums: &mut Sums<E, T>,
) {
    let [from, to, reads] = row.columns();
    let values = row.word(eval);
    sums.add(eval, E::EF::one(), row.challenges.memory(from, &values));
    sums.add(
        eval,
        -E::EF::from(reads),
        row.challenges.memory(to, &values),
    );
}
