//! A chain with balances, the registry and the market, and a verifier that costs nothing.

use crate as pallet_job_market;
use crate::{
    Auction, Claim, HoldReason, Input, JobOf, JobSpec, JobState, Output, Priority, Proof,
    RefusalReason, Verification, VerifyProof,
};
use ciro_primitives::{input_commitment, JobId, ModelId};
use ciro_zkml_air::{Preset, VerifyingKey, MAX_BINDING};
use ciro_zkml_verifier::{Statement, Tensor};
use codec::Encode;
use frame_support::{
    assert_ok, derive_impl,
    dispatch::DispatchResultWithPostInfo,
    parameter_types,
    traits::{
        fungible::{Inspect, InspectHold},
        tokens::imbalance::ResolveTo,
        ConstU32,
    },
};
use pallet_worker_registry::Requirements;
use sp_core::H256;
use sp_io::{hashing::blake2_256, TestExternalities};
use sp_runtime::{traits::IdentityLookup, AccountId32, BuildStorage, DispatchResult, Permill};

mod doubles;

pub use doubles::*;

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
    pub type Balances = pallet_balances;
    #[runtime::pallet_index(2)]
    pub type Registry = pallet_model_registry;
    #[runtime::pallet_index(3)]
    pub type Market = pallet_job_market;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
    type AccountData = pallet_balances::AccountData<Balance>;
}

pub const EXISTENTIAL_DEPOSIT: Balance = 10;
pub const MIN_PRICE: Balance = 1_000;
pub const MIN_COLLATERAL: Balance = 700;
pub const DEPOSIT_BASE: Balance = 100;
pub const MIN_DURATION: u64 = 5;
pub const MAX_DURATION: u64 = 100;
pub const RETENTION: u64 = 50;
pub const HEAD_START: u64 = 4;
pub const CLAIM_TERM: u64 = 10;
pub const REVEAL_TERM: u64 = 6;
pub const CHALLENGE_PERIOD: u64 = 15;
pub const PROOF_PERIOD: u64 = 7;
pub const DISPUTE_FEE: Balance = 300;
pub const MAX_WORKLOAD: u32 = 4;
/// The model owner's share of each price.
pub const ROYALTY: Permill = Permill::from_percent(10);
/// A freeze's identity.
pub const FREEZE: u8 = 1;
/// The model's floor for a sample.
pub const FLOOR: Balance = 600;
/// What every account starts with.
pub const ENDOWMENT: Balance = 100_000;

parameter_types! {
    pub const ExistentialDeposit: Balance = EXISTENTIAL_DEPOSIT;
    pub const MinJobPrice: Balance = MIN_PRICE;
    pub const MinCollateral: Balance = MIN_COLLATERAL;
    pub const DepositBase: Balance = DEPOSIT_BASE;
    pub const DepositPerByte: Balance = 2;
    pub const DisputeFee: Balance = DISPUTE_FEE;
    pub const MinJobDuration: u64 = MIN_DURATION;
    pub const MaxJobDuration: u64 = MAX_DURATION;
    pub const RetentionPeriod: u64 = RETENTION;
    pub const HeadStart: u64 = HEAD_START;
    pub const ClaimTerm: u64 = CLAIM_TERM;
    pub const RevealTerm: u64 = REVEAL_TERM;
    pub const ChallengePeriod: u64 = CHALLENGE_PERIOD;
    pub const ProofPeriod: u64 = PROOF_PERIOD;
    pub const ChallengerShare: Permill = Permill::from_percent(50);
    pub const CollateralRatio: Permill = Permill::from_percent(50);
    pub const InvalidProofCut: Permill = Permill::from_percent(50);
    pub const ReleaseCut: Permill = Permill::from_percent(10);
    pub const ExpiryCut: Permill = Permill::from_percent(40);
    pub const PlatformFee: Permill = Permill::from_parts(25_000);
    pub const FeeBurn: Permill = Permill::from_percent(20);
    pub Treasury: AccountId = treasury();
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type AccountStore = System;
    type Balance = Balance;
    type ExistentialDeposit = ExistentialDeposit;
    type FreezeIdentifier = u8;
    type MaxFreezes = ConstU32<1>;
}

