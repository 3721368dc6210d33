//! Stake and what it earns, as pure functions.
//!
//! Rewards are shared by an accumulator: an operator's record counts what one planck of stake has earned since the
//! beginning ([`Operator::earned`]), and each position remembers up to where it was counted ([`Position::counted`]).
//! Before its stake changes, a position settles: what was earned since then, times its stake, is its own. So a credit
//! costs the same however many share it. Every rounding is down: no credit gives out more than came in, and it leaves less
//! than a planck for each position behind.

use crate::{Balance, Role};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{pallet_prelude::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sp_core::U256;
use sp_runtime::{traits::AtLeast32BitUnsigned, Perbill};

/// Most amounts that one position may be unbonding at a time.
pub const MAX_CHUNKS: u32 = 16;

/// What a planck of stake has earned, in units of 2^-96 plancks: what rounding loses of a credit is less than one such
/// unit for each planck of stake, and so less than a planck altogether.
pub type Earned = U256;
/// A planck, in the units of [`Earned`].
const EARNED_UNIT: U256 = U256([0, 1 << 32, 0, 0]);

/// An operator, and the sums over its positions.
#[derive(
    Clone,
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
pub struct Operator<BlockNumber> {
    /// What its stake stands for.
    pub roles: Roles,
    /// What it keeps of rewards before they are shared.
    pub commission: Commission<BlockNumber>,
    /// Active stake of all its positions, in plancks.
    pub total: Balance,
    /// Active stake of its own position, in plancks.
    pub own: Balance,
    /// What of its own stake is set aside for jobs, in plancks. More than `own` only after a slash: then each job has a
    /// claim on what is left, and on what the operator adds.
    pub reserved: Balance,
    /// How many positions there are, its own included.
    pub positions: u32,
    /// What a planck of stake has earned since the beginning.
    pub earned: Earned,
}

/// The roles that an operator has taken on.
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
pub struct Roles {
    /// [`Role::Worker`].
    pub worker: bool,
    /// [`Role::Validator`].
    pub validator: bool,
}

impl Roles {
    /// Whether `role` is among them.
    pub fn has(&self, role: Role) -> bool {
        match role {
            Role::Worker => self.worker,
            Role::Validator => self.validator,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        !self.worker && !self.validator
    }
}

impl<BlockNumber: AtLeast32BitUnsigned + Copy> Operator<BlockNumber> {
    /// What of its own stake is not set aside.
    pub fn unreserved(&self) -> Balance {
        self.own.saturating_sub(self.reserved)
    }

    /// Whether nothing is left that a record is needed for.
    pub fn is_gone(&self) -> bool {
        self.positions == 0 && self.reserved == 0
    }

    /// Keeps the sums when a position's stake and existence change.
    pub fn note_change(&mut self, is_own: bool, from: Option<Balance>, to: Option<Balance>) {
        let shift = |sum: Balance| {
            sum.saturating_sub(from.unwrap_or(0))
                .saturating_add(to.unwrap_or(0))
        };
        self.total = shift(self.total);
        if is_own {
            self.own = shift(self.own);
        }
        self.positions = self
            .positions
            .saturating_sub(from.is_some().into())
            .saturating_add(to.is_some().into());
    }

    /// What the operator keeps of a reward. Without stake of its own it has nothing to earn it with.
    pub fn commission_on(&self, reward: Balance, now: BlockNumber) -> Balance {
        if self.own == 0 {
            return 0;
        }
        self.commission.at(now).mul_floor(reward)
    }

    /// Shares `reward` among all stake. Nothing happens if there is none.
    pub fn share(&mut self, reward: Balance) {
        let each = U256::from(reward)
            .saturating_mul(EARNED_UNIT)
            .checked_div(self.total.into())
            .unwrap_or_default();
        self.earned = self.earned.saturating_add(each);
    }
}

/// An operator's share of rewards, and the rise that it has announced.
#[derive(
    Clone,
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
pub struct Commission<BlockNumber> {
    /// The share until the rise.
    pub rate: Perbill,
    /// The rise, if one was announced: the share, and the block from which on it holds.
    pub rise: Option<(Perbill, BlockNumber)>,
}

impl<BlockNumber: AtLeast32BitUnsigned + Copy> Commission<BlockNumber> {
    /// The share in block `now`.
    pub fn at(&self, now: BlockNumber) -> Perbill {
        match self.rise {
            Some((rate, from)) if from <= now => rate,
            _ => self.rate,
        }
    }

    /// Changes the share to `rate`: a cut at once, a rise `delay` blocks from now. An earlier announcement is void. The
    /// block from which on it holds.
    pub fn set(&mut self, rate: Perbill, now: BlockNumber, delay: BlockNumber) -> BlockNumber {
        let current = self.at(now);
        let (rate, rise, from) = if rate <= current {
            (rate, None, now)
        } else {
            let from = now.saturating_add(delay);
            (current, Some((rate, from)), from)
        };
        *self = Self { rate, rise };
        from
    }
}

/// What an account has staked for an operator.
#[derive(
    Clone,
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
pub struct Position<BlockNumber> {
    /// What counts and earns, in plancks.
    pub active: Balance,
    /// What is on its way out, oldest first.
    pub unbonding: BoundedVec<Chunk<BlockNumber>, ConstU32<MAX_CHUNKS>>,
    /// Rewards up to `counted` that are not claimed, in plancks.
    pub rewards: Balance,
    /// The operator's [`Operator::earned`] up to which rewards are counted.
    pub counted: Earned,
}

/// Stake that is being unbonded.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Chunk<BlockNumber> {
    /// How much, in plancks.
    pub amount: Balance,
    /// The block in which it began.
    pub since: BlockNumber,
}

impl<BlockNumber: AtLeast32BitUnsigned + Copy> Position<BlockNumber> {
    /// What is on hold for it, in plancks.
    pub fn held(&self) -> Balance {
        self.unbonding
            .iter()
            .fold(self.active, |sum, chunk| sum.saturating_add(chunk.amount))
    }

    /// Whether nothing is left that a position is needed for.
    pub fn is_gone(&self) -> bool {
        self.held() == 0 && self.rewards == 0
    }

    /// Unclaimed rewards in plancks, given the operator's [`Operator::earned`].
    pub fn pending(&self, earned: Earned) -> Balance {
        // At most what was ever credited, as no position is larger than the stake that a credit was shared among.
        let since = U256::from(self.active)
            .saturating_mul(earned.saturating_sub(self.counted))
            .checked_div(EARNED_UNIT)
            .and_then(|share| Balance::try_from(share).ok())
            .unwrap_or_default();
        self.rewards.saturating_add(since)
    }

    /// Counts the rewards up to now.
    pub fn settle(&mut self, earned: Earned) {
        self.rewards = self.pending(earned);
        self.counted = earned;
    }

    /// Starts unbonding `amount`, which must not be more than is active. `false`, and nothing happens, if too many amounts
    /// are being unbonded already.
    #[must_use]
    pub fn unbond(&mut self, amount: Balance, now: BlockNumber) -> bool {
        let chunk = Chunk { amount, since: now };
        let fits = self.unbonding.try_push(chunk).is_ok();
        if fits {
            self.active = self.active.saturating_sub(amount);
        }
        fits
    }

    /// Removes what has been unbonding for `period` blocks; how much, in plancks.
    pub fn take_ripe(&mut self, now: BlockNumber, period: BlockNumber) -> Balance {
        let before = self.held();
        self.unbonding
            .retain(|chunk| chunk.since.saturating_add(period) > now);
        before.saturating_sub(self.held())
    }

    /// Removes `fraction` of what is active and of each amount that began to be unbonded in block `since` or later,
    /// rounded down; how much, in plancks.
    pub fn slash(&mut self, fraction: Perbill, since: BlockNumber) -> Balance {
        let before = self.held();
        let cut = |amount: &mut Balance| {
            *amount = amount.saturating_sub(fraction.mul_floor(*amount));
        };
        cut(&mut self.active);
        for chunk in self.unbonding.iter_mut() {
            if chunk.since >= since {
                cut(&mut chunk.amount);
            }
        }
        self.unbonding.retain(|chunk| chunk.amount > 0);
        before.saturating_sub(self.held())
    }
}
