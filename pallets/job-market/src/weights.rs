//! Weights of the market's calls.
//!
//! Estimates, set high: `make weights` measures the calls and regenerates this file.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What each call of the market costs.
pub trait WeightInfo {
    /// Weight of `submit_job`.
    fn submit_job() -> Weight;
    /// Weight of `claim_job`.
    fn claim_job() -> Weight;
    /// Weight of `submit_result` with `p` proof bytes, `i` input values and `o` output values.
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
    // NextJobId, Models, the requester's account and holds; writes Jobs too.
    fn submit_job() -> Weight {
        Weight::from_parts(150_000_000, 12_000)
            .saturating_add(T::DbWeight::get().reads_writes(4, 5))
    }
    // Jobs, the worker's account and holds.
    fn claim_job() -> Weight {
        Weight::from_parts(90_000_000, 9_000).saturating_add(T::DbWeight::get().reads_writes(3, 3))
    }
    // Jobs, Models, the genesis hash, accounts and holds of requester and worker, the payee's account; writes Results.
    // The verifier takes 5 ms for 160 kB in wasm; public values take a few field operations and a hash each.
    fn submit_result(p: u32, i: u32, o: u32) -> Weight {
        Weight::from_parts(3_000_000_000, 20_000)
            .saturating_add(Weight::from_parts(60_000, 0).saturating_mul(p.into()))
            .saturating_add(Weight::from_parts(200_000, 0).saturating_mul(i.into()))
            .saturating_add(Weight::from_parts(400_000, 4).saturating_mul(o.into()))
            .saturating_add(T::DbWeight::get().reads_writes(8, 8))
    }
    // Jobs, the worker's account and holds, the requester's account.
    fn release_job() -> Weight {
        Weight::from_parts(130_000_000, 12_000)
            .saturating_add(T::DbWeight::get().reads_writes(4, 4))
    }
    // Jobs, Models, the requester's account and holds.
    fn cancel_job() -> Weight {
        Weight::from_parts(110_000_000, 12_000)
            .saturating_add(T::DbWeight::get().reads_writes(4, 4))
    }
    // Jobs, Models, accounts and holds of requester and worker.
    fn expire_job() -> Weight {
        Weight::from_parts(190_000_000, 16_000)
            .saturating_add(T::DbWeight::get().reads_writes(6, 6))
    }
    // Jobs, the requester's account and holds; writes Results too.
    fn remove_job() -> Weight {
        Weight::from_parts(100_000_000, 9_000).saturating_add(T::DbWeight::get().reads_writes(3, 4))
    }
}
