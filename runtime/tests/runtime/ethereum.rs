//! What CiroToken has sent on Ethereum is proven by Ethereum's light client, and nothing else is.
//!
//! What was recorded of a beacon chain (`fixtures/ethereum/README.md`) shows that the client follows one; a receipt of
//! CiroToken's is only in a block that is made up ([`crate::beacon`]).

use crate::{
    beacon, call, call_as, chain, development,
    gateway::{attest, burn, free, outside, remote, send, supply, word},
    open_block,
};
use alloy_primitives::{Address, Log, B256};
use alloy_sol_types::SolEvent;
use ciro_bridge_calldata::evm::Contract;
use ciro_bridge_primitives::{lane_id, word_of, ChainKind, Destination, LaneId, Message, Word};
use ciro_runtime::{
    configs::{
        ethereum::{EthereumForks, ProvenByEthereum, ReceiptProof, ETHEREUM},
        gateway::MIN_ATTESTER_BOND,
    },
    constants::UNIT,
    origins::Origin,
    Attesters, EthereumClient, Runtime, RuntimeCall, RuntimeOrigin, System,
};
use codec::{Decode, Encode};
use frame_support::{
    assert_noop, assert_ok,
    dispatch::{DispatchClass, DispatchResultWithPostInfo, GetDispatchInfo, Pays},
};
use pallet_attesters::{Doubt, Error, Event, VerifyMessage};
use snowbridge_beacon_primitives::{
    bls::prepare_milagro_pubkey, fast_aggregate_verify, BeaconHeader, CheckpointUpdate, Fork,
    ForkVersions, PublicKey, Signature, Update,
};
use snowbridge_core::BasicOperatingMode::{Halted, Normal};
use snowbridge_pallet_ethereum_client::{
    Error as ClientError, FinalizedBeaconState, LatestFinalizedBlockRoot,
};
use snowbridge_pallet_ethereum_client_fixtures::{
    make_checkpoint, make_finalized_header_update, make_inbound_fixture, make_sync_committee_update,
};
use snowbridge_verification_primitives::Verifier;
use sp_core::{bytes::from_hex, H256};
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave};
use sp_runtime::{traits::Dispatchable, DispatchError};

type Client = snowbridge_pallet_ethereum_client::Call<Runtime>;
type Voting = pallet_attesters::Call<Runtime>;

/// Last byte of CiroToken's address.
pub const TOKEN: u8 = 7;
/// Bytes of what one transaction on Ethereum can tell at most: EIP-7825 allows it 2^24 gas, and each byte costs 8.
const LONGEST_RECEIPT: usize = (1 << 24) / 8;

/// What the contract tells when it sends the words, by its interface.
fn sent(contract: u8, nonce: u64, words: Vec<Word>) -> Log {
    let words = words.into_iter().map(B256::from).collect();
    Log {
        address: Address::left_padding_from(&[contract]),
        data: Contract::Sent { nonce, words }.encode_log_data(),
    }
}

/// What CiroToken tells when it sends the message.
fn told(message: &Message) -> Log {
    sent(TOKEN, message.nonce, message.words())
}

/// What another contract tells.
fn other() -> Log {
    sent(TOKEN + 1, 0, vec![word(1); 3])
}

/// CiroToken's message that 40 CIRO go to Bob.
pub fn back(lane: LaneId, nonce: u64) -> Message {
    Message {
        lane,
        nonce,
        payload: burn(LaneId::CIRO, Bob.to_account_id().into(), 40 * UNIT),
    }
}

/// Opens the lane to a contract on another chain or on Ethereum.
fn lane_to(kind: ChainKind, chain_id: u64, contract: Word) -> LaneId {
    let destination = Destination {
        kind,
        chain_id: word_of(chain_id),
        contract,
    };
    let open = pallet_outbound_queue::Call::open_lane { destination };
    assert_ok!(call(Dave, open));
    lane_id(&System::block_hash(0).into(), &destination)
}

/// Has governance set the checkpoint.
fn set(update: Box<CheckpointUpdate<512>>) {
    let set = Client::force_checkpoint { update };
    assert_ok!(call_as(RuntimeOrigin::root(), set));
}

/// A block in which CiroToken has sent the message between others: the checkpoint after it, and what shows it.
pub fn sent_in_a_block(message: &Message) -> (Box<CheckpointUpdate<512>>, ReceiptProof) {
    let transactions = [vec![other()], vec![other(), told(message)], vec![], vec![]];
    let mut block = beacon::block(&transactions);
    (block.checkpoint, block.proofs.remove(1))
}

