//! Evidence against validators who have signed what is not the chain.

use super::{digest, missing, unavailable};
use crate::{
    calls::{self, Call, Encoded, ReportForkVoting},
    Client, Error, Hash, Result,
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

    /// The votes in an update by which validators of Ciro contradict the chain, if there are any. The update's block must
    /// be finalised.
    pub async fn fork_votes(&self, update: &Update) -> Result<Vec<ForkVote>> {
        let commitment = update.commitment;
        let root = self.mmr_root(commitment.block).await?;
        if commitment.root == root {
            return Ok(vec![]);
        }
        let newest = self.finalised().await?.number() as u32;
        let first = self.first_block_of_set(commitment.set, newest).await?;
        let first = first.ok_or_else(|| unavailable(format!("set {}", commitment.set)))?;
        let (_, authorities) = self.beefy_validators(first).await?;
        Ok(fork_votes(update, &authorities, &root))
    }

    /// The call that reports such a vote. It can be made as long as the node has the state of a block of the set's session.
    pub async fn report_fork_voting(&self, vote: &ForkVote) -> Result<Call<ReportForkVoting>> {
        let head = self.finalised().await?;
        let ancestry: AncestryProof = self
            .raw
            .request(
                "mmr_generateAncestryProof",
                rpc_params![vote.commitment.block, head.number()],
            )
            .await
            .map_err(Error::chain)?;
        let header = self.header(head.hash()).await?;
        let evidence = [vote.encode(), ancestry.encode(), header.encode()].concat();
        let owner = self.key_owner(vote, head.number() as u32).await?;
        Ok(calls::report_fork_voting(
            Encoded::from_bytes(evidence),
            Encoded::from_bytes(owner),
        ))
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
