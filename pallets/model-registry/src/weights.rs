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
    // At least 84_378 ns.
    fn register() -> Weight {
        Weight::from_parts(87_634_000, 3752)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    // At least 20_859 ns.
    fn set_price_floor() -> Weight {
        Weight::from_parts(22_442_000, 3752)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // At least 93_055 ns.
    fn transfer_ownership() -> Weight {
        Weight::from_parts(96_021_000, 6398)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    // At least 73_358 ns.
    fn deregister() -> Weight {
        Weight::from_parts(76_303_000, 3752)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    // At least 20_840 ns.
    fn set_royalty() -> Weight {
        Weight::from_parts(22_392_000, 3752)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
}
