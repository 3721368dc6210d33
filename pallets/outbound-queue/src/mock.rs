//! A chain with balances, a clock and the queue, and a market and cases that tests set.

use crate as pallet_outbound_queue;
use crate::{leaves_key, previous_key, HoldReason, Outbox};
use ciro_bridge_primitives::{
    merkle, word_of, BridgeLeaf, ChainKind, Destination, Hash, LaneId, Payload, RemoteJobBinding,
};
use ciro_primitives::{JobId, ModelId};
use codec::{Decode, Encode};
use frame_support::{
    assert_ok, derive_impl,
    dispatch::DispatchResult,
    parameter_types, storage_alias,
    traits::{
        fungible::InspectHold, tokens::imbalance::ResolveTo, ConstU128, ConstU32, ConstU64, Hooks,
    },
    weights::Weight,
    Twox64Concat,
};
use frame_system::EnsureRoot;
use pallet_job_market::{Input, Output, Proof, ProvenResult, ResultDesk, Run};
use pallet_slashing::{CaseId, ExecutedCases};
use sp_consensus_beefy::mmr::BeefyDataProvider;
use sp_core::H256;
use sp_io::{hashing::blake2_256, TestExternalities};
use sp_runtime::{traits::IdentityLookup, AccountId32, BuildStorage, DispatchError, Perbill};

pub type Balance = u128;
pub type AccountId = AccountId32;

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeFreezeReason,
        RuntimeHoldReason,
        RuntimeSlashReason,
        RuntimeLockId,
        RuntimeTask,
        RuntimeViewFunction
    )]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(1)]
    pub type Timestamp = pallet_timestamp;
    #[runtime::pallet_index(2)]
    pub type Balances = pallet_balances;
    #[runtime::pallet_index(3)]
    pub type Queue = pallet_outbound_queue;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlockU32<Test>;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
    type AccountData = pallet_balances::AccountData<Balance>;
    type DbWeight = frame_support::weights::constants::ParityDbWeight;
}

impl pallet_timestamp::Config for Test {
    type Moment = u64;
    type OnTimestampSet = ();
    type MinimumPeriod = ConstU64<1>;
    type WeightInfo = ();
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type AccountStore = System;
    type Balance = Balance;
    type ExistentialDeposit = ConstU128<10>;
}

pub const DEPOSIT: Balance = 500;
pub const FEE: Balance = 70;
pub const MAX_MESSAGES: u32 = 4;
pub const MAX_RESULTS: u32 = 5;
/// What every account starts with.
pub const ENDOWMENT: Balance = 100_000;
/// Hash of the genesis block.
pub const GENESIS: [u8; 32] = [0xaa; 32];

parameter_types! {
    pub Treasury: AccountId = treasury();
}

impl pallet_outbound_queue::Config for Test {
    type Token = Balances;
    type FeeDestination = ResolveTo<Treasury, Balances>;
    type Clock = Timestamp;
    type Market = TestMarket;
    type Cases = TestCases;
    type HaltOrigin = EnsureRoot<AccountId>;
    type LaneDeposit = ConstU128<DEPOSIT>;
    type MessageFee = ConstU128<FEE>;
    type MaxMessages = ConstU32<MAX_MESSAGES>;
    type MaxResults = ConstU32<MAX_RESULTS>;
    type WeightInfo = crate::weights::SubstrateWeight<Test>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = TestMarket;
}

/// The outputs' hashes of jobs that were paid for a proof.
#[storage_alias]
pub type ProvenJobs = StorageMap<Doubles, Twox64Concat, JobId, H256>;

/// The executed cases.
#[storage_alias]
pub type Executed = StorageMap<Doubles, Twox64Concat, CaseId, (AccountId, Perbill)>;

pub struct TestMarket;

impl TestMarket {
    /// Takes the hash of binding and output for a proof.
    pub fn proof(binding: &[u8], output: &[i32]) -> Vec<u8> {
        blake2_256(&(binding, output).encode()).to_vec()
    }
}

impl ResultDesk for TestMarket {
    fn proven(job: JobId) -> Option<ProvenResult> {
        ProvenJobs::get(job).map(result)
    }

    fn prove(binding: &[u8], run: &Run) -> Result<ProvenResult, DispatchError> {
        if run.proof[..] == Self::proof(binding, &run.output)[..] {
            Ok(result(H256(blake2_256(&run.output.encode()))))
        } else {
            Err(DispatchError::Other("the proof does not hold"))
        }
    }

    fn prove_weight(proof: u32, _: u32, _: u32) -> Weight {
        Weight::from_parts(proof.into(), 0)
    }
}

#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper for TestMarket {
    fn proven_job() -> JobId {
        ProvenJobs::insert(1, H256::zero());
        1
    }

    fn executed_case() -> CaseId {
        Executed::insert(1, (account(1), Perbill::one()));
        1
    }
}

pub struct TestCases;

impl ExecutedCases<AccountId> for TestCases {
    fn executed(case: CaseId) -> Option<(AccountId, Perbill)> {
        Executed::get(case)
    }
}

