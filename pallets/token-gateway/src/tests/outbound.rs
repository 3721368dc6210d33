use crate::{mock::*, Error, Event, Limits, MAX_LIFETIME, MIN_LIFETIME};
use ciro_bridge_primitives::{Message, Payload};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{DispatchError, DispatchResult, TokenError};

/// Alice sends to that address within that time.
fn transfer_to(recipient: [u8; 32], lane: usize, lifetime: u64) -> DispatchResult {
    crate::mock::transfer_to(alice(), LANES[lane], recipient, 100, lifetime)
}

#[test]
fn what_leaves_is_burnt_here_and_told_there() {
    test(|| {
        assert_ok!(register(LANES[0], limits()));
        let before = supply();
        assert_ok!(transfer(alice(), LANES[0], 100));
        assert_eq!(free(&alice()), ENDOWMENT - 100 - FEE);
        assert_eq!(remote(LANES[0]).outside, 100);
        assert_eq!(supply(), before - FEE);
        let expiry = START + 2 + 3_600;
        let payload = Payload::Mint {
            recipient: address(9),
            amount: 100,
            expiry,
            refund: alice().into(),
        };
        let sent = Message {
            lane: LANES[0],
            nonce: 0,
            payload,
        };
        assert_eq!(Sent::get(), [sent]);
        System::assert_last_event(
            Event::TokensBridged {
                lane: LANES[0],
                nonce: 0,
                from: alice(),
                recipient: address(9),
                amount: 100,
                expiry,
            }
            .into(),
        );
    });
}

#[test]
fn nothing_leaves_for_a_chain_without_a_remote() {
    test(|| {
        assert_noop!(
            transfer(alice(), LANES[0], 100),
            Error::<Test>::UnknownRemote
        );
    });
}

#[test]
fn the_sender_keeps_the_existential_deposit_and_pays_for_the_message() {
    test(|| {
        let generous = Limits {
            largest: ENDOWMENT,
            most_outside: ENDOWMENT,
            out_per_window: ENDOWMENT,
            ..limits()
        };
        assert_ok!(register(LANES[0], generous));
        let most = ENDOWMENT - EXISTENTIAL_DEPOSIT - FEE;
        assert_noop!(
            transfer(alice(), LANES[0], ENDOWMENT),
            TokenError::FundsUnavailable
        );
        assert_noop!(
            transfer(alice(), LANES[0], most + 1),
            TokenError::FundsUnavailable
        );
        assert_noop!(
            transfer(nobody(), LANES[0], 100),
            TokenError::FundsUnavailable
        );
        assert_ok!(transfer(alice(), LANES[0], most));
        assert_eq!(free(&alice()), EXISTENTIAL_DEPOSIT);
    });
}

#[test]
fn a_lifetime_is_between_an_hour_and_thirty_days() {
    test(|| {
        assert_ok!(register(LANES[0], limits()));
        for lifetime in [0, MIN_LIFETIME - 1, MAX_LIFETIME + 1, u64::MAX] {
            assert_noop!(
                transfer_to(address(9), 0, lifetime),
                Error::<Test>::LifetimeOutOfRange
            );
        }
        assert_ok!(transfer_to(address(9), 0, MIN_LIFETIME));
        assert_ok!(transfer_to(address(9), 0, MAX_LIFETIME));
    });
}

#[test]
fn the_recipient_must_be_an_address_of_its_chain() {
    test(|| {
        assert_ok!(register(LANES[0], limits()));
        assert_ok!(register(LANES[2], limits()));
        let with_first = |place: usize, byte: u8| {
            let mut word = [0; 32];
            word[place] = byte;
            word
        };
        let bad = [
            ([0; 32], 0),
            (with_first(11, 1), 0),
            ([0; 32], 2),
            (with_first(0, 8), 2),
        ];
        for (word, lane) in bad {
            assert_noop!(
                transfer_to(word, lane, 3_600),
                Error::<Test>::InvalidRecipient
            );
        }
        assert_ok!(transfer_to(with_first(12, 255), 0, 3_600));
        assert_ok!(transfer_to(with_first(0, 7), 2, 3_600));
    });
}

#[test]
fn a_transfer_is_neither_too_small_nor_too_large() {
    test(|| {
        assert_ok!(register(LANES[0], limits()));
        assert_noop!(transfer(alice(), LANES[0], 0), Error::<Test>::TooLittle);
        assert_noop!(transfer(alice(), LANES[0], 4), Error::<Test>::TooLittle);
        assert_noop!(transfer(alice(), LANES[0], 2_001), Error::<Test>::TooMuch);
        assert_ok!(transfer(alice(), LANES[0], 5));
        assert_ok!(transfer(alice(), LANES[0], 2_000));
    });
}

#[test]
fn no_more_leaves_in_a_window_than_may_whoever_sends() {
    test(|| {
        opened();
        assert_noop!(transfer(bob(), LANES[0], 5), Error::<Test>::WindowFull);
        assert_ok!(transfer(bob(), LANES[1], 5));
        at(WINDOW - 1);
        assert_noop!(transfer(bob(), LANES[0], 5), Error::<Test>::WindowFull);
        at(WINDOW);
        assert_ok!(transfer(bob(), LANES[0], 2_000));
        assert_ok!(transfer(bob(), LANES[0], 2_000));
        assert_noop!(transfer(bob(), LANES[0], 5), Error::<Test>::WindowFull);
    });
}

#[test]
fn no_more_is_outside_than_may_be() {
    test(|| {
        opened();
        at(WINDOW);
        assert_ok!(transfer(bob(), LANES[0], 2_000));
        assert_ok!(transfer(bob(), LANES[0], 2_000));
        at(2 * WINDOW);
        assert_ok!(transfer(bob(), LANES[0], 2_000));
        assert_noop!(transfer(bob(), LANES[0], 5), Error::<Test>::TooMuchOutside);
        burnt(LANES[0], 0, &alice(), 5);
        assert_ok!(transfer(bob(), LANES[0], 5));
    });
}

#[test]
fn nothing_leaves_while_the_direction_is_paused_or_the_gateway_halted() {
    test(|| {
        opened();
        at(WINDOW);
        assert_ok!(pause(LANES[0], true, false));
        assert_noop!(transfer(bob(), LANES[0], 5), Error::<Test>::Paused);
        assert_ok!(transfer(bob(), LANES[1], 5));
        assert_ok!(pause(LANES[0], false, true));
        assert_ok!(transfer(bob(), LANES[0], 5));
        assert_ok!(halt(true));
        assert_noop!(transfer(bob(), LANES[0], 5), Error::<Test>::Halted);
        assert_ok!(halt(false));
        assert_ok!(transfer(bob(), LANES[0], 5));
    });
}

#[test]
fn nothing_is_burnt_if_the_message_cannot_leave() {
    test(|| {
        opened();
        QueueFull::set(true);
        assert_noop!(transfer(bob(), LANES[1], 5), DispatchError::Exhausted);
        assert_eq!(free(&bob()), ENDOWMENT);
    });
}