impl pallet_model_registry::Config for Test {
    type Token = Balances;
    type DepositBase = DepositBase;
    type DepositPerByte = DepositPerByte;
    type WeightInfo = pallet_model_registry::weights::SubstrateWeight<Test>;
}

impl pallet_job_market::Config for Test {
    type Token = Balances;
    type Models = Registry;
    type Verifier = TestVerifier;
    type Stake = TestStake;
    type Directory = TestDirectory;
    type Reputation = TestReputation;
    type Offences = TestOffences;
    type Merit = TestMerit;
    type OnProven = TestLog;
    type FeeDestination = ResolveTo<Treasury, Balances>;
    type HeadStart = HeadStart;
    type ClaimTerm = ClaimTerm;
    type RevealTerm = RevealTerm;
    type ChallengePeriod = ChallengePeriod;
    type ProofPeriod = ProofPeriod;
    type DisputeFee = DisputeFee;
    type ChallengerShare = ChallengerShare;
    type MaxWorkload = ConstU32<MAX_WORKLOAD>;
    type PlatformFee = PlatformFee;
    type FeeBurn = FeeBurn;
    type MinJobPrice = MinJobPrice;
    type MinJobDuration = MinJobDuration;
    type MaxJobDuration = MaxJobDuration;
    type MinCollateral = MinCollateral;
    type CollateralRatio = CollateralRatio;
    type InvalidProofCut = InvalidProofCut;
    type ReleaseCut = ReleaseCut;
    type ExpiryCut = ExpiryCut;
    type RetentionPeriod = RetentionPeriod;
    type DepositBase = DepositBase;
    type DepositPerByte = DepositPerByte;
    type WeightInfo = crate::weights::SubstrateWeight<Test>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = TestFixtures;
}

/// Takes the hash of the whole statement for its proof, whatever follows it. It checks what a real proof is bound to,
/// not what the model computes.
pub struct TestVerifier;

impl TestVerifier {
    pub fn proof(key: &VerifyingKey, statement: &Statement<'_>) -> Vec<u8> {
        let Statement {
            binding,
            batch,
            input,
            output,
        } = statement;
        blake2_256(&(key.id(), binding, batch, input, output).encode()).to_vec()
    }
}

impl VerifyProof for TestVerifier {
    fn verify(
        key: &VerifyingKey,
        statement: &Statement<'_>,
        proof: &[u8],
    ) -> Result<(), RefusalReason> {
        if statement.binding.len() > MAX_BINDING {
            Err(RefusalReason::Statement)
        } else if proof.starts_with(&Self::proof(key, statement)) {
            Ok(())
        } else {
            Err(RefusalReason::Sum)
        }
    }
}

/// Proofs for [`TestVerifier`], of any size.
#[cfg(feature = "runtime-benchmarks")]
pub struct TestFixtures;

#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper<AccountId> for TestFixtures {
    const MAX_PROOF: u32 = 100_000;
    const MAX_INPUT: u32 = 10_000;
    const MAX_OUTPUT: u32 = 1_000;
    const MAX_JOBS: u32 = MAX_WORKLOAD;

    fn enrol(worker: &AccountId) {
        enrol(worker, 1_000_000);
    }

    fn fixture(proof: u32, input: u32, output: u32) -> crate::Fixture<AccountId> {
        let mut key = key(9);
        key.log_sizes[1] = 16;
        (key.inputs, key.outputs) = (input.max(1), output.max(1));
        (key.input_width, key.output_width) = (key.inputs, key.outputs);
        let payee = account(77);
        let (input, output) = (
            vec![-1; key.inputs as usize],
            vec![-2; key.outputs as usize],
        );
        let genesis = [5; 32];
        let binding = ciro_primitives::JobBinding {
            genesis,
            job: 33,
            payee: payee.clone().into(),
        };
        let statement = Statement {
            binding: &binding.encode(),
            batch: 1,
            input: Tensor::Public(&input),
            output: Tensor::Public(&output),
        };
        let mut bytes = TestVerifier::proof(&key, &statement);
        bytes.resize(bytes.len().max(proof as usize), 0);
        crate::Fixture {
            key,
            genesis,
            job: 33,
            payee,
            batch: 1,
            input,
            output,
            proof: bytes,
        }
    }
}

