//! Weights of the calls: estimates until `make weights` measures them in the WebAssembly runtime.
//!
//! A database read or write is counted as the benchmarks would count it; computation is that of calls of the neighbouring
//! pallets that do as much, rounded up. Sealing hashes each leaf twice and writes it to the off-chain index.

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
    fn open_lane() -> Weight {
        Weight::from_parts(90_000_000, 3700)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(2))
    }
    fn close_lane() -> Weight {
        Weight::from_parts(85_000_000, 3700)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(2))
    }
    fn send_result() -> Weight {
        Weight::from_parts(250_000_000, 36300)
            .saturating_add(T::DbWeight::get().reads(10))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    fn send_slash() -> Weight {
        Weight::from_parts(160_000_000, 6200)
            .saturating_add(T::DbWeight::get().reads(9))
            .saturating_add(T::DbWeight::get().writes(6))
    }
    fn prove_remote() -> Weight {
        Weight::from_parts(150_000_000, 6200)
            .saturating_add(T::DbWeight::get().reads(9))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    fn set_halted() -> Weight {
        Weight::from_parts(15_000_000, 0).saturating_add(T::DbWeight::get().writes(1))
    }
    fn seal(m: u32, r: u32) -> Weight {
        Weight::from_parts(20_000_000, 1500)
            .saturating_add(Weight::from_parts(12_000_000, 0).saturating_mul(m.into()))
            .saturating_add(Weight::from_parts(8_000_000, 0).saturating_mul(r.into()))
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(3))
    }
}
