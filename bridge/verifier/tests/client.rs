//! What a client takes, and what it then knows.

use ciro_bridge_primitives::{
    kind, word_of, ChainKind, Commitment, Leaf, LeafProof, MessageProof, Payload, Signature, Update,
};
use ciro_bridge_testing::{lane, Scene, CONTRACTS};
use ciro_bridge_verifier::{BeefyClient, Error, Inbox, CLOCK_DRIFT};
use proptest::prelude::*;

/// A client at the scene's start.
fn deployed(scene: &Scene) -> BeefyClient {
    BeefyClient::new(scene.genesis(), scene.expiry).unwrap()
}

/// A client that has come to `block`.
fn client_at(scene: &Scene, block: u32) -> BeefyClient {
    let mut client = deployed(scene);
    for (now, update) in scene.updates_to(block) {
        client.submit(&update, now).unwrap();
    }
    client
}

#[test]
fn a_client_follows_sets_of_every_size_to_the_chains_head() {
    for length in [1, 2, 3, 4, 5, 21, 63, 64] {
        let scene = Scene::synthetic(length);
        let head = scene.chain.height();
        let client = client_at(&scene, head);
        assert_eq!(client.newest_block(), head);
        assert_eq!(client.root(head), Some(&scene.chain.root(head)));
        let set = scene.chain.set_of(head);
        assert_eq!(client.current(), &scene.chain.validators(set).set(set));
        let first = scene.chain.first_block_of(set);
        let time = scene.chain.leaf(first - 1).extra.timestamp;
        assert_eq!(client.handover_time(), time);
    }
}

#[test]
fn a_quorum_is_all_but_less_than_a_third() {
    for (length, quorum) in [
        (1, 1),
        (2, 2),
        (3, 3),
        (4, 3),
        (6, 5),
        (7, 5),
        (10, 7),
        (64, 43),
    ] {
        let scene = Scene::synthetic(length);
        let (now, update) = scene.updates_to(2).pop().unwrap();
        assert_eq!(update.signatures.len(), quorum);
        deployed(&scene).submit(&update, now).unwrap();
        let fewer = update.signers >> 1;
        let update = Update {
            signers: fewer,
            signatures: scene.chain.validators(0).sign(&update.commitment, fewer),
            ..update
        };
        let refused = deployed(&scene).submit(&update, now);
        assert_eq!(refused, Err(Error::TooFewSigners), "{length}");
    }
}

#[test]
fn any_quorum_of_the_validators_will_do() {
    let scene = Scene::synthetic(4);
    let validators = scene.chain.validators(0);
    for signers in [0b1110, 0b1101, 0b1011, 0b0111, 0b1111] {
        let (now, update) = scene.updates_to(5).pop().unwrap();
        let update = Update {
            signers,
            signatures: validators.sign(&update.commitment, signers),
            ..update
        };
        deployed(&scene).submit(&update, now).unwrap();
    }
}

#[test]
fn a_client_believes_its_validators_to_the_last_second_of_the_expiry() {
    let scene = Scene::synthetic(4);
    let last = scene.genesis().time + scene.expiry;
    let update = scene.chain.update(1);
    deployed(&scene).submit(&update, last).unwrap();
    let refused = deployed(&scene).submit(&update, last + 1);
    assert_eq!(refused, Err(Error::Expired));
}

#[test]
fn a_hand_over_makes_the_client_as_fresh_as_its_leaf_and_not_fresher() {
    let scene = Scene::synthetic(4);
    let block = scene.handover_block();
    let update = scene.chain.handover(block);
    let time = scene.chain.leaf(block - 1).extra.timestamp;
    let late = scene.genesis().time + scene.expiry;
    let mut client = deployed(&scene);
    client.submit(&update, late).unwrap();
    assert_eq!(client.handover_time(), time);
}

#[test]
fn a_leaf_ahead_of_the_clock_counts_as_now() {
    let scene = Scene::synthetic(4);
    let now = scene.time_of(scene.handover_block());
    let update = scene.forged_handover(|leaf| leaf.extra.timestamp = now + CLOCK_DRIFT);
    let mut client = deployed(&scene);
    client.submit(&update, now).unwrap();
    assert_eq!(client.handover_time(), now);
}

