use crate::{mock::*, Error, Event, Limits};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError::BadOrigin;

#[test]
fn each_call_of_governance_wants_its_own_origin() {
    test(|| {
        opened();
        let lane = LANES[0];
        let guarded = || RuntimeOrigin::signed(guard());
        assert_noop!(
            Gateway::register_remote(guarded(), LANES[2], limits()),
            BadOrigin
        );
        assert_noop!(Gateway::set_limits(guarded(), lane, limits()), BadOrigin);
        assert_noop!(Gateway::resume(guarded(), lane, 0), BadOrigin);
        assert_noop!(Gateway::reject(guarded(), lane, 0), BadOrigin);
        let signed = || RuntimeOrigin::signed(alice());
        assert_noop!(Gateway::set_paused(signed(), lane, true, true), BadOrigin);
        assert_noop!(Gateway::set_halted(signed(), true), BadOrigin);
        assert_noop!(Gateway::suspend(signed(), lane, 0), BadOrigin);
        assert_noop!(Gateway::release(RuntimeOrigin::none(), lane, 0), BadOrigin);
    });
}

#[test]
fn a_remote_is_registered_once_and_for_an_open_lane() {
    test(|| {
        assert_noop!(register(LANES[3], limits()), Error::<Test>::UnknownLane);
        assert_ok!(register(LANES[0], limits()));
        System::assert_last_event(
            Event::RemoteRegistered {
                lane: LANES[0],
                limits: limits(),
            }
            .into(),
        );
        assert_noop!(
            register(LANES[0], limits()),
            Error::<Test>::AlreadyRegistered
        );
        assert_noop!(set_limits(LANES[1], limits()), Error::<Test>::UnknownRemote);
        assert_noop!(pause(LANES[1], true, true), Error::<Test>::UnknownRemote);
    });
}

#[test]
fn limits_let_something_pass() {
    test(|| {
        assert_ok!(register(LANES[0], limits()));
        let bad = [
            Limits {
                smallest: 0,
                ..limits()
            },
            Limits {
                smallest: 2_001,
                ..limits()
            },
            Limits {
                out_per_window: 1_999,
                ..limits()
            },
            Limits {
                most_outside: 1_999,
                ..limits()
            },
            Limits {
                in_per_window: 0,
                ..limits()
            },
        ];
        for limits in bad {
            assert_noop!(register(LANES[1], limits), Error::<Test>::BadLimits);
            assert_noop!(set_limits(LANES[0], limits), Error::<Test>::BadLimits);
        }
    });
}

#[test]
fn changed_limits_keep_the_books_and_hold_at_once() {
    test(|| {
        opened();
        let narrow = Limits {
            largest: 100,
            most_outside: 100,
            ..limits()
        };
        assert_ok!(set_limits(LANES[0], narrow));
        assert_eq!(remote(LANES[0]).outside, 4_000);
        at(WINDOW);
        assert_noop!(transfer(bob(), LANES[0], 101), Error::<Test>::TooMuch);
        assert_noop!(
            transfer(bob(), LANES[0], 100),
            Error::<Test>::TooMuchOutside
        );
        burnt(LANES[0], 0, &bob(), 1_000);
        assert_eq!(free(&bob()), ENDOWMENT + 1_000);
    });
}

#[test]
fn what_is_suspended_waits_for_governance() {
    test(|| {
        opened();
        let before = supply();
        assert_noop!(suspend(LANES[0], 0), Error::<Test>::NothingWaits);
        burnt(LANES[0], 0, &bob(), 1_500);
        assert_noop!(resume(LANES[0], 0), Error::<Test>::NotSuspended);
        assert_ok!(suspend(LANES[0], 0));
        assert_noop!(suspend(LANES[0], 0), Error::<Test>::Suspended);
        at(1 + DELAY);
        assert_noop!(release(LANES[0], 0), Error::<Test>::Suspended);
        assert_eq!(supply(), before);
        assert_ok!(resume(LANES[0], 0));
        assert_ok!(release(LANES[0], 0));
        assert_eq!((free(&bob()), supply()), (ENDOWMENT + 1_500, before));
        assert_noop!(resume(LANES[0], 0), Error::<Test>::NothingWaits);
    });
}

#[test]
fn what_is_rejected_is_outside_again() {
    test(|| {
        opened();
        let before = supply();
        burnt(LANES[0], 0, &bob(), 1_500);
        assert_noop!(reject(LANES[0], 0), Error::<Test>::NotSuspended);
        assert_ok!(suspend(LANES[0], 0));
        assert_ok!(reject(LANES[0], 0));
        assert_eq!((remote(LANES[0]).outside, supply()), (4_000, before));
        assert_noop!(reject(LANES[0], 0), Error::<Test>::NothingWaits);
        System::assert_last_event(
            Event::TransferRejected {
                lane: LANES[0],
                nonce: 0,
                amount: 1_500,
            }
            .into(),
        );
        // So that who really has it there can bring it.
        burnt(LANES[0], 1, &bob(), 900);
        assert_eq!(free(&bob()), ENDOWMENT + 900);
    });
}

#[test]
fn what_was_not_covered_is_rejected_without_a_trace_in_the_books() {
    test(|| {
        opened();
        burnt(LANES[1], 0, &bob(), 500);
        assert_ok!(suspend(LANES[1], 0));
        assert_ok!(reject(LANES[1], 0));
        assert_eq!(remote(LANES[1]).outside, 0);
    });
}
