//! The bytes of the bridge's crates are those of polkadot-sdk's types.

use crate::four;
use ciro_bridge_primitives::{keccak, BridgeLeaf, Commitment, Leaf, ValidatorSet};
use ciro_bridge_prover::{fork_votes, leaf_proof, update, AuthorityId, FinalityProof};
use ciro_bridge_testing::Validators;
use codec::{DecodeAll, Encode};
use sp_consensus_beefy::{
    ecdsa_crypto, known_payloads::MMR_ROOT_ID, mmr::MmrLeaf, BeefyAuthorityId, Payload,
    SignedCommitment, VersionedFinalityProof, VoteMessage,
};
use sp_core::{ecdsa, Pair, H256};

/// Validators' keys, as a node keeps them.
fn pairs(validators: &Validators) -> Vec<ecdsa::Pair> {
    let pair = |secret| ecdsa::Pair::from_seed(&secret);
    validators.secrets().map(pair).collect()
}

/// The same commitment in the SDK's type.
fn theirs(commitment: &Commitment) -> sp_consensus_beefy::Commitment<u32> {
    sp_consensus_beefy::Commitment {
        payload: Payload::from_single_entry(MMR_ROOT_ID, commitment.root.to_vec()),
        block_number: commitment.block,
        validator_set_id: commitment.set,
    }
}

/// What a node signs, as it does.
fn sign(pair: &ecdsa::Pair, commitment: &Commitment) -> ecdsa_crypto::Signature {
    let hash = keccak(&theirs(commitment).encode());
    pair.sign_prehashed(&hash).into()
}

#[test]
fn a_leaf_is_the_sdks_leaf() {
    let four = four();
    let chain = &four.scene.chain;
    for number in 0..chain.height() {
        let leaf = chain.leaf(number);
        let bytes = leaf.encode();
        let theirs = MmrLeaf::<u32, H256, H256, BridgeLeaf>::decode_all(&mut &bytes[..]).unwrap();
        assert_eq!(theirs.encode(), bytes);
        assert_eq!(
            theirs.parent_number_and_hash,
            (number, H256(leaf.parent_hash))
        );
        assert_eq!(theirs.leaf_extra, leaf.extra);
        let set = theirs.beefy_next_authority_set;
        let set = ValidatorSet {
            id: set.id,
            length: set.len,
            root: set.keyset_commitment.0,
        };
        assert_eq!(set, leaf.next_set);
        assert_eq!(Leaf::decode(&bytes), Ok(*leaf));
    }
}

#[test]
fn a_commitment_is_the_sdks_commitment() {
    let commitment = four().scene.chain.commitment(7);
    assert_eq!(commitment.encode(), theirs(&commitment).encode());
}

#[test]
fn every_proof_of_the_runtime_is_read() {
    let four = four();
    let chain = &four.scene.chain;
    let head = chain.height();
    for (parent, (leaves, proof)) in (0..).zip(&four.proofs) {
        let expected = chain.leaf_proof(head, parent);
        assert_eq!(leaf_proof(leaves, proof), Ok((head, expected)));
    }
}

#[test]
fn a_justification_of_the_sdks_makes_an_update() {
    let four = four();
    let chain = &four.scene.chain;
    for (length, missing) in [(4, 1), (21, 6), (64, 21)] {
        let validators = Validators::new("any", length);
        let pairs = pairs(&validators);
        let commitment = Commitment {
            set: 5,
            ..chain.commitment(9)
        };
        let signatures = pairs.iter().enumerate().map(|(index, pair)| {
            // As many as may be missing, spread over the set.
            let absent = index % 3 == 0 && index / 3 < missing;
            (!absent).then(|| sign(pair, &commitment))
        });
        let signed = SignedCommitment {
            commitment: theirs(&commitment),
            signatures: signatures.collect(),
        };
        let authorities: Vec<ecdsa_crypto::AuthorityId> =
            pairs.iter().map(|pair| pair.public().into()).collect();
        let set = sp_consensus_beefy::ValidatorSet::new(authorities.clone(), 5).unwrap();
        let valid = signed.verify_signatures(9, &set).unwrap().len();
        let bytes = VersionedFinalityProof::V1(signed).encode();
        let proof = FinalityProof::decode(&bytes).unwrap();
        let keys: Vec<AuthorityId> = authorities
            .iter()
            .map(|authority| authority.encode().try_into().unwrap())
            .collect();
        let update = update(&proof, &keys, None).unwrap();
        assert_eq!(update.addresses, validators.addresses());
        assert_eq!(update.signatures.len(), valid);
        assert_eq!(
            update.signatures,
            validators.sign(&commitment, update.signers)
        );
    }
}

#[test]
fn a_fork_vote_is_the_sdks_vote_and_verifies() {
    let four = four();
    let chain = &four.scene.chain;
    let validators = chain.validators(1);
    let authorities: Vec<AuthorityId> = pairs(validators)
        .iter()
        .map(|pair| pair.public().0)
        .collect();
    let block = four.scene.busy;
    let forged = Commitment {
        root: [6; 32],
        ..chain.commitment(block)
    };
    let votes = fork_votes(
        &validators.update(forged, None),
        &authorities,
        &chain.root(block),
    );
    assert_eq!(votes.len(), 3);
    for vote in votes {
        type Vote = VoteMessage<u32, ecdsa_crypto::AuthorityId, ecdsa_crypto::Signature>;
        let theirs = Vote::decode_all(&mut &vote.encode()[..]).unwrap();
        let signed = theirs.commitment.encode();
        assert!(BeefyAuthorityId::verify(
            &theirs.id,
            &theirs.signature,
            &signed
        ));
        assert_eq!(signed, forged.encode());
    }
}
