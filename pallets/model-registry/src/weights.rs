//! Weights of the registry's calls.
//!
//! Estimates, set high: `make weights` measures the calls and regenerates this file.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What each call of the registry costs.
pub trait WeightInfo {
    /// Weight of `register`.
    fn register() -> Weight;
    /// Weight of `set_price_floor`.
    fn set_price_floor() -> Weight;
    /// Weight of `transfer_ownership`.
    fn transfer_ownership() -> Weight;
    /// Weight of `deregister`.
    fn deregister() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Reads and writes: Models, the owner's account and holds.
    fn register() -> Weight {
        Weight::from_parts(90_000_000, 8_000).saturating_add(T::DbWeight::get().reads_writes(3, 3))
    }
    // Models.
    fn set_price_floor() -> Weight {
        Weight::from_parts(30_000_000, 4_000).saturating_add(T::DbWeight::get().reads_writes(1, 1))
    }
    // Models, accounts and holds of both owners.
    fn transfer_ownership() -> Weight {
        Weight::from_parts(120_000_000, 12_000)
            .saturating_add(T::DbWeight::get().reads_writes(5, 5))
    }
    // Models, the owner's account and holds.
    fn deregister() -> Weight {
        Weight::from_parts(80_000_000, 8_000).saturating_add(T::DbWeight::get().reads_writes(3, 3))
    }
}
