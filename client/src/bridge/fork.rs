//! Evidence against validators who have signed what is not the chain.

use super::{digest, missing, unavailable};
use crate::{
    calls::{self, Encoded},
    Client, Error, Hash, Included, Keypair, Result, Wait,
};
use ciro_bridge_primitives::{Update, Word};
use ciro_bridge_prover::{fork_votes, ForkVote};
use codec::{DecodeAll, Encode};
use serde::Deserialize;
use subxt::rpcs::rpc_params;

/// In BEEFY's digests, the number of the one that has the root of the MMR.
const MMR_ROOT: u8 = 3;

/// What `mmr_generateAncestryProof` returns.
#[derive(Deserialize, Encode)]
struct AncestryProof {
    prev_peaks: Vec<Hash>,
    prev_leaf_count: u64,
    leaf_count: u64,
    items: Vec<(u64, Hash)>,
}

/// Blocks by which a node may be behind honest validators.
const BEHIND: u32 = 100;

/// Whether no honest validator can have signed a block, as none has seen it.
fn is_yet_to_come(block: u32, newest: u32) -> bool {
    block > newest.saturating_add(BEHIND)
}

impl Client {
    /// Root of the MMR at a block, as the block itself says.
    pub async fn mmr_root(&self, block: u32) -> Result<Word> {
        let hash = self
            .block_hash(block)
            .await?
            .ok_or_else(|| missing(block))?;
        let root = digest(&self.header(hash).await?, MMR_ROOT, |root| {
            Word::decode_all(&mut &*root).ok()
        });
        root.ok_or_else(|| unavailable(format!("the MMR's root in block {block}")))
    }

    /// The votes in an update by which validators of Ciro contradict the chain, if there are any. An error for a block that
    /// is not finalised yet, but may be soon.
    pub async fn false_votes(&self, update: &Update) -> Result<Vec<ForkVote>> {
        let commitment = update.commitment;
        let newest = self.finalised().await?.number() as u32;
        let root = match is_yet_to_come(commitment.block, newest) {
            // There is none, so that any is false.
            true => commitment.root.map(|byte| !byte),
            false => self.mmr_root(commitment.block).await?,
        };
        if commitment.root == root {
            return Ok(vec![]);
        }
        let first = self.first_block_of_set(commitment.set, newest).await?;
        let first = first.ok_or_else(|| unavailable(format!("set {}", commitment.set)))?;
        let (_, authorities) = self.beefy_validators(first).await?;
        Ok(fork_votes(update, &authorities, &root))
    }

    /// Reports such a vote. That can be done as long as the node has the state of a block of the set's session.
    pub async fn report_vote(&self, vote: &ForkVote, reporter: &Keypair) -> Result<Included> {
        let head = self.finalised().await?;
        let (block, newest) = (vote.commitment.block, head.number() as u32);
        let owner = Encoded::from_bytes(self.key_owner(vote, newest).await?);
        if is_yet_to_come(block, newest) {
            let evidence = Encoded::from_bytes(vote.encode());
            let call = calls::report_future_block_voting(evidence, owner);
            return self.execute(&call, reporter, Wait::Finalised).await;
        }
        let ancestry: AncestryProof = self
            .raw
            .request("mmr_generateAncestryProof", rpc_params![block, newest])
            .await
            .map_err(Error::chain)?;
        let header = self.header(head.hash()).await?;
        let evidence = [vote.encode(), ancestry.encode(), header.encode()].concat();
        let call = calls::report_fork_voting(Encoded::from_bytes(evidence), owner);
        self.execute(&call, reporter, Wait::Finalised).await
    }

    /// Proof of who held the voter's key in the session of its set.
    async fn key_owner(&self, vote: &ForkVote, newest: u32) -> Result<Vec<u8>> {
        let set = vote.commitment.set;
        let first = self.first_block_of_set(set, newest).await?;
        let after = self.first_block_of_set(set + 1, newest).await?;
        let last = after.map_or(newest, |after| after.saturating_sub(1));
        let of_session = first.filter(|first| *first <= last).map(|_| last);
        let block = of_session.ok_or_else(|| unavailable(format!("a block of set {set}")))?;
        let hash = self
            .block_hash(block)
            .await?
            .ok_or_else(|| missing(block))?;
        let arguments = [&set.encode()[..], &vote.authority].concat();
        let answer = self.rpc.state_call(
            "BeefyApi_generate_key_ownership_proof",
            Some(&arguments),
            Some(hash),
        );
        let answer = answer.await.map_err(Error::chain)?;
        let proof = Option::<Vec<u8>>::decode_all(&mut &answer[..])
            .ok()
            .flatten();
        proof.ok_or_else(|| unavailable(format!("the owner of a key of set {set}")))
    }
}
