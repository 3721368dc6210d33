//! Weights of the calls, measured in the WebAssembly runtime by `make weights`.
//!
//! 2026-11-30, 9 steps, 10 repeats, on: AMD EPYC

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What each call costs.
pub trait WeightInfo {
    /// Weight of `invite`.
    fn invite() -> Weight;
    /// Weight of `remove`.
    fn remove() -> Weight;
    /// Weight of `join`.
    fn join() -> Weight;
    /// Weight of `leave`.
    fn leave() -> Weight;
    /// Weight of `withdraw_bond`.
    fn withdraw_bond() -> Weight;
    /// Weight of `attest`.
    fn attest() -> Weight;
    /// Weight of `contradict`.
    fn contradict() -> Weight;
    /// Weight of `prove`.
    fn prove() -> Weight;
    /// Weight of `set_halted`.
    fn set_halted() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // At least 9_254 ns.
    fn invite() -> Weight {
        Weight::from_parts(10_085_000, 3534)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // At least 17_546 ns.
    fn remove() -> Weight {
        Weight::from_parts(19_409_000, 3534)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(2))
    }
    // At least 58_467 ns.
    fn join() -> Weight {
        Weight::from_parts(61_622_000, 3730)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    // At least 16_535 ns.
    fn leave() -> Weight {
        Weight::from_parts(18_377_000, 3534)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(2))
    }
    // At least 44_056 ns.
    fn withdraw_bond() -> Weight {
        Weight::from_parts(46_349_000, 3730)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    // At least 59_419 ns.
    fn attest() -> Weight {
        Weight::from_parts(62_734_000, 14865)
            .saturating_add(T::DbWeight::get().reads(11))
            .saturating_add(T::DbWeight::get().writes(8))
    }
    // At least 63_505 ns.
    fn contradict() -> Weight {
        Weight::from_parts(67_541_000, 6196)
            .saturating_add(T::DbWeight::get().reads(9))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    // At least 1_362_913 ns.
    fn prove() -> Weight {
        Weight::from_parts(1_429_723_000, 88670)
            .saturating_add(T::DbWeight::get().reads(108))
            .saturating_add(T::DbWeight::get().writes(106))
    }
    // At least 4_016 ns.
    fn set_halted() -> Weight {
        Weight::from_parts(4_437_000, 0).saturating_add(T::DbWeight::get().writes(1))
    }
}
