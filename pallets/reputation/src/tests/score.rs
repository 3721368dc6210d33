//! The arithmetic of scores.

use crate::{
    score::{after, decayed, level, MAX_DECAY_PERIODS},
    ReputationReason::{self, *},
    INITIAL_SCORE, MAX_SCORE,
};

/// Every reason that counts, with what it adds.
const CHANGES: [(ReputationReason, i32); 12] = [
    (JobCompleted, 10),
    (JobTimedOut, -50),
    (DisputeLost, -100),
    (Rated(1), -20),
    (Rated(2), -10),
    (Rated(3), 0),
    (Rated(4), 5),
    (Rated(5), 10),
    (Downtime, -100),
    (DoubleSigning, -500),
    (InvalidCompute, -750),
    (CoordinatedAttack, -1_000),
];

#[test]
fn each_reason_adds_its_points_within_the_range() {
    for (reason, points) in CHANGES {
        for score in 0..=MAX_SCORE {
            let expected = (i32::from(score) + points).clamp(0, i32::from(MAX_SCORE));
            assert_eq!(after(score, reason).map(i32::from), Some(expected));
        }
    }
}

#[test]
fn a_coordinated_attack_leaves_nothing_of_any_score() {
    assert!((0..=MAX_SCORE).all(|score| after(score, CoordinatedAttack) == Some(0)));
}

#[test]
fn ratings_of_other_than_one_to_five_stars_count_as_nothing() {
    for stars in (0..=u8::MAX).filter(|stars| !(1..=5).contains(stars)) {
        assert_eq!(after(INITIAL_SCORE, Rated(stars)), None);
    }
}

#[test]
fn levels_begin_at_300_500_700_and_850() {
    let bounds = [
        (0, 299, 1),
        (300, 499, 2),
        (500, 699, 3),
        (700, 849, 4),
        (850, 1_000, 5),
    ];
    for (first, last, expected) in bounds {
        assert!((first..=last).all(|score| level(score) == expected));
    }
}

#[test]
fn a_period_takes_a_tenth_of_the_distance_rounded_up() {
    let after_periods = |score| [0, 1, 2, 3].map(|periods| decayed(score, periods));
    assert_eq!(after_periods(1_000), [1_000, 950, 905, 864]);
    assert_eq!(after_periods(0), [0, 50, 95, 136]);
    assert_eq!(after_periods(503), [503, 502, 501, 500]);
    assert_eq!(after_periods(497), [497, 498, 499, 500]);
    assert_eq!(after_periods(500), [500; 4]);
}

#[test]
fn decay_never_overshoots_and_two_spans_are_as_good_as_one() {
    for score in 0..=MAX_SCORE {
        for periods in 0..=MAX_DECAY_PERIODS {
            let next = decayed(score, periods + 1);
            assert_eq!(next, decayed(decayed(score, periods), 1));
            let closer =
                next.abs_diff(INITIAL_SCORE) < decayed(score, periods).abs_diff(INITIAL_SCORE);
            assert!(closer || next == INITIAL_SCORE);
            assert_eq!(
                next > INITIAL_SCORE,
                score > INITIAL_SCORE && next != INITIAL_SCORE
            );
        }
    }
}

#[test]
fn the_longest_decay_is_just_long_enough_for_every_score() {
    for score in 0..=MAX_SCORE {
        assert_eq!(decayed(score, MAX_DECAY_PERIODS), INITIAL_SCORE);
        assert_eq!(decayed(score, u32::MAX), INITIAL_SCORE);
    }
    assert_ne!(decayed(MAX_SCORE, MAX_DECAY_PERIODS - 1), INITIAL_SCORE);
}
