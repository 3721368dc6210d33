//! Reports validators that made two blocks in one slot.
//!
//! The SDK's block import reports them as well, but from headers whose seals it has taken off already, so that the
//! runtime refuses its proofs. This task makes proofs of headers as they are stored, with their seals.

use crate::service::{Client, TransactionPool};
use ciro_runtime::{opaque::Block, Hash, Header};
use codec::Encode;
use futures::StreamExt;
use log::{info, warn};
use sc_client_api::BlockchainEvents;
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_api::{ApiError, ApiExt, ProvideRuntimeApi};
use sp_blockchain::HeaderBackend;
use sp_consensus_babe::{
    digests::{CompatibleDigestItem, PreDigest},
    AuthorityIndex, BabeApi, EquivocationProof, OpaqueKeyOwnershipProof, Slot,
};
use sp_runtime::traits::Header as _;
use sp_session::MembershipProof;
use std::{collections::BTreeMap, sync::Arc};

/// Slots for which headers are remembered: half an hour.
const MEMORY: u64 = 900;

/// Blocks in which a report is sent again. The pool takes only one report about a validator and a slot, which may be
/// the SDK's until it has failed in a block.
const ATTEMPTS: u32 = 30;

/// Watches every block that the node imports, and reports equivocations by way of its own pool: the runtime takes such
/// reports only from who makes the block. It never ends.
pub async fn watch(client: Arc<Client>, pool: Arc<TransactionPool>) {
    let pool = OffchainTransactionPoolFactory::new(pool);
    let mut blocks = client.import_notification_stream();
    let mut seen = Seen::default();
    let mut pending: Vec<Pending> = Vec::new();
    while let Some(block) = blocks.next().await {
        if let Some(first) = seen.note(&block.header) {
            match Report::new(&client, first, block.header) {
                Ok(Some(report)) => pending.push((report, ATTEMPTS)),
                Ok(None) => {}
                Err(error) => warn!("Cannot prove an equivocation: {error}"),
            }
        }
        pending.retain_mut(|(report, attempts)| {
            let sent = report.send(&client, &pool).unwrap_or_else(|error| {
                warn!("Cannot report an equivocation: {error}");
                false
            });
            *attempts -= 1;
            !sent && *attempts > 0
        });
    }
}

/// A report that the pool has not taken yet, and how often it may still be sent.
type Pending = (Report, u32);

/// The first header of each validator in each of the last slots.
#[derive(Default)]
struct Seen(BTreeMap<(Slot, AuthorityIndex), Header>);

impl Seen {
    /// Takes a header in; gives the one before it of the same validator in the same slot, if that is another.
    fn note(&mut self, header: &Header) -> Option<Header> {
        let claim = claim(header)?;
        let (slot, author) = (claim.slot(), claim.authority_index());
        self.0 = self.0.split_off(&(slot.saturating_sub(MEMORY), 0));
        let first = self
            .0
            .entry((slot, author))
            .or_insert_with(|| header.clone());
        (first != header).then(|| first.clone())
    }
}

/// By what right a header's maker made it: its number among the validators, and the slot.
fn claim(header: &Header) -> Option<PreDigest> {
    let mut digest = header.digest().logs().iter();
    digest.find_map(CompatibleDigestItem::as_babe_pre_digest)
}

/// Evidence that the runtime can check.
struct Report {
    proof: EquivocationProof<Header>,
    owner: MembershipProof,
}

impl Report {
    /// The evidence of two headers of one validator in one slot; nothing if the slot's session does not know it.
    fn new(client: &Client, first: Header, second: Header) -> Result<Option<Self>, ApiError> {
        let Some(claim) = claim(&second) else {
            return Ok(None);
        };
        let (api, at) = (client.runtime_api(), second.hash());
        let epoch = BabeApi::<Block>::current_epoch(&*api, at)?;
        let Some((offender, _)) = epoch.authorities.get(claim.authority_index() as usize) else {
            return Ok(None);
        };
        let owner = api.generate_key_ownership_proof(at, claim.slot(), offender.clone())?;
        let owner = owner.and_then(OpaqueKeyOwnershipProof::decode);
        Ok(owner.map(|owner| Self {
            proof: EquivocationProof {
                offender: offender.clone(),
                slot: claim.slot(),
                first_header: first,
                second_header: second,
            },
            owner,
        }))
    }

    /// Hands the report to the pool; whether the pool has taken it.
    fn send(
        &self,
        client: &Client,
        pool: &OffchainTransactionPoolFactory<Block>,
    ) -> Result<bool, ApiError> {
        let best: Hash = client.info().best_hash;
        let mut api = client.runtime_api();
        api.register_extension(pool.offchain_transaction_pool(best));
        let sent = api
            .submit_report_equivocation_unsigned_extrinsic(
                best,
                self.proof.clone(),
                OpaqueKeyOwnershipProof::new(self.owner.encode()),
            )?
            .is_some();
        if sent {
            info!(
                "Reported two blocks of {} in slot {}",
                self.proof.offender, self.proof.slot
            );
        }
        Ok(sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_consensus_babe::digests::SecondaryPlainPreDigest;
    use sp_runtime::{Digest, DigestItem};

    /// A header of a validator in a slot; `state` tells it from others.
    fn header(slot: u64, authority_index: AuthorityIndex, state: u8) -> Header {
        let claim = PreDigest::SecondaryPlain(SecondaryPlainPreDigest {
            authority_index,
            slot: slot.into(),
        });
        let digest = Digest {
            logs: vec![DigestItem::babe_pre_digest(claim)],
        };
        let root = Hash::repeat_byte(state);
        Header::new(1, root, root, root, digest)
    }

    #[test]
    fn two_blocks_of_a_validator_in_a_slot_are_noticed() {
        let mut seen = Seen::default();
        assert_eq!(seen.note(&header(5, 1, 0)), None);
        assert_eq!(seen.note(&header(6, 2, 0)), None);
        assert_eq!(seen.note(&header(5, 1, 1)), Some(header(5, 1, 0)));
    }

    #[test]
    fn one_block_seen_twice_and_blocks_of_others_are_no_equivocation() {
        let mut seen = Seen::default();
        for _ in 0..2 {
            assert_eq!(seen.note(&header(5, 1, 0)), None);
            assert_eq!(seen.note(&header(5, 2, 1)), None);
            assert_eq!(seen.note(&header(6, 1, 2)), None);
        }
    }

    #[test]
    fn old_slots_are_forgotten() {
        let mut seen = Seen::default();
        for slot in 0..3 * MEMORY {
            seen.note(&header(slot, 0, 0));
        }
        assert_eq!(seen.0.len() as u64, MEMORY + 1);
    }
}
