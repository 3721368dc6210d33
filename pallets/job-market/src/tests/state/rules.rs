//! The rules of a job's life, as said in words.

use super::{ledger::stakes, Account, Act, Job};
use crate::{
    state::{quorum, Action, Effect, Sink, Step, Terms},
    HoldReason, JobState, Verification, Vote,
};
use sp_core::H256;
use sp_runtime::{PerThing, Permill};
use std::collections::BTreeMap;

/// The rules in words: may this be done to this job now?
pub fn allowed(job: &Job, action: &Act, now: u64, terms: &Terms<u128, u64>) -> bool {
    let in_time = now <= job.deadline;
    let vote_of = |who: &Account| match &job.state {
        JobState::Voting { seats, .. } => seats
            .iter()
            .find(|seat| seat.worker == *who)
            .map(|seat| seat.vote),
        _ => None,
    };
    let assigned_to =
        |who: &Account| matches!(&job.state, JobState::Assigned(claim) if claim.worker == *who);
    match (action, &job.state) {
        (Action::Claim { worker, merit }, state) => {
            let free = match state {
                JobState::Submitted => true,
                JobState::Gathering { workers, .. } => !workers.contains(worker),
                _ => false,
            };
            let wait = merit.left_from_one().mul_ceil(terms.head_start);
            free && now < job.deadline && now >= job.opened + wait
        }
        (Action::Rescue { worker, .. }, JobState::Assigned(claim)) => {
            now > claim.answer_by && now < job.deadline && claim.worker != *worker
        }
        (Action::Accept { worker, .. } | Action::Refuse { worker, .. }, _) => {
            assigned_to(worker) && in_time
        }
        (Action::Answer { worker, .. }, _) => {
            assigned_to(worker) && in_time && job.verification == Verification::None
        }
        (Action::Release { worker }, JobState::Gathering { workers, .. }) => {
            workers.contains(worker) && in_time
        }
        (Action::Release { worker }, _) => assigned_to(worker) && in_time,
        (Action::Dispute { .. }, JobState::Answered { until, .. })
        | (Action::Prove { .. }, JobState::Disputed { until, .. }) => now <= *until,
        (Action::Commit { worker, .. }, JobState::Voting { commit_by, .. }) => {
            vote_of(worker) == Some(Vote::Pending) && now <= *commit_by
        }
        (
            Action::Reveal {
                worker, commitment, ..
            },
            JobState::Voting {
                seats,
                commit_by,
                reveal_by,
                ..
            },
        ) => {
            let waits = seats.iter().any(|seat| seat.vote == Vote::Pending);
            vote_of(worker) == Some(Vote::Committed(*commitment))
                && (!waits || now > *commit_by)
                && now <= *reveal_by
        }
        (Action::Finalise, JobState::Answered { until, .. } | JobState::Disputed { until, .. }) => {
            now > *until
        }
        (
            Action::Finalise,
            JobState::Voting {
                seats,
                commit_by,
                reveal_by,
                ..
            },
        ) => {
            let may_act = |vote| match vote {
                Vote::Pending => now <= *commit_by,
                Vote::Committed(_) => now <= *reveal_by,
                Vote::Revealed(_) => false,
            };
            !seats.iter().any(|seat| may_act(seat.vote))
        }
        (Action::Cancel { requester }, state) => *requester == 0 && *state == JobState::Submitted,
        (
            Action::Expire,
            JobState::Submitted | JobState::Assigned(_) | JobState::Gathering { .. },
        ) => !in_time,
        (Action::Rate { requester, stars }, JobState::Paid { rated, .. }) => {
            *requester == 0 && (1..=5).contains(stars) && !rated
        }
        (
            Action::Remove { by },
            JobState::Paid { at, .. }
            | JobState::Cancelled { at }
            | JobState::Expired { at, .. }
            | JobState::Failed { at },
        ) => *by == 0 || now > at + terms.retention,
        _ => false,
    }
}

