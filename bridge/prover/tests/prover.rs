//! What is made of a node's words is what clients take.

use ciro_bridge_primitives::{merkle, Commitment, Hash, LeafProof, ProofError, Update};
use ciro_bridge_prover::{
    address, fork_votes, leaf_proof, message_proof, result_proof, update, AuthorityId,
    BeefySignature, Error, FinalityProof,
};
use ciro_bridge_testing::{Scene, Validators};
use ciro_bridge_verifier::BeefyClient;
use codec::Encode;
use k256::ecdsa::{Signature, SigningKey};
use proptest::prelude::*;

/// The validators' keys as BEEFY knows them.
fn authorities(validators: &Validators) -> Vec<AuthorityId> {
    validators
        .secrets()
        .map(|secret| {
            let key = SigningKey::from_slice(&secret).unwrap();
            let point = key.verifying_key().to_encoded_point(true);
            point.as_bytes().try_into().unwrap()
        })
        .collect()
}

/// The signatures of those in `signers`, in their places.
fn votes(
    validators: &Validators,
    commitment: &Commitment,
    signers: u64,
) -> Vec<Option<BeefySignature>> {
    let mut signatures = validators.sign(commitment, signers).into_iter();
    (0..validators.length())
        .map(|index| {
            let signature = (signers >> index & 1 == 1).then(|| signatures.next())??;
            let bytes = [&signature.r[..], &signature.s, &[signature.parity.into()]].concat();
            bytes.try_into().ok()
        })
        .collect()
}

/// A justification of `block` by `signers`.
fn justification(scene: &Scene, block: u32, signers: u64) -> FinalityProof {
    let commitment = scene.chain.commitment(block);
    FinalityProof {
        payload: vec![(*b"mh", commitment.root.to_vec())],
        block,
        set: commitment.set,
        signatures: votes(scene.chain.validators(commitment.set), &commitment, signers),
    }
}

/// The justification in SCALE, as nodes gossip it.
fn encoded(proof: &FinalityProof) -> Vec<u8> {
    let places = proof.signatures.len();
    let mut signed = vec![0u8; places / 8 + 1];
    for (place, signature) in proof.signatures.iter().enumerate() {
        if signature.is_some() {
            signed[place / 8] |= 0x80 >> (place % 8);
        }
    }
    let signatures: Vec<_> = proof.signatures.iter().flatten().collect();
    let commitment = (&proof.payload, proof.block, proof.set);
    (1u8, commitment, signed, places as u32, signatures).encode()
}

/// The authorities of the set that signs `block`.
fn authorities_of(scene: &Scene, block: u32) -> Vec<AuthorityId> {
    authorities(scene.chain.validators(scene.chain.set_of(block)))
}

fn submitted(scene: &Scene, update: &Update) {
    let mut client = BeefyClient::new(scene.genesis(), scene.expiry).unwrap();
    client
        .submit(update, scene.time_of(update.commitment.block))
        .unwrap();
}

#[test]
fn a_justification_of_all_makes_an_update_of_as_few_as_will_do() {
    for length in [1, 4, 8, 21, 64] {
        let scene = Scene::synthetic(length);
        let all = u64::MAX >> (64 - length);
        for block in [3, scene.handover_block()] {
            let proof = justification(&scene, block, all);
            let handover = block == scene.handover_block();
            let leaf = handover.then(|| scene.chain.leaf_proof(block, block - 1));
            let made = update(&proof, &authorities_of(&scene, block), leaf).unwrap();
            let expected = match handover {
                true => scene.chain.handover(block),
                false => scene.chain.update(block),
            };
            assert_eq!(made, expected);
            submitted(&scene, &made);
        }
    }
}

#[test]
fn signatures_that_clients_would_refuse_are_left_out_or_brought_into_form() {
    let scene = Scene::synthetic(4);
    let authorities = authorities_of(&scene, 3);
    let mut proof = justification(&scene, 3, 0b1111);
    // The twin of the second signature, with the high `s`.
    let second = proof.signatures[1].as_mut().unwrap();
    let low = Signature::from_slice(&second[..64]).unwrap();
    second[32..64].copy_from_slice(&(-*low.s()).to_bytes());
    second[64] ^= 1;
    // Another's signature, in the third's place.
    proof.signatures[2] = proof.signatures[3];
    let made = update(&proof, &authorities, None).unwrap();
    assert_eq!(made.signers, 0b1011);
    submitted(&scene, &made);
    proof.signatures[0] = Some([0xff; 65]);
    let error = Error::TooFewSignatures {
        valid: 2,
        needed: 3,
    };
    assert_eq!(update(&proof, &authorities, None), Err(error));
}

