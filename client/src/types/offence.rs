//! Cases against operators.

use super::{Balance, BlockNumber, PartsPerBillion};
use crate::AccountId;
use scale_decode::DecodeAsType;

/// The number of a case.
pub type CaseId = u64;

/// What an operator did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
pub enum OffenceKind {
    /// Signed two conflicting statements.
    DoubleSigning,
    /// Sent no heartbeat for six hours.
    Downtime,
    /// Brought a result that was proven wrong.
    InvalidCompute,
    /// Signed conflicting statements together with others.
    CoordinatedAttack,
}

impl OffenceKind {
    /// `double-signing`, `downtime`, `invalid-compute` or `coordinated-attack`.
    pub fn name(self) -> &'static str {
        match self {
            Self::DoubleSigning => "double-signing",
            Self::Downtime => "downtime",
            Self::InvalidCompute => "invalid-compute",
            Self::CoordinatedAttack => "coordinated-attack",
        }
    }
}

/// Whether an operator may work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
pub enum Standing {
    /// Nothing is held against it.
    Good,
    /// It may not, up to and including a block.
    Suspended {
        /// That block.
        until: BlockNumber,
    },
    /// It may, but counts for half up to and including a block.
    Probation {
        /// That block.
        until: BlockNumber,
    },
    /// It never may again.
    Banned,
}

impl Standing {
    /// Whether it may take jobs.
    pub fn may_work(self) -> bool {
        matches!(self, Self::Good | Self::Probation { .. })
    }
}

/// How far a case has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
pub enum CaseStatus {
    /// Governance may still cancel it.
    Pending,
    /// The stake is taken.
    Applied {
        /// How much of it.
        taken: Balance,
    },
    /// Governance has cancelled it.
    Cancelled,
}

impl CaseStatus {
    /// `pending`, `applied` or `cancelled`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Applied { .. } => "applied",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A case against an operator.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Case {
    /// Its number.
    pub id: CaseId,
    /// Whom it is against.
    pub offender: AccountId,
    /// What the offender did.
    pub kind: OffenceKind,
    /// In which block.
    pub at: BlockNumber,
    /// The block in which the case was opened.
    pub opened: BlockNumber,
    /// The share of the stake that is taken.
    pub fraction: PartsPerBillion,
    /// The first block in which it may be executed.
    pub due: BlockNumber,
    /// The last block of the suspension.
    pub until: BlockNumber,
    /// How far it has come.
    pub status: CaseStatus,
}
