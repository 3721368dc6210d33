//! The life of a job, as pure functions.
//!
//! [`Job::open`] begins it and [`Job::step`] takes it on; both say what follows, and neither knows of storage, balances
//! or other pallets.
//!
//! ```text
//!             claim             accept (a proof)
//! Submitted --------> Assigned -------------------> Paid -----.
//!     | ^              | ^ |  |                      ^        |
//!     | '--------------' | |  | answer      finalise |        |  remove
//!     | release, refuse  '-'  |                      |        |--------> gone
//!     |              rescue   '---> Answered --------|        |
//!     |                                | dispute     |        |
//!     |                                v       prove |        |
//!     |                             Disputed --------|        |
//!     |                                | prove, finalise      |
//!     |                                v                      |
//!     |                              Failed ------------------|
//!     | claim                          ^ finalise    |        |
//!     |---> Gathering --------------> Voting --------'        |
//!     |     claim, release  claim     commit, reveal          |
//!     |                                                       |
//!     | expire (also Assigned, Gathering)                     |
//!     |-----------------> Expired ----------------------------|
//!     | cancel                                                |
//!     '-----------------> Cancelled --------------------------'
//! ```
//!
//! While a job is open its ceiling and bounty are on hold from the requester; until it is removed its deposit is. While
//! workers owe it an answer, or the proof of one, their collateral is reserved of their stake. While it is disputed the
//! challenger has a fee on hold. Nothing else is.

mod answer;
mod claim;
mod payment;
mod vote;

pub use vote::quorum;

use crate::{HoldReason, Job, JobState, Verification, MAX_SEATS, MIN_SEATS};
use alloc::{vec, vec::Vec};
use pallet_reputation::ReputationReason;
use sp_core::H256;
use sp_runtime::{traits::AtLeast32BitUnsigned, Permill};

/// The market's terms: amounts in plancks, times in blocks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Terms<Balance, BlockNumber> {
    /// Lowest price of a job.
    pub min_price: Balance,
    /// Fewest blocks that a job may leave its workers.
    pub min_duration: BlockNumber,
    /// Most blocks that a job may take.
    pub max_duration: BlockNumber,
    /// Lowest collateral of a claim.
    pub min_collateral: Balance,
    /// Collateral of a claim as a share of the price.
    pub collateral_ratio: Permill,
    /// Share of the collateral that is burned with a refused proof.
    pub invalid_proof_cut: Permill,
    /// Share of the collateral that the requester gets from a worker who gives a job back at once.
    pub release_cut: Permill,
    /// Share of the collateral that is lost by lateness, and by dissent from what most workers say.
    pub expiry_cut: Permill,
    /// Blocks after which anyone may remove a settled job.
    pub retention: BlockNumber,
    /// Blocks from submission until a worker without any merit may claim.
    pub head_start: BlockNumber,
    /// Blocks from a claim until another worker may take the job over.
    pub claim_term: BlockNumber,
    /// Blocks from the last commitment of a redundant job until the last output.
    pub reveal_term: BlockNumber,
    /// Blocks in which an answer may be disputed.
    pub challenge_period: BlockNumber,
    /// Blocks in which a disputed answer may be proven.
    pub proof_period: BlockNumber,
    /// What a dispute costs the challenger if it is lost.
    pub dispute_fee: Balance,
    /// Share of the collateral that a challenger gets who wins; the rest goes to the requester.
    pub challenger_share: Permill,
    /// Share of the price that the market keeps.
    pub platform_fee: Permill,
    /// Share of the market's fee that is burned.
    pub fee_burn: Permill,
}

