//! Weights of the calls, estimated: not measured yet.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What each call costs.
pub trait WeightInfo {
    /// Weight of opening a case.
    fn open_case() -> Weight;
    /// Weight of looking for the attack that a double signing belongs to.
    fn coordinate() -> Weight;
    /// Weight of escalating a case.
    fn escalate_case() -> Weight;
    /// Weight of `report_downtime`.
    fn report_downtime() -> Weight;
    /// Weight of `execute_case`, without what the stake's ledger needs.
    fn execute_case() -> Weight;
    /// Weight of looking at a place of the queue.
    fn look_at_queue() -> Weight;
    /// Weight of `cancel_case`.
    fn cancel_case() -> Weight;
    /// Weight of `prune_case`.
    fn prune_case() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn open_case() -> Weight {
        Weight::from_parts(100_000_000, 4_000)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(6))
    }
    // Every span of the 256 double signings is looked at, each of which is 44 bytes.
    fn coordinate() -> Weight {
        Weight::from_parts(30_000_000_000, 16_000)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    fn escalate_case() -> Weight {
        Weight::from_parts(80_000_000, 4_000)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(8))
    }
    fn report_downtime() -> Weight {
        Weight::from_parts(120_000_000, 4_000)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(6))
    }
    // A ban writes up to sixteen keys.
    fn execute_case() -> Weight {
        Weight::from_parts(150_000_000, 4_000)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(22))
    }
    fn look_at_queue() -> Weight {
        Weight::from_parts(20_000_000, 3_733).saturating_add(T::DbWeight::get().reads(2))
    }
    fn cancel_case() -> Weight {
        Weight::from_parts(150_000_000, 16_000)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    fn prune_case() -> Weight {
        Weight::from_parts(150_000_000, 16_000)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(5))
    }
}
