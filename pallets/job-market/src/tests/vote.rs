//! Redundant jobs: seats, commitments, outputs and the count.

use crate::{
    mock::*, state, Auction, Error, Event, HoldReason, JobSpec, JobState, Revealed, Verification,
    Workload,
};
use ciro_primitives::{answer_commitment, output_hash, JobId};
use frame_support::{assert_noop, assert_ok};
use pallet_reputation::ReputationReason;
use sp_core::H256;
use sp_runtime::{DispatchError, DispatchResult};

/// The worker who takes the nth seat.
fn seat(nth: u8) -> AccountId {
    account(100 + nth)
}

fn salt(nth: u8) -> [u8; 32] {
    [nth; 32]
}

fn wrong() -> Vec<i32> {
    vec![7; 4]
}

fn shared(seats: u8) -> JobId {
    for nth in 0..seats {
        enrol(&seat(nth), 10_000);
    }
    submitted_as(request_with(Verification::Redundant(seats)))
}

/// A job whose seats were all taken in block 1.
fn full(seats: u8) -> JobId {
    let id = shared(seats);
    for nth in 0..seats {
        assert_ok!(claim(seat(nth), id));
    }
    id
}

fn commit(nth: u8, job: JobId, output: &[i32]) -> DispatchResult {
    let commitment = answer_commitment(&output_hash(2, output), &salt(nth), &seat(nth).into());
    Market::commit(RuntimeOrigin::signed(seat(nth)), job, H256(commitment))
}

fn reveal(nth: u8, job: JobId, output: Vec<i32>) -> DispatchResult {
    let output = output.try_into().unwrap();
    Market::reveal(RuntimeOrigin::signed(seat(nth)), job, output, salt(nth))
}

fn finalise(job: JobId) -> DispatchResult {
    Market::finalise(RuntimeOrigin::signed(other()), job)
}

/// Has every worker commit to and reveal its output.
fn vote(job: JobId, outputs: &[Vec<i32>]) {
    for (nth, output) in (0..).zip(outputs) {
        assert_ok!(commit(nth, job, output));
    }
    for (nth, output) in (0..).zip(outputs) {
        assert_ok!(reveal(nth, job, output.clone()));
    }
}

#[test]
fn seats_are_taken_one_by_one_with_collateral_for_a_share_each() {
    test(|| {
        let id = shared(3);
        assert_ok!(claim(seat(0), id));
        // Half of a third of 2,000 is below the least collateral.
        assert_eq!(reserved(&seat(0)), MIN_COLLATERAL);
        System::assert_last_event(
            Event::SeatTaken {
                job: id,
                worker: seat(0),
                collateral: MIN_COLLATERAL,
            }
            .into(),
        );
        assert_noop!(claim(seat(0), id), Error::<Test>::AlreadyAssigned);
        assert_ok!(claim(seat(1), id));
        assert!(matches!(state(id), JobState::Gathering { .. }));
        at(4);
        assert_ok!(claim(seat(2), id));
        assert!(matches!(
            state(id),
            JobState::Voting {
                commit_by: 14,
                reveal_by: 20,
                ..
            }
        ));
        System::assert_last_event(
            Event::JobClaimed {
                job: id,
                worker: seat(2),
                price: 2_000,
                collateral: MIN_COLLATERAL,
                answer_by: 14,
            }
            .into(),
        );
        assert_noop!(claim(other(), id), Error::<Test>::NotSubmitted);
    });
}

#[test]
fn however_late_the_last_seat_is_taken_everyone_has_a_full_term_to_commit() {
    test(|| {
        let id = shared(3);
        assert_ok!(claim(seat(0), id));
        assert_ok!(claim(seat(1), id));
        at(20);
        assert_ok!(claim(seat(2), id));
        at(30);
        for nth in 0..3 {
            assert_ok!(commit(nth, id, &output(2)));
            assert_eq!(reserved(&seat(nth)), MIN_COLLATERAL);
        }
    });
}

#[test]
fn the_last_seat_fixes_the_price_for_all() {
    test(|| {
        for nth in 0..3 {
            enrol(&seat(nth), 10_000);
        }
        let price = Auction {
            floor: 3_000,
            ceiling: 6_000,
            ramp: 10,
        };
        let id = submitted_as(JobSpec {
            price,
            verification: Verification::Redundant(3),
            ..request()
        });
        assert_ok!(claim(seat(0), id));
        assert_eq!(reserved(&seat(0)), 1_000);
        at(3);
        assert_ok!(claim(seat(1), id));
        assert_eq!(Market::price_now(id), Some(3_600));
        assert_eq!(held(HoldReason::Escrow, &requester()), 6_000);
        at(6);
        assert_ok!(claim(seat(2), id));
        assert_eq!(held(HoldReason::Escrow, &requester()), 4_500);
        assert_eq!(reserved(&seat(2)), 1_000);
    });
}

