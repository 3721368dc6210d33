//! An EVM chain as a destination.

mod transaction;

use crate::{
    config,
    destination::{At, ClientState, Destination, Refused, TooExpensive},
    rpc::{Error, Rpc},
};
use alloy_primitives::{utils::format_units, Address, Bytes, B256, U128, U256, U64};
use alloy_sol_types::SolCall;
use anyhow::{bail, Context, Result};
use async_trait::async_trait;
use ciro_bridge_calldata::{
    evm::{self, BeefyClient, Contract},
    Delivery,
};
use ciro_bridge_primitives::{word_of, ChainKind, Hash, Update, Word};
use serde::{de::DeserializeOwned, Deserialize};
use serde_json::{json, Value};
use std::time::Duration;
use tokio::{
    sync::Mutex,
    time::{sleep, Instant},
};
use transaction::{Signer, Transaction};

/// How long a transaction may take to get into a block before another one takes its place.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pause between two looks for a receipt.
const PAUSE: Duration = Duration::from_millis(500);
/// The tip, in wei per gas, where a node has no opinion.
const USUAL_TIP: u128 = 1_000_000_000;
const GWEI: f64 = 1e9;

/// An EVM chain.
pub struct Evm {
    rpc: Rpc,
    chain_id: u64,
    client: Address,
    confirmations: Option<u64>,
    /// Most to pay, in wei per gas.
    max_fee: u128,
    signer: Signer,
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Block {
    number: U64,
    #[serde(default)]
    base_fee_per_gas: U128,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Receipt {
    status: U64,
    block_number: U64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Log {
    topics: Vec<B256>,
    data: Bytes,
    transaction_hash: B256,
}

#[derive(Deserialize)]
struct Call {
    to: Option<Address>,
    input: Bytes,
}

impl Evm {
    /// Connects to the chain that a destination describes.
    ///
    /// # Errors
    /// The key cannot be read, or the node does not answer.
    pub async fn connect(described: &config::Destination) -> Result<Self> {
        let rpc = Rpc::new(&described.node)?;
        let chain_id: U64 = rpc.call("eth_chainId", json!([])).await?;
        let secret = config::secret_from_file(&described.key_file)?;
        Ok(Self {
            rpc,
            chain_id: chain_id.to(),
            client: address(&described.client),
            confirmations: described.confirmations,
            max_fee: (described.max_fee * GWEI) as u128,
            signer: Signer::new(&secret)
                .with_context(|| described.key_file.display().to_string())?,
            last: Mutex::default(),
        })
    }

    /// Asks a contract.
    async fn ask<C: SolCall + Send>(&self, to: Address, call: C, at: At) -> Result<C::Return> {
        let block = match at {
            At::Newest => json!("latest"),
            At::Final => json!(U64::from(self.final_block().await?)),
        };
        let request = json!({ "to": to, "data": Bytes::from(call.abi_encode()) });
        let answer: Bytes = self.rpc.call("eth_call", json!([request, block])).await?;
        C::abi_decode_returns(&answer).with_context(|| {
            format!(
                "{to} does not answer {}: is it one of Ciro's contracts?",
                C::SIGNATURE
            )
        })
    }

    async fn block(&self, tag: &str) -> Result<Block> {
        let block: Option<Block> = self
            .rpc
            .call("eth_getBlockByNumber", json!([tag, false]))
            .await?;
        block.with_context(|| format!("the node has no {tag} block"))
    }

    /// Sends a call and waits until it is in a block.
    ///
    /// # Errors
    /// [`Refused`], [`TooExpensive`], or whatever the node says.
    pub async fn send(&self, to: Address, input: Vec<u8>) -> Result<()> {
        let input = Bytes::from(input);
        let mut last = self.last.lock().await;
        let call = json!({ "from": self.signer.address, "to": to, "data": input });
        let estimate: Result<U64, Error> = self.rpc.call("eth_estimateGas", json!([call])).await;
        let gas = estimate.map_err(refused)?.to::<u64>();
        // The state may be another by the time that the call comes into a block.
        let gas = gas + gas / 4;
        let offer = self.offer(*last).await?;
        self.afford(gas, offer.fee).await?;
        let transaction = Transaction {
            chain_id: self.chain_id,
            nonce: offer.nonce,
            tip: offer.tip,
            fee: offer.fee,
            gas,
            to,
            input,
        };
        let (bytes, hash) = transaction.sign(&self.signer)?;
        let sent: Result<B256, Error> = self
            .rpc
            .call("eth_sendRawTransaction", json!([bytes]))
            .await;
        *last = Some(offer);
        sent?;
        self.included(hash).await
    }

    /// What to offer for the account's next transaction.
    async fn offer(&self, last: Option<Offer>) -> Result<Offer> {
        let nonce: U64 = self
            .rpc
            .call(
                "eth_getTransactionCount",
                json!([self.signer.address, "latest"]),
            )
            .await?;
        let base = self.block("latest").await?.base_fee_per_gas.to::<u128>();
        let tip: Result<U128, Error> = self.rpc.call("eth_maxPriorityFeePerGas", json!([])).await;
        let tip = match tip {
            Ok(tip) => tip.to(),
            Err(Error::Refused { .. }) => USUAL_TIP,
            Err(error) => return Err(error.into()),
        };
        priced(nonce.to(), base, tip, last, self.max_fee)
    }

    /// An error unless the account has what a transaction may cost at most.
    async fn afford(&self, gas: u64, fee: u128) -> Result<()> {
        let has = self.wei().await?;
        let needs = U256::from(gas) * U256::from(fee);
        if has < needs {
            bail!(TooExpensive(format!(
                "the account {} has {}, and a transaction needs up to {}: send it some",
                self.signer.address,
                ether(has),
                ether(needs)
            )));
        }
        Ok(())
    }

    async fn wei(&self) -> Result<U256> {
        let balance = self
            .rpc
            .call("eth_getBalance", json!([self.signer.address, "latest"]));
        Ok(balance.await?)
    }

    async fn included(&self, hash: B256) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            let receipt: Option<Receipt> = self
                .rpc
                .call("eth_getTransactionReceipt", json!([hash]))
                .await?;
            match receipt {
                Some(receipt) if receipt.status == U64::from(1) => return Ok(()),
                Some(receipt) => bail!(Refused(format!(
                    "transaction {hash} failed in block {}",
                    receipt.block_number
                ))),
                None => sleep(PAUSE).await,
            }
        }
        bail!(
            "transaction {hash} is in no block after {} s: offering more for its place",
            PATIENCE.as_secs()
        )
    }

    async fn logs(&self, contract: Address, topic: Hash, from: u64, to: u64) -> Result<Vec<Log>> {
        let filter = json!([{
            "address": contract,
            "topics": [B256::from(topic)],
            "fromBlock": U64::from(from),
            "toBlock": U64::from(to),
        }]);
        self.call("eth_getLogs", filter).await
    }

    async fn call<T: DeserializeOwned>(&self, method: &str, params: Value) -> Result<T> {
        Ok(self.rpc.call(method, params).await?)
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
        let tag = match self.confirmations {
            Some(_) => "latest",
            None => "finalized",
        };
        let number = self.block(tag).await?.number.to::<u64>();
        Ok(number.saturating_sub(self.confirmations.unwrap_or(0)))
    }

    async fn sent(&self, contract: &Word, from: u64, to: u64) -> Result<Vec<Vec<Word>>> {
        let logs = self.logs(address(contract), evm::SENT, from, to).await?;
        let read = logs.iter().map(|log| {
            let topics: Vec<Hash> = log.topics.iter().map(|topic| topic.0).collect();
            evm::read_sent(&topics, &log.data).context("a message that cannot be read")
        });
        read.collect()
    }

    async fn updates(&self, from: u64, to: u64) -> Result<Vec<Update>> {
        let logs = self.logs(self.client, evm::ROOT_ACCEPTED, from, to).await?;
        let mut updates = Vec::new();
        for log in logs {
            let call: Option<Call> = self
                .call("eth_getTransactionByHash", json!([log.transaction_hash]))
                .await?;
            // What another contract has passed on is not in the transaction.
            let direct = call.filter(|call| call.to == Some(self.client));
            updates.extend(direct.and_then(|call| evm::read_submit(&call.input)));
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

/// A node's error, with the name of the contract's own if a contract has refused.
fn refused(error: Error) -> anyhow::Error {
    let Error::Refused { message, data, .. } = &error else {
        return error.into();
    };
    let bytes = data.as_str().and_then(|text| text.parse::<Bytes>().ok());
    match bytes {
        Some(bytes) => {
            let name = evm::refusal(&bytes).map_or_else(|| bytes.to_string(), str::to_owned);
            Refused(name).into()
        }
        None if message.contains("revert") => Refused(message.clone()).into(),
        None => error.into(),
    }
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
        let error = |message: &str, data: Value| Error::Refused {
            method: "eth_estimateGas".into(),
            code: 3,
            message: message.into(),
            data,
        };
        let selector = Bytes::copy_from_slice(&keccak256("StaleCommitment()")[..4]);
        let named = refused(error("execution reverted", json!(selector)));
        assert!(named.is::<Refused>());
        assert_eq!(named.to_string(), "the contract refuses: StaleCommitment");
        assert!(refused(error("execution reverted", Value::Null)).is::<Refused>());
        assert!(refused(error("execution reverted", json!("0x01020304"))).is::<Refused>());
        assert!(!refused(error("too many requests", Value::Null)).is::<Refused>());
    }

    #[test]
    fn amounts_are_told_in_ether() {
        assert_eq!(ether(U256::from(1_500_000_000_000_000_000u64)), "1.5 ether");
        assert_eq!(ether(U256::ZERO), "0 ether");
    }
}
