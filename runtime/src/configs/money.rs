//! CIRO itself, and what a transaction costs.

use crate::{
    constants::{MICROUNIT, MILLIUNIT},
    AccountId, Authorship, Balance, Balances, Runtime, RuntimeEvent, RuntimeFreezeReason,
    RuntimeHoldReason, System,
};
use frame_support::{
    parameter_types,
    traits::{
        fungible::{Balanced, Credit},
        ConstU128, ConstU32, ConstU8, OnUnbalanced, VariantCountOf,
    },
    weights::ConstantMultiplier,
};
use pallet_transaction_payment::{FungibleAdapter, Multiplier, TargetedFeeAdjustment};
use sp_runtime::{traits::One, FixedPointNumber, Perquintill};

/// Least balance that keeps an account alive.
pub const EXISTENTIAL_DEPOSIT: Balance = MILLIUNIT;
/// Fee of a picosecond of computation: 5 CIRO a second. A transfer costs about 0.0012 CIRO.
pub const FEE_PER_PICOSECOND: Balance = 5 * MICROUNIT / 1_000_000;
/// Fee of a byte. A block that is full by length costs as much as one that is full by weight; a proof of 150 kB costs
/// 0.15 CIRO.
pub const FEE_PER_BYTE: Balance = MICROUNIT;

impl pallet_balances::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeHoldReason = RuntimeHoldReason;
    type RuntimeFreezeReason = RuntimeFreezeReason;
    type Balance = Balance;
    type ExistentialDeposit = ConstU128<EXISTENTIAL_DEPOSIT>;
    type AccountStore = System;
    type DustRemoval = ();
    type FreezeIdentifier = RuntimeFreezeReason;
    type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
    // Holds and freezes replace locks and named reserves. Only votes still lock.
    type ReserveIdentifier = [u8; 8];
    type MaxLocks = ConstU32<1>;
    type MaxReserves = ConstU32<0>;
    type DoneSlashHandler = ();
    type WeightInfo = pallet_balances::weights::SubstrateWeight<Runtime>;
}

/// Gives fees and tips to the block's author; if it can hold none of it, they are burned.
pub struct ToAuthor;

impl OnUnbalanced<Credit<AccountId, Balances>> for ToAuthor {
    fn on_nonzero_unbalanced(credit: Credit<AccountId, Balances>) {
        if let Some(author) = Authorship::author() {
            drop(Balances::resolve(&author, credit));
        }
    }
}

parameter_types! {
    /// How full blocks are while the fee of computation stays as it is.
    pub const TargetBlockFullness: Perquintill = Perquintill::from_percent(25);
    /// How fast the fee of computation follows demand: up by a quarter in a day of full blocks.
    pub AdjustmentVariable: Multiplier = Multiplier::saturating_from_rational(75, 10_000_000);
    /// On a quiet chain computation costs its base fee.
    pub MinimumMultiplier: Multiplier = Multiplier::one();
    /// However busy the chain, computation costs at most a thousand times its base fee.
    pub MaximumMultiplier: Multiplier = Multiplier::saturating_from_integer(1_000);
}

impl pallet_transaction_payment::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type OnChargeTransaction = FungibleAdapter<Balances, ToAuthor>;
    type OperationalFeeMultiplier = ConstU8<5>;
    type WeightToFee = ConstantMultiplier<Balance, ConstU128<FEE_PER_PICOSECOND>>;
    type LengthToFee = ConstantMultiplier<Balance, ConstU128<FEE_PER_BYTE>>;
    type FeeMultiplierUpdate = TargetedFeeAdjustment<
        Self,
        TargetBlockFullness,
        AdjustmentVariable,
        MinimumMultiplier,
        MaximumMultiplier,
    >;
    type WeightInfo = pallet_transaction_payment::weights::SubstrateWeight<Runtime>;
}
