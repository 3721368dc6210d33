//! Starknet as a destination.

mod transaction;

use crate::{
    config,
    destination::{At, ClientState, Destination, Refused, TooExpensive},
    rpc::{Error, Rpc},
};
use anyhow::{bail, ensure, Context, Result};
use async_trait::async_trait;
use ciro_bridge_calldata::{
    starknet::{deliver, read_sent, read_submit, read_word, selector, submit, SENT, UPDATED},
    Delivery,
};
use ciro_bridge_primitives::{u64_of, word_of, ChainKind, Hash, Update, Word};
use serde::{de::DeserializeOwned, Deserialize};
use serde_json::{json, Value};
use std::time::Duration;
use tokio::{
    sync::Mutex,
    time::{sleep, Instant},
};
use transaction::{felt, Estimate, Invocation, Signer};

/// The token in which fees are paid, on every chain of Starknet.
const STRK: &str = "0x4718f5a0fc34cc1af16a1cdee98ffb20c31f5cd61d6ab07201858f4287c938d";
/// FRI in a STRK.
const UNIT: f64 = 1e18;

/// How long a transaction may take to get into a block.
const PATIENCE: Duration = Duration::from_secs(90);
/// Pause between two looks for a receipt.
const PAUSE: Duration = Duration::from_millis(500);
/// Events that a node tells at once.
const PAGE: u32 = 100;

/// Nodes' number for a transaction that they do not know.
const UNKNOWN_TRANSACTION: i64 = 29;
/// Nodes' numbers for a call that fails.
const FAILED_CALL: [i64; 2] = [40, 41];

/// Starknet.
pub struct Starknet {
    rpc: Rpc,
    chain_id: Word,
    client: Word,
    confirmations: Option<u64>,
    /// Most to pay for a transaction, in FRI.
    max_fee: u128,
    signer: Signer,
    /// Held while a transaction is on its way, as each needs the nonce after the last one's.
    sending: Mutex<()>,
}

/// A felt in an answer.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
struct Felt(Word);

impl TryFrom<String> for Felt {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        config::parse_word(&text).map(Self)
    }
}

#[derive(Deserialize)]
struct Receipt {
    execution_status: String,
    #[serde(default)]
    revert_reason: String,
}

#[derive(Deserialize)]
struct Page {
    events: Vec<Event>,
    continuation_token: Option<String>,
}

#[derive(Deserialize)]
struct Event {
    data: Vec<Felt>,
    transaction_hash: Felt,
}

#[derive(Deserialize)]
struct Call {
    #[serde(default)]
    calldata: Vec<Felt>,
}

#[derive(Deserialize)]
struct Block {
    block_number: u64,
}

impl Starknet {
    /// Connects to the chain that a destination describes.
    ///
    /// # Errors
    /// The key cannot be read, or the node does not answer.
    pub async fn connect(described: &config::Destination) -> Result<Self> {
        let rpc = Rpc::new(&described.node)?;
        let chain_id: Felt = rpc.call("starknet_chainId", json!([])).await?;
        let secret = config::secret_from_file(&described.key_file)?;
        let account = described.account.context("an account")?;
        Ok(Self {
            rpc,
            chain_id: chain_id.0,
            client: described.client,
            confirmations: described.confirmations,
            max_fee: (described.max_fee * UNIT) as u128,
            signer: Signer::new(&secret, account)
                .with_context(|| described.key_file.display().to_string())?,
            sending: Mutex::default(),
        })
    }

    async fn call<T: DeserializeOwned>(&self, method: &str, params: Value) -> Result<T> {
        Ok(self.rpc.call(method, params).await?)
    }

    /// Asks a contract, in the newest block.
    ///
    /// # Errors
    /// The node does not answer, or the contract has no such function.
    pub async fn read(
        &self,
        contract: &Word,
        function: &str,
        arguments: &[Word],
    ) -> Result<Vec<Word>> {
        self.ask(contract, function, arguments, newest()).await
    }

    async fn ask(
        &self,
        contract: &Word,
        function: &str,
        arguments: &[Word],
        block: Value,
    ) -> Result<Vec<Word>> {
        let request = json!({
            "contract_address": felt(contract),
            "entry_point_selector": felt(&selector(function)),
            "calldata": arguments.iter().map(felt).collect::<Vec<_>>(),
        });
        let answer: Result<Vec<Felt>, Error> = self
            .rpc
            .call("starknet_call", json!([request, block]))
            .await;
        let answer = answer.with_context(|| format!("{function} of {}", felt(contract)))?;
        Ok(answer.into_iter().map(|felt| felt.0).collect())
    }

