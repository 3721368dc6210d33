//! What can be wrong with a model, its inputs or its file.

use std::fmt;

use thiserror::Error;

/// An intermediate value that has to stay in range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// An accumulator.
    Accumulator,
    /// An accumulator times its multiplier, plus one step.
    Rescaled,
    /// A requantised accumulator, before its activation.
    Requantised,
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Quantity::Accumulator => "the accumulator",
            Quantity::Rescaled => "the rescaled accumulator",
            Quantity::Requantised => "the requantised value",
        })
    }
}

/// Why a model, an input or a model file is refused. The text says what to do about it.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum ModelError {
    /// There is nothing to compute.
    #[error("the model has no layers; it needs at least one dense layer")]
    NoLayers,
    /// A size is above the format's limit.
    #[error("{what} is {found}, above the limit of {limit}; use a smaller model")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size.
        found: u64,
        /// The largest size accepted.
        limit: u64,
    },
    /// Two parts of a layer, or a layer and its neighbour, disagree about a size.
    #[error("layer {layer}: {what} has {found} elements where the layer's shape asks for {expected}; import the model again")]
    Shape {
        /// The layer, from 0.
        layer: usize,
        /// The part that has the wrong size.
        what: &'static str,
        /// The size that fits.
        expected: u64,
        /// The size found.
        found: u64,
    },
    /// Every layer but the last is followed by a requantisation, and the last by none.
    #[error("layer {layer}: a requantisation belongs after every layer but the last, and only there; import the model again")]
    MisplacedRequant {
        /// The layer, from 0.
        layer: usize,
    },
    /// A scale is zero, negative, subnormal or not finite.
    #[error("the {what} scale is {scale}; it must be a positive normal number, so check the calibration data")]
    Scale {
        /// `input` or `output`.
        what: &'static str,
        /// The scale found.
        scale: f32,
    },
    /// A multiplier of zero would erase its output.
    #[error(
        "layer {layer}, output {output}: the requantisation multiplier is 0; it must be at least 1"
    )]
    ZeroMultiplier {
        /// The layer, from 0.
        layer: usize,
        /// The output of that layer, from 0.
        output: usize,
    },
    /// Some input drives an intermediate value out of the provable range.
    #[error(
        "layer {layer}, output {output}: {quantity} can reach {bound}, and the provable limit is {limit}; \
         use fewer inputs to the layer, smaller weights, or a coarser output scale"
    )]
    Overflow {
        /// The layer, from 0.
        layer: usize,
        /// The output of that layer, from 0.
        output: usize,
        /// The value that overflows.
        quantity: Quantity,
        /// The largest magnitude it can reach.
        bound: u64,
        /// The first magnitude that is too large.
        limit: u64,
    },
    /// The input is not a whole number of samples.
    #[error("the input has {found} values, which is not a whole number of samples of {sample} values each")]
    InputLength {
        /// Number of values given.
        found: usize,
        /// Number of values of one sample.
        sample: usize,
    },
    /// The input holds a NaN or an infinity.
    #[error("input value {index} is not finite; replace NaN and infinities before quantising")]
    NotFinite {
        /// Position in the input, from 0.
        index: usize,
    },
    /// An intermediate value left 32 bits while running a model that was never validated.
    #[error("layer {layer}: a value left the 32-bit range; validate the model before running it")]
    Unvalidated {
        /// The layer, from 0.
        layer: usize,
    },
    /// The bytes are not a `.ciro` file.
    #[error("not a .ciro model file; import an ONNX file to make one")]
    NotAModelFile,
    /// The file is of another format version.
    #[error("the model file has format version {found}, this build reads version {supported}; import the model again or use the matching release")]
    Version {
        /// The version in the file.
        found: u16,
        /// The version this build reads and writes.
        supported: u16,
    },
    /// The file's bytes were changed or cut.
    #[error("the model file is damaged (its checksum does not match); fetch it again")]
    Checksum,
    /// The checksum matches but the contents are no model.
    #[error("the model file does not decode ({0}); make it again with a released importer")]
    Malformed(String),
}
