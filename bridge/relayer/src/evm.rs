//! An EVM chain as a destination.

use crate::{
    config,
    destination::{At, ClientState, Destination, Refused, TooExpensive},
    rpc,
};
use alloy_consensus::{SignableTransaction, Transaction, TxEip1559};
use alloy_network::{
    eip2718::Encodable2718, AnyNetwork, AnyRpcBlock, ReceiptResponse, TxSignerSync,
};
use alloy_primitives::{utils::format_units, Address, Bytes, B256, U256};
use alloy_provider::{
    transport::{RpcError, TransportError, TransportResult},
    Provider, ProviderBuilder, RootProvider,
};
use alloy_rpc_types_eth::{BlockId, BlockNumberOrTag, Filter, Log, TransactionRequest};
use alloy_signer_local::PrivateKeySigner;
use alloy_sol_types::SolCall;
use anyhow::{bail, Context, Result};
use async_trait::async_trait;
use ciro_bridge_calldata::{
    evm::{self, BeefyClient, Contract},
    Delivery,
};
use ciro_bridge_primitives::{word_of, ChainKind, Hash, Update, Word};
use reqwest::{Client, Url};
use std::time::Duration;
use tokio::{
    sync::Mutex,
    time::{sleep, Instant},
};

/// How long a transaction may take to get into a block before another one takes its place.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pause between two looks for a receipt.
const PAUSE: Duration = Duration::from_millis(500);
/// The tip, in wei per gas, where a node has no opinion.
const USUAL_TIP: u128 = 1_000_000_000;
const GWEI: f64 = 1e9;

/// An EVM chain.
pub struct Evm {
    url: Url,
    node: RootProvider<AnyNetwork>,
    chain_id: u64,
    client: Address,
    confirmations: Option<u64>,
    /// Most to pay, in wei per gas.
    max_fee: u128,
    signer: PrivateKeySigner,
    /// The transaction that was sent last. Held while one is on its way, as each needs the nonce after the last one's.
    last: Mutex<Option<Offer>>,
}

/// What was offered for the place of a nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Offer {
    nonce: u64,
    tip: u128,
    fee: u128,
}

impl Evm {
    /// Connects to the chain that a destination describes.
    ///
    /// # Errors
    /// The key cannot be read, or the node does not answer.
    pub async fn connect(described: &config::Destination) -> Result<Self> {
        let url = rpc::address(&described.node)?;
        let node = provider(&url)?;
        let secret = config::secret_from_file(&described.key_file)?;
        Ok(Self {
            chain_id: told(&url, node.get_chain_id().await)?,
            url,
            node,
            client: address(&described.client),
            confirmations: described.confirmations,
            max_fee: (described.max_fee * GWEI) as u128,
            signer: PrivateKeySigner::from_slice(&secret)
                .with_context(|| described.key_file.display().to_string())?,
            last: Mutex::default(),
        })
    }

    fn told<T>(&self, answer: TransportResult<T>) -> Result<T> {
        told(&self.url, answer)
    }

    /// Asks a contract.
    async fn ask<C: SolCall + Send>(&self, to: Address, call: C, at: At) -> Result<C::Return> {
        let block = match at {
            At::Newest => BlockId::latest(),
            At::Final => BlockId::number(self.final_block().await?),
        };
        let request = request(to, call.abi_encode().into());
        let answer = self.told(self.node.call(request.into()).block(block).await)?;
        C::abi_decode_returns(&answer).with_context(|| {
            format!(
                "{to} does not answer {}: is it one of Ciro's contracts?",
                C::SIGNATURE
            )
        })
    }

    async fn block(&self, tag: BlockNumberOrTag) -> Result<AnyRpcBlock> {
        let block = self.told(self.node.get_block_by_number(tag).await)?;
        block.with_context(|| format!("the node has no {tag} block"))
    }

