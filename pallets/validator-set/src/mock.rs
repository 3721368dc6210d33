//! A chain with sessions and the validator set. What is known of operators is told by the tests; rewards are minted into
//! their accounts.

use crate as pallet_validator_set;
use crate::Capacity;
use frame_support::{
    derive_impl,
    dispatch::DispatchResult,
    parameter_types,
    traits::{fungible::Mutate, ConstU128, ConstU32, ConstU64},
};
use frame_system::EnsureRoot;
use pallet_authorship::EventHandler;
use pallet_cdc_pool::{Role, StakeLedger};
use pallet_reputation::{ReputationLedger, ReputationReason, Score};
use pallet_session::{
    disabling::UpToLimitWithReEnablingDisablingStrategy,
    historical::{self as pallet_session_historical, NoteHistoricalRoot},
    NextKeys, PeriodicSessions, TestSessionHandler,
};
use pallet_slashing::{OffenceDesk, OffenceKind, Standing};
use pallet_worker_registry::{Outage, Requirements, WorkerDirectory};
use sp_io::TestExternalities;
use sp_runtime::{
    impl_opaque_keys,
    testing::UintAuthorityId,
    traits::{Convert, ConvertInto},
    BuildStorage, Perbill,
};
use std::collections::BTreeMap;

pub type Balance = u128;
pub type AccountId = u64;

impl_opaque_keys! {
    pub struct SessionKeys {
        pub dummy: UintAuthorityId,
    }
}

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
    pub type Session = pallet_session;
    #[runtime::pallet_index(3)]
    pub type Historical = pallet_session_historical;
    #[runtime::pallet_index(4)]
    pub type ValidatorSet = pallet_validator_set;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
    type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type AccountStore = System;
    type Balance = Balance;
    type ExistentialDeposit = ConstU128<1>;
}

/// Blocks of two seconds in a day.
pub const DAY: u64 = 43_200;
/// Blocks in a session.
pub const SESSION: u64 = 300;
pub const ERA: u32 = 6;
pub const YEAR: u64 = 365 * DAY;
pub const EVIDENCE_SESSIONS: u32 = 20;
pub const UNIT: Balance = 1_000_000_000_000_000_000;
pub const CAP: Balance = 1_000_000_000 * UNIT;
/// What is issued at genesis.
pub const INITIAL: Balance = 50_000_000 * UNIT;
pub const MIN_STAKE: Balance = 1_000 * UNIT;

type EveryPeriod = PeriodicSessions<ConstU64<SESSION>, ConstU64<0>>;

impl pallet_session::Config for Test {
    type RuntimeEvent = RuntimeEvent;
    type ValidatorId = AccountId;
    type ValidatorIdOf = ConvertInto;
    type ShouldEndSession = EveryPeriod;
    type NextSessionRotation = EveryPeriod;
    type SessionManager = NoteHistoricalRoot<Test, ValidatorSet>;
    type SessionHandler = TestSessionHandler;
    type Keys = SessionKeys;
    type DisablingStrategy = UpToLimitWithReEnablingDisablingStrategy;
    type WeightInfo = ();
    type Currency = Balances;
    type KeyDeposit = ConstU128<1>;
}

impl pallet_session_historical::Config for Test {
    type RuntimeEvent = RuntimeEvent;
    type FullIdentification = ();
    type FullIdentificationOf = Alone;
}

pub struct Alone;

impl Convert<AccountId, Option<()>> for Alone {
    fn convert(_: AccountId) -> Option<()> {
        Some(())
    }
}

/// An operator as the other pallets know it.
#[derive(Clone)]
pub struct Operator {
    pub validates: bool,
    pub stake: Balance,
    pub own: Balance,
    pub score: Score,
    pub uptime: Perbill,
    pub standing: Standing<u64>,
    pub capacity: Capacity,
}

/// A good one with this stake.
pub fn operator(stake: Balance) -> Operator {
    Operator {
        validates: true,
        stake,
        own: MIN_STAKE,
        score: 1_000,
        uptime: Perbill::one(),
        standing: Standing::Good,
        capacity: Capacity {
            gflops: 1_000,
            peak_to_rated: 1_000_000,
        },
    }
}

parameter_types! {
    pub const ValidatorShare: Perbill = Perbill::from_percent(40);
    pub static Operators: BTreeMap<AccountId, Operator> = BTreeMap::new();
    /// How much of the token is on other chains.
    pub static Outside: Balance = 0;
    pub Supply: Balance = Balances::total_issuance() + Outside::get();
}

impl pallet_validator_set::Config for Test {
    type Stakes = Others;
    type Reputations = Others;
    type Workers = Others;
    type Offences = Others;
    type Capacities = Others;
    type Supply = Supply;
    type InviteOrigin = EnsureRoot<AccountId>;
    type MaxValidators = ConstU32<64>;
    type MinValidatorStake = ConstU128<MIN_STAKE>;
    type SessionsPerEra = ConstU32<ERA>;
    type EvidenceSessions = ConstU32<EVIDENCE_SESSIONS>;
    type Year = ConstU64<YEAR>;
    type MaxIssuance = ConstU128<CAP>;
    type ValidatorShare = ValidatorShare;
    type WeightInfo = crate::weights::SubstrateWeight<Test>;
}

