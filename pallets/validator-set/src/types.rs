//! What the views answer with, and what the runtime tells of machines.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
pub use pallet_cdc_pool::Balance;
use pallet_reputation::Score;
use scale_info::TypeInfo;
use sp_runtime::Perbill;

/// An operator that may become a validator.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Candidate<AccountId> {
    /// The operator.
    pub who: AccountId,
    /// Its own stake and what others have staked for it, in plancks.
    pub stake: Balance,
    /// Its reputation.
    pub score: Score,
    /// The share of its heartbeats that came.
    pub uptime: Perbill,
    /// Whether it counts for half.
    pub on_probation: bool,
    /// What it is ranked by, in plancks: see [`crate::formulas::rank`].
    pub rank: Balance,
}

/// What a worker's machine can do.
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
pub struct Capacity {
    /// Arithmetic throughput as the operator rates it, in units of 10^9 operations a second.
    pub gflops: u32,
    /// The machine's theoretical peak over that rating, in parts per million.
    pub peak_to_rated: u32,
}

/// How much it would cost to break the chain, and whether it could be afforded.
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
pub struct Scaling {
    /// What the validators would lose by double signing, each for itself, in plancks.
    pub at_stake: Balance,
    /// Whether there are enough validators to bear so many that cheat: n ≥ 3f + 1.
    pub tolerates: bool,
    /// 1 − e^(−λ S), where S is [`Self::at_stake`] in whole tokens if the number is [tolerated](Self::tolerates), else 0.
    pub normalised: Perbill,
}
