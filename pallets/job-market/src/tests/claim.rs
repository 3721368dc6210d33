use crate::{mock::*, Error, Event, HoldReason, JobState};
use frame_support::{assert_noop, assert_ok, traits::fungible::MutateFreeze};
use sp_runtime::{DispatchError, TokenError};

#[test]
fn claiming_assigns_the_job_and_holds_half_the_price() {
    test(|| {
        let id = submitted();
        at(3);
        assert_ok!(claim(worker(), id));
        let assigned = JobState::Assigned {
            worker: worker(),
            collateral: 1_000,
            since: 3,
        };
        assert_eq!(state(id), assigned);
        assert_eq!(held(HoldReason::Collateral, &worker()), 1_000);
        System::assert_last_event(
            Event::JobClaimed {
                job: id,
                worker: worker(),
                collateral: 1_000,
            }
            .into(),
        );
    });
}

#[test]
fn a_cheap_job_takes_the_least_collateral() {
    test(|| {
        let cheap = Request {
            batch: 1,
            price: MIN_PRICE,
            ..request()
        };
        assert_ok!(cheap.submit(requester()));
        assert_ok!(claim(worker(), 0));
        assert_eq!(held(HoldReason::Collateral, &worker()), MIN_COLLATERAL);
    });
}

#[test]
fn a_worker_may_hold_several_jobs_whose_collateral_adds_up() {
    test(|| {
        let (first, second) = (claimed(), claimed());
        assert_eq!(held(HoldReason::Collateral, &worker()), 2_000);
        assert_ok!(answer(first, worker()).submit(worker()));
        assert_eq!(held(HoldReason::Collateral, &worker()), 1_000);
        let mut wrong = answer(second, worker());
        wrong.proof.clear();
        assert_ok!(wrong.submit(worker()));
        assert_eq!(held(HoldReason::Collateral, &worker()), 0);
    });
}

#[test]
fn a_requester_may_answer_their_own_job() {
    test(|| {
        let id = submitted();
        assert_ok!(claim(requester(), id));
        check();
        assert_ok!(answer(id, requester()).submit(requester()));
        assert_eq!(total(&requester()), ENDOWMENT);
        assert_eq!(held(HoldReason::Collateral, &requester()), 0);
    });
}

#[test]
fn a_claimed_or_settled_job_is_not_claimed() {
    test(|| {
        let id = claimed();
        assert_noop!(claim(other(), id), Error::<Test>::NotSubmitted);
        assert_noop!(claim(worker(), id), Error::<Test>::NotSubmitted);
        assert_ok!(answer(id, worker()).submit(worker()));
        assert_noop!(claim(other(), id), Error::<Test>::NotSubmitted);
        assert_noop!(claim(other(), 7), Error::<Test>::UnknownJob);
    });
}

#[test]
fn a_job_is_claimed_before_the_block_of_its_deadline() {
    test(|| {
        let (id, late) = (submitted(), submitted());
        at(20);
        assert_ok!(claim(worker(), id));
        at(21);
        assert_noop!(claim(worker(), late), Error::<Test>::DeadlinePassed);
    });
}

#[test]
fn claiming_needs_the_collateral_and_a_signature() {
    test(|| {
        let id = submitted();
        assert_noop!(claim(nobody(), id), TokenError::FundsUnavailable);
        assert_noop!(
            Market::claim_job(RuntimeOrigin::none(), id),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn frozen_funds_are_no_collateral() {
    test(|| {
        let id = submitted();
        assert_ok!(Balances::set_freeze(&FREEZE, &worker(), ENDOWMENT));
        assert_noop!(claim(worker(), id), TokenError::Frozen);
    });
}

#[test]
fn funds_that_other_holds_keep_count_for_a_freeze() {
    test(|| {
        // Registering a model holds a deposit, which stays whatever the market does.
        let id = submitted();
        let owner = account(9);
        let deposit = total(&owner) - free(&owner);
        assert!(deposit > 0);
        assert_ok!(Balances::set_freeze(&FREEZE, &owner, ENDOWMENT - 1_000));
        assert_ok!(claim(owner.clone(), id));
        assert_eq!(free(&owner), ENDOWMENT - 1_000 - deposit);
    });
}
