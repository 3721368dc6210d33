//! A chain with balances and attesters. What is true on the other chain, and what was received, the tests say and see.

use crate as pallet_attesters;
use crate::{BallotOf, Ballots, Call, Doubt, HoldReason, ReceiveMessage, VerifyMessage};
use ciro_bridge_primitives::{Hash, LaneId, Message, Payload};
use frame_support::{
    assert_ok, derive_impl, parameter_types,
    traits::{fungible::InspectHold, tokens::imbalance::ResolveTo, ConstU32},
    weights::Weight,
};
use frame_system::{EnsureRoot, EnsureSignedBy};
use sp_io::TestExternalities;
use sp_runtime::{traits::Dispatchable, BuildStorage, DispatchResult};
use std::collections::BTreeMap;

pub use crate::Balance;
pub type AccountId = u64;

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
    pub type Attesters = pallet_attesters;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
    type AccountData = pallet_balances::AccountData<Balance>;
}

pub const EXISTENTIAL_DEPOSIT: Balance = 10;
pub const BOND: Balance = 1_000;
pub const EVIDENCE: u64 = 50;
pub const UNBONDING: u64 = 60;
/// What every account starts with.
pub const ENDOWMENT: Balance = 100_000;
/// A freeze's identity.
pub const FREEZE: u8 = 1;
/// May halt, and nothing else.
pub const GUARD: AccountId = 70;
/// Where bonds of liars go.
pub const TREASURY: AccountId = 77;
/// The lanes whose messages are received.
pub const LANES: [LaneId; 2] = [LaneId([1; 32]), LaneId([2; 32])];

parameter_types! {
    pub const ExistentialDeposit: Balance = EXISTENTIAL_DEPOSIT;
    pub const MinBond: Balance = BOND;
    pub const EvidencePeriod: u64 = EVIDENCE;
    pub const UnbondingPeriod: u64 = UNBONDING;
    pub const Guard: AccountId = GUARD;
    pub const Treasury: AccountId = TREASURY;
    /// What was received, in order.
    pub static Received: Vec<Message> = Vec::new();
    /// What was sent on the other chains, where the light client can tell.
    pub static Truth: BTreeMap<(LaneId, u64), Hash> = BTreeMap::new();
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type AccountStore = System;
    type Balance = Balance;
    type ExistentialDeposit = ExistentialDeposit;
    type FreezeIdentifier = u8;
    type MaxFreezes = ConstU32<1>;
}

impl pallet_attesters::Config for Test {
    type Token = Balances;
    type SlashDestination = ResolveTo<Treasury, Balances>;
    type InviteOrigin = EnsureRoot<AccountId>;
    type SafetyOrigin = EnsureSignedBy<GuardAlone, AccountId>;
    type Receiver = Notebook;
    type LightClient = Oracle;
    type MinBond = MinBond;
    type EvidencePeriod = EvidencePeriod;
    type UnbondingPeriod = UnbondingPeriod;
    type WeightInfo = crate::weights::SubstrateWeight<Test>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = Notebook;
}

/// The guard.
pub struct GuardAlone;

impl frame_support::traits::SortedMembers<AccountId> for GuardAlone {
    fn sorted_members() -> Vec<AccountId> {
        vec![GUARD]
    }
}

/// Notes what is received.
pub struct Notebook;

impl ReceiveMessage for Notebook {
    fn accepts(lane: &LaneId, payload: &Payload) -> bool {
        LANES.contains(lane) && !payload.is_outbound()
    }

    fn receive(message: &Message) {
        Received::mutate(|received| received.push(*message));
    }

    fn weight() -> Weight {
        Weight::from_parts(1_000_000, 0)
    }
}

#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper for Notebook {
    fn lane() -> LaneId {
        LANES[0]
    }

    fn payload(number: u32) -> Payload {
        payload(number.into())
    }
}

/// Knows the truth, if it is shown the right evidence: the message's id.
pub struct Oracle;

impl VerifyMessage for Oracle {
    type Evidence = Hash;

    fn verify(message: &Message, evidence: &Hash) -> Result<(), Doubt> {
        let sent = Truth::get().get(&(message.lane, message.nonce)).copied();
        let shown = sent == Some(message.id()) && *evidence == message.id();
        shown.then_some(()).ok_or(Doubt::MessageNotFound)
    }

