//! Equivocations are reported with evidence alone, and disable the offender for a while.

use crate::chain;
use ciro_runtime::{
    origins::Quick, BlockNumber, Executive, Hash, Header, Historical, Runtime, RuntimeCall,
    RuntimeEvent, Session, System, UncheckedExtrinsic,
};
use codec::{Decode, Encode};
use frame_support::traits::KeyOwnerProofSystem;
use sp_consensus_babe::{digests::CompatibleDigestItem, AuthorityPair, Slot};
use sp_consensus_beefy::{test_utils::Keyring as BeefyKeyring, DoubleVotingProof, Payload};
use sp_core::{crypto::KeyTypeId, Pair, H256};
use sp_io::TestExternalities;
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};
use sp_runtime::{
    traits::Header as _,
    transaction_validity::{InvalidTransaction, TransactionSource},
    DigestItem,
};
use sp_session::MembershipProof;

const SLOT: u64 = 1_000;

/// Four validators in their first block, at the main network's pace.
pub fn four_validators() -> TestExternalities {
    let mut chain = chain(Some("local_testnet"));
    chain.execute_with(|| {
        Quick::<Runtime>::put(false);
        Executive::initialize_block(&header(1, 0));
    });
    chain
}

/// A header of `SLOT` by the validator of that index.
fn header(number: BlockNumber, authority_index: u32) -> Header {
    crate::header(number, SLOT, authority_index)
}

fn owner(id: KeyTypeId, key: impl AsRef<[u8]>) -> MembershipProof {
    Historical::prove((id, key)).unwrap()
}

fn index_of(who: Sr25519Keyring) -> u32 {
    Session::validator_id_to_index(&who.to_account_id()).unwrap()
}

/// Bob makes two blocks in one slot.
fn babe_report() -> RuntimeCall {
    two_blocks_of(Sr25519Keyring::Bob)
}

/// The report of a validator who makes two blocks in one slot.
pub fn two_blocks_of(offender: Sr25519Keyring) -> RuntimeCall {
    let pair = AuthorityPair::from(offender.pair());
    let sealed = |state_root| {
        let mut header = header(1, index_of(offender));
        header.set_state_root(state_root);
        let seal = pair.sign(header.hash().as_ref());
        header
            .digest_mut()
            .push(<DigestItem as CompatibleDigestItem>::babe_seal(seal));
        header
    };
    let equivocation = sp_consensus_babe::EquivocationProof {
        offender: pair.public(),
        slot: Slot::from(SLOT),
        first_header: sealed(H256::repeat_byte(1)),
        second_header: sealed(H256::repeat_byte(2)),
    };
    RuntimeCall::Babe(pallet_babe::Call::report_equivocation_unsigned {
        equivocation_proof: Box::new(equivocation),
        key_owner_proof: owner(sp_consensus_babe::KEY_TYPE, pair.public()),
    })
}

/// Bob votes for two blocks in one round.
fn grandpa_report() -> RuntimeCall {
    let (set, round) = (0u64, 1u64);
    let identity = sp_consensus_grandpa::AuthorityId::from(Ed25519Keyring::Bob.public());
    let vote = |block: Hash| {
        let vote = sp_consensus_grandpa::Prevote::<Header> {
            target_hash: block,
            target_number: 10,
        };
        let message = sp_consensus_grandpa::Message::<Header>::Prevote(vote.clone());
        let payload = sp_consensus_grandpa::localized_payload(round, set, &message);
        (vote, Ed25519Keyring::Bob.sign(&payload))
    };
    // A prevote, as variant 0.
    let equivocation = (
        0u8,
        round,
        &identity,
        vote(H256::repeat_byte(1)),
        vote(H256::repeat_byte(2)),
    )
        .encode();
    let equivocation = sp_consensus_grandpa::EquivocationProof::new(
        set,
        Decode::decode(&mut &equivocation[..]).unwrap(),
    );
    RuntimeCall::Grandpa(pallet_grandpa::Call::report_equivocation_unsigned {
        equivocation_proof: Box::new(equivocation),
        key_owner_proof: owner(sp_consensus_grandpa::KEY_TYPE, identity),
    })
}

/// Bob signs two MMR roots of one block.
fn beefy_report() -> RuntimeCall {
    let vote = |root: &[u8]| {
        let payload = Payload::from_single_entry(*b"mh", root.to_vec());
        sp_consensus_beefy::test_utils::signed_vote(1u32, payload, 0, &BeefyKeyring::Bob)
    };
    let equivocation = DoubleVotingProof {
        first: vote(&[1; 32]),
        second: vote(&[2; 32]),
    };
    let key_owner_proof = owner(
        sp_consensus_beefy::KEY_TYPE,
        equivocation.offender_id().clone(),
    );
    RuntimeCall::Beefy(pallet_beefy::Call::report_double_voting_unsigned {
        equivocation_proof: Box::new(equivocation),
        key_owner_proof,
    })
}