/// The account called `name`.
pub fn account(name: u8) -> AccountId {
    AccountId::new([name; 32])
}

pub fn requester() -> AccountId {
    account(1)
}

pub fn worker() -> AccountId {
    account(2)
}

/// Someone with money and no part in the job.
pub fn other() -> AccountId {
    account(3)
}

/// Where fees go.
pub fn treasury() -> AccountId {
    account(99)
}

/// Someone without an account.
pub fn nobody() -> AccountId {
    account(4)
}

/// A valid key of 4 inputs and 2 outputs; each `seed` makes another.
pub fn key(seed: u8) -> VerifyingKey {
    VerifyingKey {
        version: VerifyingKey::CURRENT_VERSION,
        preset: Preset::Chain,
        log_lanes: 4,
        log_sizes: [0, 10, 8, 12, 16, 0, 0, 0, 0, 0, 0, 0],
        log_positions: 0,
        log_block: 0,
        inputs: 4,
        input_width: 4,
        outputs: 2,
        output_width: 2,
        constant_reads: 3,
        root: [seed; 32],
        interface: [0; 32],
    }
}

/// Registers `key` with [`FLOOR`], under an account of its own.
pub fn register(key: VerifyingKey) -> ModelId {
    let owner = RuntimeOrigin::signed(account(9));
    let id = ModelId(key.id());
    let name = b"digits".to_vec().try_into().unwrap();
    assert_ok!(Registry::register(owner, key, name, FLOOR, ROYALTY));
    id
}

pub fn model() -> ModelId {
    ModelId(key(1).id())
}

/// The input that tests commit to, with the model of [`key`].
pub fn input(batch: u32) -> Vec<i8> {
    (0..batch as i8 * 4).map(|value| value - 100).collect()
}

pub fn output(batch: u32) -> Vec<i32> {
    (0..batch as i32 * 2).map(|value| value - 1).collect()
}

/// A job as [`Market::submit_job`] takes it, of 2 samples at a fixed price of 2,000; tests change what they are about.
pub fn request() -> JobSpec<Balance, u64> {
    JobSpec {
        model: model(),
        batch: 2,
        input_commitment: H256(input_commitment(2, &input(2))),
        locator: b"blob".to_vec().try_into().unwrap(),
        price: Auction::fixed(2_000),
        duration: 20,
        verification: Verification::ZkMl,
        priority: Priority::Normal,
        requirements: Requirements::default(),
    }
}

/// As [`request`], at this level.
pub fn request_with(verification: Verification) -> JobSpec<Balance, u64> {
    JobSpec {
        verification,
        ..request()
    }
}

pub fn submit(who: AccountId, spec: JobSpec<Balance, u64>) -> DispatchResult {
    Market::submit_job(RuntimeOrigin::signed(who), spec)
}

/// Submits `spec`; the new job.
pub fn submitted_as(spec: JobSpec<Balance, u64>) -> JobId {
    assert_ok!(submit(requester(), spec));
    crate::NextJobId::<Test>::get() - 1
}

/// Submits [`request`]; the new job.
pub fn submitted() -> JobId {
    submitted_as(request())
}

/// Submits [`request`] and has [`worker`] claim it.
pub fn claimed() -> JobId {
    let job = submitted();
    assert_ok!(claim(worker(), job));
    job
}

pub fn claim(who: AccountId, job: JobId) -> DispatchResult {
    Market::claim_job(RuntimeOrigin::signed(who), job)
}

/// A result as [`Market::submit_result`] takes it; tests change what they are about.
#[derive(Clone)]
pub struct Answer {
    pub job: JobId,
    pub payee: AccountId,
    pub input: Vec<i8>,
    pub output: Vec<i32>,
    pub proof: Vec<u8>,
}

/// A good answer to a job submitted as [`request`].
pub fn answer(job: JobId, payee: AccountId) -> Answer {
    let batch = Market::job(job).map_or(2, |job| job.batch);
    let (input, output) = (input(batch), output(batch));
    let statement = Statement {
        binding: &Market::binding(job, payee.clone()),
        batch,
        input: Tensor::Public(&input),
        output: Tensor::Public(&output),
    };
    let proof = TestVerifier::proof(&key(1), &statement);
    Answer {
        job,
        payee,
        input,
        output,
        proof,
    }
}

