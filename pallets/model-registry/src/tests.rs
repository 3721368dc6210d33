//! Each test's name states the rule it checks.

use crate::{mock::*, Error, Event, HoldReason, ModelDirectory, Models, Pallet};
use ciro_primitives::ModelId;
use codec::Encode;
use frame_support::{
    assert_noop, assert_ok,
    traits::{
        fungible::{InspectHold, MutateHold},
        tokens::{Fortitude, Precision},
    },
};
use sp_runtime::{DispatchError, TokenError};

fn id(seed: u8) -> ModelId {
    ModelId(key(seed).id())
}

fn register(owner: AccountId, seed: u8) -> ModelId {
    assert_ok!(Registry::register(
        RuntimeOrigin::signed(owner),
        key(seed),
        name("digits"),
        5
    ));
    id(seed)
}

fn held(who: AccountId) -> Balance {
    Balances::balance_on_hold(&HoldReason::ModelDeposit.into(), &who)
}

#[test]
fn registering_files_the_model_under_its_keys_hash_and_holds_the_deposit() {
    test(|| {
        let model = register(ALICE, 1);
        let deposit = 100 + 2 * (key(1).encoded_size() + 6) as Balance;
        let info = Registry::model(model).unwrap();
        assert_eq!(
            (info.owner, info.price_floor, info.deposit, info.open_jobs),
            (ALICE, 5, deposit, 0)
        );
        assert_eq!((info.name, info.key), (name("digits"), key(1)));
        assert_eq!(held(ALICE), deposit);
        System::assert_last_event(
            Event::ModelRegistered {
                model,
                owner: ALICE,
                name: name("digits"),
                price_floor: 5,
            }
            .into(),
        );
    });
}

#[test]
fn a_key_is_registered_once() {
    test(|| {
        register(ALICE, 1);
        assert_noop!(
            Registry::register(RuntimeOrigin::signed(BOB), key(1), name("mine"), 0),
            Error::<Test>::AlreadyRegistered
        );
    });
}

#[test]
fn an_invalid_key_is_refused() {
    test(|| {
        let mut bad = key(1);
        bad.version = 0;
        assert_noop!(
            Registry::register(RuntimeOrigin::signed(ALICE), bad, name("digits"), 0),
            Error::<Test>::InvalidKey
        );
    });
}

#[test]
fn an_empty_or_garbled_name_is_refused() {
    test(|| {
        for bad in [vec![], vec![0xff]] {
            let bad = bad.try_into().unwrap();
            assert_noop!(
                Registry::register(RuntimeOrigin::signed(ALICE), key(1), bad, 0),
                Error::<Test>::InvalidName
            );
        }
    });
}

#[test]
fn registering_needs_the_deposit_and_a_signature() {
    test(|| {
        assert_noop!(
            Registry::register(RuntimeOrigin::signed(NOBODY), key(1), name("x"), 0),
            TokenError::FundsUnavailable
        );
        assert_noop!(
            Registry::register(RuntimeOrigin::root(), key(1), name("x"), 0),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn only_the_owner_sets_the_floor() {
    test(|| {
        let model = register(ALICE, 1);
        assert_ok!(Registry::set_price_floor(
            RuntimeOrigin::signed(ALICE),
            model,
            9
        ));
        assert_eq!(Registry::model(model).unwrap().price_floor, 9);
        System::assert_last_event(
            Event::PriceFloorChanged {
                model,
                price_floor: 9,
            }
            .into(),
        );
        assert_noop!(
            Registry::set_price_floor(RuntimeOrigin::signed(BOB), model, 1),
            Error::<Test>::NotOwner
        );
        assert_noop!(
            Registry::set_price_floor(RuntimeOrigin::signed(ALICE), id(2), 1),
            Error::<Test>::UnknownModel
        );
    });
}

#[test]
fn a_transferred_model_takes_its_deposit_along() {
    test(|| {
        let model = register(ALICE, 1);
        let deposit = held(ALICE);
        assert_ok!(Registry::transfer_ownership(
            RuntimeOrigin::signed(ALICE),
            model,
            BOB
        ));
        assert_eq!((held(ALICE), held(BOB)), (0, deposit));
        System::assert_last_event(
            Event::ModelTransferred {
                model,
                from: ALICE,
                to: BOB,
            }
            .into(),
        );
        assert_noop!(
            Registry::deregister(RuntimeOrigin::signed(ALICE), model),
            Error::<Test>::NotOwner
        );
        assert_ok!(Registry::deregister(RuntimeOrigin::signed(BOB), model));
        assert_eq!(Balances::free_balance(BOB), 10_000 + deposit);
    });
}

#[test]
fn a_model_is_transferred_by_its_owner_to_another_existing_account() {
    test(|| {
        let model = register(ALICE, 1);
        let transfer =
            |from, to| Registry::transfer_ownership(RuntimeOrigin::signed(from), model, to);
        assert_noop!(transfer(BOB, BOB), Error::<Test>::AlreadyOwner);
        assert_noop!(transfer(ALICE, ALICE), Error::<Test>::AlreadyOwner);
        assert_noop!(transfer(BOB, ALICE), Error::<Test>::NotOwner);
        assert_noop!(transfer(ALICE, NOBODY), TokenError::CannotCreateHold);
        assert_noop!(
            Registry::transfer_ownership(RuntimeOrigin::signed(ALICE), id(2), BOB),
            Error::<Test>::UnknownModel
        );
    });
}

#[test]
fn deregistering_releases_the_deposit_and_frees_the_key() {
    test(|| {
        let model = register(ALICE, 1);
        assert_ok!(Registry::deregister(RuntimeOrigin::signed(ALICE), model));
        assert_eq!((held(ALICE), Balances::free_balance(ALICE)), (0, 10_000));
        System::assert_last_event(Event::ModelDeregistered { model }.into());
        assert_noop!(
            Registry::deregister(RuntimeOrigin::signed(ALICE), model),
            Error::<Test>::UnknownModel
        );
        register(BOB, 1);
    });
}

#[test]
fn a_model_with_open_jobs_stays() {
    test(|| {
        let model = register(ALICE, 1);
        assert_ok!(Registry::job_opened(&model));
        assert_ok!(Registry::job_opened(&model));
        <Registry as ModelDirectory<_, _>>::job_closed(&model);
        assert_noop!(
            Registry::deregister(RuntimeOrigin::signed(ALICE), model),
            Error::<Test>::JobsOpen
        );
        Registry::job_closed(&model);
        assert_ok!(Registry::deregister(RuntimeOrigin::signed(ALICE), model));
    });
}

#[test]
fn no_job_opens_for_an_unknown_model() {
    test(|| {
        assert_noop!(Registry::job_opened(&id(1)), Error::<Test>::UnknownModel);
        Registry::job_closed(&id(1));
        assert!(Models::<Test>::iter().next().is_none());
    });
}

#[test]
fn a_slashed_deposit_does_not_keep_the_model() {
    test(|| {
        let model = register(ALICE, 1);
        let reason = HoldReason::ModelDeposit.into();
        assert_ok!(Balances::burn_held(
            &reason,
            &ALICE,
            50,
            Precision::Exact,
            Fortitude::Force
        ));
        assert!(Registry::do_try_state().is_err());
        assert_ok!(Registry::deregister(RuntimeOrigin::signed(ALICE), model));
        assert_eq!(Balances::free_balance(ALICE), 9_950);
    });
}

#[test]
fn the_deposit_grows_with_the_name() {
    test(|| {
        let deposit = |text| Pallet::<Test>::deposit_for(&key(1), &name(text));
        assert_eq!(deposit("ab") - deposit("a"), 2);
    });
}
