//! Messages that anyone may ask for.

use crate::{mock::*, parts_in_a_million, Error, Event, SentCases};
use ciro_bridge_primitives::{word_of, Message, Payload, RemoteJobBinding, ResultLeaf, MILLION};
use frame_support::{
    assert_noop, assert_ok,
    dispatch::{GetDispatchInfo, Pays},
    storage::with_storage_layer,
};
use pallet_job_market::Proof;
use sp_core::H256;
use sp_io::hashing::blake2_256;
use sp_runtime::{DispatchError, DispatchResult, Perbill, TokenError};

/// As an extrinsic would be: all or nothing.
fn atomic(call: impl FnOnce() -> DispatchResult) -> DispatchResult {
    with_storage_layer(call)
}

fn assert_queued(message: Message) {
    System::assert_has_event(
        Event::MessageQueued {
            lane: message.lane,
            nonce: message.nonce,
            id: H256(message.id()),
            payload: message.payload,
        }
        .into(),
    );
}

#[test]
fn a_proven_result_is_sent_for_the_fee_as_often_as_someone_pays() {
    test(|| {
        let lane = opened(1);
        ProvenJobs::insert(7, H256([3; 32]));
        for nonce in 0..2 {
            assert_ok!(Queue::send_result(signed(2), lane, 7));
            assert_queued(Message {
                lane,
                nonce,
                payload: Payload::Result(ResultLeaf {
                    job: 7,
                    model: result(H256::zero()).model,
                    input_commitment: [8; 32],
                    output_hash: [3; 32],
                }),
            });
        }
        assert_eq!((free(2), free(99)), (ENDOWMENT - 2 * FEE, 2 * FEE));
    });
}

#[test]
fn a_result_without_a_proof_is_not_sent() {
    test(|| {
        let lane = opened(1);
        assert_noop!(
            Queue::send_result(signed(2), lane, 7),
            Error::<Test>::NotProven
        );
        ProvenJobs::insert(7, H256([3; 32]));
        assert_noop!(
            Queue::send_result(RuntimeOrigin::root(), lane, 7),
            DispatchError::BadOrigin
        );
        let unknown = ciro_bridge_primitives::LaneId([1; 32]);
        assert_noop!(
            Queue::send_result(signed(2), unknown, 7),
            Error::<Test>::UnknownLane
        );
    });
}

#[test]
fn who_cannot_pay_the_fee_sends_nothing() {
    test(|| {
        let lane = opened(1);
        ProvenJobs::insert(7, H256([3; 32]));
        assert_noop!(
            atomic(|| Queue::send_result(signed(7), lane, 7)),
            TokenError::FundsUnavailable
        );
        assert_noop!(
            atomic(|| prove_remote(7, lane, &binding(lane))),
            TokenError::FundsUnavailable
        );
    });
}

#[test]
fn an_executed_case_is_sent_once_in_each_lane() {
    test(|| {
        let (one, two) = (opened(1), opened(2));
        Executed::insert(4, (account(3), Perbill::from_percent(30)));
        assert_ok!(Queue::send_slash(signed(2), one, 4));
        assert_queued(Message {
            lane: one,
            nonce: 0,
            payload: Payload::Slash {
                case: 4,
                operator: [3; 32],
                share: 300_000,
            },
        });
        assert_eq!(free(2), ENDOWMENT - FEE);
        assert_noop!(
            Queue::send_slash(signed(3), one, 4),
            Error::<Test>::AlreadySent
        );
        next_block();
        assert_noop!(
            Queue::send_slash(signed(3), one, 4),
            Error::<Test>::AlreadySent
        );
        assert_ok!(Queue::send_slash(signed(3), two, 4));
        assert!(SentCases::<Test>::contains_key(two, 4));
    });
}

#[test]
fn a_case_that_was_not_executed_is_not_sent() {
    test(|| {
        let lane = opened(1);
        assert_noop!(
            Queue::send_slash(signed(2), lane, 4),
            Error::<Test>::NotExecuted
        );
        assert_noop!(
            Queue::send_slash(RuntimeOrigin::none(), lane, 4),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn a_share_is_in_parts_of_a_million_and_never_more_than_all() {
    for percent in 0..=100 {
        let share = parts_in_a_million(Perbill::from_percent(percent));
        assert_eq!(share, percent * 10_000);
    }
    assert_eq!(parts_in_a_million(Perbill::one()), MILLION);
    assert_eq!(parts_in_a_million(Perbill::from_parts(1_999)), 1);
}

#[test]
fn a_proof_for_a_job_of_another_chain_becomes_a_message() {
    test(|| {
        let lane = opened(1);
        assert_ok!(prove_remote(2, lane, &binding(lane)));
        let output = blake2_256(&codec::Encode::encode(&vec![1i32, 2, 3]));
        assert_queued(Message {
            lane,
            nonce: 0,
            payload: Payload::RemoteResult {
                remote_job: word_of(5u8),
                model: result(H256::zero()).model,
                input_commitment: [8; 32],
                output_hash: output,
                payee: [6; 32],
            },
        });
        assert_eq!((free(2), free(99)), (ENDOWMENT - FEE, FEE));
    });
}

#[test]
fn a_proof_bound_to_anything_else_is_refused() {
    test(|| {
        let (lane, other) = (opened(1), opened(2));
        let right = binding(lane);
        for wrong in [
            RemoteJobBinding {
                genesis: [1; 32],
                ..right
            },
            RemoteJobBinding {
                lane: other,
                ..right
            },
            RemoteJobBinding {
                remote_job: word_of(6u8),
                ..right
            },
            RemoteJobBinding {
                payee: [7; 32],
                ..right
            },
        ] {
            assert_noop!(
                prove_remote(2, lane, &wrong),
                DispatchError::Other("the proof does not hold")
            );
        }
        assert_noop!(
            prove_remote(2, ciro_bridge_primitives::LaneId([1; 32]), &right),
            Error::<Test>::UnknownLane
        );
    });
}

#[test]
fn a_proof_is_looked_at_only_if_its_message_can_be_queued() {
    test(|| {
        let lane = opened(1);
        (0..MAX_MESSAGES).for_each(|_| {
            assert_ok!(send(lane, 1));
        });
        assert_noop!(
            prove_remote(2, lane, &binding(lane)),
            Error::<Test>::QueueFull
        );
    });
}

#[test]
fn a_proof_for_another_chain_pays_for_its_verification_whether_it_holds_or_not() {
    let call = |proof: usize| crate::Call::<Test>::prove_remote {
        lane: Default::default(),
        remote_job: H256::zero(),
        model: result(H256::zero()).model,
        payee: H256::zero(),
        batch: 1,
        input: Default::default(),
        output: Default::default(),
        proof: Proof::truncate_from(vec![0; proof]),
    };
    let (short, long) = (call(0).get_dispatch_info(), call(1_000).get_dispatch_info());
    assert_eq!(
        long.call_weight.ref_time() - short.call_weight.ref_time(),
        1_000
    );
    assert_eq!((short.pays_fee, long.pays_fee), (Pays::Yes, Pays::Yes));
}
