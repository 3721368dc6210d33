//! From the float network to the integer model.
//!
//! Weights are 8-bit with one scale per channel. A hidden node's requantisation divides by `2^SHIFT` after multiplying
//! by an integer, so instead of rounding that multiplier each weight scale is snapped to the grid that makes it exact:
//! `scale_c = s_q m_c / (s_in 2^SHIFT)`. Among the `m_c` up to the smallest whose scale covers all the channel's weights,
//! the one is taken whose rounding and clipping changes the output least on the calibration samples: a folded-in scaler
//! gives inputs that hardly vary weights so large that covering them would leave few steps for the others.
//!
//! Transformers add values of many layers up, so theirs have more bits: 9, functions 10, sums 12. Their scales have few
//! binary digits, so that sums need no rounding of their weights and layers share the tables of their functions. A norm,
//! a softmax or a product of matrices becomes several nodes; see [`norm`] and [`product`].

mod activation;
mod graph;
mod norm;
mod product;
mod scales;
mod weights;

use ciro_zkml_model::{
    self as model, Bounds, Encoding, Head, Input, Model, ModelError, Output, Quantity, Requant,
};

use crate::{
    lower::Lowered,
    measure::Measured,
    network::{Linear, Map, Network, Node, Op},
    ImportError, Options,
};
use graph::{axes, Graph, Tensor};
use scales::{power_of_two, Scales, SUM_TOP};
use weights::Weights;

/// Most times scales are made coarser to satisfy the overflow bounds.
const ATTEMPTS: usize = 64;

/// First magnitude that requantised values of linear nodes stay below where that is possible: larger ones need larger tables.
const TABLE_LIMIT: u32 = 1 << 14;
/// The same for the sums of transformers, of which all layers share one table; and of those with [`MANY`] parameters, beside
/// whose other rows no table is large.
const SUM_TABLE_LIMITS: [u32; 2] = [1 << 13, 1 << 15];
const MANY: usize = 1 << 25;

