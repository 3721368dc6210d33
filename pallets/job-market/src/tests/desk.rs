//! What other pallets see of proven results.

use crate::{
    mock::*, Error, Input, Output, Proof, Proven, ProvenResult, ResultDesk, Run, Verification,
};
use ciro_primitives::{input_commitment, output_hash, JobId, ModelId};
use ciro_zkml_verifier::{Statement, Tensor};
use frame_support::{assert_noop, assert_ok};
use sp_core::H256;
use sp_runtime::{DispatchError, DispatchResult};

const BINDING: &[u8] = b"of another chain's job";

fn expected() -> ProvenResult {
    ProvenResult {
        model: model(),
        input_commitment: H256(input_commitment(2, &input(2))),
        output_hash: H256(output_hash(2, &output(2))),
    }
}

fn answered_plain() -> JobId {
    let id = submitted_as(request_with(Verification::None));
    assert_ok!(claim(worker(), id));
    let said = Output::try_from(output(2)).unwrap();
    let by = RuntimeOrigin::signed(worker());
    assert_ok!(Market::submit_answer(by, id, worker(), said));
    id
}

fn remove(id: JobId) -> DispatchResult {
    Market::remove_job(RuntimeOrigin::signed(requester()), id)
}

/// A run that is proven for [`BINDING`].
fn run() -> Run {
    let (input, output) = (input(2), output(2));
    let statement = Statement {
        binding: BINDING,
        batch: 2,
        input: Tensor::Public(&input),
        output: Tensor::Public(&output),
    };
    let proof = TestVerifier::proof(&key(1), &statement);
    let bytes: Vec<u8> = input.iter().map(|value| *value as u8).collect();
    Run {
        model: model(),
        batch: 2,
        input: Input::try_from(bytes).unwrap(),
        output: Output::try_from(output).unwrap(),
        proof: Proof::try_from(proof).unwrap(),
    }
}

#[test]
fn a_job_that_is_paid_for_a_proof_is_told_of_once() {
    test(|| {
        let id = claimed();
        assert_ok!(answer(id, other()).submit(worker()));
        assert_eq!(Log::get(), [(id, expected().output_hash)]);
        assert_eq!(Market::proven(id), Some(expected()));
        assert_ok!(remove(id));
        assert_eq!(Log::get().len(), 1);
        assert_eq!(Market::proven(id), None);
    });
}

#[test]
fn a_refused_proof_is_not_told_of() {
    test(|| {
        let id = claimed();
        let mut bad = answer(id, worker());
        bad.proof[0] ^= 1;
        assert_ok!(bad.submit(worker()));
        assert_eq!(Log::get(), []);
        assert_eq!(Market::proven(id), None);
    });
}

#[test]
fn a_dispute_won_by_proof_is_told_of_and_remembered_until_the_job_is_removed() {
    test(|| {
        let id = answered_plain();
        assert_eq!(Market::proven(id), None);
        assert_ok!(Market::dispute(RuntimeOrigin::signed(other()), id));
        assert_eq!(Market::proven(id), None);
        let proof = answer(id, other());
        let run = run();
        let by = RuntimeOrigin::signed(other());
        let proof = Proof::try_from(proof.proof).unwrap();
        assert_ok!(Market::submit_proof(
            by,
            id,
            other(),
            run.input,
            run.output,
            proof
        ));
        assert_eq!(Log::get(), [(id, expected().output_hash)]);
        assert_eq!(Market::proven(id), Some(expected()));
        assert_ok!(remove(id));
        assert!(!Proven::<Test>::contains_key(id));
    });
}

#[test]
fn an_answer_that_nobody_disputed_is_paid_but_not_proven() {
    test(|| {
        let id = answered_plain();
        at(1 + CHALLENGE_PERIOD + 1);
        assert_ok!(Market::finalise(RuntimeOrigin::signed(other()), id));
        assert_eq!(Market::result(id), Some(output(2)));
        assert_eq!(Market::proven(id), None);
        assert_eq!(Log::get(), []);
    });
}

#[test]
fn a_dispute_lost_by_proof_is_not_told_of() {
    test(|| {
        let id = submitted_as(request_with(Verification::None));
        assert_ok!(claim(worker(), id));
        let wrong = Output::try_from(vec![7; 4]).unwrap();
        let by = RuntimeOrigin::signed(worker());
        assert_ok!(Market::submit_answer(by, id, worker(), wrong));
        assert_ok!(Market::dispute(RuntimeOrigin::signed(other()), id));
        let (run, proof) = (run(), answer(id, other()).proof);
        let by = RuntimeOrigin::signed(other());
        let proof = Proof::try_from(proof).unwrap();
        assert_ok!(Market::submit_proof(
            by,
            id,
            other(),
            run.input,
            run.output,
            proof
        ));
        assert_eq!(Log::get(), []);
        assert_eq!(Market::proven(id), None);
    });
}

#[test]
fn a_run_that_answers_no_job_is_proven_for_its_binding_alone() {
    test(|| {
        assert_eq!(Market::prove(BINDING, &run()), Ok(expected()));
        assert_noop!(
            Market::prove(b"of yet another", &run()),
            Error::<Test>::InvalidProof
        );
        assert_eq!(Log::get(), []);
    });
}

#[test]
fn a_run_that_does_not_fit_its_model_is_refused() {
    test(|| {
        let refused = |change: &dyn Fn(&mut Run), error: Error<Test>| {
            let mut bad = run();
            change(&mut bad);
            let error: DispatchError = error.into();
            assert_noop!(Market::prove(BINDING, &bad), error);
        };
        refused(&|bad| bad.model = ModelId([0; 32]), Error::UnknownModel);
        refused(&|bad| bad.batch = 0, Error::InvalidBatch);
        refused(&|bad| bad.batch = 65, Error::InvalidBatch);
        refused(&|bad| bad.batch = 1, Error::WrongInputLength);
        refused(
            &|bad| bad.input = Input::truncate_from(vec![0; 7]),
            Error::WrongInputLength,
        );
        refused(
            &|bad| bad.output = Output::truncate_from(vec![0; 3]),
            Error::WrongOutputLength,
        );
        refused(&|bad| bad.input[0] ^= 1, Error::InvalidProof);
        refused(&|bad| bad.output[0] += 1, Error::InvalidProof);
        refused(
            &|bad| bad.proof = Proof::truncate_from(vec![0; 32]),
            Error::InvalidProof,
        );
    });
}
