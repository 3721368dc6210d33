use crate::{mock::*, Error, Event, StakeLedger};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

#[test]
fn a_reward_is_minted_and_shared_by_stake_once_the_operator_has_its_commission() {
    test(|| {
        staked();
        open_pot();
        assert_ok!(set_commission(operator(), 20));
        at(1 + UNBONDING);
        let issuance = Balances::total_issuance();
        assert_eq!(reward(12_500), 12_500);
        assert_eq!(Balances::total_issuance(), issuance + 12_500);
        System::assert_last_event(
            Event::RewardsDistributed {
                operator: operator(),
                amount: 12_500,
                commission: 2_500,
            }
            .into(),
        );
        assert_eq!(pending(operator()), 2_500 + 6_000);
        assert_eq!(pending(alice()), 3_000);
        assert_eq!(pending(bob()), 1_000);
        assert_eq!(pending(account(4)), 0);
        for (who, amount) in [(operator(), 8_500), (alice(), 3_000), (bob(), 1_000)] {
            assert_ok!(claim(operator(), who.clone()));
            assert_eq!(total(&who), ENDOWMENT + amount);
            System::assert_last_event(
                Event::RewardsClaimed {
                    operator: operator(),
                    staker: who.clone(),
                    amount,
                }
                .into(),
            );
            assert_noop!(
                claim(operator(), who.clone()),
                Error::<Test>::NothingToClaim
            );
        }
        assert_eq!(total(&Pool::pot()), EXISTENTIAL_DEPOSIT);
    });
}

#[test]
fn rewards_go_by_the_stake_of_their_time() {
    test(|| {
        staked();
        open_pot();
        reward(10_000);
        assert_ok!(stake_for(operator(), account(4), 10_000));
        assert_eq!(pending(account(4)), 0);
        assert_ok!(unstake(operator(), alice(), 3_000));
        reward(17_000);
        assert_eq!(pending(account(4)), 10_000);
        assert_eq!(pending(alice()), 3_000);
        assert_eq!(pending(bob()), 1_000 + 1_000);
        assert_eq!(pending(operator()), 6_000 + 6_000);
        assert_ok!(stake_for(operator(), bob(), 1_000));
        assert_eq!(pending(bob()), 2_000);
    });
}

#[test]
fn of_the_first_reward_the_pot_keeps_what_it_needs_to_live() {
    test(|| {
        staked();
        assert_eq!(reward(EXISTENTIAL_DEPOSIT), 0);
        assert_eq!(total(&Pool::pot()), 0);
        assert_eq!(reward(10_000 + EXISTENTIAL_DEPOSIT), 10_000);
        for who in [operator(), alice(), bob()] {
            assert_ok!(claim(operator(), who));
        }
        assert_eq!(total(&Pool::pot()), EXISTENTIAL_DEPOSIT);
        assert_eq!(reward(5), 5);
    });
}

#[test]
fn without_stake_nothing_is_credited_or_minted() {
    test(|| {
        open_pot();
        let issuance = Balances::total_issuance();
        assert_eq!(reward(1_000), 0);
        staked();
        slash(100, 1);
        let after = Balances::total_issuance();
        assert_eq!(reward(1_000), 0);
        assert_eq!(issuance, after);
        assert_eq!(Balances::total_issuance(), after);
    });
}

#[test]
fn an_operator_without_stake_of_its_own_earns_no_commission() {
    test(|| {
        staked();
        open_pot();
        assert_ok!(set_commission(operator(), 30));
        assert_ok!(set_roles(operator(), false, false));
        at(1 + UNBONDING);
        assert_ok!(unstake(operator(), operator(), 6_000));
        assert_eq!(reward(4_000), 4_000);
        assert_eq!(pending(operator()), 0);
        assert_eq!(pending(alice()), 3_000);
    });
}

#[test]
fn what_rounding_leaves_is_less_than_a_planck_a_position() {
    test(|| {
        staked();
        open_pot();
        for amount in [1, 7, 99, 1_001, 123_457] {
            let before = pending(operator()) + pending(alice()) + pending(bob());
            assert_eq!(reward(amount), amount);
            let after = pending(operator()) + pending(alice()) + pending(bob());
            assert!(after - before <= amount + 2 && after - before + 3 > amount);
        }
    });
}

#[test]
fn a_slash_takes_no_rewards_and_who_lost_all_stake_may_still_claim_them() {
    test(|| {
        staked();
        open_pot();
        reward(10_000);
        assert_eq!(slash(100, 1), 10_000);
        assert_eq!(pending(alice()), 3_000);
        assert_ok!(claim(operator(), alice()));
        assert_eq!(total(&alice()), ENDOWMENT);
        // Nothing is left of the position.
        assert!(Pool::position(operator(), alice()).is_none());
        assert!(Pool::position(operator(), bob()).is_some());
    });
}

#[test]
fn rewards_may_be_claimed_while_a_case_is_open() {
    test(|| {
        staked();
        open_pot();
        reward(1_000);
        OpenCases::set(vec![operator()]);
        assert_ok!(claim(operator(), alice()));
    });
}

#[test]
fn claiming_needs_rewards_and_a_signature() {
    test(|| {
        assert_noop!(claim(operator(), alice()), Error::<Test>::NothingToClaim);
        staked();
        open_pot();
        reward(1_000);
        assert_noop!(claim(operator(), account(4)), Error::<Test>::NothingToClaim);
        assert_noop!(
            Pool::claim_rewards(RuntimeOrigin::none(), operator()),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn the_largest_reward_on_the_smallest_stake_is_counted_right() {
    test(|| {
        staked();
        open_pot();
        // One planck is left of the own stake, and a billion CIRO come in.
        assert_ok!(unstake(operator(), alice(), 3_000));
        assert_ok!(unstake(operator(), bob(), 1_000));
        assert_ok!(reserve(5_999));
        Pool::forfeit(&operator(), 5_999, None);
        let most = 1_000_000_000 * 1_000_000_000_000_000_000;
        assert_eq!(record().total, 1);
        assert_eq!(reward(most), most);
        assert_eq!(reward(most), most);
        assert_eq!(pending(operator()), 2 * most);
    });
}
