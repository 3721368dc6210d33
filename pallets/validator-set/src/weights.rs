//! Weights of the calls, estimated: not measured yet.
//!
//! Elections and rewards have no weight of their own: the session pallet takes the block in which a session ends for full.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What each call costs.
pub trait WeightInfo {
    /// Weight of `invite`.
    fn invite() -> Weight;
    /// Weight of `uninvite`.
    fn uninvite() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn invite() -> Weight {
        Weight::from_parts(30_000_000, 6_000)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // Up to 64 validators are asked for their keys.
    fn uninvite() -> Weight {
        Weight::from_parts(400_000_000, 200_000)
            .saturating_add(T::DbWeight::get().reads(66))
            .saturating_add(T::DbWeight::get().writes(1))
    }
}
