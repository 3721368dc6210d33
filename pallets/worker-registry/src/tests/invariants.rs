//! The invariants notice what is broken, and the constants are checked.

use crate::{mock::*, HoldReason, KeyOwner, Workers};
use frame_support::{
    assert_ok,
    traits::{fungible::MutateHold, tokens::Precision, Hooks},
};
use sp_runtime::DispatchError;

fn broken(error: &'static str, breaks: impl FnOnce()) {
    ext().execute_with(|| {
        register(ALICE);
        breaks();
        assert_eq!(Registry::do_try_state(), Err(DispatchError::Other(error)));
    });
}

fn change(change: impl FnOnce(&mut crate::WorkerOf<Test>)) {
    Workers::<Test>::mutate(ALICE, |worker| change(worker.as_mut().unwrap()));
}

#[test]
fn keys_and_workers_belong_to_each_other() {
    let error = "a worker does not own its key";
    broken(error, || KeyOwner::<Test>::remove(key(ALICE)));
    broken(error, || KeyOwner::<Test>::insert(key(ALICE), BOB));
    broken(error, || change(|worker| worker.heartbeat_key = key(9)));
    broken("a key belongs to no worker", || {
        KeyOwner::<Test>::insert(key(9), ALICE)
    });
}

#[test]
fn deposits_are_on_hold() {
    broken("a worker's deposit is not what is on hold", || {
        let reason = HoldReason::Registration.into();
        assert_ok!(Balances::release(&reason, &ALICE, 1, Precision::Exact));
    });
}

#[test]
fn heartbeats_came_after_registration_when_they_were_due() {
    let error = "a worker was heard before it registered or in the future";
    broken(error, || change(|worker| worker.presence.heard = 2));
    broken(error, || change(|worker| worker.presence.heard = 0));
    broken("more heartbeats came than were due", || {
        change(|worker| worker.presence.received[0] = 1)
    });
}

#[test]
fn workers_are_counted() {
    broken("workers are counted wrongly", || {
        let counter = Workers::<Test>::counter_storage_final_key();
        frame_support::storage::unhashed::put(&counter, &2u32);
    });
    broken("there are too many workers", || {
        for who in 2..=6 {
            let mut worker = Workers::<Test>::get(ALICE).unwrap();
            worker.heartbeat_key = key(who);
            let reason = HoldReason::Registration.into();
            assert_ok!(Balances::hold(&reason, &who, DEPOSIT));
            KeyOwner::<Test>::insert(key(who), who);
            Workers::<Test>::insert(who, worker);
        }
    });
}

#[test]
fn the_mock_meets_the_demands_on_the_constants() {
    test(<Registry as Hooks<_>>::integrity_test);
}
