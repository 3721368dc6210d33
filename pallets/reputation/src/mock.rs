//! A chain with the ledger only.

use crate as pallet_reputation;
use crate::{ReputationLedger, ReputationReason, Score};
use frame_support::{derive_impl, traits::ConstU64};
use sp_io::TestExternalities;
use sp_runtime::BuildStorage;

pub type AccountId = u64;

/// Blocks of a decay period.
pub const PERIOD: u64 = 100;
pub const ALICE: AccountId = 1;
pub const BOB: AccountId = 2;

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
    pub type Ledger = pallet_reputation;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
}

impl pallet_reputation::Config for Test {
    type DecayPeriod = ConstU64<PERIOD>;
    type WeightInfo = crate::weights::SubstrateWeight<Test>;
}

/// Moves the chain to a block.
pub fn at(block: u64) {
    System::set_block_number(block);
}

pub fn note(who: AccountId, reason: ReputationReason) {
    <Ledger as ReputationLedger<_>>::note(&who, reason);
}

pub fn score(who: AccountId) -> Score {
    <Ledger as ReputationLedger<_>>::score(&who)
}

/// Block 1.
pub fn ext() -> TestExternalities {
    let storage = RuntimeGenesisConfig::default().build_storage().unwrap();
    let mut ext: TestExternalities = storage.into();
    ext.execute_with(|| at(1));
    ext
}

/// Runs a test in [`ext`] and checks the invariants after it.
pub fn test(run: impl FnOnce()) {
    ext().execute_with(|| {
        run();
        Ledger::do_try_state().unwrap();
    });
}
