//! The verifier of Ciro's inference proofs.
//!
//! `no_std`, so that the chain's runtime links it, and total: no bytes make it panic. A proof carries no lengths. What
//! it must hold follows from the [`VerifyingKey`], the batch size and the transcript, so [`codec`] reads exactly that
//! much and refuses anything shorter, longer or not canonical before stwo's code sees it.
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

extern crate alloc;

pub mod codec;
mod receipt;
mod shape;
mod verify;

pub use ciro_zkml_air::{
    commitment, Commitment, Committed, Form, KeyError, Kind, Preset, Tensor, VerifyingKey,
    MAX_BATCH, MAX_BINDING, SHIFT,
};
pub use receipt::{Receipt, ReceiptError};
pub use verify::{verify, Statement, VerifyError};