    /// Sends a call and waits until it is in a block.
    ///
    /// # Errors
    /// [`Refused`], [`TooExpensive`], or whatever the node says.
    pub async fn send(&self, to: Address, input: Vec<u8>) -> Result<()> {
        let input = Bytes::from(input);
        let mut last = self.last.lock().await;
        let gas = self.gas(to, input.clone()).await?;
        let offer = self.offer(*last).await?;
        self.afford(gas, offer.fee).await?;
        let mut transaction = TxEip1559 {
            chain_id: self.chain_id,
            nonce: offer.nonce,
            gas_limit: gas,
            max_fee_per_gas: offer.fee,
            max_priority_fee_per_gas: offer.tip,
            to: to.into(),
            input,
            ..Default::default()
        };
        let signature = self.signer.sign_transaction_sync(&mut transaction)?;
        let bytes = transaction.into_signed(signature).encoded_2718();
        let sent = self.node.send_raw_transaction(&bytes).await;
        *last = Some(offer);
        self.included(*self.told(sent)?.tx_hash()).await
    }

    /// Most gas that a call may use.
    async fn gas(&self, to: Address, input: Bytes) -> Result<u64> {
        let call = request(to, input).from(self.signer.address());
        let estimate = self.node.estimate_gas(call.into());
        // Of the newest block: in the next one, a transaction that waits for its place may be the same call.
        let estimate = estimate.block(BlockId::latest()).await;
        let gas = match estimate.as_ref().err().and_then(refusal) {
            Some(refused) => bail!(refused),
            None => self.told(estimate)?,
        };
        // The state may be another by the time that the call comes into a block.
        Ok(gas + gas / 4)
    }

    /// What to offer for the account's next transaction.
    async fn offer(&self, last: Option<Offer>) -> Result<Offer> {
        let account = self.signer.address();
        let nonce = self.told(self.node.get_transaction_count(account).await)?;
        let newest = self.block(BlockNumberOrTag::Latest).await?;
        let base = newest.header.base_fee_per_gas.unwrap_or_default().into();
        let tip = match self.node.get_max_priority_fee_per_gas().await {
            Err(RpcError::ErrorResp(_)) => USUAL_TIP,
            tip => self.told(tip)?,
        };
        priced(nonce, base, tip, last, self.max_fee)
    }

    /// An error unless the account has what a transaction may cost at most.
    async fn afford(&self, gas: u64, fee: u128) -> Result<()> {
        let has = self.wei().await?;
        let needs = U256::from(gas) * U256::from(fee);
        if has < needs {
            bail!(TooExpensive(format!(
                "the account {} has {}, and a transaction needs up to {}: send it some",
                self.signer.address(),
                ether(has),
                ether(needs)
            )));
        }
        Ok(())
    }

    async fn wei(&self) -> Result<U256> {
        self.told(self.node.get_balance(self.signer.address()).await)
    }

    async fn included(&self, hash: B256) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            match self.told(self.node.get_transaction_receipt(hash).await)? {
                Some(receipt) if receipt.status() => return Ok(()),
                Some(_) => bail!(Refused(format!("transaction {hash} failed"))),
                None => sleep(PAUSE).await,
            }
        }
        bail!(
            "transaction {hash} is in no block after {} s: offering more for its place",
            PATIENCE.as_secs()
        )
    }

    async fn logs(&self, contract: Address, topic: Hash, from: u64, to: u64) -> Result<Vec<Log>> {
        let filter = Filter::new()
            .address(contract)
            .event_signature(B256::from(topic))
            .from_block(from)
            .to_block(to);
        self.told(self.node.get_logs(&filter).await)
    }
}

#[async_trait]
impl Destination for Evm {
    fn kind(&self) -> ChainKind {
        ChainKind::Evm
    }

    fn chain_id(&self) -> Word {
        word_of(self.chain_id)
    }

    async fn genesis(&self) -> Result<Hash> {
        let call = BeefyClient::genesisCall {};
        Ok(self.ask(self.client, call, At::Newest).await?.0)
    }

