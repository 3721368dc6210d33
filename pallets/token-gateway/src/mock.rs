//! A chain with balances and the gateway. What leaves is noted in place of the outbound queue; what arrives the tests
//! say.

use crate as pallet_token_gateway;
use crate::{ArrivalOf, Call, CanonicalSupply, Limits, LimitsOf, RemoteOf};
use ciro_bridge_primitives::{ChainKind, Destination, LaneId, Message, Payload, ResultLeaf, Word};
use frame_support::{
    assert_ok, derive_impl, parameter_types,
    traits::{
        fungible::Mutate,
        tokens::{Fortitude, Precision, Preservation},
        Get, SortedMembers, UnixTime,
    },
};
use frame_system::{EnsureRoot, EnsureSignedBy};
use pallet_attesters::ReceiveMessage;
use pallet_outbound_queue::Outbox;
use sp_io::TestExternalities;
use sp_runtime::{
    traits::{Convert, Dispatchable, IdentityLookup},
    AccountId32, BuildStorage, DispatchError, DispatchResult,
};
use std::time::Duration;

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
    pub type Gateway = pallet_token_gateway;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
    type AccountData = pallet_balances::AccountData<Balance>;
}

pub const EXISTENTIAL_DEPOSIT: Balance = 10;
/// What a message costs.
pub const FEE: Balance = 3;
/// What every account starts with.
pub const ENDOWMENT: Balance = 100_000;
pub const WINDOW: u64 = 100;
/// Blocks for which large arrivals wait.
pub const DELAY: u64 = 30;
/// Seconds since 1970 in block 0.
pub const START: u64 = 1_000_000;
/// Two chains of the EVM and one of Starknet's kind. The lane to a fourth is not open.
pub const LANES: [LaneId; 4] = [
    LaneId([1; 32]),
    LaneId([2; 32]),
    LaneId([3; 32]),
    LaneId([4; 32]),
];

parameter_types! {
    pub const ExistentialDeposit: Balance = EXISTENTIAL_DEPOSIT;
    pub const Window: u64 = WINDOW;
    /// What has left, in order.
    pub static Sent: Vec<Message> = Vec::new();
    /// Whether nothing more can leave in this block.
    pub static QueueFull: bool = false;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type AccountStore = System;
    type Balance = Balance;
    type ExistentialDeposit = ExistentialDeposit;
}

impl pallet_token_gateway::Config for Test {
    type Token = Balances;
    type Outbox = Notebook;
    type Lanes = Atlas;
    type Clock = Clock;
    type ManagerOrigin = EnsureRoot<AccountId>;
    type SafetyOrigin = EnsureSignedBy<GuardAlone, AccountId>;
    type Window = Window;
    type WeightInfo = crate::weights::SubstrateWeight<Test>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = Atlas;
}

/// The account that may pause, halt and suspend.
pub struct GuardAlone;

impl SortedMembers<AccountId> for GuardAlone {
    fn sorted_members() -> Vec<AccountId> {
        vec![guard()]
    }
}

/// A block lasts two seconds.
pub struct Clock;

impl UnixTime for Clock {
    fn now() -> Duration {
        Duration::from_secs(START + 2 * now())
    }
}

/// Where the lanes lead to.
pub struct Atlas;

impl Convert<LaneId, Option<Destination>> for Atlas {
    fn convert(lane: LaneId) -> Option<Destination> {
        let place = LANES[..3].iter().position(|known| *known == lane)?;
        let kind = if place < 2 {
            ChainKind::Evm
        } else {
            ChainKind::Starknet
        };
        Some(Destination {
            kind,
            chain_id: [1; 32],
            contract: [place as u8 + 1; 32],
        })
    }
}

#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper for Atlas {
    fn lane(number: u32) -> LaneId {
        LANES[number as usize]
    }
}

/// Notes what leaves. As the queue does, it forgets nothing that it did before it fails.
pub struct Notebook;

impl Outbox<AccountId> for Notebook {
    fn send(lane: LaneId, payload: Payload) -> Result<u64, DispatchError> {
        if QueueFull::get() {
            return Err(DispatchError::Exhausted);
        }
        let mut sent = Sent::get();
        let nonce = sent.iter().filter(|message| message.lane == lane).count() as u64;
        sent.push(Message {
            lane,
            nonce,
            payload,
        });
        Sent::set(sent);
        Ok(nonce)
    }

    fn charge(sender: &AccountId) -> DispatchResult {
        Balances::burn_from(
            sender,
            FEE,
            Preservation::Preserve,
            Precision::Exact,
            Fortitude::Polite,
        )
        .map(|_| ())
    }

    fn note_result(_: ResultLeaf) {}
}

/// The account called `name`.
pub fn account(name: u8) -> AccountId {
    AccountId::new([name; 32])
}

pub fn alice() -> AccountId {
    account(1)
}

pub fn bob() -> AccountId {
    account(2)
}

pub fn guard() -> AccountId {
    account(70)
}

/// Someone without an account.
pub fn nobody() -> AccountId {
    account(99)
}

/// An address that both kinds of chains have.
pub fn address(name: u8) -> Word {
    let mut word = [0; 32];
    word[31] = name;
    assert!(ChainKind::Evm.is_address(&word));
    word
}

