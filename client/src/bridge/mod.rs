//! What the bridge needs of a node: lanes, justifications, and proofs of what blocks sent.

mod fork;

use crate::{
    calls::{ATTESTERS, OUTBOUND_QUEUE, TOKEN_GATEWAY},
    types::{Arrival, Balance, Ballot, BeefySet, Lane, Remote},
    AccountId, Client, Error, Hash, Result, State,
};
use ciro_bridge_primitives::{
    u64_of, Genesis, LaneId, LeafProof, MessageProof, ResultLeaf, ResultProof, Update,
    ValidatorSet, Word,
};
use ciro_bridge_prover::{
    leaf_proof, message_proof, result_proof, update, AuthorityId, FinalityProof,
};
use ciro_primitives::{JobId, ModelId};
use codec::{Decode, DecodeAll};
use serde::Deserialize;
use subxt::{
    config::substrate::{DigestItem, SubstrateHeader},
    dynamic::storage,
    rpcs::{client::RpcSubscription, rpc_params},
};

type Header = SubstrateHeader<Hash>;

/// Under which name BEEFY keeps justifications and digests.
const BEEFY: [u8; 4] = *b"BEEF";

/// In BEEFY's digests, the number of the one that names a new set.
const AUTHORITIES_CHANGE: u8 = 1;

/// Bytes as the node's own methods write them: hexadecimal after `0x`.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Bytes(Vec<u8>);

impl TryFrom<String> for Bytes {
    type Error = hex::FromHexError;

    fn try_from(text: String) -> std::result::Result<Self, Self::Error> {
        hex::decode(text.strip_prefix("0x").unwrap_or(&text)).map(Self)
    }
}

/// What `mmr_generateProof` returns.
#[derive(Deserialize)]
struct RangeProof {
    leaves: Bytes,
    proof: Bytes,
}

/// What a set's digest and the runtime say of a set of BEEFY validators.
#[derive(Decode)]
struct Authorities {
    validators: Vec<AuthorityId>,
    id: u64,
}

impl Client {
    /// Hash of a block of the chain as the node sees it now; nothing if it has not come yet.
    pub async fn block_hash(&self, block: u32) -> Result<Option<Hash>> {
        let hash = self.rpc.chain_get_block_hash(Some(block.into())).await;
        hash.map_err(Error::chain)
    }

    /// The justification of the newest block that BEEFY has finalised, as far as the node knows since its start.
    pub async fn newest_justification(&self) -> Result<Option<FinalityProof>> {
        // Before it knows of any, the node answers with an error.
        let head: std::result::Result<Hash, _> = self
            .raw
            .request("beefy_getFinalizedHead", rpc_params![])
            .await;
        match head {
            Ok(head) => self.justification_at(head).await,
            Err(subxt::rpcs::Error::User(_)) => Ok(None),
            Err(error) => Err(Error::chain(error)),
        }
    }

    /// The justification of a block, if BEEFY has finalised it by name: it does in the first block of each session, and
    /// in some others.
    pub async fn justification(&self, block: u32) -> Result<Option<FinalityProof>> {
        match self.block_hash(block).await? {
            Some(hash) => self.justification_at(hash).await,
            None => Ok(None),
        }
    }

    async fn header(&self, hash: Hash) -> Result<Header> {
        let header = self.rpc.chain_get_header(Some(hash)).await;
        let header = header.map_err(Error::chain)?;
        header.ok_or_else(|| unavailable(format!("the block {hash:?}")))
    }

    async fn justification_at(&self, hash: Hash) -> Result<Option<FinalityProof>> {
        let block = self.rpc.chain_get_block(Some(hash)).await;
        let justifications = block.map_err(Error::chain)?.and_then(|b| b.justifications);
        justifications
            .into_iter()
            .flatten()
            .find(|(engine, _)| *engine == BEEFY)
            .map(|(_, bytes)| FinalityProof::decode(&bytes).map_err(Error::from))
            .transpose()
    }

    /// The justifications that come from now on.
    pub async fn justifications(&self) -> Result<Justifications> {
        let (start, end) = (
            "beefy_subscribeJustifications",
            "beefy_unsubscribeJustifications",
        );
        let subscription = self.raw.subscribe(start, rpc_params![], end).await;
        subscription.map(Justifications).map_err(Error::chain)
    }

