//! Weights, lengths and fees fit together.

use crate::chain;
use ciro_bridge_primitives::{ChainKind, Destination, LaneId};
use ciro_primitives::{ModelId, MAX_BATCH};
use ciro_runtime::{
    configs::system::NORMAL_DISPATCH_RATIO,
    constants::{DAYS, MILLIUNIT, UNIT},
    AccountId, Balance, Runtime, RuntimeCall, TransactionPayment, TxExtension,
};
use codec::{Decode, Encode};
use frame_support::{
    dispatch::{DispatchClass, GetDispatchInfo},
    traits::Get,
};
use pallet_job_market::{
    Auction, JobSpec, Output, Priority, Verification, MAX_INPUT, MAX_LOCATOR, MAX_OUTPUT,
    MAX_PROOF, MAX_SPECS,
};
use pallet_model_registry::{MAX_NAME, MAX_ROYALTY};
use sp_core::H256;
use sp_keyring::Sr25519Keyring::{Alice, Bob};
use sp_runtime::traits::TransactionExtension;

/// Bytes of an extrinsic besides its call: lengths, address, signature and extensions, roughly.
const ENVELOPE: u32 = 120;

fn result(proof: u32, input: u32, output: u32) -> RuntimeCall {
    RuntimeCall::JobMarket(pallet_job_market::Call::submit_result {
        job: 0,
        payee: Bob.to_account_id(),
        input: vec![1; input as usize].try_into().unwrap(),
        output: self::output(output),
        proof: vec![1; proof as usize].try_into().unwrap(),
    })
}

/// A result for as many jobs as one proof can be for.
fn joint_result(proof: u32, input: u32, output: u32) -> RuntimeCall {
    RuntimeCall::JobMarket(pallet_job_market::Call::submit_results {
        jobs: vec![0; MAX_BATCH as usize].try_into().unwrap(),
        payee: Bob.to_account_id(),
        input: vec![1; input as usize].try_into().unwrap(),
        output: self::output(output),
        proof: vec![1; proof as usize].try_into().unwrap(),
    })
}

fn output(values: u32) -> Output {
    vec![1; values as usize].try_into().unwrap()
}

fn transfer() -> RuntimeCall {
    RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive {
        dest: Bob.to_account_id().into(),
        value: UNIT,
    })
}

/// One of each call of the market, the registry and the bridge, as large as it gets, and a few others. The last is a
/// batch of all, but of one proof alone: two of the longest are too long for a transaction.
fn largest_calls() -> Vec<RuntimeCall> {
    use pallet_job_market::Call as Market;
    use pallet_model_registry::Call as Registry;
    use pallet_outbound_queue::Call as Queue;
    let model = ModelId([1; 32]);
    let spec = || JobSpec {
        model,
        batch: 1,
        input_commitment: H256::zero(),
        locator: vec![b'a'; MAX_LOCATOR as usize].try_into().unwrap(),
        price: Auction::fixed(UNIT),
        duration: DAYS,
        verification: Verification::ZkMl,
        priority: Priority::Normal,
        requirements: Default::default(),
    };
    let key = ciro_zkml_air::VerifyingKey::decode(&mut &[0; 128][..]).unwrap();
    let mut calls: Vec<RuntimeCall> = vec![
        Registry::register {
            key,
            name: vec![b'a'; MAX_NAME as usize].try_into().unwrap(),
            price_floor: UNIT,
            royalty: MAX_ROYALTY,
        }
        .into(),
        Registry::set_royalty {
            model,
            royalty: MAX_ROYALTY,
        }
        .into(),
        Registry::set_price_floor {
            model,
            price_floor: UNIT,
        }
        .into(),
        Registry::transfer_ownership {
            model,
            new_owner: Bob.to_account_id(),
        }
        .into(),
        Registry::deregister { model }.into(),
    ];
    let lane = LaneId([1; 32]);
    let destination = Destination {
        kind: ChainKind::Evm,
        chain_id: [1; 32],
        contract: [1; 32],
    };
    calls.extend([
        Queue::open_lane { destination }.into(),
        Queue::close_lane { lane }.into(),
        Queue::send_result { lane, job: 0 }.into(),
        Queue::send_slash { lane, case: 0 }.into(),
        Queue::prove_remote {
            lane,
            remote_job: H256::zero(),
            model,
            payee: H256::zero(),
            batch: 1,
            input: vec![1; MAX_INPUT as usize].try_into().unwrap(),
            output: output(MAX_OUTPUT),
            proof: vec![1; MAX_PROOF as usize].try_into().unwrap(),
        }
        .into(),
        Queue::set_halted { halted: true }.into(),
    ] as [RuntimeCall; 6]);
    calls.extend([
        Market::submit_job { spec: spec() }.into(),
        Market::submit_jobs {
            specs: vec![spec(); MAX_SPECS as usize].try_into().unwrap(),
        }
        .into(),
        Market::claim_job { job: 0 }.into(),
        Market::release_job { job: 0 }.into(),
        Market::cancel_job { job: 0 }.into(),
        Market::expire_job { job: 0 }.into(),
        Market::remove_job { job: 0 }.into(),
        Market::rescue { job: 0 }.into(),
        Market::submit_answer {
            job: 0,
            payee: Bob.to_account_id(),
            output: output(MAX_OUTPUT),
        }
        .into(),
        Market::dispute { job: 0 }.into(),
        Market::commit {
            job: 0,
            commitment: H256::zero(),
        }
        .into(),
        Market::reveal {
            job: 0,
            output: output(MAX_OUTPUT),
            salt: [0; 32],
        }
        .into(),
        Market::finalise { job: 0 }.into(),
        Market::rate { job: 0, stars: 5 }.into(),
        result(MAX_PROOF, MAX_INPUT, MAX_OUTPUT),
        transfer(),
    ] as [RuntimeCall; 16]);
    calls.extend(bridge_calls());
    let batched = |call: &&RuntimeCall| {
        !matches!(call, RuntimeCall::OutboundQueue(Queue::prove_remote { .. }))
    };
    calls.push(
        pallet_utility::Call::batch_all {
            calls: calls.iter().filter(batched).cloned().collect(),
        }
        .into(),
    );
    calls.push(joint_result(MAX_PROOF, MAX_INPUT, MAX_OUTPUT));
    calls
}

