//! What to do about a job: a pure function of what the chain, the journal and the executor say.

use crate::journal::Purpose;
use ciro_client::{
    types::{Job, JobState},
    AccountId, Fate,
};

/// How a job stands towards this worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Anybody may claim it.
    Open,
    /// It is assigned to this worker.
    Mine,
    /// It is assigned to another worker.
    Theirs,
    /// It is settled or removed.
    Closed,
}

impl Standing {
    /// Of a job as it is stored.
    pub fn of(job: Option<&Job>, me: &AccountId) -> Self {
        match job.map(|job| &job.state) {
            Some(JobState::Submitted) => Self::Open,
            Some(state) if state.is_assigned_to(me) => Self::Mine,
            Some(JobState::Assigned { .. }) => Self::Theirs,
            _ => Self::Closed,
        }
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
    /// Whether its proof is made.
    pub proved: bool,
    /// Whether its input is being fetched or its proof made.
    pub working: bool,
    /// Whether its deadline has passed.
    pub late: bool,
    /// Whether it is worth a claim now: the model is served, price and time suffice, and there is a free place.
    pub wanted: bool,
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
    /// Run and prove, with the input fetched again after a restart.
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
        proved,
        working,
        late,
        wanted,
    } = situation;
    if finalised == Closed {
        return Action::Forget;
    }
    if let Some((purpose, fate)) = pending {
        // Where the job is once the transaction has done its work, and where it was before.
        return match (purpose, finalised) {
            (Purpose::Claim, Mine) => Action::DropPending(Over::Done),
            (Purpose::Claim, Theirs) => Action::DropPending(Over::Overtaken),
            (Purpose::Release, Open | Theirs) => Action::DropPending(Over::Done),
            (Purpose::Result, Open | Theirs) => Action::DropPending(Over::Refused),
            (Purpose::Expire, Open | Theirs) => Action::DropPending(Over::Overtaken),
            _ => match fate {
                Fate::Open => Action::Rest,
                Fate::Used => Action::DropPending(Over::Failed),
                Fate::Dead => Action::DropPending(Over::Dead),
            },
        };
    }
    match finalised {
        Mine if late => Action::Send(Purpose::Expire),
        Mine if shunned => Action::Send(Purpose::Release),
        Mine if proved => Action::Send(Purpose::Result),
        Mine if !working => Action::Work,
        Open if wanted && !shunned && fetched => Action::Send(Purpose::Claim),
        Open if wanted && !shunned && !working => Action::Fetch,
        _ => Action::Rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Standing::*;

    const IDLE: Situation = Situation {
        finalised: Open,
        pending: None,
        shunned: false,
        fetched: true,
        proved: false,
        working: false,
        late: false,
        wanted: true,
    };

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
            proved: true,
            ..situation
        };
        assert_eq!(decide(situation), Action::Send(Purpose::Result));
        situation.pending = Some((Purpose::Result, Fate::Open));
        assert_eq!(decide(situation), Action::Rest);
        situation.finalised = Closed;
        assert_eq!(decide(situation), Action::Forget);
    }

    #[test]
    fn a_result_in_flight_is_never_sent_again_before_it_is_over() {
        for proved in [false, true] {
            for working in [false, true] {
                for shunned in [false, true] {
                    for late in [false, true] {
                        let situation = Situation {
                            finalised: Mine,
                            pending: Some((Purpose::Result, Fate::Open)),
                            fetched: true,
                            proved,
                            working,
                            shunned,
                            late,
                            wanted: true,
                        };
                        assert_eq!(decide(situation), Action::Rest);
                    }
                }
            }
        }
    }

    #[test]
    fn transactions_that_came_to_nothing_are_dropped() {
        let mine = |purpose, fate| {
            decide(Situation {
                finalised: Mine,
                pending: Some((purpose, fate)),
                ..IDLE
            })
        };
        assert_eq!(
            mine(Purpose::Result, Fate::Used),
            Action::DropPending(Over::Failed)
        );
        assert_eq!(
            mine(Purpose::Result, Fate::Dead),
            Action::DropPending(Over::Dead)
        );
        let open = |purpose, fate| {
            decide(Situation {
                pending: Some((purpose, fate)),
                ..IDLE
            })
        };
        assert_eq!(
            open(Purpose::Claim, Fate::Used),
            Action::DropPending(Over::Failed)
        );
        assert_eq!(
            open(Purpose::Result, Fate::Used),
            Action::DropPending(Over::Refused)
        );
        assert_eq!(
            open(Purpose::Release, Fate::Used),
            Action::DropPending(Over::Done)
        );
        let theirs = Situation {
            finalised: Theirs,
            pending: Some((Purpose::Claim, Fate::Used)),
            ..IDLE
        };
        assert_eq!(decide(theirs), Action::DropPending(Over::Overtaken));
    }

    #[test]
    fn jobs_to_keep_away_from_are_given_back_and_not_claimed() {
        let shunned = Situation {
            shunned: true,
            proved: true,
            ..IDLE
        };
        assert_eq!(decide(shunned), Action::Rest);
        assert_eq!(
            decide(Situation {
                finalised: Mine,
                ..shunned
            }),
            Action::Send(Purpose::Release)
        );
    }

    #[test]
    fn late_jobs_are_settled() {
        let late = Situation {
            finalised: Mine,
            late: true,
            proved: true,
            ..IDLE
        };
        assert_eq!(decide(late), Action::Send(Purpose::Expire));
    }

    #[test]
    fn what_concerns_others_is_left_alone() {
        assert_eq!(
            decide(Situation {
                wanted: false,
                ..IDLE
            }),
            Action::Rest
        );
        assert_eq!(
            decide(Situation {
                finalised: Theirs,
                ..IDLE
            }),
            Action::Rest
        );
    }
}