/// The price is paid exactly when the job comes to be paid, all of it, the market's and the owner's shares first; until
/// then nobody but its requester gets anything of what is on hold for it.
pub fn pays_rightly(before: &Job, step: &Step<Account, u128, u64>, terms: &Terms<u128, u64>) {
    let paid_to = |wanted: fn(&Sink<Account>) -> bool| -> u128 {
        let paid = |effect: &Effect<Account, u128, u64>| match effect {
            Effect::Pay(HoldReason::Escrow, 0, sink, amount) if wanted(sink) => *amount,
            _ => 0,
        };
        step.effects.iter().map(paid).sum()
    };
    let state = step.job.as_ref().map(|job| &job.state);
    let is_paid = before.is_open() && matches!(state, Some(JobState::Paid { .. }));
    if !is_paid {
        return assert_eq!(paid_to(|_| true), 0);
    }
    let price = before.price.ceiling;
    let fee = terms.platform_fee.mul_ceil(price);
    let royalty = before.royalty.mul_floor(price);
    let to_market = paid_to(|sink| matches!(sink, Sink::Fees | Sink::Burn));
    assert_eq!(to_market, fee);
    assert_eq!(
        paid_to(|sink| matches!(sink, Sink::Burn)),
        terms.fee_burn.mul_floor(fee)
    );
    assert_eq!(paid_to(|sink| matches!(sink, Sink::ModelOwner)), royalty);
    assert_eq!(paid_to(|_| true), price + before.bounty);
}

/// What a step takes of each worker's collateral, by the rules in words.
fn cuts(before: &Job, action: &Act, now: u64, terms: &Terms<u128, u64>) -> BTreeMap<Account, u128> {
    let single = |share: Permill| {
        stakes(&before.state)
            .into_iter()
            .map(|(who, stake)| (who, share.mul_ceil(stake)))
            .collect()
    };
    match (action, &before.state) {
        (Action::Refuse { .. }, _) => single(terms.invalid_proof_cut),
        (Action::Release { .. }, JobState::Assigned(claim)) => {
            let (kept, term) = (now - claim.since, claim.answer_by - claim.since);
            let grown = Permill::from_rational(kept.min(term), term);
            let share = (terms.expiry_cut - terms.release_cut) * grown;
            single(terms.release_cut + share)
        }
        (Action::Release { worker }, JobState::Gathering { collateral, .. }) => {
            [(*worker, terms.release_cut.mul_ceil(*collateral))].into()
        }
        (Action::Expire, JobState::Assigned(_)) => single(terms.expiry_cut),
        (Action::Prove { upheld: false } | Action::Finalise, JobState::Disputed { .. }) => {
            single(Permill::one())
        }
        (
            Action::Finalise,
            JobState::Voting {
                seats, collateral, ..
            },
        ) => {
            let votes = |output: H256| {
                let same = |vote| vote == Vote::Revealed(output);
                seats.iter().filter(|seat| same(seat.vote)).count()
            };
            let winner = [0, 1].map(H256::repeat_byte);
            let winner = winner
                .into_iter()
                .find(|output| votes(*output) >= quorum(seats.len()));
            let loses = |vote| match (vote, winner) {
                (Vote::Revealed(output), Some(winner)) => output != winner,
                (Vote::Revealed(_), None) => false,
                _ => true,
            };
            seats
                .iter()
                .filter(|seat| loses(seat.vote))
                .map(|seat| (seat.worker, terms.expiry_cut.mul_ceil(*collateral)))
                .collect()
        }
        _ => BTreeMap::new(),
    }
}

pub fn cuts_rightly(
    before: &Job,
    action: &Act,
    now: u64,
    step: &Step<Account, u128, u64>,
    terms: &Terms<u128, u64>,
) {
    let mut taken = BTreeMap::<Account, u128>::new();
    for effect in &step.effects {
        if let Effect::Forfeit(who, _, amount) = effect {
            *taken.entry(*who).or_default() += amount;
        }
    }
    taken.retain(|_, amount| *amount > 0);
    let mut expected = cuts(before, action, now, terms);
    expected.retain(|_, amount| *amount > 0);
    assert_eq!(taken, expected, "{before:?} {action:?}");
    let accused = step
        .effects
        .iter()
        .any(|effect| matches!(effect, Effect::Accuse(..)));
    let proven_wrong = matches!(
        action,
        Action::Refuse { accuse: true, .. } | Action::Prove { upheld: false }
    );
    assert_eq!(accused, proven_wrong);
}
