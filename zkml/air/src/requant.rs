//! Requantisation: a row is one output of a hidden layer.
//!
//! With the row's multiplier `m` and for each sample, the accumulator `Y` satisfies
//! `Y·m + 2^(S-1) = q·2^S + r` with `r` in `[0, 2^S)`: `q` is `Y·m / 2^S` rounded. The trace holds `q`, `r` and the
//! activation `a = f(q)`; `Y` is the linear expression `(q·2^S + r - 2^(S-1))/m`, so it needs no column. `r` is range
//! checked and `(q, a)` looked up. The model's static bounds keep every value under 2^30, so the equation over the
//! field is one over the integers.

use alloc::vec::Vec;
use num_traits::{One, Zero};
use stwo::core::fields::m31::BaseField;
use stwo::core::Fraction;
use stwo_constraint_framework::{EvalAtRow, FrameworkEval};

use crate::dense::{combine, pole_distance};
use crate::lookup::RANGE_TABLE;
use crate::machine::column;
use crate::{Challenges, SHIFT};

/// The requantisation component.
#[derive(Clone, Debug)]
pub struct RequantEval {
    /// Rows, as a logarithm.
    pub log_size: u32,
    /// Samples in the proof.
    pub batch: u32,
    /// The random elements.
    pub challenges: Challenges,
}

/// Names of the preprocessed columns, in the order in which they are committed: where the activation is written, which
/// product and lane the accumulator belongs to, the multiplier's inverse (zero on padding), how often the activation is
/// read, and which table it goes through.
pub const PREPROCESSED_COLUMNS: [&str; 6] = [
    "requant.address",
    "requant.pole",
    "requant.lane",
    "requant.scale",
    "requant.reads",
    "requant.table",
];

/// Columns of the main trace for each sample: `q`, `r` and the activation.
pub const COLUMNS_PER_SAMPLE: u32 = 3;

impl FrameworkEval for RequantEval {
    fn log_size(&self) -> u32 {
        self.log_size
    }

    fn max_constraint_log_degree_bound(&self) -> u32 {
        self.log_size.saturating_add(1)
    }

    #[allow(clippy::arithmetic_side_effects)] // field arithmetic
    fn evaluate<E: EvalAtRow>(&self, mut eval: E) -> E {
        let [address, pole, lane, scale, reads, table] =
            PREPROCESSED_COLUMNS.map(|name| column(&mut eval, name.into()));
        let range_table = E::F::from(BaseField::from_u32_unchecked(RANGE_TABLE));
        let power = BaseField::from_u32_unchecked(1 << SHIFT);
        let half = E::F::from(BaseField::from_u32_unchecked(1 << (SHIFT - 1)));

        let mut accumulators = Vec::new();
        let mut activations = Vec::new();
        for _ in 0..self.batch {
            let quotient = eval.next_trace_mask();
            let remainder = eval.next_trace_mask();
            let activation = eval.next_trace_mask();

            let in_range: E::EF =
                self.challenges
                    .lookup(range_table.clone(), remainder.clone(), E::F::zero());
            eval.write_logup_frac(Fraction::new(E::EF::one(), in_range));
            let activated: E::EF =
                self.challenges
                    .lookup(table.clone(), quotient.clone(), activation.clone());
            eval.write_logup_frac(Fraction::new(E::EF::one(), activated));

            accumulators.push((quotient * power + remainder - half.clone()) * scale.clone());
            activations.push(activation);
        }

        let written: E::EF = self.challenges.memory(address, &activations);
        eval.write_logup_frac(Fraction::new(-E::EF::from(reads), written));

        let combined = combine::<E>(accumulators, &self.challenges.sigma_powers);
        let lane_distance = E::EF::from(self.challenges.gamma) - E::EF::from(lane);
        let distance = pole_distance::<E>(pole, &self.challenges) * lane_distance;
        eval.write_logup_frac(Fraction::new(-combined, distance));

        eval.finalize_logup_batched(&batching(self.batch));
        eval
    }
}

/// How the row's fractions share interaction columns: in pairs, but for the last, whose denominator is of degree two.
pub fn batching(batch: u32) -> Vec<usize> {
    let pairs = (0..=batch).flat_map(|pair| [pair as usize, pair as usize]);
    let linear = (batch as usize).saturating_mul(2).saturating_add(1);
    pairs
        .take(linear)
        .chain([(batch as usize).saturating_add(1)])
        .collect()
}
