//! Offences and what they cost.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{pallet_prelude::ConstU32, BoundedVec};
pub use pallet_cdc_pool::Balance;
use scale_info::TypeInfo;
use sp_runtime::Perbill;

/// The number of a case. Cases are numbered from 0 in the order in which they are opened.
pub type CaseId = u64;

/// The blake2-256 hash of a public key's bytes.
pub type KeyHash = [u8; 32];

/// Most keys of an account that a ban reaches.
pub const MAX_KEYS: u32 = 8;

/// The keys that an account is known to use.
pub type KeyHashes = BoundedVec<KeyHash, ConstU32<MAX_KEYS>>;

/// Most cases that one call executes.
pub const MAX_BATCH: u32 = 32;

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

impl<BlockNumber> Standing<BlockNumber> {
    /// Whether it may work, on probation or not.
    pub fn may_work(&self) -> bool {
        matches!(self, Self::Good | Self::Probation { .. })
    }
}

/// When a session began, and since when its validators' stake answers for it.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct SessionOrigin<BlockNumber> {
    /// The block in which its validators were elected, by the stake that they had then.
    pub elected: BlockNumber,
    /// Its first block.
    pub started: BlockNumber,
}

/// How far a case has come.
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
pub enum CaseStatus {
    /// Governance may still cancel it.
    #[codec(index = 0)]
    Pending,
    /// The sentence has been executed.
    #[codec(index = 1)]
    Applied {
        /// What was taken of the stake, in plancks.
        taken: Balance,
    },
    /// Governance has cancelled it.
    #[codec(index = 2)]
    Cancelled,
}

/// A case against an operator.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct SlashRecord<AccountId, BlockNumber> {
    /// Its number.
    pub id: CaseId,
    /// Whom it is against.
    pub offender: AccountId,
    /// What the offender did.
    pub kind: OffenceKind,
    /// When.
    pub at: BlockNumber,
    /// The block since which the stake answers for it: what began to be unbonded later is slashed too.
    pub liable_since: BlockNumber,
    /// The block in which the case was opened.
    pub opened: BlockNumber,
    /// The share of the stake that is taken.
    pub fraction: Perbill,
    /// The first block in which it may be executed.
    pub due: BlockNumber,
    /// The last block of the suspension; the largest number for one that does not end.
    pub until: BlockNumber,
    /// Who gets a share of what is taken.
    pub reporter: Option<AccountId>,
    /// Its place in the queue of pending cases.
    pub place: u64,
    /// How far it has come.
    pub status: CaseStatus,
}

/// What other pallets may know of, and must tell about, offences that they have checked themselves.
pub trait OffenceDesk<AccountId, BlockNumber> {
    /// Opens a case against `offender` for what it did in block `at`. The caller vouches that the runtime has checked the
    /// evidence.
    fn open_case(offender: &AccountId, kind: OffenceKind, at: BlockNumber);

    /// Whether the operator may work.
    fn standing(who: &AccountId) -> Standing<BlockNumber>;
}

/// What other pallets may know of the cases that have been executed.
pub trait ExecutedCases<AccountId> {
    /// Whom the case was against and the share of its stake that was taken; `None` unless it has been executed and is
    /// not pruned yet.
    fn executed(case: CaseId) -> Option<(AccountId, Perbill)>;
}

/// What the benchmarks need beyond this pallet.
#[cfg(feature = "runtime-benchmarks")]
pub trait BenchmarkHelper<AccountId> {
    /// Makes `operator` one that can be reported for downtime in the present block.
    fn silence(operator: &AccountId);
}
