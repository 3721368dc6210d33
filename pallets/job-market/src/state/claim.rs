//! Taking a job, giving it back, and taking it over.

use super::{require, Effect, Outcome, Refusal, Step, Terms};
use crate::{Claim, Job, JobState, Seat, Verification, Vote};
use alloc::{vec, vec::Vec};
use frame_support::BoundedVec;
use pallet_reputation::ReputationReason;
use sp_runtime::{
    traits::{AtLeast32BitUnsigned, Zero},
    PerThing, Permill, Saturating,
};

impl<A, B: AtLeast32BitUnsigned + Copy, N> Claim<A, B, N> {
    /// What a worker who is late loses to the one who answers, in plancks.
    pub fn lateness_cut(&self, terms: &Terms<B, N>) -> B {
        terms.expiry_cut.mul_ceil(self.collateral)
    }
}

impl<A, B, N> Job<A, B, N>
where
    A: Clone + Eq,
    B: AtLeast32BitUnsigned + Copy,
    N: AtLeast32BitUnsigned + Copy,
{
    /// The first block in which a worker of this merit may claim the job.
    pub fn eligible_from(&self, merit: Permill, terms: &Terms<B, N>) -> N {
        let wait = merit.left_from_one().mul_ceil(terms.head_start);
        self.opened.saturating_add(wait)
    }

    /// The claim of `worker`, if an answer from them is taken in block `now`. One who is late may answer until another
    /// has taken the job over.
    ///
    /// # Errors
    /// [`Refusal::NotAssignedToCaller`], [`Refusal::DeadlinePassed`].
    pub fn claim_of(&self, worker: &A, now: N) -> Result<Claim<A, B, N>, Refusal<N>> {
        match &self.state {
            JobState::Assigned(claim) if &claim.worker == worker => {
                require(now <= self.deadline, Refusal::DeadlinePassed)?;
                Ok(claim.clone())
            }
            _ => Err(Refusal::NotAssignedToCaller),
        }
    }

    /// The claim that `worker` may take over in block `now`.
    ///
    /// # Errors
    /// [`Refusal::NotLate`], [`Refusal::AlreadyAssigned`], [`Refusal::DeadlinePassed`] in the deadline's block already.
    pub fn late_claim(&self, worker: &A, now: N) -> Result<Claim<A, B, N>, Refusal<N>> {
        let JobState::Assigned(claim) = &self.state else {
            return Err(Refusal::NotLate);
        };
        require(now > claim.answer_by, Refusal::NotLate)?;
        require(&claim.worker != worker, Refusal::AlreadyAssigned)?;
        require(now < self.deadline, Refusal::DeadlinePassed)?;
        Ok(claim.clone())
    }

    /// A claim in the last block could not be answered in a later one, so it comes too late.
    pub(super) fn claim(
        self,
        worker: A,
        merit: Permill,
        now: N,
        terms: &Terms<B, N>,
    ) -> Outcome<A, B, N> {
        let waits = matches!(self.state, JobState::Submitted | JobState::Gathering { .. });
        require(waits, Refusal::NotSubmitted)?;
        require(now < self.deadline, Refusal::DeadlinePassed)?;
        let from = self.eligible_from(merit, terms);
        require(now >= from, Refusal::TooEarly(from))?;
        match self.verification {
            Verification::Redundant(seats) => self.take_seat(worker, seats, now, terms),
            Verification::None | Verification::ZkMl => Ok(self.assign(worker, now, terms)),
        }
    }

    fn assign(mut self, worker: A, now: N, terms: &Terms<B, N>) -> Step<A, B, N> {
        let release = self.fix_price(now);
        let collateral = collateral(self.price.ceiling, terms);
        let effects = vec![release, Effect::Reserve(worker.clone(), collateral)];
        self.state = JobState::Assigned(Claim {
            worker,
            collateral,
            since: now,
            answer_by: now.saturating_add(terms.claim_term).min(self.deadline),
        });
        Step::new(self, effects)
    }

    /// The last seat fixes the price, for all: those who came before would have done it for less. Until then nobody
    /// knows the price, so that the collateral follows from the ceiling. Everyone then has a full term to commit, past
    /// the deadline if need be: who takes the last seat late must not leave the others without time.
    fn take_seat(mut self, worker: A, seats: u8, now: N, terms: &Terms<B, N>) -> Outcome<A, B, N> {
        let (mut workers, collateral) = match &self.state {
            JobState::Gathering {
                workers,
                collateral,
            } => (workers.clone(), *collateral),
            _ => {
                let seats = B::from(u32::from(seats));
                let share = self.price.ceiling.checked_div(&seats);
                let share = share.unwrap_or_else(Zero::zero);
                (BoundedVec::new(), collateral(share, terms))
            }
        };
        require(!workers.contains(&worker), Refusal::AlreadyAssigned)?;
        let mut effects = vec![Effect::Reserve(worker.clone(), collateral)];
        require(workers.try_push(worker).is_ok(), Refusal::NotSubmitted)?;
        if workers.len() < usize::from(seats) {
            self.state = JobState::Gathering {
                workers,
                collateral,
            };
        } else {
            effects.push(self.fix_price(now));
            let commit_by = now.saturating_add(terms.claim_term);
            let pending = |worker| Seat {
                worker,
                vote: Vote::Pending,
            };
            let seats: Vec<_> = workers.into_iter().map(pending).collect();
            self.state = JobState::Voting {
                seats: BoundedVec::truncate_from(seats),
                collateral,
                commit_by,
                reveal_by: commit_by.saturating_add(terms.reveal_term),
            };
        }
        Ok(Step::new(self, effects))
    }

    /// The late worker's cut has gone to the requester, and from there on hold as `bounty`, before: how much it is
    /// shows only when it is taken.
    pub(super) fn rescue(
        mut self,
        worker: A,
        bounty: B,
        now: N,
        terms: &Terms<B, N>,
    ) -> Outcome<A, B, N> {
        let late = self.late_claim(&worker, now)?;
        let cut = late.lateness_cut(terms);
        self.bounty = self.bounty.saturating_add(bounty);
        let mut step = self.assign(worker, now, terms);
        let rest = late.collateral.saturating_sub(cut);
        step.effects.extend([
            Effect::Free(late.worker.clone(), rest),
            Effect::Note(late.worker, ReputationReason::JobTimedOut),
        ]);
        Ok(step)
    }

    /// Only until the deadline: after it the dearer expiry is due. The longer a job was kept the more it costs to give
    /// it back; a seat, which keeps nobody from answering, costs the same at any time.
    pub(super) fn release(self, worker: A, now: N, terms: &Terms<B, N>) -> Outcome<A, B, N> {
        if let JobState::Gathering { .. } = self.state {
            return self.leave_seat(worker, now, terms);
        }
        let claim = self.claim_of(&worker, now)?;
        let kept: u64 = now.saturating_sub(claim.since).unique_saturated_into();
        let term: u64 = claim
            .answer_by
            .saturating_sub(claim.since)
            .unique_saturated_into();
        let growth = terms.expiry_cut.saturating_sub(terms.release_cut);
        let share = Permill::from_rational(kept.min(term), term.max(1));
        let cut = terms
            .release_cut
            .saturating_add(growth.saturating_mul(share));
        let effects = self.compensate(&worker, claim.collateral, cut);
        let state = JobState::Submitted;
        Ok(Step::new(Self { state, ..self }, effects))
    }

    fn leave_seat(self, worker: A, now: N, terms: &Terms<B, N>) -> Outcome<A, B, N> {
        let JobState::Gathering {
            workers,
            collateral,
        } = &self.state
        else {
            return Err(Refusal::NotAssignedToCaller);
        };
        let collateral = *collateral;
        require(workers.contains(&worker), Refusal::NotAssignedToCaller)?;
        require(now <= self.deadline, Refusal::DeadlinePassed)?;
        let effects = self.compensate(&worker, collateral, terms.release_cut);
        let mut workers = workers.clone();
        workers.retain(|seated| seated != &worker);
        let state = if workers.is_empty() {
            JobState::Submitted
        } else {
            JobState::Gathering {
                workers,
                collateral,
            }
        };
        Ok(Step::new(Self { state, ..self }, effects))
    }
}

/// What a worker stakes on an answer that earns `price`.
fn collateral<B: AtLeast32BitUnsigned + Copy, N>(price: B, terms: &Terms<B, N>) -> B {
    let share = terms.collateral_ratio.mul_ceil(price);
    share.max(terms.min_collateral)
}
