//! Governance: whoever holds CIRO proposes calls, votes on them with conviction, and the scheduler enacts them.

use crate::{
    configs::{gateway::Electorate, market::DEPOSIT_PER_BYTE, system::MAXIMUM_BLOCK_WEIGHT},
    constants::{DAYS, UNIT},
    origins::{Emergency, Paced, RootOr},
    tracks::Tracks,
    AccountId, Balance, Balances, BlockNumber, OriginCaller, Preimage, Referenda, Runtime,
    RuntimeCall, RuntimeEvent, RuntimeHoldReason, RuntimeOrigin, Scheduler, System, Treasury,
};
use frame_support::{
    parameter_types,
    traits::{
        fungible::HoldConsideration, AsEnsureOriginWithArg, ConstU128, ConstU32,
        EqualPrivilegeOnly, LinearStoragePrice,
    },
    weights::Weight,
};
use frame_system::{EnsureRoot, EnsureSigned};

/// Deposit of whoever submits a referendum. It comes back once the referendum is approved or cancelled.
pub const SUBMISSION_DEPOSIT: Balance = 1_000 * UNIT;
/// How long the votes of a decision stay locked at a conviction of one; each further step of conviction doubles it.
pub const VOTE_LOCKING_PERIOD: BlockNumber = 7 * DAYS;
/// How long a referendum may wait for its decision deposit.
pub const UNDECIDING_TIMEOUT: BlockNumber = 14 * DAYS;

parameter_types! {
    /// Holds a preimage's deposit.
    pub const PreimageHoldReason: RuntimeHoldReason =
        RuntimeHoldReason::Preimage(pallet_preimage::HoldReason::Preimage);
    /// What enacted calls may take of a block.
    pub MaximumSchedulerWeight: Weight = MAXIMUM_BLOCK_WEIGHT.saturating_div(2);
}

impl crate::origins::Config for Runtime {}

impl pallet_preimage::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type Currency = Balances;
    type ManagerOrigin = EnsureRoot<AccountId>;
    type Consideration = HoldConsideration<
        AccountId,
        Balances,
        PreimageHoldReason,
        LinearStoragePrice<ConstU128<UNIT>, ConstU128<DEPOSIT_PER_BYTE>, Balance>,
    >;
    type WeightInfo = pallet_preimage::weights::SubstrateWeight<Runtime>;
}

impl pallet_scheduler::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeOrigin = RuntimeOrigin;
    type PalletsOrigin = OriginCaller;
    type RuntimeCall = RuntimeCall;
    type MaximumWeight = MaximumSchedulerWeight;
    type ScheduleOrigin = EnsureRoot<AccountId>;
    type OriginPrivilegeCmp = EqualPrivilegeOnly;
    type MaxScheduledPerBlock = ConstU32<50>;
    type Preimages = Preimage;
    type BlockNumberProvider = System;
    type WeightInfo = pallet_scheduler::weights::SubstrateWeight<Runtime>;
}

impl pallet_conviction_voting::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type Currency = Balances;
    type Polls = Referenda;
    type MaxTurnout = Electorate;
    type MaxVotes = ConstU32<512>;
    type VoteLockingPeriod = Paced<ConstU32<VOTE_LOCKING_PERIOD>>;
    type BlockNumberProvider = System;
    type VotingHooks = ();
    type WeightInfo = pallet_conviction_voting::weights::SubstrateWeight<Runtime>;
}

impl pallet_referenda::Config for Runtime {
    type RuntimeCall = RuntimeCall;
    type RuntimeEvent = RuntimeEvent;
    type Scheduler = Scheduler;
    type Currency = Balances;
    type SubmitOrigin = AsEnsureOriginWithArg<EnsureSigned<AccountId>>;
    type CancelOrigin = RootOr<Emergency>;
    type KillOrigin = EnsureRoot<AccountId>;
    type Slash = Treasury;
    type Votes = Balance;
    type Tally = pallet_conviction_voting::TallyOf<Runtime>;
    type SubmissionDeposit = Paced<ConstU128<SUBMISSION_DEPOSIT>>;
    type MaxQueued = ConstU32<100>;
    type UndecidingTimeout = Paced<ConstU32<UNDECIDING_TIMEOUT>>;
    type AlarmInterval = ConstU32<1>;
    type Tracks = Tracks;
    type Preimages = Preimage;
    type BlockNumberProvider = System;
    type WeightInfo = pallet_referenda::weights::SubstrateWeight<Runtime>;
}
