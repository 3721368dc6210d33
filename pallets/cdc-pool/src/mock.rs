//! A chain with balances and the pool. Who is banned or has an open case is set by the tests.

use crate as pallet_cdc_pool;
use crate::{HoldReason, Operators, PositionOf, Positions, StakeLedger, TotalStake};
use frame_support::{
    assert_ok, derive_impl, parameter_types,
    traits::{
        fungible::{Inspect, InspectHold},
        tokens::imbalance::ResolveTo,
        ConstU32, Contains,
    },
    PalletId,
};
use sp_io::TestExternalities;
use sp_runtime::{traits::IdentityLookup, AccountId32, BuildStorage, DispatchResult, Perbill};

pub use crate::Balance;
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
    pub type Pool = pallet_cdc_pool;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
    type AccountData = pallet_balances::AccountData<Balance>;
}

pub const EXISTENTIAL_DEPOSIT: Balance = 10;
pub const MIN_OWN: Balance = 1_000;
pub const MIN_DELEGATION: Balance = 100;
pub const UNBONDING: u64 = 50;
pub const MAX_OPERATORS: u32 = 3;
pub const MAX_DELEGATIONS: u32 = 4;
/// A freeze's identity.
pub const FREEZE: u8 = 1;
/// What every account starts with.
pub const ENDOWMENT: Balance = 100_000;

parameter_types! {
    pub const ExistentialDeposit: Balance = EXISTENTIAL_DEPOSIT;
    pub const MinOperatorStake: Balance = MIN_OWN;
    pub const MinDelegation: Balance = MIN_DELEGATION;
    pub const UnbondingPeriod: u64 = UNBONDING;
    pub const MaxCommission: Perbill = Perbill::from_percent(30);
    pub const PotId: PalletId = PalletId(*b"ciropool");
    pub static Price: u128 = 1_000_000;
    pub static BannedAccounts: Vec<AccountId> = Vec::new();
    pub static OpenCases: Vec<AccountId> = Vec::new();
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

impl pallet_cdc_pool::Config for Test {
    type Token = Balances;
    type SlashDestination = ResolveTo<Treasury, Balances>;
    type Banned = Banned;
    type Frozen = Frozen;
    type UsdPrice = Price;
    type PotId = PotId;
    type MinOperatorStake = MinOperatorStake;
    type MinDelegation = MinDelegation;
    type UnbondingPeriod = UnbondingPeriod;
    type MaxCommission = MaxCommission;
    type MaxOperators = ConstU32<MAX_OPERATORS>;
    type MaxDelegations = ConstU32<MAX_DELEGATIONS>;
    type WeightInfo = crate::weights::SubstrateWeight<Test>;
}

pub struct Banned;

impl Contains<AccountId> for Banned {
    fn contains(who: &AccountId) -> bool {
        BannedAccounts::get().contains(who)
    }
}

pub struct Frozen;

impl Contains<AccountId> for Frozen {
    fn contains(who: &AccountId) -> bool {
        OpenCases::get().contains(who)
    }
}

/// The account called `name`.
pub fn account(name: u8) -> AccountId {
    AccountId::new([name; 32])
}

/// An operator, once it has staked.
pub fn operator() -> AccountId {
    account(1)
}

/// Stakes for the operator.
pub fn alice() -> AccountId {
    account(2)
}

/// Stakes for the operator too.
pub fn bob() -> AccountId {
    account(3)
}

/// Someone without an account.
pub fn nobody() -> AccountId {
    account(99)
}

/// Where slashed funds go.
pub fn treasury() -> AccountId {
    account(77)
}

pub fn stake(who: AccountId, amount: Balance) -> DispatchResult {
    Pool::stake(RuntimeOrigin::signed(who), amount)
}

pub fn stake_for(operator: AccountId, who: AccountId, amount: Balance) -> DispatchResult {
    Pool::stake_for_worker(RuntimeOrigin::signed(who), operator, amount)
}

pub fn unstake(operator: AccountId, who: AccountId, amount: Balance) -> DispatchResult {
    Pool::unstake(RuntimeOrigin::signed(who), operator, amount)
}

pub fn withdraw(operator: AccountId, who: AccountId) -> DispatchResult {
    Pool::withdraw_unbonded(RuntimeOrigin::signed(who), operator)
}

pub fn claim(operator: AccountId, who: AccountId) -> DispatchResult {
    Pool::claim_rewards(RuntimeOrigin::signed(who), operator)
}

pub fn set_roles(who: AccountId, worker: bool, validator: bool) -> DispatchResult {
    Pool::set_roles(RuntimeOrigin::signed(who), worker, validator)
}

pub fn set_commission(who: AccountId, percent: u32) -> DispatchResult {
    Pool::set_commission(RuntimeOrigin::signed(who), Perbill::from_percent(percent))
}

pub fn slash(percent: u32, offence_at: u64) -> Balance {
    <Pool as StakeLedger<_, _, _>>::slash(
        &operator(),
        Perbill::from_percent(percent),
        offence_at,
        None,
    )
}

pub fn reward(amount: Balance) -> Balance {
    Pool::reward(&operator(), amount)
}

pub fn reserve(amount: Balance) -> DispatchResult {
    Pool::reserve(&operator(), amount)
}

pub fn pending(staker: AccountId) -> Balance {
    Pool::pending_rewards(operator(), staker)
}

pub fn position(staker: AccountId) -> PositionOf<Test> {
    Positions::<Test>::get(operator(), staker).unwrap()
}

pub fn record() -> crate::OperatorOf<Test> {
    Operators::<Test>::get(operator()).unwrap()
}

pub fn total_stake() -> Balance {
    TotalStake::<Test>::get()
}

/// Makes [`operator`] a worker with 6,000 of its own, for whom [`alice`] has staked 3,000 and [`bob`] 1,000.
pub fn staked() {
    assert_ok!(stake(operator(), 6_000));
    assert_ok!(set_roles(operator(), true, false));
    assert_ok!(stake_for(operator(), alice(), 3_000));
    assert_ok!(stake_for(operator(), bob(), 1_000));
}

/// Opens the pot, so that the next reward is credited in full.
pub fn open_pot() {
    assert_ok!(
        <Balances as frame_support::traits::fungible::Mutate<_>>::mint_into(
            &Pool::pot(),
            EXISTENTIAL_DEPOSIT
        )
    );
}

pub fn held(who: &AccountId) -> Balance {
    Balances::balance_on_hold(&HoldReason::Stake.into(), who)
}

pub fn total(who: &AccountId) -> Balance {
    Balances::total_balance(who)
}

pub fn at(block: u64) {
    System::set_block_number(block);
}

/// Checks every invariant of the chain's state.
pub fn check() {
    Pool::do_try_state().unwrap();
}

/// Block 1 with accounts 1 to 6 and the treasury endowed.
pub fn ext() -> TestExternalities {
    BannedAccounts::set(Vec::new());
    OpenCases::set(Vec::new());
    let mut balances: Vec<_> = (1..=6).map(|name| (account(name), ENDOWMENT)).collect();
    balances.push((treasury(), EXISTENTIAL_DEPOSIT));
    let genesis = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances,
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
