//! What the benchmarks share.

pub mod models;
