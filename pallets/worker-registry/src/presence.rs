//! Presence of a worker: what was heard of it, and what follows. Pure functions.
//!
//! A heartbeat is due in every window from the one after registration on. Uptime counts the last 30 whole days and the
//! current one.
//!
//! Deactivating announces an absence, but an absence it is: heartbeats stay due for uptime, so that nobody gains by
//! deactivating before going down. What it spares is the outage: a deactivated worker has none, and time spent
//! deactivated does not lengthen it. Nor does it end one: after reactivation the silence goes on where it was, until a
//! heartbeat ends it.
//!
//! Who leaves and registers anew begins anew; [`crate::Config::Busy`] keeps those from doing so who have something at
//! stake.

use crate::{Outage, Window};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_runtime::{traits::AtLeast32BitUnsigned, Perbill, SaturatedConversion};

/// Whole days of which heartbeats are counted.
const WHOLE_DAYS: u32 = 30;

/// Days of which heartbeats are counted: the whole ones and the current one.
pub const COUNTED_DAYS: usize = WHOLE_DAYS as usize + 1;

/// How time is divided. A value of zero anywhere makes everything one window or day.
#[derive(Clone, Copy, Debug)]
pub struct Clock<BlockNumber> {
    /// Blocks of a window.
    pub period: BlockNumber,
    /// Windows of a day.
    pub windows_per_day: u16,
}

impl<BlockNumber: AtLeast32BitUnsigned + Copy> Clock<BlockNumber> {
    /// The window that a block is in.
    pub fn window(&self, block: BlockNumber) -> Window {
        block
            .checked_div(&self.period)
            .map_or(0, SaturatedConversion::saturated_into)
    }

    /// The block's place in its window, from 0.
    pub fn place(&self, block: BlockNumber) -> u32 {
        let begin = BlockNumber::saturated_from(self.window(block)).saturating_mul(self.period);
        block.saturating_sub(begin).saturated_into()
    }

    /// Blocks from this one to the end of its window, itself included.
    pub fn left(&self, block: BlockNumber) -> u32 {
        let period: u32 = self.period.saturated_into();
        period.saturating_sub(self.place(block))
    }

    fn day(&self, block: BlockNumber) -> u32 {
        self.window(block)
            .checked_div(self.windows_per_day.into())
            .unwrap_or(0)
    }

    /// Days from one block's to a later one's, as far as counters reach.
    fn days(&self, from: BlockNumber, to: BlockNumber) -> usize {
        let days = self.day(to).saturating_sub(self.day(from));
        COUNTED_DAYS.min(days as usize)
    }
}

/// What was heard of a worker.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Presence<BlockNumber> {
    /// The block of registration.
    pub registered: BlockNumber,
    /// The block of the last heartbeat; of registration if there was none.
    pub heard: BlockNumber,
    /// The block of deactivation; `None` if active.
    pub inactive_since: Option<BlockNumber>,
    /// Blocks since `heard` that were spent deactivated, up to the last reactivation.
    pub paused: BlockNumber,
    /// Heartbeats of the day of `heard`, of the day before, and so on.
    pub received: [u16; COUNTED_DAYS],
}

impl<BlockNumber: AtLeast32BitUnsigned + Copy> Presence<BlockNumber> {
    /// Of a worker that registers in block `now`.
    pub fn begin(now: BlockNumber) -> Self {
        Self {
            registered: now,
            heard: now,
            inactive_since: None,
            paused: BlockNumber::zero(),
            received: [0; COUNTED_DAYS],
        }
    }

    /// Whether the worker is not deactivated.
    pub fn is_active(&self) -> bool {
        self.inactive_since.is_none()
    }

    /// Whether the heartbeat of the window of block `now` is due and has not come yet.
    pub fn awaits(&self, now: BlockNumber, clock: &Clock<BlockNumber>) -> bool {
        clock.window(now) > clock.window(self.heard)
    }

    /// A heartbeat that was awaited came in block `now`.
    pub fn hear(&mut self, now: BlockNumber, clock: &Clock<BlockNumber>) {
        let days = clock.days(self.heard, now);
        self.received.rotate_right(days);
        self.received
            .iter_mut()
            .take(days)
            .for_each(|count| *count = 0);
        if let Some(today) = self.received.first_mut() {
            *today = today.saturating_add(1);
        }
        self.heard = now;
        self.paused = BlockNumber::zero();
    }

    /// The worker is deactivated in block `now`.
    pub fn pause(&mut self, now: BlockNumber) {
        self.inactive_since = Some(now);
    }

    /// The worker is reactivated in block `now`.
    pub fn resume(&mut self, now: BlockNumber) {
        if let Some(since) = self.inactive_since.take() {
            self.paused = self.paused.saturating_add(now.saturating_sub(since));
        }
    }

    /// The share of due heartbeats that came, as seen in block `now`; nothing if none was due yet. The heartbeat of the
    /// current window counts once it has come.
    pub fn uptime(&self, now: BlockNumber, clock: &Clock<BlockNumber>) -> Perbill {
        let (received, due) = self.counts(now, clock);
        if due == 0 {
            return Perbill::zero();
        }
        Perbill::from_rational(received, due)
    }

    /// Heartbeats of the counted days as seen in block `now`: those that came, and those that were due.
    pub fn counts(&self, now: BlockNumber, clock: &Clock<BlockNumber>) -> (u32, u32) {
        let reach = COUNTED_DAYS.saturating_sub(clock.days(self.heard, now));
        let received = self
            .received
            .iter()
            .take(reach)
            .fold(0u32, |sum, count| sum.saturating_add((*count).into()));

        let oldest = clock
            .day(now)
            .saturating_sub(WHOLE_DAYS)
            .saturating_mul(clock.windows_per_day.into());
        let first = clock.window(self.registered).saturating_add(1).max(oldest);
        // The first window that does not count yet.
        let end = clock
            .window(now)
            .max(clock.window(self.heard).saturating_add(1));
        (received, end.saturating_sub(first))
    }

    /// The silence of an active worker, if it is longer than a window.
    pub fn outage(
        &self,
        now: BlockNumber,
        clock: &Clock<BlockNumber>,
    ) -> Option<Outage<BlockNumber>> {
        let blocks = now.saturating_sub(self.heard).saturating_sub(self.paused);
        (self.is_active() && blocks > clock.period).then_some(Outage {
            since: self.heard,
            blocks,
        })
    }
}
