//! What leaves the chain: from a proof, a case or a message to the root that BEEFY validators sign.

use crate::{
    call, call_as, development, pass,
    slashing::{enrol, register},
};
use ciro_bridge_primitives::{
    merkle, mmr, word_of, ChainKind, Destination, LaneId, Leaf, Message, Payload, RemoteJobBinding,
    ResultLeaf,
};
use ciro_primitives::{input_commitment, output_hash, JobId, ModelId};
use ciro_runtime::{
    configs::{
        bridge::{LeafExtra, LANE_DEPOSIT},
        market::HEAD_START,
    },
    constants::{HOURS, MILLIUNIT, UNIT},
    origins::Origin,
    AccountId, Balances, BlockNumber, JobMarket, Mmr, OriginCaller, OutboundQueue, Runtime,
    RuntimeCall, RuntimeOrigin, System, Timestamp, Treasury,
};
use ciro_zkml_model::{
    Activation, Encoding, Head, Input, Linear, Map, Model, Node, Op, Output, Requant,
};
use ciro_zkml_prover::Prover;
use ciro_zkml_verifier::Tensor;
use codec::{Decode, Encode};
use frame_support::{assert_noop, assert_ok, traits::fungible::InspectHold};
use pallet_job_market::{Auction, JobSpec, JobState, Priority, Verification};
use pallet_outbound_queue::{Call as Queue, Error, Lanes, Outbox};
use pallet_slashing::{CaseStatus, Cases, OffenceKind, SlashRecord};
use sp_core::{
    offchain::{testing::TestOffchainExt, OffchainDbExt, OffchainWorkerExt},
    H256,
};
use sp_io::TestExternalities;
use sp_keyring::Sr25519Keyring::{Alice, Bob, Charlie};
use sp_runtime::{DispatchError, Perbill, Permill};
use std::sync::LazyLock;

const INPUT: [i8; 4] = [1, -2, 3, 4];

/// A model of four inputs and two outputs, and its prover.
static PROVER: LazyLock<Prover> = LazyLock::new(|| {
    let layer = |source, width: u32, last: bool| Node {
        sources: vec![source],
        shape: vec![width],
        op: Op::Linear(Linear {
            maps: vec![Map::Dense((0..4 * width).map(|at| at as i8 - 5).collect())],
            channel_axis: 0,
            bias: vec![100; width as usize],
            requant: (!last).then(|| Requant {
                multipliers: vec![1; width as usize],
                activation: Activation::RELU,
            }),
        }),
    };
    let model = Model {
        name: "tiny".into(),
        preset: 1,
        input: Input {
            shape: vec![4],
            encoding: Encoding::Affine {
                scale: 1.0,
                zero_point: 0,
            },
        },
        nodes: vec![layer(0, 4, false), layer(1, 2, true)],
        output: Output {
            shape: vec![2],
            scale: 1.0,
            head: Head::Values,
        },
    };
    Prover::new(&model).unwrap()
});

/// The output for [`INPUT`], and a proof of it that is bound to `binding`.
fn prove(binding: &[u8]) -> (Vec<i32>, Vec<u8>) {
    let receipt = PROVER.prove(binding, &INPUT).unwrap();
    let Tensor::Public(output) = receipt.output else {
        panic!("the output is public");
    };
    (output, receipt.proof)
}

fn input() -> pallet_job_market::Input {
    let bytes: Vec<u8> = INPUT.iter().map(|value| *value as u8).collect();
    bytes.try_into().unwrap()
}

/// Alice registers the model.
fn register_model() -> ModelId {
    let key = PROVER.key().clone();
    let model = ModelId(key.id());
    let register = pallet_model_registry::Call::<Runtime>::register {
        key,
        name: b"tiny".to_vec().try_into().unwrap(),
        price_floor: UNIT,
        royalty: Permill::zero(),
    };
    assert_ok!(call(Alice, register));
    model
}

