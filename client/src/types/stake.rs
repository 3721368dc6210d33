//! Stake, and those for whom it stands.

use super::{Balance, BlockNumber};
use scale_decode::DecodeAsType;

/// An operator, and the stake for it.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Operator {
    /// What its stake stands for.
    pub roles: Roles,
    /// Active stake of all who stake for it.
    pub total: Balance,
    /// Its own active stake.
    pub own: Balance,
    /// What of its own stake is set aside for jobs.
    pub reserved: Balance,
    /// How many accounts stake for it, itself included.
    pub positions: u32,
}

/// The roles that an operator has taken on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Roles {
    /// It runs jobs.
    pub worker: bool,
    /// It makes and finalises blocks.
    pub validator: bool,
}

/// What an account has staked for an operator.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Position {
    /// What counts and earns.
    pub active: Balance,
    /// What is being unbonded.
    pub unbonding: Vec<Chunk>,
}

/// An amount that is being unbonded.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Chunk {
    /// How much.
    pub amount: Balance,
    /// The block in which the unbonding began.
    pub since: BlockNumber,
}

impl Operator {
    /// What of its own stake is not set aside for jobs.
    pub fn available(&self) -> Balance {
        self.own.saturating_sub(self.reserved)
    }
}