impl Answer {
    pub fn submit(&self, who: AccountId) -> DispatchResultWithPostInfo {
        let input: Vec<u8> = self.input.iter().map(|value| *value as u8).collect();
        Market::submit_result(
            RuntimeOrigin::signed(who),
            self.job,
            self.payee.clone(),
            Input::try_from(input).unwrap(),
            Output::try_from(self.output.clone()).unwrap(),
            Proof::try_from(self.proof.clone()).unwrap(),
        )
    }
}

/// A result as [`Market::submit_results`] takes it; tests change what they are about.
#[derive(Clone)]
pub struct JointAnswer {
    pub jobs: Vec<JobId>,
    pub payee: AccountId,
    pub input: Vec<i8>,
    pub output: Vec<i32>,
    pub proof: Vec<u8>,
}

/// A good answer to jobs submitted as [`request`], of whatever batches.
pub fn joint_answer(jobs: &[JobId], payee: AccountId) -> JointAnswer {
    let batches = jobs.iter().map(|id| job(*id).batch);
    let input: Vec<i8> = batches.clone().flat_map(input).collect();
    let output: Vec<i32> = batches.clone().flat_map(output).collect();
    let statement = Statement {
        binding: &Market::joint_binding(jobs, payee.clone()),
        batch: batches.sum(),
        input: Tensor::Public(&input),
        output: Tensor::Public(&output),
    };
    let proof = TestVerifier::proof(&key(1), &statement);
    JointAnswer {
        jobs: jobs.to_vec(),
        payee,
        input,
        output,
        proof,
    }
}

impl JointAnswer {
    pub fn submit(&self, who: AccountId) -> DispatchResultWithPostInfo {
        let input: Vec<u8> = self.input.iter().map(|value| *value as u8).collect();
        Market::submit_results(
            RuntimeOrigin::signed(who),
            self.jobs.clone().try_into().unwrap(),
            self.payee.clone(),
            Input::try_from(input).unwrap(),
            Output::try_from(self.output.clone()).unwrap(),
            Proof::try_from(self.proof.clone()).unwrap(),
        )
    }
}

pub fn job(id: JobId) -> JobOf<Test> {
    Market::job(id).unwrap()
}

pub fn state(id: JobId) -> JobState<AccountId, Balance, u64> {
    job(id).state
}

/// What was claimed and is not answered yet.
pub fn claim_on(id: JobId) -> Claim<AccountId, Balance, u64> {
    match state(id) {
        JobState::Assigned(claim) => claim,
        other => panic!("{other:?} is no claim"),
    }
}

pub fn held(reason: HoldReason, who: &AccountId) -> Balance {
    Balances::balance_on_hold(&reason.into(), who)
}

pub fn free(who: &AccountId) -> Balance {
    Balances::free_balance(who)
}

pub fn total(who: &AccountId) -> Balance {
    Balances::total_balance(who)
}

pub fn at(block: u64) {
    System::set_block_number(block);
}

/// Checks every invariant of the chain's state.
pub fn check() {
    Market::do_try_state().unwrap();
    doubles::check_reservations();
    Registry::do_try_state().unwrap();
}

/// Block 1 with accounts 1, 2, 3 and 9 endowed and workers, and the model registered.
pub fn ext() -> TestExternalities {
    let endowed = [requester(), worker(), other(), account(9)];
    let genesis = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: endowed.clone().map(|who| (who, ENDOWMENT)).to_vec(),
            ..Default::default()
        },
        ..Default::default()
    };
    let mut ext: TestExternalities = genesis.build_storage().unwrap().into();
    ext.execute_with(|| {
        at(1);
        frame_system::BlockHash::<Test>::insert(0, H256::repeat_byte(0xaa));
        register(key(1));
        for who in endowed {
            enrol(&who, STAKE);
        }
    });
    ext
}

/// Runs a test in [`ext`] and checks the invariants after it.
pub fn test(run: impl FnOnce()) {
    ext().execute_with(|| {
        run();
        check();
    });
}
