use crate::{mock::*, Beneficiary, Error, Event, FORWARD_LIFETIME};
use ciro_bridge_primitives::{LaneId, Payload};
use frame_support::{assert_noop, assert_ok};
use pallet_attesters::ReceiveMessage;
use sp_runtime::{DispatchError, TokenError};

/// Why the last that was parked waits.
fn reason() -> DispatchError {
    let parked = System::read_events_for_pallet::<Event<Test>>();
    let mut reasons = parked.into_iter().rev().filter_map(|event| match event {
        Event::TransferParked { reason, .. } => Some(reason),
        _ => None,
    });
    reasons.next().unwrap()
}

fn error(error: Error<Test>) -> DispatchError {
    let DispatchError::Module(mut module) = error.into() else {
        panic!("not an error of the pallet");
    };
    // As it is stored: without the text.
    module.message = None;
    DispatchError::Module(module)
}

#[test]
fn what_was_burnt_there_is_minted_here() {
    test(|| {
        opened();
        let before = supply();
        burnt(LANES[0], 7, &nobody(), 1_000);
        assert_eq!(free(&nobody()), 1_000);
        assert_eq!(remote(LANES[0]).outside, 3_000);
        assert_eq!(supply(), before);
        System::assert_last_event(
            Event::TokensReceived {
                lane: LANES[0],
                nonce: 7,
                to: nobody(),
                amount: 1_000,
            }
            .into(),
        );
        assert_eq!(waits(LANES[0], 7), None);
    });
}

#[test]
fn a_mint_that_came_too_late_comes_back_to_who_sent_it() {
    test(|| {
        opened();
        let before = supply();
        returned(LANES[0], 0, &alice(), 800);
        assert_eq!(free(&alice()), ENDOWMENT - 4_000 - 2 * FEE + 800);
        assert_eq!(remote(LANES[0]).outside, 3_200);
        assert_eq!(supply(), before);
    });
}

#[test]
fn only_burns_and_returns_of_registered_remotes_are_accepted() {
    test(|| {
        opened();
        let accepts = |lane: LaneId, payload| <Gateway as ReceiveMessage>::accepts(&lane, &payload);
        let back = Payload::Return {
            nonce: 0,
            amount: 1,
            refund: [1; 32],
        };
        assert!(accepts(LANES[0], back));
        assert!(!accepts(LANES[2], back));
        let mint = Payload::Mint {
            recipient: [1; 32],
            amount: 1,
            expiry: 0,
            refund: [1; 32],
        };
        assert!(!accepts(LANES[0], mint));
    });
}

#[test]
fn a_remote_never_brings_more_than_it_got() {
    test(|| {
        opened();
        let before = supply();
        burnt(LANES[0], 0, &nobody(), 4_001);
        burnt(LANES[1], 0, &nobody(), 1);
        assert_eq!(free(&nobody()), 0);
        assert_eq!(reason(), error(Error::NotCovered));
        assert!(!waits(LANES[0], 0).unwrap().covered);
        assert_eq!((remote(LANES[0]).outside, supply()), (4_000, before));
        at(1 + DELAY);
        assert_noop!(release(LANES[0], 0), Error::<Test>::NotCovered);
        // As soon as as much has left, there is no harm in it.
        at(WINDOW);
        assert_ok!(transfer(bob(), LANES[1], 100));
        burnt(LANES[1], 1, &nobody(), 90);
        assert_ok!(release(LANES[1], 0));
        assert_eq!(free(&nobody()), 91);
    });
}

#[test]
fn what_one_remote_got_another_cannot_bring() {
    test(|| {
        opened();
        burnt(LANES[1], 0, &bob(), 100);
        assert_eq!(free(&bob()), ENDOWMENT);
        burnt(LANES[0], 0, &bob(), 100);
        assert_eq!(free(&bob()), ENDOWMENT + 100);
    });
}

