use crate::{mock::*, Event, Sessions, ValidatorCount};
use frame_support::traits::Get;
use pallet_session::{historical::HistoricalSessions, DisabledValidators, QueuedChanged};
use pallet_slashing::Standing;
use sp_runtime::{traits::Convert, Perbill};
use sp_staking::offence::OffenceSeverity;

/// Elects the operators 11 to 10 + `count`, of which each has more stake than the one before.
fn elected(count: u64) {
    for index in 1..=count {
        stake(10 + index, operator(u128::from(index) * MIN_STAKE));
    }
    era();
    events();
}

#[test]
fn the_best_are_elected_for_an_era() {
    test(|| {
        elected(9);
        assert_eq!(validators(), [13, 14, 15, 16, 17, 18, 19]);
        assert_eq!(ValidatorCount::<Test>::get(), 7);
        change(11, |operator| operator.stake = 100 * MIN_STAKE);
        for _ in 0..5 {
            session();
            assert_eq!(validators(), [13, 14, 15, 16, 17, 18, 19]);
        }
        session();
        assert_eq!(validators(), [11, 14, 15, 16, 17, 18, 19]);
        assert!(events().contains(&Event::ValidatorsElected {
            session: 12,
            validators: 7,
            candidates: 9
        }));
    });
}

#[test]
fn of_equals_the_lower_account_is_elected() {
    test(|| {
        for who in [15, 11, 13, 12, 14] {
            stake(who, operator(MIN_STAKE));
        }
        era();
        assert_eq!(validators(), [11, 12, 13, 14]);
    });
}

#[test]
fn only_who_may_and_can_validate_is_a_candidate() {
    let ranked = || {
        let names = ValidatorSet::candidates()
            .into_iter()
            .map(|candidate| candidate.who);
        names.collect::<Vec<_>>()
    };
    test(|| {
        stake(11, operator(MIN_STAKE));
        assert_eq!(ranked(), [11]);
        let refused: [fn(&mut Operator); 6] = [
            |operator| operator.validates = false,
            |operator| operator.own = MIN_STAKE - 1,
            |operator| operator.standing = Standing::Suspended { until: 9 },
            |operator| operator.standing = Standing::Banned,
            |operator| operator.score = 0,
            |operator| operator.uptime = Perbill::zero(),
        ];
        for refuse in refused {
            stake(11, operator(MIN_STAKE));
            change(11, refuse);
            assert!(ranked().is_empty());
        }
        stake(11, operator(MIN_STAKE));
        pallet_session::NextKeys::<Test>::remove(11);
        assert!(ranked().is_empty());
    });
}

#[test]
fn on_probation_an_operator_counts_for_half() {
    test(|| {
        elected(5);
        assert_eq!(validators(), [12, 13, 14, 15]);
        change(12, |operator| {
            operator.standing = Standing::Probation { until: 9 }
        });
        // Half of 12's twice the stake is as much as 11's, and 11 is the lower account.
        era();
        assert_eq!(validators(), [11, 13, 14, 15]);
    });
}

#[test]
fn with_fewer_than_four_candidates_rotation_is_refused_and_the_set_stays() {
    test(|| {
        elected(4);
        for who in [11, 12] {
            change(who, |operator| operator.standing = Standing::Banned);
        }
        era();
        era();
        assert_eq!(validators(), [11, 12, 13, 14]);
        assert!(events().contains(&Event::RotationRefused { candidates: 2 }));
    });
}

#[test]
fn a_session_with_the_same_set_and_keys_is_not_planned_anew() {
    test(|| {
        elected(4);
        era();
        for _ in 0..12 {
            session();
            assert!(!QueuedChanged::<Test>::get());
        }
    });
}

#[test]
fn changed_keys_are_planned_at_once() {
    test(|| {
        elected(4);
        session();
        set_keys(12, 99);
        session();
        assert!(QueuedChanged::<Test>::get());
        let queued = pallet_session::QueuedKeys::<Test>::get();
        assert_eq!(queued[1].1.dummy.0, 99);
        assert_eq!(validators(), [11, 12, 13, 14]);
        session();
        assert!(!QueuedChanged::<Test>::get());
    });
}

#[test]
fn a_disabled_validator_sits_out_this_session_and_the_next() {
    test(|| {
        elected(4);
        session();
        Session::report_offence(12, OffenceSeverity(Perbill::one()));
        assert_eq!(DisabledValidators::<Test>::get().len(), 1);
        session();
        assert_eq!(DisabledValidators::<Test>::get().len(), 1);
        session();
        assert!(DisabledValidators::<Test>::get().is_empty());
        assert_eq!(validators(), [11, 12, 13, 14]);
    });
}

#[test]
fn a_suspended_validator_is_gone_with_the_next_era() {
    test(|| {
        elected(5);
        change(15, |operator| {
            operator.standing = Standing::Suspended { until: 9 }
        });
        era();
        assert_eq!(validators(), [11, 12, 13, 14]);
    });
}

#[test]
fn a_validator_that_removes_its_keys_is_replaced_at_once() {
    test(|| {
        elected(5);
        session();
        pallet_session::NextKeys::<Test>::remove(12);
        session();
        session();
        assert_eq!(validators(), [11, 13, 14, 15]);
    });
}

#[test]
fn without_enough_others_a_validator_that_removes_its_keys_is_missed() {
    test(|| {
        elected(4);
        pallet_session::NextKeys::<Test>::remove(12);
        session();
        session();
        assert_eq!(validators(), [11, 13, 14]);
        assert!(events().contains(&Event::RotationRefused { candidates: 3 }));
    });
}

#[test]
fn the_start_of_a_session_is_known_for_as_long_as_evidence_counts() {
    test(|| {
        for _ in 0..EVIDENCE_SESSIONS + 10 {
            session();
            check();
        }
        let started = |session| Sessions::<Test>::convert(session).started;
        let last = Session::current_index();
        assert_eq!(started(last), now());
        let oldest = last - 1 - EVIDENCE_SESSIONS;
        assert_eq!(started(oldest), 1 + u64::from(oldest) * SESSION);
        assert!(HistoricalSessions::<Test>::contains_key(oldest));
        assert_eq!(started(oldest - 1), 0);
        assert!(!HistoricalSessions::<Test>::contains_key(oldest - 1));
    });
}

#[test]
fn stake_answers_for_a_session_since_the_election_of_its_validators() {
    test(|| {
        let elected_in = |session| Sessions::<Test>::convert(session).elected;
        // Sessions begin in the block after each multiple of their length; a set is elected a session before it serves.
        let planned = |session: u64| 1 + (session - 1) * SESSION;
        elected(4);
        assert_eq!((elected_in(5), elected_in(6)), (0, planned(6)));
        era();
        assert_eq!((elected_in(11), elected_in(12)), (planned(6), planned(12)));
        // Where there was no election, the stake of the last one answers still.
        change(11, |operator| operator.standing = Standing::Banned);
        era();
        assert_eq!(elected_in(18), planned(12));
    });
}

#[test]
fn the_test_runtimes_constants_fit_together() {
    ext().execute_with(crate::Pallet::<Test>::check_constants);
}