/// Bob answers a job of Alice's with a proof; the job, and what is to be read of it elsewhere.
fn paid_job() -> (JobId, ResultLeaf) {
    register(Bob);
    enrol(Bob, 1_000 * UNIT, true, false);
    let model = register_model();
    let commitment = input_commitment(1, &INPUT);
    let spec = JobSpec {
        model,
        batch: 1,
        input_commitment: H256(commitment),
        locator: Default::default(),
        price: Auction::fixed(10 * UNIT),
        duration: HOURS,
        verification: Verification::ZkMl,
        priority: Priority::Normal,
        requirements: Default::default(),
    };
    assert_ok!(call(
        Alice,
        pallet_job_market::Call::<Runtime>::submit_job { spec }
    ));
    let job = pallet_job_market::NextJobId::<Runtime>::get() - 1;
    pass(HEAD_START);
    assert_ok!(call(
        Bob,
        pallet_job_market::Call::<Runtime>::claim_job { job }
    ));
    let payee = Bob.to_account_id();
    let (output, proof) = prove(&JobMarket::binding(job, payee.clone()));
    let result = pallet_job_market::Call::<Runtime>::submit_result {
        job,
        payee,
        input: input(),
        output: output.clone().try_into().unwrap(),
        proof: proof.try_into().unwrap(),
    };
    assert_ok!(call(Bob, result));
    let state = JobMarket::job(job).unwrap().state;
    assert!(matches!(state, JobState::Paid { .. }));
    let leaf = ResultLeaf {
        job,
        model,
        input_commitment: commitment,
        output_hash: output_hash(1, &output),
    };
    (job, leaf)
}

/// A case against Charlie that was executed.
fn executed_case() -> SlashRecord<AccountId, BlockNumber> {
    let case = SlashRecord {
        id: 7,
        offender: Charlie.to_account_id(),
        kind: OffenceKind::DoubleSigning,
        at: 1,
        liable_since: 1,
        opened: 1,
        fraction: Perbill::from_percent(30),
        due: 1,
        until: 1,
        reporter: None,
        place: 0,
        status: CaseStatus::Applied { taken: 0 },
    };
    Cases::<Runtime>::insert(case.id, case.clone());
    case
}

fn destination() -> Destination {
    Destination {
        kind: ChainKind::Evm,
        chain_id: word_of(31_337u32),
        contract: word_of(0xc0ffee_u32),
    }
}

/// Alice opens the lane to [`destination`].
fn open_lane() -> LaneId {
    let destination = destination();
    assert_ok!(call(Alice, Queue::<Runtime>::open_lane { destination }));
    OutboundQueue::lane_to(destination)
}

fn mint(amount: u128) -> Payload {
    Payload::Mint {
        recipient: word_of(1u8),
        amount,
        expiry: 2,
        refund: [3; 32],
    }
}

/// A node of a development chain in its first block.
fn node() -> TestExternalities {
    let mut node = development();
    let (offchain, _) = TestOffchainExt::with_offchain_db(node.offchain_db());
    node.register_extension(OffchainDbExt::new(offchain.clone()));
    node.register_extension(OffchainWorkerExt::new(offchain));
    node
}

/// What the chain's MMR says of a block, proven in the root of the present one by what a light client knows.
fn proven_leaf(node: &mut TestExternalities, block: BlockNumber) -> Leaf {
    node.persist_offchain_overlay();
    node.execute_with(|| {
        let best = System::block_number();
        let (leaves, proof) = Mmr::generate_proof(vec![block + 1], Some(best)).unwrap();
        let leaf = Leaf::decode(&leaves[0].encode()).unwrap();
        assert_eq!(leaf.parent_number, block);
        assert_eq!(proof.leaf_indices, [u64::from(block)]);
        let items: Vec<[u8; 32]> = proof.items.iter().map(|item| item.0).collect();
        let root = pallet_mmr::RootHash::<Runtime>::get();
        let held = mmr::verify(&root.0, leaf.hash(), block.into(), best.into(), &items);
        assert_eq!(held, Ok(()));
        let mut forged = leaf;
        forged.extra.results_root[0] ^= 1;
        let held = mmr::verify(&root.0, forged.hash(), block.into(), best.into(), &items);
        assert!(held.is_err());
        leaf
    })
}

/// The leaves that the node has indexed under a root.
fn indexed(node: &mut TestExternalities, root: &[u8; 32]) -> Option<Vec<Vec<u8>>> {
    node.persist_offchain_overlay();
    let bytes = node
        .offchain_db()
        .get(&pallet_outbound_queue::leaves_key(root))?;
    Some(Decode::decode(&mut &bytes[..]).unwrap())
}

#[test]
fn a_result_that_is_paid_for_by_proof_is_in_the_leaf_of_the_next_block() {
    let mut node = node();
    let (block, result, time) = node.execute_with(|| {
        let (_, result) = paid_job();
        let (block, time) = (System::block_number(), Timestamp::get());
        pass(5);
        (block, result, time)
    });
    let leaf = proven_leaf(&mut node, block);
    assert_eq!(leaf.extra.results_root, merkle::root([result.bytes()]));
    assert_eq!(leaf.extra.messages_root, [0; 32]);
    assert_eq!(leaf.extra.timestamp, time / 1_000);
    let leaves = indexed(&mut node, &leaf.extra.results_root);
    assert_eq!(leaves, Some(vec![result.bytes().to_vec()]));
}

