use crate::{mock::*, Attesters as Known, Error, Event, Members, Standing, MAX_MEMBERS};
use frame_support::{assert_noop, assert_ok, traits::fungible::MutateFreeze};
use sp_runtime::{BuildStorage, DispatchError, TokenError};

fn standing(who: u64) -> Option<Standing<u64>> {
    Known::<Test>::get(who).map(|attester| attester.standing)
}

#[test]
fn only_governance_invites_and_removes() {
    test(|| {
        let signed = || RuntimeOrigin::signed(GUARD);
        assert_noop!(Attesters::invite(signed(), 1), DispatchError::BadOrigin);
        assert_noop!(Attesters::remove(signed(), 1), DispatchError::BadOrigin);
    });
}

#[test]
fn who_is_invited_joins_with_a_bond_on_hold() {
    test(|| {
        assert_noop!(join(1, BOND), Error::<Test>::NotInvited);
        assert_ok!(invite(1));
        assert_eq!(standing(1), Some(Standing::Invited));
        assert!(Attesters::members().is_empty());
        assert_noop!(join(1, BOND - 1), Error::<Test>::BondTooSmall);
        assert_noop!(join(1, ENDOWMENT + 1), TokenError::FundsUnavailable);
        assert_ok!(join(1, BOND + 5));
        assert_eq!(held(1), BOND + 5);
        assert_eq!(Attesters::members(), [1]);
        System::assert_last_event(
            Event::AttesterJoined {
                who: 1,
                bond: BOND + 5,
            }
            .into(),
        );
        assert_noop!(join(1, BOND), Error::<Test>::NotInvited);
        assert_noop!(invite(1), Error::<Test>::AlreadyKnown);
    });
}

#[test]
fn a_bond_is_not_made_of_frozen_funds() {
    test(|| {
        assert_ok!(invite(1));
        assert_ok!(Balances::set_freeze(&FREEZE, &1, ENDOWMENT));
        assert_noop!(join(1, BOND), TokenError::Frozen);
    });
}

#[test]
fn an_invitation_can_be_taken_back() {
    test(|| {
        assert_ok!(invite(1));
        assert_ok!(remove(1));
        assert_eq!(standing(1), None);
        assert_noop!(join(1, BOND), Error::<Test>::NotInvited);
        assert_noop!(remove(1), Error::<Test>::NotMember);
    });
}

#[test]
fn there_are_no_more_attesters_than_may_be() {
    test(|| {
        seated(MAX_MEMBERS.into());
        assert_ok!(invite(30));
        assert_noop!(join(30, BOND), Error::<Test>::TooManyMembers);
        assert_ok!(leave(3));
        assert_ok!(join(30, BOND));
        assert_eq!(Members::<Test>::get().len() as u32, MAX_MEMBERS);
    });
}

#[test]
fn who_leaves_waits_for_the_bond_longer_than_evidence_is_taken() {
    test(|| {
        seated(2);
        assert_noop!(withdraw(1), Error::<Test>::NotLeaving);
        assert_ok!(leave(1));
        assert_eq!(Attesters::members(), [2]);
        assert_eq!(held(1), BOND);
        assert_noop!(leave(1), Error::<Test>::NotMember);
        assert_noop!(remove(1), Error::<Test>::NotMember);
        assert_noop!(invite(1), Error::<Test>::AlreadyKnown);
        at(UNBONDING);
        assert_noop!(withdraw(1), Error::<Test>::NotRipe);
        at(1 + UNBONDING);
        assert_ok!(withdraw(1));
        assert_eq!((held(1), standing(1)), (0, None));
        assert_noop!(withdraw(1), Error::<Test>::NotLeaving);
        assert_ok!(invite(1));
    });
}

#[test]
fn who_is_removed_leaves() {
    test(|| {
        seated(1);
        assert_ok!(remove(1));
        let ripe_at = 1 + UNBONDING;
        assert_eq!(standing(1), Some(Standing::Leaving { ripe_at }));
        assert_noop!(attest(1, 0, 0), Error::<Test>::NotMember);
    });
}

#[test]
fn no_bond_is_released_while_the_pallet_is_halted() {
    test(|| {
        seated(1);
        assert_ok!(leave(1));
        at(1 + UNBONDING);
        assert_ok!(halt(true));
        assert_noop!(withdraw(1), Error::<Test>::Halted);
        assert_ok!(halt(false));
        assert_ok!(withdraw(1));
    });
}

#[test]
fn genesis_may_seat_attesters_and_by_default_seats_none() {
    let mut genesis = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: vec![(1, ENDOWMENT), (2, ENDOWMENT)],
            ..Default::default()
        },
        ..Default::default()
    };
    let start = |genesis: &RuntimeGenesisConfig| {
        sp_io::TestExternalities::from(genesis.build_storage().unwrap())
    };
    start(&genesis).execute_with(|| assert!(Attesters::members().is_empty()));
    genesis.attesters.members = vec![2, 1];
    start(&genesis).execute_with(|| {
        assert_eq!(Attesters::members(), [1, 2]);
        assert_eq!((held(1), held(2)), (BOND, BOND));
        check();
    });
}
