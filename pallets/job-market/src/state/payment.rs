//! What a job costs, and who gets it.

use super::{Effect, Sink, Terms};
use crate::{Auction, HoldReason, Job, JobState, Priority};
use alloc::{vec, vec::Vec};
use sp_runtime::{
    traits::{AtLeast32BitUnsigned, Zero},
    Permill,
};

impl<B: AtLeast32BitUnsigned + Copy> Auction<B> {
    /// A price that does not rise.
    pub fn fixed(price: B) -> Self {
        Self {
            floor: price,
            ceiling: price,
            ramp: 0,
        }
    }

    /// The price so many blocks after the submission: floor + ⌊(ceiling − floor) · blocks / ramp⌋, at most the ceiling.
    pub fn price_after(&self, blocks: u32) -> B {
        if blocks >= self.ramp {
            return self.ceiling;
        }
        // Divided before it is multiplied, so that no amount overflows: with rise = whole · ramp + rest, the whole part
        // needs no rounding, and rest · blocks is below ramp².
        let (ramp, blocks) = (B::from(self.ramp), B::from(blocks));
        let rise = self.ceiling.saturating_sub(self.floor);
        let whole = rise.checked_div(&ramp).unwrap_or_else(Zero::zero);
        let rest = rise.saturating_sub(whole.saturating_mul(ramp));
        let part = rest
            .saturating_mul(blocks)
            .checked_div(&ramp)
            .unwrap_or_else(Zero::zero);
        self.floor
            .saturating_add(whole.saturating_mul(blocks))
            .saturating_add(part)
    }
}

impl Priority {
    /// The least price of a job whose model asks for `floor`, rounded up.
    pub fn least_price<B: AtLeast32BitUnsigned + Copy>(self, floor: B) -> B {
        let (factor, ten) = (B::from(self.tenths()), B::from(10u32));
        let whole = floor.checked_div(&ten).unwrap_or_else(Zero::zero);
        let rest = floor.saturating_sub(whole.saturating_mul(ten));
        let part = rest
            .saturating_mul(factor)
            .saturating_add(B::from(9u32))
            .checked_div(&ten)
            .unwrap_or_else(Zero::zero);
        whole.saturating_mul(factor).saturating_add(part)
    }

    fn tenths(self) -> u32 {
        match self {
            Self::Low => 8,
            Self::Normal => 10,
            Self::High => 12,
            Self::Critical => 15,
        }
    }
}

impl<A, B, N> Job<A, B, N>
where
    A: Clone + Eq,
    B: AtLeast32BitUnsigned + Copy,
    N: AtLeast32BitUnsigned + Copy,
{
    /// What a claim in block `now` would fix the price at, or has fixed it at, in plancks.
    pub fn price_at(&self, now: N) -> B {
        match self.state {
            JobState::Submitted | JobState::Gathering { .. } => self
                .price
                .price_after(now.saturating_sub(self.opened).unique_saturated_into()),
            _ => self.price.ceiling,
        }
    }

    /// What the requester has on hold for the one who answers, in plancks.
    pub fn escrow(&self) -> B {
        self.price.ceiling.saturating_add(self.bounty)
    }

    /// Everything on hold for the one who answers goes back to the requester.
    pub(super) fn refund(&self) -> Effect<A, B, N> {
        Effect::Release(HoldReason::Escrow, self.requester.clone(), self.escrow())
    }

    /// Fixes the price as of block `now`; what is on hold above it is released.
    pub(super) fn fix_price(&mut self, now: N) -> Effect<A, B, N> {
        let price = self.price_at(now);
        let excess = self.price.ceiling.saturating_sub(price);
        self.price = Auction::fixed(price);
        Effect::Release(HoldReason::Escrow, self.requester.clone(), excess)
    }

    /// Pays the price: the market's fee, part of it burned, and the royalty first; the rest is shared equally by the
    /// payees, the remainder going to the first. The bounty is the first payee's too, and bears no fee.
    pub(super) fn pay(&self, payees: &[A], terms: &Terms<B, N>) -> Vec<Effect<A, B, N>> {
        let price = self.price.ceiling;
        let fee = terms.platform_fee.mul_ceil(price).min(price);
        let burned = terms.fee_burn.mul_floor(fee);
        let net = price.saturating_sub(fee);
        let royalty = self.royalty.mul_floor(price).min(net);
        let rest = net.saturating_sub(royalty);
        let heads = B::from(u32::try_from(payees.len()).unwrap_or(u32::MAX));
        let share = rest.checked_div(&heads).unwrap_or_else(Zero::zero);
        let remainder = rest.saturating_sub(share.saturating_mul(heads));

        let pay =
            |sink, amount| Effect::Pay(HoldReason::Escrow, self.requester.clone(), sink, amount);
        let mut effects = vec![
            pay(Sink::Burn, burned),
            pay(Sink::Fees, fee.saturating_sub(burned)),
            pay(Sink::ModelOwner, royalty),
        ];
        let mut extra = remainder.saturating_add(self.bounty);
        for payee in payees {
            effects.push(pay(
                Sink::Account(payee.clone()),
                share.saturating_add(extra),
            ));
            extra = Zero::zero();
        }
        effects
    }

    /// A share of the collateral goes to the requester, the rest is the worker's again.
    pub(super) fn compensate(
        &self,
        worker: &A,
        collateral: B,
        share: Permill,
    ) -> Vec<Effect<A, B, N>> {
        let cut = share.mul_ceil(collateral);
        vec![
            Effect::Forfeit(worker.clone(), Some(self.requester.clone()), cut),
            Effect::Free(worker.clone(), collateral.saturating_sub(cut)),
        ]
    }
}
