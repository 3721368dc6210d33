//! Each test's name states the rule it checks.

mod leaving;
mod random;
mod rewards;
mod slashing;
mod staking;
mod tiers;
