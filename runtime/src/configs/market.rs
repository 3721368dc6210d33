//! Models and jobs: what an entry costs, and what a worker stands to lose.

use crate::{
    configs::parameters::{dynamic::market, Value},
    constants::{DAYS, MICROUNIT, MILLIUNIT, UNIT},
    Balance, Balances, BlockNumber, ModelRegistry, Runtime,
};
use frame_support::{
    parameter_types,
    traits::{ConstU128, ConstU32},
};
use sp_runtime::Permill;

/// Deposit for a byte of storage.
pub const DEPOSIT_PER_BYTE: Balance = 100 * MICROUNIT;
/// Lowest collateral of a claim.
pub const MIN_COLLATERAL: Balance = UNIT;
/// Shortest time for a job: 20 seconds.
pub const MIN_JOB_DURATION: BlockNumber = 10;
/// Longest time for a job.
pub const MAX_JOB_DURATION: BlockNumber = DAYS;
/// How long a settled job stays for its requester to read.
pub const RETENTION_PERIOD: BlockNumber = 7 * DAYS;

parameter_types! {
    /// Collateral of a claim as a share of the price.
    pub const CollateralRatio: Permill = Permill::from_percent(50);
    /// What a refused proof burns of the collateral.
    pub const InvalidProofCut: Permill = Permill::from_percent(50);
    /// What a job that is given back costs of the collateral.
    pub const ReleaseCut: Permill = Permill::from_percent(10);
    /// What a missed deadline costs of the collateral.
    pub const ExpiryCut: Permill = Permill::from_percent(50);
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
    type MinJobPrice = Value<market::MinJobPrice>;
    type MinJobDuration = ConstU32<MIN_JOB_DURATION>;
    type MaxJobDuration = ConstU32<MAX_JOB_DURATION>;
    type MinCollateral = ConstU128<MIN_COLLATERAL>;
    type CollateralRatio = CollateralRatio;
    type InvalidProofCut = InvalidProofCut;
    type ReleaseCut = ReleaseCut;
    type ExpiryCut = ExpiryCut;
    type RetentionPeriod = ConstU32<RETENTION_PERIOD>;
    type DepositBase = ConstU128<{ 100 * MILLIUNIT }>;
    type DepositPerByte = ConstU128<DEPOSIT_PER_BYTE>;
    type WeightInfo = pallet_job_market::weights::SubstrateWeight<Runtime>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = crate::fixtures::Fixtures;
}
