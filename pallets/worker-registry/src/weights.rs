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
    // At least 100_719 ns.
    fn register() -> Weight {
        Weight::from_parts(104_075_000, 3828)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    // At least 23_454 ns.
    fn update() -> Weight {
        Weight::from_parts(25_067_000, 3828)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // At least 38_112 ns.
    fn set_heartbeat_key() -> Weight {
        Weight::from_parts(40_115_000, 3828)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    // At least 22_522 ns.
    fn deactivate() -> Weight {
        Weight::from_parts(23_965_000, 3828)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // At least 21_931 ns.
    fn reactivate() -> Weight {
        Weight::from_parts(23_373_000, 3828)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // At least 89_297 ns.
    fn deregister() -> Weight {
        Weight::from_parts(92_494_000, 3828)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    // At least 29_725 ns.
    fn heartbeat() -> Weight {
        Weight::from_parts(31_519_000, 3828)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // At least 66_425 ns.
    fn authorize_heartbeat() -> Weight {
        Weight::from_parts(68_728_000, 3828).saturating_add(T::DbWeight::get().reads(2))
    }
}
