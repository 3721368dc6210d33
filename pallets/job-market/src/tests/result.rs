use crate::{mock::*, Error, Event, HoldReason, JobState, RefusalReason, WeightInfo};
use ciro_primitives::output_hash;
use frame_support::{
    assert_noop, assert_ok,
    dispatch::{DispatchResultWithPostInfo, GetDispatchInfo, Pays},
    traits::{
        fungible::{Mutate, MutateFreeze, MutateHold},
        tokens::{Fortitude, Precision, Preservation},
    },
};
use pallet_reputation::ReputationReason;
use pallet_slashing::OffenceKind;
use sp_core::H256;
use sp_runtime::DispatchError;

fn pays(result: DispatchResultWithPostInfo) -> Pays {
    result.unwrap().pays_fee
}

#[test]
fn a_proven_result_is_stored_and_paid_and_costs_no_fee() {
    test(|| {
        let id = claimed();
        at(5);
        assert_eq!(pays(answer(id, other()).submit(worker())), Pays::No);
        assert_eq!(Market::result(id), Some(output(2)));
        let paid = JobState::Paid {
            workers: vec![worker()].try_into().unwrap(),
            at: 5,
            rated: false,
        };
        assert_eq!(state(id), paid);
        assert_eq!(free(&other()), ENDOWMENT + 1_750);
        assert_eq!((stake(&worker()), reserved(&worker())), (STAKE, 0));
        assert_eq!(notes(&worker()), [ReputationReason::JobCompleted]);
        assert_eq!(total(&requester()), ENDOWMENT - 2_000);
        assert_eq!(held(HoldReason::Escrow, &requester()), 0);
        assert_eq!(held(HoldReason::JobDeposit, &requester()), job(id).deposit);
        System::assert_has_event(
            Event::JobCompleted {
                job: id,
                worker: worker(),
                output_hash: H256(output_hash(2, &output(2))),
            }
            .into(),
        );
        System::assert_last_event(
            Event::PaymentReleased {
                job: id,
                payees: vec![(other(), 1_750)],
                royalty: 200,
                fee: 40,
                burned: 10,
            }
            .into(),
        );
    });
}

#[test]
fn a_result_is_taken_in_the_block_of_the_deadline() {
    test(|| {
        let id = claimed();
        at(21);
        assert_ok!(answer(id, worker()).submit(worker()));
        assert_eq!(free(&worker()), ENDOWMENT + 1_750);
    });
}

#[test]
fn a_result_after_the_deadline_is_not_taken() {
    test(|| {
        let id = claimed();
        at(22);
        assert_noop!(
            answer(id, worker()).submit(worker()),
            Error::<Test>::DeadlinePassed
        );
    });
}

#[test]
fn an_account_that_does_not_exist_can_be_paid() {
    test(|| {
        let id = claimed();
        assert_ok!(answer(id, nobody()).submit(worker()));
        assert_eq!(free(&nobody()), 1_750);
    });
}

#[test]
fn the_requester_can_be_paid() {
    test(|| {
        let id = claimed();
        assert_ok!(answer(id, requester()).submit(worker()));
        assert_eq!(total(&requester()), ENDOWMENT - 250);
        assert_eq!(held(HoldReason::Escrow, &requester()), 0);
    });
}

#[test]
fn a_requester_who_spent_or_froze_all_the_rest_pays_all_the_same() {
    test(|| {
        let id = claimed();
        assert_ok!(Balances::transfer(
            &requester(),
            &other(),
            ENDOWMENT - 2_000 - job(id).deposit - EXISTENTIAL_DEPOSIT,
            Preservation::Preserve
        ));
        assert_ok!(Balances::set_freeze(&FREEZE, &requester(), ENDOWMENT));
        assert_ok!(answer(id, worker()).submit(worker()));
        assert_eq!(free(&worker()), ENDOWMENT + 1_750);
        assert_eq!(free(&requester()), EXISTENTIAL_DEPOSIT);
    });
}

