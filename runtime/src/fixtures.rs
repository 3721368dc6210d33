//! Real proofs for the benchmark of `submit_result`, made by `bench-fixtures` (see `scripts/weights.sh`).

#![allow(clippy::expect_used)]

use crate::AccountId;
use alloc::vec::Vec;
use ciro_primitives::{JobId, MAX_BATCH};
use ciro_zkml_verifier::VerifyingKey;
use codec::Decode;
use pallet_job_market::{BenchmarkHelper, Fixture};

static FIXTURES: &[u8] = include_bytes!(env!(
    "CIRO_FIXTURES",
    "the benchmarks need real proofs: run `make weights`"
));

type Entry = (
    VerifyingKey,
    ([u8; 32], JobId, [u8; 32]),
    u32,
    Vec<i8>,
    Vec<i32>,
    Vec<u8>,
);

/// The proofs of the fixture file.
pub struct Fixtures;

impl BenchmarkHelper<AccountId> for Fixtures {
    const MAX_PROOF: u32 = 100_000;
    const MAX_INPUT: u32 = 64_000;
    const MAX_OUTPUT: u32 = 4_096;
    const MAX_JOBS: u32 = MAX_BATCH;

    fn enrol(worker: &AccountId) {
        crate::benchmarks::enrol(worker);
    }

    fn fixture(proof: u32, input: u32, output: u32) -> Fixture<AccountId> {
        let entries = Vec::<Entry>::decode(&mut &FIXTURES[..]).expect("the file is ours");
        let (key, (genesis, job, payee), batch, input, output, proof) = entries
            .into_iter()
            .filter(|(_, _, _, inputs, outputs, bytes)| {
                bytes.len() >= proof as usize
                    && inputs.len() >= input as usize
                    && outputs.len() >= output as usize
            })
            .min_by_key(|(_, _, _, _, _, bytes)| bytes.len())
            .expect("the largest fixture has the maxima");
        Fixture {
            key,
            genesis,
            job,
            payee: payee.into(),
            batch,
            input,
            output,
            proof,
        }
    }
}
