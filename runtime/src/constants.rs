//! Units of money and time.

use crate::{Balance, BlockNumber};

/// Decimals of CIRO.
pub const DECIMALS: u32 = 18;
/// One CIRO.
pub const UNIT: Balance = 1_000_000_000_000_000_000;
/// A thousandth of a CIRO.
pub const MILLIUNIT: Balance = UNIT / 1_000;
/// A millionth of a CIRO.
pub const MICROUNIT: Balance = UNIT / 1_000_000;

/// The most CIRO that may ever exist.
pub const MAX_SUPPLY: Balance = 1_000_000_000 * UNIT;
/// CIRO in circulation at the launch of the main network. Development chains endow a few accounts instead.
pub const INITIAL_SUPPLY: Balance = 50_000_000 * UNIT;

/// Length of a slot, and so the time between two blocks, in milliseconds. It cannot be changed on a running chain.
pub const SLOT_MILLISECONDS: u64 = 2_000;
/// Blocks in a minute.
pub const MINUTES: BlockNumber = 30;
/// Blocks in an hour.
pub const HOURS: BlockNumber = 60 * MINUTES;
/// Blocks in a day.
pub const DAYS: BlockNumber = 24 * HOURS;
/// Slots in a BABE epoch, which is also a session: ten minutes. It cannot be changed on a running chain.
pub const EPOCH_SLOTS: BlockNumber = 10 * MINUTES;