#[test]
fn workers_who_agree_share_the_price_and_the_first_gets_the_remainder() {
    test(|| {
        let id = full(3);
        vote(id, &[output(2), output(2), output(2)]);
        assert_ok!(finalise(id));
        // 1,750 after fee and royalty.
        let payees = vec![(seat(0), 584), (seat(1), 583), (seat(2), 583)];
        for (who, amount) in &payees {
            assert_eq!(free(who), *amount);
            assert_eq!((stake(who), reserved(who)), (10_000, 0));
            assert_eq!(notes(who), [ReputationReason::JobCompleted]);
            assert_eq!(Workload::<Test>::get(who), 0);
        }
        System::assert_last_event(
            Event::PaymentReleased {
                job: id,
                payees,
                royalty: 200,
                fee: 40,
                burned: 10,
            }
            .into(),
        );
        assert_eq!(Market::result(id), Some(output(2)));
        assert!(Revealed::<Test>::iter().next().is_none());
        assert_ok!(Market::rate(RuntimeOrigin::signed(requester()), id, 5));
        assert_eq!(notes(&seat(2)).last(), Some(&ReputationReason::Rated(5)));
    });
}

#[test]
fn dissenters_lose_collateral_and_reputation_but_no_case_is_opened() {
    test(|| {
        let id = full(4);
        vote(id, &[wrong(), output(2), output(2), output(2)]);
        assert_ok!(finalise(id));
        assert_eq!(Market::result(id), Some(output(2)));
        assert_eq!(free(&seat(0)), 0);
        assert_eq!((stake(&seat(0)), reserved(&seat(0))), (10_000 - 280, 0));
        assert_eq!(notes(&seat(0)), [ReputationReason::DisputeLost]);
        assert_eq!(free(&seat(1)), 584);
        assert_eq!(total(&requester()), ENDOWMENT - 2_000 + 280);
        assert_eq!(Cases::get(), []);
        assert!(Revealed::<Test>::iter().next().is_none());
    });
}

#[test]
fn silent_workers_lose_collateral_and_do_not_keep_the_others_waiting_for_good() {
    test(|| {
        let id = full(4);
        for nth in 0..3 {
            assert_ok!(commit(nth, id, &output(2)));
        }
        at(11);
        assert_noop!(reveal(0, id, output(2)), Error::<Test>::OutputNotTaken);
        at(12);
        for nth in 0..3 {
            assert_ok!(reveal(nth, id, output(2)));
        }
        // The fourth can commit no more, so that nobody is left to wait for.
        assert_ok!(finalise(id));
        assert_eq!(notes(&seat(3)), [ReputationReason::JobTimedOut]);
        assert_eq!((stake(&seat(3)), reserved(&seat(3))), (10_000 - 280, 0));
        assert_eq!(free(&seat(0)), 584);
    });
}

#[test]
fn without_agreement_the_requester_has_the_price_back_and_only_the_silent_pay() {
    test(|| {
        let id = full(3);
        assert_ok!(commit(0, id, &output(2)));
        assert_ok!(commit(1, id, &output(2)));
        assert_ok!(commit(2, id, &wrong()));
        assert_ok!(reveal(0, id, output(2)));
        assert_ok!(reveal(2, id, wrong()));
        at(17);
        assert_noop!(finalise(id), Error::<Test>::PeriodNotOver);
        at(18);
        assert_noop!(reveal(1, id, output(2)), Error::<Test>::PeriodOver);
        assert_ok!(finalise(id));
        assert_eq!(state(id), JobState::Failed { at: 18 });
        assert_eq!(stake(&seat(0)), 10_000);
        assert_eq!(stake(&seat(2)), 10_000);
        assert_eq!(stake(&seat(1)), 10_000 - 280);
        assert_eq!(notes(&seat(0)), []);
        assert_eq!(notes(&seat(1)), [ReputationReason::JobTimedOut]);
        assert_eq!(total(&requester()), ENDOWMENT + 280);
        assert_eq!(held(HoldReason::Escrow, &requester()), 0);
        assert_eq!(Market::result(id), None);
        assert!(Revealed::<Test>::iter().next().is_none());
        System::assert_last_event(Event::JobFailed { job: id, cut: 280 }.into());
    });
}

#[test]
fn seven_tenths_of_the_seats_rounded_up_must_agree() {
    let expected = [3, 3, 4, 5, 5, 6, 7, 7];
    assert_eq!((3..=10).map(state::quorum).collect::<Vec<_>>(), expected);
    test(|| {
        let id = full(10);
        let mut outputs = vec![output(2); 6];
        outputs.extend(vec![wrong(); 4]);
        vote(id, &outputs);
        assert_ok!(finalise(id));
        assert!(matches!(self::state(id), JobState::Failed { .. }));
    });
}

