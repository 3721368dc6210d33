//! Coming, changing and leaving.

use crate::{mock::*, Error, Event, KeyOwner, WorkerDirectory, Workers, MAX_GPU_MODEL};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{DispatchResult, TokenError};

#[test]
fn a_registration_holds_the_deposit_and_is_told() {
    test(|| {
        at(7);
        register(ALICE);
        let worker = Registry::worker(ALICE).unwrap();
        assert_eq!(worker.capabilities, capabilities());
        assert_eq!(worker.heartbeat_key, key(ALICE));
        assert_eq!(worker.presence.registered, 7);
        assert_eq!((held(ALICE), worker.deposit), (DEPOSIT, DEPOSIT));
        assert_eq!(KeyOwner::<Test>::get(key(ALICE)), Some(ALICE));
        assert!(<Registry as WorkerDirectory<_, _>>::is_active(&ALICE));
        System::assert_last_event(
            Event::WorkerRegistered {
                who: ALICE,
                capabilities: capabilities(),
                heartbeat_key: key(ALICE),
            }
            .into(),
        );
    });
}

#[test]
fn an_account_registers_once() {
    test(|| {
        register(ALICE);
        assert_noop!(
            Registry::register(origin(ALICE), capabilities(), key(9)),
            Error::<Test>::AlreadyRegistered
        );
    });
}

#[test]
fn a_banned_account_cannot_register() {
    test(|| {
        BannedAccounts::set(vec![ALICE]);
        assert_noop!(
            Registry::register(origin(ALICE), capabilities(), key(ALICE)),
            Error::<Test>::Banned
        );
        register(BOB);
    });
}

#[test]
fn a_banned_key_cannot_be_used_from_any_account() {
    test(|| {
        BannedHeartbeatKeys::set(vec![key(9)]);
        register(BOB);
        assert_noop!(
            Registry::register(origin(ALICE), capabilities(), key(9)),
            Error::<Test>::KeyBanned
        );
        assert_noop!(
            Registry::set_heartbeat_key(origin(BOB), key(9)),
            Error::<Test>::KeyBanned
        );
    });
}

#[test]
fn a_key_belongs_to_one_worker() {
    test(|| {
        register(ALICE);
        register(BOB);
        assert_noop!(
            Registry::register(origin(3), capabilities(), key(ALICE)),
            Error::<Test>::KeyTaken
        );
        for taken in [ALICE, BOB] {
            assert_noop!(
                Registry::set_heartbeat_key(origin(BOB), key(taken)),
                Error::<Test>::KeyTaken
            );
        }
    });
}

#[test]
fn no_more_than_the_most_workers_can_register() {
    test(|| {
        (1..=u64::from(MAX_WORKERS)).for_each(register);
        let late = u64::from(MAX_WORKERS) + 1;
        let try_late = || Registry::register(origin(late), capabilities(), key(late));
        assert_noop!(try_late(), Error::<Test>::TooManyWorkers);
        assert_ok!(Registry::deregister(origin(BOB)));
        assert_ok!(try_late());
    });
}

#[test]
fn who_cannot_pay_the_deposit_cannot_register() {
    test(|| {
        let refused = frame_support::storage::with_storage_layer(|| {
            Registry::register(origin(NOBODY), capabilities(), key(NOBODY))
        });
        assert_eq!(refused, Err(TokenError::FundsUnavailable.into()));
        assert!(Registry::worker(NOBODY).is_none());
    });
}

#[test]
fn texts_must_be_utf8() {
    test(|| {
        let mut bad_model = capabilities();
        bad_model.gpu_model = vec![0xff; MAX_GPU_MODEL as usize].try_into().unwrap();
        let mut bad_address = capabilities();
        bad_address.peer_address = vec![0xff].try_into().unwrap();
        register(BOB);
        for bad in [bad_model, bad_address] {
            assert_noop!(
                Registry::register(origin(ALICE), bad.clone(), key(ALICE)),
                Error::<Test>::InvalidCapabilities
            );
            assert_noop!(
                Registry::update(origin(BOB), bad),
                Error::<Test>::InvalidCapabilities
            );
        }
    });
}

