//! Weights of what other pallets call, estimated from those of pallet-model-registry.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What each function costs.
pub trait WeightInfo {
    /// Weight of [`crate::ReputationLedger::note`].
    fn note() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn note() -> Weight {
        Weight::from_parts(32_000_000, 3770)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(2))
    }
}
