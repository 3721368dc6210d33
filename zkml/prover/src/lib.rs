//! The prover of quantised inference, on stwo's SIMD backend.
//!
//! A [`Prover`] is made once for a model: it lays the model out as preprocessed columns and commits to them. Each proof
//! then costs the witness alone.
//!
//! ```no_run
//! # fn example(model: ciro_zkml_model::Model, input: Vec<i8>) -> Result<(), ciro_zkml_prover::ProverError> {
//! let prover = ciro_zkml_prover::Prover::new(&model)?;
//! let receipt = prover.prove(b"", &input)?;
//! assert!(receipt.verify(prover.key()).is_ok());
//! # Ok(())
//! # }
//! ```

mod interaction;
mod layout;
mod memory;
mod opening;
mod prover;
#[cfg(test)]
mod soundness;
#[cfg(test)]
mod testing;
mod witness;

pub use layout::max_batch;
pub use prover::{ProofStats, Prover, ProverError};
