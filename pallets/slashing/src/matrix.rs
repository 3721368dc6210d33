//! The slashing matrix, as pure functions.
//!
//! | offence | share of the stake | points of reputation, of 100 | suspension |
//! |---|---|---|---|
//! | double signing | 30 % | −50 | 90 days |
//! | downtime of 6 hours or more | 5 % | −10 | 30 days |
//! | invalid compute | 50 % | −75 | 180 days |
//! | coordinated attack | 100 % | all | for good |
//!
//! Whoever offends again within a year pays more: the second offence costs twice, the third and every later one three
//! times its row, and never more than everything; the suspension grows alike.
//!
//! The seed of this design also multiplied a share `s` by `1 + s²/(1 − s)`, to punish offences that come together. That
//! factor has no bound as `s` nears 1, exceeds the stake well before, and depends on one offender's share alone, so that
//! it says nothing about coming together. Here correlation is what it should be, a matter of how many validators offend
//! at the same time: from f + 1 of them on, each case falls into the last row (see [`crate::coordination`]).

use crate::OffenceKind;
use pallet_reputation::ReputationReason;
use sp_runtime::Perbill;

/// What an offence costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sentence {
    /// The share of the stake that is taken.
    pub fraction: Perbill,
    /// Days of suspension, counted from the opening of the case; `None` for good.
    pub days: Option<u32>,
}

/// The most that a sentence is multiplied by.
pub const MAX_REPEAT: u32 = 3;
/// Days for which an offence makes the next one dearer.
pub const REPEAT_DAYS: u32 = 365;
/// The longest suspension that ends, in days: invalid compute, for the third time.
pub const LONGEST_SUSPENSION: u32 = 180 * MAX_REPEAT;
/// The shortest suspension, in days.
pub const SHORTEST_SUSPENSION: u32 = 30;

/// What the `nth` offence within a year costs, counted from 1, if it is of this kind.
pub fn sentence(kind: OffenceKind, nth: u32) -> Sentence {
    let (percent, days) = match kind {
        OffenceKind::DoubleSigning => (30, Some(90)),
        OffenceKind::Downtime => (5, Some(30)),
        OffenceKind::InvalidCompute => (50, Some(180)),
        OffenceKind::CoordinatedAttack => (100, None),
    };
    let times = nth.clamp(1, MAX_REPEAT);
    Sentence {
        // `from_percent` stops at the whole.
        fraction: Perbill::from_percent(times.saturating_mul(percent)),
        days: days.map(|days: u32| days.saturating_mul(times)),
    }
}

/// What the offence is called in the books of reputation, which know its points.
pub fn reason(kind: OffenceKind) -> ReputationReason {
    match kind {
        OffenceKind::DoubleSigning => ReputationReason::DoubleSigning,
        OffenceKind::Downtime => ReputationReason::Downtime,
        OffenceKind::InvalidCompute => ReputationReason::InvalidCompute,
        OffenceKind::CoordinatedAttack => ReputationReason::CoordinatedAttack,
    }
}
