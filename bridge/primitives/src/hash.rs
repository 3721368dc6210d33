//! The bridge's hash, and what can be wrong with a proof that is made of it.

use core::fmt;
pub use sp_crypto_hashing::keccak_256 as keccak;

/// A Keccak-256 hash.
pub type Hash = [u8; 32];

/// The hash of a tree's inner node.
pub(crate) fn node(left: &Hash, right: &Hash) -> Hash {
    keccak([*left, *right].as_flattened())
}

/// Why a proof does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofError {
    /// The index is not below the number of leaves.
    IndexOutOfRange,
    /// The index and the number of leaves ask for another number of items.
    WrongLength,
    /// The proof leads to another root.
    WrongRoot,
}

impl fmt::Display for ProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::IndexOutOfRange => "the index is not below the number of leaves",
            Self::WrongLength => {
                "the index and the number of leaves ask for another number of items"
            }
            Self::WrongRoot => "the proof leads to another root",
        })
    }
}

impl core::error::Error for ProofError {}