    async fn client(&self) -> Result<ClientState> {
        let (client, at) = (self.client, At::Newest);
        let current = self.ask(client, BeefyClient::currentCall {}, at).await?;
        let hand_over = self.ask(client, BeefyClient::handOverCall {}, at).await?;
        let expiry = self.ask(client, BeefyClient::expiryCall {}, at).await?;
        Ok(ClientState {
            newest: self.ask(client, BeefyClient::newestCall {}, at).await?,
            set: current.id,
            expires: hand_over.saturating_add(expiry),
            halted: self.ask(client, BeefyClient::haltedCall {}, at).await?,
        })
    }

    async fn is_taken(&self, contract: &Word, nonce: u64, at: At) -> Result<bool> {
        self.ask(address(contract), Contract::takenCall { nonce }, at)
            .await
    }

    async fn submit(&self, update: &Update) -> Result<()> {
        self.send(self.client, evm::submit(update)).await
    }

    async fn deliver(&self, contract: &Word, delivery: &Delivery) -> Result<()> {
        self.send(address(contract), evm::deliver(delivery)).await
    }

    async fn final_block(&self) -> Result<u64> {
        if let Some(confirmations) = self.confirmations {
            let newest = self.told(self.node.get_block_number().await)?;
            return Ok(newest.saturating_sub(confirmations));
        }
        Ok(self.block(BlockNumberOrTag::Finalized).await?.header.number)
    }

    async fn sent(&self, contract: &Word, from: u64, to: u64) -> Result<Vec<Vec<Word>>> {
        let logs = self.logs(address(contract), evm::SENT, from, to).await?;
        let read = logs.iter().map(|log| {
            let topics: Vec<Hash> = log.topics().iter().map(|topic| topic.0).collect();
            evm::read_sent(&topics, &log.data().data).context("a message that cannot be read")
        });
        read.collect()
    }

    async fn updates(&self, from: u64, to: u64) -> Result<Vec<Update>> {
        let logs = self.logs(self.client, evm::ROOT_ACCEPTED, from, to).await?;
        let mut updates = Vec::new();
        for hash in logs.into_iter().filter_map(|log| log.transaction_hash) {
            let call = self.told(self.node.get_transaction_by_hash(hash).await)?;
            // What another contract has passed on is not in the transaction.
            let direct = call.filter(|call| call.to() == Some(self.client));
            updates.extend(direct.and_then(|call| evm::read_submit(call.input())));
        }
        Ok(updates)
    }

    async fn balance(&self) -> Result<f64> {
        Ok(f64::from(self.wei().await?) / 1e18)
    }
}

/// What to offer for the place of `nonce`, when the newest block's base fee is `base` and `tip` is usual. Nodes give a
/// place to another transaction only if both prices are an eighth higher.
fn priced(nonce: u64, base: u128, tip: u128, last: Option<Offer>, most: u128) -> Result<Offer> {
    let higher = |offered: u128| offered + offered / 8 + 1;
    let gwei = |wei: u128| wei as f64 / GWEI;
    let beaten = last.filter(|last| last.nonce == nonce);
    let least = beaten.map_or((0, 0), |last| (higher(last.tip), higher(last.fee)));
    let tip = tip.max(least.0);
    let needed = (base + tip).max(least.1);
    if needed > most {
        bail!(TooExpensive(format!(
            "gas costs {} gwei now, and max_fee allows {}: raise it, or wait",
            gwei(needed),
            gwei(most)
        )));
    }
    // Enough for six full blocks of rising prices.
    let fee = (2 * base + tip).max(least.1).min(most);
    Ok(Offer { nonce, tip, fee })
}

fn provider(node: &Url) -> Result<RootProvider<AnyNetwork>> {
    let http = Client::builder().timeout(rpc::TIMEOUT).build()?;
    let builder = ProviderBuilder::<_, _, AnyNetwork>::default();
    Ok(builder.connect_reqwest(http, node.clone()))
}

fn request(to: Address, input: Bytes) -> TransactionRequest {
    TransactionRequest::default().to(to).input(input.into())
}

