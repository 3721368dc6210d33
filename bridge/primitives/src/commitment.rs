//! What validators sign.

use crate::{hash::keccak, Hash};
use alloc::vec::Vec;
use codec::{Compact, Encode};

/// Name of the only item of a commitment's payload: the root of the MMR.
const MMR_ROOT_ID: &[u8; 2] = b"mh";

/// A commitment of BEEFY validators to a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commitment {
    /// Root of the MMR at that block.
    pub root: Hash,
    /// The block. The MMR has as many leaves.
    pub block: u32,
    /// Number of the validators' set.
    pub set: u64,
}

impl Commitment {
    /// Length in bytes of the encoding.
    pub const LEN: usize = 48;

    /// The SCALE form of a BEEFY commitment whose payload is one item, the root.
    pub fn encode(&self) -> Vec<u8> {
        let payload = (Compact(1u32), MMR_ROOT_ID, Compact(32u32), self.root);
        (payload, self.block, self.set).encode()
    }

    /// The hash that is signed.
    pub fn hash(&self) -> Hash {
        keccak(&self.encode())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commitment_is_48_bytes_with_one_item() {
        let commitment = Commitment {
            root: [1; 32],
            block: 0x0203,
            set: 0x0405,
        };
        let bytes = [
            &[0x04, 0x6d, 0x68, 0x80][..],
            &[1; 32],
            &[3, 2, 0, 0],
            &[5, 4, 0, 0, 0, 0, 0, 0],
        ]
        .concat();
        assert_eq!(bytes.len(), Commitment::LEN);
        assert_eq!(commitment.encode(), bytes);
        assert_eq!(commitment.hash(), keccak(&bytes));
    }
}
