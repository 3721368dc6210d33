//! Every case in which a client must refuse, with the name of the error.
//!
//! A case's number is that of the list of what bridges got wrong, in `contracts/vectors/README.md`; zero where it is a rule
//! of this protocol alone.

mod commitments;
mod handovers;
mod leaves;
mod messages;

use crate::Scene;
use ciro_bridge_primitives::{Destination, Genesis, LeafProof, MessageProof, ResultProof, Update};

/// What is called.
#[derive(Clone)]
pub enum Call {
    /// The client is deployed.
    Deploy,
    /// A commitment is submitted.
    Submit {
        /// The time, in Unix seconds.
        now: u64,
        /// The commitment.
        update: Update,
    },
    /// A leaf is proven.
    ProveLeaf {
        /// The block of whose MMR the proof is.
        block: u32,
        /// The leaf.
        leaf: LeafProof,
    },
    /// A result is proven.
    ProveResult {
        /// The block of whose MMR the leaf's proof is.
        block: u32,
        /// The leaf.
        leaf: LeafProof,
        /// The result.
        result: ResultProof,
    },
    /// Messages are delivered.
    Deliver {
        /// The contract.
        to: Destination,
        /// The kinds that it takes.
        kinds: Vec<u64>,
        /// The block of whose MMR the leaf's proof is.
        block: u32,
        /// The leaf.
        leaf: LeafProof,
        /// Messages of the same leaf that were delivered before.
        earlier: Vec<MessageProof>,
        /// The messages.
        messages: Vec<MessageProof>,
    },
}

/// A case in which a client must refuse.
#[derive(Clone)]
pub struct Case {
    /// Its number in the list; zero if it is not there.
    pub number: u8,
    /// What is refused.
    pub name: &'static str,
    /// What the client is deployed with.
    pub genesis: Genesis,
    /// For how many seconds it believes a set.
    pub expiry: u64,
    /// The updates that it took before, and their times.
    pub before: Vec<(u64, Update)>,
    /// Whether it was halted then.
    pub halted: bool,
    /// What is called then.
    pub call: Call,
    /// The error.
    pub error: &'static str,
}

impl Case {
    /// A case of a call that is the first after the client's deployment in the scene.
    fn new(scene: &Scene, number: u8, name: &'static str, call: Call, error: &'static str) -> Self {
        Self {
            number,
            name,
            genesis: scene.genesis(),
            expiry: scene.expiry,
            before: Vec::new(),
            halted: false,
            call,
            error,
        }
    }

    /// The same after these updates.
    fn after(self, before: Vec<(u64, Update)>) -> Self {
        Self { before, ..self }
    }

    /// The same at a halted client.
    fn halted(self) -> Self {
        Self {
            halted: true,
            ..self
        }
    }
}

/// All cases in that scene, whose sets have 4 to 32 validators.
pub fn cases(scene: &Scene) -> Vec<Case> {
    [
        commitments::cases(scene),
        handovers::cases(scene),
        leaves::cases(scene),
        messages::cases(scene),
    ]
    .concat()
}
