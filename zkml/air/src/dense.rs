//! Matrix products: a row is one input of a layer with its weights to one block of outputs.
//!
//! For layer `l` with input `X` (batch x n) and weights `W` (n x m), split into blocks `k` of as many outputs as there
//! are lanes, a row `(i, k)` of this component adds
//!
//! ```text
//!     (sum_b sigma^b X[b,i]) · (sum_t W[i, k·lanes + t] / (gamma - t)) / (rho - pole(l,k))
//! ```
//!
//! to the grand total, and whoever states the outputs (see [`crate::requant`] and [`crate::public`]) subtracts
//! `(sum_b sigma^b Y[b, k·lanes + t]) / ((gamma - t)(rho - pole(l,k)))` for each. The total vanishes at random sigma,
//! gamma and rho only if `Y = X·W` for every layer: Freivalds' check, with the partial fractions of rho in place of
//! one challenge a layer.

use alloc::format;
use alloc::vec::Vec;
use num_traits::{One, Zero};
use stwo::core::Fraction;
use stwo_constraint_framework::{EvalAtRow, FrameworkEval};

use crate::machine::column;
use crate::Challenges;

/// The dense component.
#[derive(Clone, Debug)]
pub struct DenseEval {
    /// Rows, as a logarithm.
    pub log_size: u32,
    /// Samples in the proof.
    pub batch: u32,
    /// Weights in a row.
    pub lanes: u32,
    /// The random elements.
    pub challenges: Challenges,
}

/// Names of the preprocessed columns, in the order in which they are committed.
pub fn preprocessed_columns(lanes: u32) -> Vec<alloc::string::String> {
    ["dense.address", "dense.pole"]
        .into_iter()
        .map(Into::into)
        .chain((0..lanes).map(|lane| format!("dense.weight.{lane}")))
        .collect()
}

impl FrameworkEval for DenseEval {
    fn log_size(&self) -> u32 {
        self.log_size
    }

    fn max_constraint_log_degree_bound(&self) -> u32 {
        self.log_size.saturating_add(1)
    }

    #[allow(clippy::arithmetic_side_effects)] // field arithmetic
    fn evaluate<E: EvalAtRow>(&self, mut eval: E) -> E {
        let mut columns = preprocessed_columns(self.lanes)
            .into_iter()
            .map(|name| column(&mut eval, name))
            .collect::<Vec<_>>()
            .into_iter();
        let address = columns.next().unwrap_or_else(E::F::zero);
        let pole = columns.next().unwrap_or_else(E::F::zero);
        let inputs: Vec<E::F> = (0..self.batch).map(|_| eval.next_trace_mask()).collect();

        let fetched: E::EF = self.challenges.memory(address, &inputs);
        eval.write_logup_frac(Fraction::new(E::EF::one(), fetched));

        let combined_inputs = combine::<E>(inputs, &self.challenges.sigma_powers);
        let combined_weights = combine::<E>(columns, &self.challenges.lane_weights);
        let distance = pole_distance::<E>(pole, &self.challenges);
        eval.write_logup_frac(Fraction::new(combined_inputs * combined_weights, distance));

        eval.finalize_logup_in_pairs();
        eval
    }
}

/// `sum_i coefficients[i] · values[i]`.
#[allow(clippy::arithmetic_side_effects)] // field arithmetic
pub(crate) fn combine<E: EvalAtRow>(
    values: impl IntoIterator<Item = E::F>,
    coefficients: &[stwo::core::fields::qm31::SecureField],
) -> E::EF {
    values
        .into_iter()
        .zip(coefficients)
        .fold(E::EF::zero(), |sum, (value, coefficient)| {
            sum + E::EF::from(*coefficient) * value
        })
}

/// `rho - pole`.
#[allow(clippy::arithmetic_side_effects)] // field arithmetic
pub(crate) fn pole_distance<E: EvalAtRow>(pole: E::F, challenges: &Challenges) -> E::EF {
    E::EF::from(challenges.rho) - E::EF::from(pole)
}
