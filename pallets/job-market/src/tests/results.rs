use crate::{
    mock::*, Auction, Error, Event, HoldReason, JobSpec, JobState, RefusalReason, Verification,
    WeightInfo, Workload,
};
use ciro_primitives::{input_commitment, output_hash, JobId, ModelId, MAX_BATCH};
use ciro_zkml_air::MAX_BINDING;
use frame_support::{
    assert_noop, assert_ok,
    dispatch::{GetDispatchInfo, Pays},
};
use pallet_reputation::ReputationReason;
use pallet_slashing::OffenceKind;
use sp_core::H256;
use sp_runtime::DispatchError;

/// A job of so many samples, which [`worker`] has claimed.
fn claimed_of(requester: AccountId, batch: u32) -> JobId {
    let price = Auction::fixed(Balance::from(batch) * 1_000);
    let spec = JobSpec {
        batch,
        price,
        input_commitment: H256(input_commitment(batch, &input(batch))),
        ..request()
    };
    assert_ok!(submit(requester, spec));
    let id = crate::NextJobId::<Test>::get() - 1;
    assert_ok!(claim(worker(), id));
    id
}

/// Three jobs of 2, 1 and 3 samples, of two requesters; who requests none is paid.
fn three() -> [JobId; 3] {
    [
        claimed_of(requester(), 2),
        claimed_of(other(), 1),
        claimed_of(requester(), 3),
    ]
}

fn payee() -> AccountId {
    nobody()
}

#[test]
fn one_proof_pays_every_job_and_costs_no_fee() {
    test(|| {
        let jobs = three();
        at(5);
        let result = joint_answer(&jobs, payee()).submit(worker());
        assert_eq!(result.unwrap().pays_fee, Pays::No);
        for (id, batch) in jobs.into_iter().zip([2, 1, 3]) {
            let paid = JobState::Paid {
                workers: vec![worker()].try_into().unwrap(),
                at: 5,
                rated: false,
            };
            assert_eq!(state(id), paid);
            assert_eq!(Market::result(id), Some(output(batch)));
            let completed = Event::JobCompleted {
                job: id,
                worker: worker(),
                output_hash: H256(output_hash(batch, &output(batch))),
            };
            System::assert_has_event(completed.into());
            let price = Balance::from(batch) * 1_000;
            let fee = price / 40;
            let released = Event::PaymentReleased {
                job: id,
                payees: vec![(payee(), price - fee - price / 10)],
                royalty: price / 10,
                fee: fee - fee / 5,
                burned: fee / 5,
            };
            System::assert_has_event(released.into());
        }
        assert_eq!(free(&payee()), 6_000 - 150 - 600);
        assert_eq!(total(&requester()), ENDOWMENT - 5_000);
        assert_eq!(total(&other()), ENDOWMENT - 1_000);
        assert_eq!((stake(&worker()), reserved(&worker())), (STAKE, 0));
        assert_eq!(notes(&worker()), [ReputationReason::JobCompleted; 3]);
        assert!(!Workload::<Test>::contains_key(worker()));
    });
}

#[test]
fn one_job_may_be_all_that_a_proof_for_several_is_for() {
    test(|| {
        let id = claimed();
        assert_ok!(joint_answer(&[id], worker()).submit(worker()));
        assert_eq!(Market::result(id), Some(output(2)));
    });
}

#[test]
fn jobs_of_both_levels_that_have_one_worker_can_be_proven_together() {
    test(|| {
        let unproven = submitted_as(request_with(Verification::None));
        assert_ok!(claim(worker(), unproven));
        let jobs = [unproven, claimed()];
        assert_ok!(joint_answer(&jobs, worker()).submit(worker()));
        assert!(jobs
            .iter()
            .all(|id| matches!(state(*id), JobState::Paid { .. })));
    });
}

