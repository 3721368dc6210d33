//! What a stake's worth in US dollars entitles a worker to.

use crate::Balance;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::U256;
use sp_runtime::Percent;

/// Plancks of one CIRO.
const UNIT: u128 = 1_000_000_000_000_000_000;
/// Prices are in units of 10^-6 US dollars.
const PRICE_UNIT: u128 = 1_000_000;

/// A class of workers.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Tier {
    /// 1 to 8.
    pub number: u8,
    /// Least worth of the stake, in US dollars.
    pub usd: u32,
    /// Weight in the allocation of jobs, in tenths: 10 to 50.
    pub priority: u8,
    /// What is added to earnings: 5 to 50 %.
    pub bonus: Percent,
}

const fn tier_terms(number: u8, usd: u32, priority: u8, bonus: u8) -> Tier {
    Tier {
        number,
        usd,
        priority,
        bonus: Percent::from_percent(bonus),
    }
}

/// All tiers, lowest first.
pub const TIERS: [Tier; 8] = [
    tier_terms(1, 100, 10, 5),
    tier_terms(2, 500, 15, 10),
    tier_terms(3, 2_500, 20, 15),
    tier_terms(4, 10_000, 25, 20),
    tier_terms(5, 50_000, 30, 25),
    tier_terms(6, 100_000, 35, 30),
    tier_terms(7, 250_000, 40, 40),
    tier_terms(8, 500_000, MAX_PRIORITY, 50),
];

/// The priority of the highest tier.
pub const MAX_PRIORITY: u8 = 50;

/// The highest tier that `stake` plancks reach at `price`, in 10^-6 US dollars a CIRO; `None` if they are worth less than
/// the lowest asks.
pub fn tier(stake: Balance, price: u128) -> Option<Tier> {
    // The product of two u128 and that of the three factors are below 2^256.
    let worth = U256::from(stake).saturating_mul(price.into());
    let reaches = |tier: &&Tier| {
        let least = U256::from(tier.usd)
            .saturating_mul(PRICE_UNIT.into())
            .saturating_mul(UNIT.into());
        worth >= least
    };
    TIERS.iter().rev().find(reaches).copied()
}
