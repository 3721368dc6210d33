//! The arithmetic of scores: pure functions.

use crate::{ReputationReason, Score, INITIAL_SCORE, MATRIX_POINT, MAX_SCORE};

/// Periods after which every score has decayed to [`INITIAL_SCORE`].
pub const MAX_DECAY_PERIODS: u32 = 43;

/// The least scores of levels 2 to 5.
const LEVELS: [Score; 4] = [300, 500, 700, 850];

/// What `reason` adds to a score; `None` if it is a rating of other than 1 to 5 stars, which counts as nothing.
fn change(reason: ReputationReason) -> Option<i16> {
    const POINT: i16 = MATRIX_POINT as i16;
    Some(match reason {
        ReputationReason::JobCompleted => 10,
        ReputationReason::JobTimedOut => -50,
        ReputationReason::DisputeLost => -100,
        ReputationReason::Rated(1) => -20,
        ReputationReason::Rated(2) => -10,
        ReputationReason::Rated(3) => 0,
        ReputationReason::Rated(4) => 5,
        ReputationReason::Rated(5) => 10,
        ReputationReason::Rated(_) => return None,
        ReputationReason::Downtime => -10 * POINT,
        ReputationReason::DoubleSigning => -50 * POINT,
        ReputationReason::InvalidCompute => -75 * POINT,
        ReputationReason::CoordinatedAttack => -100 * POINT,
    })
}

/// The score after an event, from 0 to [`MAX_SCORE`]; `None` if the event counts as nothing.
pub fn after(score: Score, reason: ReputationReason) -> Option<Score> {
    let score = score.saturating_add_signed(change(reason)?);
    Some(score.min(MAX_SCORE))
}

/// The score after so many whole periods without an event: each of them takes a tenth, rounded up, of the distance to
/// [`INITIAL_SCORE`], so that a distance `d` becomes `⌊9d / 10⌋`.
pub fn decayed(score: Score, periods: u32) -> Score {
    let distance = (0..periods.min(MAX_DECAY_PERIODS))
        .fold(score.abs_diff(INITIAL_SCORE), |distance, _| {
            distance.saturating_mul(9) / 10
        });
    if score > INITIAL_SCORE {
        INITIAL_SCORE.saturating_add(distance)
    } else {
        INITIAL_SCORE.saturating_sub(distance)
    }
}

/// The level of a score: 1 to 5, from 0, 300, 500, 700 and 850.
pub fn level(score: Score) -> u8 {
    LEVELS
        .iter()
        .filter(|least| score >= **least)
        .fold(1, |level, _| level.saturating_add(1))
}
