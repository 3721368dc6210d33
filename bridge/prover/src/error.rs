//! Why nothing can be made of what a node says.

use ciro_bridge_primitives::{ProofError, MAX_VALIDATORS};
use thiserror::Error;

/// Why nothing can be made of what a node says.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Error {
    /// The bytes are not what they should be.
    #[error("{what} cannot be decoded: {error}")]
    Undecodable {
        /// What was to be decoded.
        what: &'static str,
        /// What is wrong with it.
        error: codec::Error,
    },
    /// The commitment has another payload than the MMR's root.
    #[error(
        "the commitment's payload is not the root of the MMR alone: contracts take nothing else"
    )]
    Payload,
    /// Contracts do not follow a set as large as this.
    #[error("the set has {0} validators: contracts follow sets of 1 to {MAX_VALIDATORS}")]
    SetLength(usize),
    /// The justification was made by another set than that of these authorities.
    #[error("{signatures} places for signatures and {authorities} authorities: they are not of the same session")]
    OtherSet {
        /// Places for signatures in the justification.
        signatures: usize,
        /// Authorities given.
        authorities: usize,
    },
    /// An authority's key is no point of the curve.
    #[error("authority {0} has an invalid key")]
    Key(usize),
    /// Too few signatures are valid.
    #[error("{valid} valid signatures, of which contracts ask for {needed}")]
    TooFewSignatures {
        /// How many are valid.
        valid: u32,
        /// How many are needed.
        needed: u32,
    },
    /// The proof is of no leaf or of several.
    #[error("the proof is of {0} leaves, not of one: ask for one block")]
    NotOneLeaf(usize),
    /// The leaf is not at the place that the proof says.
    #[error("the leaf is about block {parent}, and is proven at index {index}")]
    OtherLeaf {
        /// The block that the leaf is about.
        parent: u32,
        /// The index that the proof is for.
        index: u64,
    },
    /// The proof is of another block's MMR than the commitment.
    #[error("the leaf's proof does not hold in the commitment's root ({0}): ask for it at the commitment's block")]
    LeafProof(#[from] ProofError),
    /// The messages or results are not those of the leaf's block.
    #[error("the {0} given are not those of the leaf's block: their root is another")]
    OtherRoot(&'static str),
    /// There is no message or result of that index.
    #[error("index {index} of {count} {what}")]
    NoSuchIndex {
        /// Messages or results.
        what: &'static str,
        /// The index asked for.
        index: u32,
        /// How many there are.
        count: usize,
    },
}
