//! Offences and what they cost.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// What an operator did.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum OffenceKind {
    /// Signed two conflicting statements of one protocol.
    #[codec(index = 0)]
    DoubleSigning,
    /// Sent no heartbeat for six hours.
    #[codec(index = 1)]
    Downtime,
    /// Brought a result that was proven wrong.
    #[codec(index = 2)]
    InvalidCompute,
    /// Signed conflicting statements when so many others did that together they could have broken finality.
    #[codec(index = 3)]
    CoordinatedAttack,
}

/// Whether an operator may work.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum Standing<BlockNumber> {
    /// Nothing is held against it.
    #[codec(index = 0)]
    Good,
    /// It may not work up to and including this block.
    #[codec(index = 1)]
    Suspended {
        /// The last block of the suspension.
        until: BlockNumber,
    },
    /// It may work again, but counts for half up to and including this block.
    #[codec(index = 2)]
    Probation {
        /// The last block of the probation.
        until: BlockNumber,
    },
    /// It may never work again.
    #[codec(index = 3)]
    Banned,
}

/// What other pallets may know of, and must tell about, offences that they have checked themselves.
pub trait OffenceDesk<AccountId, BlockNumber> {
    /// Opens a case against `offender` for what it did in block `at`. The caller vouches that the runtime has checked the
    /// evidence.
    fn open_case(offender: &AccountId, kind: OffenceKind, at: BlockNumber);

    /// Whether the operator may work.
    fn standing(who: &AccountId) -> Standing<BlockNumber>;
}
