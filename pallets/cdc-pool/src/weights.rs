//! Weights of the calls and of what other pallets have done here: estimates by hand, from calls that were measured.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What each call costs.
pub trait WeightInfo {
    /// Weight of `stake`.
    fn stake() -> Weight;
    /// Weight of `stake_for_worker`.
    fn stake_for_worker() -> Weight;
    /// Weight of `set_roles`.
    fn set_roles() -> Weight;
    /// Weight of `set_commission`.
    fn set_commission() -> Weight;
    /// Weight of `unstake`.
    fn unstake() -> Weight;
    /// Weight of `withdraw_unbonded`.
    fn withdraw_unbonded() -> Weight;
    /// Weight of `claim_rewards`.
    fn claim_rewards() -> Weight;
    /// Weight of `StakeLedger::operators` with `n` operators.
    fn operators(n: u32) -> Weight;
    /// Weight of `StakeLedger::reserve`.
    fn reserve() -> Weight;
    /// Weight of `StakeLedger::release`.
    fn release() -> Weight;
    /// Weight of `StakeLedger::forfeit`.
    fn forfeit() -> Weight;
    /// Weight of `StakeLedger::slash` of an operator with `n` positions, its own included.
    fn slash(n: u32) -> Weight;
    /// Weight of `StakeLedger::reward`.
    fn reward() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn stake() -> Weight {
        Weight::from_parts(110_000_000, 4200)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(6))
    }
    fn stake_for_worker() -> Weight {
        Weight::from_parts(110_000_000, 4200)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(6))
    }
    fn set_roles() -> Weight {
        Weight::from_parts(28_000_000, 3733)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    fn set_commission() -> Weight {
        Weight::from_parts(26_000_000, 3733)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    fn unstake() -> Weight {
        Weight::from_parts(50_000_000, 4200)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    fn withdraw_unbonded() -> Weight {
        Weight::from_parts(170_000_000, 6218)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(7))
    }
    fn claim_rewards() -> Weight {
        Weight::from_parts(110_000_000, 6218)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(6))
    }
    fn operators(n: u32) -> Weight {
        Weight::from_parts(10_000_000, 3733)
            .saturating_add(Weight::from_parts(4_000_000, 2700).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(n.into()))
    }
    fn reserve() -> Weight {
        Weight::from_parts(26_000_000, 3733)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    fn release() -> Weight {
        Weight::from_parts(30_000_000, 3733)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    fn forfeit() -> Weight {
        Weight::from_parts(130_000_000, 6218)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(7))
    }
    fn slash(n: u32) -> Weight {
        Weight::from_parts(120_000_000, 6218)
            .saturating_add(Weight::from_parts(75_000_000, 6600).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().reads(4_u64.saturating_mul(n.into())))
            .saturating_add(T::DbWeight::get().writes(5))
            .saturating_add(T::DbWeight::get().writes(3_u64.saturating_mul(n.into())))
    }
    fn reward() -> Weight {
        Weight::from_parts(80_000_000, 4200)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(5))
    }
}