    /// A number that the client tells.
    async fn number(&self, function: &str) -> Result<u64> {
        let answer = self.read(&self.client, function, &[]).await?;
        let number = answer.first().and_then(u64_of);
        number.with_context(|| format!("the client does not answer {function}"))
    }

    /// Sends a call and waits until it is in a block.
    ///
    /// # Errors
    /// [`Refused`], [`TooExpensive`], or whatever the node says.
    pub async fn send(&self, to: &Word, function: &str, arguments: &[Word]) -> Result<()> {
        let _guard = self.sending.lock().await;
        let nonce: Felt = self
            .call(
                "starknet_getNonce",
                json!([newest(), felt(&self.signer.account)]),
            )
            .await?;
        let mut invocation = Invocation {
            chain_id: self.chain_id,
            nonce: nonce.0,
            bounds: Default::default(),
            calldata: Invocation::calldata(to, selector(function), arguments),
        };
        invocation.bounds = self.estimate(&invocation).await?.into();
        self.afford(invocation.bounds.cost()).await?;
        let (transaction, hash) = invocation.sign(&self.signer)?;
        let sent: Value = self
            .call("starknet_addInvokeTransaction", json!([transaction]))
            .await?;
        let told = sent["transaction_hash"].as_str().unwrap_or_default();
        ensure!(
            config::parse_word(told) == Ok(hash),
            "the node took the transaction for another one"
        );
        self.included(&hash).await
    }

    async fn estimate(&self, invocation: &Invocation) -> Result<Estimate> {
        let unsigned = invocation.unsigned(&self.signer);
        let params = json!([[unsigned], ["SKIP_VALIDATE"], newest()]);
        let estimates: Result<Vec<Estimate>, Error> =
            self.rpc.call("starknet_estimateFee", params).await;
        let mut estimates = estimates.map_err(refused)?;
        estimates.pop().context("the node estimates nothing")
    }

    /// An error if a transaction may cost more than is allowed or there.
    async fn afford(&self, cost: u128) -> Result<()> {
        let strk = |fri: u128| fri as f64 / UNIT;
        if cost > self.max_fee {
            bail!(TooExpensive(format!(
                "a transaction costs up to {} STRK now, and max_fee allows {}: raise it, or wait",
                strk(cost),
                strk(self.max_fee)
            )));
        }
        let has = self.balance().await?;
        if has < strk(cost) {
            bail!(TooExpensive(format!(
                "the account {} has {has} STRK, and a transaction needs up to {}: send it some",
                felt(&self.signer.account),
                strk(cost)
            )));
        }
        Ok(())
    }

    async fn included(&self, hash: &Word) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            let receipt: Result<Receipt, Error> = self
                .rpc
                .call("starknet_getTransactionReceipt", json!([felt(hash)]))
                .await;
            match receipt {
                Ok(receipt) if receipt.execution_status == "SUCCEEDED" => return Ok(()),
                Ok(receipt) => bail!(Refused(panic_of(&receipt.revert_reason))),
                Err(Error::Refused {
                    code: UNKNOWN_TRANSACTION,
                    ..
                }) => sleep(PAUSE).await,
                Err(error) => return Err(error.into()),
            }
        }
        bail!(
            "transaction {} is in no block after {} s",
            felt(hash),
            PATIENCE.as_secs()
        )
    }

    async fn events(&self, contract: &Word, name: &str, from: u64, to: u64) -> Result<Vec<Event>> {
        let mut events = Vec::new();
        let mut token = None;
        loop {
            let mut filter = json!({
                "address": felt(contract),
                "keys": [[felt(&selector(name))]],
                "from_block": { "block_number": from },
                "to_block": { "block_number": to },
                "chunk_size": PAGE,
            });
            if let Some(token) = token {
                filter["continuation_token"] = json!(token);
            }
            let page: Page = self.call("starknet_getEvents", json!([filter])).await?;
            events.extend(page.events);
            token = page.continuation_token;
            if token.is_none() {
                return Ok(events);
            }
        }
    }
}

#[async_trait]
impl Destination for Starknet {
    fn kind(&self) -> ChainKind {
        ChainKind::Starknet
    }

    fn chain_id(&self) -> Word {
        self.chain_id
    }

    async fn genesis(&self) -> Result<Hash> {
        let answer = self.read(&self.client, "genesis_hash", &[]).await?;
        read_word(&answer).context("the client does not answer genesis_hash")
    }

