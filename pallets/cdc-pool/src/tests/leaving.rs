use crate::{mock::*, state::MAX_CHUNKS, Error, Event, Operators, Positions, StakeLedger};
use frame_support::{assert_noop, assert_ok, traits::fungible::MutateFreeze};
use sp_runtime::DispatchError;

#[test]
fn stake_that_is_taken_back_ceases_to_count_and_stays_on_hold_for_the_period() {
    test(|| {
        staked();
        at(5);
        assert_ok!(unstake(operator(), alice(), 2_000));
        System::assert_last_event(
            Event::UnstakeRequested {
                operator: operator(),
                staker: alice(),
                amount: 2_000,
                ripe_at: 5 + UNBONDING,
            }
            .into(),
        );
        assert_eq!((record().total, total_stake()), (8_000, 8_000));
        assert_eq!(held(&alice()), 3_000);
        at(4 + UNBONDING);
        assert_noop!(withdraw(operator(), alice()), Error::<Test>::NothingRipe);
        at(5 + UNBONDING);
        assert_ok!(withdraw(operator(), alice()));
        assert_eq!(held(&alice()), 1_000);
        System::assert_last_event(
            Event::UnstakeExecuted {
                operator: operator(),
                staker: alice(),
                amount: 2_000,
            }
            .into(),
        );
        assert_noop!(withdraw(operator(), alice()), Error::<Test>::NothingRipe);
    });
}

#[test]
fn each_amount_ripens_by_itself() {
    test(|| {
        staked();
        assert_ok!(unstake(operator(), alice(), 500));
        at(10);
        assert_ok!(unstake(operator(), alice(), 700));
        at(1 + UNBONDING);
        assert_ok!(withdraw(operator(), alice()));
        assert_eq!(held(&alice()), 2_500);
        at(10 + UNBONDING);
        assert_ok!(withdraw(operator(), alice()));
        assert_eq!(held(&alice()), 1_800);
    });
}

#[test]
fn a_position_unbonds_so_many_amounts_at_a_time() {
    test(|| {
        staked();
        for _ in 0..MAX_CHUNKS {
            assert_ok!(unstake(operator(), alice(), 10));
        }
        assert_noop!(
            unstake(operator(), alice(), 10),
            Error::<Test>::TooManyChunks
        );
        at(1 + UNBONDING);
        assert_ok!(withdraw(operator(), alice()));
        assert_ok!(unstake(operator(), alice(), 10));
    });
}

#[test]
fn what_stays_is_nothing_or_at_least_the_minimum() {
    test(|| {
        staked();
        assert_noop!(
            unstake(operator(), bob(), 1_000 - MIN_DELEGATION + 1),
            Error::<Test>::BelowMinimum
        );
        assert_ok!(unstake(operator(), bob(), 1_000 - MIN_DELEGATION));
        assert_ok!(unstake(operator(), bob(), MIN_DELEGATION));
        assert_noop!(
            unstake(operator(), operator(), 6_000 - MIN_OWN + 1),
            Error::<Test>::BelowMinimum
        );
        assert_ok!(unstake(operator(), operator(), 6_000 - MIN_OWN));
    });
}

#[test]
fn an_operator_leaves_only_without_a_role() {
    test(|| {
        staked();
        assert_ok!(set_roles(operator(), false, true));
        assert_noop!(
            unstake(operator(), operator(), 6_000),
            Error::<Test>::BelowMinimum
        );
        assert_ok!(set_roles(operator(), false, false));
        assert_noop!(
            unstake(operator(), operator(), 5_999),
            Error::<Test>::BelowMinimum
        );
        assert_ok!(unstake(operator(), operator(), 6_000));
    });
}

