use crate::{mock::*, Candidate};
use sp_runtime::Perbill;

#[test]
fn candidates_are_shown_best_first_with_what_they_are_ranked_by() {
    test(|| {
        stake(11, operator(MIN_STAKE));
        stake(12, operator(2 * MIN_STAKE));
        change(12, |operator| {
            operator.score = 900;
            operator.uptime = Perbill::from_percent(90);
        });
        let best = Candidate {
            who: 12,
            stake: 2 * MIN_STAKE,
            score: 900,
            uptime: Perbill::from_percent(90),
            on_probation: false,
            rank: MIN_STAKE * 162 / 100,
        };
        let candidates = ValidatorSet::candidates();
        assert_eq!(candidates[0], best);
        assert_eq!(candidates[1].who, 11);
        assert_eq!(candidates.len(), 2);
    });
}

#[test]
fn security_is_the_sum_over_the_validators_and_not_over_other_candidates() {
    test(|| {
        assert_eq!(ValidatorSet::security(), 0);
        for who in 11..=15 {
            stake(who, operator(MIN_STAKE));
        }
        era();
        assert_eq!(validators().len(), 4);
        assert_eq!(ValidatorSet::security(), 4 * MIN_STAKE);
        change(11, |operator| operator.score = 500);
        assert_eq!(ValidatorSet::security(), 4 * MIN_STAKE - MIN_STAKE / 2);
    });
}

#[test]
fn scaling_is_that_of_the_best_candidates() {
    test(|| {
        for who in 11..=15 {
            stake(who, operator(u128::from(who) * MIN_STAKE));
        }
        let best = ValidatorSet::scaling(4, 1);
        assert_eq!(best.at_stake, (12 + 13 + 14 + 15) * MIN_STAKE * 3 / 10);
        assert!(best.tolerates);
        assert!(!ValidatorSet::scaling(3, 1).tolerates);
        let all = ValidatorSet::scaling(100, 2);
        assert_eq!(all.at_stake, (11 + 12 + 13 + 14 + 15) * MIN_STAKE * 3 / 10);
        assert!(!all.tolerates);
    });
}

#[test]
fn efficiency_is_that_of_the_workers() {
    test(|| {
        assert_eq!(ValidatorSet::efficiency(), 0);
        stake(11, operator(MIN_STAKE));
        assert_eq!(ValidatorSet::efficiency(), 1_000_000);
        change(11, |operator| operator.capacity.peak_to_rated = 4_000_000);
        assert_eq!(ValidatorSet::efficiency(), 250_000);
    });
}
