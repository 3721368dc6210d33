//! Limits, the books of a remote token, and what has arrived and waits.

use ciro_bridge_primitives::{LaneId, Word};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// An amount of the chain's token, in plancks.
pub type Balance = u128;

/// Shortest time in which a transfer must arrive, in seconds: an hour.
pub const MIN_LIFETIME: u64 = 3_600;

/// Longest time in which a transfer may arrive, in seconds: 30 days.
pub const MAX_LIFETIME: u64 = 30 * 24 * 3_600;

/// Time in which a transfer from one chain to another must arrive there, in seconds: seven days.
pub const FORWARD_LIFETIME: u64 = 7 * 24 * 3_600;

/// What may pass between Ciro and a remote token. Amounts are in plancks.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Limits<BlockNumber> {
    /// The least that leaves at once.
    pub smallest: Balance,
    /// The most that leaves at once.
    pub largest: Balance,
    /// The most that may be outside. Whatever false messages say, no more than that can be lost by them.
    pub most_outside: Balance,
    /// The most that leaves in a window.
    pub out_per_window: Balance,
    /// The most that comes in a window.
    pub in_per_window: Balance,
    /// What arrives at once and is more waits.
    pub delay_above: Balance,
    /// How long it waits, in blocks.
    pub delay: BlockNumber,
}

impl<BlockNumber> Limits<BlockNumber> {
    /// Whether something can pass, and what leaves at once also can leave in one window.
    pub fn are_consistent(&self) -> bool {
        self.smallest > 0
            && self.smallest <= self.largest
            && self.largest <= self.out_per_window
            && self.largest <= self.most_outside
            && self.in_per_window > 0
    }
}

/// What has passed in the last window in which anything has.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Usage {
    /// The window, counted from genesis.
    pub window: u32,
    /// How much, in plancks.
    pub amount: Balance,
}

impl Usage {
    /// How much may still pass in `window`.
    pub fn room(&self, window: u32, limit: Balance) -> Balance {
        if self.window == window {
            limit.saturating_sub(self.amount)
        } else {
            limit
        }
    }

    /// Notes what passes in `window`.
    pub fn add(&mut self, window: u32, amount: Balance) {
        let before = if self.window == window {
            self.amount
        } else {
            0
        };
        *self = Self {
            window,
            amount: before.saturating_add(amount),
        };
    }
}

/// A CiroToken on another chain, as Ciro's books have it.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Remote<BlockNumber> {
    /// What may pass.
    pub limits: Limits<BlockNumber>,
    /// What has left for it and not come back, in plancks: its supply, and what is on the way there.
    pub outside: Balance,
    /// What has left lately.
    pub sent: Usage,
    /// What has come lately.
    pub received: Usage,
    /// Whether nothing leaves for it.
    pub outbound_paused: bool,
    /// Whether what arrives from it waits.
    pub inbound_paused: bool,
}

/// For whom something has arrived.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Beneficiary<AccountId> {
    /// An account on Ciro.
    #[codec(index = 0)]
    Account(AccountId),
    /// Someone on a third chain.
    #[codec(index = 1)]
    Remote {
        /// The lane there.
        lane: LaneId,
        /// Who.
        recipient: Word,
        /// Who gets it on Ciro if it cannot go on.
        refund: AccountId,
    },
}

/// What has arrived and is not paid out yet.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Arrival<AccountId, BlockNumber> {
    /// What is left to be paid out, in plancks.
    pub amount: Balance,
    /// To whom.
    pub beneficiary: Beneficiary<AccountId>,
    /// Whether it was taken off what is outside. Only then it is backed by what has left.
    pub covered: bool,
    /// The first block in which it may be paid out.
    pub due: BlockNumber,
    /// Whether it waits for governance to say whether the message was true.
    pub suspended: bool,
}

/// What the benchmarks need beyond this pallet.
#[cfg(feature = "runtime-benchmarks")]
pub trait BenchmarkHelper {
    /// A lane to a contract on a chain of the EVM, another one for each number.
    fn lane(number: u32) -> LaneId;
}
