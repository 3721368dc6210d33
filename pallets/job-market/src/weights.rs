//! Weights of the calls, measured in the WebAssembly runtime by `make weights`.
//!
//! 2026-11-22, 9 steps, 5 repeats, on: AMD EPYC

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
    // At least 174_648 ns.
    fn submit_job() -> Weight {
        Weight::from_parts(196_358_000, 3733)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    // At least 99_497 ns.
    fn claim_job() -> Weight {
        Weight::from_parts(112_270_000, 3944)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    // At least 7_505_640 ns.
    fn submit_result(p: u32, i: u32, o: u32) -> Weight {
        Weight::from_parts(3_918_322_005, 8799)
            .saturating_add(Weight::from_parts(77_799, 0).saturating_mul(p.into()))
            .saturating_add(Weight::from_parts(371_245, 0).saturating_mul(i.into()))
            .saturating_add(Weight::from_parts(57_904, 0).saturating_mul(o.into()))
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(8))
    }
    // At least 138_380 ns.
    fn release_job() -> Weight {
        Weight::from_parts(144_080_000, 6196)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    // At least 97_002 ns.
    fn cancel_job() -> Weight {
        Weight::from_parts(104_656_000, 3944)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    // At least 201_217 ns.
    fn expire_job() -> Weight {
        Weight::from_parts(222_176_000, 6218)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(6))
    }
    // At least 89_838 ns.
    fn remove_job() -> Weight {
        Weight::from_parts(103_124_000, 3944)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(4))
    }
}
