use crate::{
    mock::*, weights::WeightInfo, CaseStatus, Cases, Error, Event, ExecutedCases, OffenceKind::*,
    Queue, Standing, UnderInvestigation,
};
use frame_support::{assert_noop, assert_ok, dispatch::Pays, traits::Contains, weights::Weight};
use pallet_reputation::ReputationReason;
use sp_runtime::{DispatchError, Perbill};

#[test]
fn a_case_takes_the_stake_and_the_reputation_once_it_is_due() {
    test(|| {
        let case = open(1, InvalidCompute, 1);
        at(1 + DAY);
        let paid = Slashing::execute_case(signed(), case).unwrap();
        assert_eq!(paid.pays_fee, Pays::No);
        assert_eq!(status(case), CaseStatus::Applied { taken: STAKE / 2 });
        assert_eq!(stake(1), STAKE / 2);
        assert_eq!(
            Noted::get(),
            [(account(1), ReputationReason::InvalidCompute)]
        );
        assert_eq!(Slashed::get(), [(account(1), Perbill::from_percent(50), 1)]);
        System::assert_has_event(
            Event::WorkerSlashed {
                worker: account(1),
                amount: STAKE / 2,
            }
            .into(),
        );
        System::assert_last_event(
            Event::SlashApplied {
                case,
                offender: account(1),
                kind: InvalidCompute,
                fraction: Perbill::from_percent(50),
            }
            .into(),
        );
    });
}

#[test]
fn an_open_case_suspends_at_once_and_freezes_the_stake() {
    test(|| {
        assert_eq!(standing(1), Standing::Good);
        let case = open(1, DoubleSigning, 1);
        let until = 1 + 90 * DAY;
        assert_eq!(standing(1), Standing::Suspended { until });
        assert!(UnderInvestigation::<Test>::contains(&account(1)));
        assert!(!UnderInvestigation::<Test>::contains(&account(2)));
        System::assert_last_event(
            Event::CaseOpened {
                case,
                offender: account(1),
                kind: DoubleSigning,
                fraction: Perbill::from_percent(30),
                due: 1 + DAY,
                until,
            }
            .into(),
        );
        at(1 + DAY);
        assert_ok!(Slashing::execute_case(signed(), case));
        assert!(!UnderInvestigation::<Test>::contains(&account(1)));
        assert_eq!(standing(1), Standing::Suspended { until });
        at(until + 1);
        assert_eq!(
            standing(1),
            Standing::Probation {
                until: until + PROBATION
            }
        );
        at(until + PROBATION + 1);
        assert_eq!(standing(1), Standing::Good);
    });
}

#[test]
fn a_case_cannot_be_executed_while_governance_may_cancel_it() {
    test(|| {
        let case = open(1, InvalidCompute, 1);
        at(DAY);
        assert_noop!(
            Slashing::execute_case(signed(), case),
            Error::<Test>::NotDue
        );
        idle_freely();
        assert_eq!(status(case), CaseStatus::Pending);
        assert_eq!(stake(1), STAKE);
    });
}

#[test]
fn a_case_is_executed_once() {
    test(|| {
        let case = open(1, InvalidCompute, 1);
        at(1 + DAY);
        assert_ok!(Slashing::execute_case(signed(), case));
        assert_noop!(
            Slashing::execute_case(signed(), case),
            Error::<Test>::NotPending
        );
        idle_freely();
        assert_eq!(Slashed::get().len(), 1);
    });
}

#[test]
fn governance_cancels_a_pending_case_and_nothing_is_taken() {
    test(|| {
        let case = open(1, InvalidCompute, 1);
        let other = open(1, Downtime, 2);
        assert_ok!(Slashing::cancel_case(RuntimeOrigin::root(), case));
        System::assert_last_event(Event::CaseCancelled { case }.into());
        assert_eq!(
            standing(1),
            Standing::Suspended {
                until: 1 + 60 * DAY
            }
        );
        assert_ok!(Slashing::cancel_case(RuntimeOrigin::root(), other));
        assert_eq!(standing(1), Standing::Good);
        assert!(!UnderInvestigation::<Test>::contains(&account(1)));
        at(1 + DAY);
        assert_noop!(
            Slashing::execute_case(signed(), case),
            Error::<Test>::NotPending
        );
        idle_freely();
        assert_eq!(stake(1), STAKE);
        assert!(Noted::get().is_empty());
    });
}

