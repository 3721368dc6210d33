//! What stops the chain in an emergency, in whole or in part, and what changes its state with a new runtime.
//!
//! Whatever is stopped, blocks are still made and finalised, and governance still decides: that is how a halt ends.

use crate::{
    configs::system::MAXIMUM_BLOCK_WEIGHT,
    constants::{DAYS, HOURS},
    migrations,
    origins::{paced_deposit, paced_period, Emergency, RootOr},
    tracks::LARGE_DEPOSIT,
    AccountId, Attesters, Babe, Balance, Balances, Beefy, BlockNumber, ConvictionVoting,
    EthereumClient, Grandpa, MultiBlockMigrations, OutboundQueue, Parameters, Preimage, Referenda,
    Runtime, RuntimeCall, RuntimeEvent, RuntimeHoldReason, SafeMode, Scheduler, Session, Sudo,
    System, Timestamp, TokenGateway, Treasury, TxPause,
};
use frame_support::{
    migrations::{FailedMigrationHandler, FailedMigrationHandling},
    parameter_types,
    traits::{ConstU32, Contains, GetCallMetadata, InsideBoth, MapSuccess, PalletInfoAccess},
    weights::Weight,
};
use frame_system::EnsureRoot;
use pallet_tx_pause::RuntimeCallNameOf;
use sp_runtime::traits::Replace;

/// How long safe mode lasts once an account has entered it with a deposit.
///
/// The deposit is large and stays held for long: all the CIRO in circulation at the launch would keep the chain in safe
/// mode for 50 hours of the 28 days.
pub const SAFE_MODE_DURATION: BlockNumber = HOURS;
/// By how much a referendum enters or extends safe mode.
pub const FORCED_SAFE_MODE_DURATION: BlockNumber = DAYS;
/// How long the deposit stays held: time enough for a referendum of Root, which may burn it.
pub const SAFE_MODE_RELEASE_DELAY: BlockNumber = 28 * DAYS;

parameter_types! {
    /// What an account risks that enters safe mode.
    pub SafeModeDeposit: Option<Balance> = Some(paced_deposit(LARGE_DEPOSIT));
    /// Nobody but governance extends safe mode.
    pub const NoDeposit: Option<Balance> = None;
    /// How long a deposit stays held.
    pub ReleaseDelay: Option<BlockNumber> = Some(paced_period(SAFE_MODE_RELEASE_DELAY));
    /// What migrations in steps may take of a block.
    pub MaxMigrationWeight: Weight = MAXIMUM_BLOCK_WEIGHT.saturating_div(2);
}

/// What signed accounts and the origins of governance may call now. Root may call anything.
pub type CallFilter = InsideBoth<SafeMode, TxPause>;

/// What neither safe mode nor a pause stops: consensus, governance, and the safety of the chain and its bridge.
///
/// To that belongs following Ethereum: a client that misses a period of its committees, 27 hours, has lost the way. What
/// is made of it, `Attesters::prove`, can be paused.
pub struct Essential;

impl Essential {
    fn contains_call(pallet: &[u8], call: &[u8]) -> bool {
        let bridge = [
            OutboundQueue::name(),
            Attesters::name(),
            TokenGateway::name(),
        ];
        let halts = |name: &&str| (name.as_bytes(), &b"set_halted"[..]) == (pallet, call);
        Self::contains_pallet(pallet) || bridge.iter().any(halts)
    }

    fn contains_pallet(name: &[u8]) -> bool {
        [
            System::name(),
            Timestamp::name(),
            Babe::name(),
            Grandpa::name(),
            Beefy::name(),
            Session::name(),
            Preimage::name(),
            Scheduler::name(),
            ConvictionVoting::name(),
            Referenda::name(),
            Treasury::name(),
            Parameters::name(),
            Sudo::name(),
            SafeMode::name(),
            TxPause::name(),
            MultiBlockMigrations::name(),
            EthereumClient::name(),
        ]
        .iter()
        .any(|essential| essential.as_bytes() == name)
    }
}

impl Contains<RuntimeCall> for Essential {
    fn contains(call: &RuntimeCall) -> bool {
        let name = call.get_call_metadata();
        Self::contains_call(name.pallet_name.as_bytes(), name.function_name.as_bytes())
    }
}

impl Contains<RuntimeCallNameOf<Runtime>> for Essential {
    fn contains((pallet, call): &RuntimeCallNameOf<Runtime>) -> bool {
        Self::contains_call(pallet, call)
    }
}

impl pallet_safe_mode::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type WhitelistedCalls = Essential;
    type EnterDuration = ConstU32<SAFE_MODE_DURATION>;
    type ExtendDuration = ConstU32<SAFE_MODE_DURATION>;
    type EnterDepositAmount = SafeModeDeposit;
    type ExtendDepositAmount = NoDeposit;
    type ForceEnterOrigin =
        MapSuccess<RootOr<Emergency>, Replace<ConstU32<FORCED_SAFE_MODE_DURATION>>>;
    type ForceExtendOrigin = Self::ForceEnterOrigin;
    type ForceExitOrigin = RootOr<Emergency>;
    type ForceDepositOrigin = EnsureRoot<AccountId>;
    type Notify = ();
    type ReleaseDelay = ReleaseDelay;
    type WeightInfo = pallet_safe_mode::weights::SubstrateWeight<Runtime>;
}

impl pallet_tx_pause::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type PauseOrigin = RootOr<Emergency>;
    type UnpauseOrigin = RootOr<Emergency>;
    type WhitelistedCalls = Essential;
    type MaxNameLen = ConstU32<256>;
    type WeightInfo = pallet_tx_pause::weights::SubstrateWeight<Runtime>;
}

impl pallet_migrations::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type Migrations = migrations::MultiBlock;
    type CursorMaxLen = ConstU32<65_536>;
    type IdentifierMaxLen = ConstU32<256>;
    type MigrationStatusHandler = ();
    type FailedMigrationHandler = RepairInSafeMode;
    type MaxServiceWeight = MaxMigrationWeight;
    type WeightInfo = pallet_migrations::weights::SubstrateWeight<Runtime>;
}

/// After a failed migration the chain stays in safe mode until governance has repaired it. Were it left stuck, no
/// transaction could ever bring the repair.
pub struct RepairInSafeMode;

impl FailedMigrationHandler for RepairInSafeMode {
    fn failed(_: Option<u32>) -> FailedMigrationHandling {
        let entered = if SafeMode::is_entered() {
            <SafeMode as frame_support::traits::SafeMode>::extend(BlockNumber::MAX)
        } else {
            <SafeMode as frame_support::traits::SafeMode>::enter(BlockNumber::MAX)
        };
        match entered {
            Ok(()) => FailedMigrationHandling::ForceUnstuck,
            Err(_) => FailedMigrationHandling::KeepStuck,
        }
    }
}
