//! What crosses Ciro's bridge, byte by byte, as `bridge/PROTOCOL.md` lays it down.
//!
//! Validators sign a [`Commitment`] to the root of the chain's [MMR](mmr). Each of its [leaves](Leaf) is about one block
//! and names the next [validators](ValidatorSet), the block's [messages](Message) and its [results](ResultLeaf) by the
//! roots of [binary Merkle trees](merkle). A [lane](LaneId) says which contract a message is for.

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

mod calls;
mod commitment;
mod hash;
mod lane;
mod leaf;
pub mod merkle;
mod message;
pub mod mmr;
mod remote_job;
mod result;
mod word;

pub use calls::{Genesis, LeafProof, MessageProof, ResultProof, Signature, Update, MAX_VALIDATORS};
pub use commitment::Commitment;
pub use hash::{keccak, Hash, ProofError};
pub use lane::{lane_id, ChainKind, Destination, LaneId, LANE_TAG};
pub use leaf::{BridgeLeaf, Leaf, ValidatorSet, LEAF_VERSION};
pub use message::{kind, Message, MessageError, Payload, MILLION};
pub use remote_job::{RemoteJobBinding, REMOTE_JOB_TAG};
pub use result::{ResultLeaf, RESULT_TAG};
pub use word::{u128_of, u64_of, word_of, Account, Address, Word};