/// Lets the client know such a block. Returns what shows the message.
fn sends(message: &Message) -> ReceiptProof {
    let (checkpoint, evidence) = sent_in_a_block(message);
    set(checkpoint);
    evidence
}

/// Anyone's call that proves the message.
pub fn proof(message: Message, evidence: ReceiptProof) -> RuntimeCall {
    let call = Voting::prove {
        lane: message.lane,
        nonce: message.nonce,
        payload: message.payload,
        evidence,
    };
    call.into()
}

fn prove(message: Message, evidence: ReceiptProof) -> DispatchResultWithPostInfo {
    proof(message, evidence).dispatch(RuntimeOrigin::signed(Dave.to_account_id()))
}

/// Why a proof was refused.
fn refusal(message: Message, evidence: ReceiptProof) -> DispatchError {
    prove(message, evidence).unwrap_err().error
}

fn doubt(doubt: Doubt) -> DispatchError {
    Error::<Runtime>::NotProven(doubt).into()
}

/// Lets the client know the forks of the recorded chain.
pub fn record_forks() {
    let fork = |number, epoch| Fork {
        version: [number, 0, 0, 0],
        epoch,
    };
    EthereumForks::set(&ForkVersions {
        genesis: fork(0, 0),
        altair: fork(1, 0),
        bellatrix: fork(2, 0),
        capella: fork(3, 0),
        deneb: fork(4, 0),
        electra: fork(5, 0),
        fulu: fork(6, 100_000_000),
    });
}

fn start() {
    record_forks();
    set(make_checkpoint());
}

fn submit(update: Box<Update<512, 64>>) -> DispatchResultWithPostInfo {
    let call = RuntimeCall::from(Client::submit { update });
    call.dispatch(RuntimeOrigin::signed(Alice.to_account_id()))
}

/// The recorded update that enters the second period.
pub fn next_period() -> Box<Update<512, 64>> {
    let json = include_str!("../fixtures/ethereum/next-sync-committee-update.json");
    Box::new(serde_json::from_str(json).unwrap())
}

/// The slot of the newest header that the client knows to be final.
fn newest() -> u64 {
    let root = LatestFinalizedBlockRoot::<Runtime>::get();
    FinalizedBeaconState::<Runtime>::get(root).unwrap().slot
}

#[test]
fn only_root_sets_the_checkpoint_from_which_the_client_follows() {
    development().execute_with(|| {
        let force = || Client::force_checkpoint {
            update: make_checkpoint(),
        };
        let ethereum = EthereumForks::get();
        assert_noop!(
            submit(make_finalized_header_update()),
            ClientError::<Runtime>::NotBootstrapped
        );
        assert_noop!(call(Alice, force()), DispatchError::BadOrigin);
        assert_noop!(
            call_as(Origin::Emergency, force()),
            DispatchError::BadOrigin
        );
        start();
        assert_eq!(newest(), 64);
        // By the forks of Ethereum itself the recorded chain's first slots are of another time.
        EthereumForks::set(&ethereum);
        assert_noop!(
            call_as(RuntimeOrigin::root(), force()),
            ClientError::<Runtime>::InvalidSyncCommitteeMerkleProof
        );
    });
}

#[test]
fn anyone_brings_the_client_forward_and_pays_only_for_what_it_has_already() {
    development().execute_with(|| {
        start();
        let paid = |update| submit(update).unwrap().pays_fee;
        assert_eq!(paid(make_sync_committee_update()), Pays::No);
        assert_eq!(newest(), 64);
        assert_eq!(paid(make_finalized_header_update()), Pays::No);
        assert_eq!(newest(), 800);
        assert_eq!(paid(make_finalized_header_update()), Pays::Yes);
        assert_eq!(paid(next_period()), Pays::No);
        assert_eq!(newest(), 8_192);
    });
}

#[test]
fn a_header_that_the_committee_has_not_signed_is_refused() {
    development().execute_with(|| {
        start();
        let mut update = make_finalized_header_update();
        update.attested_header.proposer_index ^= 1;
        let refused = submit(update).unwrap_err().error;
        let expected =
            |name| matches!(refused, DispatchError::Module(error) if error.message == Some(name));
        assert!(expected("BLSVerificationFailed"), "{refused:?}");
        let mut update = make_finalized_header_update();
        update.finalized_header.slot += 1;
        assert_noop!(
            submit(update),
            ClientError::<Runtime>::InvalidHeaderMerkleProof
        );
        let mut update = make_finalized_header_update();
        update.sync_aggregate.sync_committee_bits = [0x55; 64];
        assert_noop!(
            submit(update),
            ClientError::<Runtime>::SyncCommitteeParticipantsNotSupermajority
        );
        assert_eq!(newest(), 64);
    });
}