#[test]
fn a_message_s_path_leads_to_the_root_in_the_leaf_of_the_next_block() {
    let mut node = node();
    let (block, messages) = node.execute_with(|| {
        let (job, result) = paid_job();
        let case = executed_case();
        let lane = open_lane();
        assert_ok!(OutboundQueue::send(lane, mint(5)));
        let treasury = Treasury::pot();
        let send = Queue::<Runtime>::send_result { lane, job };
        assert_ok!(call(Charlie, send));
        let case_id = case.id;
        let send = Queue::<Runtime>::send_slash {
            lane,
            case: case_id,
        };
        assert_ok!(call(Charlie, send));
        assert_eq!(Treasury::pot(), treasury + 200 * MILLIUNIT);
        let slash = Payload::Slash {
            case: case.id,
            operator: case.offender.into(),
            share: 300_000,
        };
        let payloads = [mint(5), Payload::Result(result), slash];
        let messages = (0..).zip(payloads).map(|(nonce, payload)| Message {
            lane,
            nonce,
            payload,
        });
        let block = System::block_number();
        let messages: Vec<_> = messages.collect();
        pass(2);
        (block, messages)
    });
    let root = proven_leaf(&mut node, block).extra.messages_root;
    let leaves = indexed(&mut node, &root).unwrap();
    for (index, message) in messages.iter().enumerate() {
        let path = merkle::proof(&leaves, index as u32).unwrap();
        assert_eq!(path.verify(&root, &message.bytes()), Ok(()));
        let other = &messages[(index + 1) % messages.len()];
        assert!(path.verify(&root, &other.bytes()).is_err());
    }
}

#[test]
fn a_job_of_another_chain_is_answered_by_a_proof_that_is_bound_to_it() {
    let mut node = node();
    let (block, message) = node.execute_with(|| {
        let model = register_model();
        let lane = open_lane();
        let binding = RemoteJobBinding {
            genesis: System::block_hash(0).0,
            lane,
            remote_job: word_of(9u8),
            payee: word_of(10u8),
        };
        let (output, proof) = prove(&binding.encode());
        let answer = |payee| Queue::<Runtime>::prove_remote {
            lane,
            remote_job: H256(binding.remote_job),
            model,
            payee: H256(payee),
            batch: 1,
            input: input(),
            output: output.clone().try_into().unwrap(),
            proof: proof.clone().try_into().unwrap(),
        };
        // Whoever copies the proof cannot be paid for it.
        assert_noop!(
            call(Charlie, answer(word_of(11u8))),
            pallet_job_market::Error::<Runtime>::InvalidProof
        );
        assert_ok!(call(Charlie, answer(binding.payee)));
        let payload = Payload::RemoteResult {
            remote_job: binding.remote_job,
            model,
            input_commitment: input_commitment(1, &INPUT),
            output_hash: output_hash(1, &output),
            payee: binding.payee,
        };
        let block = System::block_number();
        pass(1);
        let message = Message {
            lane,
            nonce: 0,
            payload,
        };
        (block, message)
    });
    let leaf = proven_leaf(&mut node, block);
    assert_eq!(leaf.extra.messages_root, merkle::root([message.bytes()]));
    assert_eq!(leaf.extra.results_root, [0; 32]);
}

#[test]
fn a_block_that_queues_nothing_has_zero_roots() {
    let mut node = node();
    let block = node.execute_with(|| {
        let lane = open_lane();
        assert_ok!(OutboundQueue::send(lane, mint(1)));
        let block = System::block_number();
        pass(4);
        block
    });
    assert_ne!(proven_leaf(&mut node, block).extra.messages_root, [0; 32]);
    for quiet in [block - 1, block + 1, block + 2] {
        let extra = proven_leaf(&mut node, quiet).extra;
        assert_eq!(
            (extra.messages_root, extra.results_root),
            Default::default()
        );
    }
}

#[test]
fn what_a_hook_sends_is_in_the_leaf_about_its_own_block() {
    let mut node = node();
    let (block, message) = node.execute_with(|| {
        let (job, result) = paid_job();
        let lane = open_lane();
        let alice = frame_system::RawOrigin::Signed(Alice.to_account_id());
        let send: RuntimeCall = Queue::<Runtime>::send_result { lane, job }.into();
        let as_alice: RuntimeCall = pallet_utility::Call::dispatch_as {
            as_origin: Box::new(OriginCaller::system(alice)),
            call: Box::new(send),
        }
        .into();
        let when = System::block_number() + 3;
        let schedule = pallet_scheduler::Call::schedule {
            when,
            maybe_periodic: None,
            priority: 0,
            call: Box::new(as_alice),
        };
        assert_ok!(call_as(RuntimeOrigin::root(), schedule));
        pass(3);
        // The scheduler's `on_initialize` has sent it, long before the block ends.
        assert_eq!(Lanes::<Runtime>::get(lane).unwrap().last_block, Some(when));
        pass(2);
        let message = Message {
            lane,
            nonce: 0,
            payload: Payload::Result(result),
        };
        (when, message)
    });
    let root = |node: &mut TestExternalities, block| proven_leaf(node, block).extra.messages_root;
    assert_eq!(root(&mut node, block - 1), [0; 32]);
    assert_eq!(root(&mut node, block), merkle::root([message.bytes()]));
    assert_eq!(root(&mut node, block + 1), [0; 32]);
}

