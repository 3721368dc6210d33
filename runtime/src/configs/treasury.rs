//! The treasury: what slashes, lost deposits and the market's fees bring in, and who may spend it.
//!
//! A vote approves a spend with `spend`; then anyone may have it paid out. What is not spent stays: nothing is burned.

use crate::{
    constants::DAYS,
    origins::{BigSpender, Only, SmallSpender},
    tracks::{LARGE_DEPOSIT, SMALL_DEPOSIT},
    AccountId, Balance, Balances, BlockNumber, Runtime, RuntimeEvent, System,
};
use frame_support::{
    parameter_types,
    traits::{
        tokens::{imbalance::ResolveTo, PayFromAccount, UnityAssetBalanceConversion},
        ConstU128, ConstU32, EitherOf, MapSuccess,
    },
    PalletId,
};
use frame_system::{EnsureRoot, EnsureRootWithSuccess};
use pallet_treasury::TreasuryAccountId;
use sp_runtime::{
    traits::{IdentityLookup, Replace},
    Permill,
};

/// The most that a small spender spends at once: as much as its referendum has bonded.
pub const SMALL_SPEND: Balance = SMALL_DEPOSIT;
/// The most that a big spender spends at once: as much as its referendum has bonded.
pub const BIG_SPEND: Balance = LARGE_DEPOSIT;
/// How long an approved spend can be paid out.
pub const PAYOUT_PERIOD: BlockNumber = 30 * DAYS;

parameter_types! {
    /// The treasury's account derives from this.
    pub const TreasuryPalletId: PalletId = PalletId(*b"ciro/trs");
    /// What is not spent stays.
    pub const TreasuryBurn: Permill = Permill::zero();
}

/// Gives what was slashed, and what the market keeps, to the treasury.
pub type ToTreasury = ResolveTo<TreasuryAccountId<Runtime>, Balances>;

/// Who may spend, and how much at once: Root without limit.
type Spenders = EitherOf<
    EnsureRootWithSuccess<AccountId, ConstU128<{ Balance::MAX }>>,
    EitherOf<
        MapSuccess<Only<SmallSpender>, Replace<ConstU128<SMALL_SPEND>>>,
        MapSuccess<Only<BigSpender>, Replace<ConstU128<BIG_SPEND>>>,
    >,
>;

impl pallet_treasury::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type Currency = Balances;
    type RejectOrigin = EnsureRoot<AccountId>;
    type SpendOrigin = Spenders;
    type PalletId = TreasuryPalletId;
    type SpendPeriod = ConstU32<{ 7 * DAYS }>;
    type PayoutPeriod = ConstU32<PAYOUT_PERIOD>;
    type Burn = TreasuryBurn;
    type BurnDestination = ();
    type SpendFunds = ();
    // The old way to spend, without payouts, is closed.
    type MaxApprovals = ConstU32<0>;
    type AssetKind = ();
    type Beneficiary = AccountId;
    type BeneficiaryLookup = IdentityLookup<AccountId>;
    type Paymaster = PayFromAccount<Balances, TreasuryAccountId<Runtime>>;
    type BalanceConverter = UnityAssetBalanceConversion;
    type BlockNumberProvider = System;
    type WeightInfo = pallet_treasury::weights::SubstrateWeight<Runtime>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = ();
}