#[test]
fn a_refused_proof_burns_half_of_each_jobs_collateral_frees_them_and_opens_one_case() {
    test(|| {
        at(2);
        let late = submitted();
        at(3);
        let early = claimed();
        at(4);
        assert_ok!(claim(worker(), late));
        let jobs = [late, early];
        let issuance = Balances::total_issuance();
        let mut wrong = joint_answer(&jobs, worker());
        wrong.proof[0] ^= 1;
        assert_eq!(wrong.submit(worker()).unwrap().pays_fee, Pays::Yes);
        assert_eq!(Balances::total_issuance(), issuance - 2 * 500);
        let left = (stake(&worker()), reserved(&worker()));
        assert_eq!(left, (STAKE - 2 * 500, 0));
        assert_eq!(
            Cases::get(),
            [(worker(), OffenceKind::InvalidCompute, 3)],
            "the stake answers from the first claim on, once"
        );
        assert_eq!(notes(&worker()), []);
        assert!(!Workload::<Test>::contains_key(worker()));
        assert_eq!(held(HoldReason::Escrow, &requester()), 2 * 2_000);
        for id in jobs {
            assert_eq!(state(id), JobState::Submitted);
            assert_eq!(Market::result(id), None);
            let refused = Event::ResultRefused {
                job: id,
                worker: worker(),
                reason: RefusalReason::Sum,
                cut: 500,
            };
            System::assert_has_event(refused.into());
            assert_ok!(claim(other(), id));
            assert_ok!(answer(id, other()).submit(other()));
        }
    });
}

/// Whether the chain takes what is submitted for a proof, and finds that it is none.
fn is_refused(answer: &JointAnswer) -> bool {
    let refused = answer.submit(worker()).unwrap().pays_fee == Pays::Yes;
    assert!(answer.jobs.iter().all(|id| {
        let free = state(*id) == JobState::Submitted;
        free == refused && Market::result(*id).is_none() == refused
    }));
    refused
}

#[test]
fn a_proof_for_the_same_jobs_in_another_order_is_refused() {
    test(|| {
        // The batches are alike, so that nothing but the order tells the two apart.
        let (first, second) = (claimed(), claimed());
        let reordered = JointAnswer {
            jobs: vec![second, first],
            ..joint_answer(&[first, second], worker())
        };
        assert!(is_refused(&reordered));
    });
}

#[test]
fn a_proof_for_other_jobs_is_refused() {
    test(|| {
        let (first, second, third) = (claimed(), claimed(), claimed());
        let reused = JointAnswer {
            jobs: vec![first, third],
            ..joint_answer(&[first, second], worker())
        };
        assert!(is_refused(&reused));
    });
}

#[test]
fn a_proof_for_several_jobs_is_none_for_one_of_them_and_the_other_way_round() {
    test(|| {
        let (first, second) = (claimed(), claimed());
        let one = answer(first, worker());
        let as_list = JointAnswer {
            proof: one.proof,
            ..joint_answer(&[first], worker())
        };
        assert!(is_refused(&as_list));
        let as_one = Answer {
            proof: joint_answer(&[second], worker()).proof,
            ..answer(second, worker())
        };
        assert_eq!(as_one.submit(worker()).unwrap().pays_fee, Pays::Yes);
        assert_eq!(state(second), JobState::Submitted);
    });
}

#[test]
fn a_proof_for_another_payee_or_chain_or_of_another_output_is_refused() {
    test(|| {
        let jobs = || [claimed(), claimed()];
        let stolen = JointAnswer {
            payee: worker(),
            ..joint_answer(&jobs(), other())
        };
        assert!(is_refused(&stolen));
        let mut wrong = joint_answer(&jobs(), worker());
        wrong.output[7] += 1;
        assert!(is_refused(&wrong));
        let foreign = joint_answer(&jobs(), worker());
        frame_system::BlockHash::<Test>::insert(0, H256::repeat_byte(0xbb));
        assert!(is_refused(&foreign));
    });
}

#[test]
fn no_job_is_named_twice() {
    test(|| {
        let (first, second) = (claimed(), claimed());
        for jobs in [[first, first, second], [first, second, first]] {
            assert_noop!(
                joint_answer(&jobs, worker()).submit(worker()),
                Error::<Test>::DuplicateJob
            );
        }
        assert_ok!(joint_answer(&[first, second], worker()).submit(worker()));
    });
}

