//! A chain with balances and the registry, whose extrinsics pass [`frame_system::AuthorizeCall`].

use crate as pallet_worker_registry;
use crate::{
    Capabilities, HeartbeatKey, HeartbeatPair, HeartbeatSignature, HoldReason, Region, Window,
};
use frame_support::{
    assert_ok, derive_impl,
    dispatch::{DispatchResultWithPostInfo, GetDispatchInfo},
    parameter_types,
    traits::{fungible::InspectHold, ConstU128, ConstU16, ConstU32, ConstU64, Contains, Hooks},
};
use frame_system::offchain::{
    CreateAuthorizedTransaction, CreateTransaction, CreateTransactionBase,
};
use sp_core::{
    offchain::{testing::TestTransactionPoolExt, TransactionPoolExt},
    Encode, Pair, H256,
};
use sp_io::TestExternalities;
use sp_keystore::{testing::MemoryKeystore, KeystoreExt};
use sp_runtime::{
    generic,
    testing::UintAuthorityId,
    traits::{Applyable, BlakeTwo256, Checkable},
    transaction_validity::{TransactionSource, TransactionValidity},
    ApplyExtrinsicResultWithInfo, BuildStorage,
};
use std::sync::LazyLock;

pub type Balance = u128;
pub type AccountId = u64;
pub type TxExtension = (frame_system::AuthorizeCall<Test>,);
pub type Extrinsic =
    generic::UncheckedExtrinsic<AccountId, RuntimeCall, UintAuthorityId, TxExtension>;
type Block = generic::Block<generic::Header<u32, BlakeTwo256>, Extrinsic>;

/// Blocks of a window.
pub const PERIOD: u32 = 10;
/// Windows of a day.
pub const WINDOWS: u32 = 24;
/// Blocks of a day.
pub const DAY: u32 = PERIOD * WINDOWS;
pub const DEPOSIT: Balance = 100;
pub const ENDOWMENT: Balance = 1_000;
pub const PRIORITY: u64 = 77;
pub const MAX_WORKERS: u32 = 4;

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
    pub type Registry = pallet_worker_registry;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type AccountStore = System;
    type Balance = Balance;
    type ExistentialDeposit = ConstU128<10>;
}

impl<LocalCall> CreateTransactionBase<LocalCall> for Test
where
    RuntimeCall: From<LocalCall>,
{
    type Extrinsic = Extrinsic;
    type RuntimeCall = RuntimeCall;
}

impl<LocalCall> CreateTransaction<LocalCall> for Test
where
    RuntimeCall: From<LocalCall>,
{
    type Extension = TxExtension;

    fn create_transaction(call: RuntimeCall, extension: TxExtension) -> Extrinsic {
        Extrinsic::new_transaction(call, extension)
    }
}

impl<LocalCall> CreateAuthorizedTransaction<LocalCall> for Test
where
    RuntimeCall: From<LocalCall>,
{
    fn create_extension() -> TxExtension {
        (frame_system::AuthorizeCall::new(),)
    }
}

parameter_types! {
    /// Who is banned, which keys are, and who may not leave.
    pub static BannedAccounts: Vec<AccountId> = Vec::new();
    pub static BannedHeartbeatKeys: Vec<HeartbeatKey> = Vec::new();
    pub static BusyAccounts: Vec<AccountId> = Vec::new();
}

pub struct Banned;
impl Contains<AccountId> for Banned {
    fn contains(who: &AccountId) -> bool {
        BannedAccounts::get().contains(who)
    }
}

pub struct BannedKeys;
impl Contains<HeartbeatKey> for BannedKeys {
    fn contains(key: &HeartbeatKey) -> bool {
        BannedHeartbeatKeys::get().contains(key)
    }
}

pub struct Busy;
impl Contains<AccountId> for Busy {
    fn contains(who: &AccountId) -> bool {
        BusyAccounts::get().contains(who)
    }
}

impl pallet_worker_registry::Config for Test {
    type Token = Balances;
    type RegistrationDeposit = ConstU128<DEPOSIT>;
    type MaxWorkers = ConstU32<MAX_WORKERS>;
    type HeartbeatPeriod = ConstU32<PERIOD>;
    type WindowsPerDay = ConstU16<{ WINDOWS as u16 }>;
    type HeartbeatPriority = ConstU64<PRIORITY>;
    type Banned = Banned;
    type BannedKeys = BannedKeys;
    type Busy = Busy;
    type WeightInfo = crate::weights::SubstrateWeight<Test>;
}

pub const ALICE: AccountId = 1;
pub const BOB: AccountId = 2;
/// Has no account.
pub const NOBODY: AccountId = 8;
pub const GENESIS: H256 = H256::repeat_byte(0xaa);

/// Making a pair costs more than any call: they are made once.
static PAIRS: LazyLock<[HeartbeatPair; 10]> =
    LazyLock::new(|| core::array::from_fn(|number| HeartbeatPair::from_seed(&[number as u8; 32])));

