//! The reference interpreter, and the way in and out of integers.

use crate::bounds::rescale;
use crate::graph::elements;
use crate::{
    Conv, Encoding, Head, Linear, Map, Missing, Model, ModelError, Node, Op, Ranks, Trees, Window,
};

/// The values of one node, each row-major `[batch][elements]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// Accumulators, of linear maps and of the last node.
    pub acc: Vec<i32>,
    /// Requantised accumulators, before the activation; of linear maps but the last.
    pub q: Vec<i32>,
    /// The tensor that later nodes read; empty for the last node.
    pub out: Vec<i32>,
}

/// What a model says, read from its accumulators.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Real values, row-major `[batch][outputs]`.
    Float(Vec<f32>),
    /// One label per sample.
    Class(Vec<i64>),
}

impl Model {
    /// Quantises a row-major batch of samples.
    pub fn quantise(&self, x: &[f32]) -> Result<Vec<i8>, ModelError> {
        whole_samples(x.len(), self.columns())?;
        match &self.input.encoding {
            Encoding::Affine { scale, zero_point } => {
                let affine = |(index, value): (usize, &f32)| match value.is_finite() {
                    // The cast saturates; so does the clamp that follows.
                    true => {
                        let q = ((value / scale).round_ties_even() as i64)
                            .saturating_add((*zero_point).into());
                        Ok(q.clamp(i8::MIN.into(), i8::MAX.into()) as i8)
                    }
                    false => Err(ModelError::NotFinite { index }),
                };
                x.iter().enumerate().map(affine).collect()
            }
            Encoding::Ranks(ranks) => {
                let mut ranked = Vec::with_capacity(x.len() / self.columns() * ranks.len());
                for (sample, row) in x.chunks_exact(self.columns()).enumerate() {
                    for ranks in ranks {
                        let column = ranks.column as usize;
                        let index = sample * self.columns() + column;
                        let value = row.get(column).copied().unwrap_or(f32::NAN);
                        ranked.push(ranks.rank(value).ok_or(ModelError::NotFinite { index })?);
                    }
                }
                Ok(ranked)
            }
        }
    }

    /// Runs a row-major batch and returns the final accumulators `[batch][outputs]`.
    pub fn run(&self, input: &[i8]) -> Result<Vec<i32>, ModelError> {
        let mut traces = self.trace(input)?;
        Ok(traces.pop().map(|last| last.acc).unwrap_or_default())
    }

    /// Runs a row-major batch and returns the values of every node.
    pub fn trace(&self, input: &[i8]) -> Result<Vec<Trace>, ModelError> {
        self.check_shapes()?;
        whole_samples(input.len(), self.inputs())?;
        let batch = input.len() / self.inputs();
        let input: Vec<i32> = input.iter().map(|&x| i32::from(x)).collect();
        let mut traces: Vec<Trace> = Vec::with_capacity(self.nodes.len());
        for (index, node) in self.nodes.iter().enumerate() {
            let tensor = |source: &u32| match (*source as usize).checked_sub(1) {
                None => input.as_slice(),
                Some(node) => traces.get(node).map_or(&[][..], |trace| &trace.out),
            };
            let sources: Vec<&[i32]> = node.sources.iter().map(tensor).collect();
            let shapes: Vec<Vec<u32>> = node
                .sources
                .iter()
                .filter_map(|source| self.tensor_shape(*source as usize))
                .collect();
            let mut trace = Trace::default();
            for sample in 0..batch {
                let sources: Vec<&[i32]> = sources
                    .iter()
                    .map(|tensor| {
                        let width = tensor.len() / batch;
                        tensor
                            .get(sample * width..(sample + 1) * width)
                            .unwrap_or(&[])
                    })
                    .collect();
                node.run(&sources, &shapes, &mut trace)
                    .ok_or(ModelError::Unvalidated { node: index })?;
            }
            traces.push(trace);
        }
        Ok(traces)
    }

    /// Reads the final accumulators `[batch][outputs]`; an incomplete last row is ignored.
    pub fn dequantise(&self, out: &[i32]) -> Values {
        // In f64 the product is exact up to the last rounding: accumulators have up to 31 bits.
        let real = |acc: i32| (f64::from(acc) * f64::from(self.output.scale)) as f32;
        let rows = out.chunks_exact(self.outputs().max(1));
        match &self.output.head {
            Head::Values => Values::Float(rows.flatten().map(|&acc| real(acc)).collect()),
            Head::Relu => Values::Float(rows.flatten().map(|&acc| real(acc.max(0))).collect()),
            Head::ArgMax { labels } => {
                Values::Class(rows.filter_map(|row| first_largest(row, labels)).collect())
            }
        }
    }
}

impl Ranks {
    /// The integer for a value; `None` for a missing one if that is refused.
    pub fn rank(&self, value: f32) -> Option<i8> {
        let value = f64::from(value);
        let below = match (value.is_nan(), self.missing) {
            (true, None) => return None,
            (true, Some(Missing::Low)) => 0,
            (true, Some(Missing::High)) => self.thresholds.len(),
            (false, _) => self
                .thresholds
                .partition_point(|threshold| *threshold <= value),
        };
        Some((below as i64 - 128).clamp(i8::MIN.into(), i8::MAX.into()) as i8)
    }
}

