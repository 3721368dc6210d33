//! Which jobs are worth a claim.

use crate::{executor::Served, scheduler::Settings};
use anyhow::Result;
use ciro_client::{
    types::{Balance, Job, Standing as Record, Verification},
    AccountId, State,
};
use std::time::Duration;

/// What the account can take on, by a finalised state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Means {
    /// Own stake that is not set aside for jobs.
    pub stake: Balance,
    /// Jobs that it may have at once.
    pub jobs: usize,
}

impl Means {
    /// Reads them from the chain. `most` is the worker's own limit of jobs.
    pub async fn read(state: &State, me: &AccountId, most: usize) -> Result<Self> {
        let stake = match state.operator(me).await? {
            Some(operator) if operator.roles.worker => operator.available(),
            _ => 0,
        };
        Ok(Self {
            stake,
            jobs: limit(state.standing(me).await?, most),
        })
    }

    /// What is left after so much.
    pub fn less(self, jobs: usize, stake: Balance) -> Self {
        Self {
            stake: self.stake.saturating_sub(stake),
            jobs: self.jobs.saturating_sub(jobs),
        }
    }
}

/// Jobs that the chain lets an operator of this record have at once, at most `most`.
fn limit(record: Record, most: usize) -> usize {
    match record {
        Record::Good => most,
        Record::Probation { .. } => most.min(1),
        Record::Suspended { .. } | Record::Banned => 0,
    }
}

/// What a claim of a job in a block would earn the one who makes it, before fee and royalty: of a redundant job's
/// ceiling a share, as what it pays shows only with the last seat.
pub fn share(job: &Job, now: u64) -> Balance {
    match job.verification {
        Verification::Redundant(seats) => job.price.ceiling / Balance::from(seats.max(1)),
        Verification::None | Verification::ZkMl => {
            job.price_at(u32::try_from(now).unwrap_or(u32::MAX))
        }
    }
}

/// What speaks against a claim of a job in a block, if anything does. `collateral` is what it would set aside.
pub fn objection(
    job: &Job,
    now: u64,
    model: &Served,
    block: Duration,
    means: Means,
    collateral: Balance,
    settings: &Settings,
) -> Option<&'static str> {
    let wage = share(job, now).saturating_add(job.bounty);
    if !model.fits(job.batch) {
        return Some("it is larger than the chain takes results");
    }
    if !job.requirements.are_met_by(&settings.capabilities) {
        return Some("it asks for another machine");
    }
    if wage < settings.min_price.saturating_mul(job.batch.into()) {
        return Some("its price is too low");
    }
    let milliseconds = block.as_millis().max(1);
    let proving = model.estimate().as_millis().div_ceil(milliseconds) as u64;
    let left = u64::from(job.deadline).saturating_sub(now);
    if left < settings.margin.saturating_add(proving) {
        return Some("too little time is left");
    }
    if means.jobs == 0 {
        return Some("there are enough jobs at hand");
    }
    (collateral > means.stake).then_some("too little of the own stake is left for collateral")
}

/// The order in which jobs are looked at: the more urgent first, then those that pay more a sample.
pub fn rank(job: &Job, now: u64) -> impl Ord {
    let wage = share(job, now) / Balance::from(job.batch.max(1));
    std::cmp::Reverse((job.priority, wage))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ciro_client::types::{Auction, JobState, Priority, Requirements};

    fn job(price: Auction, verification: Verification, priority: Priority) -> Job {
        Job {
            requester: AccountId([1; 32]),
            model: [0; 32],
            batch: 2,
            input_commitment: [0; 32],
            locator: vec![],
            price,
            bounty: 0,
            royalty: 0,
            deposit: 0,
            opened: 10,
            deadline: 100,
            verification,
            priority,
            requirements: Requirements::default(),
            state: JobState::Submitted,
        }
    }

    #[test]
    fn a_seat_earns_a_share_and_a_claim_what_it_pays_by_then() {
        let rising = Auction {
            floor: 10,
            ceiling: 30,
            ramp: 10,
        };
        let alone = job(rising, Verification::ZkMl, Priority::Normal);
        assert_eq!(
            (share(&alone, 10), share(&alone, 15), share(&alone, 90)),
            (10, 20, 30)
        );
        let seats = job(rising, Verification::Redundant(3), Priority::Normal);
        assert_eq!((share(&seats, 10), share(&seats, 90)), (10, 10));
    }

    #[test]
    fn urgent_jobs_come_first_and_then_those_that_pay_most() {
        let jobs = [
            job(Auction::fixed(10), Verification::ZkMl, Priority::Critical),
            job(Auction::fixed(90), Verification::ZkMl, Priority::Normal),
            job(Auction::fixed(20), Verification::ZkMl, Priority::Normal),
            job(Auction::fixed(99), Verification::ZkMl, Priority::Low),
        ];
        assert!(jobs.is_sorted_by_key(|job| rank(job, 10)));
    }

    #[test]
    fn the_chain_limits_what_a_worker_takes_on() {
        assert_eq!(limit(Record::Good, 4), 4);
        assert_eq!(limit(Record::Probation { until: 9 }, 4), 1);
        assert_eq!(limit(Record::Suspended { until: 9 }, 4), 0);
        assert_eq!(limit(Record::Banned, 4), 0);
        let means = Means { stake: 10, jobs: 2 };
        assert_eq!(means.less(1, 4), Means { stake: 6, jobs: 1 });
        assert_eq!(means.less(3, 11), Means::default());
    }
}
