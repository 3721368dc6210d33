use crate::{mock::*, Error, Event, Operators, Role, Roles, StakeLedger};
use frame_support::{assert_noop, assert_ok, traits::fungible::MutateFreeze};
use sp_runtime::{DispatchError, Perbill, TokenError};

#[test]
fn staking_makes_an_operator_with_no_role_and_holds_the_stake() {
    test(|| {
        assert_ok!(stake(operator(), MIN_OWN));
        assert_eq!(held(&operator()), MIN_OWN);
        assert_eq!(<Pool as StakeLedger<_, _, _>>::stake(&operator()), MIN_OWN);
        assert_eq!(record().roles, Roles::default());
        System::assert_last_event(
            Event::WorkerStaked {
                worker_address: operator(),
                staker: operator(),
                amount: MIN_OWN,
                total_stake: MIN_OWN,
            }
            .into(),
        );
    });
}

#[test]
fn stake_for_an_operator_adds_to_its_total_and_not_to_its_own() {
    test(|| {
        staked();
        assert_eq!((record().own, record().total), (6_000, 10_000));
        assert_eq!(Pool::own_stake(&operator()), 6_000);
        assert_eq!(total_stake(), 10_000);
        assert_eq!(record().positions, 3);
        assert_ok!(stake_for(operator(), alice(), 1));
        assert_eq!(position(alice()).active, 3_001);
        assert_eq!(record().positions, 3);
        assert_ok!(stake_for(operator(), operator(), 5));
        assert_eq!(record().own, 6_005);
    });
}

#[test]
fn a_staker_may_stake_for_many_and_holds_the_sum() {
    test(|| {
        staked();
        assert_ok!(stake(alice(), 2_000));
        assert_ok!(stake_for(alice(), operator(), 500));
        assert_eq!(held(&alice()), 5_000);
        assert_eq!(held(&operator()), 6_500);
        assert_eq!(total_stake(), 12_500);
    });
}

#[test]
fn less_than_the_minimum_is_not_staked() {
    test(|| {
        assert_noop!(stake(operator(), 0), Error::<Test>::ZeroAmount);
        assert_noop!(stake(operator(), MIN_OWN - 1), Error::<Test>::BelowMinimum);
        staked();
        assert_noop!(
            stake_for(operator(), account(4), MIN_DELEGATION - 1),
            Error::<Test>::BelowMinimum
        );
        assert_noop!(
            stake_for(operator(), account(4), 0),
            Error::<Test>::ZeroAmount
        );
        assert_ok!(stake_for(operator(), account(4), MIN_DELEGATION));
    });
}

#[test]
fn only_operators_with_enough_of_their_own_are_staked_for() {
    test(|| {
        assert_noop!(
            stake_for(operator(), alice(), 500),
            Error::<Test>::NotOperator
        );
        staked();
        assert_ok!(set_roles(operator(), false, false));
        assert_ok!(unstake(operator(), operator(), 6_000));
        assert_noop!(
            stake_for(operator(), alice(), 500),
            Error::<Test>::NotOperator
        );
        // It may come back as long as its record stands.
        assert_ok!(stake(operator(), MIN_OWN));
        assert_ok!(stake_for(operator(), alice(), 500));
    });
}

#[test]
fn the_places_with_an_operator_are_limited_and_its_own_is_beside_them() {
    test(|| {
        staked();
        for name in 4..6 {
            assert_ok!(stake_for(operator(), account(name), 500));
        }
        assert_noop!(
            stake_for(operator(), account(6), 50_000),
            Error::<Test>::TooManyDelegations
        );
        // Those who have a place add to it, and one that is left for good is free.
        assert_ok!(stake_for(operator(), bob(), 500));
        assert_ok!(unstake(operator(), bob(), 1_500));
        assert_noop!(
            stake_for(operator(), account(6), 500),
            Error::<Test>::TooManyDelegations
        );
        at(1 + UNBONDING);
        assert_ok!(withdraw(operator(), bob()));
        assert_ok!(stake_for(operator(), account(6), 500));
    });
}

#[test]
fn an_operator_that_left_comes_back_though_all_other_places_are_taken() {
    test(|| {
        staked();
        for name in 4..6 {
            assert_ok!(stake_for(operator(), account(name), 500));
        }
        assert_ok!(set_roles(operator(), false, false));
        assert_ok!(unstake(operator(), operator(), 6_000));
        at(1 + UNBONDING);
        assert_ok!(withdraw(operator(), operator()));
        assert_eq!(record().positions, MAX_DELEGATIONS);
        assert_ok!(stake(operator(), MIN_OWN));
        assert_eq!(record().positions, MAX_DELEGATIONS + 1);
    });
}

#[test]
fn operators_are_limited() {
    test(|| {
        for name in 1..=MAX_OPERATORS as u8 {
            assert_ok!(stake(account(name), MIN_OWN));
        }
        assert_noop!(stake(account(6), MIN_OWN), Error::<Test>::TooManyOperators);
        assert_ok!(stake(account(1), 1));
    });
}

