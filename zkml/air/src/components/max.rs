//! Maxima of two values: `(m - x)(m - y) = 0`, so `m` is one of them, and `2m - x - y >= 0`, so it is not the smaller.
//!
//! Values span less than 2^12, so that the difference, if it is not negative, stands in the range table. The largest of
//! many is a tree of such rows.

use num_traits::One;
use stwo_constraint_framework::EvalAtRow;

use super::table::RANGE_TABLE;
use super::Row;
use crate::sums::{Sums, Target};

/// Where the two values are read, where the larger is written, and how often it is read there (zero on padding).
pub const COLUMNS: [&str; 4] = ["max.first", "max.second", "max.address", "max.reads"];

/// Columns of the main trace for each value of a word: the two values and the larger.
pub const CELLS_PER_VALUE: usize = 3;

#[allow(clippy::arithmetic_side_effects)] // field arithmetic
pub(super) fn row<E: EvalAtRow, T: Target<E>>(
    row: Row<'_, E>,
    eval: &mut E,
    sums: &mut Sums<E, T>,
) {
    let [first, second, address, reads] = row.columns();
    let (x, y, larger) = (row.word(eval), row.word(eval), row.word(eval));
    let range_table = E::F::from(RANGE_TABLE.into());
    for ((x, y), larger) in x.iter().zip(&y).zip(&larger) {
        let (above_x, above_y) = (larger.clone() - x.clone(), larger.clone() - y.clone());
        eval.add_constraint(above_x.clone() * above_y.clone());
        let in_range = row
            .challenges
            .lookup(range_table.clone(), &[above_x + above_y]);
        sums.add(eval, E::EF::one(), in_range);
    }
    sums.add(eval, E::EF::one(), row.challenges.memory(first, &x));
    sums.add(eval, E::EF::one(), row.challenges.memory(second, &y));
    sums.add(
        eval,
        -E::EF::from(reads),
        row.challenges.memory(address, &larger),
    );
}
