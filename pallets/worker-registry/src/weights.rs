//! Weights of the calls, estimated from those of pallet-model-registry.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What each call costs.
pub trait WeightInfo {
    /// Weight of `register`.
    fn register() -> Weight;
    /// Weight of `update`.
    fn update() -> Weight;
    /// Weight of `set_heartbeat_key`.
    fn set_heartbeat_key() -> Weight;
    /// Weight of `deactivate`.
    fn deactivate() -> Weight;
    /// Weight of `reactivate`.
    fn reactivate() -> Weight;
    /// Weight of `deregister`.
    fn deregister() -> Weight;
    /// Weight of `heartbeat` once it is authorised.
    fn heartbeat() -> Weight;
    /// Weight of authorising `heartbeat`.
    fn authorize_heartbeat() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn register() -> Weight {
        Weight::from_parts(95_000_000, 3828)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    fn update() -> Weight {
        Weight::from_parts(28_000_000, 3828)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    fn set_heartbeat_key() -> Weight {
        Weight::from_parts(42_000_000, 6100)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    fn deactivate() -> Weight {
        Weight::from_parts(26_000_000, 3828)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    fn reactivate() -> Weight {
        Weight::from_parts(26_000_000, 3828)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    fn deregister() -> Weight {
        Weight::from_parts(85_000_000, 3828)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    fn heartbeat() -> Weight {
        Weight::from_parts(27_000_000, 3828)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    fn authorize_heartbeat() -> Weight {
        Weight::from_parts(80_000_000, 3828).saturating_add(T::DbWeight::get().reads(2))
    }
}
