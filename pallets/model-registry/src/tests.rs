//! Each test's name states the rule it checks.

use crate::{
    migrations, mock::*, Error, Event, HoldReason, ModelDirectory, ModelInfo, Models, Pallet,
};
use ciro_primitives::ModelId;
use codec::Encode;
use frame_support::{
    assert_noop, assert_ok,
    traits::{
        fungible::{InspectHold, MutateHold},
        tokens::{Fortitude, Precision},
        OnRuntimeUpgrade, StorageVersion,
    },
};
use sp_runtime::{DispatchError, Permill, TokenError};

const ROYALTY: Permill = Permill::from_percent(5);

fn id(seed: u8) -> ModelId {
    ModelId(key(seed).id())
}

fn register(owner: AccountId, seed: u8) -> ModelId {
    assert_ok!(Registry::register(
        RuntimeOrigin::signed(owner),
        key(seed),
        name("digits"),
        5,
        ROYALTY
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
        assert_eq!(info.royalty, ROYALTY);
        assert_eq!(held(ALICE), deposit);
        System::assert_last_event(
            Event::ModelRegistered {
                model,
                owner: ALICE,
                name: name("digits"),
                price_floor: 5,
                royalty: ROYALTY,
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
            Registry::register(RuntimeOrigin::signed(BOB), key(1), name("mine"), 0, ROYALTY),
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
            Registry::register(
                RuntimeOrigin::signed(ALICE),
                bad,
                name("digits"),
                0,
                ROYALTY
            ),
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
                Registry::register(RuntimeOrigin::signed(ALICE), key(1), bad, 0, ROYALTY),
                Error::<Test>::InvalidName
            );
        }
    });
}

#[test]
fn registering_needs_the_deposit_and_a_signature() {
    test(|| {
        assert_noop!(
            Registry::register(RuntimeOrigin::signed(NOBODY), key(1), name("x"), 0, ROYALTY),
            TokenError::FundsUnavailable
        );
        assert_noop!(
            Registry::register(RuntimeOrigin::root(), key(1), name("x"), 0, ROYALTY),
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

#[test]
fn the_royalty_is_half_at_most() {
    test(|| {
        let too_high = Permill::from_parts(500_001);
        let half = Permill::from_percent(50);
        let alice = || RuntimeOrigin::signed(ALICE);
        assert_noop!(
            Registry::register(alice(), key(1), name("x"), 0, too_high),
            Error::<Test>::RoyaltyTooHigh
        );
        assert_ok!(Registry::register(alice(), key(1), name("x"), 0, half));
        assert_noop!(
            Registry::set_royalty(alice(), id(1), too_high),
            Error::<Test>::RoyaltyTooHigh
        );
    });
}

#[test]
fn only_the_owner_sets_the_royalty() {
    test(|| {
        let model = register(ALICE, 1);
        let royalty = Permill::from_percent(7);
        assert_ok!(Registry::set_royalty(
            RuntimeOrigin::signed(ALICE),
            model,
            royalty
        ));
        assert_eq!(Registry::model(model).unwrap().royalty, royalty);
        System::assert_last_event(Event::RoyaltyChanged { model, royalty }.into());
        assert_noop!(
            Registry::set_royalty(RuntimeOrigin::signed(BOB), model, ROYALTY),
            Error::<Test>::NotOwner
        );
        assert_noop!(
            Registry::set_royalty(RuntimeOrigin::signed(ALICE), id(2), ROYALTY),
            Error::<Test>::UnknownModel
        );
        assert_noop!(
            Registry::set_royalty(RuntimeOrigin::root(), model, ROYALTY),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn models_of_version_1_are_carried_over_without_a_royalty() {
    test(|| {
        let model = register(ALICE, 1);
        let info = Registry::model(model).unwrap();
        let old = migrations::v2::OldModelInfo {
            owner: info.owner,
            name: info.name.clone(),
            price_floor: info.price_floor,
            key: info.key.clone(),
            deposit: info.deposit,
            open_jobs: 3,
        };
        frame_support::storage::unhashed::put(&Models::<Test>::hashed_key_for(model), &old);
        StorageVersion::new(1).put::<Registry>();

        migrations::v2::Migrate::<Test>::on_runtime_upgrade();

        let expected = ModelInfo {
            royalty: Permill::zero(),
            open_jobs: 3,
            ..info
        };
        assert_eq!(Registry::model(model), Some(expected));
        assert_eq!(StorageVersion::get::<Registry>(), 2);

        // Once is enough: what is of version 2 is not read as version 1.
        migrations::v2::Migrate::<Test>::on_runtime_upgrade();
        assert_eq!(Registry::model(model).unwrap().open_jobs, 3);
    });
}
