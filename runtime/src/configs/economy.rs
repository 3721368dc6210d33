//! Stake, reputation, presence and what offences cost.

use crate::{
    configs::{
        consensus::EVIDENCE_SESSIONS,
        parameters::{dynamic::economy, Value},
        treasury::ToTreasury,
    },
    constants::{DAYS, EPOCH_SLOTS, HOURS, MINUTES, UNIT},
    origins::{Paced, RootOr, SlashCanceller},
    AccountId, Balance, Balances, BlockNumber, CdcPool, Reputation, Runtime, WorkerRegistry,
};
use frame_support::{
    parameter_types,
    traits::{ConstU128, ConstU16, ConstU32, ConstU64, Contains, Get},
    weights::Weight,
    PalletId,
};
use pallet_session::NextKeys;
use pallet_slashing::{BannedAccounts, BannedKeyHashes, KeyHash, KeyHashes, UnderInvestigation};
use pallet_worker_registry::{HeartbeatKey, Workers};
use sp_core::crypto::ByteArray;
use sp_io::hashing::blake2_256;
use sp_runtime::{
    traits::{Convert, OpaqueKeys},
    Perbill,
};

/// Least stake of its own that makes an account an operator.
pub const MIN_OPERATOR_STAKE: Balance = 100 * UNIT;
/// Least stake for another's operator.
pub const MIN_DELEGATION: Balance = 10 * UNIT;
/// Least stake of its own that a validator must have.
pub const MIN_VALIDATOR_STAKE: Balance = 10_000 * UNIT;
/// How long stake that is taken back stays on hold and answers for the past: as long as evidence is taken.
pub const UNBONDING_PERIOD: BlockNumber = 7 * DAYS;
/// Most operators, workers and validators together.
pub const MAX_OPERATORS: u32 = 8_192;
/// Most accounts that stake for another's operator: a slash goes through all of them.
pub const MAX_DELEGATIONS: u32 = 256;
/// Blocks in each of which a heartbeat is due: 300 seconds.
pub const HEARTBEAT_PERIOD: BlockNumber = 5 * MINUTES;
/// Heartbeats in a day.
pub const HEARTBEATS_PER_DAY: u16 = (DAYS / HEARTBEAT_PERIOD) as u16;
/// Silence for which an operator may be reported: 72 heartbeats.
pub const DOWNTIME: BlockNumber = 6 * HOURS;
/// How long a case waits for governance to cancel it.
pub const DEFERRAL_PERIOD: BlockNumber = DAYS;

parameter_types! {
    /// The account from which rewards are paid derives from this.
    pub const RewardPot: PalletId = PalletId(*b"ciro/rwd");
    /// Most of its rewards that an operator may keep before they are shared.
    pub const MaxCommission: Perbill = Perbill::from_percent(50);
    /// What the reporter of a downtime gets of the stake that is taken.
    pub const ReporterShare: Perbill = Perbill::from_percent(10);
}

impl pallet_reputation::Config for Runtime {
    type DecayPeriod = ConstU32<{ 30 * DAYS }>;
    type WeightInfo = pallet_reputation::weights::SubstrateWeight<Runtime>;
}

impl pallet_cdc_pool::Config for Runtime {
    type Token = Balances;
    type SlashDestination = ToTreasury;
    type Banned = BannedAccounts<Runtime>;
    type Frozen = UnderInvestigation<Runtime>;
    type UsdPrice = Value<economy::CiroPrice>;
    type PotId = RewardPot;
    type MinOperatorStake = ConstU128<MIN_OPERATOR_STAKE>;
    type MinDelegation = ConstU128<MIN_DELEGATION>;
    type UnbondingPeriod = Paced<ConstU32<UNBONDING_PERIOD>>;
    type MaxCommission = MaxCommission;
    type MaxOperators = ConstU32<MAX_OPERATORS>;
    type MaxDelegations = ConstU32<MAX_DELEGATIONS>;
    type WeightInfo = pallet_cdc_pool::weights::SubstrateWeight<Runtime>;
}

