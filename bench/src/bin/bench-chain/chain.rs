//! The chain over a node's public RPC, in the runtime's own types.

use anyhow::{Context, Result};
use ciro_e2e::Node;
use ciro_runtime::{AccountId, Hash, Header, Nonce, Runtime, RuntimeEvent};
use codec::{Decode, DecodeAll};
use frame_support::{dispatch::PerDispatchClass, weights::Weight};
use frame_system::{AccountInfo, EventRecord};
use serde::{de::DeserializeOwned, Deserialize};
use sp_consensus_babe::{digests::CompatibleDigestItem, Slot};
use sp_core::storage::StorageKey;
use std::collections::HashMap;
use subxt::rpcs::{
    client::{rpc_params, RpcParams, RpcSubscription},
    RpcClient,
};

/// A connection to a node.
#[derive(Clone)]
pub struct Chain(RpcClient);

/// A block with its extrinsics.
pub struct Block {
    pub header: Header,
    /// Bytes of all extrinsics.
    pub length: usize,
}

impl Chain {
    /// Connects to a node.
    pub async fn connect(node: &Node) -> Result<Self> {
        Ok(Self(RpcClient::from_insecure_url(node.url()).await?))
    }

    async fn call<T: DeserializeOwned>(&self, method: &str, params: RpcParams) -> Result<T> {
        let answer = self.0.request(method, params).await;
        answer.with_context(|| format!("{method} failed"))
    }

    /// Hash of the first block.
    pub async fn genesis(&self) -> Result<Hash> {
        self.call("chain_getBlockHash", rpc_params![0]).await
    }

    /// The best blocks as they come.
    pub async fn best_heads(&self) -> Result<RpcSubscription<Header>> {
        let heads = self.0.subscribe(
            "chain_subscribeNewHeads",
            rpc_params![],
            "chain_unsubscribeNewHeads",
        );
        Ok(heads.await?)
    }

    /// The finalised blocks as they come; some may be left out.
    pub async fn finalised_heads(&self) -> Result<RpcSubscription<Header>> {
        let heads = self.0.subscribe(
            "chain_subscribeFinalizedHeads",
            rpc_params![],
            "chain_unsubscribeFinalizedHeads",
        );
        Ok(heads.await?)
    }

    /// Hands a transaction to the node's pool.
    pub async fn submit(&self, transaction: &[u8]) -> Result<()> {
        let text = format!("0x{}", hex::encode(transaction));
        let _: Hash = self
            .call("author_submitExtrinsic", rpc_params![text])
            .await?;
        Ok(())
    }

    /// Transactions that each of the accounts has in the chain up to a block.
    pub async fn nonces(&self, accounts: &[AccountId], block: Hash) -> Result<Vec<Nonce>> {
        #[derive(Deserialize)]
        struct Changes {
            changes: Vec<(StorageKey, Option<sp_core::Bytes>)>,
        }
        let key =
            |account: &AccountId| frame_system::Account::<Runtime>::hashed_key_for(account.clone());
        let keys: Vec<_> = accounts
            .iter()
            .map(|account| StorageKey(key(account)))
            .collect();
        let sets: Vec<Changes> = self
            .call("state_queryStorageAt", rpc_params![&keys, block])
            .await?;
        let values: HashMap<_, _> = sets.into_iter().flat_map(|set| set.changes).collect();
        keys.iter()
            .map(|key| {
                let Some(Some(value)) = values.get(key) else {
                    return Ok(0);
                };
                type Info = AccountInfo<Nonce, pallet_balances::AccountData<u128>>;
                Ok(Info::decode_all(&mut &value[..])?.nonce)
            })
            .collect()
    }

    /// A block.
    pub async fn block(&self, hash: Hash) -> Result<Block> {
        #[derive(Deserialize)]
        struct Signed {
            block: Whole,
        }
        #[derive(Deserialize)]
        struct Whole {
            header: Header,
            extrinsics: Vec<String>,
        }
        let Signed { block } = self.call("chain_getBlock", rpc_params![hash]).await?;
        // Two digits a byte, after 0x.
        let bytes = |text: &String| text.len().saturating_sub(2) / 2;
        Ok(Block {
            length: block.extrinsics.iter().map(bytes).sum(),
            header: block.header,
        })
    }

    /// What a block weighs, by class.
    pub async fn weight(&self, block: Hash) -> Result<PerDispatchClass<Weight>> {
        let key = frame_system::BlockWeight::<Runtime>::hashed_key();
        self.value(key.to_vec(), block).await
    }

    /// What the runtime reported in a block.
    pub async fn events(&self, block: Hash) -> Result<Vec<EventRecord<RuntimeEvent, Hash>>> {
        let key = [
            sp_io::hashing::twox_128(b"System"),
            sp_io::hashing::twox_128(b"Events"),
        ]
        .concat();
        self.value(key, block).await
    }

    async fn value<T: Decode>(&self, key: Vec<u8>, block: Hash) -> Result<T> {
        let value: sp_core::Bytes = self
            .call("state_getStorage", rpc_params![StorageKey(key), block])
            .await?;
        Ok(T::decode_all(&mut &value[..])?)
    }
}

/// The slot that a block was made in.
pub fn slot(header: &Header) -> Result<Slot> {
    let mut logs = header.digest.logs.iter();
    let claim = logs.find_map(CompatibleDigestItem::as_babe_pre_digest);
    Ok(claim.context("a block without a slot")?.slot())
}