    /// The BEEFY validators that sign a block, and the number of their set. An error for a block whose state the node has
    /// pruned, unless it is the first of its session.
    pub async fn beefy_validators(&self, block: u32) -> Result<(u64, Vec<AuthorityId>)> {
        let hash = self
            .block_hash(block)
            .await?
            .ok_or_else(|| missing(block))?;
        let named = digest(&self.header(hash).await?, AUTHORITIES_CHANGE, |set| {
            Authorities::decode_all(&mut &*set).ok()
        });
        let set = match named {
            Some(set) => set,
            None => {
                let answer = self
                    .rpc
                    .state_call("BeefyApi_validator_set", None, Some(hash));
                let answer = answer.await.map_err(Error::chain)?;
                Option::<Authorities>::decode_all(&mut &answer[..])
                    .ok()
                    .flatten()
                    .ok_or_else(|| unavailable(format!("BEEFY's validators at block {block}")))?
            }
        };
        Ok((set.id, set.validators))
    }

    /// The leaf about block `about`, proven in the MMR of `block`, which is a later one.
    pub async fn leaf_proof(&self, about: u32, block: u32) -> Result<LeafProof> {
        // To the node, a leaf is of the block that appends it.
        let params = rpc_params![[about.saturating_add(1)], block];
        let proof: RangeProof = self
            .raw
            .request("mmr_generateProof", params)
            .await
            .map_err(Error::chain)?;
        let (at, proof) = leaf_proof(&proof.leaves.0, &proof.proof.0)?;
        if (at, proof.leaf.parent_number) != (block, about) {
            return Err(unavailable(format!(
                "a proof of block {about} at block {block}"
            )));
        }
        Ok(proof)
    }

