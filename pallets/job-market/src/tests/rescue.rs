//! Jobs taken over from workers who are late.

use crate::{mock::*, Claim, Error, Event, HoldReason, JobState};
use ciro_primitives::JobId;
use frame_support::{assert_noop, assert_ok, traits::fungible::MutateFreeze};
use pallet_cdc_pool::StakeLedger;
use pallet_reputation::ReputationReason;
use sp_runtime::{DispatchResult, Perbill};

fn rescue(who: AccountId, job: JobId) -> DispatchResult {
    Market::rescue(RuntimeOrigin::signed(who), job)
}

#[test]
fn a_late_workers_cut_is_a_bounty_for_the_one_who_answers() {
    test(|| {
        let id = claimed();
        at(12);
        assert_ok!(rescue(other(), id));
        let expected = Claim {
            worker: other(),
            collateral: 1_000,
            since: 12,
            answer_by: 21,
        };
        assert_eq!(claim_on(id), expected);
        assert_eq!((stake(&worker()), reserved(&worker())), (STAKE - 400, 0));
        assert_eq!(notes(&worker()), [ReputationReason::JobTimedOut]);
        assert_eq!(held(HoldReason::Escrow, &requester()), 2_400);
        System::assert_last_event(
            Event::JobRescued {
                job: id,
                worker: other(),
                from: worker(),
                cut: 400,
                bounty: 400,
                collateral: 1_000,
                answer_by: 21,
            }
            .into(),
        );
        check();

        assert_ok!(answer(id, other()).submit(other()));
        // The bounty bears neither fee nor royalty.
        assert_eq!(free(&other()), ENDOWMENT + 1_750 + 400);
        assert_eq!(total(&requester()), ENDOWMENT - 2_000);
    });
}

#[test]
fn bounties_add_up_and_go_to_the_requester_if_nobody_answers() {
    test(|| {
        let id = submitted_as(crate::JobSpec {
            duration: 40,
            ..request()
        });
        assert_ok!(claim(worker(), id));
        at(12);
        assert_ok!(rescue(other(), id));
        at(23);
        assert_ok!(rescue(worker(), id));
        assert_eq!(job(id).bounty, 800);
        check();
        at(42);
        assert_ok!(Market::expire_job(RuntimeOrigin::signed(other()), id));
        assert_eq!(held(HoldReason::Escrow, &requester()), 0);
        assert_eq!(total(&requester()), ENDOWMENT + 1_200);
    });
}

#[test]
fn a_job_is_taken_over_only_from_a_claim_whose_term_is_over() {
    test(|| {
        let id = submitted();
        at(19);
        assert_noop!(rescue(other(), id), Error::<Test>::NotLate);
        at(1);
        assert_ok!(claim(worker(), id));
        at(11);
        assert_noop!(rescue(other(), id), Error::<Test>::NotLate);
        assert_noop!(rescue(other(), 7), Error::<Test>::UnknownJob);
        at(12);
        assert_ok!(rescue(other(), id));
        assert_noop!(rescue(requester(), id), Error::<Test>::NotLate);
    });
}

#[test]
fn a_late_worker_does_not_rescue_itself_but_may_answer_until_another_does() {
    test(|| {
        let (first, second) = (claimed(), claimed());
        at(12);
        assert_noop!(rescue(worker(), first), Error::<Test>::AlreadyAssigned);
        assert_ok!(answer(first, worker()).submit(worker()));
        assert_ok!(rescue(other(), second));
        assert_noop!(
            answer(second, worker()).submit(worker()),
            Error::<Test>::NotAssignedToCaller
        );
    });
}

#[test]
fn a_job_is_taken_over_before_the_block_of_its_deadline() {
    test(|| {
        let (id, late) = (claimed(), claimed());
        at(20);
        assert_ok!(rescue(other(), id));
        at(21);
        assert_noop!(rescue(other(), late), Error::<Test>::DeadlinePassed);
    });
}

#[test]
fn only_who_may_claim_takes_a_job_over() {
    test(|| {
        let id = claimed();
        at(12);
        assert_noop!(rescue(nobody(), id), Error::<Test>::WorkerInactive);
        Stakes::insert(other(), (0, 0));
        assert!(rescue(other(), id).is_err());
        Stakes::insert(other(), (STAKE, 0));
        assert_eq!(claim_on(id).worker, worker());
        assert_eq!(held(HoldReason::Escrow, &requester()), 2_000);
    });
}

#[test]
fn the_bounty_is_what_a_slash_has_left_of_the_collateral() {
    test(|| {
        let (id, other_job) = (claimed(), submitted());
        TestStake::slash(
            &worker(),
            Perbill::from_rational(49_700u32, 50_000),
            1,
            None,
        );
        assert_eq!(reserved(&worker()), 300);
        at(12);
        assert_ok!(rescue(other(), id));
        assert_eq!(job(id).bounty, 300);
        assert_eq!(held(HoldReason::Escrow, &requester()), 4_300);
        assert_eq!(state(other_job), JobState::Submitted);
    });
}

#[test]
fn a_requester_with_frozen_funds_keeps_the_cut_and_the_job_is_taken_over_all_the_same() {
    test(|| {
        let id = claimed();
        assert_ok!(Balances::set_freeze(&FREEZE, &requester(), ENDOWMENT * 2));
        at(12);
        assert_ok!(rescue(other(), id));
        assert_eq!(job(id).bounty, 0);
        assert_eq!(held(HoldReason::Escrow, &requester()), 2_000);
        assert_eq!(total(&requester()), ENDOWMENT + 400);
    });
}
