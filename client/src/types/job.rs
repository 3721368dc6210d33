//! Jobs, and what is asked with them.

use super::{Balance, BlockNumber, PartsPerMillion, Requirements};
use crate::AccountId;
use ciro_primitives::{JobBinding, JobId, JobsBinding, ModelId};
use scale_decode::DecodeAsType;
use scale_encode::EncodeAsType;
use std::{fmt, ops::RangeInclusive, str::FromStr};

/// A level of trust in a job's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType, EncodeAsType)]
pub enum Verification {
    /// An answer counts unless it is disputed and then not proved.
    None,
    /// So many workers vote on it.
    Redundant(u8),
    /// An answer counts with a proof.
    ZkMl,
}

/// Fewest and most workers of a redundant job.
pub const SEATS: RangeInclusive<u8> = 3..=10;

impl fmt::Display for Verification {
    /// `none`, `redundant=K` or `zkml`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Redundant(seats) => write!(f, "redundant={seats}"),
            Self::ZkMl => f.write_str("zkml"),
        }
    }
}

impl FromStr for Verification {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let seats = text.strip_prefix("redundant=").map(str::parse);
        match (text, seats) {
            ("none", _) => Ok(Self::None),
            ("zkml", _) => Ok(Self::ZkMl),
            (_, Some(Ok(seats))) if SEATS.contains(&seats) => Ok(Self::Redundant(seats)),
            _ => Err(format!(
                "\"{text}\" is not a level of trust: give none, zkml, or redundant=K with K from {} to {}",
                SEATS.start(),
                SEATS.end()
            )),
        }
    }
}

/// How urgent a job is, the least first.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, DecodeAsType, EncodeAsType,
)]
pub enum Priority {
    /// Whenever it suits.
    Low,
    /// In turn.
    #[default]
    Normal,
    /// Soon.
    High,
    /// At once.
    Critical,
}

impl Priority {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Normal, Self::High, Self::Critical];

    /// `low`, `normal`, `high` or `critical`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The least that a job must pay for what costs `floor` at normal priority.
    pub fn least_price(self, floor: Balance) -> Balance {
        let percent = match self {
            Self::Low => 80,
            Self::Normal => 100,
            Self::High => 120,
            Self::Critical => 150,
        };
        // In two steps, so that the product stays within bounds.
        (floor / 100)
            .saturating_mul(percent)
            .saturating_add((floor % 100 * percent).div_ceil(100))
    }
}

impl FromStr for Priority {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL
            .into_iter()
            .find(|priority| priority.name() == text);
        known.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("\"{text}\" is not a priority: give one of {names}")
        })
    }
}

/// A price that rises from block to block, until a claim fixes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType, EncodeAsType)]
pub struct Auction {
    /// The price at first.
    pub floor: Balance,
    /// The price at last.
    pub ceiling: Balance,
    /// Blocks in between.
    pub ramp: u32,
}

impl Auction {
    /// A price that does not rise.
    pub fn fixed(price: Balance) -> Self {
        Self {
            floor: price,
            ceiling: price,
            ramp: 0,
        }
    }

    /// The price so many blocks after the submission.
    pub fn after(&self, blocks: u32) -> Balance {
        let rise = self.ceiling.saturating_sub(self.floor);
        if blocks >= self.ramp {
            return self.ceiling;
        }
        // Below `ramp` the quotient is below `rise`; the product is taken in parts to stay within bounds.
        let (blocks, ramp) = (Balance::from(blocks), Balance::from(self.ramp));
        let (whole, part) = (rise / ramp, rise % ramp);
        self.floor + whole * blocks + part * blocks / ramp
    }
}

/// What a requester asks for.
#[derive(Clone, Debug, PartialEq, Eq, EncodeAsType)]
pub struct JobSpec {
    /// The model to run.
    pub model: [u8; 32],
    /// Samples in the input.
    pub batch: u32,
    /// [`ciro_primitives::input_commitment`] of the quantised input.
    pub input_commitment: [u8; 32],
    /// Where the input is.
    pub locator: Vec<u8>,
    /// What an answer earns.
    pub price: Auction,
    /// Blocks until the deadline.
    pub duration: BlockNumber,
    /// What makes an answer count.
    pub verification: Verification,
    /// How urgent it is.
    pub priority: Priority,
    /// What the worker's machine must be able to do.
    pub requirements: Requirements,
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
    /// What an answer earns. Once the price is fixed, its floor and ceiling are that price.
    pub price: Auction,
    /// What workers who were late have added to it.
    pub bounty: Balance,
    /// The share of the price that goes to the model's owner.
    pub royalty: PartsPerMillion,
    /// Held from the requester for the storage it takes.
    pub deposit: Balance,
    /// Block of the submission.
    pub opened: BlockNumber,
    /// Last block in which an answer is taken.
    pub deadline: BlockNumber,
    /// What makes an answer count.
    pub verification: Verification,
    /// How urgent it is.
    pub priority: Priority,
    /// What the worker's machine must be able to do.
    pub requirements: Requirements,
    /// Where it stands.
    pub state: JobState,
}