#[test]
fn a_hold_cut_short_by_root_strands_no_job() {
    test(|| {
        let id = claimed();
        assert_ok!(Balances::burn_held(
            &HoldReason::Escrow.into(),
            &requester(),
            500,
            Precision::Exact,
            Fortitude::Force
        ));
        assert!(Market::do_try_state().is_err());
        assert_ok!(answer(id, worker()).submit(worker()));
        System::assert_last_event(
            Event::PaymentReleased {
                job: id,
                payees: vec![(worker(), 1_250)],
                royalty: 200,
                fee: 40,
                burned: 10,
            }
            .into(),
        );
    });
}

#[test]
fn a_refused_proof_burns_half_the_collateral_frees_the_job_and_costs_a_fee() {
    test(|| {
        let id = claimed();
        let issuance = Balances::total_issuance();
        let mut wrong = answer(id, worker());
        wrong.proof[0] ^= 1;
        assert_eq!(pays(wrong.submit(worker())), Pays::Yes);
        assert_eq!(Balances::total_issuance(), issuance - 500);
        assert_eq!((stake(&worker()), reserved(&worker())), (STAKE - 500, 0));
        assert_eq!(
            Cases::get(),
            [(worker(), OffenceKind::InvalidCompute, 1)],
            "the stake answers from the claim on"
        );
        assert_eq!(notes(&worker()), []);
        assert_eq!(state(id), JobState::Submitted);
        assert_eq!(Market::result(id), None);
        assert_eq!(held(HoldReason::Escrow, &requester()), 2_000);
        System::assert_last_event(
            Event::ResultRefused {
                job: id,
                worker: worker(),
                reason: RefusalReason::Sum,
                cut: 500,
            }
            .into(),
        );
    });
}

#[test]
fn a_job_is_answered_by_another_worker_after_a_refusal() {
    test(|| {
        let id = claimed();
        let mut wrong = answer(id, worker());
        wrong.proof.clear();
        assert_ok!(wrong.submit(worker()));
        assert_noop!(
            answer(id, worker()).submit(worker()),
            Error::<Test>::NotAssignedToCaller
        );
        assert_ok!(claim(other(), id));
        assert_ok!(answer(id, other()).submit(other()));
        assert_eq!(free(&other()), ENDOWMENT + 1_750);
    });
}

#[test]
fn a_proof_of_another_output_is_refused() {
    test(|| {
        let id = claimed();
        let mut wrong = answer(id, worker());
        wrong.output[0] += 1;
        assert_eq!(pays(wrong.submit(worker())), Pays::Yes);
        assert_eq!(state(id), JobState::Submitted);
    });
}

#[test]
fn a_proof_for_another_payee_is_refused() {
    test(|| {
        let id = claimed();
        let stolen = Answer {
            payee: worker(),
            ..answer(id, other())
        };
        assert_eq!(pays(stolen.submit(worker())), Pays::Yes);
        assert_eq!(state(id), JobState::Submitted);
    });
}

#[test]
fn a_proof_for_another_job_is_refused() {
    test(|| {
        let (first, second) = (claimed(), claimed());
        let reused = Answer {
            job: second,
            ..answer(first, worker())
        };
        assert_eq!(pays(reused.submit(worker())), Pays::Yes);
        assert_eq!(state(second), JobState::Submitted);
    });
}

#[test]
fn a_proof_for_another_chain_is_refused() {
    test(|| {
        let id = claimed();
        let foreign = answer(id, worker());
        frame_system::BlockHash::<Test>::insert(0, H256::repeat_byte(0xbb));
        assert_eq!(pays(foreign.submit(worker())), Pays::Yes);
        assert_eq!(state(id), JobState::Submitted);
    });
}

#[test]
fn only_the_assigned_worker_answers() {
    test(|| {
        let free = submitted();
        assert_noop!(
            answer(free, worker()).submit(worker()),
            Error::<Test>::NotAssignedToCaller
        );
        let id = claimed();
        assert_noop!(
            answer(id, other()).submit(other()),
            Error::<Test>::NotAssignedToCaller
        );
        assert_noop!(
            answer(7, worker()).submit(worker()),
            Error::<Test>::UnknownJob
        );
    });
}