/// What a node says, or why it says nothing.
fn told<T>(node: &Url, answer: TransportResult<T>) -> Result<T> {
    answer.map_err(|error| match &error {
        RpcError::Transport(problem) => match (problem.as_custom(), problem.as_http_error()) {
            (Some(problem), _) => rpc::unreachable(node, rpc::cause(problem)),
            (_, Some(http)) => rpc::unreachable(node, format!("HTTP status {}", http.status)),
            _ => error.into(),
        },
        RpcError::DeserError { err, .. } => rpc::nonsense(node, err),
        _ => error.into(),
    })
}

/// The name of the contract's own error, if a node's error says that a contract refuses.
fn refusal(error: &TransportError) -> Option<Refused> {
    let told = error.as_error_resp()?;
    if !told.message.contains("revert") {
        return None;
    }
    let bytes = told.as_revert_data().filter(|bytes| !bytes.is_empty());
    let name = |bytes: Bytes| evm::refusal(&bytes).map_or_else(|| bytes.to_string(), str::to_owned);
    let reason = bytes.map_or_else(|| told.message.to_string(), name);
    Some(Refused(reason))
}

fn ether(wei: U256) -> String {
    let digits = format_units(wei, "ether").unwrap_or_default();
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    format!("{digits} ether")
}

/// The address in a word.
fn address(word: &Word) -> Address {
    Address::from_word(B256::from(*word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::keccak256;
    use serde_json::json;

    const MOST: u128 = 1_000;

    #[test]
    fn an_offer_covers_twice_the_base_fee_within_the_limit() {
        let offer = |base, tip| priced(7, base, tip, None, MOST).unwrap();
        let expected = Offer {
            nonce: 7,
            tip: 10,
            fee: 210,
        };
        assert_eq!(offer(100, 10), expected);
        assert_eq!(offer(600, 10).fee, MOST);
        assert_eq!(offer(990, 10).fee, MOST);
        let error = priced(7, 991, 10, None, MOST).unwrap_err();
        assert!(error.is::<TooExpensive>() && error.to_string().contains("max_fee"));
    }

    #[test]
    fn a_second_offer_for_a_place_is_an_eighth_higher() {
        let last = Offer {
            nonce: 7,
            tip: 80,
            fee: 160,
        };
        let again = priced(7, 10, 10, Some(last), MOST).unwrap();
        assert_eq!((again.tip, again.fee), (91, 181));
        let other = priced(8, 10, 10, Some(last), MOST).unwrap();
        assert_eq!((other.tip, other.fee), (10, 30));
        let high = Offer { fee: 950, ..last };
        assert!(priced(7, 10, 10, Some(high), MOST).is_err());
    }

    #[test]
    fn a_refusal_is_told_by_its_name() {
        let told = |message: &str, data: Option<&Bytes>| {
            let error = json!({ "code": 3, "message": message, "data": data });
            let error = RpcError::ErrorResp(serde_json::from_str(&error.to_string()).unwrap());
            refusal(&error).map(|refused| refused.to_string())
        };
        let reverted = "execution reverted";
        let selector = Bytes::copy_from_slice(&keccak256("StaleCommitment()")[..4]);
        let expected = |reason: &str| Some(format!("the contract refuses: {reason}"));
        assert_eq!(told(reverted, Some(&selector)), expected("StaleCommitment"));
        let unknown = Bytes::from_static(&[1, 2, 3, 4]);
        assert_eq!(told(reverted, Some(&unknown)), expected("0x01020304"));
        for nothing in [None, Some(&Bytes::new())] {
            assert_eq!(told(reverted, nothing), expected(reverted));
        }
        assert_eq!(told("too many requests", None), None);
    }

    #[tokio::test]
    async fn errors_do_not_repeat_the_address() {
        for url in rpc::tests::bad_nodes().await {
            let answer = provider(&url).unwrap().get_chain_id().await;
            rpc::tests::keeps_the_secret(&told(&url, answer).unwrap_err());
        }
    }

    #[test]
    fn amounts_are_told_in_ether() {
        assert_eq!(ether(U256::from(1_500_000_000_000_000_000u64)), "1.5 ether");
        assert_eq!(ether(U256::ZERO), "0 ether");
    }
}
