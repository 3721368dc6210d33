//! Starknet as a destination.

use crate::{
    config,
    destination::{At, ClientState, Destination, Refused, TooExpensive},
    rpc,
};
use anyhow::{bail, ensure, Context, Result};
use async_trait::async_trait;
use ciro_bridge_calldata::{
    starknet::{deliver, read_sent, read_submit, read_word, selector, submit, SENT, UPDATED},
    Delivery,
};
use ciro_bridge_primitives::{u64_of, word_of, ChainKind, Hash, Update, Word};
use reqwest::{Client, Url};
use starknet_rust_accounts::{
    Account, AccountError, ConnectedAccount, ExecutionEncoding, SingleOwnerAccount,
};
use starknet_rust_core::types::{
    BlockId, BlockTag, Call, ContractErrorData, ContractExecutionError, EmittedEvent, EventFilter,
    ExecutionResult, FeeEstimate, Felt, FunctionCall, InvokeTransaction,
    MaybePreConfirmedBlockWithTxHashes, StarknetError, Transaction, TransactionExecutionErrorData,
};
use starknet_rust_providers::{
    jsonrpc::{HttpTransport, HttpTransportError, JsonRpcClientError},
    JsonRpcClient, Provider, ProviderError,
};
use starknet_rust_signers::{LocalWallet, SigningKey};
use std::time::Duration;
use tokio::{
    sync::Mutex,
    time::{sleep, Instant},
};

/// The token in which fees are paid, on every chain of Starknet.
const STRK: Felt =
    Felt::from_hex_unchecked("0x4718f5a0fc34cc1af16a1cdee98ffb20c31f5cd61d6ab07201858f4287c938d");
/// FRI in a STRK.
const UNIT: f64 = 1e18;

/// How long a transaction may take to get into a block.
const PATIENCE: Duration = Duration::from_secs(90);
/// Pause between two looks for a receipt.
const PAUSE: Duration = Duration::from_millis(500);
/// Events that a node tells at once.
const PAGE: u64 = 100;

const NEWEST: BlockId = BlockId::Tag(BlockTag::Latest);

type Node = JsonRpcClient<HttpTransport>;

/// Starknet.
pub struct Starknet {
    url: Url,
    /// The account that pays, and the node by which it does.
    account: SingleOwnerAccount<Node, LocalWallet>,
    client: Word,
    confirmations: Option<u64>,
    /// Most to pay for a transaction, in FRI.
    max_fee: u128,
    /// Held while a transaction is on its way, as each needs the nonce after the last one's.
    sending: Mutex<()>,
}

impl Starknet {
    /// Connects to the chain that a destination describes.
    ///
    /// # Errors
    /// The key cannot be read, or the node does not answer.
    pub async fn connect(described: &config::Destination) -> Result<Self> {
        let url = rpc::address(&described.node)?;
        let node = node(&url)?;
        let chain_id = told(&url, node.chain_id().await)?;
        let secret = config::secret_from_file(&described.key_file)?;
        let key = key(&secret).with_context(|| described.key_file.display().to_string())?;
        let address = felt(&described.account.context("an account")?);
        let encoding = ExecutionEncoding::New;
        let mut account = SingleOwnerAccount::new(node, key, address, chain_id, encoding);
        account.set_block_id(NEWEST);
        Ok(Self {
            url,
            account,
            client: described.client,
            confirmations: described.confirmations,
            max_fee: (described.max_fee * UNIT) as u128,
            sending: Mutex::default(),
        })
    }

    fn node(&self) -> &Node {
        self.account.provider()
    }

    fn told<T>(&self, answer: Result<T, ProviderError>) -> Result<T> {
        told(&self.url, answer)
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
        self.ask(contract, function, arguments, NEWEST).await
    }

    async fn ask(
        &self,
        contract: &Word,
        function: &str,
        arguments: &[Word],
        block: BlockId,
    ) -> Result<Vec<Word>> {
        let request = FunctionCall {
            contract_address: felt(contract),
            entry_point_selector: felt(&selector(function)),
            calldata: arguments.iter().map(felt).collect(),
        };
        let answer = self.told(self.node().call(request, block).await);
        let answer = answer.with_context(|| format!("{function} of {:#x}", felt(contract)))?;
        Ok(words(&answer))
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
        let call = Call {
            to: felt(to),
            selector: felt(&selector(function)),
            calldata: arguments.iter().map(felt).collect(),
        };
        let nonce = self.told(self.account.get_nonce().await)?;
        let execution = self.account.execute_v3(vec![call]).nonce(nonce).tip(0);
        let estimate = execution.estimate_fee().await;
        let most = with_margin(&estimate.map_err(|error| self.unsent(error))?);
        self.afford(most.overall_fee).await?;
        let execution = execution
            .l1_gas(most.l1_gas_consumed)
            .l1_gas_price(most.l1_gas_price)
            .l2_gas(most.l2_gas_consumed)
            .l2_gas_price(most.l2_gas_price)
            .l1_data_gas(most.l1_data_gas_consumed)
            .l1_data_gas_price(most.l1_data_gas_price);
        let sent = execution.send().await;
        let sent = sent.map_err(|error| self.unsent(error))?;
        self.included(sent.transaction_hash).await
    }