#[test]
fn another_payload_than_the_root_is_for_no_contract() {
    let scene = Scene::synthetic(4);
    let good = justification(&scene, 3, 0b1111);
    let root = good.payload[0].1.clone();
    let payloads = [
        vec![],
        vec![(*b"mx", root.clone())],
        vec![(*b"mh", root[1..].to_vec())],
        vec![(*b"mh", root.clone()), (*b"mx", root)],
    ];
    for payload in payloads {
        let proof = FinalityProof {
            payload,
            ..good.clone()
        };
        let made = update(&proof, &authorities_of(&scene, 3), None);
        assert_eq!(made, Err(Error::Payload));
    }
}

#[test]
fn authorities_of_another_session_are_told_from_the_justifications_own() {
    let scene = Scene::synthetic(4);
    let proof = justification(&scene, 3, 0b1111);
    let mut authorities = authorities_of(&scene, 3);
    let other = authorities_of(&scene, scene.handover_block());
    let error = Error::TooFewSignatures {
        valid: 0,
        needed: 3,
    };
    assert_eq!(update(&proof, &other, None), Err(error));
    authorities[1] = [0; 33];
    assert_eq!(update(&proof, &authorities, None), Err(Error::Key(1)));
    authorities.pop();
    let error = Error::OtherSet {
        signatures: 4,
        authorities: 3,
    };
    assert_eq!(update(&proof, &authorities, None), Err(error));
    assert_eq!(update(&proof, &[], None), Err(Error::SetLength(0)));
}

#[test]
fn a_leaf_must_be_proven_at_the_commitments_own_block() {
    let scene = Scene::synthetic(4);
    let block = scene.handover_block();
    let proof = justification(&scene, block, 0b1111);
    let authorities = authorities_of(&scene, block);
    let later = scene.chain.leaf_proof(block + 1, block - 1);
    let made = update(&proof, &authorities, Some(later));
    assert!(matches!(made, Err(Error::LeafProof(_))));
}

/// `leaves` and `proof` of `mmr_generateProof`.
fn generated(block: u32, proof: &LeafProof) -> (Vec<u8>, Vec<u8>) {
    let indices = vec![u64::from(proof.leaf.parent_number)];
    (
        vec![proof.leaf.encode()].encode(),
        (indices, u64::from(block), &proof.items).encode(),
    )
}

#[test]
fn a_nodes_proof_of_a_leaf_is_read() {
    let scene = Scene::synthetic(1);
    for block in 1..=scene.chain.height() {
        for parent in 0..block {
            let expected = scene.chain.leaf_proof(block, parent);
            let (leaves, proof) = generated(block, &expected);
            assert_eq!(leaf_proof(&leaves, &proof), Ok((block, expected)));
        }
    }
}

#[test]
fn a_nodes_proof_of_anything_else_is_refused() {
    let scene = Scene::synthetic(1);
    let good = scene.chain.leaf_proof(9, 4);
    let (leaves, proof) = generated(9, &good);
    let none: Vec<Vec<u8>> = Vec::new();
    assert_eq!(
        leaf_proof(&none.encode(), &proof),
        Err(Error::NotOneLeaf(0))
    );
    let other = ([5u64].to_vec(), 9u64, &good.items).encode();
    let error = Error::OtherLeaf {
        parent: 4,
        index: 5,
    };
    assert_eq!(leaf_proof(&leaves, &other), Err(error));
    let outside = ([4u64].to_vec(), 4u64, &good.items).encode();
    let error = Error::LeafProof(ProofError::IndexOutOfRange);
    assert_eq!(leaf_proof(&leaves, &outside), Err(error));
    let longer = ([4u64].to_vec(), 8u64, &good.items).encode();
    let error = Error::LeafProof(ProofError::WrongLength);
    assert_eq!(leaf_proof(&leaves, &longer), Err(error));
    for (leaves, proof) in [
        (&leaves[1..], &proof[..]),
        (&leaves[..], &proof[1..]),
        (&vec![vec![1u8; 153]].encode()[..], &proof[..]),
    ] {
        let read = leaf_proof(leaves, proof);
        assert!(matches!(read, Err(Error::Undecodable { .. })));
    }
}

