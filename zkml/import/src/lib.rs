//! Imports trained models: ONNX, XGBoost and LightGBM files in, quantised [`Model`] out.
//!
//! Of an ONNX graph the importer takes the nodes that its first output depends on. Networks become linear maps, pools,
//! movements of data, and for transformers products, norms and softmax, with real weights. Weights are quantised to 8 bits,
//! activations to 8 to 12 for the ranges that a set of calibration samples shows. Decision trees need no calibration. What cannot be imported is refused with the operator's and node's name; the
//! table `OPERATORS.md` says what can. No input makes the importer panic.
//!
//! What the model then says: the class label if the graph's first output is one (ArgMax), otherwise the values. A
//! Softmax, LogSoftmax or Sigmoid at the end is left out, since the values before it rank the same.

mod error;
mod fold;
mod function;
mod graph;
mod lower;
mod measure;
mod network;
pub mod onnx;
mod quantise;
mod sequence;
mod split;
mod tensor;
mod trees;

use std::fmt;

use ciro_zkml_model::{Bounds, Head, Model};
use network::Network;
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
    /// Share of samples, or of positions of sequences, whose largest output is the same, 0 to 1.
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
            agreement,
            ..
        } = self;
        if *samples > 0 {
            writeln!(
                f,
                "calibration: {samples} samples, outputs up to {output_range:.4}"
            )?;
            writeln!(f, "error: mean {mean_error:.4}, largest {max_error:.4}")?;
            writeln!(f, "same largest output: {:.2} %", agreement * 100.0)?;
        }
        for (node, bound) in self
            .bounds
            .accumulators
            .iter()
            .enumerate()
            .filter(|(_, bound)| **bound > 0)
        {
            writeln!(f, "node {node}: accumulators within {bound}")?;
        }
        self.notes
            .iter()
            .try_for_each(|note| writeln!(f, "note: {note}"))
    }
}

/// Imports a model file: ONNX, XGBoost's JSON or UBJSON, or LightGBM's text.
///
/// Networks need `calibration`, a row-major batch of typical inputs, preferably from the training set; a few hundred
/// samples are enough. Values outside the range it shows saturate. Decision trees ignore it.
pub fn import(
    bytes: &[u8],
    calibration: &[f32],
    options: &Options,
) -> Result<(Model, Report), ImportError> {
    if let Some(format) = trees::detect(bytes) {
        return trees::import(format, bytes, options);
    }
    let file = read(bytes)?;
    let graph = file
        .graph
        .as_ref()
        .ok_or_else(|| ImportError::Malformed("it holds no graph".into()))?;
    if trees::is_tree_graph(graph) {
        return trees::import_onnx(graph, options);
    }
    let needed = graph::Graph::new(graph).needed()?;
    let lowered = lower::lower(&needed, opset(&file, graph)?)?;
    check_calibration(&lowered.network, calibration)?;
    let (measured, outputs) = measure::measure(&lowered.network, calibration)?;
    let (model, coarser) = quantise::quantise(&lowered, &measured, calibration, options)?;

    let mut notes = lowered.notes;
    let left_out = needed.left_out.iter();
    notes.extend(
        left_out.map(|name| format!("output '{name}' is left out: a model has one output")),
    );
    notes.extend(coarser);
    let report = report(&model, outputs, calibration, notes)?;
    Ok((model, report))
}

/// Whether [`import`] needs calibration samples for this file.
pub fn needs_calibration(bytes: &[u8]) -> bool {
    let is_tree = |file: onnx::ModelProto| file.graph.as_ref().is_some_and(trees::is_tree_graph);
    trees::detect(bytes).is_none() && !read(bytes).is_ok_and(is_tree)
}

/// Reads an ONNX file.
fn read(bytes: &[u8]) -> Result<onnx::ModelProto, ImportError> {
    if bytes.len() > MAX_ONNX_BYTES {
        let (found, limit) = (bytes.len() as u64, MAX_ONNX_BYTES as u64);
        return Err(ImportError::TooLarge {
            what: "the size of the model file",
            found,
            limit,
        });
    }
    onnx::ModelProto::decode(bytes).map_err(|error| ImportError::Malformed(error.to_string()))
}

/// The version of the standard operator set, if the graph uses it.
fn opset(file: &onnx::ModelProto, graph: &onnx::GraphProto) -> Result<i64, ImportError> {
    let standard = |domain: &str| matches!(domain, "" | "ai.onnx");
    let version = file
        .opset_import
        .iter()
        .find(|set| standard(&set.domain))
        .map(|set| set.version);
    match version {
        None if !graph.node.iter().any(|node| standard(&node.domain)) => Ok(MIN_OPSET),
        Some(version) if version >= MIN_OPSET => Ok(version),
        version => Err(ImportError::Graph(format!(
            "operator set {} is too old; export with version {MIN_OPSET} or later",
            version.unwrap_or(0)
        ))),
    }
}

/// Checks that the calibration data is a whole number of finite samples, of tokens where the network reads tokens.
fn check_calibration(network: &Network, calibration: &[f32]) -> Result<(), ImportError> {
    let (shape, sample) = (&network.shape, network.inputs());
    let found = calibration.len();
    if found == 0 {
        return Err(ImportError::Calibration(
            "this model needs calibration samples: give --calibrate".into(),
        ));
    }
    if !found.is_multiple_of(sample) {
        return Err(ImportError::Calibration(format!(
            "it has {found} values, but one sample of shape {shape:?} has {sample}; give one or more whole samples"
        )));
    }
    if let Some(index) = calibration.iter().position(|value| !value.is_finite()) {
        return Err(ImportError::Calibration(format!(
            "value {index} is infinite or not a number; remove it"
        )));
    }
    let Some(vocabulary) = network.vocabulary else {
        return Ok(());
    };
    let is_token = |value: &f32| (0.0..vocabulary as f32).contains(value) && value.fract() == 0.0;
    match calibration.iter().position(|value| !is_token(value)) {
        Some(index) => Err(ImportError::Calibration(format!(
            "value {index} is no token: no whole number below the {vocabulary} of the embedding"
        ))),
        None => Ok(()),
    }
}

/// Compares the integer model with the float outputs on the calibration samples.
fn report(
    model: &Model,
    mut float: Vec<f32>,
    calibration: &[f32],
    notes: Vec<String>,
) -> Result<Report, ImportError> {
    let mut integer = quantise::logits(model, calibration)?;
    if model.output.head == Head::Relu {
        let values = [&mut float, &mut integer].into_iter().flatten();
        values.for_each(|value| *value = value.max(0.0));
    }
    let errors = || float.iter().zip(&integer).map(|(a, b)| (a - b).abs());
    let width = model.answer_width();
    let rows = float.chunks(width).zip(integer.chunks(width));
    let same = rows.filter(|(a, b)| largest(a) == largest(b)).count();
    let samples = float.len() / width;
    Ok(Report {
        bounds: model.validate()?,
        samples,
        output_range: float.iter().fold(0.0, |max, value| value.abs().max(max)),
        mean_error: errors().sum::<f32>() / float.len().max(1) as f32,
        max_error: errors().fold(0.0, f32::max),
        agreement: same as f32 / samples.max(1) as f32,
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
