//! Weights of the calls, measured in the WebAssembly runtime by `make weights`.
//!
//! 2026-11-23, 9 steps, 10 repeats, on: AMD EPYC

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
    /// Weight of `heartbeat`.
    fn heartbeat() -> Weight;
    /// Weight of `authorize_heartbeat`.
    fn authorize_heartbeat() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // At least 102_222 ns.
    fn register() -> Weight {
        Weight::from_parts(109_927_000, 3828)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    // At least 24_726 ns.
    fn update() -> Weight {
        Weight::from_parts(27_592_000, 3828)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // At least 39_805 ns.
    fn set_heartbeat_key() -> Weight {
        Weight::from_parts(45_094_000, 3828)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    // At least 23_294 ns.
    fn deactivate() -> Weight {
        Weight::from_parts(26_359_000, 3828)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // At least 22_983 ns.
    fn reactivate() -> Weight {
        Weight::from_parts(26_049_000, 3828)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // At least 91_482 ns.
    fn deregister() -> Weight {
        Weight::from_parts(97_443_000, 3828)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    // At least 30_858 ns.
    fn heartbeat() -> Weight {
        Weight::from_parts(35_356_000, 3828)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // At least 67_267 ns.
    fn authorize_heartbeat() -> Weight {
        Weight::from_parts(72_977_000, 3828).saturating_add(T::DbWeight::get().reads(2))
    }
}
