//! Imports trained models: ONNX in, quantised [`Model`] out.
//!
//! The importer follows the graph from its first output back to its input, reads the dense layers and activations on
//! that path, and quantises them to 8 bits for the ranges that a set of calibration samples shows. It reads what
//! scikit-learn (through skl2onnx) and PyTorch (`torch.onnx.export`) write for multi-layer perceptrons; everything else
//! is refused with the operator's and node's name. No input makes it panic.
//!
//! What the model then says: the class label if the graph's first output is one (ArgMax), otherwise the values. A
//! Softmax, LogSoftmax or Sigmoid at the end is left out, since the values before it rank the same.

mod error;
mod graph;
mod lower;
mod network;
pub mod onnx;
mod quantise;
mod tensor;

use std::fmt;

use ciro_zkml_model::{Bounds, Head, Model};
use prost::Message;

pub use error::{ImportError, SUPPORTED};

/// Largest ONNX file accepted, in bytes: the limit of protobuf is 2 GiB, that of the model's size is met before.
pub const MAX_ONNX_BYTES: usize = 1 << 30;
/// Oldest version of the standard operator set that is read; before it, operators broadcast by other rules.
const MIN_OPSET: i64 = 7;

/// What the file does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Name of the model, at most [`ciro_zkml_model::MAX_NAME_BYTES`] bytes.
    pub name: String,
    /// Proof preset, see [`Model::preset`].
    pub preset: u8,
}

/// How well the quantised model matches the float one, measured on the calibration samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The proven ranges of the model's intermediate values.
    pub bounds: Bounds,
    /// Number of calibration samples.
    pub samples: usize,
    /// Largest magnitude of the float model's outputs.
    pub output_range: f32,
    /// Mean difference between integer and float outputs.
    pub mean_error: f32,
    /// Largest difference between integer and float outputs.
    pub max_error: f32,
    /// Share of samples whose largest output is the same, 0 to 1.
    pub agreement: f32,
    /// What the importer changed or left out.
    pub notes: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report {
            samples,
            output_range,
            mean_error,
            max_error,
            ..
        } = self;
        writeln!(
            f,
            "calibration: {samples} samples, outputs up to {output_range:.4}"
        )?;
        writeln!(f, "error: mean {mean_error:.4}, largest {max_error:.4}")?;
        writeln!(f, "same largest output: {:.2} %", self.agreement * 100.0)?;
        for (layer, bound) in self.bounds.accumulators.iter().enumerate() {
            writeln!(f, "layer {layer}: accumulators within {bound}")?;
        }
        self.notes
            .iter()
            .try_for_each(|note| writeln!(f, "note: {note}"))
    }
}

/// Imports an ONNX file.
///
/// `calibration` is a row-major batch of typical inputs, preferably from the training set; a few hundred samples are
/// enough. Values outside the range it shows saturate.
pub fn import_onnx(
    bytes: &[u8],
    calibration: &[f32],
    options: &Options,
) -> Result<(Model, Report), ImportError> {
    if bytes.len() > MAX_ONNX_BYTES {
        let (found, limit) = (bytes.len() as u64, MAX_ONNX_BYTES as u64);
        return Err(ImportError::TooLarge {
            what: "the size of the ONNX file",
            found,
            limit,
        });
    }
    let file = onnx::ModelProto::decode(bytes)
        .map_err(|error| ImportError::Malformed(error.to_string()))?;
    let proto = file
        .graph
        .as_ref()
        .ok_or_else(|| ImportError::Malformed("it holds no graph".into()))?;
    let opset = file
        .opset_import
        .iter()
        .find(|set| set.domain.is_empty())
        .map_or(0, |set| set.version);
    if opset < MIN_OPSET {
        let problem =
            format!("operator set {opset} is too old; export with version {MIN_OPSET} or later");
        return Err(ImportError::Graph(problem));
    }

    let graph = graph::Graph::new(proto);
    let path = graph.path()?;
    let mut lowering = lower::Lowering::new(&graph, opset, path.input)?;
    let shape = lowering.shape().to_vec();
    check_calibration(&shape, calibration)?;
    for node in &path.nodes {
        lowering.apply(node)?;
    }
    let lowered = lowering.finish()?;
    let (model, coarser) = quantise::quantise(&lowered, &shape, calibration, options)?;

    let mut notes = lowered.notes.clone();
    notes.extend(
        path.left_out
            .iter()
            .map(|name| format!("output '{name}' is left out: a model has one output")),
    );
    notes.extend(coarser);
    let report = report(&model, &lowered, calibration, notes)?;
    Ok((model, report))
}

/// Checks that the calibration data is a whole number of finite samples.
fn check_calibration(shape: &[usize], calibration: &[f32]) -> Result<(), ImportError> {
    let sample: usize = shape.iter().product();
    let found = calibration.len();
    if found == 0 || !found.is_multiple_of(sample) {
        return Err(ImportError::Calibration(format!(
            "it has {found} values, but one sample of shape {shape:?} has {sample}; give one or more whole samples"
        )));
    }
    match calibration.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(ImportError::Calibration(format!(
            "value {index} is infinite or not a number; remove it"
        ))),
        None => Ok(()),
    }
}

/// Compares the two models on the calibration samples.
fn report(
    model: &Model,
    lowered: &lower::Lowered,
    calibration: &[f32],
    notes: Vec<String>,
) -> Result<Report, ImportError> {
    let mut float = lowered.network.run(calibration).pop().unwrap_or_default();
    let mut integer = quantise::logits(model, calibration)?;
    if model.output.head == Head::Relu {
        [&mut float, &mut integer]
            .into_iter()
            .flatten()
            .for_each(|value| *value = value.max(0.0));
    }
    let errors = || float.iter().zip(&integer).map(|(a, b)| (a - b).abs());
    let width = model.outputs().max(1);
    let same = float
        .chunks(width)
        .zip(integer.chunks(width))
        .filter(|(a, b)| largest(a) == largest(b))
        .count();
    let samples = float.len() / width;
    Ok(Report {
        bounds: model.validate()?,
        samples,
        output_range: float.iter().fold(0.0, |max, value| value.abs().max(max)),
        mean_error: errors().sum::<f32>() / float.len() as f32,
        max_error: errors().fold(0.0, f32::max),
        agreement: same as f32 / samples as f32,
        notes,
    })
}

/// Position of the first largest value.
fn largest(row: &[f32]) -> usize {
    row.iter()
        .enumerate()
        .fold(0, |best, (index, value)| match row.get(best) {
            Some(top) if value > top => index,
            _ => best,
        })
}