#[test]
fn nothing_happens_unless_a_result_of_the_caller_is_taken_for_every_job() {
    test(|| {
        let good = claimed();
        let refused = |last: JobId, error: Error<Test>| {
            let mut answer = joint_answer(&[good, good], worker());
            answer.jobs[1] = last;
            assert_noop!(answer.submit(worker()), error);
        };
        refused(7, Error::<Test>::UnknownJob);
        let free = submitted();
        refused(free, Error::<Test>::NotAssignedToCaller);
        assert_ok!(claim(other(), free));
        refused(free, Error::<Test>::NotAssignedToCaller);
        let settled = claimed();
        assert_ok!(answer(settled, worker()).submit(worker()));
        refused(settled, Error::<Test>::NotAssignedToCaller);
        let short = submitted_as(JobSpec {
            duration: MIN_DURATION,
            ..request()
        });
        assert_ok!(claim(worker(), short));
        at(2 + MIN_DURATION);
        refused(short, Error::<Test>::DeadlinePassed);
        assert_ok!(joint_answer(&[good], worker()).submit(worker()));
    });
}

#[test]
fn one_proof_is_of_one_model() {
    test(|| {
        let model = register(key(2));
        let foreign = submitted_as(JobSpec { model, ..request() });
        assert_ok!(claim(worker(), foreign));
        let jobs = [claimed(), foreign];
        assert_ne!(model, ModelId(key(1).id()));
        assert_noop!(
            joint_answer(&jobs, worker()).submit(worker()),
            Error::<Test>::DifferentModels
        );
    });
}

#[test]
fn the_samples_of_all_jobs_are_as_many_as_a_proof_holds_and_at_least_one() {
    test(|| {
        let jobs = [31, 31, 2, 1].map(|batch| claimed_of(requester(), batch));
        assert_noop!(
            joint_answer(&jobs, worker()).submit(worker()),
            Error::<Test>::InvalidBatch
        );
        assert_noop!(
            joint_answer(&[], worker()).submit(worker()),
            Error::<Test>::InvalidBatch
        );
        assert_ok!(joint_answer(&jobs[..3], worker()).submit(worker()));
    });
}

#[test]
fn a_proof_can_be_bound_to_as_many_jobs_as_it_has_samples() {
    test(|| {
        let binding = Market::joint_binding(&[JobId::MAX; MAX_BATCH as usize], worker());
        assert!(binding.len() <= MAX_BINDING, "{} bytes", binding.len());
    });
}

#[test]
fn a_malformed_answer_leaves_every_job_as_it_is() {
    test(|| {
        let good = joint_answer(&three(), worker());
        let refused = |change: &dyn Fn(&mut JointAnswer), error: Error<Test>| {
            let mut bad = good.clone();
            change(&mut bad);
            assert_noop!(bad.submit(worker()), error);
        };
        refused(
            &|bad| bad.input.truncate(23),
            Error::<Test>::WrongInputLength,
        );
        refused(&|bad| bad.input.push(0), Error::<Test>::WrongInputLength);
        refused(
            &|bad| bad.output.truncate(11),
            Error::<Test>::WrongOutputLength,
        );
        refused(&|bad| bad.output.push(0), Error::<Test>::WrongOutputLength);
        for at in [0, 8, 12, 23] {
            refused(&|bad| bad.input[at] += 1, Error::<Test>::InputMismatch);
        }
        // The jobs' inputs are the right ones, but not in the jobs' order.
        refused(
            &|bad| bad.input.rotate_left(8),
            Error::<Test>::InputMismatch,
        );
        assert_ok!(good.submit(worker()));
    });
}

#[test]
fn answering_several_jobs_needs_a_signature() {
    test(|| {
        let id = claimed();
        assert_noop!(
            Market::submit_results(
                RuntimeOrigin::none(),
                vec![id].try_into().unwrap(),
                worker(),
                Default::default(),
                Default::default(),
                Default::default()
            ),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn the_weight_of_a_joint_answer_is_that_of_its_proof_and_of_each_job() {
    let weight = |jobs: usize| {
        let call = crate::Call::<Test>::submit_results {
            jobs: vec![0; jobs].try_into().unwrap(),
            payee: worker(),
            input: vec![0; 20].try_into().unwrap(),
            output: vec![0; 3].try_into().unwrap(),
            proof: vec![0; 1000].try_into().unwrap(),
        };
        call.get_dispatch_info().call_weight
    };
    type W = crate::weights::SubstrateWeight<Test>;
    for jobs in [1, 2, 64] {
        let expected = W::submit_result(1000, 20, 3) + W::settle_jobs(jobs as u32);
        assert_eq!(weight(jobs), expected);
    }
    assert!(weight(2).all_gt(weight(1)));
}