/// What may be done to a job.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action<AccountId, Balance> {
    /// `worker` takes the job, or a seat of it.
    Claim {
        /// The caller.
        worker: AccountId,
        /// How much of the head start the worker has.
        merit: Permill,
    },
    /// `worker` takes the job over from one who is late.
    Rescue {
        /// The caller.
        worker: AccountId,
        /// What of the late worker's collateral is on hold for the one who answers.
        bounty: Balance,
    },
    /// `worker` has proven a result.
    Accept {
        /// The caller.
        worker: AccountId,
        /// Who is paid.
        payee: AccountId,
    },
    /// `worker` has brought a proof that does not hold.
    Refuse {
        /// The caller.
        worker: AccountId,
        /// Whether a case is opened: a proof for several jobs is one offence.
        accuse: bool,
    },
    /// `worker` says what the output is.
    Answer {
        /// The caller.
        worker: AccountId,
        /// Who is to be paid.
        payee: AccountId,
    },
    /// `challenger` says that the answer is wrong.
    Dispute {
        /// The caller.
        challenger: AccountId,
    },
    /// Someone has proven what the output is.
    Prove {
        /// Whether it is the one that was answered.
        upheld: bool,
    },
    /// `worker` commits to an output.
    Commit {
        /// The caller.
        worker: AccountId,
        /// The [`ciro_primitives::answer_commitment`].
        commitment: H256,
    },
    /// `worker` opens a commitment.
    Reveal {
        /// The caller.
        worker: AccountId,
        /// The commitment that output and salt make.
        commitment: H256,
        /// The [`ciro_primitives::output_hash`].
        output: H256,
    },
    /// Someone says that a period is over.
    Finalise,
    /// `worker` gives the job or the seat back.
    Release {
        /// The caller.
        worker: AccountId,
    },
    /// `requester` withdraws the job.
    Cancel {
        /// The caller.
        requester: AccountId,
    },
    /// Someone says that the deadline has passed.
    Expire,
    /// `requester` rates what was paid.
    Rate {
        /// The caller.
        requester: AccountId,
        /// 1 to 5.
        stars: u8,
    },
    /// `by` wants the settled job out of storage.
    Remove {
        /// The caller.
        by: AccountId,
    },
}

/// Where held funds go. Who owns a model and where fees go is not the job's to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sink<AccountId> {
    /// Free funds of an account.
    Account(AccountId),
    /// Free funds of the model's owner.
    ModelOwner,
    /// Where the market's fees go.
    Fees,
    /// Nowhere: they cease to exist.
    Burn,
}

/// What follows from an action. Amounts are in plancks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Effect<AccountId, Balance, BlockNumber> {
    /// Funds of the account go on hold.
    Hold(HoldReason, AccountId, Balance),
    /// Held funds of the account are theirs again.
    Release(HoldReason, AccountId, Balance),
    /// Held funds of the account go elsewhere.
    Pay(HoldReason, AccountId, Sink<AccountId>, Balance),
    /// So much of the worker's stake becomes collateral.
    Reserve(AccountId, Balance),
    /// So much of the worker's collateral is stake like any other again.
    Free(AccountId, Balance),
    /// So much of the worker's collateral goes to the other account, or is burned.
    Forfeit(AccountId, Option<AccountId>, Balance),
    /// The account's reputation changes.
    Note(AccountId, ReputationReason),
    /// The worker has brought a result that is proven wrong. Its stake answers for it from this block on.
    Accuse(AccountId, BlockNumber),
}

/// What becomes of a job, and what follows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step<AccountId, Balance, BlockNumber> {
    /// The job from now on; `None` once it is removed.
    pub job: Option<Job<AccountId, Balance, BlockNumber>>,
    /// What follows, in this order.
    pub effects: Vec<Effect<AccountId, Balance, BlockNumber>>,
}

/// Why an action was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal<BlockNumber> {
    /// The price is below the market's minimum.
    PriceTooLow,
    /// The floor of the price is above its ceiling.
    InvalidPrice,
    /// The number of seats is outside the limits.
    InvalidSeats,
    /// The duration is outside the market's limits, or the deadline is past the last block number.
    InvalidDuration,
    /// The job is not waiting for a worker.
    NotSubmitted,
    /// Until this block the job is for workers of more merit.
    TooEarly(BlockNumber),
    /// The worker has a seat, or is the one who is late.
    AlreadyAssigned,
    /// No claim to the job is late.
    NotLate,
    /// The job is not assigned to this worker.
    NotAssignedToCaller,
    /// The job's level asks for a proof, or for a vote.
    AnswerNotTaken,
    /// There is no answer that could be disputed.
    NotAnswered,
    /// The answer is not disputed.
    NotDisputed,
    /// The seats are not all taken yet, or the vote is over.
    NotVoting,
    /// The worker has committed already, or the time to commit is over.
    CommitmentNotTaken,
    /// The worker has not committed, has revealed already, or others may still commit.
    OutputNotTaken,
    /// The output and salt are not those that were committed to.
    CommitmentMismatch,
    /// The period is over.
    PeriodOver,
    /// The period is not over yet.
    PeriodNotOver,
    /// There is nothing to finalise.
    NothingToFinalise,
    /// The caller did not request the job.
    NotRequester,
    /// The job has an answer, or its workers are about to give it.
    AlreadyAnswered,
    /// The job is settled already.
    AlreadySettled,
    /// The job is not settled yet.
    NotSettled,
    /// The job was not paid.
    NotPaid,
    /// The job was rated already.
    AlreadyRated,
    /// There are one to five stars.
    InvalidStars,
    /// The deadline has passed.
    DeadlinePassed,
    /// The deadline has not passed.
    DeadlineNotPassed,
    /// Only the requester may remove the job yet.
    RetentionNotOver,
}