#[test]
fn more_than_is_active_or_nothing_is_not_taken_back() {
    test(|| {
        staked();
        assert_noop!(
            unstake(operator(), bob(), 1_001),
            Error::<Test>::InsufficientStake
        );
        assert_ok!(unstake(operator(), bob(), 1_000));
        assert_noop!(
            unstake(operator(), bob(), 1),
            Error::<Test>::InsufficientStake
        );
        assert_noop!(
            unstake(operator(), account(4), 1),
            Error::<Test>::InsufficientStake
        );
        assert_noop!(
            unstake(account(5), alice(), 1),
            Error::<Test>::InsufficientStake
        );
        assert_noop!(unstake(operator(), alice(), 0), Error::<Test>::ZeroAmount);
    });
}

#[test]
fn what_is_reserved_is_not_taken_back_but_delegations_are() {
    test(|| {
        staked();
        assert_ok!(reserve(4_500));
        assert_noop!(
            unstake(operator(), operator(), 1_501),
            Error::<Test>::Reserved
        );
        assert_ok!(unstake(operator(), operator(), 1_500));
        assert_ok!(unstake(operator(), alice(), 3_000));
        // Without a role the reservation stays all the same.
        assert_ok!(set_roles(operator(), false, false));
        assert_noop!(
            unstake(operator(), operator(), 4_500),
            Error::<Test>::Reserved
        );
        Pool::release(&operator(), 4_500);
        assert_ok!(unstake(operator(), operator(), 4_500));
    });
}

#[test]
fn nobody_withdraws_from_an_operator_while_a_case_is_open_against_it() {
    test(|| {
        staked();
        assert_ok!(stake(bob(), MIN_OWN));
        assert_ok!(stake_for(bob(), alice(), 200));
        assert_ok!(unstake(operator(), operator(), 1_000));
        assert_ok!(unstake(operator(), alice(), 1_000));
        assert_ok!(unstake(bob(), alice(), 100));
        at(1 + UNBONDING);
        OpenCases::set(vec![operator()]);
        assert_noop!(withdraw(operator(), operator()), Error::<Test>::CaseOpen);
        assert_noop!(withdraw(operator(), alice()), Error::<Test>::CaseOpen);
        assert_ok!(withdraw(bob(), alice()));
        // Taking stake back may begin: the slash reaches it.
        assert_ok!(unstake(operator(), alice(), 500));
        OpenCases::set(vec![]);
        assert_ok!(withdraw(operator(), operator()));
        assert_ok!(withdraw(operator(), alice()));
    });
}

#[test]
fn nothing_is_left_of_an_operator_that_everyone_has_left() {
    test(|| {
        staked();
        open_pot();
        assert_eq!(reward(10_000), 10_000);
        assert_ok!(set_roles(operator(), false, false));
        let everyone = [(operator(), 6_000), (alice(), 3_000), (bob(), 1_000)];
        for (who, amount) in everyone.clone() {
            assert_ok!(unstake(operator(), who, amount));
        }
        at(1 + UNBONDING);
        for (who, amount) in everyone {
            // With the last stake the rewards are paid.
            assert_ok!(withdraw(operator(), who.clone()));
            assert_eq!(total(&who), ENDOWMENT + amount);
            assert_eq!(held(&who), 0);
        }
        assert_eq!(Operators::<Test>::count(), 0);
        assert_eq!(Positions::<Test>::iter().count(), 0);
        assert_eq!(total_stake(), 0);
    });
}

#[test]
fn a_freeze_keeps_nobody_from_withdrawing() {
    test(|| {
        staked();
        assert_ok!(unstake(operator(), alice(), 3_000));
        assert_ok!(Balances::set_freeze(&FREEZE, &alice(), ENDOWMENT * 2));
        at(1 + UNBONDING);
        assert_ok!(withdraw(operator(), alice()));
        assert_eq!(held(&alice()), 0);
    });
}

#[test]
fn taking_back_needs_a_signature() {
    test(|| {
        staked();
        let unsigned = RuntimeOrigin::none;
        assert_noop!(
            Pool::unstake(unsigned(), operator(), 100),
            DispatchError::BadOrigin
        );
        assert_noop!(
            Pool::withdraw_unbonded(unsigned(), operator()),
            DispatchError::BadOrigin
        );
    });
}
