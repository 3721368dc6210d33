//! What slashes bring in is spent by vote, and by nothing else.

use crate::{call, call_as, development, governance::decree};
use ciro_runtime::{
    configs::treasury::{ToTreasury, BIG_SPEND, SMALL_SPEND},
    constants::UNIT,
    origins::Origin,
    Balance, Balances, Runtime, RuntimeOrigin, Treasury,
};
use frame_support::{
    assert_noop, assert_ok,
    traits::{
        fungible::Balanced,
        tokens::{Fortitude, Precision, Preservation},
        OnUnbalanced,
    },
};
use sp_keyring::Sr25519Keyring::{Alice, Bob};
use sp_runtime::DispatchError;

fn spend(amount: Balance) -> pallet_treasury::Call<Runtime> {
    pallet_treasury::Call::spend {
        asset_kind: Box::new(()),
        amount,
        beneficiary: Box::new(Bob.to_account_id()),
        valid_from: None,
    }
}

/// Takes `amount` from Alice as a slash does.
fn slash(amount: Balance) {
    let taken = Balances::withdraw(
        &Alice.to_account_id(),
        amount,
        Precision::Exact,
        Preservation::Preserve,
        Fortitude::Force,
    );
    ToTreasury::on_unbalanced(taken.unwrap());
}

#[test]
fn slashed_funds_go_to_the_treasury() {
    development().execute_with(|| {
        let issued = Balances::total_issuance();
        let pot = Treasury::pot();
        slash(1_000 * UNIT);
        assert_eq!(Treasury::pot(), pot + 1_000 * UNIT);
        assert_eq!(Balances::total_issuance(), issued);
    });
}

#[test]
fn the_treasury_pays_what_a_vote_approved() {
    development().execute_with(|| {
        slash(1_000 * UNIT);
        let before = Balances::free_balance(Bob.to_account_id());
        let payout = || pallet_treasury::Call::payout { index: 0 };
        assert!(call(Bob, payout()).is_err());
        decree(Origin::SmallSpender, spend(400 * UNIT));
        assert_eq!(Balances::free_balance(Bob.to_account_id()), before);
        assert_ok!(call(Bob, payout()));
        assert_eq!(
            Balances::free_balance(Bob.to_account_id()),
            before + 400 * UNIT
        );
        assert_eq!(Treasury::pot(), 600 * UNIT);
        assert!(call(Bob, payout()).is_err());
    });
}

#[test]
#[allow(deprecated)]
fn there_is_no_spending_past_payouts() {
    development().execute_with(|| {
        let spend = pallet_treasury::Call::spend_local {
            amount: UNIT,
            beneficiary: Bob.to_account_id().into(),
        };
        assert_noop!(
            call_as(RuntimeOrigin::root(), spend),
            pallet_treasury::Error::<Runtime>::TooManyApprovals
        );
    });
}

#[test]
fn spenders_spend_no_more_than_they_may() {
    type Error = pallet_treasury::Error<Runtime>;
    development().execute_with(|| {
        for (spender, limit) in [
            (Origin::SmallSpender, SMALL_SPEND),
            (Origin::BigSpender, BIG_SPEND),
        ] {
            assert_noop!(
                call_as(spender, spend(limit + 1)),
                Error::InsufficientPermission
            );
            assert_ok!(call_as(spender, spend(limit)));
        }
        assert_noop!(call(Alice, spend(UNIT)), DispatchError::BadOrigin);
        assert_noop!(
            call_as(Origin::GeneralAdmin, spend(UNIT)),
            DispatchError::BadOrigin
        );
    });
}
