//! Lanes: where a message goes.

use crate::{hash::keccak, Hash, Word};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;

/// Domain tag of [`lane_id`].
pub const LANE_TAG: &[u8; 11] = b"ciro/lane/1";

/// What a chain runs contracts on. Its number is part of the lane.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum ChainKind {
    /// Ethereum's virtual machine.
    #[codec(index = 0)]
    Evm,
    /// Starknet.
    #[codec(index = 1)]
    Starknet,
}

impl ChainKind {
    /// Whether a contract or an account there can have this word as its address: it must neither be zero nor longer than an
    /// address of the EVM, 20 bytes, or a number of Starknet, below 2^251.
    pub fn is_address(self, word: &Word) -> bool {
        let fits = match self {
            Self::Evm => word.starts_with(&[0; 12]),
            Self::Starknet => word.first().is_some_and(|high| *high < 8),
        };
        fits && *word != [0; 32]
    }
}

/// A contract on another chain.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Destination {
    /// What its chain runs contracts on.
    pub kind: ChainKind,
    /// Its chain: EIP-155's number, or Starknet's short string.
    pub chain_id: Word,
    /// Its address: that of the proxy, where there is one.
    pub contract: Word,
}

/// Name of a lane: it leads from one chain of Ciro to one contract.
#[derive(
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct LaneId(pub Word);

impl LaneId {
    /// No lane: Ciro itself, as the destination of a burn.
    pub const CIRO: Self = Self([0; 32]);
}

impl fmt::Display for LaneId {
    /// `0x` and 64 lowercase hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for LaneId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The lane from the chain with that genesis block to `destination`.
pub fn lane_id(genesis: &Hash, destination: &Destination) -> LaneId {
    LaneId(keccak(&(LANE_TAG, genesis, destination).encode()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::word_of;

    #[test]
    fn a_lane_is_the_hash_of_genesis_kind_chain_and_contract() {
        let destination = Destination {
            kind: ChainKind::Starknet,
            chain_id: word_of(7u8),
            contract: [9; 32],
        };
        let bytes = [&b"ciro/lane/1"[..], &[5; 32], &[1], &word_of(7u8), &[9; 32]].concat();
        let lane = lane_id(&[5; 32], &destination);
        assert_eq!(lane.0, keccak(&bytes));
        assert_ne!(lane, lane_id(&[6; 32], &destination));
        let evm = Destination {
            kind: ChainKind::Evm,
            ..destination
        };
        assert_ne!(lane, lane_id(&[5; 32], &evm));
    }

    #[test]
    fn an_address_is_not_zero_and_fits_its_chain() {
        let mut word = [0; 32];
        for kind in [ChainKind::Evm, ChainKind::Starknet] {
            assert!(!kind.is_address(&word));
            assert!(kind.is_address(&word_of(7u8)));
        }
        word[12] = 255;
        assert!(ChainKind::Evm.is_address(&word));
        word[11] = 1;
        assert!(!ChainKind::Evm.is_address(&word));
        word[0] = 7;
        assert!(ChainKind::Starknet.is_address(&word));
        word[0] = 8;
        assert!(!ChainKind::Starknet.is_address(&word));
    }

    #[test]
    fn a_lane_is_written_in_hexadecimal() {
        let text = alloc::format!("{}", LaneId([0xab; 32]));
        assert_eq!(text, alloc::format!("0x{}", "ab".repeat(32)));
    }
}
