//! Products of two words, which the same argument sums up and states as that of linear maps (see [`super::linear`]).
//!
//! A row reads two words `X` and `Y`. An outer row adds the products of all positions of one with all positions of the
//! other,
//!
//! ```text
//!     (sum_b sigma^b (sum_p X[b,p] / (beta - p)) · (sum_t Y[b,t] / (gamma - t))) / (rho - pole)
//! ```
//!
//! so that the sum over the rows of a pole is the product of two matrices, and the positions of `Y` become lanes. The
//! others add the products of the same positions, in lane 0:
//!
//! ```text
//!     (sum_bp sigma^b X[b,p] · Y[b,p] / (beta - p)) / (gamma (rho - pole))
//! ```

use num_traits::{One, Zero};
use stwo_constraint_framework::EvalAtRow;

use super::Row;
use crate::sums::{Sums, Target};

/// Where the two words are read, the products' pole, and 1 on rows of either sort; padding is of neither.
pub const COLUMNS: [&str; 5] = [
    "product.first",
    "product.second",
    "product.pole",
    "product.outer",
    "product.same",
];

/// Columns of the main trace for each value of a word: those of the two factors.
pub const CELLS_PER_VALUE: usize = 2;

#[allow(clippy::arithmetic_side_effects)] // field arithmetic
pub(super) fn row<E: EvalAtRow, T: Target<E>>(
    row: Row<'_, E>,
    eval: &mut E,
    sums: &mut Sums<E, T>,
) {
    let [first, second, pole, outer, same] = row.columns();
    let (x, y) = (row.word(eval), row.word(eval));
    sums.add(eval, E::EF::one(), row.challenges.memory(first, &x));
    sums.add(eval, E::EF::one(), row.challenges.memory(second, &y));

    let positions = (row.sizes.positions as usize).max(1);
    let samples = x.chunks(positions).zip(y.chunks(positions));
    let mut outer_sum = E::EF::zero();
    for ((x, y), power) in samples.zip(&row.challenges.sigma_powers) {
        let (x, y) = (
            row.combine(x, &row.challenges.position_weights),
            row.combine(y, &row.challenges.lane_weights),
        );
        outer_sum += x * y * *power;
    }
    let products = x.iter().zip(&y).map(|(x, y)| x.clone() * y.clone());
    let products: alloc::vec::Vec<E::F> = products.collect();
    let first_lane = row.challenges.lane_weights.first();
    let first_lane = first_lane.copied().unwrap_or_else(Zero::zero);
    let same_sum = row.combine(&products, &row.challenges.word_weights) * first_lane;
    let sum = outer_sum * outer + same_sum * same;
    sums.add_alone(eval, sum, row.pole_distance(pole));
}
