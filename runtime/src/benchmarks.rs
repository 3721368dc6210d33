//! Which pallets are benchmarked on this runtime: Ciro's own. The SDK's pallets come with weights of their own.

#![allow(clippy::expect_used)]

use crate::{configs::economy::DOWNTIME, constants::UNIT, *};
use alloc::{string::String, vec::Vec};
use ciro_bridge_primitives::{lane_id, word_of, ChainKind, Destination, LaneId, Payload};
use ciro_primitives::{JobId, ModelId};
use frame_benchmarking::{BenchmarkBatch, BenchmarkConfig, BenchmarkList};
use frame_support::traits::{
    fungible::Mutate, StorageInfo, StorageInfoTrait, WhitelistedStorageKeys,
};
use pallet_job_market::{
    Auction, Job, JobState, Jobs, Output, Priority, Results, Verification, MAX_OUTPUT,
};
use pallet_slashing::{CaseId, CaseStatus, Cases, OffenceKind, SlashRecord};
use pallet_worker_registry::{Capabilities, Region};
use sp_core::sr25519;
use sp_runtime::Perbill;
use sp_storage::TrackedStorageKey;

/// What a worker of the benchmarks stakes.
const STAKE: Balance = 500_000 * UNIT;

frame_benchmarking::define_benchmarks!(
    [pallet_attesters, Attesters]
    [pallet_cdc_pool, CdcPool]
    [pallet_job_market, JobMarket]
    [pallet_model_registry, ModelRegistry]
    [pallet_outbound_queue, OutboundQueue]
    [pallet_reputation, Reputation]
    [pallet_slashing, Slashing]
    [pallet_token_gateway, TokenGateway]
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

/// Makes what can be sent to other chains.
pub struct Sendable;

impl pallet_outbound_queue::BenchmarkHelper for Sendable {
    fn proven_job() -> JobId {
        let job = Job {
            requester: AccountId::new([1; 32]),
            model: ModelId([2; 32]),
            batch: 1,
            input_commitment: Default::default(),
            locator: Default::default(),
            price: Auction::fixed(UNIT),
            bounty: 0,
            royalty: Default::default(),
            deposit: 0,
            opened: 0,
            deadline: 1,
            verification: Verification::ZkMl,
            priority: Priority::Normal,
            requirements: Default::default(),
            state: JobState::Paid {
                workers: Default::default(),
                at: 1,
                rated: false,
            },
        };
        Jobs::<Runtime>::insert(0, job);
        let output = Output::truncate_from(alloc::vec![1; MAX_OUTPUT as usize]);
        Results::<Runtime>::insert(0, output);
        0
    }

    fn executed_case() -> CaseId {
        let case = SlashRecord {
            id: 0,
            offender: AccountId::new([1; 32]),
            kind: OffenceKind::InvalidCompute,
            at: 1,
            liable_since: 1,
            opened: 1,
            fraction: Perbill::from_percent(50),
            due: 1,
            until: 1,
            reporter: None,
            place: 0,
            status: CaseStatus::Applied { taken: UNIT },
        };
        Cases::<Runtime>::insert(case.id, case);
        0
    }
}

/// Opens lanes to tokens on other chains.
pub struct Remotes;

impl pallet_token_gateway::BenchmarkHelper for Remotes {
    fn lane(number: u32) -> LaneId {
        let destination = Destination {
            kind: ChainKind::Evm,
            chain_id: word_of(1u8),
            contract: word_of(number.saturating_add(1)),
        };
        let lane = lane_id(&System::block_hash(0).into(), &destination);
        if !pallet_outbound_queue::Lanes::<Runtime>::contains_key(lane) {
            let owner = AccountId::new([1; 32]);
            Balances::mint_into(&owner, 1_000 * UNIT).expect("the account can be endowed");
            OutboundQueue::open_lane(RuntimeOrigin::signed(owner), destination)
                .expect("the lane is not open");
        }
        lane
    }
}

impl pallet_attesters::BenchmarkHelper for Remotes {
    fn lane() -> LaneId {
        let lane = <Self as pallet_token_gateway::BenchmarkHelper>::lane(0);
        let limits = pallet_token_gateway::Limits {
            smallest: UNIT,
            largest: UNIT,
            most_outside: UNIT,
            out_per_window: UNIT,
            in_per_window: UNIT,
            delay_above: UNIT,
            delay: 1,
        };
        TokenGateway::register_remote(RuntimeOrigin::root(), lane, limits)
            .expect("the lane is open");
        lane
    }

    fn payload(number: u32) -> Payload {
        Payload::Return {
            nonce: 0,
            amount: number.into(),
            refund: [1; 32],
        }
    }
}

/// Makes the account a worker with the stake of the highest tier.
pub fn enrol(worker: &AccountId) {
    register(worker);
    let origin = || RuntimeOrigin::signed(worker.clone());
    CdcPool::stake(origin(), STAKE).expect("the account is endowed");
    CdcPool::set_roles(origin(), true, false).expect("the stake suffices");
}

/// Endows and registers an account. Its own bytes are the key of its heartbeats, which it never sends.
fn register(worker: &AccountId) {
    Balances::mint_into(worker, 2 * STAKE).expect("the account can be endowed");
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