/// The heartbeat pair of this number, 0 to 9. Tests give account `n` the pair `n`.
pub fn pair(number: u64) -> HeartbeatPair {
    PAIRS[number as usize].clone()
}

pub fn key(number: u64) -> HeartbeatKey {
    pair(number).public()
}

pub fn capabilities() -> Capabilities {
    Capabilities {
        gpu_model: b"NVIDIA H100".to_vec().try_into().unwrap(),
        memory: 80_000,
        gflops: 60_000,
        region: Region::Europe,
        peer_address: b"/ip4/192.0.2.1/tcp/30333".to_vec().try_into().unwrap(),
    }
}

pub fn origin(who: AccountId) -> RuntimeOrigin {
    RuntimeOrigin::signed(who)
}

/// Registers an account with the pair of its number.
pub fn register(who: AccountId) {
    assert_ok!(Registry::register(origin(who), capabilities(), key(who)));
}

pub fn sign(
    pair: &HeartbeatPair,
    genesis: H256,
    who: AccountId,
    window: Window,
) -> HeartbeatSignature {
    pair.sign(&ciro_primitives::heartbeat_payload(&genesis, &who, window))
}

/// The transaction that tells of a heartbeat.
pub fn transaction(who: AccountId, window: Window, signature: HeartbeatSignature) -> Extrinsic {
    let call = pallet_worker_registry::Call::heartbeat {
        who,
        window,
        signature,
    };
    <Test as CreateAuthorizedTransaction<RuntimeCall>>::create_authorized_transaction(call.into())
}

/// What the transaction pool says of a transaction.
pub fn validate(transaction: Extrinsic) -> TransactionValidity {
    let (info, len) = (transaction.get_dispatch_info(), transaction.encoded_size());
    Checkable::check(transaction, &frame_system::ChainContext::<Test>::default())?.validate::<Test>(
        TransactionSource::External,
        &info,
        len,
    )
}

/// What a block does with a transaction.
pub fn apply(
    transaction: Extrinsic,
) -> ApplyExtrinsicResultWithInfo<frame_support::dispatch::PostDispatchInfo> {
    let (info, len) = (transaction.get_dispatch_info(), transaction.encoded_size());
    Checkable::check(transaction, &frame_system::ChainContext::<Test>::default())?
        .apply::<Test>(&info, len)
}

/// The heartbeat of an account in the current window, signed with the pair of its number.
pub fn heartbeat(who: AccountId) -> Extrinsic {
    let window = window();
    transaction(who, window, sign(&pair(who), GENESIS, who, window))
}

/// Applies [`heartbeat`], which must succeed.
pub fn beat(who: AccountId) {
    let result: DispatchResultWithPostInfo = apply(heartbeat(who)).unwrap();
    assert_ok!(result);
}

/// The current window.
pub fn window() -> Window {
    System::block_number() / PERIOD
}

/// Moves the chain to a block.
pub fn at(block: u32) {
    System::set_block_number(block);
}

/// Moves the chain to a place in a window.
pub fn at_window(window: Window, place: u32) {
    at(window * PERIOD + place);
}

/// What a node does after it has imported the current block.
pub fn import() {
    <Registry as Hooks<_>>::offchain_worker(System::block_number());
}

pub fn held(who: AccountId) -> Balance {
    Balances::balance_on_hold(&HoldReason::Registration.into(), &who)
}

/// Block 1 with accounts 1 to 6 endowed, nobody banned or busy, and an empty keystore.
pub fn ext() -> TestExternalities {
    BannedAccounts::take();
    BannedHeartbeatKeys::take();
    BusyAccounts::take();
    let genesis = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: (1..=6).map(|who| (who, ENDOWMENT)).collect(),
            ..Default::default()
        },
        ..Default::default()
    };
    let mut ext: TestExternalities = genesis.build_storage().unwrap().into();
    ext.register_extension(KeystoreExt::new(MemoryKeystore::new()));
    ext.execute_with(|| {
        at(1);
        frame_system::BlockHash::<Test>::insert(0, GENESIS);
    });
    ext
}

/// Runs a test in [`ext`] and checks the invariants after it.
pub fn test(run: impl FnOnce()) {
    ext().execute_with(|| {
        run();
        Registry::do_try_state().unwrap();
    });
}

/// As [`test`], with the transactions that the node sends, oldest first, in the test's hands.
pub fn test_node(run: impl FnOnce(&dyn Fn() -> Vec<Extrinsic>)) {
    let mut ext = ext();
    let (pool, state) = TestTransactionPoolExt::new();
    ext.register_extension(TransactionPoolExt::new(pool));
    let sent = || {
        let encoded = core::mem::take(&mut state.write().transactions);
        let decode = |bytes: Vec<u8>| codec::Decode::decode(&mut &bytes[..]).unwrap();
        encoded.into_iter().map(decode).collect()
    };
    ext.execute_with(|| {
        run(&sent);
        Registry::do_try_state().unwrap();
    });
}
