//! Weights of the calls, measured in the WebAssembly runtime by `make weights`.
//!
//! 2026-11-30, 9 steps, 10 repeats, on: AMD EPYC

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What each call costs.
pub trait WeightInfo {
    /// Weight of `open_lane`.
    fn open_lane() -> Weight;
    /// Weight of `close_lane`.
    fn close_lane() -> Weight;
    /// Weight of `send_result`.
    fn send_result() -> Weight;
    /// Weight of `send_slash`.
    fn send_slash() -> Weight;
    /// Weight of `prove_remote`.
    fn prove_remote() -> Weight;
    /// Weight of `set_halted`.
    fn set_halted() -> Weight;
    /// Weight of `seal`, `m` measured over 0 to 64, `r` measured over 0 to 4096.
    fn seal(m: u32, r: u32) -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // At least 50_585 ns.
    fn open_lane() -> Weight {
        Weight::from_parts(53_550_000, 3730)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    // At least 41_422 ns.
    fn close_lane() -> Weight {
        Weight::from_parts(44_055_000, 3730)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    // At least 267_930 ns.
    fn send_result() -> Weight {
        Weight::from_parts(286_768_000, 36251)
            .saturating_add(T::DbWeight::get().reads(9))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    // At least 61_972 ns.
    fn send_slash() -> Weight {
        Weight::from_parts(66_259_000, 14351)
            .saturating_add(T::DbWeight::get().reads(9))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    // At least 54_442 ns.
    fn prove_remote() -> Weight {
        Weight::from_parts(57_515_000, 14351)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    // At least 4_086 ns.
    fn set_halted() -> Weight {
        Weight::from_parts(4_486_000, 0).saturating_add(T::DbWeight::get().writes(1))
    }
    // At least 139_168 ns.
    fn seal(m: u32, r: u32) -> Weight {
        Weight::from_parts(31_623_467, 427471)
            .saturating_add(Weight::from_parts(1_484_905, 0).saturating_mul(m.into()))
            .saturating_add(Weight::from_parts(2_142_081, 0).saturating_mul(r.into()))
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(3))
    }
}
