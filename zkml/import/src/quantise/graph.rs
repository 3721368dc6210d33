//! The integer model under construction.

use ciro_zkml_model::{self as model, Activation, Curve, Linear, Map, Model, Op, Product, Requant};

/// A tensor of the integer model.
#[derive(Clone, Debug)]
pub(super) struct Tensor {
    pub index: u32,
    pub shape: Vec<usize>,
    /// The real value of a step, and the integer that stands for 0.0.
    pub scale: f64,
    pub zero_point: i64,
    /// Smallest and largest integer.
    pub range: (i32, i32),
}

impl Tensor {
    /// Largest magnitude of its integers.
    pub fn top(&self) -> i32 {
        self.range.1.max(-self.range.0)
    }

    /// Size of the last axis.
    pub fn width(&self) -> usize {
        self.shape.last().copied().unwrap_or(1)
    }

    /// The axes before the last.
    pub fn lead(&self) -> &[usize] {
        self.shape.split_last().map_or(&[], |(_, lead)| lead)
    }
}

/// The nodes of a model so far.
#[derive(Default)]
pub(super) struct Graph {
    pub nodes: Vec<model::Node>,
    /// For each node, that of the float network which it is made for.
    pub origins: Vec<usize>,
    /// The node of the float network that nodes are made for now.
    pub origin: usize,
}

impl Graph {
    /// Appends a node; `scale` is that of its values.
    pub fn push(&mut self, sources: &[&Tensor], shape: &[usize], op: Op, scale: f64) -> Tensor {
        let range = match &op {
            Op::Linear(Linear {
                requant: Some(requant),
                ..
            })
            | Op::Product(Product { requant, .. }) => requant.activation.range(),
            Op::Constant(table) | Op::Embedding(model::Embedding { table }) => {
                let values = || table.iter().map(|&value| i32::from(value));
                (values().min().unwrap_or(0), values().max().unwrap_or(0))
            }
            _ => sources.iter().fold((0, 0), |(low, high), source| {
                (low.min(source.range.0), high.max(source.range.1))
            }),
        };
        self.nodes.push(model::Node {
            sources: sources.iter().map(|source| source.index).collect(),
            shape: axes(shape),
            op,
        });
        self.origins.push(self.origin);
        Tensor {
            // A model has at most 2^12 nodes.
            index: self.nodes.len() as u32,
            shape: shape.to_vec(),
            scale,
            zero_point: 0,
            range,
        }
    }

    /// The same elements in another shape.
    pub fn reshape(&mut self, tensor: &Tensor, shape: &[usize]) -> Tensor {
        if tensor.shape == shape {
            return tensor.clone();
        }
        let count = shape.iter().product::<usize>() as u32;
        let zero_point = tensor.zero_point;
        let made = self.push(
            &[tensor],
            shape,
            Op::Select((0..count).collect()),
            tensor.scale,
        );
        Tensor { zero_point, ..made }
    }

    /// A tensor in which 0 stands for 0.0, for nodes that know no zero points.
    pub fn centred(&mut self, tensor: &Tensor) -> Tensor {
        let Ok(zero_point @ (..=-1 | 1..)) = i32::try_from(tensor.zero_point) else {
            return tensor.clone();
        };
        let (low, high) = tensor.range;
        let top = (high - zero_point).max(zero_point - low);
        let linear = Linear {
            bias: vec![-zero_point; tensor.width()],
            ..plain(
                vec![Map::Scale(vec![1; tensor.width()])],
                &tensor.shape,
                (1 << Model::SHIFT, clamp(top)),
            )
        };
        self.push(&[tensor], &tensor.shape, Op::Linear(linear), tensor.scale)
    }

    /// `activation(multiplier (sum of maps))`, without biases, channels along the last axis.
    pub fn linear(
        &mut self,
        sources: &[&Tensor],
        maps: Vec<Map>,
        shape: &[usize],
        requant: (u32, Activation),
        scale: f64,
    ) -> Tensor {
        let linear = plain(maps, shape, requant);
        self.push(sources, shape, Op::Linear(linear), scale)
    }

    /// `activation(multiplier (A B + bias))`.
    pub fn product(
        &mut self,
        [a, b]: [&Tensor; 2],
        bias: Vec<i32>,
        requant: (u32, Activation),
        scale: f64,
    ) -> Tensor {
        let (multiplier, activation) = requant;
        let rows = a.lead().last().copied().unwrap_or(1);
        let batch = a.lead().split_last().map_or(&[][..], |(_, batch)| batch);
        let shape = [batch, &[rows, b.width()]].concat();
        let requant = Requant {
            multipliers: vec![multiplier],
            activation,
        };
        self.push(
            &[a, b],
            &shape,
            Op::Product(Product { bias, requant }),
            scale,
        )
    }

    /// A copy of a tensor for the right side of a product whose sums run over positions: the prover lays it out by
    /// channel, so nothing else may read it.
    pub fn copy(&mut self, tensor: &Tensor) -> Tensor {
        let maps = vec![Map::Scale(vec![1; tensor.width()])];
        let requant = (1 << Model::SHIFT, clamp(tensor.top()));
        self.linear(&[tensor], maps, &tensor.shape, requant, tensor.scale)
    }
}

/// A linear node without biases and with one multiplier, channels along the last axis.
fn plain(maps: Vec<Map>, shape: &[usize], (multiplier, activation): (u32, Activation)) -> Linear {
    let channels = shape.last().copied().unwrap_or(1);
    Linear {
        maps,
        channel_axis: shape.len().saturating_sub(1) as u32,
        bias: vec![0; channels],
        requant: Some(Requant {
            multipliers: vec![multiplier; channels],
            activation,
        }),
    }
}

/// The sizes fit: the importer limits the number of elements.
pub(super) fn axes(shape: &[usize]) -> Vec<u32> {
    shape.iter().map(|&axis| axis as u32).collect()
}

/// The function that keeps magnitudes up to `top`, at most those that an activation may have.
pub(super) fn clamp(top: i32) -> Activation {
    let high = i16::try_from(top).unwrap_or(i16::MAX);
    Activation::Clamp { low: -high, high }
}

/// The table of a function from `first`, 0 or below, to `last`, 0 or above.
pub(super) fn table(first: i32, last: i32, value: impl Fn(i32) -> f64) -> Activation {
    let top = f64::from(i16::MAX);
    let values = (first..=last).map(|q| value(q).round().clamp(-top, top) as i16);
    Activation::Curve(Curve {
        first,
        values: values.collect(),
    })
}

/// The largest multiplier, at least 1, with which magnitudes up to `accumulator` become at most `top`.
pub(super) fn multiplier(top: f64, accumulator: f64) -> u32 {
    // The cast saturates.
    (top * f64::from(1_u32 << Model::SHIFT) / accumulator.max(1.0)).max(1.0) as u32
}
