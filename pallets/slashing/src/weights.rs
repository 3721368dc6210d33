//! Weights of the calls, measured in the WebAssembly runtime by `make weights`.
//!
//! 2026-11-23, 9 steps, 10 repeats, on: AMD EPYC

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What each call costs.
pub trait WeightInfo {
    /// Weight of `open_case`.
    fn open_case() -> Weight;
    /// Weight of `coordinate`.
    fn coordinate() -> Weight;
    /// Weight of `escalate_case`.
    fn escalate_case() -> Weight;
    /// Weight of `report_downtime`.
    fn report_downtime() -> Weight;
    /// Weight of `execute_case`.
    fn execute_case() -> Weight;
    /// Weight of `look_at_queue`.
    fn look_at_queue() -> Weight;
    /// Weight of `cancel_case`.
    fn cancel_case() -> Weight;
    /// Weight of `prune_case`.
    fn prune_case() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // At least 41_187 ns.
    fn open_case() -> Weight {
        Weight::from_parts(43_391_000, 3778)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(6))
    }
    // At least 2_032_463 ns.
    fn coordinate() -> Weight {
        Weight::from_parts(2_064_072_000, 12923)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // At least 53_240 ns.
    fn escalate_case() -> Weight {
        Weight::from_parts(56_115_000, 4667)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(6))
    }
    // At least 62_026 ns.
    fn report_downtime() -> Weight {
        Weight::from_parts(64_892_000, 3828)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(6))
    }
    // At least 81_553 ns.
    fn execute_case() -> Weight {
        Weight::from_parts(84_979_000, 4687)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(7))
    }
    // At least 18_615 ns.
    fn look_at_queue() -> Weight {
        Weight::from_parts(19_877_000, 3604).saturating_add(T::DbWeight::get().reads(2))
    }
    // At least 69_320 ns.
    fn cancel_case() -> Weight {
        Weight::from_parts(72_196_000, 12751)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    // At least 81_553 ns.
    fn prune_case() -> Weight {
        Weight::from_parts(85_320_000, 12751)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(4))
    }
}
