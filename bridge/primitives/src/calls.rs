//! What contracts take: at their deployment, of a client's next commitment, and of what is proven under it.

use crate::{merkle, Address, Commitment, Hash, Leaf, ResultLeaf, ValidatorSet, Word};
use alloc::vec::Vec;

/// Most validators that a set may have for a client to follow it.
pub const MAX_VALIDATORS: u32 = 64;

/// What a client starts from, and believes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// The validators of some session.
    pub current: ValidatorSet,
    /// Those of the next one.
    pub next: ValidatorSet,
    /// When the current ones took over, in Unix seconds.
    pub time: u64,
}

/// A validator's signature. No byte of it says more than these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The x coordinate of the nonce's point.
    pub r: Word,
    /// At most half of the curve's order.
    pub s: Word,
    /// Whether the y coordinate of the nonce's point is odd.
    pub parity: bool,
}

/// A leaf, and its proof in the MMR of some block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeafProof {
    /// The leaf, whose parent number is its index.
    pub leaf: Leaf,
    /// The items, in the order of [`mmr`](crate::mmr).
    pub items: Vec<Hash>,
}

/// A commitment and its signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// What was signed.
    pub commitment: Commitment,
    /// The addresses of all validators of the commitment's set, in its order.
    pub addresses: Vec<Address>,
    /// Bit `i` is set if validator `i` signed.
    pub signers: u64,
    /// Their signatures, in the order of the set.
    pub signatures: Vec<Signature>,
    /// In a commitment of the set that follows the client's current one: a leaf that names the set after it.
    pub handover: Option<LeafProof>,
}

/// A message, and its path in a block's tree of messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageProof {
    /// The message's words, whatever they say.
    pub words: Vec<Word>,
    /// Their path.
    pub path: merkle::Proof,
}

/// A result, and its path in a block's tree of results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultProof {
    /// The result.
    pub result: ResultLeaf,
    /// Its path.
    pub path: merkle::Proof,
}