/// What an action comes to.
pub type Outcome<A, B, N> = Result<Step<A, B, N>, Refusal<N>>;

impl<A, B, N> Job<A, B, N>
where
    A: Clone + Eq,
    B: AtLeast32BitUnsigned + Copy,
    N: AtLeast32BitUnsigned + Copy,
{
    /// Puts a `Submitted` job on the market.
    ///
    /// # Errors
    /// [`Refusal::InvalidDuration`], [`Refusal::InvalidPrice`], [`Refusal::PriceTooLow`], [`Refusal::InvalidSeats`].
    pub fn open(self, terms: &Terms<B, N>) -> Outcome<A, B, N> {
        let duration = self.deadline.saturating_sub(self.opened);
        require(
            (terms.min_duration..=terms.max_duration).contains(&duration),
            Refusal::InvalidDuration,
        )?;
        require(
            self.price.floor <= self.price.ceiling,
            Refusal::InvalidPrice,
        )?;
        require(self.price.floor >= terms.min_price, Refusal::PriceTooLow)?;
        if let Verification::Redundant(seats) = self.verification {
            let seats = u32::from(seats);
            require(
                (MIN_SEATS..=MAX_SEATS).contains(&seats),
                Refusal::InvalidSeats,
            )?;
        }
        let hold = |reason, amount| Effect::Hold(reason, self.requester.clone(), amount);
        let effects = vec![
            hold(HoldReason::Escrow, self.escrow()),
            hold(HoldReason::JobDeposit, self.deposit),
        ];
        Ok(Step::new(self, effects))
    }

    /// Takes the job on by `action` in block `now`.
    ///
    /// # Errors
    /// Says why the action is refused in the job's present state.
    pub fn step(self, action: Action<A, B>, now: N, terms: &Terms<B, N>) -> Outcome<A, B, N> {
        match action {
            Action::Claim { worker, merit } => self.claim(worker, merit, now, terms),
            Action::Rescue { worker, bounty } => self.rescue(worker, bounty, now, terms),
            Action::Accept { worker, payee } => self.accept(worker, payee, now, terms),
            Action::Refuse { worker, accuse } => self.refuse(worker, accuse, now, terms),
            Action::Answer { worker, payee } => self.answer(worker, payee, now, terms),
            Action::Dispute { challenger } => self.dispute(challenger, now, terms),
            Action::Prove { upheld } => self.prove(upheld, now, terms),
            Action::Commit { worker, commitment } => self.commit(worker, commitment, now),
            Action::Reveal {
                worker,
                commitment,
                output,
            } => self.reveal(worker, commitment, output, now),
            Action::Finalise => self.finalise(now, terms),
            Action::Release { worker } => self.release(worker, now, terms),
            Action::Cancel { requester } => self.cancel(requester, now),
            Action::Expire => self.expire(now, terms),
            Action::Rate { requester, stars } => self.rate(requester, stars),
            Action::Remove { by } => self.remove(by, now, terms),
        }
    }

    fn finalise(self, now: N, terms: &Terms<B, N>) -> Outcome<A, B, N> {
        match self.state {
            JobState::Answered { .. } => self.uphold(now, terms),
            JobState::Disputed { .. } => self.lapse(now, terms),
            JobState::Voting { .. } => self.tally(now, terms),
            _ => Err(Refusal::NothingToFinalise),
        }
    }

    fn cancel(self, requester: A, now: N) -> Outcome<A, B, N> {
        require(self.requester == requester, Refusal::NotRequester)?;
        require(
            matches!(self.state, JobState::Submitted),
            Refusal::NotSubmitted,
        )?;
        let effects = vec![self.refund()];
        let state = JobState::Cancelled { at: now };
        Ok(Step::new(Self { state, ..self }, effects))
    }

    fn expire(self, now: N, terms: &Terms<B, N>) -> Outcome<A, B, N> {
        let (worker, mut effects) = match &self.state {
            JobState::Submitted => (None, Vec::new()),
            JobState::Assigned(claim) => {
                let worker = claim.worker.clone();
                let mut effects = self.compensate(&worker, claim.collateral, terms.expiry_cut);
                effects.push(Effect::Note(worker.clone(), ReputationReason::JobTimedOut));
                (Some(worker), effects)
            }
            JobState::Gathering {
                workers,
                collateral,
            } => {
                let free = |worker: &A| Effect::Free(worker.clone(), *collateral);
                (None, workers.iter().map(free).collect())
            }
            JobState::Answered { .. } | JobState::Disputed { .. } | JobState::Voting { .. } => {
                return Err(Refusal::AlreadyAnswered)
            }
            _ => return Err(Refusal::AlreadySettled),
        };
        require(now > self.deadline, Refusal::DeadlineNotPassed)?;
        effects.push(self.refund());
        let state = JobState::Expired { worker, at: now };
        Ok(Step::new(Self { state, ..self }, effects))
    }

    fn rate(self, requester: A, stars: u8) -> Outcome<A, B, N> {
        require(self.requester == requester, Refusal::NotRequester)?;
        require((1..=5).contains(&stars), Refusal::InvalidStars)?;
        let JobState::Paid { workers, at, rated } = self.state else {
            return Err(Refusal::NotPaid);
        };
        require(!rated, Refusal::AlreadyRated)?;
        let note = |worker: &A| Effect::Note(worker.clone(), ReputationReason::Rated(stars));
        let effects = workers.iter().map(note).collect();
        let state = JobState::Paid {
            workers,
            at,
            rated: true,
        };
        Ok(Step::new(Self { state, ..self }, effects))
    }

    fn remove(self, by: A, now: N, terms: &Terms<B, N>) -> Outcome<A, B, N> {
        let settled = match self.state {
            JobState::Paid { at, .. }
            | JobState::Cancelled { at }
            | JobState::Expired { at, .. }
            | JobState::Failed { at } => at,
            _ => return Err(Refusal::NotSettled),
        };
        require(
            by == self.requester || now > settled.saturating_add(terms.retention),
            Refusal::RetentionNotOver,
        )?;
        Ok(Step {
            job: None,
            effects: vec![Effect::Release(
                HoldReason::JobDeposit,
                self.requester,
                self.deposit,
            )],
        })
    }
}