#[test]
fn an_update_changes_the_capabilities_only() {
    test(|| {
        register(ALICE);
        let before = Registry::worker(ALICE).unwrap();
        let mut changed = capabilities();
        changed.memory = 1;
        at(50);
        assert_ok!(Registry::update(origin(ALICE), changed.clone()));
        let after = Registry::worker(ALICE).unwrap();
        assert_eq!(after.capabilities, changed);
        assert_eq!(after.presence, before.presence);
        System::assert_last_event(
            Event::WorkerUpdated {
                who: ALICE,
                capabilities: changed,
                heartbeat_key: key(ALICE),
            }
            .into(),
        );
    });
}

#[test]
fn a_new_key_replaces_the_old_one_which_is_free_for_others() {
    test(|| {
        register(ALICE);
        assert_ok!(Registry::set_heartbeat_key(origin(ALICE), key(9)));
        System::assert_last_event(
            Event::WorkerUpdated {
                who: ALICE,
                capabilities: capabilities(),
                heartbeat_key: key(9),
            }
            .into(),
        );
        assert_ok!(Registry::register(origin(BOB), capabilities(), key(ALICE)));

        at_window(1, 0);
        let signed = |number| transaction(ALICE, 1, sign(&pair(number), GENESIS, ALICE, 1));
        assert!(apply(signed(ALICE)).is_err());
        assert_ok!(apply(signed(9)).unwrap());
    });
}

#[test]
fn a_worker_is_deactivated_and_reactivated_in_turn() {
    test(|| {
        register(ALICE);
        assert_noop!(
            Registry::reactivate(origin(ALICE)),
            Error::<Test>::AlreadyActive
        );
        assert_ok!(Registry::deactivate(origin(ALICE)));
        System::assert_last_event(Event::WorkerDeactivated { who: ALICE }.into());
        assert!(!<Registry as WorkerDirectory<_, _>>::is_active(&ALICE));
        assert_noop!(
            Registry::deactivate(origin(ALICE)),
            Error::<Test>::NotActive
        );
        assert_ok!(Registry::reactivate(origin(ALICE)));
        System::assert_last_event(Event::WorkerReactivated { who: ALICE }.into());
        assert!(<Registry as WorkerDirectory<_, _>>::is_active(&ALICE));
    });
}

#[test]
fn who_leaves_has_the_deposit_back_and_leaves_nothing_behind() {
    test(|| {
        register(ALICE);
        assert_ok!(Registry::deregister(origin(ALICE)));
        System::assert_last_event(Event::WorkerDeregistered { who: ALICE }.into());
        assert_eq!((held(ALICE), Balances::free_balance(ALICE)), (0, ENDOWMENT));
        assert_eq!(Workers::<Test>::iter().count(), 0);
        assert_eq!(KeyOwner::<Test>::iter().count(), 0);
        register(ALICE);
    });
}

#[test]
fn a_busy_worker_cannot_leave() {
    test(|| {
        register(ALICE);
        BusyAccounts::set(vec![ALICE]);
        assert_noop!(Registry::deregister(origin(ALICE)), Error::<Test>::Busy);
        BusyAccounts::set(vec![BOB]);
        assert_ok!(Registry::deregister(origin(ALICE)));
    });
}

#[test]
fn only_registered_accounts_can_change_anything() {
    test(|| {
        register(BOB);
        let who = || origin(ALICE);
        let calls: [&dyn Fn() -> DispatchResult; 5] = [
            &|| Registry::update(who(), capabilities()),
            &|| Registry::set_heartbeat_key(who(), key(9)),
            &|| Registry::deactivate(who()),
            &|| Registry::reactivate(who()),
            &|| Registry::deregister(who()),
        ];
        for call in calls {
            assert_noop!(call(), Error::<Test>::NotRegistered);
        }
    });
}
