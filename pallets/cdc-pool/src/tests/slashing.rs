use crate::{mock::*, Error, Event, Operators, StakeLedger};
use frame_support::{
    assert_noop, assert_ok,
    traits::fungible::{Mutate, MutateFreeze},
};
use sp_runtime::Perbill;

fn report(percent: u32, reporter: &AccountId, share: u32) -> Balance {
    <Pool as StakeLedger<_, _, _>>::slash(
        &operator(),
        Perbill::from_percent(percent),
        1,
        Some((reporter, Perbill::from_percent(share))),
    )
}

#[test]
fn a_slash_takes_the_same_share_of_every_position() {
    test(|| {
        staked();
        assert_eq!(slash(30, 1), 3_000);
        assert_eq!(held(&operator()), 4_200);
        assert_eq!(held(&alice()), 2_100);
        assert_eq!(held(&bob()), 700);
        assert_eq!((record().own, record().total), (4_200, 7_000));
        assert_eq!(total(&treasury()), EXISTENTIAL_DEPOSIT + 3_000);
        System::assert_last_event(
            Event::StakeSlashed {
                operator: operator(),
                amount: 3_000,
                positions: 3,
            }
            .into(),
        );
    });
}

#[test]
fn what_began_to_be_unbonded_before_the_offence_is_spared_and_what_began_after_is_not() {
    test(|| {
        staked();
        at(9);
        assert_ok!(unstake(operator(), alice(), 1_000));
        at(10);
        assert_ok!(unstake(operator(), alice(), 1_000));
        at(11);
        assert_ok!(unstake(operator(), bob(), 1_000));
        at(20);
        // Of Alice's the chunk of block 9 is spared, of Bob's nothing.
        assert_eq!(slash(50, 10), 3_000 + 500 + 500 + 500);
        assert_eq!(held(&operator()), 3_000);
        assert_eq!(held(&alice()), 500 + 1_000 + 500);
        assert_eq!(held(&bob()), 500);
        // Even what is ripe, if nobody has withdrawn it yet.
        at(100);
        assert_eq!(slash(100, 11), 3_000 + 500 + 500);
        assert_eq!(held(&alice()), 1_500);
        assert_eq!(held(&bob()), 0);
    });
}

#[test]
fn a_slash_rounds_down() {
    test(|| {
        assert_ok!(stake(operator(), 1_001));
        assert_ok!(stake_for(operator(), alice(), 199));
        assert_eq!(slash(50, 1), 500 + 99);
        assert_eq!((held(&operator()), held(&alice())), (501, 100));
    });
}

#[test]
fn a_slash_of_everything_leaves_nothing_of_the_operator() {
    test(|| {
        staked();
        assert_ok!(unstake(operator(), alice(), 1_000));
        assert_eq!(slash(100, 1), 10_000);
        assert!(!Operators::<Test>::contains_key(operator()));
        assert_eq!(total_stake(), 0);
        assert_eq!(held(&alice()) + held(&bob()) + held(&operator()), 0);
        assert_eq!(slash(100, 1), 0);
    });
}

#[test]
fn the_reporter_has_its_share_and_the_rest_goes_where_slashed_funds_go() {
    test(|| {
        staked();
        assert_eq!(report(10, &account(4), 10), 1_000);
        assert_eq!(total(&account(4)), ENDOWMENT + 100);
        assert_eq!(total(&treasury()), EXISTENTIAL_DEPOSIT + 900);
    });
}

#[test]
fn a_share_that_the_reporter_cannot_hold_goes_where_slashed_funds_go() {
    test(|| {
        staked();
        assert_eq!(report(10, &nobody(), 0), 1_000);
        // 9 plancks do not open an account.
        let share = Perbill::from_percent(1);
        let taken = <Pool as StakeLedger<_, _, _>>::slash(
            &operator(),
            Perbill::from_percent(10),
            1,
            Some((&nobody(), share)),
        );
        assert_eq!(taken, 900);
        assert_eq!(total(&nobody()), 0);
        assert_eq!(total(&treasury()), EXISTENTIAL_DEPOSIT + 1_900);
    });
}

#[test]
fn frozen_and_emptied_accounts_are_slashed_all_the_same() {
    test(|| {
        staked();
        assert_ok!(Balances::set_freeze(&FREEZE, &alice(), ENDOWMENT * 2));
        assert_ok!(Balances::burn_from(
            &bob(),
            ENDOWMENT - 1_000 - EXISTENTIAL_DEPOSIT,
            frame_support::traits::tokens::Preservation::Preserve,
            frame_support::traits::tokens::Precision::Exact,
            frame_support::traits::tokens::Fortitude::Force,
        ));
        assert_eq!(slash(100, 1), 10_000);
        assert_eq!(total(&alice()), ENDOWMENT - 3_000);
        assert_eq!(total(&bob()), EXISTENTIAL_DEPOSIT);
    });
}

