//! Answers, disputes and proofs.

use super::{require, Effect, Outcome, Refusal, Sink, Step, Terms};
use crate::{Claim, HoldReason, Job, JobState, Verification, Workers};
use alloc::{vec, vec::Vec};
use frame_support::BoundedVec;
use pallet_reputation::ReputationReason;
use sp_runtime::traits::AtLeast32BitUnsigned;

impl<A, B, N> Job<A, B, N>
where
    A: Clone + Eq,
    B: AtLeast32BitUnsigned + Copy,
    N: AtLeast32BitUnsigned + Copy,
{
    /// A proof settles a job of any level that has one worker.
    pub(super) fn accept(
        self,
        worker: A,
        payee: A,
        now: N,
        terms: &Terms<B, N>,
    ) -> Outcome<A, B, N> {
        let claim = self.claim_of(&worker, now)?;
        Ok(self.settle(claim, payee, now, terms))
    }

    pub(super) fn refuse(
        self,
        worker: A,
        accuse: bool,
        now: N,
        terms: &Terms<B, N>,
    ) -> Outcome<A, B, N> {
        let claim = self.claim_of(&worker, now)?;
        let cut = terms.invalid_proof_cut.mul_ceil(claim.collateral);
        let mut effects = vec![
            Effect::Forfeit(worker.clone(), None, cut),
            Effect::Free(worker.clone(), claim.collateral.saturating_sub(cut)),
        ];
        if accuse {
            effects.push(Effect::Accuse(worker, claim.since));
        }
        let state = JobState::Submitted;
        Ok(Step::new(Self { state, ..self }, effects))
    }

    pub(super) fn answer(
        self,
        worker: A,
        payee: A,
        now: N,
        terms: &Terms<B, N>,
    ) -> Outcome<A, B, N> {
        let claim = self.claim_of(&worker, now)?;
        require(
            self.verification == Verification::None,
            Refusal::AnswerNotTaken,
        )?;
        let state = JobState::Answered {
            claim,
            payee,
            until: now.saturating_add(terms.challenge_period),
        };
        Ok(Step::new(Self { state, ..self }, Vec::new()))
    }

    pub(super) fn dispute(self, challenger: A, now: N, terms: &Terms<B, N>) -> Outcome<A, B, N> {
        let JobState::Answered {
            claim,
            payee,
            until,
        } = self.state
        else {
            return Err(Refusal::NotAnswered);
        };
        require(now <= until, Refusal::PeriodOver)?;
        let fee = terms.dispute_fee;
        let effects = vec![Effect::Hold(
            HoldReason::DisputeFee,
            challenger.clone(),
            fee,
        )];
        let state = JobState::Disputed {
            claim,
            payee,
            challenger,
            fee,
            until: now.saturating_add(terms.proof_period),
        };
        Ok(Step::new(Self { state, ..self }, effects))
    }

    /// Whether a proof of the output is taken in block `now`.
    ///
    /// # Errors
    /// [`Refusal::NotDisputed`], [`Refusal::PeriodOver`].
    pub fn takes_proof(&self, now: N) -> Result<(), Refusal<N>> {
        match &self.state {
            JobState::Disputed { until, .. } => require(now <= *until, Refusal::PeriodOver),
            _ => Err(Refusal::NotDisputed),
        }
    }

    /// A proof decides a dispute. If the answer was wrong the job is not opened again: its deadline is mostly over by
    /// then, and the requester, who has the price back, can read the true output in the proof.
    pub(super) fn prove(self, upheld: bool, now: N, terms: &Terms<B, N>) -> Outcome<A, B, N> {
        self.takes_proof(now)?;
        let JobState::Disputed {
            claim,
            payee,
            challenger,
            fee,
            ..
        } = self.state.clone()
        else {
            return Err(Refusal::NotDisputed);
        };
        if !upheld {
            let accusation = Effect::Accuse(claim.worker.clone(), claim.since);
            return Ok(self.reject(claim, challenger, fee, accusation, now, terms));
        }
        let worker = Sink::Account(claim.worker.clone());
        let mut step = self.settle(claim, payee, now, terms);
        let fee = Effect::Pay(HoldReason::DisputeFee, challenger, worker, fee);
        step.effects.push(fee);
        Ok(step)
    }

    /// Nobody disputed the answer.
    pub(super) fn uphold(self, now: N, terms: &Terms<B, N>) -> Outcome<A, B, N> {
        let JobState::Answered {
            claim,
            payee,
            until,
        } = self.state.clone()
        else {
            return Err(Refusal::NotAnswered);
        };
        require(now > until, Refusal::PeriodNotOver)?;
        Ok(self.settle(claim, payee, now, terms))
    }

    /// Nobody proved the answer, which was for its worker to do.
    pub(super) fn lapse(self, now: N, terms: &Terms<B, N>) -> Outcome<A, B, N> {
        let JobState::Disputed {
            claim,
            challenger,
            fee,
            until,
            ..
        } = self.state.clone()
        else {
            return Err(Refusal::NotDisputed);
        };
        require(now > until, Refusal::PeriodNotOver)?;
        let lost = Effect::Note(claim.worker.clone(), ReputationReason::DisputeLost);
        Ok(self.reject(claim, challenger, fee, lost, now, terms))
    }

    fn settle(self, claim: Claim<A, B, N>, payee: A, now: N, terms: &Terms<B, N>) -> Step<A, B, N> {
        let mut effects = self.pay(&[payee], terms);
        effects.extend([
            Effect::Free(claim.worker.clone(), claim.collateral),
            Effect::Note(claim.worker.clone(), ReputationReason::JobCompleted),
        ]);
        self.paid(BoundedVec::truncate_from(vec![claim.worker]), now, effects)
    }

    pub(super) fn paid(
        self,
        workers: Workers<A>,
        now: N,
        effects: Vec<Effect<A, B, N>>,
    ) -> Step<A, B, N> {
        let state = JobState::Paid {
            workers,
            at: now,
            rated: false,
        };
        Step::new(Self { state, ..self }, effects)
    }

    /// All of the worker's collateral is lost. The challenger does not get all of it: else a worker who is found out
    /// could save it by disputing the answer under another name first.
    fn reject(
        self,
        claim: Claim<A, B, N>,
        challenger: A,
        fee: B,
        consequence: Effect<A, B, N>,
        now: N,
        terms: &Terms<B, N>,
    ) -> Step<A, B, N> {
        let share = terms.challenger_share.mul_floor(claim.collateral);
        let rest = claim.collateral.saturating_sub(share);
        let forfeit = |to, amount| Effect::Forfeit(claim.worker.clone(), Some(to), amount);
        let effects = vec![
            forfeit(challenger.clone(), share),
            forfeit(self.requester.clone(), rest),
            Effect::Release(HoldReason::DisputeFee, challenger, fee),
            self.refund(),
            consequence,
        ];
        let state = JobState::Failed { at: now };
        Step::new(Self { state, ..self }, effects)
    }
}
