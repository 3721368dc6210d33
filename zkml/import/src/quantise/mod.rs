//! From the float network to the integer model.
//!
//! Weights are 8-bit with one scale per channel. A hidden node's requantisation divides by `2^SHIFT` after multiplying
//! by an integer, so instead of rounding that multiplier each weight scale is snapped to the grid that makes it exact:
//! `scale_c = s_q m_c / (s_in 2^SHIFT)`. Among the `m_c` up to the smallest whose scale covers all the channel's weights,
//! the one is taken whose rounding and clipping changes the output least on the calibration samples: a folded-in scaler
//! gives inputs that hardly vary weights so large that covering them would leave few steps for the others.

mod activation;
mod scales;
mod weights;

use ciro_zkml_model::{
    self as model, Encoding, Head, Input, Model, ModelError, Output, Quantity, Requant,
};

use crate::{
    lower::Lowered,
    measure::Measured,
    network::{Linear, Map, Op},
    ImportError, Options,
};
use scales::Scales;
use weights::Weights;

/// Most times scales are made coarser to satisfy the overflow bounds.
const ATTEMPTS: usize = 64;

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
        let model = build(lowered, measured, &scales, options)?;
        match model.validate() {
            Ok(_) => return Ok((model, notes)),
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
                let curved = lowered
                    .network
                    .linear(node + 1)
                    .is_some_and(|linear| linear.function.is_curve());
                scales.coarsen(node, curved, 1.01 * bound as f64 / limit as f64);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// The model with the given scales.
fn build(
    lowered: &Lowered,
    measured: &[Measured],
    scales: &Scales,
    options: &Options,
) -> Result<Model, ImportError> {
    let network = &lowered.network;
    let last = network.nodes.len().saturating_sub(1);
    let mut nodes = Vec::with_capacity(network.nodes.len());
    let mut output_scale = 1.0;
    for (index, (node, measured)) in network.nodes.iter().zip(measured).enumerate() {
        let op = match &node.op {
            Op::MaxPool(window) => model::Op::MaxPool(window.clone()),
            Op::Select(indices) => model::Op::Select(indices.clone()),
            Op::Linear(linear) => {
                let sources = node
                    .sources
                    .iter()
                    .map(|source| scales.tensor(*source))
                    .collect();
                let weights = Weights {
                    linear,
                    sources,
                    measured,
                };
                let hidden = (index != last).then(|| scales.node(index, linear, measured));
                let step = hidden
                    .as_ref()
                    .map(|(scale, _)| scale / f64::from(1_u32 << Model::SHIFT));
                let (accumulators, multipliers) = weights.scales(step);
                output_scale = accumulators.first().copied().unwrap_or(1.0);
                let (maps, bias) = weights.quantise(&accumulators).ok_or_else(|| {
                    let problem =
                        "a bias is too large beside its weights to be quantised; rescale the model";
                    ImportError::Graph(format!("node {index}: {problem}"))
                })?;
                let requant = hidden.map(|(_, activation)| Requant {
                    multipliers,
                    activation,
                });
                let maps = linear
                    .maps
                    .iter()
                    .zip(maps)
                    .map(|(map, weights)| integer_map(map, weights))
                    .collect();
                model::Op::Linear(model::Linear {
                    maps,
                    channel_axis: linear.axis as u32,
                    bias,
                    requant,
                })
            }
        };
        let sources = node.sources.iter().map(|&source| source as u32).collect();
        nodes.push(model::Node {
            sources,
            shape: axes(&node.shape),
            op,
        });
    }
    let (scale, zero_point) = scales.input();
    let encoding = Encoding::Affine { scale, zero_point };
    Ok(Model {
        name: options.name.clone(),
        preset: options.preset,
        input: Input {
            shape: axes(&network.shape),
            encoding,
        },
        nodes,
        output: Output {
            shape: axes(&lowered.output_shape),
            scale: output_scale as f32,
            head: lowered.head.clone(),
        },
    })
}

/// The sizes fit: the importer limits the number of elements.
fn axes(shape: &[usize]) -> Vec<u32> {
    shape.iter().map(|&axis| axis as u32).collect()
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