#[test]
fn a_worker_commits_once_in_time_and_only_from_a_seat() {
    test(|| {
        let gathering = shared(3);
        assert_ok!(claim(seat(0), gathering));
        assert_noop!(commit(0, gathering, &output(2)), Error::<Test>::NotVoting);
        assert_noop!(reveal(0, gathering, output(2)), Error::<Test>::NotVoting);
        let id = full(3);
        assert_noop!(
            commit(9, id, &output(2)),
            Error::<Test>::NotAssignedToCaller
        );
        assert_ok!(commit(0, id, &output(2)));
        assert_noop!(commit(0, id, &wrong()), Error::<Test>::CommitmentNotTaken);
        at(11);
        assert_ok!(commit(1, id, &output(2)));
        at(12);
        assert_noop!(commit(2, id, &output(2)), Error::<Test>::CommitmentNotTaken);
        assert_noop!(commit(2, 7, &output(2)), Error::<Test>::UnknownJob);
    });
}

#[test]
fn an_output_is_revealed_once_and_as_committed_to() {
    test(|| {
        let id = full(3);
        for nth in 0..3 {
            assert_ok!(commit(nth, id, &output(2)));
        }
        assert_noop!(reveal(0, id, wrong()), Error::<Test>::CommitmentMismatch);
        assert_noop!(reveal(0, id, vec![0; 3]), Error::<Test>::WrongOutputLength);
        assert_noop!(reveal(9, id, output(2)), Error::<Test>::NotAssignedToCaller);
        let salted = Market::reveal(
            RuntimeOrigin::signed(seat(0)),
            id,
            output(2).try_into().unwrap(),
            salt(1),
        );
        assert_eq!(salted, Err(Error::<Test>::CommitmentMismatch.into()));
        assert_ok!(reveal(0, id, output(2)));
        assert_noop!(reveal(0, id, output(2)), Error::<Test>::OutputNotTaken);
        assert_noop!(reveal(0, 7, output(2)), Error::<Test>::UnknownJob);
    });
}

#[test]
fn a_copied_commitment_cannot_be_opened() {
    test(|| {
        let id = full(3);
        let hash = output_hash(2, &output(2));
        let copied = H256(answer_commitment(&hash, &salt(0), &seat(0).into()));
        for nth in 0..3 {
            assert_ok!(Market::commit(RuntimeOrigin::signed(seat(nth)), id, copied));
        }
        assert_ok!(reveal(0, id, output(2)));
        let copy = output(2).try_into().unwrap();
        assert_noop!(
            Market::reveal(RuntimeOrigin::signed(seat(1)), id, copy, salt(0)),
            Error::<Test>::CommitmentMismatch
        );
    });
}

#[test]
fn a_seat_is_given_back_until_all_are_taken() {
    test(|| {
        let id = shared(3);
        let leave = |nth, id| Market::release_job(RuntimeOrigin::signed(seat(nth)), id);
        assert_ok!(claim(seat(0), id));
        assert_ok!(claim(seat(1), id));
        assert_noop!(leave(2, id), Error::<Test>::NotAssignedToCaller);
        assert_ok!(leave(0, id));
        assert_eq!((stake(&seat(0)), reserved(&seat(0))), (10_000 - 70, 0));
        at(22);
        assert_noop!(leave(1, id), Error::<Test>::DeadlinePassed);
        at(21);
        assert_ok!(leave(1, id));
        assert_eq!(state(id), JobState::Submitted);

        let full = full(3);
        assert_noop!(leave(0, full), Error::<Test>::NotAssignedToCaller);
    });
}

#[test]
fn a_job_whose_seats_are_not_all_taken_expires_at_nobodys_cost() {
    test(|| {
        let id = shared(3);
        assert_ok!(claim(seat(0), id));
        at(22);
        assert_noop!(claim(seat(1), id), Error::<Test>::DeadlinePassed);
        assert_ok!(Market::expire_job(RuntimeOrigin::signed(other()), id));
        assert_eq!((stake(&seat(0)), reserved(&seat(0))), (10_000, 0));
        assert_eq!(total(&requester()), ENDOWMENT);
        assert_eq!(Workload::<Test>::get(seat(0)), 0);
    });
}

#[test]
fn a_redundant_job_takes_no_single_answer_and_does_not_expire_in_a_vote() {
    test(|| {
        let id = full(3);
        let plain = Market::submit_answer(
            RuntimeOrigin::signed(seat(0)),
            id,
            seat(0),
            output(2).try_into().unwrap(),
        );
        assert_eq!(plain, Err(Error::<Test>::NotAssignedToCaller.into()));
        assert_noop!(
            answer(id, seat(0)).submit(seat(0)),
            Error::<Test>::NotAssignedToCaller
        );
        at(30);
        assert_noop!(
            Market::expire_job(RuntimeOrigin::signed(other()), id),
            Error::<Test>::AlreadyAnswered
        );
        assert_ok!(finalise(id));
    });
}

#[test]
fn voting_needs_a_signature() {
    let root = RuntimeOrigin::root;
    test(|| {
        let commit = Market::commit(root(), 0, H256::zero());
        assert_eq!(commit, Err(DispatchError::BadOrigin));
        let reveal = Market::reveal(root(), 0, Default::default(), [0; 32]);
        assert_eq!(reveal, Err(DispatchError::BadOrigin));
    });
}