impl<A, B, N> Job<A, B, N> {
    /// Whether the price is still on hold: the job is neither paid, cancelled, expired nor failed.
    pub fn is_open(&self) -> bool {
        !matches!(
            self.state,
            JobState::Paid { .. }
                | JobState::Cancelled { .. }
                | JobState::Expired { .. }
                | JobState::Failed { .. }
        )
    }

    /// Whether an output is stored for the job.
    pub fn has_result(&self) -> bool {
        matches!(
            self.state,
            JobState::Paid { .. } | JobState::Answered { .. } | JobState::Disputed { .. }
        )
    }

    /// Who owes the job an answer.
    pub fn debtors(&self) -> Vec<&A> {
        match &self.state {
            JobState::Assigned(claim) => vec![&claim.worker],
            JobState::Gathering { workers, .. } => workers.iter().collect(),
            JobState::Voting { seats, .. } => seats.iter().map(|seat| &seat.worker).collect(),
            _ => Vec::new(),
        }
    }
}

impl<A, B, N> Step<A, B, N> {
    fn new(job: Job<A, B, N>, effects: Vec<Effect<A, B, N>>) -> Self {
        Self {
            job: Some(job),
            effects,
        }
    }
}

fn require<N>(holds: bool, otherwise: Refusal<N>) -> Result<(), Refusal<N>> {
    if holds {
        Ok(())
    } else {
        Err(otherwise)
    }
}