#[test]
fn too_little_to_open_an_account_waits_until_there_is_one() {
    test(|| {
        opened();
        let before = supply();
        burnt(LANES[0], 0, &nobody(), EXISTENTIAL_DEPOSIT - 1);
        assert_eq!(reason(), TokenError::BelowMinimum.into());
        assert_eq!(supply(), before);
        assert_noop!(release(LANES[0], 0), TokenError::BelowMinimum);
        burnt(LANES[0], 1, &nobody(), EXISTENTIAL_DEPOSIT);
        assert_ok!(release(LANES[0], 0));
        assert_eq!(free(&nobody()), 2 * EXISTENTIAL_DEPOSIT - 1);
        assert_eq!(supply(), before);
    });
}

#[test]
fn what_is_large_waits_for_its_time() {
    test(|| {
        opened();
        let before = supply();
        burnt(LANES[0], 0, &bob(), 1_001);
        assert_eq!(reason(), error(Error::NotDue));
        assert_eq!(remote(LANES[0]).outside, 2_999);
        assert_eq!(supply(), before);
        at(DELAY);
        assert_noop!(release(LANES[0], 0), Error::<Test>::NotDue);
        at(1 + DELAY);
        assert_ok!(release(LANES[0], 0));
        assert_eq!(free(&bob()), ENDOWMENT + 1_001);
        assert_noop!(release(LANES[0], 0), Error::<Test>::NothingWaits);
        assert_eq!(supply(), before);
    });
}

#[test]
fn what_a_window_has_no_room_for_comes_in_parts() {
    test(|| {
        opened();
        let before = supply();
        for nonce in 0..4 {
            burnt(LANES[0], nonce, &bob(), 900);
        }
        assert_eq!(free(&bob()), ENDOWMENT + 3_000);
        assert_eq!(reason(), error(Error::WindowFull));
        assert_eq!(waits(LANES[0], 3).unwrap().amount, 600);
        burnt(LANES[0], 4, &bob(), 1);
        assert_eq!(supply(), before);
        at(WINDOW - 1);
        assert_noop!(release(LANES[0], 3), Error::<Test>::WindowFull);
        at(WINDOW);
        assert_ok!(release(LANES[0], 3));
        assert_ok!(release(LANES[0], 4));
        assert_eq!(free(&bob()), ENDOWMENT + 3_601);
        assert_eq!(supply(), before);
    });
}

#[test]
fn more_than_any_window_has_room_for_comes_over_several() {
    test(|| {
        opened();
        let narrow = crate::Limits {
            in_per_window: 700,
            delay_above: 10_000,
            ..limits()
        };
        assert_ok!(set_limits(LANES[0], narrow));
        burnt(LANES[0], 0, &bob(), 1_500);
        let come = || free(&bob()) - ENDOWMENT;
        assert_eq!(come(), 700);
        at(WINDOW);
        assert_ok!(release(LANES[0], 0));
        assert_eq!(come(), 1_400);
        assert_noop!(release(LANES[0], 0), Error::<Test>::WindowFull);
        at(2 * WINDOW);
        assert_ok!(release(LANES[0], 0));
        assert_eq!(come(), 1_500);
    });
}

#[test]
fn nothing_is_lost_while_the_direction_is_paused_or_the_gateway_halted() {
    test(|| {
        opened();
        let before = supply();
        assert_ok!(pause(LANES[0], false, true));
        burnt(LANES[0], 0, &bob(), 100);
        assert_eq!(reason(), error(Error::Paused));
        assert_noop!(release(LANES[0], 0), Error::<Test>::Paused);
        assert_ok!(pause(LANES[0], true, false));
        assert_ok!(halt(true));
        burnt(LANES[0], 1, &bob(), 10);
        assert_eq!(reason(), error(Error::Halted));
        assert_noop!(release(LANES[0], 0), Error::<Test>::Halted);
        assert_eq!((free(&bob()), supply()), (ENDOWMENT, before));
        assert_ok!(halt(false));
        assert_ok!(release(LANES[0], 0));
        assert_ok!(release(LANES[0], 1));
        assert_eq!((free(&bob()), supply()), (ENDOWMENT + 110, before));
    });
}

