use crate::{mock::*, Error, Event, Invited, LastElection};
use frame_support::{assert_noop, assert_ok};
use pallet_slashing::Standing;
use sp_runtime::DispatchError;

fn root() -> RuntimeOrigin {
    RuntimeOrigin::root()
}

#[test]
fn a_chain_begins_with_the_validators_of_its_genesis() {
    test(|| {
        assert_eq!(validators(), [1, 2, 3, 4, 5]);
        assert_eq!(Invited::<Test>::get().into_inner(), [1, 2, 3, 4, 5]);
        era();
        era();
        assert_eq!(validators(), [1, 2, 3, 4, 5]);
    });
}

#[test]
fn who_is_invited_validates_from_the_next_era_on() {
    test(|| {
        set_keys(9, 9);
        assert_ok!(ValidatorSet::invite(root(), 9));
        System::assert_last_event(Event::ValidatorInvited { who: 9 }.into());
        assert_ok!(ValidatorSet::uninvite(root(), 2));
        System::assert_last_event(Event::ValidatorUninvited { who: 2 }.into());
        session();
        assert_eq!(validators(), [1, 2, 3, 4, 5]);
        era();
        assert_eq!(validators(), [1, 3, 4, 5, 9]);
    });
}

#[test]
fn only_the_invite_origin_invites() {
    test(|| {
        let someone = RuntimeOrigin::signed(1);
        assert_noop!(
            ValidatorSet::invite(someone.clone(), 9),
            DispatchError::BadOrigin
        );
        assert_noop!(ValidatorSet::uninvite(someone, 1), DispatchError::BadOrigin);
    });
}

#[test]
fn an_invitation_needs_keys_and_is_given_once() {
    test(|| {
        assert_noop!(ValidatorSet::invite(root(), 9), Error::<Test>::NoKeys);
        assert_noop!(
            ValidatorSet::invite(root(), 1),
            Error::<Test>::AlreadyInvited
        );
        assert_noop!(ValidatorSet::uninvite(root(), 9), Error::<Test>::NotInvited);
    });
}

#[test]
fn no_more_are_invited_than_may_validate() {
    test(|| {
        for who in 6..=64 {
            set_keys(who, who);
            assert_ok!(ValidatorSet::invite(root(), who));
        }
        set_keys(65, 65);
        assert_noop!(ValidatorSet::invite(root(), 65), Error::<Test>::TooMany);
        era();
        assert_eq!(validators().len(), 64);
    });
}

#[test]
fn the_last_validator_with_keys_stays_invited() {
    test(|| {
        for who in 1..=3 {
            assert_ok!(ValidatorSet::uninvite(root(), who));
        }
        pallet_session::NextKeys::<Test>::remove(4);
        assert_noop!(
            ValidatorSet::uninvite(root(), 5),
            Error::<Test>::LastValidator
        );
        assert_ok!(ValidatorSet::uninvite(root(), 4));
        era();
        assert_eq!(validators(), [5]);
    });
}

#[test]
fn an_invitation_does_not_outlast_a_ban_while_four_others_remain() {
    test(|| {
        let offender = |who, standing| {
            let operator = Operator {
                validates: false,
                standing,
                ..operator(0)
            };
            stake(who, operator);
        };
        offender(2, Standing::Banned);
        era();
        assert_eq!(validators(), [1, 3, 4, 5]);
        // Three would bear no fault: both serve on, until someone else is invited.
        offender(3, Standing::Suspended { until: u64::MAX });
        era();
        assert_eq!(validators(), [1, 2, 3, 4, 5]);
        set_keys(9, 9);
        assert_ok!(ValidatorSet::invite(root(), 9));
        era();
        assert_eq!(validators(), [1, 4, 5, 9]);
    });
}

#[test]
fn with_four_candidates_the_invited_leave_for_good() {
    test(|| {
        for who in 11..=13 {
            stake(who, operator(MIN_STAKE));
        }
        era();
        assert_eq!(validators(), [1, 2, 3, 4, 5]);
        assert!(!LastElection::<Test>::exists());
        stake(14, operator(MIN_STAKE));
        era();
        assert_eq!(validators(), [11, 12, 13, 14]);
        assert_noop!(
            ValidatorSet::invite(root(), 11),
            Error::<Test>::BootstrapOver
        );
        assert_noop!(
            ValidatorSet::uninvite(root(), 1),
            Error::<Test>::BootstrapOver
        );
        change(14, |operator| operator.validates = false);
        era();
        assert_eq!(validators(), [11, 12, 13, 14]);
    });
}
