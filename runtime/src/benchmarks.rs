//! Which pallets are benchmarked on this runtime: Ciro's own. The SDK's pallets come with weights of their own.

#![allow(clippy::expect_used)]

use crate::{configs::economy::DOWNTIME, constants::UNIT, *};
use alloc::{string::String, vec::Vec};
use frame_benchmarking::{BenchmarkBatch, BenchmarkConfig, BenchmarkList};
use frame_support::traits::{
    fungible::Mutate, StorageInfo, StorageInfoTrait, WhitelistedStorageKeys,
};
use pallet_worker_registry::{Capabilities, Region};
use sp_core::sr25519;
use sp_storage::TrackedStorageKey;

frame_benchmarking::define_benchmarks!(
    [pallet_cdc_pool, CdcPool]
    [pallet_job_market, JobMarket]
    [pallet_model_registry, ModelRegistry]
    [pallet_reputation, Reputation]
    [pallet_slashing, Slashing]
    [pallet_validator_set, ValidatorSet]
    [pallet_worker_registry, WorkerRegistry]
);

/// What can be benchmarked, and what the chain stores.
pub fn metadata(extra: bool) -> (Vec<BenchmarkList>, Vec<StorageInfo>) {
    let mut list = Vec::new();
    list_benchmarks!(list, extra);
    (list, AllPalletsWithSystem::storage_info())
}

/// Runs the benchmarks that `config` selects.
pub fn dispatch(config: BenchmarkConfig) -> Result<Vec<BenchmarkBatch>, String> {
    let whitelist: Vec<TrackedStorageKey> = AllPalletsWithSystem::whitelisted_storage_keys();
    let mut batches = Vec::new();
    let params = (&config, &whitelist);
    add_benchmarks!(params, batches);
    Ok(batches)
}

/// Makes operators that can be reported for downtime.
pub struct Silence;

impl pallet_slashing::BenchmarkHelper<AccountId> for Silence {
    fn silence(operator: &AccountId) {
        register(operator);
        System::set_block_number(System::block_number().saturating_add(DOWNTIME));
    }
}

/// Endows and registers an account. Its own bytes are the key of its heartbeats, which it never sends.
fn register(worker: &AccountId) {
    Balances::mint_into(worker, 2 * UNIT).expect("the account can be endowed");
    let capabilities = Capabilities {
        gpu_model: Default::default(),
        memory: 0,
        gflops: 0,
        region: Region::Other,
        peer_address: Default::default(),
    };
    let key = sr25519::Public::from_raw(worker.clone().into()).into();
    WorkerRegistry::register(RuntimeOrigin::signed(worker.clone()), capabilities, key)
        .expect("the account is not registered yet");
}