#[test]
fn forks_and_genesis_are_those_that_ethereum_signs_for() {
    let hex = |text: &str| from_hex(text).unwrap();
    let hash = |text: &str| H256::from_slice(&hex(text));
    // What all 512 members of the committee of period 866, in August 2023, have signed.
    let header = BeaconHeader {
        slot: 7_094_352,
        proposer_index: 594_753,
        parent_root: hash("0x3e4692e08ffa172b99e8e5370d1989bff56c7c64e4ef2298a2148645fe398f81"),
        state_root: hash("0x4cff69c6b9f58c4325b838bd51b9de18abb41fd21c700c776d3116d607a6caac"),
        body_root: hash("0x3828005610e9aebf45d72a07170afc16acb3a2e5ade608284a75f51a5d8bf9dc"),
    };
    let committee = hex("0x8b85adb29118ab0523d0107f1390315b2f4e7db6b78deaa182810bbe2f61259baba83ec047b23b9a3cd3c70a19218a21");
    let committee = PublicKey(committee.try_into().unwrap());
    let signature = hex("0x801792641974181d0b93d93312783e2852afe254d2beedcb6e935f9ba40c4547624a505e0ddf174f10f5351e18b88a4b042077e85672571db87f8792c3defeb2feb93e76f5422e762f0b36a015cfa4b4a80ea0c6c98b61b03f172f162168809b");
    let signature = Signature(signature.try_into().unwrap());
    let genesis = hash("0x4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95");
    development().execute_with(|| {
        let is_signed = |genesis| {
            let root = EthereumClient::signing_root(&header, genesis, header.slot + 1).unwrap();
            let committee = prepare_milagro_pubkey(&committee).unwrap();
            fast_aggregate_verify(&committee, &vec![], root, &signature).is_ok()
        };
        assert!(is_signed(genesis));
        assert!(!is_signed(H256::zero()));
        record_forks();
        assert!(!is_signed(genesis));
    });
}

#[test]
fn a_recorded_receipt_is_verified_and_what_another_contract_told_is_no_message() {
    development().execute_with(|| {
        start();
        let event = make_inbound_fixture().event;
        let (log, proof) = (event.event_log, event.proof);
        assert!(EthereumClient::verify(&log, &proof).is_err());
        assert_ok!(submit(make_finalized_header_update()));
        assert_ok!(EthereumClient::verify(&log, &proof));

        // Even if the lane led to the contract that told something there.
        let contract = [&[0; 12], log.address.as_bytes()].concat();
        let lane = lane_to(ChainKind::Evm, ETHEREUM, contract.try_into().unwrap());
        let evidence = |transaction| ReceiptProof {
            transaction,
            proof: proof.clone(),
        };
        let verify = |evidence| ProvenByEthereum::verify(&back(lane, 0), &evidence);
        assert_eq!(verify(evidence(0)), Err(Doubt::MessageNotFound));
        assert_eq!(verify(evidence(1)), Err(Doubt::ReceiptNotProven));
        let mut changed = evidence(0);
        *changed.proof.receipt_proof[1].last_mut().unwrap() ^= 1;
        assert_eq!(verify(changed), Err(Doubt::ReceiptNotProven));
        let mut changed = evidence(0);
        changed.proof.execution_proof.header.state_root = H256::zero();
        assert_eq!(verify(changed), Err(Doubt::BlockNotProven));
    });
}

#[test]
fn a_proven_message_is_executed_without_a_vote_and_without_a_fee() {
    development().execute_with(|| {
        let lane = remote(TOKEN);
        let before = supply();
        assert_ok!(send(Charlie, lane, 100 * UNIT));
        let message = back(lane, 0);
        let evidence = sends(&message);
        let bob = free(Bob);
        let done = prove(message, evidence.clone()).unwrap();
        assert_eq!(done.pays_fee, Pays::No);
        assert_eq!(free(Bob), bob + 40 * UNIT);
        assert_eq!((outside(lane), supply()), (60 * UNIT, before));
        let again = refusal(message, evidence);
        assert_eq!(again, Error::<Runtime>::NothingToProve.into());
    });
}

