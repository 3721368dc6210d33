use crate::{leaves_key, mock::*, previous_key, Error, Event, Messages, Outbox, Results, Sealed};
use ciro_bridge_primitives::{merkle, word_of, LaneId, Message, Payload};
use frame_support::{assert_noop, assert_ok};
use sp_core::H256;
use sp_runtime::{DispatchError, TokenError};

fn message(lane: LaneId, nonce: u64, amount: u128) -> Message {
    Message {
        lane,
        nonce,
        payload: mint(amount),
    }
}

#[test]
fn messages_are_numbered_by_lane_and_said_in_an_event() {
    test(|| {
        let (one, two) = (opened(1), opened(2));
        assert_eq!(send(one, 10), Ok(0));
        System::assert_last_event(
            Event::MessageQueued {
                lane: one,
                nonce: 0,
                id: H256(message(one, 0, 10).id()),
                payload: mint(10),
            }
            .into(),
        );
        assert_eq!(send(two, 20), Ok(0));
        assert_eq!(send(one, 30), Ok(1));
        next_block();
        assert_eq!(send(one, 40), Ok(2));
    });
}

#[test]
fn the_next_leaf_has_the_root_of_the_block_s_messages_and_the_block_s_time() {
    let mut node = Node::new();
    let (one, two) = node.run(|| (opened(1), opened(2)));
    let leaf = node.run(|| {
        pallet_timestamp::Now::<Test>::put(5_999);
        assert_ok!(send(one, 10));
        assert_ok!(send(two, 20));
        assert_ok!(send(one, 30));
        next_block()
    });
    let messages = [
        message(one, 0, 10),
        message(two, 0, 20),
        message(one, 1, 30),
    ];
    let bytes = messages.map(|message| message.bytes());
    assert_eq!(leaf.messages_root, merkle::root(&bytes));
    assert_eq!(leaf.results_root, [0; 32]);
    assert_eq!(leaf.timestamp, 5);
    assert_eq!(node.leaves(&leaf.messages_root), Some(bytes.to_vec()));
}

#[test]
fn an_empty_block_has_zero_roots_and_leaves_nothing_in_the_index() {
    let mut node = Node::new();
    let leaves = node.run(|| {
        let lane = opened(1);
        let empty = next_block();
        assert_ok!(send(lane, 1));
        (empty, next_block(), next_block())
    });
    let roots = |leaf: ciro_bridge_primitives::BridgeLeaf| (leaf.messages_root, leaf.results_root);
    assert_eq!(roots(leaves.0), Default::default());
    assert_ne!(leaves.1.messages_root, [0; 32]);
    assert_eq!(roots(leaves.2), Default::default());
    assert_eq!(node.leaves(&[0; 32]), None);
}

#[test]
fn nothing_of_a_message_stays_in_the_state_once_its_block_is_over() {
    test(|| {
        let lane = opened(1);
        assert_ok!(send(lane, 1));
        let result = Queue::leaf(1, &result(H256([1; 32])));
        Queue::note_result(result);
        next_block();
        assert!(!Messages::<Test>::exists() && !Results::<Test>::exists());
        assert_ne!(Sealed::<Test>::get(), Default::default());
        next_block();
        assert_eq!(Sealed::<Test>::get(), Default::default());
    });
}

#[test]
fn a_lane_can_be_walked_backwards_through_the_index() {
    let mut node = Node::new();
    let (one, two) = node.run(|| (opened(1), opened(2)));
    // Lane one has messages in blocks 1, 4 and 5, two of them in block 4; lane two in block 3.
    for (block, lane) in [(1, one), (3, two), (4, one), (4, one), (5, one)] {
        node.run(|| {
            while System::block_number() < block {
                next_block();
            }
            assert_ok!(send(lane, 1));
        });
    }
    node.run(next_block);
    let mut walked = Vec::new();
    let mut block = node.run(|| Queue::lane(one).unwrap().last_block);
    while let Some(at) = block {
        walked.push(at);
        block = node.previous(one, at);
    }
    assert_eq!(walked, [5, 4, 1]);
    assert_eq!(node.run(|| Queue::lane(two).unwrap().last_block), Some(3));
    assert_eq!(node.previous(two, 3), None);
}