/// The pool, the books of reputation, the registry of workers and the desk of offences.
pub struct Others;

fn of<V: Default>(who: &AccountId, part: impl Fn(&Operator) -> V) -> V {
    Operators::get().get(who).map(part).unwrap_or_default()
}

impl StakeLedger<AccountId, Balance, u64> for Others {
    fn stake(who: &AccountId) -> Balance {
        of(who, |operator| operator.stake)
    }

    fn own_stake(who: &AccountId) -> Balance {
        of(who, |operator| operator.own)
    }

    fn has_role(_: &AccountId, _: Role) -> bool {
        true
    }

    fn operators(role: Role) -> Vec<(AccountId, Balance)> {
        Operators::get()
            .into_iter()
            .filter(|(_, operator)| role == Role::Worker || operator.validates)
            .map(|(who, operator)| (who, operator.stake))
            .collect()
    }

    fn reserve(_: &AccountId, _: Balance) -> DispatchResult {
        Ok(())
    }

    fn release(_: &AccountId, _: Balance) {}

    fn forfeit(_: &AccountId, _: Balance, _: Option<&AccountId>) -> Balance {
        0
    }

    fn slash(_: &AccountId, _: Perbill, _: u64, _: Option<(&AccountId, Perbill)>) -> Balance {
        0
    }

    fn reward(who: &AccountId, amount: Balance) -> Balance {
        if Self::stake(who) == 0 {
            return 0;
        }
        Balances::mint_into(who, amount).unwrap()
    }
}

impl ReputationLedger<AccountId> for Others {
    fn score(who: &AccountId) -> Score {
        of(who, |operator| operator.score)
    }

    fn note(_: &AccountId, _: ReputationReason) {}
}

impl WorkerDirectory<AccountId, u64> for Others {
    fn is_active(_: &AccountId) -> bool {
        true
    }

    fn meets(_: &AccountId, _: &Requirements) -> bool {
        true
    }

    fn uptime(who: &AccountId) -> Perbill {
        of(who, |operator| operator.uptime)
    }

    fn outage(_: &AccountId) -> Option<Outage<u64>> {
        None
    }
}

impl OffenceDesk<AccountId, u64> for Others {
    fn open_case(_: &AccountId, _: OffenceKind, _: u64) {}

    fn standing(who: &AccountId) -> Standing<u64> {
        Operators::get()
            .get(who)
            .map_or(Standing::Good, |operator| operator.standing)
    }
}

impl Convert<AccountId, Capacity> for Others {
    fn convert(who: AccountId) -> Capacity {
        Operators::get()[&who].capacity
    }
}

/// Makes `who` an operator with session keys.
pub fn stake(who: AccountId, operator: Operator) {
    Operators::mutate(|operators| operators.insert(who, operator));
    set_keys(who, who);
}

/// Changes what is known of an operator.
pub fn change(who: AccountId, change: impl FnOnce(&mut Operator)) {
    Operators::mutate(|operators| change(operators.get_mut(&who).unwrap()));
}

pub fn set_keys(who: AccountId, key: u64) {
    let dummy = UintAuthorityId(key);
    NextKeys::<Test>::insert(who, SessionKeys { dummy });
}

/// Has `who` author so many blocks.
pub fn author(who: AccountId, blocks: u32) {
    for _ in 0..blocks {
        <ValidatorSet as EventHandler<_, u64>>::note_author(who);
    }
}

pub fn at(block: u64) {
    System::set_block_number(block);
}

pub fn now() -> u64 {
    System::block_number()
}

/// Lets a session pass.
pub fn session() {
    at(now() + SESSION);
    Session::rotate_session();
}

/// Lets sessions pass until the set that the next election brings serves.
pub fn era() {
    // A set is elected a session before it serves.
    loop {
        session();
        if Session::current_index().is_multiple_of(ERA) {
            return;
        }
    }
}

pub fn validators() -> Vec<AccountId> {
    Session::validators()
}

/// The pallet's events since the last time.
pub fn events() -> Vec<crate::Event<Test>> {
    let events = System::read_events_for_pallet();
    System::reset_events();
    events
}

pub fn check() {
    ValidatorSet::do_try_state().unwrap();
}

/// Block 1 of a chain with the genesis validators 1 to 5, none of whom has stake.
pub fn ext() -> TestExternalities {
    Operators::set(BTreeMap::new());
    Outside::set(0);
    let keys = |who: AccountId| {
        let dummy = UintAuthorityId(who);
        (who, who, SessionKeys { dummy })
    };
    let genesis = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: vec![(1_000, INITIAL)],
            ..Default::default()
        },
        session: pallet_session::GenesisConfig {
            keys: (1..=5).rev().map(keys).collect(),
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
