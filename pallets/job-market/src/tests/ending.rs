//! Jobs given back, withdrawn, expired and removed.

use crate::{mock::*, Error, Event, HoldReason, JobState, Jobs, Results};
use ciro_primitives::JobId;
use frame_support::{assert_noop, assert_ok};
use pallet_reputation::ReputationReason;
use sp_runtime::{DispatchError, DispatchResult};

fn release(who: AccountId, job: JobId) -> DispatchResult {
    Market::release_job(RuntimeOrigin::signed(who), job)
}

fn cancel(who: AccountId, job: JobId) -> DispatchResult {
    Market::cancel_job(RuntimeOrigin::signed(who), job)
}

fn expire(who: AccountId, job: JobId) -> DispatchResult {
    Market::expire_job(RuntimeOrigin::signed(who), job)
}

fn remove(who: AccountId, job: JobId) -> DispatchResult {
    Market::remove_job(RuntimeOrigin::signed(who), job)
}

#[test]
fn giving_a_job_back_costs_a_tenth_of_the_collateral_for_the_requester() {
    test(|| {
        let id = claimed();
        assert_ok!(release(worker(), id));
        assert_eq!(state(id), JobState::Submitted);
        assert_eq!((stake(&worker()), reserved(&worker())), (STAKE - 100, 0));
        assert_eq!(total(&requester()), ENDOWMENT + 100);
        System::assert_last_event(
            Event::JobReleased {
                job: id,
                worker: worker(),
                cut: 100,
            }
            .into(),
        );
        assert_ok!(claim(other(), id));
    });
}

#[test]
fn only_the_assigned_worker_gives_a_job_back() {
    test(|| {
        let id = claimed();
        assert_noop!(release(requester(), id), Error::<Test>::NotAssignedToCaller);
        assert_noop!(release(worker(), 7), Error::<Test>::UnknownJob);
        assert_ok!(release(worker(), id));
        assert_noop!(release(worker(), id), Error::<Test>::NotAssignedToCaller);
    });
}

#[test]
fn a_job_is_not_given_back_after_its_deadline() {
    test(|| {
        let id = claimed();
        at(22);
        assert_noop!(release(worker(), id), Error::<Test>::DeadlinePassed);
        at(21);
        assert_ok!(release(worker(), id));
    });
}

#[test]
fn cancelling_returns_the_price_and_keeps_the_deposit() {
    test(|| {
        let id = submitted();
        at(3);
        assert_ok!(cancel(requester(), id));
        assert_eq!(state(id), JobState::Cancelled { at: 3 });
        assert_eq!(held(HoldReason::Escrow, &requester()), 0);
        assert_eq!(free(&requester()), ENDOWMENT - job(id).deposit);
        System::assert_last_event(Event::JobCancelled { job: id }.into());
    });
}

#[test]
fn only_the_requester_cancels_and_only_before_a_claim() {
    test(|| {
        let id = submitted();
        assert_noop!(cancel(worker(), id), Error::<Test>::NotRequester);
        assert_noop!(cancel(requester(), 7), Error::<Test>::UnknownJob);
        assert_ok!(claim(worker(), id));
        assert_noop!(cancel(requester(), id), Error::<Test>::NotSubmitted);
        assert_ok!(answer(id, worker()).submit(worker()));
        assert_noop!(cancel(requester(), id), Error::<Test>::NotSubmitted);
    });
}

#[test]
fn an_unclaimed_job_expires_with_the_price_returned() {
    test(|| {
        let id = submitted();
        at(22);
        assert_ok!(expire(other(), id));
        let expired = JobState::Expired {
            worker: None,
            at: 22,
        };
        assert_eq!(state(id), expired);
        assert_eq!(free(&requester()), ENDOWMENT - job(id).deposit);
        System::assert_last_event(
            Event::JobExpired {
                job: id,
                worker: None,
                cut: 0,
            }
            .into(),
        );
    });
}

#[test]
fn a_claimed_job_expires_with_a_share_of_the_collateral_for_the_requester() {
    test(|| {
        let id = claimed();
        at(22);
        assert_ok!(expire(other(), id));
        let expired = JobState::Expired {
            worker: Some(worker()),
            at: 22,
        };
        assert_eq!(state(id), expired);
        assert_eq!(total(&requester()), ENDOWMENT + 400);
        assert_eq!((stake(&worker()), reserved(&worker())), (STAKE - 400, 0));
        assert_eq!(notes(&worker()), [ReputationReason::JobTimedOut]);
        assert_eq!(held(HoldReason::Escrow, &requester()), 0);
        System::assert_last_event(
            Event::JobExpired {
                job: id,
                worker: Some(worker()),
                cut: 400,
            }
            .into(),
        );
    });
}

