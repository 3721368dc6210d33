//! Scores, and what moves them.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{pallet_prelude::ConstU32, BoundedVec};
use scale_info::TypeInfo;

/// A score: 0 to [`MAX_SCORE`].
pub type Score = u16;

/// The best score. Formulas that want a number from 0.0 to 1.0 divide by it.
pub const MAX_SCORE: Score = 1_000;
/// The score of an account of which nothing is known.
pub const INITIAL_SCORE: Score = 500;
/// A point of the slashing matrix, which counts from 0 to 100, on the scale of scores.
pub const MATRIX_POINT: Score = 10;

/// Why a score changed.
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
pub enum ReputationReason {
    /// A job's result was accepted.
    #[codec(index = 0)]
    JobCompleted,
    /// A claimed job was not answered in time.
    #[codec(index = 1)]
    JobTimedOut,
    /// A dispute was lost.
    #[codec(index = 2)]
    DisputeLost,
    /// A requester rated a result: 1 to 5 stars.
    #[codec(index = 3)]
    Rated(u8),
    /// Two conflicting statements were signed.
    #[codec(index = 4)]
    DoubleSigning,
    /// Heartbeats were missing for too long.
    #[codec(index = 5)]
    Downtime,
    /// A result was proven wrong.
    #[codec(index = 6)]
    InvalidCompute,
    /// The offence was committed together with others.
    #[codec(index = 7)]
    CoordinatedAttack,
}

/// Longest history that is kept of an account.
pub const MAX_HISTORY: u32 = 32;

/// A score as it was stored.
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
pub struct Reputation<BlockNumber> {
    /// The score right after the last event.
    pub score: Score,
    /// The block of the last event, from which decay counts.
    pub updated: BlockNumber,
}

/// One event of an account's history.
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
pub struct HistoryEntry<BlockNumber> {
    /// What happened.
    pub reason: ReputationReason,
    /// The block in which it was noted.
    pub at: BlockNumber,
    /// The score right after it.
    pub score: Score,
}

/// The last [`MAX_HISTORY`] events of an account, the latest last.
pub type History<BlockNumber> = BoundedVec<HistoryEntry<BlockNumber>, ConstU32<MAX_HISTORY>>;

/// What other pallets may know of reputations, and must tell about those who have one.
pub trait ReputationLedger<AccountId> {
    /// The score now.
    fn score(who: &AccountId) -> Score;

    /// Changes the score as `reason` demands, and keeps the reason.
    fn note(who: &AccountId, reason: ReputationReason);
}
