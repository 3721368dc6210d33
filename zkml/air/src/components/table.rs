//! Lookup tables: the range of remainders, and the activations.
//!
//! Each is a component of its own, so that the taller one does not double the height of the other.

use stwo_constraint_framework::EvalAtRow;

use super::Row;
use crate::sums::{Sums, Target};

/// The table of the numbers `0 .. 2^SHIFT`.
pub const RANGE_TABLE: u32 = 0;
/// The table of a model's first activation function; the others follow.
pub const ACTIVATION_TABLE: u32 = 1;
/// The table of tree nodes.
pub const NODE_TABLE: u32 = 1 << 20;
/// The table of tokens.
pub const VOCABULARY_TABLE: u32 = (1 << 20) + 1;
/// The chain of a sponge's states: the number of the next permutation and the capacity it begins with.
pub const CHAIN_TABLE: u32 = (1 << 20) + 2;
/// What sponges end with: the number of permutations and the commitment.
pub const DIGEST_TABLE: u32 = (1 << 20) + 3;
/// The values that sponges absorb, by their number.
pub const STREAM_TABLE: u32 = (1 << 20) + 4;
/// The chain of the words of a committed input: see [`super::port`].
pub const INPUT_TABLE: u32 = (1 << 20) + 5;
/// The same of a committed output.
pub const OUTPUT_TABLE: u32 = (1 << 20) + 6;
/// The table of the first sample's features; the other samples' follow.
pub const FEATURE_TABLE: u32 = 1 << 21;

/// The preprocessed column of the range table, whose table number and values are constant.
pub const RANGE_COLUMNS: [&str; 1] = ["range.key"];
/// The preprocessed columns of the activation tables, in the order in which they are committed.
pub const ACTIVATION_COLUMNS: [&str; 3] =
    ["activation.table", "activation.key", "activation.value"];

pub(super) fn range_row<E: EvalAtRow, T: Target<E>>(
    row: Row<'_, E>,
    eval: &mut E,
    sums: &mut Sums<E, T>,
) {
    let [key] = row.columns();
    supply(row, eval, sums, E::F::from(RANGE_TABLE.into()), &[key]);
}

pub(super) fn activation_row<E: EvalAtRow, T: Target<E>>(
    row: Row<'_, E>,
    eval: &mut E,
    sums: &mut Sums<E, T>,
) {
    let [table, key, value] = row.columns();
    supply(row, eval, sums, table, &[key, value]);
}

/// Adds a row of a table, as often as the witness says that it was looked up.
#[allow(clippy::arithmetic_side_effects)] // field arithmetic
pub(super) fn supply<E: EvalAtRow, T: Target<E>>(
    row: Row<'_, E>,
    eval: &mut E,
    sums: &mut Sums<E, T>,
    table: E::F,
    values: &[E::F],
) {
    let multiplicity = eval.next_trace_mask();
    let entry = row.challenges.lookup(table, values);
    sums.add(eval, -E::EF::from(multiplicity), entry);
}
