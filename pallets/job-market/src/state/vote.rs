//! The vote of a redundant job: its workers commit to outputs, then reveal them, and seven tenths must agree.

use super::{require, Effect, Outcome, Refusal, Step, Terms};
use crate::{Job, JobState, Seat, Seats, Vote};
use alloc::vec::Vec;
use frame_support::BoundedVec;
use pallet_reputation::ReputationReason;
use sp_core::H256;
use sp_runtime::traits::AtLeast32BitUnsigned;

/// How many of so many seats must say the same: seven tenths, rounded up. That is more than half of them, so that no
/// two outputs can win.
pub fn quorum(seats: usize) -> usize {
    seats.saturating_mul(7).div_ceil(10)
}

/// The output that enough seats have revealed, if there is one.
fn winner<A>(seats: &[Seat<A>]) -> Option<H256> {
    let revealed = || {
        seats.iter().filter_map(|seat| match seat.vote {
            Vote::Revealed(output) => Some(output),
            _ => None,
        })
    };
    let votes = |output| revealed().filter(|other| *other == output).count();
    revealed().find(|output| votes(*output) >= quorum(seats.len()))
}

impl<A, B, N> Job<A, B, N>
where
    A: Clone + Eq,
    B: AtLeast32BitUnsigned + Copy,
    N: AtLeast32BitUnsigned + Copy,
{
    /// The output that the job's workers agree on, if they do. More votes do not change it.
    pub fn agreed(&self) -> Option<H256> {
        match &self.state {
            JobState::Voting { seats, .. } => winner(seats),
            _ => None,
        }
    }

    pub(super) fn commit(mut self, worker: A, commitment: H256, now: N) -> Outcome<A, B, N> {
        let JobState::Voting {
            seats, commit_by, ..
        } = &mut self.state
        else {
            return Err(Refusal::NotVoting);
        };
        let seat = seat_of(seats, &worker)?;
        require(
            seat.vote == Vote::Pending && now <= *commit_by,
            Refusal::CommitmentNotTaken,
        )?;
        seat.vote = Vote::Committed(commitment);
        Ok(Step::new(self, Vec::new()))
    }

    /// Only once nobody can commit any more: else an output could be copied.
    pub(super) fn reveal(
        mut self,
        worker: A,
        opened: H256,
        output: H256,
        now: N,
    ) -> Outcome<A, B, N> {
        let JobState::Voting {
            seats,
            commit_by,
            reveal_by,
            ..
        } = &mut self.state
        else {
            return Err(Refusal::NotVoting);
        };
        let all_committed = seats.iter().all(|seat| seat.vote != Vote::Pending);
        let seat = seat_of(seats, &worker)?;
        let Vote::Committed(commitment) = seat.vote else {
            return Err(Refusal::OutputNotTaken);
        };
        require(all_committed || now > *commit_by, Refusal::OutputNotTaken)?;
        require(now <= *reveal_by, Refusal::PeriodOver)?;
        require(commitment == opened, Refusal::CommitmentMismatch)?;
        seat.vote = Vote::Revealed(output);
        Ok(Step::new(self, Vec::new()))
    }

    /// Due as soon as nobody can say anything any more.
    pub(super) fn tally(self, now: N, terms: &Terms<B, N>) -> Outcome<A, B, N> {
        let JobState::Voting {
            seats,
            collateral,
            commit_by,
            reveal_by,
        } = &self.state
        else {
            return Err(Refusal::NotVoting);
        };
        let is_done = |seat: &Seat<A>| match seat.vote {
            Vote::Pending => now > *commit_by,
            Vote::Committed(_) => now > *reveal_by,
            Vote::Revealed(_) => true,
        };
        require(seats.iter().all(is_done), Refusal::PeriodNotOver)?;

        let agreed = winner(seats);
        let mut effects = Vec::new();
        let mut winners = Vec::new();
        for seat in seats {
            let verdict = match (seat.vote, agreed) {
                (Vote::Revealed(output), Some(agreed)) if output == agreed => {
                    winners.push(seat.worker.clone());
                    Some(ReputationReason::JobCompleted)
                }
                (Vote::Revealed(_), Some(_)) => Some(ReputationReason::DisputeLost),
                (Vote::Revealed(_), None) => None,
                _ => Some(ReputationReason::JobTimedOut),
            };
            match verdict {
                None | Some(ReputationReason::JobCompleted) => {
                    effects.push(Effect::Free(seat.worker.clone(), *collateral))
                }
                Some(_) => {
                    effects.extend(self.compensate(&seat.worker, *collateral, terms.expiry_cut))
                }
            }
            effects.extend(verdict.map(|reason| Effect::Note(seat.worker.clone(), reason)));
        }
        if winners.is_empty() {
            effects.push(self.refund());
            let state = JobState::Failed { at: now };
            return Ok(Step::new(Self { state, ..self }, effects));
        }
        effects.extend(self.pay(&winners, terms));
        Ok(self.paid(BoundedVec::truncate_from(winners), now, effects))
    }
}

fn seat_of<'a, A: Eq, N>(
    seats: &'a mut Seats<A>,
    worker: &A,
) -> Result<&'a mut Seat<A>, Refusal<N>> {
    let seat = seats.iter_mut().find(|seat| &seat.worker == worker);
    seat.ok_or(Refusal::NotAssignedToCaller)
}
