//! What is held against one operator, and the standing that follows from it, as pure functions of the clock.
//!
//! ```text
//!        open                   until             until + probation
//! Good --------> Suspended ------------> Probation ----------------> Good
//!                    |
//!                    | a coordinated attack is executed
//!                    '---------------------------------> Banned
//! ```
//!
//! No hook takes anyone from one standing to the next: time does.

use crate::{CaseId, Standing};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{pallet_prelude::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sp_runtime::traits::AtLeast32BitUnsigned;

/// Most cases that a history lists.
pub const MAX_LISTED: u32 = 16;

/// What a history knows of a case.
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
pub struct Entry<BlockNumber> {
    /// The case.
    pub case: CaseId,
    /// The block in which it was opened.
    pub opened: BlockNumber,
    /// The last block of the suspension.
    pub until: BlockNumber,
}

/// What is held against an operator.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct History<BlockNumber> {
    /// The cases that are pending or applied, oldest first. If there are more than fit, those are missing whose
    /// suspensions end first.
    pub entries: BoundedVec<Entry<BlockNumber>, ConstU32<MAX_LISTED>>,
    /// How many cases are pending.
    pub pending: u32,
    /// How many cases have been applied and are not pruned yet.
    pub applied: u32,
}

impl<N> Default for History<N> {
    fn default() -> Self {
        Self {
            entries: BoundedVec::new(),
            pending: 0,
            applied: 0,
        }
    }
}

impl<N: AtLeast32BitUnsigned + Copy> History<N> {
    /// How many listed cases were opened in the last `window` blocks.
    pub fn recent(&self, now: N, window: N) -> u32 {
        let recent = |entry: &&Entry<N>| now.saturating_sub(entry.opened) < window;
        self.entries.iter().filter(recent).count() as u32
    }

    /// Adds a case that has just been opened.
    pub fn open(&mut self, entry: Entry<N>) {
        if self.entries.is_full() {
            let first_to_end = self.entries.iter().map(|entry| entry.until).min();
            let position = |entry: &Entry<N>| Some(entry.until) == first_to_end;
            if let Some(at) = self.entries.iter().position(position) {
                self.entries.remove(at);
            }
        }
        // There is room now.
        let _ = self.entries.try_push(entry);
        self.pending = self.pending.saturating_add(1);
    }

    /// Makes the suspension of a case last for good.
    pub fn condemn(&mut self, case: CaseId) {
        for entry in self.entries.iter_mut() {
            if entry.case == case {
                entry.until = N::max_value();
            }
        }
    }

    /// Notes that a pending case has been applied.
    pub fn apply(&mut self) {
        self.pending = self.pending.saturating_sub(1);
        self.applied = self.applied.saturating_add(1);
    }

    /// Forgets a pending case: it was cancelled.
    pub fn cancel(&mut self, case: CaseId) {
        self.entries.retain(|entry| entry.case != case);
        self.pending = self.pending.saturating_sub(1);
    }

    /// Forgets an applied case: it is too old to matter.
    pub fn prune(&mut self, case: CaseId) {
        self.entries.retain(|entry| entry.case != case);
        self.applied = self.applied.saturating_sub(1);
    }

    /// Whether nothing is left to remember.
    pub fn is_empty(&self) -> bool {
        self.pending == 0 && self.applied == 0
    }

    /// The standing in block `now`, of an operator that is not banned. `probation` is how many blocks that lasts.
    pub fn standing(&self, now: N, probation: N) -> Standing<N> {
        let last = self.entries.iter().map(|entry| entry.until).max();
        let until = last.unwrap_or_else(N::zero);
        if self.pending > 0 {
            // However late a case is executed, nobody works while it is pending.
            return Standing::Suspended {
                until: until.max(now),
            };
        }
        let Some(until) = last else {
            return Standing::Good;
        };
        let probation_ends = until.saturating_add(probation);
        if now <= until {
            Standing::Suspended { until }
        } else if now <= probation_ends {
            Standing::Probation {
                until: probation_ends,
            }
        } else {
            Standing::Good
        }
    }
}