/// Quantises a network for the ranges that the calibration samples show.
pub(crate) fn quantise(
    lowered: &Lowered,
    measured: &[Measured],
    calibration: &[f32],
    options: &Options,
) -> Result<(Model, Vec<String>), ImportError> {
    let mut scales = Scales::new(&lowered.network, measured, calibration)?;
    let mut notes: Vec<String> = Vec::new();
    let mut attempts = 0..ATTEMPTS;
    loop {
        let (model, origins) = build(lowered, measured, &scales, options)?;
        let origin = |node: usize| origins.get(node).copied().unwrap_or(0);
        let linear = |node: usize| lowered.network.linear(origin(node) + 1);
        let mut coarsen = |node: usize, factor: f64| {
            let curved = linear(node).is_some_and(|linear| linear.function.is_curve());
            scales.coarsen(origin(node), curved, factor);
        };
        match model.validate() {
            Ok(bounds) => {
                let [few, many] = SUM_TABLE_LIMITS;
                let of_sums = if model.parameters() < MANY { few } else { many };
                // Other nodes have no scale of their own.
                let limit = |node: usize| match linear(node)?.maps.len() {
                    2.. if lowered.network.is_sequence() => Some(of_sums),
                    _ => Some(TABLE_LIMIT),
                };
                let large = large_tables(&model, &bounds, limit);
                if large.is_empty() || attempts.next().is_none() {
                    return Ok((model, notes));
                }
                let large = large.into_iter();
                large.for_each(|(node, factor)| coarsen(node, factor));
            }
            Err(ModelError::Overflow {
                node,
                channel,
                quantity,
                bound,
                limit,
            }) if quantity != Quantity::Accumulator && attempts.next().is_some() => {
                let note =
                    format!("node {node}: scale made coarser so that {quantity} of channel ");
                if !notes.iter().any(|known| known.starts_with(&note)) {
                    notes.push(format!("{note}{channel} cannot reach {bound}"));
                }
                coarsen(node, 1.01 * bound as f64 / limit as f64);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// The linear nodes whose activations need tables beyond their limit, and by how much their steps must grow.
fn large_tables(
    model: &Model,
    bounds: &Bounds,
    limit: impl Fn(usize) -> Option<u32>,
) -> Vec<(usize, f64)> {
    let excess = |(node, (low, high)): (usize, &(i32, i32))| {
        let is_linear = matches!(model.nodes.get(node)?.op, model::Op::Linear(_));
        let limit = limit(node).filter(|_| is_linear)?;
        let bound = low.unsigned_abs().max(high.unsigned_abs());
        (bound >= limit).then(|| (node, 1.01 * f64::from(bound) / f64::from(limit)))
    };
    let quantised = bounds.quantised.iter().enumerate();
    quantised.filter_map(excess).collect()
}

/// A model under construction.
struct Build<'a> {
    network: &'a Network,
    scales: &'a Scales,
    graph: Graph,
    /// The network's tensors so far.
    tensors: Vec<Tensor>,
    /// Scale of the last node's accumulators.
    output_scale: f64,
}

/// The model with the given scales, and the network's node that each of its nodes is made for.
fn build(
    lowered: &Lowered,
    measured: &[Measured],
    scales: &Scales,
    options: &Options,
) -> Result<(Model, Vec<usize>), ImportError> {
    let network = &lowered.network;
    let mut build = Build {
        network,
        scales,
        graph: Graph::default(),
        tensors: vec![scales.input_tensor(&network.shape)],
        output_scale: 1.0,
    };
    for (index, measured) in (0..network.nodes.len()).zip(measured) {
        build.graph.origin = index;
        let tensor = build.node(index, measured)?;
        build.tensors.push(tensor);
    }
    let (scale, zero_point) = scales.input();
    let encoding = match network.vocabulary {
        // The table has at most 2^28 values.
        Some(vocabulary) => Encoding::Tokens {
            vocabulary: vocabulary as u32,
        },
        None => Encoding::Affine { scale, zero_point },
    };
    let model = Model {
        name: options.name.clone(),
        preset: options.preset,
        input: Input {
            shape: axes(&network.shape),
            encoding,
        },
        nodes: build.graph.nodes,
        output: Output {
            shape: axes(&lowered.output_shape),
            scale: build.output_scale as f32,
            head: lowered.head.clone(),
        },
    };
    Ok((model, build.graph.origins))
}

impl Build<'_> {
    /// The tensor of a node of the network.
    fn node(&mut self, index: usize, measured: &Measured) -> Result<Tensor, ImportError> {
        let missing =
            || ImportError::Graph(format!("node {index} reads a tensor that is not there"));
        let node = self.network.nodes.get(index).ok_or_else(missing)?;
        let sources: Option<Vec<Tensor>> = node
            .sources
            .iter()
            .map(|source| self.tensors.get(*source).cloned())
            .collect();
        let mut sources = sources.ok_or_else(missing)?;
        if let Op::Product(_) | Op::Norm(_) | Op::Softmax | Op::Attend = node.op {
            let centred = |source: &Tensor| self.graph.centred(source);
            sources = sources.iter().map(centred).collect();
        }
        let largest = measured.values.1.max(-measured.values.0);
        Ok(match (&node.op, sources.as_slice()) {
            (Op::Linear(linear), _) => return self.linear(index, linear, measured, &sources),
            (Op::MaxPool(window), [source]) => {
                self.moved(source, node, model::Op::MaxPool(window.clone()), &sources)
            }
            (Op::Select(indices), [source, ..]) => {
                self.moved(source, node, model::Op::Select(indices.clone()), &sources)
            }
            (Op::Product(product), [a, b]) if self.network.is_softmax_argument(index + 1) => {
                self.graph.scores(product, [a, b], largest)
            }
            (Op::Product(product), [a, b]) => {
                let copied = self.network.sums_over_positions(node);
                self.graph.matrices(product, [a, b], copied, largest)
            }
            (Op::Norm(norm), [x]) => self.graph.norm(*norm, x, measured),
            (Op::Softmax, [scores]) => self.graph.softmax(scores),
            (Op::Attend, [scores, values]) => self.graph.attend(scores, values, measured),
            (Op::Constant(values), []) => {
                let (values, step) = integers(values);
                let op = model::Op::Constant(values);
                self.graph.push(&[], &node.shape, op, step)
            }
            (Op::Embedding(table), [tokens]) => {
                let (table, step) = integers(table);
                let op = model::Op::Embedding(model::Embedding { table });
                self.graph.push(&[tokens], &node.shape, op, step)
            }
            _ => return Err(missing()),
        })
    }

    /// A tensor that holds another one's values.
    fn moved(&mut self, source: &Tensor, node: &Node, op: model::Op, sources: &[Tensor]) -> Tensor {
        let sources: Vec<&Tensor> = sources.iter().collect();
        let made = self.graph.push(&sources, &node.shape, op, source.scale);
        Tensor {
            zero_point: source.zero_point,
            ..made
        }
    }

    fn linear(
        &mut self,
        index: usize,
        linear: &Linear,
        measured: &Measured,
        sources: &[Tensor],
    ) -> Result<Tensor, ImportError> {
        let weights = Weights {
            linear,
            sources: sources
                .iter()
                .map(|source| (source.scale, source.zero_point))
                .collect(),
            measured,
        };
        let last = self.network.nodes.len().saturating_sub(1);
        let hidden = (index != last).then(|| self.scales.node(index, linear, measured));
        let step = hidden
            .as_ref()
            .map(|(scale, _)| scale / f64::from(1_u32 << Model::SHIFT));
        let (accumulators, multipliers) = weights.scales(step);
        self.output_scale = accumulators.first().copied().unwrap_or(1.0);
        let (maps, bias) = weights.quantise(&accumulators).ok_or_else(|| {
            let problem =
                "a bias is too large beside its weights to be quantised; rescale the model";
            ImportError::Graph(format!("node {index}: {problem}"))
        })?;
        let requant = hidden.map(|(_, activation)| Requant {
            multipliers,
            activation,
        });
        let maps = linear.maps.iter().zip(&maps).zip(sources);
        let (sources, maps): (Vec<&Tensor>, Vec<model::Map>) = maps
            .flat_map(|((map, weights), source)| {
                let parts = weights::parts(weights).into_iter();
                parts.map(move |weights| (source, integer_map(map, weights)))
            })
            .unzip();
        let op = model::Op::Linear(model::Linear {
            maps,
            channel_axis: linear.axis as u32,
            bias,
            requant,
        });
        let shape = self.network.tensor_shape(index + 1);
        let scale = self.scales.tensor(index + 1).0;
        Ok(self.graph.push(&sources, shape, op, scale))
    }
}

/// Values in steps of a power of two, and the step: 1 where that is exact, so that ones stay ones.
fn integers(values: &[f32]) -> (Vec<i16>, f64) {
    let largest = values
        .iter()
        .fold(0.0_f32, |max, value| value.abs().max(max));
    let step = f64::from(largest) / f64::from(SUM_TOP);
    let bits = values.iter().all(|value| [0.0, 1.0].contains(value));
    let step = match step.is_normal() && !bits {
        true => power_of_two(step),
        false => 1.0,
    };
    let integer = |value: &f32| (f64::from(*value) / step).round() as i16;
    (values.iter().map(integer).collect(), step)
}

fn integer_map(map: &Map, weights: Vec<i8>) -> model::Map {
    match map {
        Map::Dense(_) => model::Map::Dense(weights),
        Map::Scale(_) => model::Map::Scale(weights),
        Map::Conv(conv) => {
            let (window, groups) = (conv.window.clone(), conv.groups as u32);
            model::Map::Conv(model::Conv {
                window,
                groups,
                weights,
            })
        }
    }
}

/// Whether all that a linear node can make of values from 0 up is from 0 up.
fn keeps_sign(linear: &Linear) -> bool {
    let weights = linear.maps.iter().flat_map(Map::weights);
    weights.chain(&linear.bias).all(|value| *value >= 0.0)
}

/// The integer model's outputs as real values, before its head.
pub(crate) fn logits(model: &Model, samples: &[f32]) -> Result<Vec<f32>, ImportError> {
    let output = Output {
        head: Head::Values,
        ..model.output.clone()
    };
    let values = Model {
        output,
        ..model.clone()
    };
    match values.dequantise(&model.run(&model.quantise(samples)?)?) {
        model::Values::Float(values) => Ok(values),
        model::Values::Class(_) => Ok(vec![]),
    }
}
