//! The static proof that a model never overflows, whatever its input.

use crate::{
    graph::elements, Linear, Map, Model, ModelError, Node, Op, Product, Quantity, Requant, Trees,
};

/// First magnitude an accumulator, or an accumulator times its multiplier, must stay below: 2^30. Within it a value
/// modulo 2^31 - 1 stands for exactly one signed integer.
pub const ACCUMULATOR_LIMIT: i64 = 1 << 30;
/// First magnitude a requantised value must stay below: 2^16, the half-width of the activation table.
pub const QUANTISED_LIMIT: i64 = 1 << 16;
/// First difference that two values of which the larger is taken must stay below: 2^12, the size of the table in which a
/// proof looks differences up.
pub const SPAN_LIMIT: i64 = 1 << Model::SHIFT;

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
    /// The range of a tensor is that of the activation or the table that made it, or -128..=127 for the input;
    /// accumulators are summed up from the weights, or from the number of terms of a product, with every value at the end
    /// of its range that makes them largest. Products of elements with themselves are not negative.
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
            let joined = union(sources.iter().copied());
            node.check_range(index, joined)?;
            let accumulators = self.accumulators(node, &sources);
            bounds.accumulators.push(largest(index, &accumulators)?);
            bounds.quantised.push(match node.requant() {
                Some(requant) => requant.quantised(index, &accumulators)?,
                None => (0, 0),
            });
            ranges.push(node.range(index, joined)?);
        }
        Ok(bounds)
    }

    /// The smallest and largest accumulator of every channel of a linear node or output of trees, or of a product.
    fn accumulators(&self, node: &Node, sources: &[Range]) -> Vec<Range> {
        match &node.op {
            Op::Linear(linear) => linear.accumulators(sources),
            Op::Trees(trees) => trees.accumulators(),
            Op::Product(product) => {
                let left = node.sources.first().copied().unwrap_or(0);
                let shape = self.tensor_shape(left as usize).unwrap_or_default();
                let terms = shape.last().copied().unwrap_or(0);
                vec![product.accumulators(terms.into(), sources, self.squares(node))]
            }
            Op::MaxPool(_) | Op::Select(_) | Op::Max | Op::Constant(_) | Op::Embedding(_) => {
                Vec::new()
            }
        }
    }

    /// Whether every term of a product's sums is the square of one element: both factors are single rows, moved from the
    /// same elements.
    fn squares(&self, product: &Node) -> bool {
        match (product.shape.as_slice(), product.sources.as_slice()) {
            ([.., 1, 1], &[left, right]) => self.origins(left) == self.origins(right),
            _ => false,
        }
    }

    /// Where the elements of a tensor come from: a tensor that is no movement of a single one, and their places in it.
    fn origins(&self, mut tensor: u32) -> (u32, Vec<u32>) {
        let shape = self.tensor_shape(tensor as usize).unwrap_or_default();
        // At most 2^26, as checked.
        let mut places: Vec<u32> = (0..elements(&shape) as u32).collect();
        let maker = |tensor: u32| self.nodes.get((tensor as usize).checked_sub(1)?);
        while let Some(node) = maker(tensor) {
            let (Op::Select(indices), &[source]) = (&node.op, node.sources.as_slice()) else {
                break;
            };
            let moved = |place: &u32| indices.get(*place as usize).copied();
            places = places.iter().filter_map(moved).collect();
            tensor = source;
        }
        (tensor, places)
    }
}

impl Node {
    /// Checks that node `index` can read values in `low..=high`, the range of all its sources together.
    fn check_range(&self, index: usize, (low, high): Range) -> Result<(), ModelError> {
        let span = high - low;
        match &self.op {
            // Thresholds have 8 bits and a sign, and so must what is compared with them.
            Op::Trees(_) if low < i8::MIN.into() || high > i8::MAX.into() => {
                Err(ModelError::Trees { node: index })
            }
            Op::MaxPool(_) | Op::Max if span >= SPAN_LIMIT => Err(ModelError::Span {
                node: index,
                span: span.unsigned_abs(),
                limit: SPAN_LIMIT.unsigned_abs(),
            }),
            _ => Ok(()),
        }
    }

    /// The range of the tensor that node `index` makes, `joined` being that of all its sources together.
    fn range(&self, index: usize, joined: Range) -> Result<Range, ModelError> {
        let table = match &self.op {
            Op::Constant(values) => values,
            Op::Embedding(embedding) => &embedding.table,
            _ => {
                let activation = self.requant().map(|requant| requant.activation.range());
                return Ok(activation.map_or(joined, |(low, high)| (low.into(), high.into())));
            }
        };
        let (low, high) = union(table.iter().map(|&value| (value.into(), value.into())));
        match low > i16::MIN.into() {
            true => Ok((low, high)),
            false => Err(ModelError::Table { node: index }),
        }
    }
}

/// The smallest range that holds all; (0, 0) if there is none.
fn union(ranges: impl Iterator<Item = Range>) -> Range {
    let joined = ranges.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    joined.unwrap_or((0, 0))
}

/// The largest magnitude of the accumulators of node `index`; all must stay below the limit.
fn largest(index: usize, accumulators: &[Range]) -> Result<u32, ModelError> {
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
    Ok(largest as u32)
}

impl Product {
    /// The range of all accumulators of so many terms each, `squares` or not, with any bias.
    fn accumulators(&self, terms: i64, sources: &[Range], squares: bool) -> Range {
        let &[(a, b), (c, d)] = sources else {
            return (0, 0);
        };
        // At most 2^26 terms of magnitudes below 2^15: the sum stays far inside i64.
        let corners = [a * c, a * d, b * c, b * d];
        let (low, high) = union(corners.into_iter().map(|corner| (corner, corner)));
        let low = if squares { low.max(0) } else { low };
        let biases = self.bias.iter().map(|&bias| (bias.into(), bias.into()));
        let (least, most) = union(biases);
        (low * terms + least, high * terms + most)
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
            // Within -2^16..2^16, as just checked.
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
