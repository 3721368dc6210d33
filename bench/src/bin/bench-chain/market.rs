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

/// Jobs that a worker claims at once, or those of one proof if they are more. It may not have many more at a time.
pub const CLAIMED_AT_ONCE: usize = 32;

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
        batch: 1,
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

/// Claims the jobs of these proofs, each whether or not the others can be had.
pub fn claim(jobs: &Jobs, proofs: &[usize]) -> RuntimeCall {
    let claim = |job: JobId| pallet_job_market::Call::claim_job { job }.into();
    let numbers = proofs.iter().flat_map(|nth| jobs.of_proof(*nth));
    pallet_utility::Call::force_batch {
        calls: numbers.map(claim).collect(),
    }
    .into()
}

/// Answers the claimed jobs of the nth proof.
pub fn answer(jobs: &Jobs, nth: usize, payee: &AccountId, answer: &Answer) -> RuntimeCall {
    let input: Vec<u8> = jobs.input(nth).iter().map(|value| *value as u8).collect();
    let input = input.try_into().unwrap_or_default();
    let output = answer.output.clone().try_into().unwrap_or_default();
    let proof = answer.proof.clone().try_into().unwrap_or_default();
    let (numbers, payee) = (jobs.of_proof(nth), payee.clone());
    if jobs.together() == 1 {
        let job = numbers.start;
        return pallet_job_market::Call::submit_result {
            job,
            payee,
            input,
            output,
            proof,
        }
        .into();
    }
    let numbers: Vec<JobId> = numbers.collect();
    pallet_job_market::Call::submit_results {
        jobs: numbers.try_into().unwrap_or_default(),
        payee,
        input,
        output,
        proof,
    }
    .into()
}
