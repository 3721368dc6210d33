//! Weights of the calls, estimated from those of like calls until `make weights` has measured them.

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
    fn transfer_out() -> Weight {
        Weight::from_parts(170_000_000, 6196)
            .saturating_add(T::DbWeight::get().reads(9))
            .saturating_add(T::DbWeight::get().writes(6))
    }
    fn release() -> Weight {
        Weight::from_parts(150_000_000, 6196)
            .saturating_add(T::DbWeight::get().reads(11))
            .saturating_add(T::DbWeight::get().writes(8))
    }
    fn register_remote() -> Weight {
        Weight::from_parts(30_000_000, 3700)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    fn set_limits() -> Weight {
        Weight::from_parts(28_000_000, 3700)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    fn set_paused() -> Weight {
        Weight::from_parts(28_000_000, 3700)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    fn set_halted() -> Weight {
        Weight::from_parts(12_000_000, 0).saturating_add(T::DbWeight::get().writes(1))
    }
    fn suspend() -> Weight {
        Weight::from_parts(28_000_000, 3700)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    fn resume() -> Weight {
        Weight::from_parts(28_000_000, 3700)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    fn reject() -> Weight {
        Weight::from_parts(45_000_000, 3800)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    fn receive() -> Weight {
        Weight::from_parts(150_000_000, 6196)
            .saturating_add(T::DbWeight::get().reads(11))
            .saturating_add(T::DbWeight::get().writes(8))
    }
    fn refund() -> Weight {
        Weight::from_parts(200_000_000, 6196)
            .saturating_add(T::DbWeight::get().reads(11))
            .saturating_add(T::DbWeight::get().writes(8))
    }
}