#[test]
fn tokens_go_from_one_chain_to_another_through_the_books_of_both() {
    test(|| {
        opened();
        let before = supply();
        forwarded(LANES[0], 0, LANES[1], address(8), 500);
        assert_eq!(remote(LANES[0]).outside, 3_500);
        assert_eq!(remote(LANES[1]).outside, 500);
        assert_eq!((free(&bob()), supply()), (ENDOWMENT, before));
        let sent = *Sent::get().last().unwrap();
        assert_eq!((sent.lane, sent.nonce), (LANES[1], 0));
        let mint = Payload::Mint {
            recipient: address(8),
            amount: 500,
            expiry: START + 2 + FORWARD_LIFETIME,
            refund: bob().into(),
        };
        assert_eq!(sent.payload, mint);
        // And on to a third party here.
        burnt(LANES[1], 0, &nobody(), 500);
        assert_eq!((free(&nobody()), supply()), (500, before));
    });
}

/// What a transfer cannot go on for, what has to happen before, and where and how much it is.
type Obstacle = (&'static str, fn(), LaneId, [u8; 32], Balance);

#[test]
fn what_cannot_go_on_is_minted_to_the_account_named_for_that() {
    let cases: [Obstacle; 7] = [
        ("no remote", || (), LANES[2], address(8), 500),
        ("no lane", || (), LaneId([9; 32]), address(8), 500),
        ("no address", || (), LANES[1], [255; 32], 500),
        ("too little", || (), LANES[1], address(8), 4),
        (
            "full queue",
            || QueueFull::set(true),
            LANES[1],
            address(8),
            500,
        ),
        (
            "paused",
            || pause(LANES[1], true, false).unwrap(),
            LANES[1],
            address(8),
            500,
        ),
        (
            "full window",
            || {
                assert_ok!(transfer(alice(), LANES[1], 2_000));
                assert_ok!(transfer(alice(), LANES[1], 1_900));
            },
            LANES[1],
            address(8),
            500,
        ),
    ];
    for (name, prepare, lane, recipient, amount) in cases {
        test(|| {
            opened();
            prepare();
            let (before, sent) = (supply(), Sent::get());
            let outside = crate::TotalOutside::<Test>::get();
            forwarded(LANES[0], 0, lane, recipient, amount);
            assert_eq!(free(&bob()), ENDOWMENT + amount, "{name}");
            assert_eq!(crate::TotalOutside::<Test>::get(), outside - amount);
            assert_eq!((supply(), Sent::get()), (before, sent), "{name}");
        });
    }
}

#[test]
fn what_waits_for_another_chain_goes_on_when_it_is_released() {
    test(|| {
        opened();
        forwarded(LANES[0], 0, LANES[1], address(8), 1_500);
        assert_eq!(remote(LANES[1]).outside, 0);
        let beneficiary = waits(LANES[0], 0).unwrap().beneficiary;
        let expected = Beneficiary::Remote {
            lane: LANES[1],
            recipient: address(8),
            refund: bob(),
        };
        assert_eq!(beneficiary, expected);
        at(1 + DELAY);
        assert_ok!(release(LANES[0], 0));
        assert_eq!(remote(LANES[1]).outside, 1_500);
    });
}

#[test]
fn nothing_happens_by_a_message_about_nothing() {
    test(|| {
        opened();
        let before = supply();
        burnt(LANES[0], 0, &bob(), 0);
        forwarded(LANES[0], 1, LANES[1], address(8), 0);
        assert_eq!((waits(LANES[0], 0), waits(LANES[0], 1)), (None, None));
        assert_eq!(supply(), before);
    });
}

#[test]
fn what_waits_for_an_account_can_be_listed() {
    test(|| {
        opened();
        burnt(LANES[0], 0, &nobody(), 1);
        burnt(LANES[0], 1, &alice(), 1_500);
        forwarded(LANES[0], 2, LANES[1], address(8), 1_200);
        let listed = |who| {
            let mut found: Vec<_> = Gateway::arrivals_of(who)
                .into_iter()
                .map(|(lane, nonce, arrival)| (lane, nonce, arrival.amount))
                .collect();
            found.sort();
            found
        };
        assert_eq!(listed(nobody()), [(LANES[0], 0, 1)]);
        assert_eq!(listed(alice()), [(LANES[0], 1, 1_500)]);
        assert_eq!(listed(bob()), [(LANES[0], 2, 1_200)]);
    });
}
