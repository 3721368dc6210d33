//! What the chain stores, as far as a client reads it. Fields are matched with the runtime's metadata by name.

use crate::AccountId;
use ciro_primitives::{JobId, ModelId};
use scale_decode::DecodeAsType;
use scale_value::{Value, ValueDef};
use serde::Serialize;

/// An amount in base units: 10^18 of them are one CIRO.
pub type Balance = u128;

/// Number of a block.
pub type BlockNumber = u32;

/// Most values that a job's input may hold, over the whole batch.
pub const MAX_INPUT: usize = 65_536;
/// Most values that a job's output may hold, over the whole batch.
pub const MAX_OUTPUT: usize = 8_192;
/// Longest proof that the chain takes, in bytes.
pub const MAX_PROOF: usize = 1_048_576;
/// Longest locator, in bytes.
pub const MAX_LOCATOR: usize = 256;

/// A registered model.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
pub struct ModelInfo {
    /// Who may change or withdraw it.
    pub owner: AccountId,
    /// Its name: text for people, not unique.
    pub name: Vec<u8>,
    /// Least price per sample.
    pub price_floor: Balance,
    /// Held from the owner while it is registered.
    pub deposit: Balance,
    /// Jobs that are neither settled nor removed.
    pub open_jobs: u32,
}

/// A job.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Job {
    /// Who asked for it and pays.
    pub requester: AccountId,
    /// The model to run.
    pub model: [u8; 32],
    /// Samples in the input.
    pub batch: u32,
    /// [`ciro_primitives::input_commitment`] of the quantised input.
    pub input_commitment: [u8; 32],
    /// Where the input is: the address before `/` and the commitment in hexadecimal digits.
    pub locator: Vec<u8>,
    /// What the worker gets.
    pub price: Balance,
    /// Held from the requester for the storage it takes.
    pub deposit: Balance,
    /// Last block in which a result counts.
    pub deadline: BlockNumber,
    /// Where it stands.
    pub state: JobState,
}

impl Job {
    /// The model to run.
    pub fn model(&self) -> ModelId {
        ModelId(self.model)
    }
}

/// Where a job stands.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
pub enum JobState {
    /// Waiting for a worker.
    Submitted,
    /// A worker has it.
    Assigned {
        /// Who.
        worker: AccountId,
        /// What it loses a part of if it fails.
        collateral: Balance,
        /// Block of its claim.
        since: BlockNumber,
    },
    /// A proof was accepted and paid for.
    Paid {
        /// Who proved it.
        worker: AccountId,
        /// Who got the price.
        payee: AccountId,
        /// In which block.
        at: BlockNumber,
    },
    /// The requester took it back before anybody claimed it.
    Cancelled {
        /// In which block.
        at: BlockNumber,
    },
    /// Its deadline passed without a result.
    Expired {
        /// Who had it then.
        worker: Option<AccountId>,
        /// In which block that was recorded.
        at: BlockNumber,
    },
}

impl JobState {
    /// `submitted`, `assigned`, `paid`, `cancelled` or `expired`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Assigned { .. } => "assigned",
            Self::Paid { .. } => "paid",
            Self::Cancelled { .. } => "cancelled",
            Self::Expired { .. } => "expired",
        }
    }

    /// Whether nothing can happen to the job any more but its removal.
    pub fn is_settled(&self) -> bool {
        !matches!(self, Self::Submitted | Self::Assigned { .. })
    }

    /// Whether this worker has the job.
    pub fn is_assigned_to(&self, account: &AccountId) -> bool {
        matches!(self, Self::Assigned { worker, .. } if worker == account)
    }
}

/// An operator, and the stake for it.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Operator {
    /// What its stake stands for.
    pub roles: Roles,
    /// Active stake of all who stake for it.
    pub total: Balance,
    /// Its own active stake.
    pub own: Balance,
    /// What of its own stake is set aside for jobs.
    pub reserved: Balance,
    /// How many accounts stake for it, itself included.
    pub positions: u32,
}

/// The roles that an operator has taken on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Roles {
    /// It runs jobs.
    pub worker: bool,
    /// It makes and finalises blocks.
    pub validator: bool,
}

/// What an account has staked for an operator.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Position {
    /// What counts and earns.
    pub active: Balance,
    /// What is being unbonded.
    pub unbonding: Vec<Chunk>,
}

/// An amount that is being unbonded.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Chunk {
    /// How much.
    pub amount: Balance,
    /// The block in which the unbonding began.
    pub since: BlockNumber,
}

/// A result as a worker submitted it, whether or not the chain accepted it.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
pub struct SubmittedResult {
    /// The job that it answers.
    pub job: JobId,
    /// Who is to be paid.
    pub payee: AccountId,
    /// The quantised input, in two's complement bytes.
    pub input: Vec<u8>,
    /// Final accumulators, row-major.
    pub output: Vec<i32>,
    /// The proof.
    pub proof: Vec<u8>,
}

/// A job and its number.
pub type NumberedJob = (JobId, Job);

/// What an account has, in base units.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Balances {
    /// Not on hold; a part of it may be frozen.
    pub free: Balance,
    /// On hold, the sum of `holds`.
    pub reserved: Balance,
    /// Part of the total that cannot be transferred.
    pub frozen: Balance,
    /// What is on hold and why, `Pallet.Reason`.
    pub holds: Vec<(String, Balance)>,
}

/// The part of `System.Account` that is read.
#[derive(DecodeAsType)]
pub(crate) struct AccountInfo {
    pub data: AccountData,
}

#[derive(DecodeAsType)]
pub(crate) struct AccountData {
    pub free: Balance,
    pub reserved: Balance,
    pub frozen: Balance,
}

/// One entry of `Balances.Holds`.
#[derive(DecodeAsType)]
pub(crate) struct Hold {
    pub id: Value,
    pub amount: Balance,
}

/// The names along nested enum variants, joined by dots: `JobMarket.Escrow`.
pub(crate) fn variant_path(value: &Value) -> String {
    match &value.value {
        ValueDef::Variant(variant) => {
            let inner = match variant.values.values().next() {
                Some(inner) if variant.values.len() == 1 => variant_path(inner),
                _ => String::new(),
            };
            if inner.is_empty() {
                variant.name.clone()
            } else {
                format!("{}.{inner}", variant.name)
            }
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_variants_read_as_a_path() {
        let reason = Value::unnamed_variant(
            "JobMarket",
            [Value::unnamed_variant("Escrow", Vec::<Value>::new())],
        );
        assert_eq!(variant_path(&reason), "JobMarket.Escrow");
        let number = Value::unnamed_variant("Other", [Value::u128(1)]);
        assert_eq!(variant_path(&number), "Other");
    }

    #[test]
    fn only_open_jobs_are_unsettled() {
        let me = AccountId([1; 32]);
        let assigned = JobState::Assigned {
            worker: me,
            collateral: 1,
            since: 1,
        };
        assert!(assigned.is_assigned_to(&me) && !assigned.is_assigned_to(&AccountId([2; 32])));
        assert!(!assigned.is_settled() && !JobState::Submitted.is_settled());
        assert!(JobState::Cancelled { at: 1 }.is_settled());
    }
}
