//! What the market asks of requester and workers, as calls.

use anyhow::{ensure, Result};
use ciro_primitives::{JobId, ModelId};
use ciro_runtime::{
    constants::{MILLIUNIT, UNIT},
    AccountId, Balance, RuntimeCall,
};
use pallet_job_market::{Auction, JobSpecOf, Priority, Verification};
use pallet_worker_registry::{Capabilities, Region, Requirements};
use sp_core::{sr25519, Pair, H256};

use crate::proofs::{Answer, Jobs};

/// Owns the model and asks for all jobs.
pub const REQUESTER: &str = "//Alice";
/// The workers: accounts that a development chain endows and that are no validators of it.
pub const WORKERS: [&str; 8] = [
    "//Eve",
    "//Ferdie",
    "//Alice//stash",
    "//Bob//stash",
    "//Charlie//stash",
    "//Dave//stash",
    "//Eve//stash",
    "//Ferdie//stash",
];
/// Jobs that one call submits: the most it takes.
pub const SUBMITTED_AT_ONCE: usize = pallet_job_market::MAX_SPECS as usize;

/// What a worker stakes: enough for the highest tier, so that it need not wait long for its turn.
const STAKE: Balance = 500_000 * UNIT;
/// What a job pays: the least that the market takes.
const PRICE: Balance = UNIT;
/// The model's least price of a sample.
const PRICE_FLOOR: Balance = 10 * MILLIUNIT;
/// Blocks that a job may take.
const DURATION: u32 = 1_000;
/// Where the inputs would be. No worker of the benchmark fetches them.
const LOCATOR: &[u8] = b"http://192.0.2.1:9944";

fn batch(calls: Vec<RuntimeCall>) -> RuntimeCall {
    pallet_utility::Call::batch_all { calls }.into()
}

/// Registers the model. No royalty goes to its owner.
pub fn register_model(jobs: &Jobs) -> Result<RuntimeCall> {
    let name = b"digits".to_vec().try_into();
    ensure!(name.is_ok(), "the model's name is too long");
    let call = pallet_model_registry::Call::register {
        key: jobs.key().clone(),
        name: name.unwrap_or_default(),
        price_floor: PRICE_FLOOR,
        royalty: Default::default(),
    };
    Ok(call.into())
}

/// Makes the signer a worker: stake, role and registration.
pub fn enrol(pair: &sr25519::Pair) -> RuntimeCall {
    let stake = pallet_cdc_pool::Call::stake { amount: STAKE };
    let role = pallet_cdc_pool::Call::set_roles {
        worker: true,
        validator: false,
    };
    let registration = pallet_worker_registry::Call::register {
        capabilities: Capabilities {
            gpu_model: Default::default(),
            memory: 1_024,
            gflops: 1,
            region: Region::Europe,
            peer_address: Default::default(),
        },
        heartbeat_key: pair.public().into(),
    };
    batch(vec![stake.into(), role.into(), registration.into()])
}

/// Submits the jobs of these numbers, at most [`SUBMITTED_AT_ONCE`].
pub fn submit(jobs: &Jobs, numbers: std::ops::Range<JobId>) -> RuntimeCall {
    let specs: Vec<_> = numbers.map(|job| spec(jobs, job)).collect();
    pallet_job_market::Call::submit_jobs {
        specs: specs.try_into().unwrap_or_default(),
    }
    .into()
}

fn spec(jobs: &Jobs, job: JobId) -> JobSpecOf<ciro_runtime::Runtime> {
    JobSpecOf::<ciro_runtime::Runtime> {
        model: ModelId(jobs.key().id()),
        batch: jobs.batch(),
        input_commitment: H256(jobs.commitment(job)),
        locator: LOCATOR.to_vec().try_into().unwrap_or_default(),
        price: Auction {
            floor: PRICE,
            ceiling: PRICE,
            ramp: 0,
        },
        duration: DURATION,
        verification: Verification::ZkMl,
        priority: Priority::Normal,
        requirements: Requirements::default(),
    }
}

/// Claims jobs, each whether or not the others can be had.
pub fn claim(numbers: &[JobId]) -> RuntimeCall {
    let claim = |job: &JobId| pallet_job_market::Call::claim_job { job: *job }.into();
    pallet_utility::Call::force_batch {
        calls: numbers.iter().map(claim).collect(),
    }
    .into()
}

/// Answers a claimed job with its proof.
pub fn answer(jobs: &Jobs, job: JobId, payee: &AccountId, answer: &Answer) -> RuntimeCall {
    let input: Vec<u8> = jobs.input(job).iter().map(|value| *value as u8).collect();
    pallet_job_market::Call::submit_result {
        job,
        payee: payee.clone(),
        input: input.try_into().unwrap_or_default(),
        output: answer.output.clone().try_into().unwrap_or_default(),
        proof: answer.proof.clone().try_into().unwrap_or_default(),
    }
    .into()
}
