//! From the float network to the integer model.
//!
//! Weights are 8-bit with one scale per output. A hidden layer's requantisation divides by `2^SHIFT` after multiplying
//! by an integer, so instead of rounding that multiplier each weight scale is snapped to the grid that makes it exact:
//! `scale_j = s_out m_j / (s_in 2^SHIFT)`. Among the `m_j` up to the smallest whose scale covers all the output's weights,
//! the one is taken whose rounding and clipping changes the output least on the calibration samples: a folded-in scaler
//! gives inputs that hardly vary weights so large that covering them would leave few steps for the others.

use ciro_zkml_model::{
    Activation, Dense, Head, Input, Model, ModelError, Output, Quantity, Requant,
};

use crate::{
    lower::Lowered,
    network::{Layer, Network},
    ImportError, Options,
};

/// Largest magnitude of a quantised weight.
const WEIGHT_MAX: f64 = 127.0;
/// Number of weight scales tried: the one that covers all weights, and so on by factors of [`NARROWER`].
const CANDIDATES: i32 = 24;
/// Ratio between neighbouring candidates.
const NARROWER: f64 = 0.85;
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
    let measured = measure(network, calibration)?;
    let hidden = network.layers.len().saturating_sub(1);
    let layers = network.layers.iter().zip(&measured).take(hidden);
    let mut scales: Vec<f64> = layers
        .map(|(layer, of)| activation_scale(layer, of.largest))
        .collect();
    let mut notes = Vec::new();
    let mut attempts = 0..ATTEMPTS;
    loop {
        let model = build(lowered, &input, &measured, &scales, options)?;
        match model.validate() {
            Ok(_) => return Ok((model, notes)),
            Err(ModelError::Overflow {
                layer,
                output,
                quantity,
                bound,
                limit,
            }) if quantity != Quantity::Accumulator && attempts.next().is_some() => {
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
    let low = calibration
        .iter()
        .fold(0.0_f64, |low, &x| low.min(x.into()));
    let high = calibration
        .iter()
        .fold(0.0_f64, |high, &x| high.max(x.into()));
    let scale = if high > low {
        ((high - low) / 255.0) as f32
    } else {
        1.0
    };
    if !scale.is_normal() {
        return Err(ImportError::Calibration(format!(
            "its range {low}..{high} cannot be quantised; rescale the inputs"
        )));
    }
    let zero_point = (-128.0 - low / f64::from(scale))
        .round()
        .clamp(-128.0, 127.0) as i8;
    let shape = shape.iter().map(|&axis| axis as u32).collect();
    Ok(Input {
        shape,
        scale,
        zero_point,
    })
}

/// What the calibration samples show of one layer.
struct Measured {
    /// Mean of every input.
    mean: Vec<f64>,
    /// Variance of every input.
    variance: Vec<f64>,
    /// Largest magnitude of an output after the activation.
    largest: f64,
}

/// Runs the calibration samples through the float network.
fn measure(network: &Network, calibration: &[f32]) -> Result<Vec<Measured>, ImportError> {
    let sums = network.run(calibration);
    if sums.iter().flatten().any(|value| !value.is_finite()) {
        let problem =
            "the network overflows floating point on it; check that it is scaled as in training";
        return Err(ImportError::Calibration(problem.into()));
    }
    let mut input = calibration.to_vec();
    let mut measured = Vec::with_capacity(sums.len());
    for (layer, sums) in network.layers.iter().zip(sums) {
        let (mean, variance) = moments(&input, layer.inputs);
        input = layer.activate(sums);
        let largest = input
            .iter()
            .fold(0.0_f64, |max, &value| max.max(value.abs().into()));
        measured.push(Measured {
            mean,
            variance,
            largest,
        });
    }
    Ok(measured)
}

/// Mean and variance of every column of a row-major batch.
fn moments(batch: &[f32], width: usize) -> (Vec<f64>, Vec<f64>) {
    let samples = (batch.len() / width) as f64;
    let mean_of = |power: i32| {
        let mut sums = vec![0.0; width];
        for row in batch.chunks_exact(width) {
            sums.iter_mut()
                .zip(row)
                .for_each(|(sum, &x)| *sum += f64::from(x).powi(power));
        }
        sums.iter_mut().for_each(|sum| *sum /= samples);
        sums
    };
    let mean = mean_of(1);
    let square = mean_of(2);
    let variance = square
        .iter()
        .zip(&mean)
        .map(|(square, mean)| (square - mean * mean).max(0.0))
        .collect();
    (mean, variance)
}

/// The scale of a layer's activations. A layer that never fires needs some scale.
fn activation_scale(layer: &Layer, largest: f64) -> f64 {
    let steps = match layer.activation {
        Activation::Relu => 255.0,
        Activation::Identity => 127.0,
    };
    if largest > 0.0 {
        largest / steps
    } else {
        1.0
    }
}

/// The model with the given scales of the hidden layers' activations.
fn build(
    lowered: &Lowered,
    input: &Input,
    measured: &[Measured],
    scales: &[f64],
    options: &Options,
) -> Result<Model, ImportError> {
    let network = &lowered.network;
    let mut layers = Vec::with_capacity(network.layers.len());
    let mut s_in = f64::from(input.scale);
    let mut zero_point = i64::from(input.zero_point);
    let mut output_scale = 0.0;
    for (index, (layer, measured)) in network.layers.iter().zip(measured).enumerate() {
        // An input that is constant in the calibration samples still varies by its rounding.
        let rounding = s_in * s_in / 12.0;
        let variance: Vec<f64> = measured
            .variance
            .iter()
            .map(|variance| variance.max(rounding))
            .collect();
        let (weight_scales, requant) = match scales.get(index) {
            Some(&s_out) => {
                let step = s_out / (s_in * f64::from(1_u32 << Model::SHIFT));
                let multipliers: Vec<u32> = (0..layer.outputs)
                    .map(|j| multiplier(layer, j, step, &variance))
                    .collect();
                let weight_scales = multipliers.iter().map(|&m| f64::from(m) * step).collect();
                (
                    weight_scales,
                    Some(Requant {
                        multipliers,
                        activation: layer.activation,
                    }),
                )
            }
            None => {
                let scale = last_scale(layer, &variance);
                output_scale = s_in * scale;
                (vec![scale; layer.outputs], None)
            }
        };
        let dense = dense(
            layer,
            &weight_scales,
            s_in,
            zero_point,
            &measured.mean,
            requant,
        );
        layers.push(dense.ok_or_else(|| {
            let problem = format!("layer {index}: a bias is too large beside its weights to be quantised; rescale the model");
            ImportError::Graph(problem)
        })?);
        s_in = scales.get(index).copied().unwrap_or(s_in);
        zero_point = 0;
    }
    let shape = lowered
        .output_shape
        .iter()
        .map(|&axis| axis as u32)
        .collect();
    let output = Output {
        shape,
        scale: output_scale as f32,
        head: lowered.head.clone(),
    };
    Ok(Model {
        name: options.name.clone(),
        preset: options.preset,
        input: input.clone(),
        layers,
        output,
    })
}

/// The multiplier of output `j`: its weight scale is that many times `step`.
fn multiplier(layer: &Layer, j: usize, step: f64, variance: &[f64]) -> u32 {
    let cover = layer
        .column(j)
        .fold(0.0_f64, |max, weight| max.max(weight.abs()))
        / WEIGHT_MAX
        / step;
    // The cast saturates; `validate` refuses what is then too large.
    let mut multipliers: Vec<u32> = narrower(cover)
        .map(|multiplier| multiplier.ceil().max(1.0) as u32)
        .collect();
    multipliers.dedup();
    let error = |m: u32| output_error(layer, j, f64::from(m) * step, variance);
    least(multipliers.into_iter(), error).unwrap_or(1)
}

/// The one weight scale of the last layer. Without any weight but 0 it serves the biases.
fn last_scale(layer: &Layer, variance: &[f64]) -> f64 {
    let largest = |values: &[f32]| {
        values
            .iter()
            .fold(0.0_f64, |max, &value| max.max(value.abs().into()))
    };
    let (weight, bias) = (largest(&layer.weights), largest(&layer.bias));
    let cover = match (weight > 0.0, bias > 0.0) {
        (true, _) => weight / WEIGHT_MAX,
        (false, true) => return bias / WEIGHT_MAX,
        (false, false) => return 1.0,
    };
    let error = |scale: f64| {
        (0..layer.outputs)
            .map(|j| output_error(layer, j, scale, variance))
            .sum()
    };
    least(narrower(cover), error).unwrap_or(cover)
}

/// The candidates for a scale, from the one that covers everything downwards.
fn narrower(cover: f64) -> impl Iterator<Item = f64> {
    (0..CANDIDATES).map(move |power| cover * NARROWER.powi(power))
}

/// The first candidate with the least error.
fn least<T: Copy>(candidates: impl Iterator<Item = T>, error: impl Fn(T) -> f64) -> Option<T> {
    candidates
        .map(|candidate| (candidate, error(candidate)))
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|best| best.0)
}

/// The variance that quantising the weights with `scale` adds to output `j`, for independent inputs.
fn output_error(layer: &Layer, j: usize, scale: f64, variance: &[f64]) -> f64 {
    let error = |weight: f64| weight - scale * f64::from(weight_steps(weight, scale));
    layer
        .column(j)
        .zip(variance)
        .map(|(weight, variance)| variance * error(weight).powi(2))
        .sum()
}

/// A weight in steps of `scale`, clipped.
fn weight_steps(weight: f64, scale: f64) -> i8 {
    (weight / scale).round().clamp(-WEIGHT_MAX, WEIGHT_MAX) as i8
}

/// The integer layer, or `None` if a bias leaves 32 bits. The bias also makes up for what the rounded weights change in
/// the mean.
fn dense(
    layer: &Layer,
    weight_scales: &[f64],
    s_in: f64,
    zero_point: i64,
    mean: &[f64],
    requant: Option<Requant>,
) -> Option<Dense> {
    let mut steps = vec![0_i64; layer.outputs];
    let mut bias: Vec<f64> = layer.bias.iter().map(|&bias| bias.into()).collect();
    let mut weights = Vec::with_capacity(layer.weights.len());
    for (row, mean) in layer.weights.chunks_exact(layer.outputs).zip(mean) {
        for (j, (&weight, &scale)) in row.iter().zip(weight_scales).enumerate() {
            let weight = f64::from(weight);
            let quantised = weight_steps(weight, scale);
            weights.push(quantised);
            *steps.get_mut(j)? += i64::from(quantised);
            *bias.get_mut(j)? += mean * (weight - scale * f64::from(quantised));
        }
    }
    let bias = bias
        .iter()
        .zip(weight_scales)
        .zip(&steps)
        .map(|((bias, scale), steps)| {
            let bias = (bias / (s_in * scale)).round() as i64;
            i32::try_from(bias.saturating_sub(zero_point * steps)).ok()
        });
    let bias = bias.collect::<Option<_>>()?;
    Some(Dense {
        inputs: layer.inputs as u32,
        outputs: layer.outputs as u32,
        weights,
        bias,
        requant,
    })
}

/// The integer model's outputs as real values, before its head.
pub(crate) fn logits(model: &Model, samples: &[f32]) -> Result<Vec<f32>, ImportError> {
    let values = Model {
        output: Output {
            head: Head::Values,
            ..model.output.clone()
        },
        ..model.clone()
    };
    match values.dequantise(&model.run(&model.quantise(samples)?)?) {
        ciro_zkml_model::Values::Float(values) => Ok(values),
        ciro_zkml_model::Values::Class(_) => Ok(vec![]),
    }
}
