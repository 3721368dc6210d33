//! What to do about a job: a pure function of what the chain, the journal and the executor say.

use crate::journal::Purpose;
use ciro_client::{
    types::{BlockNumber, Job, JobState, Seat, Vote},
    AccountId, Fate,
};

/// How a job stands towards this worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It can be claimed, or a seat of it.
    Open,
    /// It is assigned to another worker who is late.
    Late,
    /// It is assigned to this worker.
    Mine,
    /// This worker has a seat of it; others are free.
    Seated,
    /// This worker has a seat and has to commit to an output.
    Committing,
    /// This worker has committed to an output and has to reveal it.
    Revealing,
    /// This worker's answer is disputed and has to be proved.
    Accused,
    /// This worker has done its part and waits for the time, or for others.
    Waiting,
    /// This worker has done its part, and the job can be settled.
    Due,
    /// It is assigned to others.
    Theirs,
    /// It is settled or removed.
    Closed,
}

impl Standing {
    /// Of a job as it is stored in a block.
    pub fn of(job: Option<&Job>, me: &AccountId, now: u64) -> Self {
        let Some(job) = job else {
            return Self::Closed;
        };
        let over = |block: BlockNumber| now > u64::from(block);
        match &job.state {
            JobState::Submitted => Self::Open,
            JobState::Gathering { workers, .. } if workers.contains(me) => Self::Seated,
            JobState::Gathering { .. } => Self::Open,
            JobState::Assigned(claim) if claim.worker == *me => Self::Mine,
            JobState::Assigned(claim) if over(claim.answer_by) && now < u64::from(job.deadline) => {
                Self::Late
            }
            JobState::Answered { claim, until, .. } if claim.worker == *me => {
                if over(*until) {
                    Self::Due
                } else {
                    Self::Waiting
                }
            }
            // Who could not prove in time has lost; those who gain by it settle it.
            JobState::Disputed { claim, until, .. } if claim.worker == *me => {
                if over(*until) {
                    Self::Waiting
                } else {
                    Self::Accused
                }
            }
            JobState::Voting {
                seats,
                commit_by,
                reveal_by,
                ..
            } => Self::of_vote(seats, me, over(*commit_by), over(*reveal_by)),
            JobState::Assigned(_) | JobState::Answered { .. } | JobState::Disputed { .. } => {
                Self::Theirs
            }
            JobState::Paid { .. }
            | JobState::Cancelled { .. }
            | JobState::Expired { .. }
            | JobState::Failed { .. } => Self::Closed,
        }
    }

    fn of_vote(seats: &[Seat], me: &AccountId, committed: bool, revealed: bool) -> Self {
        let Some(mine) = seats.iter().find(|seat| seat.worker == *me) else {
            return Self::Theirs;
        };
        let open = committed || seats.iter().all(|seat| seat.vote != Vote::Pending);
        let is_done = |seat: &Seat| match seat.vote {
            Vote::Pending => committed,
            Vote::Committed(_) => revealed,
            Vote::Revealed(_) => true,
        };
        match mine.vote {
            Vote::Pending if !committed => Self::Committing,
            Vote::Committed(_) if open && !revealed => Self::Revealing,
            _ if seats.iter().all(is_done) => Self::Due,
            _ => Self::Waiting,
        }
    }

    /// Whether the worker has a part in it.
    pub fn is_own(self) -> bool {
        !matches!(self, Self::Open | Self::Late | Self::Theirs | Self::Closed)
    }

    /// Whether the worker owes it an answer, or is about to.
    pub fn is_owed(self) -> bool {
        matches!(
            self,
            Self::Mine | Self::Seated | Self::Committing | Self::Revealing
        )
    }
}

/// Everything that matters about one job.
#[derive(Clone, Copy, Debug)]
pub struct Situation {
    /// In the finalised state.
    pub finalised: Standing,
    /// A transaction of this worker about the job and what can become of it.
    pub pending: Option<(Purpose, Fate)>,
    /// Whether the job is to be kept away from.
    pub shunned: bool,
    /// Whether its input is at hand.
    pub fetched: bool,
    /// Whether it takes a proof to go on, or else an output.
    pub proof: bool,
    /// Whether the proof is made, or else the output.
    pub ready: bool,
    /// Whether its input is being fetched, its output computed or its proof made.
    pub working: bool,
    /// Whether its deadline has passed.
    pub late: bool,
    /// Whether it is worth a claim now: the model is served, price and time suffice, and there is a free place.
    pub wanted: bool,
    /// Whether it is this worker's turn to settle it, where several could.
    pub turn: bool,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    Rest,
    /// Send a transaction, if the best block still has the job as the finalised one does.
    Send(Purpose),
    /// Fetch the input of a job before claiming it: who claims a job whose input is nowhere to be had pays for it.
    Fetch,
    /// Run, and prove if it takes a proof, with the input fetched again after a restart.
    Work,
    /// Drop the pending transaction; it is over.
    DropPending(Over),
    /// Drop everything that the journal has about the job.
    Forget,
}