    /// The first block that the validators of a set sign, among those up to `newest`; nothing if they signed none of them.
    pub async fn first_block_of_set(&self, set: u64, newest: u32) -> Result<Option<u32>> {
        let (mut low, mut high) = (1, newest);
        if newest == 0 || self.set_of(newest).await? < set {
            return Ok(None);
        }
        while low < high {
            let middle = low + (high - low) / 2;
            match self.set_of(middle).await? < set {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        Ok(Some(low))
    }

    /// What a client on another chain is deployed with to follow this chain from now on: what it believes.
    pub async fn client_genesis(&self) -> Result<Genesis> {
        let head = self.finalised().await?;
        let newest = head.number() as u32;
        let set = |name| head.beefy_set(name);
        let (current, next) = (set("BeefyAuthorities"), set("BeefyNextAuthorities"));
        let current = current.await?;
        let first = self.first_block_of_set(current.id, newest).await?;
        // The genesis block has no time.
        let first = first.ok_or_else(|| missing(1))?.max(1);
        Ok(Genesis {
            current,
            next: next.await?,
            time: self.leaf_proof(first, newest).await?.leaf.extra.timestamp,
        })
    }

    /// Number of the set that signs a block: its leaf, which is about its parent, names the one after it.
    async fn set_of(&self, block: u32) -> Result<u64> {
        let proof = self.leaf_proof(block - 1, block).await?;
        Ok(proof.leaf.next_set.id.saturating_sub(1))
    }

    /// The update that a justification makes of a client whose next set has the number `next`.
    pub async fn update(&self, proof: &FinalityProof, next: u64) -> Result<Update> {
        let (_, validators) = self.beefy_validators(proof.block).await?;
        let handover = match proof.set == next {
            true => Some(self.leaf_proof(proof.block - 1, proof.block).await?),
            false => None,
        };
        Ok(update(proof, &validators, handover)?)
    }

    /// The leaves of the tree with that root: the messages or results of a block.
    async fn tree(&self, root: &Word) -> Result<Vec<Vec<u8>>> {
        if *root == [0; 32] {
            return Ok(vec![]);
        }
        let leaves: Option<Vec<Bytes>> = self
            .raw
            .request("bridge_leaves", rpc_params![Hash::from(*root)])
            .await
            .map_err(Error::chain)?;
        let leaves = leaves.ok_or_else(|| {
            unavailable("what a block sent: sync it anew with --enable-offchain-indexing true")
        })?;
        Ok(leaves.into_iter().map(|leaf| leaf.0).collect())
    }

    /// The block of a lane's last message before those that `block` has; nothing if `block` has the lane's first one, or
    /// none of it.
    async fn previous_block(&self, lane: LaneId, block: u32) -> Result<Option<u32>> {
        let parent = block.saturating_sub(1);
        let hash = self
            .block_hash(parent)
            .await?
            .ok_or_else(|| missing(parent))?;
        let previous = self
            .raw
            .request("bridge_previous", rpc_params![Hash::from(lane.0), hash]);
        previous.await.map_err(Error::chain)
    }

    /// The blocks of the messages that a lane has had from the nonce `from` on, in order, up to the block of `state`; the
    /// block after it must be there.
    pub async fn blocks_of_messages(
        &self,
        state: &State,
        lane: LaneId,
        from: u64,
    ) -> Result<Vec<u32>> {
        let Some(opened) = state.lane(lane).await? else {
            return Ok(vec![]);
        };
        let mut blocks = vec![];
        let mut block = opened.last_block.filter(|_| from < opened.next_nonce);
        while let Some(number) = block {
            let leaf = self.leaf_proof(number, number + 1).await?;
            let all = self.messages(&leaf).await?;
            let nonces = all.iter().filter_map(|words| nonce_in(lane, words));
            let mut count = 0;
            let mut first = u64::MAX;
            for nonce in nonces.filter(|nonce| *nonce >= from) {
                (count, first) = (count + 1, first.min(nonce));
            }
            blocks.resize(blocks.len() + count, number);
            block = match first <= from {
                true => None,
                false => self.previous_block(lane, number).await?,
            };
        }
        blocks.reverse();
        match blocks.len() as u64 == opened.next_nonce.saturating_sub(from) {
            true => Ok(blocks),
            false => Err(unavailable(format!(
                "all messages of the lane {lane}: sync it anew with --enable-offchain-indexing true"
            ))),
        }
    }

    /// The messages of the leaf's block, in order.
    async fn messages(&self, leaf: &LeafProof) -> Result<Vec<Vec<Word>>> {
        let leaves = self.tree(&leaf.leaf.extra.messages_root).await?;
        let words = leaves.iter().map(|bytes| bytes.as_chunks().0.to_vec());
        Ok(words.collect())
    }

    /// Proves messages of a lane, all of the leaf's block.
    pub async fn message_proofs(
        &self,
        leaf: &LeafProof,
        lane: LaneId,
        nonces: &[u64],
    ) -> Result<Vec<MessageProof>> {
        let all = self.messages(leaf).await?;
        let mut proofs = vec![];
        for (index, words) in (0..).zip(&all) {
            if nonce_in(lane, words).is_some_and(|nonce| nonces.contains(&nonce)) {
                proofs.push(message_proof(&leaf.leaf, &all, index)?);
            }
        }
        match proofs.len() == nonces.len() {
            true => Ok(proofs),
            false => Err(unavailable(format!(
                "messages {nonces:?} of {lane} in block {}",
                leaf.leaf.parent_number
            ))),
        }
    }

    /// Proves the result of a job, which is one of the leaf's block.
    pub async fn result_proof(&self, leaf: &LeafProof, job: JobId) -> Result<ResultProof> {
        let leaves = self.tree(&leaf.leaf.extra.results_root).await?;
        let results = leaves.iter().map(|bytes| {
            result_leaf(bytes).ok_or_else(|| unavailable("a result where one should be"))
        });
        let results = results.collect::<Result<Vec<_>>>()?;
        let index = results.iter().position(|result| result.job == job);
        let index = index.ok_or_else(|| {
            unavailable(format!(
                "a result of job {job} in block {}: the bridge was halted then, or the block full; `send_result` sends it as a message",
                leaf.leaf.parent_number
            ))
        })?;
        Ok(result_proof(&leaf.leaf, &results, index as u32)?)
    }
}

/// The nonce of a message, if it is one of that lane.
fn nonce_in(lane: LaneId, words: &[Word]) -> Option<u64> {
    match words {
        [first, nonce, ..] if *first == lane.0 => u64_of(nonce),
        _ => None,
    }
}

impl State {
    async fn beefy_set(&self, name: &str) -> Result<ValidatorSet> {
        let set = self
            .at()
            .storage()
            .fetch(storage::<(), BeefySet>("BeefyMmr", name), ())
            .await
            .map_err(Error::chain)?;
        let set = set.decode().map_err(Error::chain)?;
        Ok(ValidatorSet {
            id: set.id,
            length: set.len,
            root: set.keyset_commitment,
        })
    }

    /// A lane, if somebody has opened it.
    pub async fn lane(&self, lane: LaneId) -> Result<Option<Lane>> {
        self.map(OUTBOUND_QUEUE, "Lanes", lane.0).await
    }

    /// Every lane that somebody has opened, by name.
    pub async fn lanes(&self) -> Result<Vec<(LaneId, Lane)>> {
        let lanes: Vec<([u8; 32], Lane)> = self.entries(OUTBOUND_QUEUE, "Lanes").await?;
        Ok(lanes
            .into_iter()
            .map(|(id, lane)| (LaneId(id), lane))
            .collect())
    }

    /// Whether a message that came by a lane was executed.
    pub async fn is_executed(&self, lane: LaneId, nonce: u64) -> Result<bool> {
        self.view(ATTESTERS, "is_executed", (lane.0, nonce)).await
    }

    /// What attesters have said about a message that came by a lane, as long as that is kept.
    pub async fn ballot(&self, lane: LaneId, nonce: u64) -> Result<Option<Ballot>> {
        self.view(ATTESTERS, "ballot", (lane.0, nonce)).await
    }

    /// Those whose votes count.
    pub async fn attesters(&self) -> Result<Vec<AccountId>> {
        self.view(ATTESTERS, "members", ()).await
    }

    /// Votes that it takes for a message.
    pub async fn needed_votes(&self) -> Result<u32> {
        self.view(ATTESTERS, "needed_votes", ()).await
    }

    /// The token that a lane leads to, if it is registered.
    pub async fn remote(&self, lane: LaneId) -> Result<Option<Remote>> {
        self.view(TOKEN_GATEWAY, "remote", (lane.0,)).await
    }

    /// What has arrived by a message and is not paid out yet.
    pub async fn arrival(&self, lane: LaneId, nonce: u64) -> Result<Option<Arrival>> {
        self.view(TOKEN_GATEWAY, "arrival", (lane.0, nonce)).await
    }

    /// All CIRO that there is, here and elsewhere.
    pub async fn canonical_supply(&self) -> Result<Balance> {
        self.view(TOKEN_GATEWAY, "canonical_supply", ()).await
    }
}

/// What BEEFY's digest of that number says in a header.
fn digest<T>(header: &Header, number: u8, read: impl Fn(&[u8]) -> Option<T>) -> Option<T> {
    header.digest.logs.iter().find_map(|item| match item {
        DigestItem::Consensus(BEEFY, bytes) => match bytes.split_first() {
            Some((first, rest)) if *first == number => read(rest),
            _ => None,
        },
        _ => None,
    })
}

fn unavailable(what: impl Into<String>) -> Error {
    Error::Unavailable(what.into())
}

fn missing(block: u32) -> Error {
    unavailable(format!("block {block}"))
}

/// Reads back what [`ResultLeaf::bytes`] wrote.
fn result_leaf(bytes: &[u8]) -> Option<ResultLeaf> {
    let ([_, job, model, input_commitment, output_hash], []) = bytes.as_chunks::<32>() else {
        return None;
    };
    let result = ResultLeaf {
        job: u64_of(job)?,
        model: ModelId(*model),
        input_commitment: *input_commitment,
        output_hash: *output_hash,
    };
    (result.bytes() == bytes).then_some(result)
}

/// Justifications as they come.
pub struct Justifications(RpcSubscription<Bytes>);

impl Justifications {
    /// The next one; `None` once the connection is lost.
    pub async fn next(&mut self) -> Option<Result<FinalityProof>> {
        let bytes = self.0.next().await?;
        Some(match bytes {
            Ok(bytes) => FinalityProof::decode(&bytes.0).map_err(Error::from),
            Err(error) => Err(Error::chain(error)),
        })
    }
}
