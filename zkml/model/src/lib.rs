//! Ciro's quantised model: the one definition of what a model computes.
//!
//! A [`Model`] is a chain of dense layers over integers. Importers produce it, the prover proves it, and everything
//! that runs a model compares with [`Model::run`] bit for bit. Nothing here depends on floating point except the two
//! ends, [`Model::quantise`] and [`Model::dequantise`], which stay outside the proof.
//!
//! For an input row `x`, every layer computes
//!
//! ```text
//! acc_j = bias_j + sum_i w_ij x_i
//! q_j   = floor((acc_j * m_j + 2^(S-1)) / 2^S)        S = Model::SHIFT      (not in the last layer)
//! x'_j  = activation(q_j)
//! ```
//!
//! and the accumulators of the last layer are the public output. [`Model::validate`] proves, for every possible input,
//! that no accumulator leaves the range in which a proof over the field 2^31 - 1 means the same as integer arithmetic.

mod bounds;
mod error;
mod file;
mod graph;
mod interpreter;

pub use bounds::{Bounds, ACCUMULATOR_LIMIT, QUANTISED_LIMIT};
pub use error::{ModelError, Quantity};
pub use file::{FORMAT_VERSION, MAX_FILE_BYTES};
pub use graph::{
    Activation, Dense, Head, Input, Model, Output, Requant, MAX_NAME_BYTES, MAX_PARAMETERS,
    MAX_RANK,
};
pub use interpreter::{LayerTrace, Values};