#[test]
fn messages_and_results_are_proven_under_their_own_leaf_alone() {
    let scene = Scene::synthetic(4);
    let leaf = scene.chain.leaf(scene.busy);
    let block = scene.chain.block(scene.busy);
    let index = 3;
    assert_eq!(
        message_proof(leaf, &block.messages, index),
        Ok(scene.chain.message_proof(scene.busy, index))
    );
    assert_eq!(
        result_proof(leaf, &block.results, index),
        Ok(scene.chain.result_proof(scene.busy, index))
    );
    let count = block.messages.len();
    let error = Error::NoSuchIndex {
        what: "messages",
        index: count as u32,
        count,
    };
    assert_eq!(
        message_proof(leaf, &block.messages, count as u32),
        Err(error)
    );
    let other = scene.chain.leaf(scene.busy + 1);
    assert_eq!(
        message_proof(other, &block.messages, index),
        Err(Error::OtherRoot("messages"))
    );
    assert_eq!(
        result_proof(other, &block.results, index),
        Err(Error::OtherRoot("results"))
    );
}

#[test]
fn whoever_signed_another_root_than_the_chains_is_named() {
    let scene = Scene::synthetic(4);
    let validators = scene.chain.validators(0);
    let authorities = authorities(validators);
    let root = scene.chain.root(5);
    let good = scene.chain.update(5);
    assert_eq!(fork_votes(&good, &authorities, &root), []);
    let commitment = Commitment {
        root: [6; 32],
        ..good.commitment
    };
    let mut forged = Update {
        commitment,
        signers: 0b1101,
        signatures: validators.sign(&commitment, 0b1101),
        ..good
    };
    // One of the three signatures is of something else: it accuses nobody.
    forged.signatures[1] = validators.sign(&scene.chain.commitment(5), 0b0100)[0];
    let votes = fork_votes(&forged, &authorities, &root);
    let signers: Vec<_> = votes.iter().map(|vote| vote.authority).collect();
    assert_eq!(signers, [authorities[0], authorities[3]]);
    let signature = votes[0].signature;
    let expected = [&commitment.encode()[..], &authorities[0], &signature].concat();
    assert_eq!(votes[0].encode(), expected);
    let known = address(&votes[1].authority);
    assert_eq!(known, Some(validators.addresses()[3]));
}

#[test]
fn addresses_are_those_of_the_set() {
    let validators = Validators::new("any", 5);
    let addresses: Vec<_> = authorities(&validators).iter().map(address).collect();
    let addresses: Option<Vec<_>> = addresses.into_iter().collect();
    let root: Hash = merkle::root(addresses.unwrap());
    assert_eq!(root, validators.set(0).root);
}

proptest! {
    #[test]
    fn justifications_are_read_as_they_were_written(
        payload in proptest::collection::vec(any::<([u8; 2], Vec<u8>)>(), 0..3),
        block: u32,
        set: u64,
        places in proptest::collection::vec(any::<(bool, u8)>(), 0..70),
        cut: proptest::sample::Index,
    ) {
        let signature = |(signed, byte)| -> Option<BeefySignature> {
            Some([byte; 65]).filter(|_| signed)
        };
        let signatures = places.into_iter().map(signature).collect();
        let proof = FinalityProof { payload, block, set, signatures };
        let bytes = encoded(&proof);
        prop_assert_eq!(FinalityProof::decode(&bytes), Ok(proof));
        prop_assert!(FinalityProof::decode(&bytes[..cut.index(bytes.len())]).is_err());
        prop_assert!(FinalityProof::decode(&[&bytes[..], &[0]].concat()).is_err());
        let other = [&[2], &bytes[1..]].concat();
        prop_assert!(FinalityProof::decode(&other).is_err());
    }

    #[test]
    fn a_quorum_makes_an_update_and_less_does_not(signers in 0u64..1 << 7) {
        let scene = Scene::synthetic(7);
        let proof = justification(&scene, 2, signers);
        match update(&proof, &authorities_of(&scene, 2), None) {
            Ok(update) => {
                prop_assert_eq!(update.signers & !signers, 0);
                prop_assert_eq!(update.signatures.len(), 5);
                submitted(&scene, &update);
            }
            Err(error) => {
                let valid = signers.count_ones();
                prop_assert!(valid < 5);
                prop_assert_eq!(error, Error::TooFewSignatures { valid, needed: 5 });
            }
        }
    }
}
