//! Leaf values in fixed point.

use super::forest::{FloatTree, Forest};
use crate::ImportError;

/// First magnitude that no output may reach, in steps: half the limit of accumulators.
const LIMIT: f64 = (1 << 29) as f64;
/// Smallest and largest binary exponent of a step, so that it is a normal `f32`.
const EXPONENTS: std::ops::RangeInclusive<i32> = -126..=127;
/// Exponent of the step where all values are 0.
const UNIT_EXPONENT: i32 = -29;

/// A fixed-point format for all leaves of a forest.
pub(super) struct Fixed {
    /// The step, a power of two.
    step: f64,
    /// Most rounded values in one output's sum.
    terms: usize,
    /// Largest magnitude of an output.
    range: f64,
}

impl Fixed {
    /// The finest step for which no sum of leaves reaches the limit.
    pub fn new(forest: &Forest) -> Result<Self, ImportError> {
        let outputs = forest.base.len();
        let mut terms = vec![1_usize; outputs];
        let mut sums: Vec<(f64, f64)> = forest.base.iter().map(|&base| (base, base)).collect();
        let mut largest = forest
            .base
            .iter()
            .fold(0.0, |largest: f64, base| largest.max(base.abs()));
        for tree in &forest.trees {
            for (slot, &output) in tree.outputs.iter().enumerate() {
                let unknown = || {
                    ImportError::Malformed(format!("a tree adds to output {output} of {outputs}"))
                };
                let (low, high) = extremes(tree, slot);
                let sum = sums.get_mut(output as usize).ok_or_else(unknown)?;
                *sum = (sum.0 + low, sum.1 + high);
                largest = largest.max(-low).max(high);
                if let Some(terms) = terms.get_mut(output as usize) {
                    *terms += 1;
                }
            }
        }
        let terms = terms.into_iter().max().unwrap_or(1);
        let range = sums
            .iter()
            .fold(0.0, |range: f64, (low, high)| range.max(-low).max(*high));
        // A single value may exceed every sum, but must have 32 bits too.
        let bound = range.max(largest / 4.0);
        let rounding = terms as f64 / 2.0;
        let fits = |exponent: &i32| bound / 2_f64.powi(*exponent) + rounding < LIMIT;
        let exponent = match bound > 0.0 {
            true => EXPONENTS.into_iter().find(fits),
            false => Some(UNIT_EXPONENT),
        };
        let exponent = exponent.filter(|_| bound.is_finite()).ok_or_else(|| {
            ImportError::Graph(
                "the leaf values are too large or too many for fixed point; train the model again"
                    .into(),
            )
        })?;
        Ok(Self {
            step: 2_f64.powi(exponent),
            terms,
            range,
        })
    }

    /// The nearest integer number of steps.
    pub fn round(&self, value: f64) -> i32 {
        // Exact, since the step is a power of two, and within 32 bits by the choice of the step.
        (value / self.step).round_ties_even() as i32
    }

    /// The real value of a step.
    pub fn scale(&self) -> f32 {
        self.step as f32
    }

    /// Largest magnitude of an output.
    pub fn range(&self) -> f64 {
        self.range
    }

    /// Largest difference between an output and the exact sum.
    pub fn error(&self) -> f64 {
        self.terms as f64 * self.step / 2.0
    }

    /// What the report says about the format.
    pub fn note(&self) -> String {
        let Self { step, range, .. } = self;
        format!(
            "decisions are exact; leaf values are rounded to multiples of 2^{}, so outputs of up to {range:.4} are \
             off by at most {:.1e}",
            step.log2(),
            self.error()
        )
    }
}

/// The smallest and largest value of a tree's leaves for one of its outputs.
fn extremes(tree: &FloatTree, slot: usize) -> (f64, f64) {
    let values = tree.leaves().filter_map(|values| values.get(slot));
    values
        .map(|&value| (value, value))
        .reduce(|(low, high), (value, _)| (low.min(value), high.max(value)))
        .unwrap_or((0.0, 0.0))
}
