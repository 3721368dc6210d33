use crate::{
    mock::*, Auction, JobOf, JobSpec, Jobs, NextJobId, Priority, Verification, MAX_SCANNED,
};
use ciro_primitives::JobId;
use frame_support::assert_ok;

fn listed(from: JobId, limit: u32) -> Vec<JobId> {
    let jobs: Vec<(JobId, JobOf<Test>)> = Market::open_jobs(from, limit, Priority::Low);
    for (id, job) in &jobs {
        assert_eq!(Market::job(*id).as_ref(), Some(job));
    }
    jobs.into_iter().map(|(id, _)| id).collect()
}

#[test]
fn open_jobs_are_those_that_can_be_claimed() {
    test(|| {
        for _ in 0..5 {
            submitted();
        }
        assert_ok!(claim(worker(), 1));
        assert_ok!(Market::cancel_job(RuntimeOrigin::signed(requester()), 3));
        assert_eq!(listed(0, 100), [0, 2, 4]);
        assert_eq!(listed(1, 100), [2, 4]);
        assert_eq!(listed(0, 2), [0, 2]);
        at(21);
        assert!(listed(0, 100).is_empty());
    });
}

#[test]
fn a_hundred_open_jobs_are_listed_at_most() {
    test(|| {
        for _ in 0..102 {
            let cheap = JobSpec {
                batch: 1,
                price: Auction::fixed(MIN_PRICE),
                duration: MIN_DURATION,
                locator: Default::default(),
                ..request()
            };
            let payer = [requester(), other()][NextJobId::<Test>::get() as usize % 2].clone();
            assert_ok!(submit(payer, cheap));
        }
        assert_eq!(listed(0, u32::MAX).len(), 100);
        assert_eq!(listed(100, u32::MAX), [100, 101]);
    });
}

#[test]
fn a_look_at_the_open_jobs_ends_after_ten_thousand_ids() {
    ext().execute_with(|| {
        let job = job(submitted());
        NextJobId::<Test>::put(MAX_SCANNED + 2);
        for id in [MAX_SCANNED - 1, MAX_SCANNED] {
            Jobs::<Test>::insert(id, job.clone());
        }
        assert_eq!(listed(1, 100), [MAX_SCANNED - 1, MAX_SCANNED]);
        assert_eq!(listed(0, 100), [0, MAX_SCANNED - 1]);
        assert!(listed(u64::MAX, 100).is_empty());
    });
}

#[test]
fn an_unknown_job_has_no_result() {
    test(|| {
        assert_eq!(Market::job(7), None);
        assert_eq!(Market::result(7), None);
        let id = submitted();
        assert_eq!(Market::result(id), None);
    });
}

#[test]
fn the_test_runtimes_constants_fit_together() {
    ext().execute_with(crate::Pallet::<Test>::check_constants);
}

#[test]
fn open_jobs_are_of_the_least_priority_that_is_asked_for() {
    test(|| {
        for priority in [Priority::Critical, Priority::Low, Priority::High] {
            submitted_as(JobSpec {
                priority,
                ..request()
            });
        }
        let listed = |least| -> Vec<JobId> {
            let jobs = Market::open_jobs(0, 100, least);
            jobs.into_iter().map(|(id, _)| id).collect()
        };
        assert_eq!(listed(Priority::Low), [0, 1, 2]);
        assert_eq!(listed(Priority::Normal), [0, 2]);
        assert_eq!(listed(Priority::Critical), [0]);
    });
}

#[test]
fn open_jobs_include_free_seats_and_late_claims() {
    test(|| {
        let shared = submitted_as(request_with(Verification::Redundant(3)));
        let late = claimed();
        assert_ok!(claim(worker(), shared));
        assert_eq!(listed(0, 100), [shared]);
        at(11);
        assert_eq!(listed(0, 100), [shared]);
        at(12);
        assert_eq!(listed(0, 100), [shared, late]);
        assert_ok!(claim(other(), shared));
        assert_ok!(claim(requester(), shared));
        assert_eq!(listed(0, 100), [late]);
    });
}