/// The result with an output of this hash.
pub fn result(output_hash: H256) -> ProvenResult {
    ProvenResult {
        model: ModelId([7; 32]),
        input_commitment: H256([8; 32]),
        output_hash,
    }
}

/// The account called `name`. 1 to 3 are endowed.
pub fn account(name: u8) -> AccountId {
    AccountId::new([name; 32])
}

/// Where fees go.
pub fn treasury() -> AccountId {
    account(99)
}

pub fn signed(name: u8) -> RuntimeOrigin {
    RuntimeOrigin::signed(account(name))
}

/// A contract of an EVM chain; each `number` makes another.
pub fn contract(number: u8) -> Destination {
    Destination {
        kind: ChainKind::Evm,
        chain_id: word_of(31_337u32),
        contract: word_of(number),
    }
}

pub fn lane(number: u8) -> LaneId {
    Queue::lane_to(contract(number))
}

/// Opens the lane to [`contract`] in the name of account 1.
pub fn opened(number: u8) -> LaneId {
    assert_ok!(Queue::open_lane(signed(1), contract(number)));
    lane(number)
}

pub fn mint(amount: u128) -> Payload {
    Payload::Mint {
        recipient: word_of(3u8),
        amount,
        expiry: 1_000,
        refund: [4; 32],
    }
}

/// Sends as another pallet would.
pub fn send(lane: LaneId, amount: u128) -> Result<u64, DispatchError> {
    Queue::send(lane, mint(amount))
}

/// What [`crate::Call::prove_remote`] takes for job 5 there, bound to `binding`.
pub fn prove_remote(sender: u8, lane: LaneId, binding: &RemoteJobBinding) -> DispatchResult {
    let output = Output::truncate_from(vec![1, 2, 3]);
    let proof = TestMarket::proof(&binding.encode(), &output);
    Queue::prove_remote(
        signed(sender),
        lane,
        H256(word_of(5u8)),
        ModelId([7; 32]),
        H256([6; 32]),
        1,
        Input::truncate_from(vec![0; 4]),
        output,
        Proof::truncate_from(proof),
    )
}

/// What a proof that [`prove_remote`] brings must be bound to.
pub fn binding(lane: LaneId) -> RemoteJobBinding {
    RemoteJobBinding {
        genesis: GENESIS,
        lane,
        remote_job: word_of(5u8),
        payee: [6; 32],
    }
}

pub fn held(who: u8) -> Balance {
    Balances::balance_on_hold(&HoldReason::LaneDeposit.into(), &account(who))
}

pub fn free(who: u8) -> Balance {
    Balances::free_balance(account(who))
}

/// Hash of the block with that number.
pub fn hash_of(block: u32) -> H256 {
    match block {
        0 => H256(GENESIS),
        _ => H256([block as u8; 32]),
    }
}

/// Ends the block and begins the next one, as the runtime does: what the MMR's leaf about the block says.
pub fn next_block() -> BridgeLeaf {
    check();
    let block = System::block_number();
    Queue::on_finalize(block);
    System::initialize(&(block + 1), &hash_of(block), &Default::default());
    let leaf = Queue::extra_data();
    Queue::on_initialize(block + 1);
    let now = u64::from(block + 1) * 2_000 + 999;
    pallet_timestamp::Now::<Test>::put(now);
    leaf
}

/// Checks every invariant of the chain's state.
pub fn check() {
    Queue::do_try_state().unwrap();
}

/// Block 1 with accounts 1 to 3 endowed.
pub fn ext() -> TestExternalities {
    let genesis = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: [1, 2, 3].map(|who| (account(who), ENDOWMENT)).to_vec(),
            ..Default::default()
        },
        ..Default::default()
    };
    let mut ext: TestExternalities = genesis.build_storage().unwrap().into();
    ext.execute_with(|| System::initialize(&1, &hash_of(0), &Default::default()));
    ext
}

/// Runs a test in [`ext`] and checks the invariants after it.
pub fn test(run: impl FnOnce()) {
    ext().execute_with(|| {
        run();
        check();
    });
}

/// A node with its off-chain index.
pub struct Node(TestExternalities);

impl Node {
    pub fn new() -> Self {
        Self(ext())
    }

    pub fn run<R>(&mut self, run: impl FnOnce() -> R) -> R {
        let result = self.0.execute_with(run);
        self.0.persist_offchain_overlay();
        result
    }

    /// The leaves under a root.
    pub fn leaves(&self, root: &Hash) -> Option<Vec<Vec<u8>>> {
        let bytes = self.0.offchain_db().get(&leaves_key(root))?;
        let leaves = Vec::<Vec<u8>>::decode(&mut &bytes[..]).unwrap();
        assert_eq!(merkle::root(&leaves), *root);
        Some(leaves)
    }

    /// The block of the lane's last message before `block`, which has one, too.
    pub fn previous(&self, lane: LaneId, block: u32) -> Option<u32> {
        let key = previous_key(&lane, hash_of(block - 1).as_bytes());
        let bytes = self.0.offchain_db().get(&key)?;
        Some(u32::decode(&mut &bytes[..]).unwrap())
    }
}
