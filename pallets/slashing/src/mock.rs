//! A chain with balances and the slashing pallet. Stake is the balance of an account beside the operator's; what is
//! known of presence, reputation and keys is told by the tests.

use crate as pallet_slashing;
use crate::{
    CaseId, CaseStatus, KeyHash, KeyHashes, OffenceDesk, OffenceKind, RecordOf, SessionOrigin,
    Standing,
};
use frame_support::{
    derive_impl,
    dispatch::DispatchResult,
    parameter_types,
    traits::{
        fungible::{Inspect, Mutate},
        tokens::Preservation,
        OnIdle,
    },
    weights::Weight,
};
use frame_system::EnsureRoot;
use pallet_cdc_pool::{Role, StakeLedger};
use pallet_reputation::{ReputationLedger, ReputationReason, Score};
use pallet_worker_registry::{Outage, Requirements, WorkerDirectory};
use sp_io::{hashing::blake2_256, TestExternalities};
use sp_runtime::{
    traits::{Convert, IdentityLookup},
    AccountId32, BuildStorage, Perbill,
};
use sp_staking::SessionIndex;
use std::collections::BTreeMap;

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
    pub type Slashing = pallet_slashing;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
    type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type AccountStore = System;
    type Balance = Balance;
    type ExistentialDeposit = frame_support::traits::ConstU128<1>;
}

/// Blocks of two seconds in a day.
pub const DAY: u64 = 43_200;
/// Blocks in an hour, and in a session of the tests.
pub const HOUR: u64 = 1_800;
pub const PROBATION: u64 = 30 * DAY;
pub const SIX_HOURS: u64 = 10_800;
/// What every operator has staked.
pub const STAKE: Balance = 1_000_000;

parameter_types! {
    pub const Day: u64 = DAY;
    pub const ProbationPeriod: u64 = PROBATION;
    pub const EvidencePeriod: u64 = 7 * DAY;
    pub const DowntimeThreshold: u64 = SIX_HOURS;
    pub const ReporterShare: Perbill = Perbill::from_percent(10);
    pub const SlashWeight: Weight = Weight::from_parts(1_000, 1_000);
    /// How many validators there are.
    pub static ValidatorCount: u32 = 4;
    /// The block in which each silent operator was last heard.
    pub static Silent: BTreeMap<AccountId, u64> = BTreeMap::new();
    /// What was noted of reputations.
    pub static Noted: Vec<(AccountId, ReputationReason)> = Vec::new();
    /// The slashes, as the ledger was told of them: fraction and block of the offence.
    pub static Slashed: Vec<(AccountId, Perbill, u64)> = Vec::new();
    /// The keys of operators that have taken another than the bytes of their account.
    pub static NewKeys: BTreeMap<AccountId, [u8; 32]> = BTreeMap::new();
}

impl pallet_slashing::Config for Test {
    type Stakes = Stakes;
    type Reputations = Reputations;
    type Workers = Workers;
    type ValidatorCount = ValidatorCount;
    type Sessions = Sessions;
    type KeysOf = KeysOf;
    type CancelOrigin = EnsureRoot<AccountId>;
    type SlashWeight = SlashWeight;
    type Day = Day;
    type DeferralPeriod = Day;
    type ProbationPeriod = ProbationPeriod;
    type CoordinationWindow = Day;
    type EvidencePeriod = EvidencePeriod;
    type DowntimeThreshold = DowntimeThreshold;
    type ReporterShare = ReporterShare;
    type WeightInfo = crate::weights::SubstrateWeight<Test>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = Workers;
}

/// The pool's part.
pub struct Stakes;

impl StakeLedger<AccountId, Balance, u64> for Stakes {
    fn stake(operator: &AccountId) -> Balance {
        Balances::total_balance(&stake_account(operator))
    }

    fn own_stake(operator: &AccountId) -> Balance {
        Self::stake(operator)
    }

    fn has_role(_: &AccountId, _: Role) -> bool {
        true
    }

    fn operators(_: Role) -> Vec<(AccountId, Balance)> {
        Vec::new()
    }

    fn reserve(_: &AccountId, _: Balance) -> DispatchResult {
        Ok(())
    }

    fn release(_: &AccountId, _: Balance) {}

    fn forfeit(_: &AccountId, _: Balance, _: Option<&AccountId>) -> Balance {
        0
    }

    fn slash(
        operator: &AccountId,
        fraction: Perbill,
        offence_at: u64,
        reporter: Option<(&AccountId, Perbill)>,
    ) -> Balance {
        Slashed::mutate(|slashed| slashed.push((operator.clone(), fraction, offence_at)));
        let taken = fraction * Self::stake(operator);
        let reward = reporter.map_or(0, |(who, share)| {
            let reward = share * taken;
            pay(&stake_account(operator), who, reward);
            reward
        });
        pay(&stake_account(operator), &treasury(), taken - reward);
        taken
    }