/// How a pending transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// The job went where it was to go.
    Done,
    /// The job went elsewhere before it.
    Overtaken,
    /// The chain refused the proof: the job is open again.
    Refused,
    /// It was included and its call failed.
    Failed,
    /// It was never included and never can be.
    Dead,
}

/// What to do about a job. Acts on finalised states only, one step at a time.
pub fn decide(situation: Situation) -> Action {
    use Standing::*;
    let Situation {
        finalised,
        pending,
        shunned,
        fetched,
        proof,
        ready,
        working,
        late,
        wanted,
        turn,
    } = situation;
    if finalised == Closed {
        return Action::Forget;
    }
    if let Some((purpose, fate)) = pending {
        return match (outcome(purpose, finalised), fate) {
            (Some(over), _) => Action::DropPending(over),
            (None, Fate::Open) => Action::Rest,
            (None, Fate::Used) => Action::DropPending(Over::Failed),
            (None, Fate::Dead) => Action::DropPending(Over::Dead),
        };
    }
    match finalised {
        Mine | Seated if late => Action::Send(Purpose::Expire),
        Mine | Seated if shunned => Action::Send(Purpose::Release),
        _ if shunned => Action::Rest,
        Mine if ready && proof => Action::Send(Purpose::Result),
        Mine if ready => Action::Send(Purpose::Answer),
        Committing if ready => Action::Send(Purpose::Commit),
        Revealing if ready => Action::Send(Purpose::Reveal),
        Accused if ready => Action::Send(Purpose::Proof),
        Mine | Committing | Revealing | Accused if !working => Action::Work,
        Due if turn => Action::Send(Purpose::Finalise),
        Open if wanted && fetched => Action::Send(Purpose::Claim),
        Late if wanted && fetched => Action::Send(Purpose::Rescue),
        Open | Late if wanted && !working => Action::Fetch,
        _ => Action::Rest,
    }
}

