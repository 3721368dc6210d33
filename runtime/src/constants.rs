//! Units of money and time.

use crate::{Balance, BlockNumber};

/// One CIRO.
pub const UNIT: Balance = 1_000_000_000_000_000_000;
/// A thousandth of a CIRO.
pub const MILLIUNIT: Balance = UNIT / 1_000;
/// A millionth of a CIRO.
pub const MICROUNIT: Balance = UNIT / 1_000_000;

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
