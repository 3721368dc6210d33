//! Ciro's quantised model: the one definition of what a model computes.
//!
//! A [`Model`] is a graph of integer tensors. Importers produce it, the prover proves it, and everything that runs a
//! model compares with [`Model::run`] bit for bit. Nothing here depends on floating point except the two ends,
//! [`Model::quantise`] and [`Model::dequantise`], which stay outside the proof.
//!
//! A linear node (dense layer, convolution, sum of tensors, or all of these together) computes, for output `j` of channel
//! `c`,
//!
//! ```text
//! acc_j = bias_c + sum_i w_ij x_i
//! q_j   = floor((acc_j * m_c + 2^(S-1)) / 2^S)        S = Model::SHIFT      (not in the last node)
//! x'_j  = activation(q_j)
//! ```
//!
//! A product node multiplies the matrices in two tensors instead, one multiplier `m` for all. Other nodes take the
//! largest value of windows or along an axis, move data, hold constants, look up the rows of tokens, or walk decision
//! trees. The accumulators of the last node are the public output. [`Model::validate`] proves, for every possible input,
//! that no accumulator leaves the range in which a proof over the field 2^31 - 1 means the same as integer arithmetic.

mod bounds;
mod error;
mod file;
mod graph;
mod interpreter;
mod outline;
mod shapes;
mod trees;
mod values;

pub use bounds::{Bounds, ACCUMULATOR_LIMIT, QUANTISED_LIMIT, SPAN_LIMIT};
pub use error::{ModelError, Quantity};
pub use file::{FORMAT_VERSION, MAX_FILE_BYTES};
pub use graph::{
    Activation, Conv, Curve, Embedding, Encoding, Head, Input, Linear, Map, Missing, Model, Node,
    Op, Output, Product, Ranks, Requant, Window, MAX_ELEMENTS, MAX_NAME_BYTES, MAX_NODES,
    MAX_PARAMETERS, MAX_RANK, MAX_VALUES,
};
pub use interpreter::Trace;
pub use trees::{Tree, TreeNode, Trees, MAX_DEPTH};
pub use values::Values;