#[test]
fn who_voted_for_another_message_than_is_proven_loses_the_bond() {
    chain(Some("local_testnet")).execute_with(|| {
        open_block();
        let lane = remote(TOKEN);
        assert_ok!(send(Charlie, lane, 100 * UNIT));
        let message = back(lane, 0);
        let dave = Dave.to_account_id().into();
        assert_ok!(attest(Alice, lane, 0, message.payload));
        assert_ok!(attest(Bob, lane, 0, burn(LaneId::CIRO, dave, 100 * UNIT)));
        let bob = free(Bob);
        assert_ok!(prove(message, sends(&message)));
        assert_eq!(free(Bob), bob + 40 * UNIT);
        let bond = |who: Sr25519Keyring| Attesters::attester(who.to_account_id()).unwrap().bond;
        assert_eq!([Alice, Charlie].map(bond), [MIN_ATTESTER_BOND; 2]);
        assert!(!Attesters::members().contains(&Bob.to_account_id()));
        supply();
    });
}

#[test]
fn what_the_attesters_made_up_is_found_out_and_halts_them() {
    development().execute_with(|| {
        let lane = remote(TOKEN);
        assert_ok!(send(Charlie, lane, 100 * UNIT));
        let message = back(lane, 0);
        let made_up = Message {
            payload: burn(LaneId::CIRO, Alice.to_account_id().into(), 100 * UNIT),
            ..message
        };
        assert_ok!(attest(Alice, lane, 0, made_up.payload));
        assert_ok!(prove(message, sends(&message)));
        System::assert_has_event(
            Event::FalseMessageExecuted {
                lane,
                nonce: 0,
                executed: made_up.id(),
                proven: message.id(),
            }
            .into(),
        );
        assert!(pallet_attesters::Halted::<Runtime>::get());
        assert!(Attesters::members().is_empty());
    });
}

#[test]
fn only_the_lanes_contract_on_ethereum_is_believed() {
    development().execute_with(|| {
        let message = back(remote(TOKEN), 0);
        let evidence = sends(&message);
        let elsewhere = |lane| refusal(Message { lane, ..message }, evidence.clone());
        // The lane of another contract, of another chain, and one that nobody has opened.
        assert_eq!(elsewhere(remote(TOKEN + 1)), doubt(Doubt::MessageNotFound));
        for (kind, chain_id) in [(ChainKind::Evm, 42_161), (ChainKind::Starknet, ETHEREUM)] {
            let lane = lane_to(kind, chain_id, word(TOKEN));
            assert_eq!(elsewhere(lane), doubt(Doubt::ChainNotFollowed));
        }
        assert_eq!(elsewhere(LaneId::CIRO), doubt(Doubt::ChainNotFollowed));

        // Another nonce, another payload, another transaction of the block.
        let other = Message {
            nonce: 1,
            ..message
        };
        assert_eq!(
            refusal(other, evidence.clone()),
            doubt(Doubt::MessageNotFound)
        );
        let other = Message {
            payload: burn(LaneId::CIRO, Bob.to_account_id().into(), 41 * UNIT),
            ..message
        };
        assert_eq!(
            refusal(other, evidence.clone()),
            doubt(Doubt::MessageNotFound)
        );
        let misplaced = ReceiptProof {
            transaction: 0,
            ..evidence
        };
        assert_eq!(refusal(message, misplaced), doubt(Doubt::ReceiptNotProven));
    });
}

#[test]
fn an_event_that_is_not_exactly_the_messages_is_none() {
    development().execute_with(|| {
        let message = back(remote(TOKEN), 0);
        let told = told(&message);
        let with = |change: &dyn Fn(&mut Vec<B256>, &mut Vec<u8>)| {
            let (mut topics, mut data) = (told.topics().to_vec(), told.data.data.to_vec());
            change(&mut topics, &mut data);
            Log::new_unchecked(told.address, topics, data.into())
        };
        let logs = [
            with(&|topics, _| topics[0].0[0] ^= 1),
            with(&|topics, _| topics[1] = B256::with_last_byte(1)),
            with(&|topics, _| topics.push(B256::ZERO)),
            with(&|topics, _| topics.truncate(1)),
            with(&|_, data| data[31] = 64),
            with(&|_, data| data[63] -= 1),
            with(&|_, data| *data.last_mut().unwrap() ^= 1),
            with(&|_, data| data.push(0)),
            with(&|_, data| data.truncate(data.len() - 1)),
        ];
        let block = beacon::block(&[logs.to_vec(), vec![told.clone()]]);
        set(block.checkpoint);
        let verify = |place: usize| ProvenByEthereum::verify(&message, &block.proofs[place]);
        assert_eq!(verify(0), Err(Doubt::MessageNotFound));
        assert_eq!(verify(1), Ok(()));
    });
}

