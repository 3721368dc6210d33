//! From the float network to the integer model.
//!
//! Weights are 8-bit with one scale per output. A hidden layer's requantisation divides by `2^SHIFT` after multiplying
//! by an integer, so instead of rounding that multiplier each weight scale is snapped to the grid that makes it exact:
//! `scale_j = s_out m_j / (s_in 2^SHIFT)`, with the smallest `m_j` whose scale covers the output's weights.

use ciro_zkml_model::{Activation, Dense, Head, Input, Model, ModelError, Output, Quantity, Requant};

use crate::{
    lower::Lowered,
    network::{Layer, Network},
    ImportError, Options,
};

/// Largest magnitude of a quantised weight.
const WEIGHT_MAX: f64 = 127.0;
/// Most times a layer's output scale is made coarser to satisfy the overflow bounds.
const ATTEMPTS: usize = 8;

/// Quantises a network for the ranges that the calibration samples show.
pub(crate) fn quantise(
    lowered: &Lowered,
    shape: &[usize],
    calibration: &[f32],
    options: &Options,
) -> Result<(Model, Vec<String>), ImportError> {
    let network = &lowered.network;
    let input = input(shape, calibration)?;
    let mut scales = output_scales(network, calibration)?;
    let mut notes = Vec::new();
    let mut attempts = 0..ATTEMPTS;
    loop {
        let model = build(network, &input, &scales, lowered, options)?;
        match model.validate() {
            Ok(_) => return Ok((model, notes)),
            Err(ModelError::Overflow { layer, output, quantity, bound, limit })
                if quantity != Quantity::Accumulator && attempts.next().is_some() =>
            {
                notes.push(format!(
                    "layer {layer}: scale made coarser so that {quantity} of output {output} cannot reach {bound}"
                ));
                if let Some(scale) = scales.get_mut(layer) {
                    *scale *= 1.01 * bound as f64 / limit as f64;
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// The input's scale and zero point: the calibration range, widened to contain 0, over the 256 values of 8 bits.
fn input(shape: &[usize], calibration: &[f32]) -> Result<Input, ImportError> {
    let low = calibration.iter().fold(0.0_f64, |low, &x| low.min(x.into()));
    let high = calibration.iter().fold(0.0_f64, |high, &x| high.max(x.into()));
    let scale = if high > low { ((high - low) / 255.0) as f32 } else { 1.0 };
    if !scale.is_normal() {
        return Err(ImportError::Calibration(format!("its range {low}..{high} cannot be quantised; rescale the inputs")));
    }
    let zero_point = (-128.0 - low / f64::from(scale)).round().clamp(-128.0, 127.0) as i8;
    let shape = shape.iter().map(|&axis| axis as u32).collect();
    Ok(Input { shape, scale, zero_point })
}

/// The scale of every hidden layer's activations, from their largest value on the calibration samples.
fn output_scales(network: &Network, calibration: &[f32]) -> Result<Vec<f64>, ImportError> {
    let hidden = network.layers.len().saturating_sub(1);
    let values = network.run(calibration);
    if values.iter().flatten().any(|value| !value.is_finite()) {
        let problem = "the network overflows floating point on it; check that it is scaled as in training";
        return Err(ImportError::Calibration(problem.into()));
    }
    let scale = |(layer, values): (&Layer, &Vec<f32>)| {
        let (range, largest) = match layer.activation {
            Activation::Relu => (255.0, values.iter().fold(0.0_f64, |max, &v| max.max(v.into()))),
            Activation::Identity => (127.0, values.iter().fold(0.0_f64, |max, &v| max.max(v.abs().into()))),
        };
        // A layer that never fires needs some scale.
        if largest > 0.0 { largest / range } else { 1.0 }
    };
    Ok(network.layers.iter().zip(&values).take(hidden).map(scale).collect())
}

/// The model with the given scales of the hidden layers' activations.
fn build(
    network: &Network,
    input: &Input,
    scales: &[f64],
    lowered: &Lowered,
    options: &Options,
) -> Result<Model, ImportError> {
    let mut layers = Vec::with_capacity(network.layers.len());
    let mut s_in = f64::from(input.scale);
    let mut zero_point = i64::from(input.zero_point);
    let mut output_scale = 0.0;
    for (index, layer) in network.layers.iter().enumerate() {
        let widest = largest_weights(layer);
        let (weight_scales, requant) = match scales.get(index) {
            Some(&s_out) => {
                let step = s_out / (s_in * f64::from(1_u32 << Model::SHIFT));
                // The cast saturates; `validate` refuses what is then too large.
                let multiplier = |&max: &f64| (max / WEIGHT_MAX / step).ceil().max(1.0) as u32;
                let multipliers: Vec<u32> = widest.iter().map(multiplier).collect();
                let weight_scales = multipliers.iter().map(|&m| f64::from(m) * step).collect();
                (weight_scales, Some(Requant { multipliers, activation: layer.activation }))
            }
            None => {
                let scale = last_scale(layer, &widest);
                output_scale = s_in * scale;
                (vec![scale; layer.outputs], None)
            }
        };
        let dense = dense(layer, &weight_scales, s_in, zero_point, requant);
        layers.push(dense.ok_or_else(|| {
            let problem = format!("layer {index}: a bias is too large beside its weights to be quantised; rescale the model");
            ImportError::Graph(problem)
        })?);
        s_in = scales.get(index).copied().unwrap_or(s_in);
        zero_point = 0;
    }
    let shape = lowered.output_shape.iter().map(|&axis| axis as u32).collect();
    let output = Output { shape, scale: output_scale as f32, head: lowered.head.clone() };
    Ok(Model { name: options.name.clone(), preset: options.preset, input: input.clone(), layers, output })
}

/// The largest magnitude among the weights of every output.
fn largest_weights(layer: &Layer) -> Vec<f64> {
    let mut largest = vec![0.0_f64; layer.outputs];
    for row in layer.weights.chunks_exact(layer.outputs) {
        largest.iter_mut().zip(row).for_each(|(max, weight)| *max = max.max(weight.abs().into()));
    }
    largest
}

/// The one weight scale of the last layer. Without any weight but 0 it serves the biases.
fn last_scale(layer: &Layer, widest: &[f64]) -> f64 {
    let weight = widest.iter().fold(0.0_f64, |max, &weight| max.max(weight));
    let bias = layer.bias.iter().fold(0.0_f64, |max, &bias| max.max(bias.abs().into()));
    match (weight > 0.0, bias > 0.0) {
        (true, _) => weight / WEIGHT_MAX,
        (false, true) => bias / WEIGHT_MAX,
        (false, false) => 1.0,
    }
}

/// The integer layer, or `None` if a bias leaves 32 bits.
fn dense(
    layer: &Layer,
    weight_scales: &[f64],
    s_in: f64,
    zero_point: i64,
    requant: Option<Requant>,
) -> Option<Dense> {
    let mut sums = vec![0_i64; layer.outputs];
    let mut weights = Vec::with_capacity(layer.weights.len());
    for row in layer.weights.chunks_exact(layer.outputs) {
        for ((&weight, scale), sum) in row.iter().zip(weight_scales).zip(&mut sums) {
            let weight = (f64::from(weight) / scale).round().clamp(-WEIGHT_MAX, WEIGHT_MAX) as i8;
            *sum += i64::from(weight);
            weights.push(weight);
        }
    }
    let bias = layer.bias.iter().zip(weight_scales).zip(&sums).map(|((&bias, scale), sum)| {
        let bias = (f64::from(bias) / (s_in * scale)).round() as i64;
        i32::try_from(bias.saturating_sub(zero_point * sum)).ok()
    });
    let bias = bias.collect::<Option<_>>()?;
    Some(Dense { inputs: layer.inputs as u32, outputs: layer.outputs as u32, weights, bias, requant })
}

/// The integer model's outputs as real values, before its head.
pub(crate) fn logits(model: &Model, samples: &[f32]) -> Result<Vec<f32>, ImportError> {
    let values = Model { output: Output { head: Head::Values, ..model.output.clone() }, ..model.clone() };
    match values.dequantise(&model.run(&model.quantise(samples)?)?) {
        ciro_zkml_model::Values::Float(values) => Ok(values),
        ciro_zkml_model::Values::Class(_) => Ok(vec![]),
    }
}
