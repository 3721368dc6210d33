//! Scores, and what moves them.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
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

/// What other pallets may know of reputations, and must tell about those who have one.
pub trait ReputationLedger<AccountId> {
    /// The score now.
    fn score(who: &AccountId) -> Score;

    /// Changes the score as `reason` demands, and keeps the reason.
    fn note(who: &AccountId, reason: ReputationReason);
}