#[test]
fn forks_cannot_disagree_about_what_the_index_has_under_a_key() {
    // The first message is in block 1 of one fork and in block 2 of the other, the second in block 4 of both.
    let fork = |first: u32| {
        ext().execute_with(|| {
            let lane = opened(1);
            for block in 1..4 {
                if block == first {
                    assert_ok!(send(lane, 1));
                }
                next_block();
            }
            let parent = H256([100 + first as u8; 32]);
            System::set_parent_hash(parent);
            assert_ok!(send(lane, 2));
            let root = next_block().messages_root;
            (leaves_key(&root), previous_key(&lane, parent.as_bytes()))
        })
    };
    let ((leaves, previous), (same_leaves, other_previous)) = (fork(1), fork(2));
    assert_eq!(leaves, same_leaves);
    assert_ne!(previous, other_previous);
}

#[test]
fn a_block_takes_so_many_messages_and_the_next_one_takes_more() {
    test(|| {
        let (one, two) = (opened(1), opened(2));
        for nth in 0..MAX_MESSAGES {
            assert_ok!(send(if nth % 2 == 0 { one } else { two }, 1));
        }
        assert_noop!(send(one, 1), Error::<Test>::QueueFull);
        next_block();
        assert_eq!(send(one, 1), Ok(u64::from(MAX_MESSAGES / 2)));
    });
}

#[test]
fn only_what_leaves_ciro_is_sent() {
    test(|| {
        let lane = opened(1);
        let inbound = [
            Payload::Burn {
                destination: LaneId::CIRO,
                recipient: word_of(1u8),
                amount: 1,
                refund: [0; 32],
            },
            Payload::Return {
                nonce: 0,
                amount: 1,
                refund: [1; 32],
            },
        ];
        for payload in inbound {
            assert_noop!(Queue::send(lane, payload), Error::<Test>::NotOutbound);
        }
        assert_noop!(send(LaneId([1; 32]), 1), Error::<Test>::UnknownLane);
    });
}

#[test]
fn while_the_bridge_is_halted_nothing_new_is_queued_and_what_was_queued_before_leaves() {
    test(|| {
        let lane = opened(1);
        assert_ok!(send(lane, 1));
        assert_noop!(Queue::set_halted(signed(1), true), DispatchError::BadOrigin);
        assert_ok!(Queue::set_halted(RuntimeOrigin::root(), true));
        System::assert_last_event(Event::BridgeHalted.into());
        assert_noop!(send(lane, 2), Error::<Test>::Halted);
        assert_ne!(next_block().messages_root, [0; 32]);
        assert_noop!(send(lane, 2), Error::<Test>::Halted);
        assert_noop!(prove_remote(1, lane, &binding(lane)), Error::<Test>::Halted);
        assert_ok!(Queue::set_halted(RuntimeOrigin::root(), false));
        System::assert_last_event(Event::BridgeResumed.into());
        assert_eq!(send(lane, 2), Ok(1));
    });
}

#[test]
fn the_fee_goes_to_the_treasury_and_no_account_dies_of_it() {
    test(|| {
        assert_ok!(Queue::charge(&account(1)));
        assert_eq!((free(1), free(99)), (ENDOWMENT - FEE, FEE));
        assert_noop!(Queue::charge(&account(7)), TokenError::FundsUnavailable);
        let rest = ENDOWMENT - FEE - FEE - 5;
        assert_ok!(Balances::transfer_keep_alive(signed(1), account(2), rest));
        assert_noop!(Queue::charge(&account(1)), TokenError::FundsUnavailable);
    });
}

#[test]
fn a_message_adds_what_sealing_it_takes_to_the_block_s_weight() {
    test(|| {
        use crate::weights::{SubstrateWeight, WeightInfo};
        let lane = opened(1);
        let mandatory =
            || *System::block_weight().get(frame_support::dispatch::DispatchClass::Mandatory);
        let before = mandatory();
        assert_ok!(send(lane, 1));
        Queue::note_result(Queue::leaf(1, &result(H256([1; 32]))));
        let seal = SubstrateWeight::<Test>::seal;
        let added = seal(1, 1) - seal(0, 0);
        assert_eq!(mandatory() - before, added);
        assert!(added.ref_time() > 0);
    });
}
