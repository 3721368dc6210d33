//! Weights of the calls, measured in the WebAssembly runtime by `make weights`.
//!
//! 2026-11-30, 9 steps, 10 repeats, on: AMD EPYC

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What each call costs.
pub trait WeightInfo {
    /// Weight of `transfer_out`.
    fn transfer_out() -> Weight;
    /// Weight of `release`.
    fn release() -> Weight;
    /// Weight of `register_remote`.
    fn register_remote() -> Weight;
    /// Weight of `set_limits`.
    fn set_limits() -> Weight;
    /// Weight of `set_paused`.
    fn set_paused() -> Weight;
    /// Weight of `set_halted`.
    fn set_halted() -> Weight;
    /// Weight of `suspend`.
    fn suspend() -> Weight;
    /// Weight of `resume`.
    fn resume() -> Weight;
    /// Weight of `reject`.
    fn reject() -> Weight;
    /// Weight of `receive`.
    fn receive() -> Weight;
    /// Weight of `refund`.
    fn refund() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // At least 104_356 ns.
    fn transfer_out() -> Weight {
        Weight::from_parts(111_186_000, 14351)
            .saturating_add(T::DbWeight::get().reads(12))
            .saturating_add(T::DbWeight::get().writes(6))
    }
    // At least 75_523 ns.
    fn release() -> Weight {
        Weight::from_parts(81_471_000, 14351)
            .saturating_add(T::DbWeight::get().reads(12))
            .saturating_add(T::DbWeight::get().writes(8))
    }
    // At least 12_969 ns.
    fn register_remote() -> Weight {
        Weight::from_parts(14_021_000, 3671)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // At least 9_404 ns.
    fn set_limits() -> Weight {
        Weight::from_parts(10_355_000, 3671)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // At least 9_304 ns.
    fn set_paused() -> Weight {
        Weight::from_parts(10_055_000, 3671)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // At least 4_156 ns.
    fn set_halted() -> Weight {
        Weight::from_parts(4_557_000, 0).saturating_add(T::DbWeight::get().writes(1))
    }
    // At least 10_155 ns.
    fn suspend() -> Weight {
        Weight::from_parts(11_047_000, 3648)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // At least 9_995 ns.
    fn resume() -> Weight {
        Weight::from_parts(10_886_000, 3648)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // At least 17_196 ns.
    fn reject() -> Weight {
        Weight::from_parts(18_668_000, 3671)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    // At least 58_176 ns.
    fn receive() -> Weight {
        Weight::from_parts(62_062_000, 14351)
            .saturating_add(T::DbWeight::get().reads(10))
            .saturating_add(T::DbWeight::get().writes(7))
    }
    // At least 55_793 ns.
    fn refund() -> Weight {
        Weight::from_parts(58_638_000, 6352)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(5))
    }
}