/// What attesters and those who send CIRO call.
fn bridge_calls() -> [RuntimeCall; 4] {
    use ciro_bridge_primitives::{LaneId, Payload};
    type Attesters = pallet_attesters::Call<Runtime>;
    type Gateway = pallet_token_gateway::Call<Runtime>;
    let (lane, nonce) = (LaneId([1; 32]), 0);
    let payload = Payload::Burn {
        destination: lane,
        recipient: [1; 32],
        amount: UNIT,
        refund: [1; 32],
    };
    let attest = Attesters::attest {
        lane,
        nonce,
        payload,
    };
    let prove = Attesters::prove {
        lane,
        nonce,
        payload,
        evidence: crate::beacon::block(&[vec![]]).proofs.remove(0),
    };
    let transfer = Gateway::transfer_out {
        lane,
        recipient: [1; 32],
        amount: UNIT,
        lifetime: 3_600,
    };
    let release = Gateway::release { lane, nonce };
    [attest.into(), prove.into(), transfer.into(), release.into()]
}

fn fee(call: RuntimeCall) -> Balance {
    let length = call.encoded_size() as u32 + ENVELOPE;
    TransactionPayment::query_call_info(call, length).partial_fee
}

#[test]
fn sizes_agree_across_crates() {
    assert_eq!(ciro_primitives::MAX_BATCH, ciro_zkml_air::MAX_BATCH);
}

#[test]
fn every_call_fits_in_a_block() {
    chain(None).execute_with(|| {
        let weights = <Runtime as frame_system::Config>::BlockWeights::get();
        let length = *<Runtime as frame_system::Config>::BlockLength::get()
            .max
            .get(DispatchClass::Normal);
        let largest = weights.get(DispatchClass::Normal).max_extrinsic.unwrap();
        for call in largest_calls() {
            let weight = call.get_dispatch_info().call_weight;
            assert!(weight.ref_time() > 0, "{call:?} costs nothing");
            assert!(weight.all_lte(largest), "{call:?} weighs {weight}");
            assert!(
                (call.encoded_size() as u32) < length / 2,
                "{call:?} is long"
            );
        }
    });
}

#[test]
fn a_block_leaves_half_of_its_slot_to_importers() {
    let weights = <Runtime as frame_system::Config>::BlockWeights::get();
    assert_eq!(weights.max_block.ref_time(), 1_000_000_000_000);
    weights.clone().validate().unwrap();
    let normal = weights.get(DispatchClass::Normal).max_total.unwrap();
    assert_eq!(normal, NORMAL_DISPATCH_RATIO * weights.max_block);
}

#[test]
fn fees_are_small_but_real() {
    chain(Some("development")).execute_with(|| {
        let transfer = fee(transfer());
        assert!(
            (MILLIUNIT..=10 * MILLIUNIT).contains(&transfer),
            "{transfer}"
        );
        // A proof of usual size costs less than the least that it can earn, even when it is refused.
        let proof = fee(result(150_000, 784, 640));
        assert!(proof <= UNIT / 2, "{proof}");
        assert!(proof < <Runtime as pallet_job_market::Config>::MinJobPrice::get());
        let joint = fee(joint_result(150_000, 784, 640));
        assert!(joint <= UNIT, "{joint}");
        let largest = fee(joint_result(MAX_PROOF, MAX_INPUT, MAX_OUTPUT));
        assert!(largest <= 5 * UNIT, "{largest}");
    });
}

#[test]
fn transactions_pass_every_check() {
    let names: Vec<_> = TxExtension::metadata()
        .iter()
        .map(|extension| extension.identifier)
        .collect();
    assert_eq!(
        names,
        [
            "AuthorizeCall",
            "CheckNonZeroSender",
            "CheckSpecVersion",
            "CheckTxVersion",
            "CheckGenesis",
            "CheckMortality",
            "CheckNonce",
            "CheckWeight",
            "ChargeTransactionPayment",
            "CheckMetadataHash",
            "WeightReclaim",
        ]
    );
}

#[test]
fn fees_go_to_the_author_or_nowhere() {
    use frame_support::traits::{
        fungible::{Balanced, Inspect},
        tokens::{Fortitude, Precision, Preservation},
        OnUnbalanced,
    };
    chain(Some("development")).execute_with(|| {
        let alice: AccountId = Alice.to_account_id();
        let issued = ciro_runtime::Balances::total_issuance();
        let credit = ciro_runtime::Balances::withdraw(
            &alice,
            UNIT,
            Precision::Exact,
            Preservation::Preserve,
            Fortitude::Polite,
        )
        .unwrap();
        // Outside a block there is no author.
        ciro_runtime::configs::money::ToAuthor::on_unbalanced(credit);
        assert_eq!(
            <ciro_runtime::Balances as Inspect<_>>::total_issuance(),
            issued - UNIT
        );
    });
}
