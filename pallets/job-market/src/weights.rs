//! Weights of the calls, measured in the WebAssembly runtime by `make weights`.
//!
//! 2026-11-22, 16 steps, 6 repeats, on: AMD EPYC

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
    // At least 169_889 ns.
    fn submit_job() -> Weight {
        Weight::from_parts(184_055_000, 3733)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    // At least 98_204 ns.
    fn claim_job() -> Weight {
        Weight::from_parts(103_905_000, 3944)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    // At least 7_497_545 ns.
    fn submit_result(p: u32, i: u32, _o: u32) -> Weight {
        Weight::from_parts(12_227_991_248, 8799)
            .saturating_add(Weight::from_parts(109_015, 0).saturating_mul(p.into()))
            .saturating_add(Weight::from_parts(255_503, 0).saturating_mul(i.into()))
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(8))
    }
    // At least 136_507 ns.
    fn release_job() -> Weight {
        Weight::from_parts(144_401_000, 6196)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    // At least 95_980 ns.
    fn cancel_job() -> Weight {
        Weight::from_parts(102_192_000, 3944)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    // At least 198_743 ns.
    fn expire_job() -> Weight {
        Weight::from_parts(206_708_000, 6218)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(6))
    }
    // At least 85_040 ns.
    fn remove_job() -> Weight {
        Weight::from_parts(97_974_000, 3944)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(4))
    }
}
