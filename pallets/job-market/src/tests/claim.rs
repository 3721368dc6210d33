use crate::{
    mock::*, Auction, Claim, Error, Event, HoldReason, JobSpec, JobState, Priority, Workload,
};
use ciro_primitives::JobId;
use frame_support::{assert_noop, assert_ok};
use pallet_slashing::Standing;
use pallet_worker_registry::Requirements;
use sp_runtime::{DispatchError, Permill};

#[test]
fn claiming_assigns_the_job_and_reserves_half_the_price() {
    test(|| {
        let id = submitted();
        at(3);
        assert_ok!(claim(worker(), id));
        let assigned = JobState::Assigned(Claim {
            worker: worker(),
            collateral: 1_000,
            since: 3,
            answer_by: 13,
        });
        assert_eq!(state(id), assigned);
        assert_eq!(reserved(&worker()), 1_000);
        assert_eq!(free(&worker()), ENDOWMENT);
        System::assert_last_event(
            Event::JobClaimed {
                job: id,
                worker: worker(),
                price: 2_000,
                collateral: 1_000,
                answer_by: 13,
            }
            .into(),
        );
    });
}

#[test]
fn a_claim_fixes_the_price_and_releases_the_difference() {
    test(|| {
        let price = Auction {
            floor: 2_000,
            ceiling: 3_000,
            ramp: 10,
        };
        let id = submitted_as(JobSpec { price, ..request() });
        at(4);
        assert_ok!(claim(worker(), id));
        assert_eq!(job(id).price, Auction::fixed(2_300));
        assert_eq!(held(HoldReason::Escrow, &requester()), 2_300);
        assert_eq!(claim_on(id).collateral, 1_150);
        assert_ok!(Market::release_job(RuntimeOrigin::signed(worker()), id));
        at(9);
        assert_eq!(Market::price_now(id), Some(2_300));
        assert_ok!(claim(other(), id));
        assert_eq!(held(HoldReason::Escrow, &requester()), 2_300);
    });
}

#[test]
fn a_claim_ends_with_the_job() {
    test(|| {
        let id = submitted();
        at(15);
        assert_ok!(claim(worker(), id));
        assert_eq!(claim_on(id).answer_by, 21);
    });
}

#[test]
fn a_cheap_job_takes_the_least_collateral() {
    test(|| {
        let id = submitted_as(JobSpec {
            batch: 1,
            price: Auction::fixed(MIN_PRICE),
            ..request()
        });
        assert_ok!(claim(worker(), id));
        assert_eq!(reserved(&worker()), MIN_COLLATERAL);
    });
}

#[test]
fn a_worker_may_have_several_jobs_whose_collateral_adds_up() {
    test(|| {
        let (first, second) = (claimed(), claimed());
        assert_eq!(reserved(&worker()), 2_000);
        assert_ok!(answer(first, worker()).submit(worker()));
        assert_eq!(reserved(&worker()), 1_000);
        let mut wrong = answer(second, worker());
        wrong.proof.clear();
        assert_ok!(wrong.submit(worker()));
        assert_eq!(reserved(&worker()), 0);
        assert!(!Workload::<Test>::contains_key(worker()));
    });
}

#[test]
fn a_claimed_or_settled_job_is_not_claimed() {
    test(|| {
        let id = claimed();
        assert_noop!(claim(other(), id), Error::<Test>::NotSubmitted);
        assert_noop!(claim(worker(), id), Error::<Test>::NotSubmitted);
        assert_ok!(answer(id, worker()).submit(worker()));
        assert_noop!(claim(other(), id), Error::<Test>::NotSubmitted);
        assert_noop!(claim(other(), 7), Error::<Test>::UnknownJob);
    });
}

#[test]
fn a_job_is_claimed_before_the_block_of_its_deadline() {
    test(|| {
        let (id, late) = (submitted(), submitted());
        at(20);
        assert_ok!(claim(worker(), id));
        at(21);
        assert_noop!(claim(worker(), late), Error::<Test>::DeadlinePassed);
    });
}

#[test]
fn claiming_needs_the_stake_and_a_signature() {
    test(|| {
        let id = submitted();
        enrol(&nobody(), 999);
        assert_noop!(
            claim(nobody(), id),
            DispatchError::Other("own stake is too low")
        );
        assert_noop!(
            Market::claim_job(RuntimeOrigin::none(), id),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn only_an_active_worker_with_the_role_claims() {
    test(|| {
        let id = submitted();
        Machines::remove(worker());
        assert_noop!(claim(worker(), id), Error::<Test>::WorkerInactive);
        Machines::insert(nobody(), Requirements::default());
        assert_noop!(claim(nobody(), id), Error::<Test>::NotAWorker);
    });
}

#[test]
fn the_workers_machine_does_what_the_job_asks() {
    test(|| {
        let asked = Requirements {
            memory: 8_192,
            ..Default::default()
        };
        let id = submitted_as(JobSpec {
            requirements: asked,
            ..request()
        });
        let machine = |memory| Requirements { memory, ..asked };
        Machines::insert(worker(), machine(8_191));
        assert_noop!(claim(worker(), id), Error::<Test>::RequirementsNotMet);
        Machines::insert(worker(), machine(8_192));
        assert_ok!(claim(worker(), id));
    });
}

#[test]
fn who_is_suspended_or_banned_claims_nothing() {
    test(|| {
        let id = submitted();
        for standing in [Standing::Suspended { until: 9 }, Standing::Banned] {
            Standings::insert(worker(), standing);
            assert_noop!(claim(worker(), id), Error::<Test>::BarredFromWork);
        }
    });
}

#[test]
fn a_worker_has_so_many_jobs_at_a_time_and_one_on_probation() {
    test(|| {
        for _ in 0..MAX_WORKLOAD {
            claimed();
        }
        let next = submitted();
        assert_noop!(claim(worker(), next), Error::<Test>::TooManyJobs);
        assert_ok!(answer(0, worker()).submit(worker()));
        assert_ok!(claim(worker(), next));

        Standings::insert(other(), Standing::Probation { until: 9 });
        let (first, second) = (submitted(), submitted());
        assert_ok!(claim(other(), first));
        assert_noop!(claim(other(), second), Error::<Test>::TooManyJobs);
    });
}

#[test]
fn the_less_merit_a_worker_has_the_later_it_may_claim() {
    test(|| {
        at(2);
        let jobs: Vec<JobId> = (0..3).map(|_| submitted()).collect();
        for (id, (percent, from)) in jobs.into_iter().zip([(100, 2), (60, 4), (0, 6)]) {
            at(2);
            Merits::insert(worker(), Permill::from_percent(percent));
            assert_eq!(Market::eligible_from(id, worker()), Some(from));
            for block in 2..from {
                at(block);
                let wait = (from - block) as u16;
                assert_noop!(claim(worker(), id), Error::<Test>::TooEarly(wait));
            }
            at(from);
            assert_ok!(claim(worker(), id));
        }
        assert_eq!(Market::eligible_from(7, worker()), None);
    });
}

#[test]
fn priorities_are_ordered() {
    use Priority::*;
    assert!(Low < Normal && Normal < High && High < Critical);
}
