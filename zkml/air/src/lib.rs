//! The constraint system of Ciro's inference proofs.
//!
//! A fixed set of four components proves every model; what tells one model from another stands in the preprocessed
//! columns (tree 0), whose Merkle root is part of the [`VerifyingKey`]. `zkml/README.md` has the protocol, the
//! soundness argument and its figures.
//!
//! | component | a row is | proves |
//! |---|---|---|
//! | [`dense`] | an input of a layer and up to 64 of its weights | the bilinear check `Y = X·W` |
//! | [`requant`] | an output of a hidden layer | rescaling, rounding, activation |
//! | [`lookup`], twice | a row of a table: remainders, activations | what the lookups looked up |
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

pub mod challenges;
pub mod dense;
mod key;
pub mod lookup;
mod machine;
pub mod public;
pub mod requant;
pub mod transcript;

pub use challenges::Challenges;
pub use key::{KeyError, Preset, VerifyingKey, MAX_BATCH, MAX_BINDING, SHIFT};
pub use machine::{component_log_sizes, ClaimedSums, Machine, TreeLayout, N_COMPONENTS};

/// The address of the constant one, by which a layer's bias is an ordinary row of weights.
pub const CONSTANT_ADDRESS: u32 = 0;

/// The address of the model's first input; the others follow.
pub const INPUT_ADDRESS: u32 = 1;