#[test]
fn a_job_is_paid_once() {
    test(|| {
        let id = claimed();
        assert_ok!(answer(id, worker()).submit(worker()));
        assert_noop!(
            answer(id, worker()).submit(worker()),
            Error::<Test>::NotAssignedToCaller
        );
    });
}

#[test]
fn a_malformed_answer_leaves_the_job_as_it_is() {
    test(|| {
        let id = claimed();
        let good = answer(id, worker());
        let refused = |change: &dyn Fn(&mut Answer), error: Error<Test>| {
            let mut bad = good.clone();
            change(&mut bad);
            assert_noop!(bad.submit(worker()), error);
        };
        refused(
            &|bad| bad.input.truncate(7),
            Error::<Test>::WrongInputLength,
        );
        refused(&|bad| bad.input.push(0), Error::<Test>::WrongInputLength);
        refused(&|bad| bad.input.clear(), Error::<Test>::WrongInputLength);
        refused(
            &|bad| bad.output.truncate(3),
            Error::<Test>::WrongOutputLength,
        );
        refused(&|bad| bad.output.push(0), Error::<Test>::WrongOutputLength);
        refused(&|bad| bad.input[3] += 1, Error::<Test>::InputMismatch);
        assert_ok!(good.submit(worker()));
    });
}

#[test]
fn answering_needs_a_signature() {
    test(|| {
        let id = claimed();
        assert_noop!(
            Market::submit_result(
                RuntimeOrigin::root(),
                id,
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
fn the_weight_of_an_answer_grows_with_proof_input_and_output() {
    let weight = |proof: usize, input: usize, output: usize| {
        let call = crate::Call::<Test>::submit_result {
            job: 0,
            payee: worker(),
            input: vec![0; input].try_into().unwrap(),
            output: vec![0; output].try_into().unwrap(),
            proof: vec![0; proof].try_into().unwrap(),
        };
        call.get_dispatch_info().call_weight
    };
    type W = crate::weights::SubstrateWeight<Test>;
    assert_eq!(weight(1000, 20, 3), W::submit_result(1000, 20, 3));
    for more in [weight(1, 0, 0), weight(0, 1, 0), weight(0, 0, 1)] {
        assert!(more.all_gte(weight(0, 0, 0)) && more != weight(0, 0, 0));
    }
}

#[test]
fn price_fee_and_royalty_add_up_to_what_the_requester_pays() {
    test(|| {
        let issuance = Balances::total_issuance();
        let owner = free(&account(9));
        let price = crate::Auction::fixed(1_999);
        let id = submitted_as(crate::JobSpec { price, ..request() });
        assert_ok!(claim(worker(), id));
        assert_ok!(answer(id, worker()).submit(worker()));
        // A fee of 50 (rounded up), a fifth of it burned; a royalty of 199 (rounded down).
        assert_eq!(total(&requester()), ENDOWMENT - 1_999);
        assert_eq!(Balances::total_issuance(), issuance - 10);
        assert_eq!(free(&treasury()), 40);
        assert_eq!(free(&account(9)), owner + 199);
        assert_eq!(free(&worker()), ENDOWMENT + 1_750);
    });
}

#[test]
fn a_model_that_changed_hands_earns_for_its_new_owner() {
    test(|| {
        let id = claimed();
        let owner = RuntimeOrigin::signed(account(9));
        assert_ok!(Registry::transfer_ownership(owner, model(), other()));
        assert_ok!(answer(id, worker()).submit(worker()));
        assert_eq!(free(&other()), ENDOWMENT + 200);
    });
}

#[test]
fn who_is_worker_and_requester_pays_the_markets_share() {
    test(|| {
        let id = submitted();
        assert_ok!(claim(requester(), id));
        assert_ok!(answer(id, requester()).submit(requester()));
        // 50 to the market, 200 to the model's owner.
        assert_eq!(total(&requester()), ENDOWMENT - 250);
    });
}
