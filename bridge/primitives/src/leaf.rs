//! Leaves of the MMR: what a block says of its parent.

use crate::{hash::keccak, Hash};
use alloc::vec::Vec;
use codec::{Decode, DecodeAll, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// The only version of a leaf.
pub const LEAF_VERSION: u8 = 0;

/// A set of BEEFY validators.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct ValidatorSet {
    /// Its number: sets follow each other without gaps.
    pub id: u64,
    /// How many validators it has.
    pub length: u32,
    /// Root of the [binary Merkle tree](crate::merkle) over their Ethereum addresses, in the order of the set.
    pub root: Hash,
}

/// What the bridge adds to a leaf: 72 bytes.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct BridgeLeaf {
    /// The parent's time, in Unix seconds.
    pub timestamp: u64,
    /// Root of the tree over the messages that the parent queued; zero if there are none.
    pub messages_root: Hash,
    /// Root of the tree over the results that the parent verified; zero if there are none.
    pub results_root: Hash,
}

/// A leaf of the MMR. The leaf about block `p` has index `p`, and is appended by block `p + 1`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leaf {
    /// Number of the block that the leaf is about.
    pub parent_number: u32,
    /// Hash of that block.
    pub parent_hash: Hash,
    /// The validators that follow those of the session in which the leaf was appended.
    pub next_set: ValidatorSet,
    /// What the bridge adds.
    pub extra: BridgeLeaf,
}

impl Leaf {
    /// Length in bytes of the encoding.
    pub const LEN: usize = 153;

    /// The bytes that are hashed: the version, and the fields in SCALE.
    pub fn encode(&self) -> Vec<u8> {
        (
            LEAF_VERSION,
            self.parent_number,
            self.parent_hash,
            self.next_set,
            self.extra,
        )
            .encode()
    }

    /// Reads back what [`Self::encode`] wrote; an error if the version or the length is another.
    pub fn decode(bytes: &[u8]) -> Result<Self, codec::Error> {
        let (version, parent_number, parent_hash, next_set, extra) =
            <(u8, u32, Hash, ValidatorSet, BridgeLeaf)>::decode_all(&mut &*bytes)?;
        if version != LEAF_VERSION {
            return Err("a leaf of another version".into());
        }
        Ok(Self {
            parent_number,
            parent_hash,
            next_set,
            extra,
        })
    }

    /// The leaf's hash in the MMR.
    pub fn hash(&self) -> Hash {
        keccak(&self.encode())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf() -> Leaf {
        Leaf {
            parent_number: 0x0102,
            parent_hash: [3; 32],
            next_set: ValidatorSet {
                id: 4,
                length: 5,
                root: [6; 32],
            },
            extra: BridgeLeaf {
                timestamp: 7,
                messages_root: [8; 32],
                results_root: [9; 32],
            },
        }
    }

    #[test]
    fn a_leaf_is_153_bytes_in_the_order_of_the_protocol() {
        let bytes = [
            &[0][..],
            &[2, 1, 0, 0],
            &[3; 32],
            &[4, 0, 0, 0, 0, 0, 0, 0],
            &[5, 0, 0, 0],
            &[6; 32],
            &[7, 0, 0, 0, 0, 0, 0, 0],
            &[8; 32],
            &[9; 32],
        ]
        .concat();
        assert_eq!(bytes.len(), Leaf::LEN);
        assert_eq!(leaf().encode(), bytes);
        assert_eq!(leaf().hash(), keccak(&bytes));
        assert_eq!(Leaf::decode(&bytes), Ok(leaf()));
        assert_eq!(BridgeLeaf::max_encoded_len(), 72);
    }

    #[test]
    fn a_leaf_of_another_version_or_length_is_refused() {
        let bytes = leaf().encode();
        assert!(Leaf::decode(&bytes[1..]).is_err());
        assert!(Leaf::decode(&[&bytes[..], &[0]].concat()).is_err());
        let mut other = bytes;
        other[0] = 1;
        assert!(Leaf::decode(&other).is_err());
    }
}
