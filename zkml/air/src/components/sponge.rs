//! The sponge that opens commitments (see [`crate::commitment`]): a row is a permutation of Poseidon2.
//!
//! A row absorbs the values `8n .. 8n+8` of the stream, which [`super::port`] offers, where `n` is the row's number. Rows are
//! chained by lookups, not by their places: a row takes its number and the capacity it begins with, `(n, c)`, from the
//! chain, and gives `(n + 1, c')` back, or as the last one of its tensor `(n + 1, rate')` as the commitment. The verifier
//! gives the first link and takes the commitment. With flags that are 0 or 1, what is given and taken is a flow: from each
//! of the verifier's links one path leads to one of its commitments, and as numbers grow along a path there is no cycle
//! that another row could be on. The output's rows begin at a number that the input's cannot reach.

use num_traits::One;
use stwo::core::fields::m31::BaseField;
use stwo_constraint_framework::EvalAtRow;

use super::table::{CHAIN_TABLE, DIGEST_TABLE, STREAM_TABLE};
use super::{boolean, Row};
use crate::commitment::{halves, joined, CAPACITY, RATE};
use crate::poseidon2::{permute_with, SBOXES};
use crate::sums::{Sums, Target};

/// The number of the first permutation that absorbs the output; the input's begin at 0. More than the rows that any
/// component may have, and its values are numbered below the modulus.
pub const OUTPUT_BLOCK: u32 = 1 << 27;

/// Columns of the main trace: whether the row is in use and whether it is its tensor's last, its number, the values, the
/// capacity before, and the square and the fifth power of what each S-box takes.
pub const CELLS: usize = 3 + RATE + CAPACITY + 2 * SBOXES;

#[allow(clippy::arithmetic_side_effects)] // field arithmetic
pub(super) fn row<E: EvalAtRow, T: Target<E>>(
    row: Row<'_, E>,
    eval: &mut E,
    sums: &mut Sums<E, T>,
) {
    let [active, last, number] = core::array::from_fn(|_| eval.next_trace_mask());
    let values: [E::F; RATE] = core::array::from_fn(|_| eval.next_trace_mask());
    let capacity: [E::F; CAPACITY] = core::array::from_fn(|_| eval.next_trace_mask());
    boolean(eval, &active);
    boolean(eval, &last);
    eval.add_constraint(last.clone() * (active.clone() - E::F::one()));

    let permuted = permute_with(joined(values.clone(), capacity.clone()), |x| {
        let [square, fifth] = core::array::from_fn(|_| eval.next_trace_mask());
        eval.add_constraint(square.clone() - x.clone() * x.clone());
        eval.add_constraint(fifth.clone() - square.clone() * square * x);
        fifth
    });
    let (digest, next_capacity) = halves(permuted);

    let numbered = |table: u32, number: E::F, values: &[E::F]| {
        let mut entry = alloc::vec![number];
        entry.extend_from_slice(values);
        row.challenges.lookup(E::F::from(table.into()), &entry)
    };
    let next = number.clone() + E::F::one();
    let going_on = active.clone() - last.clone();
    for (numerator, denominator) in [
        (
            active.clone(),
            numbered(CHAIN_TABLE, number.clone(), &capacity),
        ),
        (
            -going_on,
            numbered(CHAIN_TABLE, next.clone(), &next_capacity),
        ),
        (-last, numbered(DIGEST_TABLE, next, &digest)),
    ] {
        sums.add(eval, numerator.into(), denominator);
    }
    let first = number * BaseField::from(RATE as u32);
    for (place, value) in (0u32..).zip(values) {
        let number = first.clone() + E::F::from(place.into());
        sums.add(
            eval,
            active.clone().into(),
            numbered(STREAM_TABLE, number, &[value]),
        );
    }
}