#[test]
fn staking_needs_funds_that_are_not_frozen_and_a_signature() {
    test(|| {
        assert_noop!(stake(nobody(), MIN_OWN), TokenError::FundsUnavailable);
        assert_ok!(Balances::set_freeze(&FREEZE, &operator(), ENDOWMENT));
        assert_noop!(stake(operator(), MIN_OWN), TokenError::Frozen);
        assert_ok!(Balances::set_freeze(
            &FREEZE,
            &operator(),
            ENDOWMENT - MIN_OWN
        ));
        assert_ok!(stake(operator(), MIN_OWN));
        assert_noop!(stake(operator(), 1), TokenError::Frozen);
        let unsigned = RuntimeOrigin::none;
        assert_noop!(Pool::stake(unsigned(), MIN_OWN), DispatchError::BadOrigin);
        assert_noop!(
            Pool::stake_for_worker(unsigned(), operator(), MIN_OWN),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn the_banned_neither_stake_nor_are_staked_for_nor_take_roles() {
    test(|| {
        staked();
        assert_ok!(stake(bob(), MIN_OWN));
        BannedAccounts::set(vec![operator(), account(4)]);
        assert_noop!(stake(operator(), 500), Error::<Test>::Banned);
        assert_noop!(stake_for(operator(), alice(), 500), Error::<Test>::Banned);
        assert_noop!(stake_for(bob(), account(4), 500), Error::<Test>::Banned);
        assert_noop!(set_roles(operator(), true, true), Error::<Test>::Banned);
        assert_ok!(set_roles(operator(), false, false));
    });
}

#[test]
fn the_banned_and_those_who_staked_for_them_take_back_what_is_left() {
    test(|| {
        staked();
        slash(50, 1);
        BannedAccounts::set(vec![operator()]);
        assert_ok!(set_roles(operator(), false, false));
        assert_ok!(unstake(operator(), operator(), 3_000));
        assert_ok!(unstake(operator(), alice(), 1_500));
        assert_ok!(unstake(operator(), bob(), 500));
        at(1 + UNBONDING);
        for who in [operator(), alice(), bob()] {
            assert_ok!(withdraw(operator(), who.clone()));
            assert_eq!(held(&who), 0);
        }
        assert!(!Operators::<Test>::contains_key(operator()));
    });
}

#[test]
fn roles_are_what_the_stake_stands_for() {
    test(|| {
        staked();
        let other = alice();
        assert_ok!(stake(other.clone(), 2_000));
        assert_ok!(set_roles(other.clone(), true, true));
        let mut workers = Pool::operators(Role::Worker);
        workers.sort();
        assert_eq!(workers, vec![(operator(), 10_000), (other.clone(), 2_000)]);
        assert_eq!(
            Pool::operators(Role::Validator),
            vec![(other.clone(), 2_000)]
        );
        assert!(Pool::has_role(&operator(), Role::Worker));
        assert!(!Pool::has_role(&operator(), Role::Validator));
        assert!(!Pool::has_role(&nobody(), Role::Worker));
        assert_ok!(set_roles(other.clone(), false, true));
        System::assert_last_event(
            Event::RolesChanged {
                operator: other.clone(),
                roles: Roles {
                    worker: false,
                    validator: true,
                },
            }
            .into(),
        );
        assert!(!Pool::has_role(&other, Role::Worker));
        assert_noop!(set_roles(nobody(), true, false), Error::<Test>::NotOperator);
    });
}

#[test]
fn an_operator_whose_own_stake_is_below_the_minimum_stands_for_nothing_until_it_adds() {
    test(|| {
        staked();
        slash(90, 1);
        assert!(record().roles.worker);
        assert!(!Pool::has_role(&operator(), Role::Worker));
        assert!(Pool::operators(Role::Worker).is_empty());
        assert_noop!(reserve(1), Error::<Test>::NotWorker);
        assert_noop!(
            set_roles(operator(), true, true),
            Error::<Test>::NotOperator
        );
        assert_noop!(stake(operator(), 399), Error::<Test>::BelowMinimum);
        assert_ok!(stake(operator(), 400));
        assert!(Pool::has_role(&operator(), Role::Worker));
    });
}

#[test]
fn a_cut_of_commission_holds_at_once_and_a_rise_after_the_unbonding_period() {
    test(|| {
        staked();
        let now = |block| {
            at(block);
            record().commission.at(block)
        };
        let percent = Perbill::from_percent;
        assert_ok!(set_commission(operator(), 20));
        System::assert_last_event(
            Event::CommissionChanged {
                operator: operator(),
                commission: percent(20),
                from: 1 + UNBONDING,
            }
            .into(),
        );
        assert_eq!(now(UNBONDING), percent(0));
        assert_eq!(now(1 + UNBONDING), percent(20));
        assert_ok!(set_commission(operator(), 30));
        assert_eq!(now(60), percent(20));
        assert_ok!(set_commission(operator(), 10));
        assert_eq!(now(60), percent(10));
        // The announced rise to 30 % is void.
        assert_eq!(now(500), percent(10));
    });
}

#[test]
fn commission_has_a_ceiling_and_belongs_to_operators() {
    test(|| {
        staked();
        assert_noop!(
            set_commission(operator(), 31),
            Error::<Test>::CommissionTooHigh
        );
        assert_noop!(set_commission(alice(), 5), Error::<Test>::NotOperator);
        assert_ok!(set_commission(operator(), 30));
    });
}
