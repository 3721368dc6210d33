//! The constraint system of Ciro's inference proofs.
//!
//! A fixed set of components proves every model; what tells one model from another stands in the preprocessed columns
//! (tree 0), whose Merkle root is part of the [`VerifyingKey`]. A model has those kinds of components that it needs.
//! All values travel in words: one value for each sample of the proof, or for each sample and each of some neighbouring
//! positions of a sequence, to which a model does the same. `zkml/README.md` has the protocol, the soundness argument and its figures.
//!
//! | component | a row is | proves |
//! |---|---|---|
//! | [`relay`](components::relay) | an input that is read more than once | that it is the public one |
//! | [`linear`](components::linear) | a word and up to 128 weights that it meets | the bilinear check `Y = X·W` |
//! | [`product`](components::product) | two words | their share of a product of matrices |
//! | [`requant`](components::requant) | a word of outputs | rescaling, rounding, activation |
//! | [`max`](components::max) | two words | the larger values |
//! | [`embedding`](components::embedding), twice | a token's values; the vocabulary | that they are the token's |
//! | [`tree`](components::tree), three | a step through a decision tree; a node; a feature | the way to the leaf |
//! | [`table`](components::table), twice | a row of a table: remainders, activations | what the lookups looked up |
//! | [`sponge`](components::sponge) | a permutation | that a commitment is to the values of a stream |
//! | [`port`](components::port), twice | a word of the input or output | that its values are the stream's |
//!
//! The last three are in proofs whose statement gives the input or the output by a [`Commitment`].
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
pub mod commitment;
pub mod components;
mod form;
mod key;
mod machine;
pub mod poseidon2;
pub mod public;
pub mod sums;
pub mod transcript;

pub use challenges::{Challenges, Extent, Sizes};
pub use commitment::{commitment, Commitment};
pub use components::{Constraints, Kind};
pub use form::{Committed, Form};
pub use key::{KeyError, Preset, VerifyingKey, MAX_BATCH, MAX_BINDING, MAX_LOG_SIZE, SHIFT};
pub use machine::{ClaimedSums, ColumnLayout, Machine, TreeLayout};
pub use public::Tensor;

/// The address of the constant one, by which a layer's bias is an ordinary row of weights.
pub const CONSTANT_ADDRESS: u32 = 0;

/// The address of the model's first input; the others follow.
pub const INPUT_ADDRESS: u32 = 1;