/// A report of each protocol, on a chain of its own.
pub fn reports() -> Vec<RuntimeCall> {
    four_validators().execute_with(|| reports_of_bob().into())
}

/// A report of each protocol, blocks first, on the chain as it is.
pub fn reports_of_bob() -> [RuntimeCall; 3] {
    [babe_report(), grandpa_report(), beefy_report()]
}

/// Has a block author include it.
pub fn include(report: RuntimeCall) {
    Executive::apply_extrinsic(UncheckedExtrinsic::new_bare(report))
        .unwrap()
        .unwrap();
}

#[test]
fn equivocations_disable_the_offender() {
    for report in [babe_report, grandpa_report, beefy_report] {
        four_validators().execute_with(|| {
            assert!(Session::disabled_validators().is_empty());
            include(report());
            assert_eq!(
                Session::disabled_validators(),
                [index_of(Sr25519Keyring::Bob)]
            );
            let offences = System::events()
                .iter()
                .filter(|record| matches!(record.event, RuntimeEvent::Offences(_)))
                .count();
            assert_eq!(offences, 1);
        });
    }
}

#[test]
fn reports_come_from_block_authors_and_only_once() {
    for report in [babe_report, grandpa_report, beefy_report] {
        four_validators().execute_with(|| {
            let validate = |source| {
                let extrinsic = UncheckedExtrinsic::new_bare(report());
                Executive::validate_transaction(source, extrinsic, System::block_hash(0))
            };
            assert!(validate(TransactionSource::Local).is_ok());
            assert!(validate(TransactionSource::External).is_err());
            include(report());
            assert_eq!(
                validate(TransactionSource::Local),
                Err(InvalidTransaction::Stale.into())
            );
        });
    }
}

#[test]
fn evidence_that_proves_nothing_is_refused() {
    four_validators().execute_with(|| {
        let RuntimeCall::Babe(pallet_babe::Call::report_equivocation_unsigned {
            mut equivocation_proof,
            key_owner_proof,
        }) = babe_report()
        else {
            unreachable!()
        };
        equivocation_proof.second_header = equivocation_proof.first_header.clone();
        let report = RuntimeCall::Babe(pallet_babe::Call::report_equivocation_unsigned {
            equivocation_proof,
            key_owner_proof,
        });
        let outcome = Executive::apply_extrinsic(UncheckedExtrinsic::new_bare(report)).unwrap();
        assert_eq!(
            outcome,
            Err(pallet_babe::Error::<Runtime>::InvalidEquivocationProof.into())
        );
        assert!(Session::disabled_validators().is_empty());
    });
}

#[test]
fn an_offender_sits_out_the_next_session_too() {
    four_validators().execute_with(|| {
        include(babe_report());
        Session::rotate_session();
        assert_eq!(
            Session::disabled_validators(),
            [index_of(Sr25519Keyring::Bob)]
        );
        Session::rotate_session();
        assert!(Session::disabled_validators().is_empty());
        assert_eq!(Session::validators().len(), 4);
    });
}

#[test]
fn evidence_of_an_ended_session_still_counts() {
    four_validators().execute_with(|| {
        let reports = reports_of_bob();
        Session::rotate_session();
        for report in reports {
            include(report);
        }
        assert_eq!(
            Session::disabled_validators(),
            [index_of(Sr25519Keyring::Bob)]
        );
    });
}

#[test]
fn the_validator_set_stays_while_nothing_happens() {
    four_validators().execute_with(|| {
        let validators = Session::validators();
        for _ in 0..3 {
            Session::rotate_session();
        }
        assert_eq!(Session::validators(), validators);
        // No change for GRANDPA, which keeps warp proofs short; evidence of every session can be proved.
        assert_eq!(ciro_runtime::Grandpa::current_set_id(), 0);
        assert!((0..=4).all(|session| Historical::historical_root(session).is_some()));
    });
}

#[test]
fn one_validator_alone_is_never_disabled() {
    let mut chain = chain(Some("development"));
    chain.execute_with(|| {
        Executive::initialize_block(&header(1, 0));
        Session::report_offence(
            Sr25519Keyring::Alice.to_account_id(),
            sp_staking::offence::OffenceSeverity::max_severity(),
        );
        assert!(Session::disabled_validators().is_empty());
    });
}
