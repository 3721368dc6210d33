//! Clients, and the updates that they take.

use crate::{
    bytes::{hexes, plain},
    Hex,
};
use ciro_bridge_primitives as bridge;
use ciro_bridge_testing::Scene;
use serde::{Deserialize, Serialize};

/// A set of validators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Set {
    /// Its number.
    pub id: u64,
    /// How many validators it has.
    pub length: u32,
    /// Root of the tree over their addresses.
    pub root: Hex<32>,
}

impl From<bridge::ValidatorSet> for Set {
    fn from(set: bridge::ValidatorSet) -> Self {
        Self {
            id: set.id,
            length: set.length,
            root: Hex(set.root),
        }
    }
}

impl From<&Set> for bridge::ValidatorSet {
    fn from(set: &Set) -> Self {
        Self {
            id: set.id,
            length: set.length,
            root: set.root.0,
        }
    }
}

/// What a client is deployed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Its first current set.
    pub current: Set,
    /// Seconds for which it believes a set.
    pub expiry: u64,
    /// Hash of Ciro's genesis block.
    pub genesis: Hex<32>,
    /// Its first next set.
    pub next: Set,
    /// When the current set took over.
    pub time: u64,
}

impl Client {
    /// A client of the chain with that genesis block.
    pub fn new(genesis: bridge::Hash, of: &bridge::Genesis, expiry: u64) -> Self {
        Self {
            current: of.current.into(),
            expiry,
            genesis: Hex(genesis),
            next: of.next.into(),
            time: of.time,
        }
    }

    /// What the client starts from.
    pub fn genesis(&self) -> bridge::Genesis {
        bridge::Genesis {
            current: (&self.current).into(),
            next: (&self.next).into(),
            time: self.time,
        }
    }
}

/// A leaf of the MMR.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Leaf {
    /// Root of the parent's messages.
    pub messages_root: Hex<32>,
    /// The set after that of the session.
    pub next_set: Set,
    /// Hash of the block that the leaf is about.
    pub parent_hash: Hex<32>,
    /// Number of that block.
    pub parent_number: u32,
    /// Root of the parent's results.
    pub results_root: Hex<32>,
    /// The parent's time.
    pub timestamp: u64,
}

impl From<&bridge::Leaf> for Leaf {
    fn from(leaf: &bridge::Leaf) -> Self {
        Self {
            messages_root: Hex(leaf.extra.messages_root),
            next_set: leaf.next_set.into(),
            parent_hash: Hex(leaf.parent_hash),
            parent_number: leaf.parent_number,
            results_root: Hex(leaf.extra.results_root),
            timestamp: leaf.extra.timestamp,
        }
    }
}

impl From<&Leaf> for bridge::Leaf {
    fn from(leaf: &Leaf) -> Self {
        Self {
            parent_number: leaf.parent_number,
            parent_hash: leaf.parent_hash.0,
            next_set: (&leaf.next_set).into(),
            extra: bridge::BridgeLeaf {
                timestamp: leaf.timestamp,
                messages_root: leaf.messages_root.0,
                results_root: leaf.results_root.0,
            },
        }
    }
}

/// A leaf and its proof in the MMR of a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvenLeaf {
    /// The block.
    pub block: u32,
    /// The proof.
    pub items: Vec<Hex<32>>,
    /// The leaf.
    pub leaf: Leaf,
}

impl ProvenLeaf {
    /// A proof in the MMR of `block`.
    pub fn new(block: u32, proof: &bridge::LeafProof) -> Self {
        Self {
            block,
            items: hexes(&proof.items),
            leaf: (&proof.leaf).into(),
        }
    }

    /// The proof.
    pub fn proof(&self) -> bridge::LeafProof {
        bridge::LeafProof {
            leaf: (&self.leaf).into(),
            items: plain(&self.items),
        }
    }
}

/// A signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// 1 if the y coordinate of the nonce's point is odd, else 0.
    pub parity: u8,
    /// The x coordinate of the nonce's point.
    pub r: Hex<32>,
    /// The proof of knowledge.
    pub s: Hex<32>,
}

