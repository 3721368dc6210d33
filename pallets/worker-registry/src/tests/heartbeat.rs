//! Heartbeats on their way through the transaction pool into a block.

use crate::{mock::*, Error, Event, WeightInfo, Window};
use frame_support::{assert_noop, assert_ok, dispatch::GetDispatchInfo};
use sp_core::H256;
use sp_runtime::{
    traits::BadOrigin,
    transaction_validity::{
        InvalidTransaction::{self, BadProof, BadSigner, Future, Stale},
        TransactionValidityError,
    },
};

/// Neither the pool nor a block takes the transaction, and nothing changes.
fn refused(transaction: Extrinsic, reason: InvalidTransaction) {
    let error = TransactionValidityError::from(reason);
    assert_eq!(validate(transaction.clone()), Err(error));
    let root = sp_io::storage::root(sp_runtime::StateVersion::V1);
    assert_eq!(apply(transaction).unwrap_err(), error);
    assert_eq!(sp_io::storage::root(sp_runtime::StateVersion::V1), root);
}

/// The heartbeat of an account for a window, signed with its pair.
fn of(who: AccountId, window: Window) -> Extrinsic {
    transaction(who, window, sign(&pair(who), GENESIS, who, window))
}

#[test]
fn a_heartbeat_needs_no_account_and_is_counted_and_told() {
    test(|| {
        register(ALICE);
        at_window(3, 4);
        beat(ALICE);
        let presence = Registry::worker(ALICE).unwrap().presence;
        assert_eq!((presence.heard, presence.received[0]), (3 * PERIOD + 4, 1));
        System::assert_last_event(
            Event::HeartbeatReceived {
                who: ALICE,
                window: 3,
            }
            .into(),
        );
    });
}

#[test]
fn the_pool_keeps_one_heartbeat_of_an_account_and_window_to_the_windows_end() {
    test(|| {
        register(ALICE);
        register(BOB);
        for place in 0..PERIOD {
            at_window(2, place);
            let validity = validate(of(ALICE, 2)).unwrap();
            assert_eq!(validity.priority, PRIORITY);
            assert!(validity.propagate && validity.requires.is_empty());
            // The pool counts from the block before the one that it builds.
            assert_eq!(u64::from(2 * PERIOD + place) - 1 + validity.longevity, 29);
            let again = transaction(ALICE, 2, sign(&pair(ALICE), GENESIS, ALICE, 2));
            assert_eq!(validate(again).unwrap().provides, validity.provides);
            assert_ne!(validate(of(BOB, 2)).unwrap().provides, validity.provides);
        }
        at_window(3, 0);
        let earlier = validate(of(ALICE, 3)).unwrap().provides;
        at_window(4, 0);
        assert_ne!(validate(of(ALICE, 4)).unwrap().provides, earlier);
    });
}

#[test]
fn a_heartbeat_is_taken_once_in_its_window() {
    test(|| {
        register(ALICE);
        at_window(1, 0);
        let first = heartbeat(ALICE);
        assert_ok!(apply(first.clone()).unwrap());
        refused(first.clone(), Stale);
        at_window(1, PERIOD - 1);
        refused(first, Stale);
        refused(heartbeat(ALICE), Stale);
    });
}

#[test]
fn a_heartbeat_is_taken_in_no_other_window() {
    test(|| {
        register(ALICE);
        at_window(4, PERIOD - 1);
        refused(of(ALICE, 5), Future);
        let unheard = of(ALICE, 4);
        at_window(5, 0);
        refused(unheard, Stale);
        assert_ok!(apply(of(ALICE, 5)).unwrap());
    });
}

#[test]
fn registration_stands_for_the_heartbeat_of_its_window() {
    test(|| {
        at_window(2, 3);
        register(ALICE);
        refused(of(ALICE, 2), Stale);
        at_window(3, 0);
        beat(ALICE);
        // Nor does leaving and coming back make a second one of use.
        let again = heartbeat(ALICE);
        assert_ok!(Registry::deregister(origin(ALICE)));
        register(ALICE);
        refused(again, Stale);
    });
}

#[test]
fn a_heartbeat_is_for_its_chain_account_and_window_alone() {
    test(|| {
        register(ALICE);
        register(BOB);
        at_window(1, 0);
        let other_chain = sign(&pair(ALICE), H256::repeat_byte(0xbb), ALICE, 1);
        refused(transaction(ALICE, 1, other_chain), BadProof);
        let other_account = sign(&pair(ALICE), GENESIS, BOB, 1);
        refused(transaction(ALICE, 1, other_account.clone()), BadProof);
        refused(transaction(BOB, 1, other_account), BadProof);
        let other_window = sign(&pair(ALICE), GENESIS, ALICE, 2);
        refused(transaction(ALICE, 1, other_window), BadProof);
        beat(ALICE);
    });
}

#[test]
fn only_the_workers_own_key_signs_its_heartbeats() {
    test(|| {
        register(ALICE);
        register(BOB);
        at_window(1, 0);
        let wrong_key = sign(&pair(BOB), GENESIS, ALICE, 1);
        refused(transaction(ALICE, 1, wrong_key), BadProof);
        let stranger = sign(&pair(9), GENESIS, ALICE, 1);
        refused(transaction(ALICE, 1, stranger), BadProof);
    });
}

#[test]
fn only_active_workers_have_heartbeats() {
    test(|| {
        register(ALICE);
        at_window(1, 0);
        refused(of(NOBODY, 1), BadSigner);
        assert_ok!(Registry::deactivate(origin(ALICE)));
        refused(of(ALICE, 1), BadSigner);
        assert_ok!(Registry::reactivate(origin(ALICE)));
        beat(ALICE);
    });
}

#[test]
fn a_signed_or_unauthorised_origin_brings_no_heartbeat() {
    test(|| {
        register(ALICE);
        at_window(1, 0);
        let signature = sign(&pair(ALICE), GENESIS, ALICE, 1);
        for origin in [
            RuntimeOrigin::signed(ALICE),
            RuntimeOrigin::none(),
            RuntimeOrigin::root(),
        ] {
            assert_noop!(
                Registry::heartbeat(origin, ALICE, 1, signature.clone()),
                BadOrigin
            );
        }
    });
}

#[test]
fn the_call_itself_checks_all_but_the_signature_again() {
    test(|| {
        register(ALICE);
        at_window(2, 0);
        let call = |who, window| {
            let signature = sign(&pair(ALICE), GENESIS, ALICE, 2);
            Registry::heartbeat(
                frame_system::RawOrigin::Authorized.into(),
                who,
                window,
                signature,
            )
        };
        assert_noop!(call(ALICE, 1), Error::<Test>::WindowOver);
        assert_noop!(call(ALICE, 3), Error::<Test>::WindowNotBegun);
        assert_noop!(call(BOB, 2), Error::<Test>::NotRegistered);
        beat(ALICE);
        assert_noop!(call(ALICE, 2), Error::<Test>::AlreadyHeard);
        assert_ok!(Registry::deactivate(origin(ALICE)));
        assert_noop!(call(ALICE, 2), Error::<Test>::NotActive);
    });
}

#[test]
fn a_heartbeat_weighs_its_authorisation_too() {
    test(|| {
        let info = heartbeat(ALICE).get_dispatch_info();
        type Weights = <Test as crate::Config>::WeightInfo;
        assert_eq!(info.call_weight, Weights::heartbeat());
        assert_eq!(info.extension_weight, Weights::authorize_heartbeat());
    });
}
