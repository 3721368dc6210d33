//! Linear maps: a row is one value that a map reads, with its weights to one block of outputs.
//!
//! Dense layers, convolutions, sums of tensors and biases are all sparse matrices `W` to this component. Their outputs
//! are split into blocks of as many as there are lanes, each with a pole of its own; a row `(i, k)` adds
//!
//! ```text
//!     (sum_bp sigma^b X[b,p,i] / (beta - p)) · (sum_t W[i, k_t] / (gamma - t)) / (rho - pole(k))
//! ```
//!
//! to the grand total, where `p` is a position of the word and `k_t` the output in lane `t` of block `k`, and whoever states
//! the outputs (see [`super::requant`], [`super::tree`] and [`crate::public`]) subtracts
//! `(sum_bp sigma^b Y[b,p,k_t] / (beta - p)) / ((gamma - t)(rho - pole(k)))` for each. The total vanishes at random sigma,
//! beta, gamma and rho only if `Y = X·W` for every block: Freivalds' check, with the partial fractions of rho in place of
//! one challenge a layer.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use num_traits::{One, Zero};
use stwo_constraint_framework::EvalAtRow;

use super::Row;
use crate::sums::{Sums, Target};

/// Where the value is read, the block's pole, and a weight for each lane.
pub fn columns(lanes: u32) -> Vec<String> {
    ["linear.address", "linear.pole"]
        .into_iter()
        .map(Into::into)
        .chain((0..lanes).map(|lane| format!("linear.weight.{lane}")))
        .collect()
}

#[allow(clippy::arithmetic_side_effects)] // field arithmetic
pub(super) fn row<E: EvalAtRow, T: Target<E>>(
    row: Row<'_, E>,
    eval: &mut E,
    sums: &mut Sums<E, T>,
) {
    let mut columns = row.columns.iter().cloned();
    let address = columns.next().unwrap_or_else(E::F::zero);
    let pole = columns.next().unwrap_or_else(E::F::zero);
    let weights = row.columns.get(2..).unwrap_or(&[]);
    let values = row.word(eval);

    sums.add(eval, E::EF::one(), row.challenges.memory(address, &values));
    let product = row.combine(&values, &row.challenges.word_weights)
        * row.combine(weights, &row.challenges.lane_weights);
    sums.add(eval, product, row.pole_distance(pole));
}