#[test]
fn nobody_else_cancels_a_case() {
    test(|| {
        let case = open(1, InvalidCompute, 1);
        assert_noop!(
            Slashing::cancel_case(signed(), case),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn an_executed_case_cannot_be_cancelled() {
    test(|| {
        let case = open(1, InvalidCompute, 1);
        at(1 + DAY);
        idle_freely();
        assert_noop!(
            Slashing::cancel_case(RuntimeOrigin::root(), case),
            Error::<Test>::NotPending
        );
    });
}

#[test]
fn what_does_not_exist_can_be_neither_executed_nor_cancelled_nor_pruned() {
    test(|| {
        assert_noop!(
            Slashing::execute_case(signed(), 0),
            Error::<Test>::UnknownCase
        );
        assert_noop!(
            Slashing::cancel_case(RuntimeOrigin::root(), 0),
            Error::<Test>::UnknownCase
        );
        assert_noop!(
            Slashing::prune_case(signed(), 0),
            Error::<Test>::UnknownCase
        );
    });
}

#[test]
fn the_same_offence_is_counted_once() {
    test(|| {
        let case = open(1, InvalidCompute, 1);
        open(1, InvalidCompute, 1);
        assert_eq!(Cases::<Test>::iter().count(), 1);
        // Not even a cancelled one comes again.
        assert_ok!(Slashing::cancel_case(RuntimeOrigin::root(), case));
        open(1, InvalidCompute, 1);
        assert_eq!(Cases::<Test>::iter().count(), 1);
        open(1, Downtime, 1);
        open(1, InvalidCompute, 2);
        open(2, InvalidCompute, 1);
        assert_eq!(Cases::<Test>::iter().count(), 4);
    });
}

#[test]
fn whoever_offends_again_within_a_year_pays_more() {
    test(|| {
        for (nth, percent) in [(1, 5), (2, 10), (3, 15), (4, 15)] {
            let case = record(open(1, Downtime, nth));
            assert_eq!(case.fraction, Perbill::from_percent(percent));
            assert_eq!(case.until, 1 + u64::from(percent) * 6 * DAY);
        }
        at(1 + 365 * DAY);
        let case = record(open(1, Downtime, 5));
        assert_eq!(case.fraction, Perbill::from_percent(5));
    });
}

#[test]
fn a_cancelled_offence_makes_the_next_one_no_dearer() {
    test(|| {
        let case = open(1, Downtime, 1);
        assert_ok!(Slashing::cancel_case(RuntimeOrigin::root(), case));
        let next = record(open(1, Downtime, 2));
        assert_eq!(next.fraction, Perbill::from_percent(5));
    });
}

#[test]
fn a_block_with_weight_left_executes_what_is_due_in_order() {
    test(|| {
        let first = open(1, InvalidCompute, 1);
        at(2);
        let second = open(2, InvalidCompute, 1);
        at(1 + DAY);
        idle_freely();
        assert_eq!(status(first), CaseStatus::Applied { taken: STAKE / 2 });
        assert_eq!(status(second), CaseStatus::Pending);
        at(2 + DAY);
        idle_freely();
        assert_eq!(status(second), CaseStatus::Applied { taken: STAKE / 2 });
        assert_eq!(Queue::<Test>::iter().count(), 0);
    });
}

#[test]
fn a_block_executes_no_more_than_it_has_weight_for() {
    test(|| {
        let cases: Vec<_> = (1..=5).map(|name| open(name, InvalidCompute, 1)).collect();
        at(1 + DAY);
        assert_eq!(idle(Weight::from_parts(1, 1)), Weight::from_parts(0, 0));
        let look = <Test as crate::Config>::WeightInfo::look_at_queue();
        let two = Slashing::execution_weight() * 2 + look * 3;
        let used = idle(two);
        assert!(used.all_lte(two));
        let applied = || {
            let is_applied = |case: &&u64| status(**case) != CaseStatus::Pending;
            cases.iter().filter(is_applied).count()
        };
        assert_eq!(applied(), 2);
        idle(two);
        idle(two);
        assert_eq!(applied(), 5);
    });
}

#[test]
fn what_was_executed_or_cancelled_by_hand_does_not_hold_up_the_queue() {
    test(|| {
        let cases: Vec<_> = (1..=4).map(|name| open(name, InvalidCompute, 1)).collect();
        assert_ok!(Slashing::cancel_case(RuntimeOrigin::root(), cases[0]));
        at(1 + DAY);
        assert_ok!(Slashing::execute_case(signed(), cases[2]));
        idle_freely();
        assert_eq!(Slashed::get().len(), 3);
    });
}

#[test]
fn a_batch_executes_what_is_due_and_costs_a_fee_only_for_what_is_not() {
    test(|| {
        let due: Vec<_> = (1..=3).map(|name| open(name, InvalidCompute, 1)).collect();
        at(2);
        let later = open(4, InvalidCompute, 1);
        at(1 + DAY);
        let batch =
            |cases: &[u64]| Slashing::execute_cases(signed(), cases.to_vec().try_into().unwrap());
        assert_noop!(batch(&[later, 99]), Error::<Test>::NothingDue);
        assert_noop!(batch(&[]), Error::<Test>::NothingDue);
        let mixed = batch(&[due[0], later, due[0]]).unwrap();
        assert_eq!(mixed.pays_fee, Pays::Yes);
        let full = batch(&due[1..]).unwrap();
        assert_eq!(full.pays_fee, Pays::No);
        assert_eq!(
            full.actual_weight,
            Some(Slashing::execution_weight().saturating_mul(2))
        );
        let look = <Test as crate::Config>::WeightInfo::look_at_queue();
        assert_eq!(
            mixed.actual_weight,
            Some(Slashing::execution_weight() + look * 2)
        );
        assert_eq!(Slashed::get().len(), 3);
        assert_eq!(status(later), CaseStatus::Pending);
    });
}

#[test]
fn a_case_is_pruned_when_it_can_matter_no_more() {
    test(|| {
        let case = open(1, DoubleSigning, 1);
        let last = 1 + (540 + 365) * DAY;
        assert_noop!(
            Slashing::prune_case(signed(), case),
            Error::<Test>::NotClosed
        );
        at(1 + DAY);
        idle_freely();
        at(last);
        assert_noop!(
            Slashing::prune_case(signed(), case),
            Error::<Test>::RetentionNotOver
        );
        at(last + 1);
        assert_ok!(Slashing::prune_case(signed(), case));
        System::assert_last_event(Event::CasePruned { case }.into());
        assert_eq!(Slashing::case(case), None);
        assert_eq!(crate::Known::<Test>::iter().count(), 0);
        assert_eq!(crate::Histories::<Test>::iter().count(), 0);
    });
}

#[test]
fn the_views_show_the_cases_of_an_operator() {
    test(|| {
        let case = open(1, InvalidCompute, 1);
        let cancelled = open(1, InvalidCompute, 2);
        assert_ok!(Slashing::cancel_case(RuntimeOrigin::root(), cancelled));
        assert_eq!(Slashing::cases_of(account(1)), [record(case)]);
        assert!(Slashing::cases_of(account(2)).is_empty());
        assert!(!Slashing::banned(account(1)));
    });
}

#[test]
fn the_test_runtimes_constants_fit_together() {
    ext().execute_with(crate::Pallet::<Test>::check_constants);
}

#[test]
fn other_pallets_see_a_case_once_it_is_executed() {
    test(|| {
        let (case, cancelled) = (open(1, InvalidCompute, 1), open(2, Downtime, 2));
        assert_eq!(Slashing::executed(case), None);
        assert_ok!(Slashing::cancel_case(RuntimeOrigin::root(), cancelled));
        at(1 + DAY);
        assert_ok!(Slashing::execute_case(signed(), case));
        assert_eq!(
            Slashing::executed(case),
            Some((account(1), Perbill::from_percent(50)))
        );
        assert_eq!(Slashing::executed(cancelled), None);
        assert_eq!(Slashing::executed(7), None);
    });
}
