//! Answers without a proof, and what becomes of them when they are disputed.

use crate::{mock::*, Error, Event, HoldReason, Input, JobState, Output, Proof, Verification};
use ciro_primitives::{output_hash, JobId};
use frame_support::{
    assert_noop, assert_ok,
    dispatch::{DispatchResultWithPostInfo, Pays},
    traits::fungible::MutateFreeze,
};
use pallet_reputation::ReputationReason;
use pallet_slashing::OffenceKind;
use sp_core::H256;
use sp_runtime::{DispatchError, DispatchResult, TokenError};

/// A challenger who is not a worker.
fn challenger() -> AccountId {
    account(9)
}

fn say(who: AccountId, job: JobId, output: Vec<i32>) -> DispatchResult {
    let output = output.try_into().unwrap();
    Market::submit_answer(RuntimeOrigin::signed(who.clone()), job, who, output)
}

fn dispute(who: AccountId, job: JobId) -> DispatchResult {
    Market::dispute(RuntimeOrigin::signed(who), job)
}

fn finalise(job: JobId) -> DispatchResult {
    Market::finalise(RuntimeOrigin::signed(account(9)), job)
}

fn prove(who: AccountId, answer: Answer) -> DispatchResultWithPostInfo {
    let input: Vec<u8> = answer.input.iter().map(|value| *value as u8).collect();
    Market::submit_proof(
        RuntimeOrigin::signed(who),
        answer.job,
        answer.payee,
        Input::try_from(input).unwrap(),
        Output::try_from(answer.output).unwrap(),
        Proof::try_from(answer.proof).unwrap(),
    )
}

fn claimed_plain() -> JobId {
    let id = submitted_as(request_with(Verification::None));
    assert_ok!(claim(worker(), id));
    id
}

fn answered(output: Vec<i32>) -> JobId {
    let id = claimed_plain();
    at(3);
    assert_ok!(say(worker(), id, output));
    id
}

/// Answered in block 3 and disputed in block 5.
fn disputed(output: Vec<i32>) -> JobId {
    let id = answered(output);
    at(5);
    assert_ok!(dispute(challenger(), id));
    id
}

fn wrong() -> Vec<i32> {
    vec![7; 4]
}

#[test]
fn an_answer_waits_for_disputes_and_its_worker_has_its_hands_free() {
    test(|| {
        let id = answered(output(2));
        assert_eq!(Market::result(id), Some(output(2)));
        assert!(matches!(state(id), JobState::Answered { until: 18, .. }));
        assert_eq!(reserved(&worker()), 1_000);
        assert_eq!(crate::Workload::<Test>::get(worker()), 0);
        System::assert_last_event(
            Event::JobAnswered {
                job: id,
                worker: worker(),
                output_hash: H256(output_hash(2, &output(2))),
                until: 18,
            }
            .into(),
        );
    });
}

#[test]
fn an_undisputed_answer_is_paid_once_the_period_is_over() {
    test(|| {
        let id = answered(wrong());
        at(18);
        assert_noop!(finalise(id), Error::<Test>::PeriodNotOver);
        at(19);
        assert_noop!(dispute(other(), id), Error::<Test>::PeriodOver);
        assert_ok!(finalise(id));
        assert_eq!(free(&worker()), ENDOWMENT + 1_750);
        assert_eq!(reserved(&worker()), 0);
        assert_eq!(notes(&worker()), [ReputationReason::JobCompleted]);
        assert_eq!(Market::result(id), Some(wrong()));
        assert_noop!(finalise(id), Error::<Test>::NothingToFinalise);
    });
}

#[test]
fn only_a_job_that_asks_for_no_proof_takes_an_answer_and_only_its_workers() {
    test(|| {
        let proven = claimed();
        assert_noop!(
            say(worker(), proven, output(2)),
            Error::<Test>::AnswerNotTaken
        );
        let id = claimed_plain();
        assert_noop!(
            say(other(), id, output(2)),
            Error::<Test>::NotAssignedToCaller
        );
        assert_noop!(
            say(worker(), id, vec![0; 3]),
            Error::<Test>::WrongOutputLength
        );
        assert_noop!(say(worker(), 7, output(2)), Error::<Test>::UnknownJob);
        at(22);
        assert_noop!(say(worker(), id, output(2)), Error::<Test>::DeadlinePassed);
    });
}