impl pallet_worker_registry::Config for Runtime {
    type Token = Balances;
    type RegistrationDeposit = ConstU128<UNIT>;
    type MaxWorkers = ConstU32<MAX_OPERATORS>;
    type HeartbeatPeriod = ConstU32<HEARTBEAT_PERIOD>;
    type WindowsPerDay = ConstU16<HEARTBEATS_PER_DAY>;
    type HeartbeatPriority = ConstU64<{ u64::MAX / 2 }>;
    type Banned = BannedAccounts<Runtime>;
    type BannedKeys = BannedHeartbeatKeys;
    type Busy = Engaged;
    type WeightInfo = pallet_worker_registry::weights::SubstrateWeight<Runtime>;
}

impl pallet_slashing::Config for Runtime {
    type Stakes = CdcPool;
    type Reputations = Reputation;
    type Workers = WorkerRegistry;
    type ValidatorCount = pallet_validator_set::ValidatorCount<Runtime>;
    type Sessions = pallet_validator_set::Sessions<Runtime>;
    type KeysOf = KeysOf;
    type CancelOrigin = RootOr<SlashCanceller>;
    type SlashWeight = SlashWeight;
    type Day = ConstU32<DAYS>;
    type DeferralPeriod = Paced<ConstU32<DEFERRAL_PERIOD>>;
    type ProbationPeriod = ConstU32<{ 30 * DAYS }>;
    type CoordinationWindow = ConstU32<DAYS>;
    type EvidencePeriod = ConstU32<{ EVIDENCE_SESSIONS * EPOCH_SLOTS }>;
    type DowntimeThreshold = ConstU32<DOWNTIME>;
    type ReporterShare = ReporterShare;
    type WeightInfo = pallet_slashing::weights::SubstrateWeight<Runtime>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = crate::benchmarks::Silence;
}

/// What slashing an operator with every place taken weighs.
pub struct SlashWeight;

impl Get<Weight> for SlashWeight {
    fn get() -> Weight {
        use pallet_cdc_pool::weights::{SubstrateWeight, WeightInfo};
        SubstrateWeight::<Runtime>::slash(MAX_DELEGATIONS.saturating_add(1))
    }
}

/// The hashes of the keys that an account signs blocks, votes and heartbeats with.
pub struct KeysOf;

impl Convert<AccountId, KeyHashes> for KeysOf {
    fn convert(who: AccountId) -> KeyHashes {
        let session = NextKeys::<Runtime>::get(&who).into_iter().flat_map(|keys| {
            let kinds = <crate::SessionKeys as OpaqueKeys>::key_ids();
            kinds
                .iter()
                .map(move |kind| blake2_256(keys.get_raw(*kind)))
        });
        let heartbeat = Workers::<Runtime>::get(&who).map(|worker| hash_of(&worker.heartbeat_key));
        KeyHashes::truncate_from(session.chain(heartbeat).collect())
    }
}

/// Heartbeat keys that were banned with their owners.
pub struct BannedHeartbeatKeys;

impl Contains<HeartbeatKey> for BannedHeartbeatKeys {
    fn contains(key: &HeartbeatKey) -> bool {
        BannedKeyHashes::<Runtime>::contains(&hash_of(key))
    }
}

fn hash_of(key: &HeartbeatKey) -> KeyHash {
    blake2_256(key.as_slice())
}

/// Operators that may not leave the registry: they have a role, stake set aside for jobs, or a case against them.
pub struct Engaged;

impl Contains<AccountId> for Engaged {
    fn contains(who: &AccountId) -> bool {
        let operator = pallet_cdc_pool::Operators::<Runtime>::get(who);
        operator.is_some_and(|operator| !operator.roles.is_empty() || operator.reserved > 0)
            || UnderInvestigation::<Runtime>::contains(who)
    }
}
