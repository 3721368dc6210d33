//! What Ciro's contracts on other chains take and say: calls and events of the [Solidity contracts](evm) as bytes, those of
//! the [Cairo contracts](starknet) as felts.

pub mod evm;
pub mod starknet;

use ciro_bridge_primitives::{LeafProof, MessageProof, ResultProof};

/// Messages of one block, proven to a contract of their lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// A block whose root the client knows.
    pub block: u32,
    /// The leaf about the messages' block, proven in that root.
    pub leaf: LeafProof,
    /// The messages.
    pub messages: Vec<MessageProof>,
}

/// Results of one block, proven to a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenResults {
    /// A block whose root the client knows.
    pub block: u32,
    /// The leaf about the results' block, proven in that root.
    pub leaf: LeafProof,
    /// The results.
    pub results: Vec<ResultProof>,
}
