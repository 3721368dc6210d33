//! The connection to a node.

use crate::{
    calls::{JOB_MARKET, MODEL_REGISTRY},
    AccountId, Error, Hash, Result, State,
};
use std::sync::Arc;
use subxt::{
    backend::LegacyBackend,
    client::{Block, Blocks},
    config::RpcConfigFor,
    rpcs::{methods::LegacyRpcMethods, RpcClient},
    OnlineClient, SubstrateConfig,
};

/// A connection to a node of a Ciro chain. Clones share it. It does not reconnect: make a new one after an error.
#[derive(Clone)]
pub struct Client {
    api: OnlineClient<SubstrateConfig>,
    pub(crate) rpc: LegacyRpcMethods<RpcConfigFor<SubstrateConfig>>,
    /// For methods that only some nodes have.
    pub(crate) raw: RpcClient,
}

impl Client {
    /// Connects to the RPC port of a node (`ws://` or `wss://`) and makes sure that its chain has Ciro's pallets.
    pub async fn connect(url: &str) -> Result<Self> {
        let unreachable = |error: &dyn std::error::Error| Error::Unreachable {
            url: url.to_owned(),
            reason: innermost(error),
        };
        let client = RpcClient::from_insecure_url(url)
            .await
            .map_err(|error| unreachable(&error))?;
        let rpc = LegacyRpcMethods::new(client.clone());
        let raw = client.clone();
        // The older RPC methods are the ones without limits on how many blocks, and how old ones, a client may look at.
        let backend = Arc::new(LegacyBackend::builder().build(client));
        let api = OnlineClient::from_backend(backend)
            .await
            .map_err(|error| unreachable(&error))?;
        let this = Self { api, rpc, raw };
        let state = this.finalised().await?;
        for pallet in [MODEL_REGISTRY, JOB_MARKET] {
            if state.at().metadata_ref().pallet_by_name(pallet).is_none() {
                return Err(Error::NotCiro {
                    url: url.to_owned(),
                    chain: this.rpc.system_chain().await.unwrap_or_default(),
                    pallet,
                });
            }
        }
        Ok(this)
    }

    /// Hash of the genesis block: the identity of the chain.
    pub fn genesis(&self) -> Hash {
        self.api.genesis_hash()
    }

    /// The state at the finalised head.
    pub async fn finalised(&self) -> Result<State> {
        let at = self.api.at_current_block().await.map_err(Error::chain)?;
        Ok(State::new(at))
    }

    /// The state at the best head, which may yet be reorganised away.
    pub async fn best(&self) -> Result<State> {
        let hash = self
            .rpc
            .chain_get_block_hash(None)
            .await
            .map_err(Error::chain)?
            .ok_or_else(|| Error::chain(subxt::Error::other_str("the node has no best block")))?;
        self.at(hash).await
    }

    /// The state at a block.
    pub async fn at(&self, block: Hash) -> Result<State> {
        let at = self.api.at_block(block).await.map_err(Error::chain)?;
        Ok(State::new(at))
    }

    /// Every finalised block from now on, in order and without gaps.
    pub async fn finalised_blocks(&self) -> Result<FinalisedBlocks> {
        let blocks = self.api.stream_blocks().await.map_err(Error::chain)?;
        Ok(FinalisedBlocks(blocks))
    }

    /// First nonce of an account that neither the best block nor the node's pool has seen.
    pub async fn next_nonce(&self, account: &AccountId) -> Result<u64> {
        self.rpc
            .system_account_next_index(account)
            .await
            .map_err(Error::chain)
    }

    /// An error if the node does not answer.
    pub async fn ping(&self) -> Result<()> {
        self.rpc.system_health().await.map_err(Error::chain)?;
        Ok(())
    }
}

/// The cause behind all others: what the system says.
fn innermost(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => innermost(cause),
        None => error.to_string(),
    }
}

/// Finalised blocks as they come.
pub struct FinalisedBlocks(Blocks<SubstrateConfig>);

impl FinalisedBlocks {
    /// The next one; `None` once the connection is lost.
    pub async fn next(&mut self) -> Option<Result<FinalisedBlock>> {
        let block = self.0.next().await?;
        Some(block.map(FinalisedBlock).map_err(Error::chain))
    }
}

/// A finalised block.
pub struct FinalisedBlock(Block<SubstrateConfig>);

impl FinalisedBlock {
    /// Its number.
    pub fn number(&self) -> u64 {
        self.0.number()
    }

    /// The state after it.
    pub async fn state(&self) -> Result<State> {
        Ok(State::new(self.0.at().await.map_err(Error::chain)?))
    }
}
