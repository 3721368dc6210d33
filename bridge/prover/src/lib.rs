//! From what a node of Ciro says to what contracts on other chains take. Nothing here talks to anyone: bytes come in, and
//! what is made of them has been looked at as the contracts will look at it.
//!
//! * [`FinalityProof`] reads a justification of `beefy_subscribeJustifications`; [`update`] makes a client's update of it.
//! * [`leaf_proof`] reads what `mmr_generateProof` returns for one leaf.
//! * [`message_proof`] and [`result_proof`] prove one of a block's messages and results.
//! * [`fork_votes`] names who signed a root that is not the chain's.

#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod authority;
mod error;
mod finality;
mod fork;
mod leaves;
mod update;

pub use authority::{address, AuthorityId};
pub use error::Error;
pub use finality::{BeefySignature, FinalityProof};
pub use fork::{fork_votes, ForkVote};
pub use leaves::{leaf_proof, message_proof, result_proof};
pub use update::update;