#[test]
fn a_proof_with_any_byte_changed_proves_nothing() {
    development().execute_with(|| {
        let message = back(remote(TOKEN), 0);
        let evidence = sends(&message);
        assert_ok!(ProvenByEthereum::verify(&message, &evidence));
        let bytes = evidence.encode();
        for place in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[place] ^= 1 << (place % 8);
            if let Ok(changed) = ReceiptProof::decode(&mut &bytes[..]) {
                let verified = ProvenByEthereum::verify(&message, &changed);
                assert!(verified.is_err(), "byte {place} does not matter");
            }
        }
    });
}

#[test]
fn the_client_confirms_nothing_before_its_checkpoint_or_while_it_is_halted() {
    development().execute_with(|| {
        let message = back(remote(TOKEN), 0);
        let block = beacon::block(&[vec![told(&message)]]);
        let evidence = || block.proofs[0].clone();
        let refusal = || refusal(message, evidence());
        assert_eq!(refusal(), doubt(Doubt::BlockNotProven));
        // Another block's checkpoint does not help.
        sends(&message);
        assert_eq!(refusal(), doubt(Doubt::BlockNotProven));
        let halt = |mode| Client::set_operating_mode { mode };
        assert_noop!(call(Alice, halt(Halted)), DispatchError::BadOrigin);
        set(block.checkpoint.clone());
        assert_ok!(call_as(RuntimeOrigin::root(), halt(Halted)));
        assert_eq!(refusal(), doubt(Doubt::ClientHalted));
        assert_ok!(call_as(RuntimeOrigin::root(), halt(Normal)));
        assert_ok!(prove(message, evidence()));
    });
}

#[test]
fn emergency_stops_proofs_at_once_and_not_the_client() {
    development().execute_with(|| {
        let message = back(remote(TOKEN), 0);
        let evidence = sends(&message);
        let name = |name: &str| name.as_bytes().to_vec().try_into().unwrap();
        let pause = |pallet, call| pallet_tx_pause::Call::pause {
            full_name: (name(pallet), name(call)),
        };
        assert_noop!(
            call_as(Origin::Emergency, pause("EthereumClient", "submit")),
            pallet_tx_pause::Error::<Runtime>::Unpausable
        );
        assert_ok!(call_as(Origin::Emergency, pause("Attesters", "prove")));
        let stopped = frame_system::Error::<Runtime>::CallFiltered;
        assert_eq!(refusal(message, evidence), stopped.into());
    });
}

#[test]
fn whatever_a_transaction_on_ethereum_can_tell_fits_in_a_block() {
    development().execute_with(|| {
        let message = back(remote(TOKEN), 0);
        let noise = Log::new_unchecked(Address::ZERO, vec![], vec![1; LONGEST_RECEIPT].into());
        let block = beacon::block(&[vec![noise, told(&message)]]);
        set(block.checkpoint);
        let call = proof(message, block.proofs[0].clone());
        let weights = <Runtime as frame_system::Config>::BlockWeights::get();
        let most = weights.get(DispatchClass::Normal).max_extrinsic.unwrap();
        let weight = call.get_dispatch_info().call_weight;
        assert!(weight.all_lte(most), "{weight}");
        let length = <Runtime as frame_system::Config>::BlockLength::get();
        let room = *length.max.get(DispatchClass::Normal) as usize;
        assert!(call.encoded_size() < room);
        assert_ok!(call.dispatch(RuntimeOrigin::signed(Dave.to_account_id())));
    });
}

#[test]
fn a_proof_weighs_the_more_the_longer_it_is() {
    development().execute_with(|| {
        let evidence = sends(&back(remote(TOKEN), 0));
        let mut longer = evidence.clone();
        longer.proof.receipt_proof.push(vec![0; 1_000]);
        let weight = |evidence| ProvenByEthereum::weight(evidence).ref_time();
        let added = weight(&longer) - weight(&evidence);
        // Eleven nanoseconds a byte is what it took where it was measured.
        assert!(added > 1_000 * 11_000, "{added}");
    });
}