    /// Why the account could not send something.
    fn unsent<E>(&self, error: AccountError<E>) -> anyhow::Error
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let AccountError::Provider(error) = error else {
            return error.into();
        };
        match refusal(&error) {
            Some(refused) => refused.into(),
            None => problem(&self.url, error),
        }
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
                "the account {:#x} has {has} STRK, and a transaction needs up to {}: send it some",
                self.account.address(),
                strk(cost)
            )));
        }
        Ok(())
    }

    async fn included(&self, hash: Felt) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            match self.node().get_transaction_receipt(hash).await {
                Ok(told) if told.block.is_pre_confirmed() => sleep(PAUSE).await,
                Ok(told) => match told.receipt.execution_result() {
                    ExecutionResult::Succeeded => return Ok(()),
                    ExecutionResult::Reverted { reason } => bail!(Refused(panic_of(reason))),
                },
                Err(ProviderError::StarknetError(StarknetError::TransactionHashNotFound)) => {
                    sleep(PAUSE).await;
                }
                Err(error) => return Err(problem(&self.url, error)),
            }
        }
        bail!(
            "transaction {hash:#x} is in no block after {} s",
            PATIENCE.as_secs()
        )
    }

    async fn events(
        &self,
        contract: &Word,
        name: &str,
        from: u64,
        to: u64,
    ) -> Result<Vec<EmittedEvent>> {
        let filter = EventFilter {
            from_block: Some(BlockId::Number(from)),
            to_block: Some(BlockId::Number(to)),
            address: Some(felt(contract)),
            keys: Some(vec![vec![felt(&selector(name))]]),
        };
        let mut events = Vec::new();
        let mut token = None;
        loop {
            let page = self.node().get_events(filter.clone(), token, PAGE).await;
            let page = self.told(page)?;
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
        self.account.chain_id().to_bytes_be()
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
            At::Newest => NEWEST,
            At::Final => BlockId::Number(self.final_block().await?),
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
        if let Some(confirmations) = self.confirmations {
            let newest = self.told(self.node().block_number().await)?;
            return Ok(newest.saturating_sub(confirmations));
        }
        let tag = BlockId::Tag(BlockTag::L1Accepted);
        let block = self.node().get_block_with_tx_hashes(tag).await;
        match self.told(block)? {
            MaybePreConfirmedBlockWithTxHashes::Block(block) => Ok(block.block_number),
            MaybePreConfirmedBlockWithTxHashes::PreConfirmedBlock(_) => {
                bail!("the node has no final block")
            }
        }
    }

    async fn sent(&self, contract: &Word, from: u64, to: u64) -> Result<Vec<Vec<Word>>> {
        let events = self.events(contract, SENT, from, to).await?;
        let read = events
            .iter()
            .map(|event| read_sent(&words(&event.data)).context("a message that cannot be read"));
        read.collect()
    }

    async fn updates(&self, from: u64, to: u64) -> Result<Vec<Update>> {
        let mut updates = Vec::new();
        for event in self.events(&self.client, UPDATED, from, to).await? {
            let call = self.node().get_transaction_by_hash(event.transaction_hash);
            // What accounts call with since the client exists.
            if let Transaction::Invoke(InvokeTransaction::V3(call)) = self.told(call.await)? {
                updates.extend(read_submit(&self.client, &words(&call.calldata)));
            }
        }
        Ok(updates)
    }

    async fn balance(&self) -> Result<f64> {
        let account = [self.account.address().to_bytes_be()];
        let answer = self
            .read(&STRK.to_bytes_be(), "balance_of", &account)
            .await?;
        let balance = read_word(&answer).context("the token does not answer balance_of")?;
        let number = |half: &[u8]| half.iter().fold(0.0, |sum, b| sum * 256.0 + f64::from(*b));
        Ok(number(&balance) / UNIT)
    }
}

fn node(url: &Url) -> Result<Node> {
    let http = Client::builder().timeout(rpc::TIMEOUT).build()?;
    let transport = HttpTransport::new_with_client(url.clone(), http);
    Ok(Node::new(transport))
}

/// What a node says, or why it says nothing.
fn told<T>(node: &Url, answer: Result<T, ProviderError>) -> Result<T> {
    answer.map_err(|error| problem(node, error))
}