/// A commitment and its signatures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    /// Addresses of the whole set.
    pub addresses: Vec<Hex<20>>,
    /// The commitment's block.
    pub block: u32,
    /// Whether it brings a leaf. If not, the leaf is zero and its proof empty.
    pub handover: bool,
    /// The leaf's proof.
    pub items: Vec<Hex<32>>,
    /// The leaf.
    pub leaf: Leaf,
    /// The commitment's root.
    pub root: Hex<32>,
    /// The commitment's set.
    pub set: u64,
    /// Signatures in the order of the set.
    pub signatures: Vec<Signature>,
    /// A word: bit `i` is set if validator `i` signed.
    pub signers: Hex<32>,
}

impl From<&bridge::Update> for Update {
    fn from(update: &bridge::Update) -> Self {
        let signature = |signature: &bridge::Signature| Signature {
            parity: signature.parity.into(),
            r: Hex(signature.r),
            s: Hex(signature.s),
        };
        let brought = update.handover.clone().unwrap_or_default();
        Self {
            addresses: hexes(&update.addresses),
            block: update.commitment.block,
            handover: update.handover.is_some(),
            items: hexes(&brought.items),
            leaf: (&brought.leaf).into(),
            root: Hex(update.commitment.root),
            set: update.commitment.set,
            signatures: update.signatures.iter().map(signature).collect(),
            signers: Hex(bridge::word_of(update.signers)),
        }
    }
}

impl From<&Update> for bridge::Update {
    fn from(update: &Update) -> Self {
        let signature = |signature: &Signature| bridge::Signature {
            r: signature.r.0,
            s: signature.s.0,
            parity: signature.parity == 1,
        };
        let brought = update.handover.then(|| bridge::LeafProof {
            leaf: (&update.leaf).into(),
            items: plain(&update.items),
        });
        Self {
            commitment: bridge::Commitment {
                root: update.root.0,
                block: update.block,
                set: update.set,
            },
            addresses: plain(&update.addresses),
            signers: bridge::u64_of(&update.signers.0).expect("64 bits"),
            signatures: update.signatures.iter().map(signature).collect(),
            handover: brought,
        }
    }
}

/// An update and its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The time.
    pub now: u64,
    /// The update.
    pub update: Update,
}

/// Updates and their times, written.
pub(crate) fn steps(updates: &[(u64, bridge::Update)]) -> Vec<Step> {
    let step = |(now, update): &(u64, bridge::Update)| Step {
        now: *now,
        update: update.into(),
    };
    updates.iter().map(step).collect()
}

/// A client that follows the chain from hand-over to hand-over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scenario {
    /// The client.
    pub client: Client,
    /// Its current set in the end.
    pub current: Set,
    /// When that took over.
    pub handover_time: u64,
    /// What it is.
    pub name: String,
    /// Its newest block in the end.
    pub newest_block: u32,
    /// Its next set in the end.
    pub next: Set,
    /// The updates.
    pub steps: Vec<Step>,
}

/// `handovers.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handovers {
    /// One for each size of the set.
    pub scenarios: Vec<Scenario>,
}

impl Scenario {
    /// The client of a scene comes to the chain's head, by way of a commitment of its first set.
    pub fn new(scene: &Scene) -> Self {
        let chain = &scene.chain;
        let head = chain.height();
        let (current, first) = (chain.set_of(head), chain.first_block_of(chain.set_of(head)));
        let mut updates = scene.updates_to(scene.busy + 1);
        updates.extend(scene.updates_to(head));
        Self {
            client: Client::new(chain.genesis, &scene.genesis(), scene.expiry),
            current: chain.validators(current).set(current).into(),
            handover_time: chain.leaf(first - 1).extra.timestamp,
            name: format!("{} validators", chain.validators(current).length()),
            newest_block: head,
            next: chain.validators(current + 1).set(current + 1).into(),
            steps: steps(&updates),
        }
    }
}
