//! A chain with balances and the registry only.

use crate as pallet_model_registry;
use crate::ModelName;
use ciro_zkml_air::{Preset, VerifyingKey};
use frame_support::{derive_impl, parameter_types};
use sp_io::TestExternalities;
use sp_runtime::BuildStorage;

pub type Balance = u128;
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
    pub type Registry = pallet_model_registry;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
    type AccountData = pallet_balances::AccountData<Balance>;
}

parameter_types! {
    pub const ExistentialDeposit: Balance = 10;
    pub const DepositBase: Balance = 100;
    pub const DepositPerByte: Balance = 2;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type AccountStore = System;
    type Balance = Balance;
    type ExistentialDeposit = ExistentialDeposit;
}

impl pallet_model_registry::Config for Test {
    type Token = Balances;
    type DepositBase = DepositBase;
    type DepositPerByte = DepositPerByte;
    type WeightInfo = crate::weights::SubstrateWeight<Test>;
}

pub const ALICE: AccountId = 1;
pub const BOB: AccountId = 2;
/// Has no account.
pub const NOBODY: AccountId = 3;

/// A valid key of 64 inputs and 10 outputs; each `seed` makes another.
pub fn key(seed: u8) -> VerifyingKey {
    VerifyingKey {
        version: VerifyingKey::CURRENT_VERSION,
        preset: Preset::Chain,
        log_lanes: 4,
        log_sizes: [0, 10, 8, 12, 16, 0, 0, 0, 0, 0, 0, 0],
        log_positions: 0,
        log_block: 0,
        inputs: 64,
        input_width: 64,
        outputs: 10,
        output_width: 10,
        constant_reads: 3,
        root: [seed; 32],
        interface: [0; 32],
    }
}

pub fn name(text: &str) -> ModelName {
    text.as_bytes().to_vec().try_into().unwrap()
}

/// Block 1, with Alice and Bob endowed.
pub fn ext() -> TestExternalities {
    let genesis = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: vec![(ALICE, 10_000), (BOB, 10_000)],
            ..Default::default()
        },
        ..Default::default()
    };
    let mut ext: TestExternalities = genesis.build_storage().unwrap().into();
    ext.execute_with(|| System::set_block_number(1));
    ext
}

/// Runs a test in [`ext`] and checks the invariants after it.
pub fn test(run: impl FnOnce()) {
    ext().execute_with(|| {
        run();
        Registry::do_try_state().unwrap();
    });
}