#[test]
fn the_hand_overs_time_never_goes_back() {
    let scene = Scene::synthetic(4);
    let now = scene.time_of(scene.handover_block());
    let update = scene.forged_handover(|leaf| leaf.extra.timestamp = 0);
    let mut client = deployed(&scene);
    client.submit(&update, now).unwrap();
    assert_eq!(client.handover_time(), scene.genesis().time);
}

#[test]
fn a_hand_over_comes_in_any_block_of_the_next_session() {
    let scene = Scene::synthetic(4);
    let first = scene.handover_block();
    let second = scene.chain.first_block_of(2);
    for block in first..second {
        for parent in first - 1..block {
            let update = Update {
                handover: Some(scene.chain.leaf_proof(block, parent)),
                ..scene.chain.update(block)
            };
            let mut client = deployed(&scene);
            client.submit(&update, scene.time_of(block)).unwrap();
            assert_eq!(client.next(), &scene.chain.validators(2).set(2));
        }
    }
}

#[test]
fn every_leaf_is_proven_under_every_known_root() {
    let scene = Scene::synthetic(4);
    let client = client_at(&scene, scene.chain.height());
    for block in 1..=scene.chain.height() {
        for parent in 0..block {
            let proof = scene.chain.leaf_proof(block, parent);
            let expected = client.root(block).map(|_| ()).ok_or(Error::UnknownRoot);
            assert_eq!(client.prove_leaf(block, &proof), expected);
        }
    }
}

#[test]
fn roots_stay_good_when_the_client_has_expired() {
    let scene = Scene::synthetic(4);
    let block = scene.busy + 1;
    let mut client = client_at(&scene, block);
    let late = u64::MAX;
    let refused = client.submit(&scene.chain.update(block + 1), late);
    assert_eq!(refused, Err(Error::Expired));
    client.prove_leaf(block, &scene.busy_leaf()).unwrap();
}

#[test]
fn a_client_that_is_no_longer_halted_goes_on() {
    let scene = Scene::synthetic(4);
    let block = scene.busy + 1;
    let mut client = client_at(&scene, block);
    client.set_halted(true);
    assert!(client.is_halted());
    client.set_halted(false);
    client.prove_leaf(block, &scene.busy_leaf()).unwrap();
}

#[test]
fn every_message_and_result_of_a_block_is_proven_at_its_place() {
    let scene = Scene::synthetic(4);
    let block = scene.busy + 1;
    let client = client_at(&scene, block);
    let leaf = scene.busy_leaf();
    for (index, words) in (0..).zip(&scene.chain.block(scene.busy).messages) {
        let proof = scene.chain.message_proof(scene.busy, index);
        assert_eq!(&proof.words, words);
        client.prove_message(block, &leaf, &proof).unwrap();
    }
    for (index, result) in (0..).zip(&scene.chain.block(scene.busy).results) {
        let proof = scene.chain.result_proof(scene.busy, index);
        assert_eq!(&proof.result, result);
        client.prove_result(block, &leaf, &proof).unwrap();
    }
}

#[test]
fn every_contract_takes_its_messages_in_any_order_and_once() {
    let scene = Scene::synthetic(4);
    let block = scene.busy + 1;
    let client = client_at(&scene, block);
    let leaf = scene.busy_leaf();
    for chain in [ChainKind::Evm, ChainKind::Starknet] {
        for kind in CONTRACTS {
            let lane = lane(&scene.chain.genesis, chain, kind);
            let mut messages: Vec<MessageProof> = (0..)
                .zip(&scene.chain.block(scene.busy).messages)
                .filter(|(_, words)| words[0] == lane.0)
                .map(|(index, _)| scene.chain.message_proof(scene.busy, index))
                .collect();
            messages.reverse();
            let mut inbox = Inbox::new(lane, [kind]);
            let delivered = inbox.deliver(&client, block, &leaf, &messages).unwrap();
            assert_eq!(delivered.len(), messages.len());
            for (message, proof) in delivered.iter().zip(&messages) {
                assert_eq!(message.words(), proof.words);
                assert!(inbox.is_taken(message.nonce));
                let again = inbox.deliver(&client, block, &leaf, std::slice::from_ref(proof));
                assert_eq!(again, Err(Error::NonceTaken));
            }
        }
    }
}