pub fn limits() -> LimitsOf<Test> {
    Limits {
        smallest: 5,
        largest: 2_000,
        most_outside: 10_000,
        out_per_window: 4_000,
        in_per_window: 3_000,
        delay_above: 1_000,
        delay: DELAY,
    }
}

/// Dispatches a call as an extrinsic would be: all or nothing.
fn dispatch(origin: RuntimeOrigin, call: Call<Test>) -> DispatchResult {
    let dispatched = RuntimeCall::from(call).dispatch(origin);
    dispatched.map(|_| ()).map_err(|refused| refused.error)
}

fn by_guard(call: Call<Test>) -> DispatchResult {
    dispatch(RuntimeOrigin::signed(guard()), call)
}

pub fn register(lane: LaneId, limits: LimitsOf<Test>) -> DispatchResult {
    dispatch(
        RuntimeOrigin::root(),
        Call::register_remote { lane, limits },
    )
}

pub fn set_limits(lane: LaneId, limits: LimitsOf<Test>) -> DispatchResult {
    dispatch(RuntimeOrigin::root(), Call::set_limits { lane, limits })
}

/// Sends to someone on another chain.
pub fn transfer_to(
    who: AccountId,
    lane: LaneId,
    recipient: Word,
    amount: Balance,
    lifetime: u64,
) -> DispatchResult {
    let call = Call::transfer_out {
        lane,
        recipient,
        amount,
        lifetime,
    };
    dispatch(RuntimeOrigin::signed(who), call)
}

/// Sends to someone on another chain within an hour.
pub fn transfer(who: AccountId, lane: LaneId, amount: Balance) -> DispatchResult {
    transfer_to(who, lane, address(9), amount, 3_600)
}

/// Has a burn for an account on Ciro arrive.
pub fn burnt(lane: LaneId, nonce: u64, to: &AccountId, amount: Balance) {
    let payload = Payload::Burn {
        destination: LaneId::CIRO,
        recipient: to.clone().into(),
        amount,
        refund: [0; 32],
    };
    receive(lane, nonce, payload);
}

/// Has a burn for another chain arrive, of which Bob gets what cannot go on.
pub fn forwarded(lane: LaneId, nonce: u64, destination: LaneId, recipient: Word, amount: Balance) {
    let payload = Payload::Burn {
        destination,
        recipient,
        amount,
        refund: bob().into(),
    };
    receive(lane, nonce, payload);
}

/// Has a mint that came too late arrive.
pub fn returned(lane: LaneId, nonce: u64, to: &AccountId, amount: Balance) {
    let payload = Payload::Return {
        nonce: 0,
        amount,
        refund: to.clone().into(),
    };
    receive(lane, nonce, payload);
}

pub fn receive(lane: LaneId, nonce: u64, payload: Payload) {
    assert!(<Gateway as ReceiveMessage>::accepts(&lane, &payload));
    <Gateway as ReceiveMessage>::receive(&Message {
        lane,
        nonce,
        payload,
    });
}

pub fn release(lane: LaneId, nonce: u64) -> DispatchResult {
    dispatch(
        RuntimeOrigin::signed(alice()),
        Call::release { lane, nonce },
    )
}

pub fn pause(lane: LaneId, outbound: bool, inbound: bool) -> DispatchResult {
    by_guard(Call::set_paused {
        lane,
        outbound,
        inbound,
    })
}

pub fn halt(halted: bool) -> DispatchResult {
    by_guard(Call::set_halted { halted })
}

pub fn suspend(lane: LaneId, nonce: u64) -> DispatchResult {
    by_guard(Call::suspend { lane, nonce })
}

pub fn resume(lane: LaneId, nonce: u64) -> DispatchResult {
    dispatch(RuntimeOrigin::root(), Call::resume { lane, nonce })
}

pub fn reject(lane: LaneId, nonce: u64) -> DispatchResult {
    dispatch(RuntimeOrigin::root(), Call::reject { lane, nonce })
}

pub fn remote(lane: LaneId) -> RemoteOf<Test> {
    Gateway::remote(lane).unwrap()
}

pub fn waits(lane: LaneId, nonce: u64) -> Option<ArrivalOf<Test>> {
    Gateway::arrival(lane, nonce)
}

pub fn supply() -> Balance {
    CanonicalSupply::<Test>::get()
}

pub fn free(who: &AccountId) -> Balance {
    Balances::free_balance(who)
}

/// Registers two remotes of the EVM, and sends Alice's tokens to the first: as much as a window lets pass.
pub fn opened() {
    assert_ok!(register(LANES[0], limits()));
    assert_ok!(register(LANES[1], limits()));
    assert_ok!(transfer(alice(), LANES[0], 2_000));
    assert_ok!(transfer(alice(), LANES[0], 2_000));
}

pub fn now() -> u64 {
    System::block_number()
}

pub fn at(block: u64) {
    System::set_block_number(block);
}

/// Checks every invariant of the chain's state.
pub fn check() {
    Gateway::do_try_state().unwrap();
}

/// Block 1 with accounts 1 to 4 endowed.
pub fn ext() -> TestExternalities {
    Sent::set(Vec::new());
    QueueFull::set(false);
    let genesis = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: (1..=4).map(|name| (account(name), ENDOWMENT)).collect(),
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
