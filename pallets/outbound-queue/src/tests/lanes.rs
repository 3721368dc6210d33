use crate::{mock::*, Error, Event, Lane, Lanes, MAX_LISTED};
use ciro_bridge_primitives::{lane_id, word_of, ChainKind, Destination};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{DispatchError, TokenError};

#[test]
fn anyone_opens_a_lane_for_a_deposit_and_it_is_named_after_its_destination() {
    test(|| {
        let lane = opened(9);
        assert_eq!(lane, lane_id(&GENESIS, &contract(9)));
        assert_eq!(held(1), DEPOSIT);
        let expected = Lane {
            destination: contract(9),
            owner: account(1),
            deposit: DEPOSIT,
            next_nonce: 0,
            last_block: None,
        };
        assert_eq!(Queue::lane(lane), Some(expected));
        System::assert_last_event(
            Event::LaneOpened {
                lane,
                destination: contract(9),
                owner: account(1),
                deposit: DEPOSIT,
            }
            .into(),
        );
    });
}

#[test]
fn a_lane_is_open_once() {
    test(|| {
        opened(9);
        assert_noop!(
            Queue::open_lane(signed(2), contract(9)),
            Error::<Test>::LaneExists
        );
    });
}

#[test]
fn a_lane_needs_a_signature_and_funds() {
    test(|| {
        assert_noop!(
            Queue::open_lane(RuntimeOrigin::root(), contract(9)),
            DispatchError::BadOrigin
        );
        assert_noop!(
            Queue::open_lane(signed(7), contract(9)),
            TokenError::FundsUnavailable
        );
    });
}

#[test]
fn a_lane_leads_to_a_possible_contract() {
    test(|| {
        let [mut high, mut felt] = [[0; 32]; 2];
        (high[11], felt[0]) = (1, 8);
        let of = |kind, chain_id, contract| Destination {
            kind,
            chain_id,
            contract,
        };
        let (one, zero) = (word_of(1u8), [0; 32]);
        let (evm, starknet) = (ChainKind::Evm, ChainKind::Starknet);
        for impossible in [
            of(evm, zero, one),
            of(evm, one, zero),
            of(evm, one, high),
            of(starknet, zero, one),
            of(starknet, one, zero),
            of(starknet, one, felt),
            of(starknet, felt, one),
        ] {
            assert_noop!(
                Queue::open_lane(signed(1), impossible),
                Error::<Test>::InvalidDestination
            );
        }
        felt[0] = 7;
        for possible in [of(starknet, felt, felt), of(evm, [0xff; 32], one)] {
            assert_ok!(Queue::open_lane(signed(1), possible));
        }
    });
}

#[test]
fn a_lane_without_messages_is_closed_by_its_owner_and_the_deposit_released() {
    test(|| {
        let lane = opened(9);
        assert_noop!(Queue::close_lane(signed(2), lane), Error::<Test>::NotOwner);
        assert_noop!(
            Queue::close_lane(RuntimeOrigin::none(), lane),
            DispatchError::BadOrigin
        );
        assert_ok!(Queue::close_lane(signed(1), lane));
        System::assert_last_event(Event::LaneClosed { lane }.into());
        assert_eq!((held(1), free(1)), (0, ENDOWMENT));
        assert_noop!(
            Queue::close_lane(signed(1), lane),
            Error::<Test>::UnknownLane
        );
        assert_noop!(send(lane, 1), Error::<Test>::UnknownLane);
    });
}

#[test]
fn a_lane_with_a_message_stays_so_that_no_nonce_comes_again() {
    test(|| {
        let lane = opened(9);
        assert_eq!(send(lane, 1), Ok(0));
        assert_noop!(Queue::close_lane(signed(1), lane), Error::<Test>::LaneInUse);
        next_block();
        assert_noop!(Queue::close_lane(signed(1), lane), Error::<Test>::LaneInUse);
        assert_noop!(
            Queue::open_lane(signed(2), contract(9)),
            Error::<Test>::LaneExists
        );
        assert_eq!(send(lane, 1), Ok(1));
    });
}

#[test]
fn lanes_are_listed_page_by_page() {
    test(|| {
        let count = 7;
        (1..=count).for_each(|number| {
            opened(number);
        });
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let page = Queue::lanes(after, 3);
            assert!(page.len() <= 3);
            let Some((last, _)) = page.last() else { break };
            after = Some(*last);
            seen.extend(page.into_iter().map(|(id, _)| id));
        }
        let all: Vec<_> = Lanes::<Test>::iter_keys().collect();
        assert_eq!((seen.len(), seen), (count.into(), all));
        assert!(Queue::lanes(None, u32::MAX).len() <= MAX_LISTED as usize);
        assert_eq!(Queue::message_fee(), FEE);
    });
}
