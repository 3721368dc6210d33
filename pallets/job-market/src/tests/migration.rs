//! Storage of version 1.

use crate::{
    migrations::v2::{Migrate, OldJob, OldState},
    mock::*,
    Auction, Claim, HoldReason, Job, JobState, Jobs, Results, Verification, Workload,
};
use ciro_primitives::JobId;
use frame_support::{
    assert_ok,
    traits::{fungible::MutateHold, OnRuntimeUpgrade, StorageVersion},
};
use sp_runtime::Permill;

/// Stores a job as version 1 did, with its funds on hold.
fn store(id: JobId, state: OldState<AccountId, Balance, u64>) {
    let spec = request();
    let is_open = matches!(state, OldState::Submitted | OldState::Assigned { .. });
    let hold = |reason: HoldReason, who: &AccountId, amount| {
        assert_ok!(Balances::hold(&reason.into(), who, amount));
    };
    hold(HoldReason::JobDeposit, &requester(), 140);
    if is_open {
        hold(HoldReason::Escrow, &requester(), 2_000);
        assert_ok!(<Registry as pallet_model_registry::ModelDirectory<_, _>>::job_opened(&model()));
    }
    if let OldState::Assigned {
        worker, collateral, ..
    } = &state
    {
        hold(HoldReason::Collateral, worker, *collateral);
    }
    if let OldState::Paid { .. } = state {
        Results::<Test>::insert(id, crate::Output::truncate_from(output(2)));
    }
    let old = OldJob {
        requester: requester(),
        model: spec.model,
        batch: spec.batch,
        input_commitment: spec.input_commitment,
        locator: spec.locator,
        price: 2_000 as Balance,
        deposit: 140 as Balance,
        deadline: 21u64,
        state,
    };
    frame_support::storage::unhashed::put(&Jobs::<Test>::hashed_key_for(id), &old);
    crate::NextJobId::<Test>::put(id + 1);
}

fn migrate() {
    StorageVersion::new(1).put::<Market>();
    Migrate::<Test>::on_runtime_upgrade();
    assert_eq!(StorageVersion::get::<Market>(), 2);
}

#[test]
fn jobs_of_version_1_pay_a_fixed_price_for_a_proof() {
    test(|| {
        store(0, OldState::Submitted);
        migrate();
        let spec = request();
        let expected = Job {
            requester: requester(),
            model: spec.model,
            batch: spec.batch,
            input_commitment: spec.input_commitment,
            locator: spec.locator,
            price: Auction::fixed(2_000),
            bounty: 0,
            royalty: Permill::zero(),
            deposit: 140,
            opened: 0,
            deadline: 21,
            verification: Verification::ZkMl,
            priority: spec.priority,
            requirements: spec.requirements,
            state: JobState::Submitted,
        };
        assert_eq!(Market::job(0), Some(expected));
        check();
        assert_ok!(claim(worker(), 0));
        assert_ok!(answer(0, worker()).submit(worker()));
        assert_eq!(free(&worker()), ENDOWMENT + 1_950);
    });
}

#[test]
fn a_claim_of_version_1_stays_one_with_nothing_at_stake() {
    test(|| {
        store(
            0,
            OldState::Assigned {
                worker: worker(),
                collateral: 1_000,
                since: 1,
            },
        );
        migrate();
        let expected = Claim {
            worker: worker(),
            collateral: 0,
            since: 1,
            answer_by: 21,
        };
        assert_eq!(claim_on(0), expected);
        assert_eq!(held(HoldReason::Collateral, &worker()), 0);
        assert_eq!(free(&worker()), ENDOWMENT);
        assert_eq!(Workload::<Test>::get(worker()), 1);
        check();
        assert_ok!(answer(0, worker()).submit(worker()));
        assert_eq!(free(&worker()), ENDOWMENT + 1_950);
    });
}

#[test]
fn settled_jobs_of_version_1_stay_settled() {
    test(|| {
        let old = [
            OldState::Paid {
                worker: worker(),
                payee: other(),
                at: 3,
            },
            OldState::Cancelled { at: 4 },
            OldState::Expired {
                worker: Some(worker()),
                at: 5,
            },
        ];
        for (id, state) in (0..).zip(old) {
            store(id, state);
        }
        migrate();
        let paid = JobState::Paid {
            workers: vec![worker()].try_into().unwrap(),
            at: 3,
            rated: false,
        };
        assert_eq!(state(0), paid);
        assert_eq!(state(1), JobState::Cancelled { at: 4 });
        assert_eq!(
            state(2),
            JobState::Expired {
                worker: Some(worker()),
                at: 5
            }
        );
        assert_eq!(Market::result(0), Some(output(2)));
        check();
        for id in 0..3 {
            assert_ok!(Market::remove_job(RuntimeOrigin::signed(requester()), id));
        }
        assert_eq!(free(&requester()), ENDOWMENT);
    });
}

#[test]
fn what_is_of_version_2_is_not_migrated_again() {
    test(|| {
        let id = claimed();
        let before = job(id);
        StorageVersion::new(2).put::<Market>();
        Migrate::<Test>::on_runtime_upgrade();
        assert_eq!(job(id), before);
    });
}
