//! Weights of the calls, measured in the WebAssembly runtime by `make weights`.
//!
//! 2026-11-22, 16 steps, 8 repeats, on: AMD EPYC

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What each call costs.
pub trait WeightInfo {
    /// Weight of `submit_job`.
    fn submit_job() -> Weight;
    /// Weight of `claim_job`.
    fn claim_job() -> Weight;
    /// Weight of `submit_result`, `p` measured over 0 to 100000, `i` measured over 0 to 64000, `o` measured over 0 to 4096.
    fn submit_result(p: u32, i: u32, o: u32) -> Weight;
    /// Weight of `release_job`.
    fn release_job() -> Weight;
    /// Weight of `cancel_job`.
    fn cancel_job() -> Weight;
    /// Weight of `expire_job`.
    fn expire_job() -> Weight;
    /// Weight of `remove_job`.
    fn remove_job() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // At least 174_217 ns.
    fn submit_job() -> Weight {
        Weight::from_parts(188_374_000, 3733)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    // At least 100_509 ns.
    fn claim_job() -> Weight {
        Weight::from_parts(107_592_000, 3944)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    // At least 7_706_476 ns.
    fn submit_result(p: u32, i: u32, o: u32, ) -> Weight {
        Weight::from_parts(17_441_672_285, 8799)
            .saturating_add(Weight::from_parts(78_769, 0).saturating_mul(p.into()))
            .saturating_add(Weight::from_parts(319_938, 0).saturating_mul(i.into()))
            .saturating_add(Weight::from_parts(599_999, 0).saturating_mul(o.into()))
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(8))
    }
    // At least 141_546 ns.
    fn release_job() -> Weight {
        Weight::from_parts(158_908_000, 6196)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    // At least 98_485 ns.
    fn cancel_job() -> Weight {
        Weight::from_parts(109_135_000, 3944)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    // At least 206_788 ns.
    fn expire_job() -> Weight {
        Weight::from_parts(221_455_000, 6218)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(6))
    }
    // At least 87_254 ns.
    fn remove_job() -> Weight {
        Weight::from_parts(95_429_000, 3944)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(4))
    }
}
