//! The reference interpreter.

use crate::bounds::rescale;
use crate::graph::elements;
use crate::values::token;
use crate::{
    Conv, Embedding, Linear, Map, Model, ModelError, Node, Op, Product, Requant, Trees, Window,
};

/// The values of one node, each row-major `[batch][elements]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// Accumulators, of linear maps, products and the last node.
    pub acc: Vec<i32>,
    /// Requantised accumulators, before the activation; of products, and of linear maps but the last.
    pub q: Vec<i32>,
    /// The tensor that later nodes read; empty for the last node.
    pub out: Vec<i32>,
}

impl Model {
    /// Runs a row-major batch and returns the final accumulators `[batch][outputs]`.
    pub fn run(&self, input: &[i8]) -> Result<Vec<i32>, ModelError> {
        let mut traces = self.trace(input)?;
        Ok(traces.pop().map(|last| last.acc).unwrap_or_default())
    }

    /// Runs a row-major batch and returns the values of every node.
    pub fn trace(&self, input: &[i8]) -> Result<Vec<Trace>, ModelError> {
        self.check_shapes()?;
        self.check_input(input)?;
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
            Op::Product(product) => product.run(&self.shape, sources, shapes, trace),
            Op::Max => {
                let axis = *shapes.first()?.last()? as usize;
                for row in sources.first()?.chunks_exact(axis.max(1)) {
                    trace.out.push(row.iter().copied().max()?);
                }
                Some(())
            }
            Op::Constant(values) => {
                trace
                    .out
                    .extend(values.iter().map(|&value| i32::from(value)));
                Some(())
            }
            Op::Embedding(embedding) => {
                let width = *self.shape.last()? as usize;
                embedding.run(width, sources.first()?, &mut trace.out)
            }
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
        push_accumulators(&acc, trace)?;
        match &self.requant {
            Some(requant) => requant.run(&acc, channel, trace),
            None => Some(()),
        }
    }
}

fn push_accumulators(acc: &[i64], trace: &mut Trace) -> Option<()> {
    for &acc in acc {
        trace.acc.push(i32::try_from(acc).ok()?);
    }
    Some(())
}

impl Requant {
    /// Appends what accumulators become, `channel` being an element's multiplier.
    fn run(&self, acc: &[i64], channel: impl Fn(usize) -> usize, trace: &mut Trace) -> Option<()> {
        for (element, &acc) in acc.iter().enumerate() {
            let multiplier = *self.multipliers.get(channel(element))?;
            let q = i32::try_from(rescale(acc.checked_mul(multiplier.into())?)).ok()?;
            trace.q.push(q);
            trace.out.push(self.activation.apply(q));
        }
        Some(())
    }
}

impl Product {
    fn run(
        &self,
        shape: &[u32],
        sources: &[&[i32]],
        shapes: &[Vec<u32>],
        trace: &mut Trace,
    ) -> Option<()> {
        let ([left, right], [rows, columns]) = (sources, shape.last_chunk()?) else {
            return None;
        };
        let (rows, columns) = (*rows as usize, *columns as usize);
        let inner = *shapes.first()?.last()? as usize;
        let bias: Vec<i64> = match self.bias.as_slice() {
            [] => vec![0; rows * columns],
            bias => bias.iter().map(|&bias| bias.into()).collect(),
        };
        let mut acc = bias.repeat(left.len().checked_div(rows * inner)?);
        let matrices = left.chunks_exact(rows * inner);
        let others = right.chunks_exact(inner * columns);
        for ((left, right), acc) in matrices
            .zip(others)
            .zip(acc.chunks_exact_mut(rows * columns))
        {
            for (left, acc) in left.chunks_exact(inner).zip(acc.chunks_exact_mut(columns)) {
                add_rows(left, right, acc);
            }
        }
        push_accumulators(&acc, trace)?;
        self.requant.run(&acc, |_| 0, trace)
    }
}

/// Adds the matrix's rows, weighed, to `acc`.
fn add_rows<T: Copy + Into<i64>>(weights: &[i32], matrix: &[T], acc: &mut [i64]) {
    for (&weight, row) in weights.iter().zip(matrix.chunks_exact(acc.len().max(1))) {
        for (acc, &value) in acc.iter_mut().zip(row) {
            *acc += i64::from(weight) * value.into();
        }
    }
}

impl Embedding {
    fn run(&self, width: usize, bytes: &[i32], out: &mut Vec<i32>) -> Option<()> {
        for bytes in bytes.chunks_exact(2) {
            let row = token(bytes)?.checked_mul(width)?;
            let values = self.table.get(row..row.checked_add(width)?)?;
            out.extend(values.iter().map(|&value| i32::from(value)));
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
        add_rows(x, weights, acc);
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