/// A node's error, without its address.
fn problem(node: &Url, error: ProviderError) -> anyhow::Error {
    let ProviderError::Other(other) = &error else {
        return error.into();
    };
    match other.as_any().downcast_ref() {
        Some(JsonRpcClientError::TransportError(HttpTransportError::Reqwest(error))) => {
            rpc::unreachable(node, rpc::cause(error))
        }
        Some(JsonRpcClientError::TransportError(error)) => rpc::nonsense(node, error),
        Some(JsonRpcClientError::JsonError(error)) => rpc::nonsense(node, error),
        _ => error.into(),
    }
}

/// What a contract said, if a node's error says that one has panicked.
fn refusal(error: &ProviderError) -> Option<Refused> {
    let mut trace = match error {
        ProviderError::StarknetError(
            StarknetError::TransactionExecutionError(TransactionExecutionErrorData {
                execution_error: trace,
                ..
            })
            | StarknetError::ContractError(ContractErrorData {
                revert_error: trace,
            }),
        ) => trace,
        _ => return None,
    };
    loop {
        match trace {
            ContractExecutionError::Nested(outer) => trace = &outer.error,
            ContractExecutionError::Message(text) => return Some(Refused(panic_of(text))),
        }
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

/// What a transaction may use and cost at most: half as much again of everything as the node estimates, as a block later
/// may cost more.
fn with_margin(estimate: &FeeEstimate) -> FeeEstimate {
    let amount = |units: u64| units.saturating_add(units / 2);
    let price = |fri: u128| fri.saturating_add(fri / 2);
    let cost = |units: u64, fri: u128| fri.saturating_mul(units.into());
    let mut most = FeeEstimate {
        l1_gas_consumed: amount(estimate.l1_gas_consumed),
        l1_gas_price: price(estimate.l1_gas_price),
        l2_gas_consumed: amount(estimate.l2_gas_consumed),
        l2_gas_price: price(estimate.l2_gas_price),
        l1_data_gas_consumed: amount(estimate.l1_data_gas_consumed),
        l1_data_gas_price: price(estimate.l1_data_gas_price),
        overall_fee: 0,
    };
    most.overall_fee = cost(most.l1_gas_consumed, most.l1_gas_price)
        .saturating_add(cost(most.l2_gas_consumed, most.l2_gas_price))
        .saturating_add(cost(most.l1_data_gas_consumed, most.l1_data_gas_price));
    most
}

/// The key of an account, out of its secret.
fn key(secret: &Word) -> Result<LocalWallet> {
    let scalar = felt(secret);
    // Every other number is a key, if it is below the curve's order.
    let usable = scalar != Felt::ZERO && scalar.to_bytes_be() == *secret;
    ensure!(usable, "the secret is none of a key on Starknet's curve");
    Ok(SigningKey::from_secret_scalar(scalar).into())
}

fn felt(word: &Word) -> Felt {
    Felt::from_bytes_be(word)
}

fn words(felts: &[Felt]) -> Vec<Word> {
    felts.iter().map(Felt::to_bytes_be).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_panic_is_told_by_what_the_contract_said() {
        let text = "... 0x416c726561647954616b656e ('AlreadyTaken'), \
                    0x454e545259504f494e545f4641494c4544 ('ENTRYPOINT_FAILED').\\n";
        assert_eq!(panic_of(text), "AlreadyTaken");
        assert_eq!(panic_of("out of gas"), "out of gas");
    }

    #[test]
    fn only_failed_calls_are_refusals() {
        let error = |error| refusal(&ProviderError::StarknetError(error));
        let trace = json!({
            "contract_address": "0x1",
            "class_hash": "0x2",
            "selector": "0x3",
            "error": "0x1 ('StaleBlock')",
        });
        let failed = TransactionExecutionErrorData {
            transaction_index: 0,
            execution_error: serde_json::from_value(trace).unwrap(),
        };
        let refused = error(StarknetError::TransactionExecutionError(failed));
        assert_eq!(
            refused.unwrap().to_string(),
            "the contract refuses: StaleBlock"
        );
        assert!(error(StarknetError::BlockNotFound).is_none());
    }

    #[tokio::test]
    async fn errors_do_not_repeat_the_address() {
        for url in rpc::tests::bad_nodes().await {
            let answer = node(&url).unwrap().chain_id().await;
            rpc::tests::keeps_the_secret(&told(&url, answer).unwrap_err());
        }
    }

    #[test]
    fn bounds_have_a_margin_and_add_up() {
        let most = with_margin(&FeeEstimate {
            l1_gas_consumed: 10,
            l1_gas_price: 100,
            l2_gas_consumed: 0,
            l2_gas_price: 7,
            l1_data_gas_consumed: 3,
            l1_data_gas_price: 1,
            overall_fee: 0,
        });
        assert_eq!((most.l1_gas_consumed, most.l1_gas_price), (15, 150));
        assert_eq!(most.overall_fee, 15 * 150 + 4);
    }

    #[test]
    fn keys_are_numbers_of_the_field() {
        assert!(key(&[1; 32]).is_ok());
        assert!(key(&[0; 32]).is_err());
        assert!(key(&[0xff; 32]).is_err());
    }
}
