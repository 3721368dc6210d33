//! What the relayer needs of another chain, whatever it runs contracts on.

use anyhow::Result;
use async_trait::async_trait;
use ciro_bridge_calldata::Delivery;
use ciro_bridge_primitives::{ChainKind, Hash, Update, Word};

/// State of a light client of Ciro.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientState {
    /// The highest block of which a root is known; zero if there is none.
    pub newest: u32,
    /// Number of the validators' set in office; the next one's is one higher.
    pub set: u64,
    /// The last second, in Unix time, in which it takes commitments.
    pub expires: u64,
    /// Whether it is halted.
    pub halted: bool,
}

/// The state of another chain at which a question is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// The newest block, which may yet be undone.
    Newest,
    /// The newest block that is final, as far as the configuration goes.
    Final,
}

/// A contract refused a call. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[error("the contract refuses: {0}")]
pub struct Refused(pub String);

/// A transaction would cost more than the configuration allows, or than the account has.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct TooExpensive(pub String);

/// A chain with contracts that follow Ciro. Contracts and accounts are words.
#[async_trait]
pub trait Destination: Send + Sync {
    /// What it runs contracts on.
    fn kind(&self) -> ChainKind;

    /// Its number, as lanes have it.
    fn chain_id(&self) -> Word;

    /// Hash of the first block of the chain of Ciro that the client follows.
    async fn genesis(&self) -> Result<Hash>;

    /// The client's state in the newest block.
    async fn client(&self) -> Result<ClientState>;

    /// Whether a contract has taken the message with this nonce.
    async fn is_taken(&self, contract: &Word, nonce: u64, at: At) -> Result<bool>;

    /// Has the client take an update; done once it is in a block. [`Refused`] if it does not.
    async fn submit(&self, update: &Update) -> Result<()>;

    /// Has a contract take messages, all or none; done once they are in a block. [`Refused`] if it does not.
    async fn deliver(&self, contract: &Word, delivery: &Delivery) -> Result<()>;

    /// Number of the newest block that is final, as far as the configuration goes.
    async fn final_block(&self) -> Result<u64>;

    /// The words of the messages that a contract sent in these blocks, in order.
    async fn sent(&self, contract: &Word, from: u64, to: u64) -> Result<Vec<Vec<Word>>>;

    /// The updates that the client took in these blocks, but for their leaves, as far as the transactions show them.
    async fn updates(&self, from: u64, to: u64) -> Result<Vec<Update>>;

    /// What the account that pays has, in whole tokens.
    async fn balance(&self) -> Result<f64>;
}