    fn reward(_: &AccountId, _: Balance) -> Balance {
        0
    }
}

fn pay(from: &AccountId, to: &AccountId, amount: Balance) {
    <Balances as Mutate<_>>::transfer(from, to, amount, Preservation::Expendable).unwrap();
}

/// The registry's part.
pub struct Workers;

impl WorkerDirectory<AccountId, u64> for Workers {
    fn is_active(_: &AccountId) -> bool {
        true
    }

    fn meets(_: &AccountId, _: &Requirements) -> bool {
        true
    }

    fn uptime(_: &AccountId) -> Perbill {
        Perbill::one()
    }

    fn outage(who: &AccountId) -> Option<Outage<u64>> {
        let since = *Silent::get().get(who)?;
        Some(Outage {
            since,
            blocks: System::block_number().saturating_sub(since),
        })
    }
}

#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper<AccountId> for Workers {
    fn silence(operator: &AccountId) {
        at(System::block_number() + SIX_HOURS);
        let since = System::block_number() - SIX_HOURS;
        Silent::mutate(|silent| silent.insert(operator.clone(), since));
    }
}

/// The books of reputation.
pub struct Reputations;

impl ReputationLedger<AccountId> for Reputations {
    fn score(_: &AccountId) -> Score {
        0
    }

    fn note(who: &AccountId, reason: ReputationReason) {
        Noted::mutate(|noted| noted.push((who.clone(), reason)));
    }
}

/// Sessions of an hour, whose validators were elected half an hour before.
pub struct Sessions;

impl Convert<SessionIndex, SessionOrigin<u64>> for Sessions {
    fn convert(session: SessionIndex) -> SessionOrigin<u64> {
        let started = u64::from(session) * HOUR;
        SessionOrigin {
            elected: started - HOUR / 2,
            started,
        }
    }
}

pub struct KeysOf;

impl Convert<AccountId, KeyHashes> for KeysOf {
    fn convert(who: AccountId) -> KeyHashes {
        vec![key_of(&who)].try_into().unwrap()
    }
}

/// The hash of the key that `who` uses now.
pub fn key_of(who: &AccountId) -> KeyHash {
    let new = NewKeys::get().get(who).copied();
    let key = new.unwrap_or_else(|| who.clone().into());
    blake2_256(&key)
}

/// The account called `name`.
pub fn account(name: u8) -> AccountId {
    AccountId::new([name; 32])
}

fn stake_account(operator: &AccountId) -> AccountId {
    let mut bytes: [u8; 32] = operator.clone().into();
    bytes[31] ^= 0xff;
    bytes.into()
}

/// Where slashed stake goes.
pub fn treasury() -> AccountId {
    account(0xee)
}

/// Someone without stake.
pub fn anyone() -> AccountId {
    account(0xdd)
}

pub fn signed() -> RuntimeOrigin {
    RuntimeOrigin::signed(anyone())
}

/// Opens a case as another pallet would; its number.
pub fn open(name: u8, kind: OffenceKind, at: u64) -> CaseId {
    let next = crate::NextCaseId::<Test>::get();
    <Slashing as OffenceDesk<_, _>>::open_case(&account(name), kind, at);
    next
}

pub fn record(case: CaseId) -> RecordOf<Test> {
    Slashing::case(case).unwrap()
}

pub fn status(case: CaseId) -> CaseStatus {
    record(case).status
}

pub fn standing(name: u8) -> Standing<u64> {
    Slashing::standing(account(name))
}

pub fn stake(name: u8) -> Balance {
    Stakes::stake(&account(name))
}

pub fn now() -> u64 {
    System::block_number()
}

pub fn at(block: u64) {
    System::set_block_number(block);
}

/// Lets a block with this much weight left end.
pub fn idle(remaining: Weight) -> Weight {
    <Slashing as OnIdle<u64>>::on_idle(now(), remaining)
}

/// Executes what is due, in an empty block.
pub fn idle_freely() {
    idle(Weight::from_parts(u64::MAX, u64::MAX));
}

pub fn check() {
    Slashing::do_try_state().unwrap();
}

/// Block 1, with the stakes of the operators 1 to 100.
pub fn ext() -> TestExternalities {
    ValidatorCount::set(4);
    Silent::set(BTreeMap::new());
    Noted::set(Vec::new());
    Slashed::set(Vec::new());
    NewKeys::set(BTreeMap::new());
    let genesis = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: (1..=100)
                .map(|name| (stake_account(&account(name)), STAKE))
                .collect(),
            ..Default::default()
        },
        ..Default::default()
    };
    let mut ext: TestExternalities = genesis.build_storage().unwrap().into();
    ext.execute_with(|| at(1));
    ext
}

/// Runs a test in [`ext`] and checks the invariants after it.
pub fn test(run: impl FnOnce()) {
    ext().execute_with(|| {
        run();
        check();
    });
}
