//! Weights of the calls, measured in the WebAssembly runtime by `make weights`.
//!
//! 2026-11-23, 9 steps, 10 repeats, on: AMD EPYC

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What each call costs.
pub trait WeightInfo {
    /// Weight of `register`.
    fn register() -> Weight;
    /// Weight of `set_price_floor`.
    fn set_price_floor() -> Weight;
    /// Weight of `transfer_ownership`.
    fn transfer_ownership() -> Weight;
    /// Weight of `deregister`.
    fn deregister() -> Weight;
    /// Weight of `set_royalty`.
    fn set_royalty() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // At least 86_562 ns.
    fn register() -> Weight {
        Weight::from_parts(91_151_000, 3752)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    // At least 21_360 ns.
    fn set_price_floor() -> Weight {
        Weight::from_parts(23_765_000, 3752)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // At least 95_318 ns.
    fn transfer_ownership() -> Weight {
        Weight::from_parts(100_348_000, 6398)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    // At least 75_171 ns.
    fn deregister() -> Weight {
        Weight::from_parts(79_279_000, 3752)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    // At least 21_481 ns.
    fn set_royalty() -> Weight {
        Weight::from_parts(23_705_000, 3752)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
}
