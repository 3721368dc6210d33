//! The static proof that a model never overflows, whatever its input.

use crate::{Dense, Model, ModelError, Quantity, Requant};

/// First magnitude an accumulator, or an accumulator times its multiplier, must stay below: 2^30. Within it a value
/// modulo 2^31 - 1 stands for exactly one signed integer.
pub const ACCUMULATOR_LIMIT: i64 = 1 << 30;
/// First magnitude a requantised value must stay below: 2^15, the half-width of the activation table.
pub const QUANTISED_LIMIT: i64 = 1 << 15;

/// Ranges of a valid model's intermediate values, over all possible inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Smallest requantised value of any layer, before its activation; 0 or below.
    pub q_min: i32,
    /// Largest requantised value of any layer, before its activation; 0 or above.
    pub q_max: i32,
    /// Largest magnitude of an output accumulator.
    pub output_bound: u32,
    /// Largest magnitude of an accumulator, per layer.
    pub accumulators: Vec<u32>,
}

impl Model {
    /// Checks that shapes agree and proves that no input makes an intermediate value overflow.
    ///
    /// The range of every accumulator is exact for independent inputs: -128..=127 in the first layer, and the range of
    /// the previous activation after it.
    pub fn validate(&self) -> Result<Bounds, ModelError> {
        self.check_shapes()?;
        let mut bounds = Bounds {
            q_min: 0,
            q_max: 0,
            output_bound: 0,
            accumulators: Vec::new(),
        };
        let mut range = (i64::from(i8::MIN), i64::from(i8::MAX));
        for (index, layer) in self.layers.iter().enumerate() {
            let accumulators = layer.accumulator_ranges(range);
            let mut largest = 0;
            for (output, &(low, high)) in accumulators.iter().enumerate() {
                let magnitude = low.unsigned_abs().max(high.unsigned_abs());
                below(
                    index,
                    output,
                    Quantity::Accumulator,
                    magnitude,
                    ACCUMULATOR_LIMIT,
                )?;
                largest = largest.max(magnitude);
            }
            // Below 2^30, as just checked.
            let largest = largest as u32;
            bounds.accumulators.push(largest);
            bounds.output_bound = largest;
            if let Some(requant) = &layer.requant {
                requant.widen(index, &accumulators, &mut bounds)?;
                let (low, high) = requant.activation.range();
                range = (i64::from(low), i64::from(high));
            }
        }
        Ok(bounds)
    }
}

impl Dense {
    /// The smallest and largest value of every accumulator when every input lies in `range`.
    fn accumulator_ranges(&self, (low, high): (i64, i64)) -> Vec<(i64, i64)> {
        let mut ranges: Vec<(i64, i64)> = self
            .bias
            .iter()
            .map(|&b| (i64::from(b), i64::from(b)))
            .collect();
        for row in self.weights.chunks_exact(self.outputs as usize) {
            for (range, &weight) in ranges.iter_mut().zip(row) {
                let (a, b) = (i64::from(weight) * low, i64::from(weight) * high);
                range.0 += a.min(b);
                range.1 += a.max(b);
            }
        }
        ranges
    }
}

impl Requant {
    /// Checks the requantised range of every output of layer `index` and widens `bounds` by it.
    fn widen(
        &self,
        index: usize,
        accumulators: &[(i64, i64)],
        bounds: &mut Bounds,
    ) -> Result<(), ModelError> {
        let step = 1_i64 << Model::SHIFT;
        for (output, (&multiplier, &(low, high))) in
            self.multipliers.iter().zip(accumulators).enumerate()
        {
            if multiplier == 0 {
                return Err(ModelError::ZeroMultiplier {
                    layer: index,
                    output,
                });
            }
            // |low|, |high| < 2^30 and the multiplier is below 2^32: no product leaves i64.
            let (low, high) = (low * i64::from(multiplier), high * i64::from(multiplier));
            let product = low.unsigned_abs().max(high.unsigned_abs());
            below(
                index,
                output,
                Quantity::Rescaled,
                product.saturating_add(step as u64),
                ACCUMULATOR_LIMIT,
            )?;

            let (q_low, q_high) = (rescale(low), rescale(high));
            let magnitude = q_high.max(-1 - q_low).unsigned_abs();
            below(
                index,
                output,
                Quantity::Requantised,
                magnitude,
                QUANTISED_LIMIT,
            )?;
            // Within -2^15..2^15, as just checked.
            bounds.q_min = bounds.q_min.min(q_low as i32);
            bounds.q_max = bounds.q_max.max(q_high as i32);
        }
        Ok(())
    }
}

/// `floor((product + 2^(SHIFT-1)) / 2^SHIFT)`.
pub(crate) fn rescale(product: i64) -> i64 {
    product.saturating_add(1 << (Model::SHIFT - 1)) >> Model::SHIFT
}

fn below(
    layer: usize,
    output: usize,
    quantity: Quantity,
    bound: u64,
    limit: i64,
) -> Result<(), ModelError> {
    let limit = limit.unsigned_abs();
    match bound < limit {
        true => Ok(()),
        false => Err(ModelError::Overflow {
            layer,
            output,
            quantity,
            bound,
            limit,
        }),
    }
}