#[test]
fn a_job_does_not_expire_before_its_deadline_has_passed() {
    test(|| {
        let (id, claimed) = (submitted(), claimed());
        at(21);
        for job in [id, claimed] {
            assert_noop!(expire(other(), job), Error::<Test>::DeadlineNotPassed);
        }
        assert_noop!(expire(other(), 7), Error::<Test>::UnknownJob);
    });
}

#[test]
fn a_settled_job_does_not_expire() {
    test(|| {
        let paid = claimed();
        assert_ok!(answer(paid, worker()).submit(worker()));
        let cancelled = submitted();
        assert_ok!(cancel(requester(), cancelled));
        let expired = submitted();
        at(22);
        assert_ok!(expire(other(), expired));
        for job in [paid, cancelled, expired] {
            assert_noop!(expire(other(), job), Error::<Test>::AlreadySettled);
        }
    });
}

#[test]
fn the_requester_removes_a_settled_job_with_its_result() {
    test(|| {
        let id = claimed();
        assert_ok!(answer(id, worker()).submit(worker()));
        assert_ok!(remove(requester(), id));
        assert!(!Jobs::<Test>::contains_key(id) && !Results::<Test>::contains_key(id));
        assert_eq!(free(&requester()), ENDOWMENT - 2_000);
        System::assert_last_event(Event::JobRemoved { job: id }.into());
        assert_noop!(remove(requester(), id), Error::<Test>::UnknownJob);
    });
}

#[test]
fn anyone_removes_a_settled_job_once_the_retention_is_over() {
    test(|| {
        let id = submitted();
        at(3);
        assert_ok!(cancel(requester(), id));
        at(3 + RETENTION);
        assert_noop!(remove(other(), id), Error::<Test>::RetentionNotOver);
        at(4 + RETENTION);
        assert_ok!(remove(other(), id));
        assert_eq!(free(&requester()), ENDOWMENT);
        assert_eq!(free(&other()), ENDOWMENT);
    });
}

#[test]
fn an_open_job_is_not_removed() {
    test(|| {
        let (id, claimed) = (submitted(), claimed());
        at(1_000);
        for job in [id, claimed] {
            assert_noop!(remove(requester(), job), Error::<Test>::NotSettled);
        }
    });
}

#[test]
fn ending_a_job_needs_a_signature() {
    test(|| {
        let id = claimed();
        let origin = RuntimeOrigin::root;
        for result in [
            Market::release_job(origin(), id),
            Market::cancel_job(origin(), id),
            Market::expire_job(origin(), id),
            Market::remove_job(origin(), id),
            Market::rescue(origin(), id),
            Market::finalise(origin(), id),
            Market::rate(origin(), id, 5),
        ] {
            assert_eq!(result, Err(DispatchError::BadOrigin));
        }
    });
}

#[test]
fn the_longer_a_job_was_kept_the_more_it_costs_to_give_it_back() {
    test(|| {
        // From a tenth to four tenths of 1,000 over the term of 10 blocks, and no more after it.
        for (kept, cut) in [(0, 100), (5, 250), (10, 400), (13, 400)] {
            at(1);
            let id = claimed();
            at(1 + kept);
            let before = stake(&worker());
            assert_ok!(release(worker(), id));
            assert_eq!(before - stake(&worker()), cut, "{kept}");
        }
    });
}

#[test]
fn the_requester_rates_a_paid_job_once() {
    test(|| {
        let id = claimed();
        let rate = |who, id, stars| Market::rate(RuntimeOrigin::signed(who), id, stars);
        assert_noop!(rate(requester(), id, 5), Error::<Test>::NotPaid);
        assert_ok!(answer(id, other()).submit(worker()));
        assert_noop!(rate(worker(), id, 5), Error::<Test>::NotRequester);
        for stars in [0, 6] {
            assert_noop!(rate(requester(), id, stars), Error::<Test>::InvalidStars);
        }
        assert_ok!(rate(requester(), id, 4));
        let expected = [ReputationReason::JobCompleted, ReputationReason::Rated(4)];
        assert_eq!(notes(&worker()), expected);
        System::assert_last_event(Event::JobRated { job: id, stars: 4 }.into());
        assert_noop!(rate(requester(), id, 4), Error::<Test>::AlreadyRated);
        assert_noop!(rate(requester(), 7, 4), Error::<Test>::UnknownJob);
    });
}