#[test]
fn a_lane_costs_a_deposit_and_a_message_a_fee_that_governance_sets() {
    use ciro_runtime::configs::parameters::{dynamic::bridge, Ranged, RuntimeParameters};
    development().execute_with(|| {
        open_lane();
        let reason = pallet_outbound_queue::HoldReason::LaneDeposit.into();
        let held = Balances::balance_on_hold(&reason, &Alice.to_account_id());
        assert_eq!(held, LANE_DEPOSIT);
        assert_eq!(OutboundQueue::message_fee(), 100 * MILLIUNIT);
        let set = pallet_parameters::Call::<Runtime>::set_parameter {
            key_value: RuntimeParameters::Bridge(bridge::Parameters::MessageFee(
                bridge::MessageFee,
                Some(Ranged::clamped(UNIT)),
            )),
        };
        assert_ok!(call_as(Origin::GeneralAdmin, set));
        assert_eq!(OutboundQueue::message_fee(), UNIT);
    });
}

#[test]
fn the_emergency_origin_halts_the_bridge_even_in_safe_mode() {
    development().execute_with(|| {
        let lane = open_lane();
        let halt = |halted| Queue::<Runtime>::set_halted { halted };
        assert_noop!(call(Alice, halt(true)), DispatchError::BadOrigin);
        assert_noop!(
            call_as(Origin::GeneralAdmin, halt(true)),
            DispatchError::BadOrigin
        );
        let safe_mode = pallet_safe_mode::Call::force_enter {};
        assert_ok!(call_as(Origin::Emergency, safe_mode));
        let destination = Destination {
            contract: word_of(1u8),
            ..destination()
        };
        assert_noop!(
            call(Alice, Queue::<Runtime>::open_lane { destination }),
            frame_system::Error::<Runtime>::CallFiltered
        );
        assert_ok!(call_as(Origin::Emergency, halt(true)));
        assert_noop!(OutboundQueue::send(lane, mint(1)), Error::<Runtime>::Halted);
        assert_ok!(call_as(Origin::Emergency, halt(false)));
        assert_ok!(OutboundQueue::send(lane, mint(1)));
    });
}

#[test]
fn a_job_is_paid_for_a_proof_while_the_bridge_is_halted() {
    development().execute_with(|| {
        let halt = Queue::<Runtime>::set_halted { halted: true };
        assert_ok!(call_as(Origin::Emergency, halt));
        let (job, _) = paid_job();
        let passed_over = pallet_outbound_queue::Event::<Runtime>::ResultPassedOver { job };
        System::assert_has_event(passed_over.into());
        // Once the halt is over it can be sent as a message.
        let resume = Queue::<Runtime>::set_halted { halted: false };
        assert_ok!(call_as(Origin::Emergency, resume));
        let lane = open_lane();
        assert_ok!(call(Alice, Queue::<Runtime>::send_result { lane, job }));
    });
}

#[test]
fn a_leaf_of_the_first_release_still_decodes_to_the_bytes_that_were_hashed() {
    type Data = <Runtime as pallet_mmr::Config>::LeafData;
    type MmrLeaf = <Data as pallet_mmr::LeafDataProvider>::LeafData;
    development().execute_with(|| {
        let new = <Data as pallet_mmr::LeafDataProvider>::leaf_data();
        assert!(matches!(new.leaf_extra, LeafExtra::Bridge(_)));
        let bytes = new.encode();
        assert_eq!(bytes.len(), Leaf::LEN);
        assert_eq!(MmrLeaf::decode(&mut &bytes[..]), Ok(new));

        let mut old = bytes[..81].to_vec();
        old.push(0);
        let leaf = MmrLeaf::decode(&mut &old[..]).unwrap();
        assert_eq!(leaf.leaf_extra, LeafExtra::Nothing);
        assert_eq!(leaf.encode(), old);
        old[81] = 1;
        assert!(MmrLeaf::decode(&mut &old[..]).is_err());
        assert!(MmrLeaf::decode(&mut &bytes[..152]).is_err());
    });
}