    fn weight(_: &Hash) -> Weight {
        Weight::from_parts(2_000_000, 0)
    }
}

/// A message's content; each number makes another.
pub fn payload(number: u128) -> Payload {
    Payload::Return {
        nonce: 0,
        amount: number,
        refund: [7; 32],
    }
}

pub fn message(lane: LaneId, nonce: u64, number: u128) -> Message {
    Message {
        lane,
        nonce,
        payload: payload(number),
    }
}

/// Dispatches a call as an extrinsic would be: all or nothing.
fn dispatch(origin: RuntimeOrigin, call: pallet_attesters::Call<Test>) -> DispatchResult {
    let dispatched = RuntimeCall::from(call).dispatch(origin);
    dispatched.map(|_| ()).map_err(|refused| refused.error)
}

pub fn invite(who: AccountId) -> DispatchResult {
    dispatch(RuntimeOrigin::root(), Call::invite { who })
}

pub fn remove(who: AccountId) -> DispatchResult {
    dispatch(RuntimeOrigin::root(), Call::remove { who })
}

pub fn join(who: AccountId, bond: Balance) -> DispatchResult {
    dispatch(RuntimeOrigin::signed(who), Call::join { bond })
}

pub fn leave(who: AccountId) -> DispatchResult {
    dispatch(RuntimeOrigin::signed(who), Call::leave {})
}

pub fn withdraw(who: AccountId) -> DispatchResult {
    dispatch(RuntimeOrigin::signed(who), Call::withdraw_bond {})
}

pub fn halt(halted: bool) -> DispatchResult {
    dispatch(RuntimeOrigin::signed(GUARD), Call::set_halted { halted })
}

/// Votes in a lane for the message of that nonce and number.
pub fn attest_in(lane: LaneId, who: AccountId, nonce: u64, number: u128) -> DispatchResult {
    let payload = payload(number);
    let call = Call::attest {
        lane,
        nonce,
        payload,
    };
    dispatch(RuntimeOrigin::signed(who), call)
}

/// Votes in the first lane.
pub fn attest(who: AccountId, nonce: u64, number: u128) -> DispatchResult {
    attest_in(LANES[0], who, nonce, number)
}

/// Says what was sent in a lane, and proves it.
pub fn prove_in(lane: LaneId, nonce: u64, number: u128) -> DispatchResult {
    let id = message(lane, nonce, number).id();
    Truth::mutate(|truth| truth.insert((lane, nonce), id));
    let call = Call::prove {
        lane,
        nonce,
        payload: payload(number),
        evidence: id,
    };
    dispatch(RuntimeOrigin::signed(99), call)
}

/// Proves in the first lane.
pub fn prove(nonce: u64, number: u128) -> DispatchResult {
    prove_in(LANES[0], nonce, number)
}

/// Makes accounts 1 to `count` attesters.
pub fn seated(count: u64) {
    for who in 1..=count {
        assert_ok!(invite(who));
        assert_ok!(join(who, BOND));
    }
}

pub fn ballot(nonce: u64) -> Option<BallotOf<Test>> {
    Ballots::<Test>::get(LANES[0], nonce)
}

pub fn held(who: AccountId) -> Balance {
    Balances::balance_on_hold(&HoldReason::Bond.into(), &who)
}

/// The nonces and numbers of what was received in the first lane, in order.
pub fn received() -> Vec<(u64, u128)> {
    let of_lane = |message: &Message| match message.payload {
        Payload::Return { amount, .. } if message.lane == LANES[0] => Some((message.nonce, amount)),
        _ => None,
    };
    Received::get().iter().filter_map(of_lane).collect()
}

pub fn now() -> u64 {
    System::block_number()
}

pub fn at(block: u64) {
    System::set_block_number(block);
}

/// Checks every invariant of the chain's state.
pub fn check() {
    Attesters::do_try_state().unwrap();
}

/// Block 1 with accounts 1 to 40 and the treasury endowed.
pub fn ext() -> TestExternalities {
    Received::set(Vec::new());
    Truth::set(BTreeMap::new());
    let mut balances: Vec<_> = (1..=40).map(|who| (who, ENDOWMENT)).collect();
    balances.push((TREASURY, EXISTENTIAL_DEPOSIT));
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
