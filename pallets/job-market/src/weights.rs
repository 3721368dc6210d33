//! Weights of the calls, measured in the WebAssembly runtime by `make weights`.
//!
//! 2026-11-23, 9 steps, 10 repeats, on: AMD EPYC; `settle_jobs` is estimated.

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
    // At least 190_627 ns.
    fn submit_job() -> Weight {
        Weight::from_parts(198_562_000, 8523)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    // At least 193_664 ns.
    fn claim_job() -> Weight {
        Weight::from_parts(200_927_000, 11034)
            .saturating_add(T::DbWeight::get().reads(16))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    // At least 4_088_318 ns.
    fn submit_result(p: u32, i: u32, o: u32) -> Weight {
        Weight::from_parts(1_102_523_459, 11402)
            .saturating_add(Weight::from_parts(40_160, 0).saturating_mul(p.into()))
            .saturating_add(Weight::from_parts(111_423, 0).saturating_mul(i.into()))
            .saturating_add(Weight::from_parts(136_885, 0).saturating_mul(o.into()))
            .saturating_add(T::DbWeight::get().reads(17))
            .saturating_add(T::DbWeight::get().writes(13))
    }
    // At least 154_229 ns.
    fn release_job() -> Weight {
        Weight::from_parts(160_441_000, 8523)
            .saturating_add(T::DbWeight::get().reads(12))
            .saturating_add(T::DbWeight::get().writes(8))
    }
    // At least 114_485 ns.
    fn cancel_job() -> Weight {
        Weight::from_parts(119_914_000, 8523)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    // At least 302_147 ns.
    fn expire_job() -> Weight {
        Weight::from_parts(315_212_000, 24588)
            .saturating_add(T::DbWeight::get().reads(27))
            .saturating_add(T::DbWeight::get().writes(23))
    }
    // At least 104_806 ns.
    fn remove_job() -> Weight {
        Weight::from_parts(109_425_000, 8523)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    // At least 192_642 ns.
    fn submit_jobs(n: u32) -> Weight {
        Weight::from_parts(57_832_003, 8523)
            .saturating_add(Weight::from_parts(145_333_114, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(4))
            .saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(n.into())))
    }
    // At least 341_400 ns.
    fn rescue() -> Weight {
        Weight::from_parts(358_482_000, 8523)
            .saturating_add(T::DbWeight::get().reads(22))
            .saturating_add(T::DbWeight::get().writes(13))
    }
    // At least 70_272 ns.
    fn submit_answer(o: u32) -> Weight {
        Weight::from_parts(161_326_513, 8523)
            .saturating_add(Weight::from_parts(18_417, 0).saturating_mul(o.into()))
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    // At least 120_265 ns.
    fn dispute() -> Weight {
        Weight::from_parts(124_714_000, 8523)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    // At least 4_199_718 ns.
    fn submit_proof(p: u32, i: u32, o: u32) -> Weight {
        Weight::from_parts(1_261_013_014, 36251)
            .saturating_add(Weight::from_parts(39_304, 0).saturating_mul(p.into()))
            .saturating_add(Weight::from_parts(110_980, 0).saturating_mul(i.into()))
            .saturating_add(Weight::from_parts(142_522, 0).saturating_mul(o.into()))
            .saturating_add(T::DbWeight::get().reads(19))
            .saturating_add(T::DbWeight::get().writes(13))
    }
    // At least 51_196 ns.
    fn commit() -> Weight {
        Weight::from_parts(55_074_000, 8523)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // At least 86_673 ns.
    fn reveal(o: u32) -> Weight {
        Weight::from_parts(180_818_004, 36283)
            .saturating_add(Weight::from_parts(18_094, 0).saturating_mul(o.into()))
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(2))
    }
    // At least 1_387_593 ns.
    fn finalise() -> Weight {
        Weight::from_parts(1_434_020_000, 142162)
            .saturating_add(T::DbWeight::get().reads(71))
            .saturating_add(T::DbWeight::get().writes(68))
    }
    // At least 190_377 ns.
    fn rate() -> Weight {
        Weight::from_parts(197_270_000, 20450)
            .saturating_add(T::DbWeight::get().reads(19))
            .saturating_add(T::DbWeight::get().writes(15))
    }
    // Estimated from the calls above: no more than `rescue` for each job, and of what that touches only the job, its
    // result, its requester's account and holds for each.
    fn settle_jobs(n: u32) -> Weight {
        Weight::from_parts(60_000_000, 11402)
            .saturating_add(Weight::from_parts(360_000_000, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(13))
            .saturating_add(T::DbWeight::get().reads((4_u64).saturating_mul(n.into())))
            .saturating_add(T::DbWeight::get().writes(9))
            .saturating_add(T::DbWeight::get().writes((4_u64).saturating_mul(n.into())))
            .saturating_add(Weight::from_parts(0, 8523).saturating_mul(n.into()))
    }
}
