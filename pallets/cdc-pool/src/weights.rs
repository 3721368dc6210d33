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
    // At least 99_446 ns.
    fn stake() -> Weight {
        Weight::from_parts(103_294_000, 3946)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(6))
    }
    // At least 108_513 ns.
    fn stake_for_worker() -> Weight {
        Weight::from_parts(112_150_000, 6052)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    // At least 23_163 ns.
    fn set_roles() -> Weight {
        Weight::from_parts(24_837_000, 3612)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // At least 23_754 ns.
    fn set_commission() -> Weight {
        Weight::from_parts(25_298_000, 3612)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // At least 46_738 ns.
    fn unstake() -> Weight {
        Weight::from_parts(48_861_000, 3946)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    // At least 158_788 ns.
    fn withdraw_unbonded() -> Weight {
        Weight::from_parts(163_457_000, 6196)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(6))
    }
    // At least 100_008 ns.
    fn claim_rewards() -> Weight {
        Weight::from_parts(104_195_000, 6196)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    // At least 12_533 ns.
    fn operators(n: u32) -> Weight {
        Weight::from_parts(12_814_000, 3612)
            .saturating_add(Weight::from_parts(6_694_608, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(n.into())))
            .saturating_add(Weight::from_parts(0, 2622).saturating_mul(n.into()))
    }
    // At least 14_507 ns.
    fn reserve() -> Weight {
        Weight::from_parts(15_749_000, 3612)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // At least 21_340 ns.
    fn release() -> Weight {
        Weight::from_parts(22_822_000, 3612)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(2))
    }
    // At least 88_045 ns.
    fn forfeit() -> Weight {
        Weight::from_parts(91_491_000, 6196)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(6))
    }
    // At least 122_710 ns.
    fn slash(n: u32) -> Weight {
        Weight::from_parts(9_146_373, 6196)
            .saturating_add(Weight::from_parts(41_872_646, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().reads((3_u64).saturating_mul(n.into())))
            .saturating_add(T::DbWeight::get().writes(4))
            .saturating_add(T::DbWeight::get().writes((3_u64).saturating_mul(n.into())))
            .saturating_add(Weight::from_parts(0, 2956).saturating_mul(n.into()))
    }
    // At least 64_942 ns.
    fn reward() -> Weight {
        Weight::from_parts(67_577_000, 3946)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(4))
    }
}
