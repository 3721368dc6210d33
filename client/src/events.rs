//! What Ciro's pallets report.

use crate::{
    calls::{JOB_MARKET, MODEL_REGISTRY, OUTBOUND_QUEUE, SLASHING},
    types::{
        variant_path, Auction, Balance, BlockNumber, CaseId, OffenceKind, PartsPerBillion,
        PartsPerMillion,
    },
    AccountId, Error,
};
use ciro_bridge_primitives::LaneId;
use ciro_primitives::JobId;
use scale_decode::DecodeAsType;
use scale_value::Value;
use subxt::SubstrateConfig;

/// An event of one of Ciro's pallets, as far as clients act on them.
#[derive(Clone, Debug, PartialEq, DecodeAsType)]
pub enum Event {
    /// Of the job market.
    JobMarket(JobMarket),
    /// Of the model registry.
    ModelRegistry(ModelRegistry),
    /// Of the pallet of cases.
    Slashing(Slashing),
    /// Of the pallet of lanes.
    OutboundQueue(OutboundQueue),
}

impl Event {
    /// Reads an event; `None` if it is another pallet's.
    pub(crate) fn read(
        event: &subxt::events::Event<'_, SubstrateConfig>,
    ) -> Result<Option<Self>, Error> {
        match event.pallet_name() {
            JOB_MARKET | MODEL_REGISTRY | SLASHING | OUTBOUND_QUEUE => {
                event.decode_as().map(Some).map_err(Error::chain)
            }
            _ => Ok(None),
        }
    }

    /// The job that it is about.
    pub fn job(&self) -> Option<JobId> {
        match self {
            Self::JobMarket(event) => Some(event.job()),
            Self::ModelRegistry(_) | Self::Slashing(_) | Self::OutboundQueue(_) => None,
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
        price: Auction,
        deadline: BlockNumber,
    },
    /// A worker claimed it, or its last free seat, which fixed the price.
    JobClaimed {
        job: JobId,
        worker: AccountId,
        price: Balance,
        collateral: Balance,
        answer_by: BlockNumber,
    },
    /// A worker took a seat of it; others are free.
    SeatTaken {
        job: JobId,
        worker: AccountId,
        collateral: Balance,
    },
    /// A worker took it over from one who was late.
    JobRescued {
        job: JobId,
        worker: AccountId,
        from: AccountId,
        cut: Balance,
        bounty: Balance,
    },
    /// A worker gave an answer, which may be disputed.
    JobAnswered {
        job: JobId,
        worker: AccountId,
        output_hash: [u8; 32],
        until: BlockNumber,
    },
    /// The answer is disputed.
    AnswerDisputed {
        job: JobId,
        challenger: AccountId,
        until: BlockNumber,
    },
    /// A worker committed to an output.
    AnswerCommitted { job: JobId, worker: AccountId },
    /// A worker revealed its output.
    AnswerRevealed {
        job: JobId,
        worker: AccountId,
        output_hash: [u8; 32],
    },
    /// An answer counts.
    JobCompleted {
        job: JobId,
        worker: AccountId,
        output_hash: [u8; 32],
    },
    /// Its price was paid.
    PaymentReleased {
        job: JobId,
        payees: Vec<(AccountId, Balance)>,
        royalty: Balance,
        fee: Balance,
        burned: Balance,
    },
    /// A proof was refused; the job is open again.
    ResultRefused {
        job: JobId,
        worker: AccountId,
        reason: Value,
        cut: Balance,
    },
    /// Its answer was not upheld, or its workers did not agree.
    JobFailed { job: JobId, cut: Balance },
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
    /// The requester rated it.
    JobRated { job: JobId, stars: u8 },
    /// It is not stored any more.
    JobRemoved { job: JobId },
}

impl JobMarket {
    /// The job that it is about.
    pub fn job(&self) -> JobId {
        match self {
            Self::JobSubmitted { job, .. }
            | Self::JobClaimed { job, .. }
            | Self::SeatTaken { job, .. }
            | Self::JobRescued { job, .. }
            | Self::JobAnswered { job, .. }
            | Self::AnswerDisputed { job, .. }
            | Self::AnswerCommitted { job, .. }
            | Self::AnswerRevealed { job, .. }
            | Self::JobCompleted { job, .. }
            | Self::PaymentReleased { job, .. }
            | Self::ResultRefused { job, .. }
            | Self::JobFailed { job, .. }
            | Self::JobReleased { job, .. }
            | Self::JobCancelled { job }
            | Self::JobExpired { job, .. }
            | Self::JobRated { job, .. }
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
        royalty: PartsPerMillion,
    },
    /// Its least price changed.
    PriceFloorChanged {
        model: [u8; 32],
        price_floor: Balance,
    },
    /// The owner's share of what jobs pay changed.
    RoyaltyChanged {
        model: [u8; 32],
        royalty: PartsPerMillion,
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

/// What happened to a case against an operator.
#[derive(Clone, Debug, PartialEq, DecodeAsType)]
#[allow(missing_docs)]
pub enum Slashing {
    /// It was opened.
    CaseOpened {
        case: CaseId,
        offender: AccountId,
        kind: OffenceKind,
        fraction: PartsPerBillion,
        due: BlockNumber,
        until: BlockNumber,
    },
    /// It turned out to be part of a coordinated attack.
    CaseEscalated {
        case: CaseId,
        offender: AccountId,
        due: BlockNumber,
    },
    /// Stake was taken.
    WorkerSlashed { worker: AccountId, amount: Balance },
    /// It was executed.
    SlashApplied {
        case: CaseId,
        offender: AccountId,
        kind: OffenceKind,
        fraction: PartsPerBillion,
    },
    /// An operator is banned for good.
    OperatorBanned { who: AccountId, case: CaseId },
    /// Governance cancelled it.
    CaseCancelled { case: CaseId },
    /// It is not stored any more.
    CasePruned { case: CaseId },
}

/// What happened on the way to other chains.
#[derive(Clone, Debug, PartialEq, DecodeAsType)]
#[allow(missing_docs)]
pub enum OutboundQueue {
    /// A lane was opened.
    LaneOpened {
        lane: [u8; 32],
        owner: AccountId,
        deposit: Balance,
    },
    /// A lane that has had no message was closed.
    LaneClosed { lane: [u8; 32] },
    /// A message was queued, and leaves with its block.
    MessageQueued {
        lane: [u8; 32],
        nonce: u64,
        id: [u8; 32],
    },
    /// A result was passed over.
    ResultPassedOver { job: JobId },
    /// The bridge was halted.
    BridgeHalted,
    /// The halt was ended.
    BridgeResumed,
}

impl OutboundQueue {
    /// The nonce of the message, if one was queued in that lane.
    pub fn queued_in(&self, of: LaneId) -> Option<u64> {
        match self {
            Self::MessageQueued { lane, nonce, .. } if *lane == of.0 => Some(*nonce),
            _ => None,
        }
    }
}
