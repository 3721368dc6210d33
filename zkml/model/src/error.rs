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
    #[error("the model has no nodes; it needs at least one linear map or tree")]
    NoNodes,
    /// A tensor has an axis of size 0.
    #[error("a tensor of the model has an axis of size 0; import the model again")]
    EmptyTensor,
    /// A node reads something that is not there.
    #[error("node {node}: it reads a tensor or an element that does not exist before it; import the model again")]
    Source {
        /// The node, from 0.
        node: usize,
    },
    /// A window does not make an image of the node's shape.
    #[error("node {node}: its window does not fit its image; import the model again")]
    Window {
        /// The node, from 0.
        node: usize,
    },
    /// Groups do not divide the channels.
    #[error("node {node}: its groups do not divide its channels; import the model again")]
    Groups {
        /// The node, from 0.
        node: usize,
    },
    /// An activation's limits or values are out of range, too many, or do not reach 0.
    #[error(
        "node {node}: its activation is out of range or does not reach 0; import the model again"
    )]
    Activation {
        /// The node, from 0.
        node: usize,
    },
    /// A constant or an embedding has the value -2^15.
    #[error("node {node}: a value of its table is -32768; magnitudes stay below that, so import the model again")]
    Table {
        /// The node, from 0.
        node: usize,
    },
    /// The largest of values that are too far apart to be compared in a proof.
    #[error("node {node}: the values that it compares can be {span} apart, and the provable limit is {limit}; give them fewer bits")]
    Span {
        /// The node, from 0.
        node: usize,
        /// The difference of the largest and the smallest value.
        span: u64,
        /// The first difference that is too large.
        limit: u64,
    },
    /// Tokens that are not read by an embedding, or an embedding that reads no tokens.
    #[error(
        "node {node}: embeddings, and only they, read the input's tokens; import the model again"
    )]
    Embedding {
        /// The node, from 0.
        node: usize,
    },
    /// A vocabulary without tokens, or with more than two bytes can tell apart.
    #[error("the vocabulary has {found} tokens; it must have 1 to 65536")]
    Vocabulary {
        /// The number of tokens.
        found: u32,
    },
    /// A tree's nodes are out of order, too deep, name inputs or outputs that do not exist, or read values outside
    /// -128..=127.
    #[error("node {node}: a tree's nodes are out of order or name what they cannot read; import the model again")]
    Trees {
        /// The node, from 0.
        node: usize,
    },
    /// The ranked inputs' thresholds are not ascending or too many, or name columns that do not exist.
    #[error("the input's thresholds are not ascending, or name columns that do not exist; import the model again")]
    Ranks,
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
    /// Two parts of a node, or a node and its neighbour, disagree about a size.
    #[error("node {node}: {what} has {found} elements where the node's shape asks for {expected}; import the model again")]
    Shape {
        /// The node, from 0.
        node: usize,
        /// The part that has the wrong size.
        what: &'static str,
        /// The size that fits.
        expected: u64,
        /// The size found.
        found: u64,
    },
    /// The last node ends in accumulators, and no other does.
    #[error(
        "node {node}: the last node, and only it, must end in accumulators; import the model again"
    )]
    MisplacedEnd {
        /// The node, from 0.
        node: usize,
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
        "node {node}, channel {channel}: the requantisation multiplier is 0; it must be at least 1"
    )]
    ZeroMultiplier {
        /// The node, from 0.
        node: usize,
        /// The channel of that node, from 0.
        channel: usize,
    },
    /// Some input drives an intermediate value out of the provable range.
    #[error(
        "node {node}, channel {channel}: {quantity} can reach {bound}, and the provable limit is {limit}; \
         use fewer inputs to the node, smaller weights, or a coarser output scale"
    )]
    Overflow {
        /// The node, from 0.
        node: usize,
        /// The channel of that node, from 0.
        channel: usize,
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
    /// The input names no token there.
    #[error("input token {index} is not a whole number from 0 and below the vocabulary's size; use the model's own tokeniser")]
    Token {
        /// Position among the tokens of the input, from 0.
        index: usize,
    },
    /// An intermediate value left 32 bits while running a model that was never validated.
    #[error("node {node}: a value left the 32-bit range; validate the model before running it")]
    Unvalidated {
        /// The node, from 0.
        node: usize,
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