impl Job {
    /// The model to run.
    pub fn model(&self) -> ModelId {
        ModelId(self.model)
    }

    /// What a claim in a block would earn, or the last one earns.
    pub fn price_at(&self, block: BlockNumber) -> Balance {
        self.price.after(block.saturating_sub(self.opened))
    }
}

/// A worker's undertaking to answer a job.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Claim {
    /// Who may answer.
    pub worker: AccountId,
    /// What of its own stake is set aside for it.
    pub collateral: Balance,
    /// Block of the claim.
    pub since: BlockNumber,
    /// Last block before another worker may take the job over.
    pub answer_by: BlockNumber,
}

/// One worker's part in a redundant job.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Seat {
    /// Who sits on it.
    pub worker: AccountId,
    /// What has been said.
    pub vote: Vote,
}

/// What a worker has said about a redundant job's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
pub enum Vote {
    /// Nothing yet.
    Pending,
    /// The hash of an output, a salt and the worker.
    Committed([u8; 32]),
    /// The hash of an output.
    Revealed([u8; 32]),
}

/// Where a job stands.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
pub enum JobState {
    /// Waiting for a worker.
    Submitted,
    /// A worker has it.
    Assigned(Claim),
    /// An answer was paid for.
    Paid {
        /// Whose answer it is.
        workers: Vec<AccountId>,
        /// In which block.
        at: BlockNumber,
        /// Whether the requester has rated it.
        rated: bool,
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
    /// It has an answer, which counts unless it is disputed.
    Answered {
        /// The claim under which it was given.
        claim: Claim,
        /// Who is to be paid.
        payee: AccountId,
        /// Last block in which it may be disputed.
        until: BlockNumber,
    },
    /// Its answer is disputed and has to be proved.
    Disputed {
        /// The claim under which it was given.
        claim: Claim,
        /// Who is to be paid.
        payee: AccountId,
        /// Who disputes it.
        challenger: AccountId,
        /// What the challenger has on hold.
        fee: Balance,
        /// Last block in which a proof is taken.
        until: BlockNumber,
    },
    /// Some seats of a redundant job are taken.
    Gathering {
        /// Who has taken one.
        workers: Vec<AccountId>,
        /// What of each worker's own stake is set aside for it.
        collateral: Balance,
    },
    /// The workers of a redundant job commit and reveal.
    Voting {
        /// The seats.
        seats: Vec<Seat>,
        /// What of each worker's own stake is set aside for it.
        collateral: Balance,
        /// Last block in which a commitment is taken.
        commit_by: BlockNumber,
        /// Last block in which an output is taken.
        reveal_by: BlockNumber,
    },
    /// Its answer was not upheld, or its workers did not agree.
    Failed {
        /// In which block.
        at: BlockNumber,
    },
}

impl JobState {
    /// The names that [`Self::name`] gives.
    pub const NAMES: [&str; 10] = [
        "submitted",
        "assigned",
        "paid",
        "cancelled",
        "expired",
        "answered",
        "disputed",
        "gathering",
        "voting",
        "failed",
    ];

    /// A word for it.
    pub fn name(&self) -> &'static str {
        let index = match self {
            Self::Submitted => 0,
            Self::Assigned { .. } => 1,
            Self::Paid { .. } => 2,
            Self::Cancelled { .. } => 3,
            Self::Expired { .. } => 4,
            Self::Answered { .. } => 5,
            Self::Disputed { .. } => 6,
            Self::Gathering { .. } => 7,
            Self::Voting { .. } => 8,
            Self::Failed { .. } => 9,
        };
        Self::NAMES[index]
    }

    /// Whether nothing can happen to the job any more but its rating and removal.
    pub fn is_settled(&self) -> bool {
        matches!(
            self,
            Self::Paid { .. } | Self::Cancelled { .. } | Self::Expired { .. } | Self::Failed { .. }
        )
    }

    /// Whether this worker has the job.
    pub fn is_assigned_to(&self, account: &AccountId) -> bool {
        matches!(self, Self::Assigned(claim) if claim.worker == *account)
    }

    /// Who works on it, or did.
    pub fn workers(&self) -> Vec<AccountId> {
        match self {
            Self::Submitted | Self::Cancelled { .. } | Self::Failed { .. } => vec![],
            Self::Assigned(claim) | Self::Answered { claim, .. } | Self::Disputed { claim, .. } => {
                vec![claim.worker]
            }
            Self::Paid { workers, .. } | Self::Gathering { workers, .. } => workers.clone(),
            Self::Expired { worker, .. } => worker.iter().copied().collect(),
            Self::Voting { seats, .. } => seats.iter().map(|seat| seat.worker).collect(),
        }
    }
}

