//! What clients must refuse.

use crate::{client::steps, encodings::To, Client, MessageOf, ProvenLeaf, ResultOf, Step, Update};
use ciro_bridge_testing::{self as testing, cases, Case, Scene};
use serde::{Deserialize, Serialize};

/// What is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "call", content = "arguments", rename_all = "camelCase")]
pub enum Call {
    /// The client is deployed.
    Deploy {},
    /// A commitment is submitted.
    Submit {
        /// The time.
        now: u64,
        /// The commitment.
        update: Update,
    },
    /// A leaf is proven.
    ProveLeaf {
        /// The leaf.
        proof: ProvenLeaf,
    },
    /// A result is proven.
    ProveResult {
        /// The leaf.
        proof: ProvenLeaf,
        /// The result.
        result: ResultOf,
    },
    /// Messages are delivered.
    Deliver {
        /// Messages of the same leaf that were delivered before.
        earlier: Vec<MessageOf>,
        /// The kinds that the contract takes.
        kinds: Vec<u64>,
        /// The messages.
        messages: Vec<MessageOf>,
        /// The leaf.
        proof: ProvenLeaf,
        /// The contract.
        to: To,
    },
}

impl From<&testing::Call> for Call {
    fn from(call: &testing::Call) -> Self {
        match call {
            testing::Call::Deploy => Self::Deploy {},
            testing::Call::Submit { now, update } => Self::Submit {
                now: *now,
                update: update.into(),
            },
            testing::Call::ProveLeaf { block, leaf } => Self::ProveLeaf {
                proof: ProvenLeaf::new(*block, leaf),
            },
            testing::Call::ProveResult {
                block,
                leaf,
                result,
            } => Self::ProveResult {
                proof: ProvenLeaf::new(*block, leaf),
                result: result.into(),
            },
            testing::Call::Deliver {
                to,
                kinds,
                block,
                leaf,
                earlier,
                messages,
            } => Self::Deliver {
                earlier: earlier.iter().map(Into::into).collect(),
                kinds: kinds.clone(),
                messages: messages.iter().map(Into::into).collect(),
                proof: ProvenLeaf::new(*block, leaf),
                to: to.into(),
            },
        }
    }
}

/// A call that is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NegativeCase {
    /// The updates that the client took before.
    pub before: Vec<Step>,
    /// The call.
    #[serde(flatten)]
    pub call: Call,
    /// The client.
    pub client: Client,
    /// The error.
    pub error: String,
    /// Whether the client is halted after the updates.
    pub halted: bool,
    /// What is refused.
    pub name: String,
    /// Number in the list of what bridges got wrong.
    pub number: u8,
}

/// `negative.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Negative {
    /// All cases.
    pub cases: Vec<NegativeCase>,
}

impl Negative {
    /// Those of a scene, by number.
    pub fn new(scene: &Scene) -> Self {
        let written = |case: &Case| NegativeCase {
            before: steps(&case.before),
            call: (&case.call).into(),
            client: Client::new(scene.chain.genesis, &case.genesis, case.expiry),
            error: case.error.into(),
            halted: case.halted,
            name: case.name.into(),
            number: case.number,
        };
        let mut cases = cases(scene);
        cases.sort_by_key(|case| case.number);
        Self {
            cases: cases.iter().map(written).collect(),
        }
    }
}