#[test]
fn a_proof_settles_a_job_that_asks_for_none() {
    test(|| {
        let id = claimed_plain();
        assert_ok!(answer(id, worker()).submit(worker()));
        assert_eq!(free(&worker()), ENDOWMENT + 1_750);
    });
}

#[test]
fn an_answered_job_neither_expires_nor_is_cancelled_or_given_back() {
    test(|| {
        for id in [answered(output(2)), disputed(output(2))] {
            at(22);
            let who = RuntimeOrigin::signed;
            assert_noop!(
                Market::expire_job(who(other()), id),
                Error::<Test>::AlreadyAnswered
            );
            assert_noop!(
                Market::cancel_job(who(requester()), id),
                Error::<Test>::NotSubmitted
            );
            assert_noop!(
                Market::release_job(who(worker()), id),
                Error::<Test>::NotAssignedToCaller
            );
            assert_noop!(claim(other(), id), Error::<Test>::NotSubmitted);
            assert_noop!(
                Market::remove_job(who(requester()), id),
                Error::<Test>::NotSettled
            );
        }
    });
}

#[test]
fn a_dispute_holds_the_challengers_fee() {
    test(|| {
        let id = disputed(output(2));
        assert_eq!(held(HoldReason::DisputeFee, &challenger()), DISPUTE_FEE);
        assert!(matches!(state(id), JobState::Disputed { until: 12, .. }));
        System::assert_last_event(
            Event::AnswerDisputed {
                job: id,
                challenger: challenger(),
                until: 12,
            }
            .into(),
        );
        assert_noop!(dispute(other(), id), Error::<Test>::NotAnswered);
    });
}

#[test]
fn only_an_answer_is_disputed_by_who_can_pay_the_fee() {
    test(|| {
        let id = answered(output(2));
        assert_noop!(dispute(nobody(), id), TokenError::FundsUnavailable);
        assert_ok!(Balances::set_freeze(&FREEZE, &other(), ENDOWMENT));
        assert_noop!(dispute(other(), id), TokenError::Frozen);
        let unanswered = claimed_plain();
        assert_noop!(dispute(requester(), unanswered), Error::<Test>::NotAnswered);
        assert_noop!(dispute(requester(), 7), Error::<Test>::UnknownJob);
    });
}

#[test]
fn a_proof_of_the_answer_wins_price_and_fee_whoever_brings_it() {
    test(|| {
        let id = disputed(output(2));
        let owner = free(&challenger());
        let info = prove(other(), answer(id, other())).unwrap();
        assert_eq!(info.pays_fee, Pays::No);
        assert!(matches!(state(id), JobState::Paid { .. }));
        assert_eq!(free(&worker()), ENDOWMENT + 1_750 + DISPUTE_FEE);
        // The challenger, who owns the model here, gets the royalty.
        assert_eq!(free(&challenger()), owner + 200);
        assert_eq!(held(HoldReason::DisputeFee, &challenger()), 0);
        assert_eq!((stake(&worker()), reserved(&worker())), (STAKE, 0));
        assert_eq!(notes(&worker()), [ReputationReason::JobCompleted]);
        assert_eq!(Market::result(id), Some(output(2)));
    });
}