impl Node {
    /// Runs one sample and appends its values; `None` if one leaves 32 bits.
    fn run(&self, sources: &[&[i32]], shapes: &[Vec<u32>], trace: &mut Trace) -> Option<()> {
        match &self.op {
            Op::Linear(linear) => linear.run(&self.shape, sources, shapes, trace),
            Op::MaxPool(window) => {
                let (source, shape) = (sources.first()?, shapes.first()?);
                window.max(&self.shape, source, shape, &mut trace.out)
            }
            Op::Select(indices) => {
                let all: Vec<i32> = sources.concat();
                for index in indices {
                    trace.out.push(*all.get(*index as usize)?);
                }
                Some(())
            }
            Op::Trees(trees) => trees.run(sources.first()?, &mut trace.acc),
        }
    }
}

impl Linear {
    fn run(
        &self,
        shape: &[u32],
        sources: &[&[i32]],
        shapes: &[Vec<u32>],
        trace: &mut Trace,
    ) -> Option<()> {
        let channel = self.channels(shape);
        let mut acc: Vec<i64> = (0..elements(shape) as usize)
            .map(|element| self.bias.get(channel(element)).map(|bias| (*bias).into()))
            .collect::<Option<_>>()?;
        for ((map, source), source_shape) in self.maps.iter().zip(sources).zip(shapes) {
            match map {
                Map::Dense(weights) => dense(weights, source, source_shape, &mut acc)?,
                Map::Conv(conv) => conv.add(shape, source, source_shape, &mut acc)?,
                Map::Scale(weights) => {
                    for (element, (acc, x)) in acc.iter_mut().zip(*source).enumerate() {
                        *acc += i64::from(*weights.get(channel(element))?) * i64::from(*x);
                    }
                }
            }
        }
        for &acc in &acc {
            trace.acc.push(i32::try_from(acc).ok()?);
        }
        if let Some(requant) = &self.requant {
            for (element, &acc) in acc.iter().enumerate() {
                let multiplier = *requant.multipliers.get(channel(element))?;
                let q = i32::try_from(rescale(acc.checked_mul(multiplier.into())?)).ok()?;
                trace.q.push(q);
                trace.out.push(requant.activation.apply(q));
            }
        }
        Some(())
    }
}

/// Adds a matrix product along the last axis.
fn dense(weights: &[i8], source: &[i32], shape: &[u32], acc: &mut [i64]) -> Option<()> {
    let inputs = *shape.last()? as usize;
    let outputs = weights.len().checked_div(inputs)?;
    let rows = source.chunks_exact(inputs);
    for (x, acc) in rows.zip(acc.chunks_exact_mut(outputs.max(1))) {
        for (&x, row) in x.iter().zip(weights.chunks_exact(outputs.max(1))) {
            for (acc, &weight) in acc.iter_mut().zip(row) {
                *acc += i64::from(weight) * i64::from(x);
            }
        }
    }
    Some(())
}

impl Conv {
    fn add(&self, shape: &[u32], source: &[i32], image: &[u32], acc: &mut [i64]) -> Option<()> {
        let (&[outputs, height, width], &[channels, image_height, image_width]) = (shape, image)
        else {
            return None;
        };
        let kernel = elements(&self.window.kernel) as usize;
        let plane = image_height as usize * image_width as usize;
        let per_group = channels.checked_div(self.groups)? as usize;
        let outputs_per_group = outputs.checked_div(self.groups)? as usize;
        let mut acc = acc.iter_mut();
        for output in 0..outputs as usize {
            let first = output.checked_div(outputs_per_group)? * per_group;
            for y in 0..height {
                for x in 0..width {
                    let acc = acc.next()?;
                    for (tap, pixel) in self.window.taps([y, x], [image_height, image_width]) {
                        for channel in 0..per_group {
                            let weight =
                                self.weights[(output * per_group + channel) * kernel + tap];
                            let value = source[(first + channel) * plane + pixel];
                            *acc += i64::from(weight) * i64::from(value);
                        }
                    }
                }
            }
        }
        Some(())
    }
}

impl Window {
    fn max(&self, shape: &[u32], source: &[i32], image: &[u32], out: &mut Vec<i32>) -> Option<()> {
        let (&[channels, height, width], &[_, image_height, image_width]) = (shape, image) else {
            return None;
        };
        let plane = image_height as usize * image_width as usize;
        for channel in 0..channels as usize {
            for y in 0..height {
                for x in 0..width {
                    let taps = self.taps([y, x], [image_height, image_width]);
                    out.push(
                        taps.map(|(_, pixel)| source[channel * plane + pixel])
                            .max()?,
                    );
                }
            }
        }
        Some(())
    }
}

impl Trees {
    fn run(&self, input: &[i32], out: &mut Vec<i32>) -> Option<()> {
        let mut acc: Vec<i64> = self.base.iter().map(|base| (*base).into()).collect();
        for tree in &self.trees {
            let leaf = tree.nodes.get(tree.path(input).last()?)?;
            let crate::TreeNode::Leaf(values) = leaf else {
                return None;
            };
            for (output, value) in tree.outputs.iter().zip(values) {
                *acc.get_mut(*output as usize)? += i64::from(*value);
            }
        }
        for acc in acc {
            out.push(i32::try_from(acc).ok()?);
        }
        Some(())
    }
}

/// The label of the first largest value of a row.
fn first_largest(row: &[i32], labels: &[i64]) -> Option<i64> {
    let mut pairs = row.iter().zip(labels);
    let first = pairs.next()?;
    Some(
        *pairs
            .fold(
                first,
                |best, pair| if pair.0 > best.0 { pair } else { best },
            )
            .1,
    )
}

fn whole_samples(found: usize, sample: usize) -> Result<(), ModelError> {
    match sample > 0 && found > 0 && found.is_multiple_of(sample) {
        true => Ok(()),
        false => Err(ModelError::InputLength { found, sample }),
    }
}
