//! Weights of the calls: estimates, by those measured for similar work, until `make weights` measures them.

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
    /// Weight of `submit_jobs`, `n` over 1 to 50.
    fn submit_jobs(n: u32) -> Weight;
    /// Weight of `rescue`.
    fn rescue() -> Weight;
    /// Weight of `submit_answer`, `o` over 0 to 4096.
    fn submit_answer(o: u32) -> Weight;
    /// Weight of `dispute`.
    fn dispute() -> Weight;
    /// Weight of `submit_proof`, `p` over 0 to 100000, `i` over 0 to 64000, `o` over 0 to 4096.
    fn submit_proof(p: u32, i: u32, o: u32) -> Weight;
    /// Weight of `commit`.
    fn commit() -> Weight;
    /// Weight of `reveal`, `o` over 0 to 4096.
    fn reveal(o: u32) -> Weight;
    /// Weight of `finalise`.
    fn finalise() -> Weight;
    /// Weight of `rate`.
    fn rate() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // At least 174_648 ns.
    fn submit_job() -> Weight {
        Weight::from_parts(196_358_000, 5089)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    // At least 160_000 ns.
    fn claim_job() -> Weight {
        Weight::from_parts(220_000_000, 12_576)
            .saturating_add(T::DbWeight::get().reads(11))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    // At least 7_505_640 ns.
    fn submit_result(p: u32, i: u32, o: u32) -> Weight {
        Weight::from_parts(4_218_322_005, 18_799)
            .saturating_add(Weight::from_parts(77_799, 0).saturating_mul(p.into()))
            .saturating_add(Weight::from_parts(371_245, 0).saturating_mul(i.into()))
            .saturating_add(Weight::from_parts(57_904, 0).saturating_mul(o.into()))
            .saturating_add(T::DbWeight::get().reads(18))
            .saturating_add(T::DbWeight::get().writes(17))
    }
    // At least 180_000 ns.
    fn release_job() -> Weight {
        Weight::from_parts(210_000_000, 8681)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(7))
    }
    // At least 97_002 ns.
    fn cancel_job() -> Weight {
        Weight::from_parts(104_656_000, 5089)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    // At least 400_000 ns.
    fn expire_job() -> Weight {
        Weight::from_parts(620_000_000, 38_681)
            .saturating_add(T::DbWeight::get().reads(26))
            .saturating_add(T::DbWeight::get().writes(26))
    }
    // At least 89_838 ns.
    fn remove_job() -> Weight {
        Weight::from_parts(103_124_000, 5089)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    // At least 180_000 ns.
    fn submit_jobs(n: u32) -> Weight {
        Weight::from_parts(20_000_000, 5089)
            .saturating_add(Weight::from_parts(180_000_000, 3773).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().reads(n.into()))
            .saturating_add(T::DbWeight::get().writes(3))
            .saturating_add(T::DbWeight::get().writes(u64::from(n).saturating_mul(2)))
    }
    // At least 300_000 ns.
    fn rescue() -> Weight {
        Weight::from_parts(400_000_000, 18_799)
            .saturating_add(T::DbWeight::get().reads(16))
            .saturating_add(T::DbWeight::get().writes(11))
    }
    // At least 60_000 ns.
    fn submit_answer(o: u32) -> Weight {
        Weight::from_parts(90_000_000, 5089)
            .saturating_add(Weight::from_parts(57_904, 0).saturating_mul(o.into()))
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    // At least 100_000 ns.
    fn dispute() -> Weight {
        Weight::from_parts(120_000_000, 5089)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    // At least 7_505_640 ns.
    fn submit_proof(p: u32, i: u32, o: u32) -> Weight {
        Weight::from_parts(4_318_322_005, 36_317)
            .saturating_add(Weight::from_parts(77_799, 0).saturating_mul(p.into()))
            .saturating_add(Weight::from_parts(371_245, 0).saturating_mul(i.into()))
            .saturating_add(Weight::from_parts(57_904, 0).saturating_mul(o.into()))
            .saturating_add(T::DbWeight::get().reads(21))
            .saturating_add(T::DbWeight::get().writes(19))
    }
    // At least 30_000 ns.
    fn commit() -> Weight {
        Weight::from_parts(45_000_000, 5089)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // At least 60_000 ns.
    fn reveal(o: u32) -> Weight {
        Weight::from_parts(90_000_000, 36_317)
            .saturating_add(Weight::from_parts(57_904, 0).saturating_mul(o.into()))
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(2))
    }
    // At least 1_500_000 ns.
    fn finalise() -> Weight {
        Weight::from_parts(2_800_000_000, 420_000)
            .saturating_add(T::DbWeight::get().reads(88))
            .saturating_add(T::DbWeight::get().writes(88))
    }
    // At least 200_000 ns.
    fn rate() -> Weight {
        Weight::from_parts(300_000_000, 41_317)
            .saturating_add(T::DbWeight::get().reads(21))
            .saturating_add(T::DbWeight::get().writes(21))
    }
}