#[test]
fn one_bad_message_leaves_the_others_of_its_delivery_to_come() {
    let scene = Scene::synthetic(4);
    let block = scene.busy + 1;
    let client = client_at(&scene, block);
    let leaf = scene.busy_leaf();
    let mint = |nonce| {
        let index = scene.message_index(ChainKind::Evm, kind::MINT, nonce);
        scene.chain.message_proof(scene.busy, index)
    };
    let mut bad = mint(1);
    bad.words[4] = word_of(9u8);
    let lane = lane(&scene.chain.genesis, ChainKind::Evm, kind::MINT);
    let mut inbox = Inbox::new(lane, [kind::MINT]);
    let refused = inbox.deliver(&client, block, &leaf, &[mint(0), bad]);
    assert_eq!(refused, Err(Error::WrongPath));
    assert!(!inbox.is_taken(0));
    let taken = inbox.deliver(&client, block, &leaf, &[mint(1), mint(0)]);
    let nonces: Vec<u64> = taken.unwrap().iter().map(|message| message.nonce).collect();
    assert_eq!(nonces, [1, 0]);
}

/// Any update at all, in most of which something is close to good.
fn update(scene: &Scene) -> impl Strategy<Value = Update> {
    let heights = 1..scene.chain.height();
    let chain = scene.chain.clone();
    let good = (heights, any::<bool>()).prop_map(move |(block, handover)| match handover {
        true => chain.handover(block),
        false => chain.update(block),
    });
    let signature = any::<([u8; 32], [u8; 32], bool)>();
    let change = (0..9u8, any::<u64>(), any::<[u8; 32]>(), signature);
    (good, change).prop_map(|(mut update, (at, number, word, (r, s, parity)))| {
        match at {
            0 => update.commitment.root = word,
            1 => update.commitment.block = number as u32,
            2 => update.commitment.set = number,
            3 => update.signers ^= number,
            4 => update.signatures[0] = Signature { r, s, parity },
            5 => update.addresses[number as usize % 4][0] ^= 1,
            6 => {
                let leaf = update.handover.get_or_insert_with(LeafProof::default);
                leaf.leaf.parent_number ^= number as u32;
            }
            7 => {
                let leaf = update.handover.get_or_insert_with(LeafProof::default);
                leaf.items.push(word);
            }
            _ => {}
        }
        update
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_is_submitted_a_client_knows_only_what_validators_signed(
        updates in proptest::collection::vec((update(&Scene::synthetic(4)), 0..200_000u64), 1..6),
    ) {
        let scene = Scene::synthetic(4);
        let mut client = deployed(&scene);
        for (update, later) in updates {
            let before = client.clone();
            let now = scene.genesis().time + later;
            match client.submit(&update, now) {
                Err(_) => prop_assert_eq!(&client, &before),
                Ok(()) => {
                    let Commitment { root, block, set } = update.commitment;
                    prop_assert_eq!(root, scene.chain.root(block));
                    prop_assert_eq!(set, scene.chain.set_of(block));
                    prop_assert!(block > before.newest_block());
                    prop_assert!(client.handover_time() >= before.handover_time());
                    prop_assert_eq!(client.current(), &scene.chain.validators(set).set(set));
                    prop_assert_eq!(client.next().id, set + 1);
                }
            }
        }
    }
}

#[test]
fn a_default_leaf_is_in_no_chain() {
    let scene = Scene::synthetic(1);
    let client = client_at(&scene, scene.busy + 1);
    let proof = LeafProof {
        leaf: Leaf::default(),
        ..scene.chain.leaf_proof(scene.busy + 1, 0)
    };
    let refused = client.prove_leaf(scene.busy + 1, &proof);
    assert_eq!(refused, Err(Error::WrongLeafProof));
}

#[test]
fn a_message_is_read_whatever_it_says() {
    let scene = Scene::synthetic(4);
    let block = scene.busy + 1;
    let client = client_at(&scene, block);
    let index = scene.message_index(ChainKind::Evm, kind::MINT, 2);
    let proof = scene.chain.message_proof(scene.busy, index);
    let lane = lane(&scene.chain.genesis, ChainKind::Evm, kind::MINT);
    let mut inbox = Inbox::new(lane, [kind::MINT]);
    let delivered = inbox.deliver(&client, block, &scene.busy_leaf(), &[proof]);
    let message = delivered.unwrap().remove(0);
    assert!(matches!(
        message.payload,
        Payload::Mint {
            amount: 1_000_000_000_002,
            ..
        }
    ));
}
