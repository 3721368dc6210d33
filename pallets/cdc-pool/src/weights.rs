//! Weights of the calls, measured in the WebAssembly runtime by `make weights`.
//!
//! 2026-11-23, 9 steps, 10 repeats, on: AMD EPYC

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
    /// Weight of `operators`, `n` measured over 1 to 8192.
    fn operators(n: u32) -> Weight;
    /// Weight of `reserve`.
    fn reserve() -> Weight;
    /// Weight of `release`.
    fn release() -> Weight;
    /// Weight of `forfeit`.
    fn forfeit() -> Weight;
    /// Weight of `slash`, `n` measured over 1 to 257.
    fn slash(n: u32) -> Weight;
    /// Weight of `reward`.
    fn reward() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // At least 102_052 ns.
    fn stake() -> Weight {
        Weight::from_parts(106_830_000, 3946)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(6))
    }
    // At least 110_377 ns.
    fn stake_for_worker() -> Weight {
        Weight::from_parts(116_609_000, 6052)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    // At least 23_655 ns.
    fn set_roles() -> Weight {
        Weight::from_parts(25_909_000, 3612)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // At least 24_216 ns.
    fn set_commission() -> Weight {
        Weight::from_parts(26_570_000, 3612)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // At least 47_830 ns.
    fn unstake() -> Weight {
        Weight::from_parts(51_426_000, 3946)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    // At least 161_312 ns.
    fn withdraw_unbonded() -> Weight {
        Weight::from_parts(169_748_000, 6196)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(6))
    }
    // At least 102_242 ns.
    fn claim_rewards() -> Weight {
        Weight::from_parts(108_363_000, 6196)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    // At least 12_854 ns.
    fn operators(n: u32) -> Weight {
        Weight::from_parts(13_435_000, 3612)
            .saturating_add(Weight::from_parts(22_321_996, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(n.into())))
            .saturating_add(Weight::from_parts(0, 2622).saturating_mul(n.into()))
    }
    // At least 15_198 ns.
    fn reserve() -> Weight {
        Weight::from_parts(16_932_000, 3612)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // At least 22_072 ns.
    fn release() -> Weight {
        Weight::from_parts(23_995_000, 3612)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(2))
    }
    // At least 89_698 ns.
    fn forfeit() -> Weight {
        Weight::from_parts(94_157_000, 6196)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(6))
    }
    // At least 124_754 ns.
    fn slash(n: u32) -> Weight {
        Weight::from_parts(126_116_000, 6196)
            .saturating_add(Weight::from_parts(134_444_006, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().reads((3_u64).saturating_mul(n.into())))
            .saturating_add(T::DbWeight::get().writes(4))
            .saturating_add(T::DbWeight::get().writes((3_u64).saturating_mul(n.into())))
            .saturating_add(Weight::from_parts(0, 2956).saturating_mul(n.into()))
    }
    // At least 66_535 ns.
    fn reward() -> Weight {
        Weight::from_parts(71_243_000, 3946)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(4))
    }
}
