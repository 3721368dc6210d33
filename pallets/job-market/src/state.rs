//! The life of a job, as pure functions.
//!
//! [`Job::open`] begins it and [`Job::step`] takes it on; both say which funds move, and neither knows of storage or balances.
//!
//! ```text
//!             claim              accept
//! Submitted --------> Assigned ---------> Paid ------.
//!     | ^                |  |                        |
//!     | '----------------'  |                        |  remove
//!     |  release, refuse    | expire                 |--------> gone
//!     | expire              v                        |
//!     |-----------------> Expired -------------------|
//!     | cancel                                       |
//!     '-----------------> Cancelled -----------------'
//! ```
//!
//! While a job is open its price is on hold from the requester; while it is assigned its collateral is on hold from the
//! worker; until it is removed its deposit is on hold from the requester. Nothing else is.

use crate::{HoldReason, Job, JobState};
use alloc::{vec, vec::Vec};
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
    /// Share of the collateral that the requester gets from a worker who gives a job back.
    pub release_cut: Permill,
    /// Share of the collateral that the requester gets when a claimed job expires.
    pub expiry_cut: Permill,
    /// Blocks after which anyone may remove a settled job.
    pub retention: BlockNumber,
}

/// What may be done to a job.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action<AccountId> {
    /// `worker` takes the job on.
    Claim {
        /// The caller.
        worker: AccountId,
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
    },
    /// `worker` gives the job back.
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
    /// `by` wants the settled job out of storage.
    Remove {
        /// The caller.
        by: AccountId,
    },
}

/// A movement of funds. Amounts are in plancks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Move<AccountId, Balance> {
    /// Funds of `who` go on hold.
    Hold(HoldReason, AccountId, Balance),
    /// Held funds of `who` are theirs again.
    Release(HoldReason, AccountId, Balance),
    /// Held funds of the first account become free funds of the second.
    Pay(HoldReason, AccountId, AccountId, Balance),
    /// Held funds of `who` cease to exist.
    Burn(HoldReason, AccountId, Balance),
}

/// What follows from an action.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step<AccountId, Balance, BlockNumber> {
    /// The job from now on; `None` once it is removed.
    pub job: Option<Job<AccountId, Balance, BlockNumber>>,
    /// The funds that move, in this order.
    pub moves: Vec<Move<AccountId, Balance>>,
}

/// Why an action was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The price is below the market's minimum.
    PriceTooLow,
    /// The duration is outside the market's limits, or the deadline is past the last block number.
    InvalidDuration,
    /// The job is not waiting for a worker.
    NotSubmitted,
    /// The job is not assigned to this worker.
    NotAssignedToCaller,
    /// The caller did not request the job.
    NotRequester,
    /// The job is settled already.
    AlreadySettled,
    /// The job is not settled yet.
    NotSettled,
    /// The deadline has passed.
    DeadlinePassed,
    /// The deadline has not passed.
    DeadlineNotPassed,
    /// Only the requester may remove the job yet.
    RetentionNotOver,
}