/// How a transaction ended, if where the job is now says so: there where it was to bring it, or elsewhere.
fn outcome(purpose: Purpose, finalised: Standing) -> Option<Over> {
    use Standing::*;
    match purpose {
        Purpose::Claim | Purpose::Rescue if finalised.is_own() => Some(Over::Done),
        Purpose::Claim if finalised != Open => Some(Over::Overtaken),
        Purpose::Rescue if finalised != Late => Some(Over::Overtaken),
        Purpose::Release if !finalised.is_own() => Some(Over::Done),
        Purpose::Result if !finalised.is_own() => Some(Over::Refused),
        Purpose::Expire | Purpose::Answer | Purpose::Commit | Purpose::Reveal
            if !finalised.is_own() =>
        {
            Some(Over::Overtaken)
        }
        Purpose::Answer if finalised != Mine => Some(Over::Done),
        Purpose::Commit if finalised != Committing => Some(Over::Done),
        Purpose::Reveal if finalised != Revealing => Some(Over::Done),
        Purpose::Proof if finalised != Accused => Some(Over::Overtaken),
        Purpose::Finalise if finalised != Due => Some(Over::Overtaken),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ciro_client::types::{Auction, Claim, Priority, Requirements, Verification};
    use Standing::*;

    const ME: AccountId = AccountId([1; 32]);
    const OTHER: AccountId = AccountId([2; 32]);

    const IDLE: Situation = Situation {
        finalised: Open,
        pending: None,
        shunned: false,
        fetched: true,
        proof: true,
        ready: false,
        working: false,
        late: false,
        wanted: true,
        turn: true,
    };

    /// What a situation with this standing leads to, and what once its work is done.
    fn before_and_after(finalised: Standing, proof: bool) -> (Action, Action) {
        let situation = Situation {
            finalised,
            proof,
            ..IDLE
        };
        let ready = Situation {
            ready: true,
            ..situation
        };
        (decide(situation), decide(ready))
    }

    fn pending(finalised: Standing, purpose: Purpose, fate: Fate) -> Action {
        decide(Situation {
            finalised,
            pending: Some((purpose, fate)),
            ..IDLE
        })
    }

    fn job(state: JobState) -> Job {
        Job {
            requester: OTHER,
            model: [0; 32],
            batch: 1,
            input_commitment: [0; 32],
            locator: vec![],
            price: Auction::fixed(1),
            bounty: 0,
            royalty: 0,
            deposit: 0,
            opened: 1,
            deadline: 100,
            verification: Verification::ZkMl,
            priority: Priority::Normal,
            requirements: Requirements::default(),
            state,
        }
    }

    fn claim(worker: AccountId) -> Claim {
        Claim {
            worker,
            collateral: 1,
            since: 1,
            answer_by: 50,
        }
    }

    fn standing(state: JobState, now: u64) -> Standing {
        Standing::of(Some(&job(state)), &ME, now)
    }

    #[test]
    fn a_job_goes_from_claim_to_result() {
        let mut situation = Situation {
            fetched: false,
            ..IDLE
        };
        assert_eq!(decide(situation), Action::Fetch);
        situation.working = true;
        assert_eq!(decide(situation), Action::Rest);
        situation = IDLE;
        assert_eq!(decide(situation), Action::Send(Purpose::Claim));
        situation.pending = Some((Purpose::Claim, Fate::Open));
        assert_eq!(decide(situation), Action::Rest);
        situation.finalised = Mine;
        assert_eq!(decide(situation), Action::DropPending(Over::Done));
        situation.pending = None;
        assert_eq!(decide(situation), Action::Work);
        situation.working = true;
        assert_eq!(decide(situation), Action::Rest);
        situation = Situation {
            working: false,
            ready: true,
            ..situation
        };
        assert_eq!(decide(situation), Action::Send(Purpose::Result));
        situation.pending = Some((Purpose::Result, Fate::Open));
        assert_eq!(decide(situation), Action::Rest);
        situation.finalised = Closed;
        assert_eq!(decide(situation), Action::Forget);
    }

    #[test]
    fn an_answer_is_given_at_once_and_proved_when_it_is_disputed() {
        let answer = (Action::Work, Action::Send(Purpose::Answer));
        assert_eq!(before_and_after(Mine, false), answer);
        let rest = (Action::Rest, Action::Rest);
        assert_eq!(before_and_after(Waiting, false), rest);
        let proof = (Action::Work, Action::Send(Purpose::Proof));
        assert_eq!(before_and_after(Accused, true), proof);
        let finalise = Action::Send(Purpose::Finalise);
        assert_eq!(before_and_after(Due, false), (finalise, finalise));
        let not_my_turn = Situation {
            finalised: Due,
            turn: false,
            ..IDLE
        };
        assert_eq!(decide(not_my_turn), Action::Rest);
    }

    #[test]
    fn a_seat_is_kept_committed_and_revealed() {
        assert_eq!(
            before_and_after(Seated, false),
            (Action::Rest, Action::Rest)
        );
        let commit = (Action::Work, Action::Send(Purpose::Commit));
        assert_eq!(before_and_after(Committing, false), commit);
        let reveal = (Action::Work, Action::Send(Purpose::Reveal));
        assert_eq!(before_and_after(Revealing, false), reveal);
        for (purpose, next) in [
            (Purpose::Claim, Seated),
            (Purpose::Claim, Committing),
            (Purpose::Commit, Waiting),
            (Purpose::Commit, Revealing),
            (Purpose::Reveal, Waiting),
            (Purpose::Reveal, Due),
            (Purpose::Answer, Waiting),
        ] {
            let done = Action::DropPending(Over::Done);
            assert_eq!(pending(next, purpose, Fate::Used), done, "{purpose:?}");
        }
        let early = pending(Committing, Purpose::Commit, Fate::Open);
        assert_eq!(early, Action::Rest);
    }

    #[test]
    fn jobs_of_late_workers_are_taken_over() {
        let late = Situation {
            finalised: Late,
            ..IDLE
        };
        assert_eq!(decide(late), Action::Send(Purpose::Rescue));
        let not_fetched = Situation {
            fetched: false,
            ..late
        };
        assert_eq!(decide(not_fetched), Action::Fetch);
        let lost = Action::DropPending(Over::Overtaken);
        assert_eq!(pending(Theirs, Purpose::Rescue, Fate::Used), lost);
        assert_eq!(pending(Late, Purpose::Rescue, Fate::Open), Action::Rest);
    }

    #[test]
    fn a_transaction_in_flight_is_never_sent_again_before_it_is_over() {
        let flags = [false, true];
        for (finalised, purpose) in [
            (Mine, Purpose::Result),
            (Mine, Purpose::Answer),
            (Committing, Purpose::Commit),
            (Revealing, Purpose::Reveal),
            (Accused, Purpose::Proof),
            (Due, Purpose::Finalise),
        ] {
            for (ready, working) in flags.iter().flat_map(|a| flags.map(|b| (*a, b))) {
                for (shunned, late) in flags.iter().flat_map(|a| flags.map(|b| (*a, b))) {
                    let situation = Situation {
                        finalised,
                        pending: Some((purpose, Fate::Open)),
                        ready,
                        working,
                        shunned,
                        late,
                        ..IDLE
                    };
                    assert_eq!(decide(situation), Action::Rest);
                }
            }
        }
    }

    #[test]
    fn transactions_that_came_to_nothing_are_dropped() {
        let dropped = Action::DropPending;
        for (finalised, purpose, fate, over) in [
            (Mine, Purpose::Result, Fate::Used, Over::Failed),
            (Mine, Purpose::Result, Fate::Dead, Over::Dead),
            (Open, Purpose::Claim, Fate::Used, Over::Failed),
            (Open, Purpose::Result, Fate::Used, Over::Refused),
            (Open, Purpose::Release, Fate::Used, Over::Done),
            (Theirs, Purpose::Claim, Fate::Used, Over::Overtaken),
            (Late, Purpose::Claim, Fate::Used, Over::Overtaken),
            (Open, Purpose::Answer, Fate::Used, Over::Overtaken),
            (Waiting, Purpose::Finalise, Fate::Used, Over::Overtaken),
        ] {
            assert_eq!(
                pending(finalised, purpose, fate),
                dropped(over),
                "{purpose:?}"
            );
        }
    }

    #[test]
    fn jobs_to_keep_away_from_are_given_back_and_not_claimed() {
        let shunned = Situation {
            shunned: true,
            ready: true,
            ..IDLE
        };
        for (finalised, action) in [
            (Open, Action::Rest),
            (Late, Action::Rest),
            (Committing, Action::Rest),
            (Due, Action::Rest),
            (Mine, Action::Send(Purpose::Release)),
            (Seated, Action::Send(Purpose::Release)),
        ] {
            assert_eq!(
                decide(Situation {
                    finalised,
                    ..shunned
                }),
                action,
                "{finalised:?}"
            );
        }
    }

    #[test]
    fn jobs_past_their_deadline_are_settled() {
        for finalised in [Mine, Seated] {
            let late = Situation {
                finalised,
                late: true,
                ready: true,
                ..IDLE
            };
            assert_eq!(decide(late), Action::Send(Purpose::Expire));
        }
    }

    #[test]
    fn what_concerns_others_is_left_alone() {
        let unwanted = Situation {
            wanted: false,
            ..IDLE
        };
        assert_eq!(decide(unwanted), Action::Rest);
        let theirs = Situation {
            finalised: Theirs,
            ..IDLE
        };
        assert_eq!(decide(theirs), Action::Rest);
    }

    #[test]
    fn claims_of_others_are_late_after_their_term_and_before_the_deadline() {
        let theirs = || JobState::Assigned(claim(OTHER));
        assert_eq!(standing(theirs(), 50), Theirs);
        assert_eq!(standing(theirs(), 51), Late);
        assert_eq!(standing(theirs(), 100), Theirs);
        assert_eq!(standing(JobState::Assigned(claim(ME)), 51), Mine);
        assert_eq!(Standing::of(None, &ME, 1), Closed);
    }

    #[test]
    fn answers_wait_for_their_time_and_disputes_for_a_proof() {
        let answered = |worker| JobState::Answered {
            claim: claim(worker),
            payee: worker,
            until: 60,
        };
        assert_eq!(standing(answered(ME), 60), Waiting);
        assert_eq!(standing(answered(ME), 61), Due);
        assert_eq!(standing(answered(OTHER), 61), Theirs);
        let disputed = |worker| JobState::Disputed {
            claim: claim(worker),
            payee: worker,
            challenger: OTHER,
            fee: 1,
            until: 60,
        };
        assert_eq!(standing(disputed(ME), 60), Accused);
        assert_eq!(standing(disputed(ME), 61), Waiting);
        assert_eq!(standing(disputed(OTHER), 60), Theirs);
    }

    #[test]
    fn outputs_are_revealed_only_once_nobody_can_commit_any_more() {
        let vote = |mine, other| JobState::Voting {
            seats: [(ME, mine), (OTHER, other)]
                .map(|(worker, vote)| Seat { worker, vote })
                .to_vec(),
            collateral: 1,
            commit_by: 20,
            reveal_by: 30,
        };
        let (committed, revealed) = (Vote::Committed([1; 32]), Vote::Revealed([2; 32]));
        for (mine, other, now, expected) in [
            (Vote::Pending, Vote::Pending, 20, Committing),
            (committed, Vote::Pending, 20, Waiting),
            (committed, committed, 20, Revealing),
            (committed, Vote::Pending, 21, Revealing),
            (revealed, committed, 21, Waiting),
            (revealed, revealed, 21, Due),
            (revealed, committed, 31, Due),
            (committed, revealed, 31, Due),
            (Vote::Pending, revealed, 21, Due),
        ] {
            assert_eq!(standing(vote(mine, other), now), expected);
        }
        let gathering = |workers| JobState::Gathering {
            workers,
            collateral: 1,
        };
        assert_eq!(standing(gathering(vec![ME]), 5), Seated);
        assert_eq!(standing(gathering(vec![OTHER]), 5), Open);
    }
}