    async fn client(&self) -> Result<ClientState> {
        let sets = self.read(&self.client, "validator_sets", &[]).await?;
        let set = sets.first().and_then(u64_of);
        let handover = self.number("handover_time").await?;
        Ok(ClientState {
            newest: self.number("newest_block").await?.try_into()?,
            set: set.context("the client does not answer validator_sets")?,
            expires: handover.saturating_add(self.number("expiry").await?),
            halted: self.number("is_halted").await? != 0,
        })
    }

    async fn is_taken(&self, contract: &Word, nonce: u64, at: At) -> Result<bool> {
        let block = match at {
            At::Newest => newest(),
            At::Final => json!({ "block_number": self.final_block().await? }),
        };
        let nonce = [word_of(nonce)];
        let answer = self.ask(contract, "is_taken", &nonce, block).await?;
        Ok(answer == [word_of(1u8)])
    }

    async fn submit(&self, update: &Update) -> Result<()> {
        let arguments = submit(update).context("a signature is nobody's")?;
        self.send(&self.client, "submit", &arguments).await
    }

    async fn deliver(&self, contract: &Word, delivery: &Delivery) -> Result<()> {
        self.send(contract, "deliver", &deliver(delivery)).await
    }

    async fn final_block(&self) -> Result<u64> {
        match self.confirmations {
            Some(confirmations) => {
                let newest: u64 = self.call("starknet_blockNumber", json!([])).await?;
                Ok(newest.saturating_sub(confirmations))
            }
            None => {
                let block: Block = self
                    .call("starknet_getBlockWithTxHashes", json!(["l1_accepted"]))
                    .await?;
                Ok(block.block_number)
            }
        }
    }

    async fn sent(&self, contract: &Word, from: u64, to: u64) -> Result<Vec<Vec<Word>>> {
        let events = self.events(contract, SENT, from, to).await?;
        let read = events.iter().map(|event| {
            let data: Vec<Word> = event.data.iter().map(|felt| felt.0).collect();
            read_sent(&data).context("a message that cannot be read")
        });
        read.collect()
    }

    async fn updates(&self, from: u64, to: u64) -> Result<Vec<Update>> {
        let mut updates = Vec::new();
        for event in self.events(&self.client, UPDATED, from, to).await? {
            let hash = felt(&event.transaction_hash.0);
            let call: Call = self
                .call(
                    "starknet_getTransactionByHash",
                    // By name: nodes differ in how many parameters they want in order.
                    json!({ "transaction_hash": hash }),
                )
                .await?;
            let calldata: Vec<Word> = call.calldata.iter().map(|felt| felt.0).collect();
            updates.extend(read_submit(&self.client, &calldata));
        }
        Ok(updates)
    }

    async fn balance(&self) -> Result<f64> {
        let token = config::parse_word(STRK).map_err(anyhow::Error::msg)?;
        let account = [self.signer.account];
        let answer = self.read(&token, "balance_of", &account).await?;
        let balance = read_word(&answer).context("the token does not answer balance_of")?;
        let number = |half: &[u8]| half.iter().fold(0.0, |sum, b| sum * 256.0 + f64::from(*b));
        Ok(number(&balance) / UNIT)
    }
}

fn newest() -> Value {
    json!("latest")
}

/// A node's error, with what a contract said if a contract has panicked.
fn refused(error: Error) -> anyhow::Error {
    match &error {
        Error::Refused { code, data, .. } if FAILED_CALL.contains(code) => {
            Refused(panic_of(&data.to_string())).into()
        }
        _ => error.into(),
    }
}

/// What a contract said last when it panicked: nodes write it as a number and `('what it says')` after that.
fn panic_of(text: &str) -> String {
    let said = text.rsplit("('").find_map(|rest| {
        let (word, _) = rest.split_once("')")?;
        let is_name = |c: char| c.is_ascii_alphanumeric();
        (!word.is_empty() && word.chars().all(is_name) && word != "ENTRYPOINT_FAILED")
            .then(|| word.to_owned())
    });
    said.unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_by_what_the_contract_said() {
        let text = "... 0x416c726561647954616b656e ('AlreadyTaken'), \
                    0x454e545259504f494e545f4641494c4544 ('ENTRYPOINT_FAILED').\\n";
        assert_eq!(panic_of(text), "AlreadyTaken");
        assert_eq!(panic_of("out of gas"), "out of gas");
    }

    #[test]
    fn only_failed_calls_are_refusals() {
        let error = |code: i64| Error::Refused {
            method: "starknet_estimateFee".into(),
            code,
            message: "Transaction execution error".into(),
            data: json!({ "execution_error": "('StaleBlock')" }),
        };
        assert_eq!(
            refused(error(41)).to_string(),
            "the contract refuses: StaleBlock"
        );
        assert!(!refused(error(24)).is::<Refused>());
    }
}
