//! Weights of the calls, measured in the WebAssembly runtime by `make weights`.
//!
//! 2026-11-23, 9 steps, 10 repeats, on: AMD EPYC

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
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // At least 193_554 ns.
    fn submit_job() -> Weight {
        Weight::from_parts(218_951_000, 8523)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    // At least 196_268 ns.
    fn claim_job() -> Weight {
        Weight::from_parts(217_718_000, 11034)
            .saturating_add(T::DbWeight::get().reads(16))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    // At least 4_321_507 ns.
    fn submit_result(p: u32, i: u32, o: u32) -> Weight {
        Weight::from_parts(3_196_163_222, 11402)
            .saturating_add(Weight::from_parts(126_615, 0).saturating_mul(p.into()))
            .saturating_add(Weight::from_parts(256_452, 0).saturating_mul(i.into()))
            .saturating_add(Weight::from_parts(430_064, 0).saturating_mul(o.into()))
            .saturating_add(T::DbWeight::get().reads(17))
            .saturating_add(T::DbWeight::get().writes(13))
    }
    // At least 157_135 ns.
    fn release_job() -> Weight {
        Weight::from_parts(174_377_000, 8523)
            .saturating_add(T::DbWeight::get().reads(12))
            .saturating_add(T::DbWeight::get().writes(8))
    }
    // At least 116_769 ns.
    fn cancel_job() -> Weight {
        Weight::from_parts(134_001_000, 8523)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    // At least 305_874 ns.
    fn expire_job() -> Weight {
        Weight::from_parts(335_318_000, 24588)
            .saturating_add(T::DbWeight::get().reads(27))
            .saturating_add(T::DbWeight::get().writes(23))
    }
    // At least 107_261 ns.
    fn remove_job() -> Weight {
        Weight::from_parts(120_756_000, 8523)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    // At least 195_627 ns.
    fn submit_jobs(n: u32) -> Weight {
        Weight::from_parts(203_391_000, 8523)
            .saturating_add(Weight::from_parts(268_914_844, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(4))
            .saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(n.into())))
    }
    // At least 350_217 ns.
    fn rescue() -> Weight {
        Weight::from_parts(381_265_000, 8523)
            .saturating_add(T::DbWeight::get().reads(22))
            .saturating_add(T::DbWeight::get().writes(13))
    }
    // At least 72_817 ns.
    fn submit_answer(o: u32) -> Weight {
        Weight::from_parts(181_293_738, 8523)
            .saturating_add(Weight::from_parts(17_574, 0).saturating_mul(o.into()))
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    // At least 122_751 ns.
    fn dispute() -> Weight {
        Weight::from_parts(132_389_000, 8523)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    // At least 4_220_447 ns.
    fn submit_proof(p: u32, i: u32, o: u32) -> Weight {
        Weight::from_parts(843_285_698, 36251)
            .saturating_add(Weight::from_parts(76_549, 0).saturating_mul(p.into()))
            .saturating_add(Weight::from_parts(231_108, 0).saturating_mul(i.into()))
            .saturating_add(Weight::from_parts(528_830, 0).saturating_mul(o.into()))
            .saturating_add(T::DbWeight::get().reads(19))
            .saturating_add(T::DbWeight::get().writes(13))
    }
    // At least 50_194 ns.
    fn commit() -> Weight {
        Weight::from_parts(53_580_000, 8523)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // At least 87_554 ns.
    fn reveal(o: u32) -> Weight {
        Weight::from_parts(186_566_924, 36283)
            .saturating_add(Weight::from_parts(18_822, 0).saturating_mul(o.into()))
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(2))
    }
    // At least 1_390_439 ns.
    fn finalise() -> Weight {
        Weight::from_parts(1_522_226_000, 142162)
            .saturating_add(T::DbWeight::get().reads(71))
            .saturating_add(T::DbWeight::get().writes(68))
    }
    // At least 189_225 ns.
    fn rate() -> Weight {
        Weight::from_parts(202_190_000, 20450)
            .saturating_add(T::DbWeight::get().reads(19))
            .saturating_add(T::DbWeight::get().writes(15))
    }
}