#[test]
fn stake_with_another_operator_is_not_slashed() {
    test(|| {
        staked();
        assert_ok!(stake(bob(), 2_000));
        assert_ok!(stake_for(bob(), alice(), 2_000));
        assert_eq!(slash(100, 1), 10_000);
        assert_eq!(held(&alice()), 2_000);
        assert_eq!(held(&bob()), 2_000);
        assert_eq!(total_stake(), 4_000);
    });
}

#[test]
fn a_worker_reserves_what_is_free_of_its_own_stake() {
    test(|| {
        assert_noop!(reserve(1), Error::<Test>::NotWorker);
        staked();
        assert_ok!(reserve(4_000));
        System::assert_last_event(
            Event::StakeReserved {
                operator: operator(),
                amount: 4_000,
            }
            .into(),
        );
        // What others staked for it is no collateral.
        assert_noop!(reserve(2_001), Error::<Test>::InsufficientStake);
        assert_ok!(reserve(2_000));
        Pool::release(&operator(), 4_000);
        assert_ok!(reserve(4_000));
        assert_eq!(record().reserved, 6_000);
        assert_ok!(set_roles(operator(), false, true));
        Pool::release(&operator(), 6_000);
        assert_noop!(reserve(1), Error::<Test>::NotWorker);
    });
}

#[test]
fn forfeited_stake_is_paid_or_burned() {
    test(|| {
        staked();
        assert_ok!(reserve(1_000));
        let issuance = Balances::total_issuance();
        assert_eq!(Pool::forfeit(&operator(), 300, Some(&account(4))), 300);
        assert_eq!(total(&account(4)), ENDOWMENT + 300);
        assert_eq!(Balances::total_issuance(), issuance);
        assert_eq!(Pool::forfeit(&operator(), 200, None), 200);
        assert_eq!(Balances::total_issuance(), issuance - 200);
        assert_eq!((record().own, record().reserved), (5_500, 500));
        assert_eq!(total_stake(), 9_500);
        // Too little to open an account: burned.
        assert_eq!(Pool::forfeit(&operator(), 9, Some(&nobody())), 9);
        assert_eq!(Balances::total_issuance(), issuance - 209);
        System::assert_last_event(
            Event::StakeForfeited {
                operator: operator(),
                amount: 9,
            }
            .into(),
        );
    });
}

#[test]
fn no_more_is_forfeited_or_released_than_was_reserved() {
    test(|| {
        staked();
        assert_ok!(reserve(500));
        assert_eq!(Pool::forfeit(&operator(), 600, None), 500);
        assert_eq!(Pool::forfeit(&operator(), 1, None), 0);
        Pool::release(&operator(), 1);
        assert_eq!((record().own, record().reserved), (5_500, 0));
        assert_eq!(Pool::forfeit(&alice(), 1, None), 0);
        Pool::release(&alice(), 1);
    });
}

#[test]
fn frozen_stake_is_forfeited_all_the_same() {
    test(|| {
        staked();
        assert_ok!(reserve(500));
        assert_ok!(Balances::set_freeze(&FREEZE, &operator(), ENDOWMENT));
        assert_eq!(Pool::forfeit(&operator(), 500, Some(&bob())), 500);
    });
}

#[test]
fn a_slash_leaves_reservations_so_that_one_job_cannot_free_what_another_relies_on() {
    test(|| {
        staked();
        assert_ok!(reserve(3_000));
        assert_ok!(reserve(3_000));
        slash(50, 1);
        assert_eq!((record().own, record().reserved), (3_000, 6_000));
        Pool::release(&operator(), 3_000);
        assert_noop!(reserve(1), Error::<Test>::InsufficientStake);
        assert_noop!(unstake(operator(), operator(), 1), Error::<Test>::Reserved);
        assert_eq!(Pool::forfeit(&operator(), 3_000, None), 3_000);
    });
}

#[test]
fn a_reservation_outlives_the_stake_and_is_not_taken_for_a_later_one() {
    test(|| {
        staked();
        assert_ok!(reserve(6_000));
        slash(100, 1);
        assert_eq!(record().reserved, 6_000);
        assert_ok!(stake(operator(), 8_000));
        assert_noop!(reserve(2_001), Error::<Test>::InsufficientStake);
        assert_ok!(reserve(2_000));
        Pool::release(&operator(), 6_000);
        assert_eq!(record().reserved, 2_000);
        // A record that only a reservation keeps goes with it.
        slash(100, 1);
        Pool::release(&operator(), 2_000);
        assert!(!Operators::<Test>::contains_key(operator()));
    });
}