/// A result as a worker submitted it, whether or not the chain accepted it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubmittedResult {
    /// The jobs that it answers, in its order.
    pub jobs: Vec<JobId>,
    /// Whether it came by `submit_results`. Its proof is bound to other bytes then, even if it is for one job.
    pub joint: bool,
    /// Who is to be paid.
    pub payee: AccountId,
    /// The quantised inputs of the jobs, one after the other, in two's complement bytes.
    pub input: Vec<u8>,
    /// Final accumulators, row-major, of the jobs one after the other.
    pub output: Vec<i32>,
    /// The proof.
    pub proof: Vec<u8>,
}

impl SubmittedResult {
    /// What its proof must be bound to on the chain of this genesis block.
    pub fn binding(&self, genesis: [u8; 32]) -> Vec<u8> {
        let payee = self.payee.0;
        match self.jobs[..] {
            [job] if !self.joint => JobBinding {
                genesis,
                job,
                payee,
            }
            .encode(),
            _ => JobsBinding {
                genesis,
                jobs: self.jobs.clone(),
                payee,
            }
            .encode(),
        }
    }
}

/// The arguments of `submit_result`.
#[derive(DecodeAsType)]
pub(crate) struct OneResult {
    job: JobId,
    payee: AccountId,
    input: Vec<u8>,
    output: Vec<i32>,
    proof: Vec<u8>,
}

/// The arguments of `submit_results`.
#[derive(DecodeAsType)]
pub(crate) struct JointResult {
    jobs: Vec<JobId>,
    payee: AccountId,
    input: Vec<u8>,
    output: Vec<i32>,
    proof: Vec<u8>,
}

impl From<OneResult> for SubmittedResult {
    fn from(one: OneResult) -> Self {
        Self {
            jobs: vec![one.job],
            joint: false,
            payee: one.payee,
            input: one.input,
            output: one.output,
            proof: one.proof,
        }
    }
}

impl From<JointResult> for SubmittedResult {
    fn from(joint: JointResult) -> Self {
        Self {
            jobs: joint.jobs,
            joint: true,
            payee: joint.payee,
            input: joint.input,
            output: joint.output,
            proof: joint.proof,
        }
    }
}

/// A job and its number.
pub type NumberedJob = (JobId, Job);

#[cfg(test)]
mod tests {
    use super::*;

    fn claim() -> Claim {
        Claim {
            worker: AccountId([1; 32]),
            collateral: 1,
            since: 1,
            answer_by: 9,
        }
    }

    #[test]
    fn only_open_jobs_are_unsettled() {
        let me = AccountId([1; 32]);
        let assigned = JobState::Assigned(claim());
        assert!(assigned.is_assigned_to(&me) && !assigned.is_assigned_to(&AccountId([2; 32])));
        assert!(!assigned.is_settled() && !JobState::Submitted.is_settled());
        assert!(JobState::Cancelled { at: 1 }.is_settled());
        assert!(JobState::Failed { at: 1 }.is_settled());
        let answered = JobState::Answered {
            claim: claim(),
            payee: me,
            until: 5,
        };
        assert!(!answered.is_settled() && !answered.is_assigned_to(&me));
        assert_eq!(
            (answered.name(), answered.workers()),
            ("answered", vec![me])
        );
    }

    #[test]
    fn levels_and_priorities_are_read_as_they_are_written() {
        for level in [
            Verification::None,
            Verification::Redundant(3),
            Verification::ZkMl,
        ] {
            assert_eq!(level.to_string().parse(), Ok(level));
        }
        for text in [
            "",
            "redundant",
            "redundant=2",
            "redundant=11",
            "redundant=x",
            "None",
        ] {
            assert!(text.parse::<Verification>().is_err(), "{text}");
        }
        for priority in Priority::ALL {
            assert_eq!(priority.name().parse(), Ok(priority));
        }
        assert!("urgent".parse::<Priority>().is_err());
    }

    #[test]
    fn prices_rise_evenly_and_then_stay() {
        let auction = Auction {
            floor: 10,
            ceiling: 20,
            ramp: 4,
        };
        let prices: Vec<_> = (0..6).map(|block| auction.after(block)).collect();
        assert_eq!(prices, [10, 12, 15, 17, 20, 20]);
        assert_eq!(Auction::fixed(7).after(0), 7);
        let huge = Auction {
            floor: 0,
            ceiling: u128::MAX,
            ramp: u32::MAX,
        };
        assert!(huge.after(u32::MAX - 1) < huge.after(u32::MAX));
    }

    #[test]
    fn urgency_raises_the_least_price() {
        let least = |priority: Priority| priority.least_price(1_001);
        assert_eq!(least(Priority::Low), 801);
        assert_eq!(least(Priority::Normal), 1_001);
        assert_eq!(least(Priority::High), 1_202);
        assert_eq!(least(Priority::Critical), 1_502);
        assert_eq!(Priority::Critical.least_price(u128::MAX), u128::MAX);
    }
}
