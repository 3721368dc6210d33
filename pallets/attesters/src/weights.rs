//! Weights of the calls, estimated from those of like calls until `make weights` has measured them.

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
    fn invite() -> Weight {
        Weight::from_parts(25_000_000, 3612)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    fn remove() -> Weight {
        Weight::from_parts(40_000_000, 3612)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(2))
    }
    fn join() -> Weight {
        Weight::from_parts(110_000_000, 3946)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    fn leave() -> Weight {
        Weight::from_parts(40_000_000, 3612)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(2))
    }
    fn withdraw_bond() -> Weight {
        Weight::from_parts(90_000_000, 3946)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    fn attest() -> Weight {
        Weight::from_parts(180_000_000, 6196)
            .saturating_add(T::DbWeight::get().reads(12))
            .saturating_add(T::DbWeight::get().writes(8))
    }
    fn contradict() -> Weight {
        Weight::from_parts(150_000_000, 6196)
            .saturating_add(T::DbWeight::get().reads(9))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    fn prove() -> Weight {
        Weight::from_parts(2_400_000_000, 90_000)
            .saturating_add(T::DbWeight::get().reads(112))
            .saturating_add(T::DbWeight::get().writes(105))
    }
    fn set_halted() -> Weight {
        Weight::from_parts(12_000_000, 0).saturating_add(T::DbWeight::get().writes(1))
    }
}