impl<A, B, N> Job<A, B, N>
where
    A: Clone + Eq,
    B: AtLeast32BitUnsigned + Copy,
    N: AtLeast32BitUnsigned + Copy,
{
    /// Puts a `Submitted` job on the market.
    ///
    /// # Errors
    /// [`Refusal::InvalidDuration`], [`Refusal::PriceTooLow`].
    pub fn open(self, now: N, terms: &Terms<B, N>) -> Result<Step<A, B, N>, Refusal> {
        let duration = self.deadline.saturating_sub(now);
        require(
            (terms.min_duration..=terms.max_duration).contains(&duration),
            Refusal::InvalidDuration,
        )?;
        require(self.price >= terms.min_price, Refusal::PriceTooLow)?;
        let moves = vec![
            Move::Hold(HoldReason::Escrow, self.requester.clone(), self.price),
            Move::Hold(HoldReason::JobDeposit, self.requester.clone(), self.deposit),
        ];
        Ok(Step::new(self, moves))
    }

    /// Takes the job on by `action` in block `now`.
    ///
    /// # Errors
    /// Says why the action is refused in the job's present state.
    pub fn step(
        self,
        action: Action<A>,
        now: N,
        terms: &Terms<B, N>,
    ) -> Result<Step<A, B, N>, Refusal> {
        match action {
            Action::Claim { worker } => self.claim(worker, now, terms),
            Action::Accept { worker, payee } => self.accept(worker, payee, now),
            Action::Refuse { worker } => self.refuse(worker, now, terms),
            Action::Release { worker } => self.release(worker, now, terms),
            Action::Cancel { requester } => self.cancel(requester, now),
            Action::Expire => self.expire(now, terms),
            Action::Remove { by } => self.remove(by, now, terms),
        }
    }

    /// The collateral that `worker` has on hold for the job, if a result from them is taken in block `now`.
    ///
    /// # Errors
    /// [`Refusal::NotAssignedToCaller`], [`Refusal::DeadlinePassed`].
    pub fn collateral_of(&self, worker: &A, now: N) -> Result<B, Refusal> {
        match &self.state {
            JobState::Assigned {
                worker: assigned,
                collateral,
                ..
            } if assigned == worker => {
                require(now <= self.deadline, Refusal::DeadlinePassed)?;
                Ok(*collateral)
            }
            _ => Err(Refusal::NotAssignedToCaller),
        }
    }

    /// A claim in the last block could not be answered in a later one, so it comes too late.
    fn claim(self, worker: A, now: N, terms: &Terms<B, N>) -> Result<Step<A, B, N>, Refusal> {
        require(
            matches!(self.state, JobState::Submitted),
            Refusal::NotSubmitted,
        )?;
        require(now < self.deadline, Refusal::DeadlinePassed)?;
        let share = terms.collateral_ratio.mul_ceil(self.price);
        let collateral = share.max(terms.min_collateral);
        let moves = vec![Move::Hold(
            HoldReason::Collateral,
            worker.clone(),
            collateral,
        )];
        let state = JobState::Assigned {
            worker,
            collateral,
            since: now,
        };
        Ok(Step::new(Self { state, ..self }, moves))
    }

    fn accept(self, worker: A, payee: A, now: N) -> Result<Step<A, B, N>, Refusal> {
        let collateral = self.collateral_of(&worker, now)?;
        let moves = vec![
            Move::Pay(
                HoldReason::Escrow,
                self.requester.clone(),
                payee.clone(),
                self.price,
            ),
            Move::Release(HoldReason::Collateral, worker.clone(), collateral),
        ];
        let state = JobState::Paid {
            worker,
            payee,
            at: now,
        };
        Ok(Step::new(Self { state, ..self }, moves))
    }

    fn refuse(self, worker: A, now: N, terms: &Terms<B, N>) -> Result<Step<A, B, N>, Refusal> {
        let collateral = self.collateral_of(&worker, now)?;
        let cut = terms.invalid_proof_cut.mul_ceil(collateral);
        let moves = vec![
            Move::Burn(HoldReason::Collateral, worker.clone(), cut),
            Move::Release(
                HoldReason::Collateral,
                worker,
                collateral.saturating_sub(cut),
            ),
        ];
        let job = Self {
            state: JobState::Submitted,
            ..self
        };
        Ok(Step::new(job, moves))
    }

    /// Only until the deadline: after it the dearer expiry is due.
    fn release(self, worker: A, now: N, terms: &Terms<B, N>) -> Result<Step<A, B, N>, Refusal> {
        let collateral = self.collateral_of(&worker, now)?;
        let moves = self.compensate(worker, collateral, terms.release_cut);
        let job = Self {
            state: JobState::Submitted,
            ..self
        };
        Ok(Step::new(job, moves))
    }

    fn cancel(self, requester: A, now: N) -> Result<Step<A, B, N>, Refusal> {
        require(self.requester == requester, Refusal::NotRequester)?;
        require(
            matches!(self.state, JobState::Submitted),
            Refusal::NotSubmitted,
        )?;
        let moves = vec![self.refund()];
        let state = JobState::Cancelled { at: now };
        Ok(Step::new(Self { state, ..self }, moves))
    }

    fn expire(self, now: N, terms: &Terms<B, N>) -> Result<Step<A, B, N>, Refusal> {
        let (worker, mut moves) = match &self.state {
            JobState::Submitted => (None, Vec::new()),
            JobState::Assigned {
                worker, collateral, ..
            } => {
                let moves = self.compensate(worker.clone(), *collateral, terms.expiry_cut);
                (Some(worker.clone()), moves)
            }
            _ => return Err(Refusal::AlreadySettled),
        };
        require(now > self.deadline, Refusal::DeadlineNotPassed)?;
        moves.push(self.refund());
        let state = JobState::Expired { worker, at: now };
        Ok(Step::new(Self { state, ..self }, moves))
    }

    fn remove(self, by: A, now: N, terms: &Terms<B, N>) -> Result<Step<A, B, N>, Refusal> {
        let settled = match self.state {
            JobState::Paid { at, .. }
            | JobState::Cancelled { at }
            | JobState::Expired { at, .. } => at,
            JobState::Submitted | JobState::Assigned { .. } => return Err(Refusal::NotSettled),
        };
        require(
            by == self.requester || now > settled.saturating_add(terms.retention),
            Refusal::RetentionNotOver,
        )?;
        Ok(Step {
            job: None,
            moves: vec![Move::Release(
                HoldReason::JobDeposit,
                self.requester,
                self.deposit,
            )],
        })
    }

    /// The price goes back to the requester.
    fn refund(&self) -> Move<A, B> {
        Move::Release(HoldReason::Escrow, self.requester.clone(), self.price)
    }

    /// A share of the collateral goes to the requester, the rest back to the worker.
    fn compensate(&self, worker: A, collateral: B, share: Permill) -> Vec<Move<A, B>> {
        let cut = share.mul_ceil(collateral);
        let rest = collateral.saturating_sub(cut);
        let reason = HoldReason::Collateral;
        vec![
            Move::Pay(reason, worker.clone(), self.requester.clone(), cut),
            Move::Release(reason, worker, rest),
        ]
    }
}

impl<A, B, N> Step<A, B, N> {
    fn new(job: Job<A, B, N>, moves: Vec<Move<A, B>>) -> Self {
        Self {
            job: Some(job),
            moves,
        }
    }
}

fn require(holds: bool, otherwise: Refusal) -> Result<(), Refusal> {
    if holds {
        Ok(())
    } else {
        Err(otherwise)
    }
}