#[test]
fn a_proof_of_another_output_convicts_the_worker() {
    test(|| {
        let before = free(&challenger());
        let id = disputed(wrong());
        let info = prove(other(), answer(id, other())).unwrap();
        assert_eq!(info.pays_fee, Pays::No);
        assert_eq!(state(id), JobState::Failed { at: 5 });
        assert_eq!((stake(&worker()), reserved(&worker())), (STAKE - 1_000, 0));
        assert_eq!(free(&challenger()), before + 500);
        assert_eq!(total(&requester()), ENDOWMENT + 500);
        assert_eq!(held(HoldReason::Escrow, &requester()), 0);
        assert_eq!(Cases::get(), [(worker(), OffenceKind::InvalidCompute, 1)]);
        assert_eq!(Market::result(id), None);
        System::assert_last_event(
            Event::JobFailed {
                job: id,
                cut: 1_000,
            }
            .into(),
        );
    });
}

#[test]
fn an_answer_that_nobody_proves_in_time_is_lost() {
    test(|| {
        let before = free(&challenger());
        let id = disputed(output(2));
        at(12);
        assert_noop!(finalise(id), Error::<Test>::PeriodNotOver);
        at(13);
        assert_noop!(
            prove(worker(), answer(id, worker())),
            Error::<Test>::PeriodOver
        );
        assert_ok!(finalise(id));
        assert_eq!(state(id), JobState::Failed { at: 13 });
        assert_eq!((stake(&worker()), reserved(&worker())), (STAKE - 1_000, 0));
        assert_eq!(free(&challenger()), before + 500);
        assert_eq!(total(&requester()), ENDOWMENT + 500);
        assert_eq!(notes(&worker()), [ReputationReason::DisputeLost]);
        assert_eq!(Cases::get(), []);
        assert_eq!(Market::result(id), None);
        assert_ok!(Market::remove_job(RuntimeOrigin::signed(requester()), id));
    });
}

#[test]
fn a_worker_who_disputes_its_own_answer_saves_half_its_collateral_at_most() {
    test(|| {
        let id = answered(wrong());
        assert_ok!(dispute(worker(), id));
        at(11);
        assert_ok!(finalise(id));
        assert_eq!(stake(&worker()), STAKE - 1_000);
        assert_eq!(free(&worker()), ENDOWMENT + 500);
    });
}

#[test]
fn a_proof_that_does_not_hold_decides_nothing() {
    test(|| {
        let id = disputed(output(2));
        let mut bad = answer(id, other());
        bad.proof[0] ^= 1;
        assert_noop!(prove(other(), bad), Error::<Test>::InvalidProof);
        let copied = Answer {
            payee: other(),
            ..answer(id, worker())
        };
        assert_noop!(prove(other(), copied), Error::<Test>::InvalidProof);
    });
}

#[test]
fn a_malformed_proof_is_refused() {
    test(|| {
        let id = disputed(output(2));
        let refused = |change: &dyn Fn(&mut Answer), error: Error<Test>| {
            let mut bad = answer(id, other());
            change(&mut bad);
            assert_noop!(prove(other(), bad), error);
        };
        refused(&|bad| bad.input.push(0), Error::<Test>::WrongInputLength);
        refused(&|bad| bad.output.push(0), Error::<Test>::WrongOutputLength);
        refused(&|bad| bad.input[3] += 1, Error::<Test>::InputMismatch);
    });
}

#[test]
fn a_proof_is_taken_only_in_a_dispute() {
    test(|| {
        let id = answered(output(2));
        assert_noop!(
            prove(worker(), answer(id, worker())),
            Error::<Test>::NotDisputed
        );
        let unknown = Answer {
            job: 7,
            ..answer(id, worker())
        };
        assert_noop!(prove(worker(), unknown), Error::<Test>::UnknownJob);
    });
}

#[test]
fn answering_and_disputing_need_a_signature() {
    test(|| {
        let root = RuntimeOrigin::root;
        let answer = Market::submit_answer(root(), 0, worker(), Default::default());
        assert_eq!(answer, Err(DispatchError::BadOrigin));
        assert_eq!(Market::dispute(root(), 0), Err(DispatchError::BadOrigin));
        let (input, output) = Default::default();
        let proof = Market::submit_proof(root(), 0, worker(), input, output, Proof::default());
        assert_eq!(proof.unwrap_err().error, DispatchError::BadOrigin);
    });
}
