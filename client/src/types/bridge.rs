//! Lanes, and what comes by them.

use super::{Balance, BlockNumber};
use crate::AccountId;
use ciro_bridge_primitives::{self as bridge, Word};
use scale_decode::DecodeAsType;

/// What a chain runs contracts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
pub enum ChainKind {
    /// Ethereum's virtual machine.
    Evm,
    /// Starknet.
    Starknet,
}

impl ChainKind {
    /// `evm` or `starknet`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Evm => "evm",
            Self::Starknet => "starknet",
        }
    }
}

impl From<ChainKind> for bridge::ChainKind {
    fn from(kind: ChainKind) -> Self {
        match kind {
            ChainKind::Evm => Self::Evm,
            ChainKind::Starknet => Self::Starknet,
        }
    }
}

/// A contract on another chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Destination {
    /// What its chain runs contracts on.
    pub kind: ChainKind,
    /// Its chain.
    pub chain_id: Word,
    /// Its address.
    pub contract: Word,
}

/// A way to a contract on another chain.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Lane {
    /// The contract.
    pub destination: Destination,
    /// Who opened it.
    pub owner: AccountId,
    /// What is on hold for it.
    pub deposit: Balance,
    /// The nonce of its next message, and so how many it has had.
    pub next_nonce: u64,
    /// The block that queued its last message.
    pub last_block: Option<BlockNumber>,
}

/// Which message of a lane took a nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Execution {
    /// The message's id.
    pub id: Word,
    /// The block.
    pub at: BlockNumber,
}

/// What attesters have said about one nonce of a lane.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Ballot {
    /// Who voted for the message of which id.
    pub votes: Vec<(AccountId, Word)>,
    /// What was executed, if anything was.
    pub execution: Option<Execution>,
}

impl Ballot {
    /// Id of the message that somebody voted for.
    pub fn vote_of(&self, who: &AccountId) -> Option<Word> {
        let vote = self.votes.iter().find(|(voter, _)| voter == who);
        vote.map(|(_, id)| *id)
    }
}

/// A CiroToken on another chain, as Ciro's books have it.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Remote {
    /// What has left for it and not come back.
    pub outside: Balance,
    /// Whether nothing leaves for it.
    pub outbound_paused: bool,
    /// Whether what arrives from it waits.
    pub inbound_paused: bool,
}

/// What has arrived and is not paid out yet.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Arrival {
    /// What is left to be paid out.
    pub amount: Balance,
    /// Whether the token has as much outside.
    pub covered: bool,
    /// The first block in which it may be paid out.
    pub due: BlockNumber,
    /// Whether it waits for governance.
    pub suspended: bool,
}

/// A set of validators, as BEEFY's MMR pallet stores it.
#[derive(DecodeAsType)]
pub(crate) struct BeefySet {
    pub id: u64,
    pub len: u32,
    pub keyset_commitment: Word,
}
