//! Weights of the calls, measured in the WebAssembly runtime by `make weights`.
//!
//! 2026-11-30, 9 steps, 10 repeats, on: AMD EPYC

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
    /// Weight of `submit_jobs`, `n` measured over 1 to 50.
    fn submit_jobs(n: u32) -> Weight;
    /// Weight of `rescue`.
    fn rescue() -> Weight;
    /// Weight of `submit_answer`, `o` measured over 0 to 4096.
    fn submit_answer(o: u32) -> Weight;
    /// Weight of `dispute`.
    fn dispute() -> Weight;
    /// Weight of `submit_proof`, `p` measured over 0 to 100000, `i` measured over 0 to 64000, `o` measured over 0 to 4096.
    fn submit_proof(p: u32, i: u32, o: u32) -> Weight;
    /// Weight of `commit`.
    fn commit() -> Weight;
    /// Weight of `reveal`, `o` measured over 0 to 4096.
    fn reveal(o: u32) -> Weight;
    /// Weight of `finalise`.
    fn finalise() -> Weight;
    /// Weight of `rate`.
    fn rate() -> Weight;
    /// Weight of `settle_jobs`, `n` measured over 1 to 64.
    fn settle_jobs(n: u32) -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // At least 115_302 ns.
    fn submit_job() -> Weight {
        Weight::from_parts(124_726_000, 8523)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    // At least 118_757 ns.
    fn claim_job() -> Weight {
        Weight::from_parts(125_607_000, 11034)
            .saturating_add(T::DbWeight::get().reads(16))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    // At least 2_593_748 ns.
    fn submit_result(p: u32, i: u32, o: u32) -> Weight {
        Weight::from_parts(677_444_183, 427471)
            .saturating_add(Weight::from_parts(25_861, 0).saturating_mul(p.into()))
            .saturating_add(Weight::from_parts(67_981, 0).saturating_mul(i.into()))
            .saturating_add(Weight::from_parts(80_425, 0).saturating_mul(o.into()))
            .saturating_add(T::DbWeight::get().reads(19))
            .saturating_add(T::DbWeight::get().writes(14))
    }
    // At least 92_929 ns.
    fn release_job() -> Weight {
        Weight::from_parts(101_271_000, 8523)
            .saturating_add(T::DbWeight::get().reads(12))
            .saturating_add(T::DbWeight::get().writes(8))
    }
    // At least 66_990 ns.
    fn cancel_job() -> Weight {
        Weight::from_parts(76_113_000, 8523)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    // At least 187_590 ns.
    fn expire_job() -> Weight {
        Weight::from_parts(196_973_000, 24588)
            .saturating_add(T::DbWeight::get().reads(27))
            .saturating_add(T::DbWeight::get().writes(23))
    }
    // At least 64_176 ns.
    fn remove_job() -> Weight {
        Weight::from_parts(68_382_000, 8523)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    // At least 118_867 ns.
    fn submit_jobs(n: u32) -> Weight {
        Weight::from_parts(42_396_999, 8523)
            .saturating_add(Weight::from_parts(93_826_176, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(4))
            .saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(n.into())))
    }
    // At least 212_828 ns.
    fn rescue() -> Weight {
        Weight::from_parts(223_644_000, 8523)
            .saturating_add(T::DbWeight::get().reads(22))
            .saturating_add(T::DbWeight::get().writes(13))
    }
    // At least 43_545 ns.
    fn submit_answer(o: u32) -> Weight {
        Weight::from_parts(116_606_225, 8523)
            .saturating_add(Weight::from_parts(13_484, 0).saturating_mul(o.into()))
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    // At least 73_470 ns.
    fn dispute() -> Weight {
        Weight::from_parts(79_128_000, 8523)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    // At least 2_616_964 ns.
    fn submit_proof(p: u32, i: u32, o: u32) -> Weight {
        Weight::from_parts(831_785_718, 427471)
            .saturating_add(Weight::from_parts(25_648, 0).saturating_mul(p.into()))
            .saturating_add(Weight::from_parts(67_204, 0).saturating_mul(i.into()))
            .saturating_add(Weight::from_parts(68_429, 0).saturating_mul(o.into()))
            .saturating_add(T::DbWeight::get().reads(21))
            .saturating_add(T::DbWeight::get().writes(15))
    }
    // At least 30_365 ns.
    fn commit() -> Weight {
        Weight::from_parts(33_891_000, 8523)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // At least 55_673 ns.
    fn reveal(o: u32) -> Weight {
        Weight::from_parts(130_479_819, 36283)
            .saturating_add(Weight::from_parts(13_643, 0).saturating_mul(o.into()))
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(2))
    }
    // At least 905_791 ns.
    fn finalise() -> Weight {
        Weight::from_parts(957_538_000, 142162)
            .saturating_add(T::DbWeight::get().reads(71))
            .saturating_add(T::DbWeight::get().writes(68))
    }
    // At least 119_659 ns.
    fn rate() -> Weight {
        Weight::from_parts(126_608_000, 20450)
            .saturating_add(T::DbWeight::get().reads(19))
            .saturating_add(T::DbWeight::get().writes(15))
    }
    // At least 221_781 ns.
    fn settle_jobs(n: u32) -> Weight {
        Weight::from_parts(38_252_873, 427471)
            .saturating_add(Weight::from_parts(169_887_486, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(15))
            .saturating_add(T::DbWeight::get().reads((3_u64).saturating_mul(n.into())))
            .saturating_add(T::DbWeight::get().writes(10))
            .saturating_add(T::DbWeight::get().writes((4_u64).saturating_mul(n.into())))
            .saturating_add(Weight::from_parts(0, 3619).saturating_mul(n.into()))
    }
}
