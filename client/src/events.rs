//! What Ciro's pallets report.

use crate::{
    types::{variant_path, Balance, BlockNumber},
    AccountId, Error,
};
use ciro_primitives::JobId;
use scale_decode::DecodeAsType;
use scale_value::Value;
use subxt::SubstrateConfig;

/// An event of one of Ciro's pallets.
#[derive(Clone, Debug, PartialEq, DecodeAsType)]
pub enum Event {
    /// Of the job market.
    JobMarket(JobMarket),
    /// Of the model registry.
    ModelRegistry(ModelRegistry),
}

impl Event {
    /// Reads an event; `None` if it is another pallet's.
    pub(crate) fn read(
        event: &subxt::events::Event<'_, SubstrateConfig>,
    ) -> Result<Option<Self>, Error> {
        match event.pallet_name() {
            crate::calls::JOB_MARKET | crate::calls::MODEL_REGISTRY => {
                event.decode_as().map(Some).map_err(Error::chain)
            }
            _ => Ok(None),
        }
    }

    /// The job that it is about.
    pub fn job(&self) -> Option<JobId> {
        match self {
            Self::JobMarket(event) => Some(event.job()),
            Self::ModelRegistry(_) => None,
        }
    }
}

/// What happened to a job.
#[derive(Clone, Debug, PartialEq, DecodeAsType)]
#[allow(missing_docs)]
pub enum JobMarket {
    /// Somebody asked for a run.
    JobSubmitted {
        job: JobId,
        requester: AccountId,
        model: [u8; 32],
        batch: u32,
        input_commitment: [u8; 32],
        price: Balance,
        deadline: BlockNumber,
    },
    /// A worker took it.
    JobClaimed {
        job: JobId,
        worker: AccountId,
        collateral: Balance,
    },
    /// Its proof was accepted.
    JobCompleted {
        job: JobId,
        worker: AccountId,
        output_hash: [u8; 32],
    },
    /// Its price was paid.
    PaymentReleased {
        job: JobId,
        payee: AccountId,
        amount: Balance,
    },
    /// A proof was refused; the job is open again.
    ResultRefused {
        job: JobId,
        worker: AccountId,
        reason: Value,
        cut: Balance,
    },
    /// The worker gave it back.
    JobReleased {
        job: JobId,
        worker: AccountId,
        cut: Balance,
    },
    /// The requester took it back.
    JobCancelled { job: JobId },
    /// Its deadline passed.
    JobExpired {
        job: JobId,
        worker: Option<AccountId>,
        cut: Balance,
    },
    /// It is not stored any more.
    JobRemoved { job: JobId },
}

impl JobMarket {
    /// The job that it is about.
    pub fn job(&self) -> JobId {
        match self {
            Self::JobSubmitted { job, .. }
            | Self::JobClaimed { job, .. }
            | Self::JobCompleted { job, .. }
            | Self::PaymentReleased { job, .. }
            | Self::ResultRefused { job, .. }
            | Self::JobReleased { job, .. }
            | Self::JobCancelled { job }
            | Self::JobExpired { job, .. }
            | Self::JobRemoved { job } => *job,
        }
    }

    /// Why a proof was refused, if it was.
    pub fn refusal(&self) -> Option<String> {
        match self {
            Self::ResultRefused { reason, .. } => Some(variant_path(reason)),
            _ => None,
        }
    }
}

/// What happened to a model.
#[derive(Clone, Debug, PartialEq, DecodeAsType)]
#[allow(missing_docs)]
pub enum ModelRegistry {
    /// It was registered.
    ModelRegistered {
        model: [u8; 32],
        owner: AccountId,
        name: Vec<u8>,
        price_floor: Balance,
    },
    /// Its least price changed.
    PriceFloorChanged {
        model: [u8; 32],
        price_floor: Balance,
    },
    /// It has another owner.
    ModelTransferred {
        model: [u8; 32],
        from: AccountId,
        to: AccountId,
    },
    /// It was withdrawn.
    ModelDeregistered { model: [u8; 32] },
}
