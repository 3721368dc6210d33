//! Models and jobs: what an entry costs, what a worker stands to lose, and who is paid.

use crate::{
    configs::{
        parameters::{
            dynamic::{economy, market},
            Share, Value,
        },
        treasury::ToTreasury,
    },
    constants::{DAYS, HOURS, MICROUNIT, MILLIUNIT, MINUTES, UNIT},
    origins::Paced,
    AccountId, Balance, Balances, BlockNumber, CdcPool, ModelRegistry, OutboundQueue, Reputation,
    Runtime, Slashing, WorkerRegistry,
};
use frame_support::{
    parameter_types,
    traits::{ConstU128, ConstU32, Get},
};
use pallet_cdc_pool::{
    tiers::{self, MAX_PRIORITY},
    StakeLedger,
};
use pallet_job_market::Merit;
use pallet_reputation::{ReputationLedger, MAX_SCORE};
use sp_runtime::{Permill, Saturating};

/// Deposit for a byte of storage.
pub const DEPOSIT_PER_BYTE: Balance = 100 * MICROUNIT;
/// Lowest collateral of a claim.
pub const MIN_COLLATERAL: Balance = UNIT;
/// Shortest time for a job: more than the head start, so that every worker has a chance.
pub const MIN_JOB_DURATION: BlockNumber = MINUTES;
/// Longest time for a job.
pub const MAX_JOB_DURATION: BlockNumber = DAYS;
/// How long workers of whom nothing is known wait before they may claim a job: 30 seconds.
pub const HEAD_START: BlockNumber = MINUTES / 2;
/// How long a claim keeps others away.
pub const CLAIM_TERM: BlockNumber = HOURS;
/// How long the workers of a redundant job may reveal, once none commits any more.
pub const REVEAL_TERM: BlockNumber = 10 * MINUTES;
/// How long an answer without a proof may be disputed.
pub const CHALLENGE_PERIOD: BlockNumber = 3 * DAYS;
/// How long a disputed answer may be proven.
pub const PROOF_PERIOD: BlockNumber = HOURS;
/// What a challenger stakes on a dispute.
pub const DISPUTE_FEE: Balance = 10 * UNIT;
/// Jobs that a worker may owe at a time.
pub const MAX_WORKLOAD: u32 = 100;
/// How long a settled job stays for its requester to read.
pub const RETENTION_PERIOD: BlockNumber = 7 * DAYS;

parameter_types! {
    /// Collateral of a claim as a share of the price.
    pub const CollateralRatio: Permill = Permill::from_percent(50);
    /// What a refused proof burns of the collateral.
    pub const InvalidProofCut: Permill = Permill::from_percent(50);
    /// What a job that is given back at once costs of the collateral.
    pub const ReleaseCut: Permill = Permill::from_percent(10);
    /// What a missed deadline costs of the collateral.
    pub const ExpiryCut: Permill = Permill::from_percent(50);
    /// What a challenger who is right gets of the collateral.
    pub const ChallengerShare: Permill = Permill::from_percent(50);
}

impl pallet_model_registry::Config for Runtime {
    type Token = Balances;
    type DepositBase = ConstU128<UNIT>;
    type DepositPerByte = ConstU128<DEPOSIT_PER_BYTE>;
    type WeightInfo = pallet_model_registry::weights::SubstrateWeight<Runtime>;
}

impl pallet_job_market::Config for Runtime {
    type Token = Balances;
    type Models = ModelRegistry;
    type Verifier = pallet_job_market::StarkVerifier;
    type Stake = CdcPool;
    type Directory = WorkerRegistry;
    type Reputation = Reputation;
    type Offences = Slashing;
    type Merit = ReputationAndTier;
    type OnProven = OutboundQueue;
    type FeeDestination = ToTreasury;
    type MinJobPrice = Value<market::MinJobPrice>;
    type MinJobDuration = ConstU32<MIN_JOB_DURATION>;
    type MaxJobDuration = ConstU32<MAX_JOB_DURATION>;
    type HeadStart = ConstU32<HEAD_START>;
    type ClaimTerm = ConstU32<CLAIM_TERM>;
    type RevealTerm = ConstU32<REVEAL_TERM>;
    type ChallengePeriod = Paced<ConstU32<CHALLENGE_PERIOD>>;
    type ProofPeriod = ConstU32<PROOF_PERIOD>;
    type DisputeFee = ConstU128<DISPUTE_FEE>;
    type ChallengerShare = ChallengerShare;
    type MaxWorkload = ConstU32<MAX_WORKLOAD>;
    type MinCollateral = ConstU128<MIN_COLLATERAL>;
    type CollateralRatio = CollateralRatio;
    type InvalidProofCut = InvalidProofCut;
    type ReleaseCut = ReleaseCut;
    type ExpiryCut = ExpiryCut;
    type PlatformFee = Share<market::PlatformFee>;
    type FeeBurn = Share<market::FeeBurnShare>;
    type RetentionPeriod = ConstU32<RETENTION_PERIOD>;
    type DepositBase = ConstU128<{ 100 * MILLIUNIT }>;
    type DepositPerByte = ConstU128<DEPOSIT_PER_BYTE>;
    type WeightInfo = pallet_job_market::weights::SubstrateWeight<Runtime>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = crate::fixtures::Fixtures;
}

fn part(value: impl Into<u32>, best: impl Into<u32>) -> Permill {
    Permill::from_rational(value.into(), best.into())
}

/// An account's merit: half of it is its reputation, half the priority of its stake's tier, each as a part of the best.
pub struct ReputationAndTier;

impl Merit<AccountId> for ReputationAndTier {
    fn merit(who: &AccountId) -> Permill {
        let reputation = part(<Reputation as ReputationLedger<_>>::score(who), MAX_SCORE);
        let stake = <CdcPool as StakeLedger<_, _, _>>::stake(who);
        let price = Value::<economy::CiroPrice>::get();
        let priority = tiers::tier(stake, price).map_or(0, |tier| tier.priority);
        let half = Permill::from_percent(50);
        let tier = part(priority, MAX_PRIORITY);
        half.saturating_mul(reputation)
            .saturating_add(half.saturating_mul(tier))
    }
}
