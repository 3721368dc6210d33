//! The static proof that a model never overflows, whatever its input.

use crate::{Linear, Map, Model, ModelError, Node, Op, Quantity, Requant, Trees};

/// First magnitude an accumulator, or an accumulator times its multiplier, must stay below: 2^30. Within it a value
/// modulo 2^31 - 1 stands for exactly one signed integer.
pub const ACCUMULATOR_LIMIT: i64 = 1 << 30;
/// First magnitude a requantised value must stay below: 2^15, the half-width of the activation table.
pub const QUANTISED_LIMIT: i64 = 1 << 15;

/// Ranges of a valid model's intermediate values, over all possible inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// For each node, its smallest and largest requantised value before the activation, widened to contain 0; (0, 0)
    /// where there is none.
    pub quantised: Vec<(i32, i32)>,
    /// For each node, the largest magnitude of an accumulator; 0 where there is none.
    pub accumulators: Vec<u32>,
}

impl Bounds {
    /// Largest magnitude of an output accumulator.
    pub fn output(&self) -> u32 {
        self.accumulators.last().copied().unwrap_or(0)
    }
}

type Range = (i64, i64);

impl Model {
    /// Checks that shapes agree and proves that no input makes an intermediate value overflow.
    ///
    /// The range of a tensor is that of the activation that made it, or -128..=127 for the input; accumulators are
    /// summed up from the weights with every input at the end of its range that makes them largest.
    pub fn validate(&self) -> Result<Bounds, ModelError> {
        self.check_shapes()?;
        let mut bounds = Bounds {
            quantised: Vec::new(),
            accumulators: Vec::new(),
        };
        let mut ranges: Vec<Range> = vec![(i8::MIN.into(), i8::MAX.into())];
        for (index, node) in self.nodes.iter().enumerate() {
            let of = |source: &u32| ranges.get(*source as usize).copied().unwrap_or((0, 0));
            let sources: Vec<Range> = node.sources.iter().map(of).collect();
            let accumulators = node.accumulators(&sources);
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
            bounds.accumulators.push(largest as u32);
            let joined = sources
                .into_iter()
                .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
                .unwrap_or((0, 0));
            // Thresholds have 8 bits and a sign, and so must what is compared with them.
            if matches!(node.op, Op::Trees(_)) && joined.1 > i8::MAX.into() {
                return Err(ModelError::Trees { node: index });
            }
            let (quantised, range) = match &node.op {
                Op::Linear(Linear {
                    requant: Some(requant),
                    ..
                }) => {
                    let (low, high) = requant.activation.range();
                    (
                        requant.quantised(index, &accumulators)?,
                        (low.into(), high.into()),
                    )
                }
                _ => ((0, 0), joined),
            };
            bounds.quantised.push(quantised);
            ranges.push(range);
        }
        Ok(bounds)
    }
}

impl Node {
    /// The smallest and largest accumulator of every channel, or of every output of trees.
    fn accumulators(&self, sources: &[Range]) -> Vec<Range> {
        match &self.op {
            Op::Linear(linear) => linear.accumulators(sources),
            Op::Trees(trees) => trees.accumulators(),
            Op::MaxPool(_) | Op::Select(_) => Vec::new(),
        }
    }
}

impl Linear {
    fn accumulators(&self, sources: &[Range]) -> Vec<Range> {
        let mut ranges: Vec<Range> = self
            .bias
            .iter()
            .map(|&bias| (i64::from(bias), i64::from(bias)))
            .collect();
        for (map, &source) in self.maps.iter().zip(sources) {
            match map {
                Map::Dense(weights) => {
                    for row in weights.chunks_exact(ranges.len().max(1)) {
                        ranges
                            .iter_mut()
                            .zip(row)
                            .for_each(|(range, weight)| widen(range, *weight, source));
                    }
                }
                Map::Conv(conv) => {
                    // Positions outside the image count as 0.
                    let source = (source.0.min(0), source.1.max(0));
                    let kernel = conv
                        .weights
                        .len()
                        .checked_div(ranges.len())
                        .unwrap_or(0)
                        .max(1);
                    for (range, kernel) in ranges.iter_mut().zip(conv.weights.chunks_exact(kernel))
                    {
                        kernel
                            .iter()
                            .for_each(|weight| widen(range, *weight, source));
                    }
                }
                Map::Scale(weights) => {
                    ranges
                        .iter_mut()
                        .zip(weights)
                        .for_each(|(range, weight)| widen(range, *weight, source));
                }
            }
        }
        ranges
    }
}

/// Adds a term `weight * x` to a range, `x` in `source`.
fn widen(range: &mut Range, weight: i8, (low, high): Range) {
    let (a, b) = (i64::from(weight) * low, i64::from(weight) * high);
    range.0 += a.min(b);
    range.1 += a.max(b);
}

impl Trees {
    fn accumulators(&self) -> Vec<Range> {
        let mut ranges: Vec<Range> = self
            .base
            .iter()
            .map(|&base| (i64::from(base), i64::from(base)))
            .collect();
        for tree in &self.trees {
            for (output, (low, high)) in tree.outputs.iter().zip(tree.ranges()) {
                if let Some(range) = ranges.get_mut(*output as usize) {
                    range.0 += i64::from(low);
                    range.1 += i64::from(high);
                }
            }
        }
        ranges
    }
}

impl Requant {
    /// The smallest and largest requantised value of node `index`, whose channels' accumulators are given.
    fn quantised(&self, index: usize, accumulators: &[Range]) -> Result<(i32, i32), ModelError> {
        let step = 1_i64 << Model::SHIFT;
        let mut quantised = (0, 0);
        for (channel, (&multiplier, &(low, high))) in
            self.multipliers.iter().zip(accumulators).enumerate()
        {
            if multiplier == 0 {
                return Err(ModelError::ZeroMultiplier {
                    node: index,
                    channel,
                });
            }
            // |low|, |high| < 2^30 and the multiplier is below 2^32: no product leaves i64.
            let (low, high) = (low * i64::from(multiplier), high * i64::from(multiplier));
            // The multiplier itself must be in range too, for a proof divides by it.
            let product = low
                .unsigned_abs()
                .max(high.unsigned_abs())
                .max(multiplier.into())
                .saturating_add(step as u64);
            below(
                index,
                channel,
                Quantity::Rescaled,
                product,
                ACCUMULATOR_LIMIT,
            )?;

            let (low, high) = (rescale(low), rescale(high));
            let magnitude = high.max(-1 - low).unsigned_abs();
            below(
                index,
                channel,
                Quantity::Requantised,
                magnitude,
                QUANTISED_LIMIT,
            )?;
            // Within -2^15..2^15, as just checked.
            quantised = (low.min(quantised.0), high.max(quantised.1));
        }
        Ok((quantised.0 as i32, quantised.1 as i32))
    }
}

/// `floor((product + 2^(SHIFT-1)) / 2^SHIFT)`.
pub(crate) fn rescale(product: i64) -> i64 {
    product.saturating_add(1 << (Model::SHIFT - 1)) >> Model::SHIFT
}

fn below(
    node: usize,
    channel: usize,
    quantity: Quantity,
    bound: u64,
    limit: i64,
) -> Result<(), ModelError> {
    let limit = limit.unsigned_abs();
    match bound < limit {
        true => Ok(()),
        false => Err(ModelError::Overflow {
            node,
            channel,
            quantity,
            bound,
            limit,
        }),
    }
}
