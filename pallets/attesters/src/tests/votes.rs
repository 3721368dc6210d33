use crate::{mock::*, threshold, Error, Event, Progress, ReceiveMessage, MAX_VOTES, WINDOW};
use ciro_bridge_primitives::{LaneId, Payload};
use frame_support::{assert_noop, assert_ok, dispatch::Pays};
use sp_runtime::DispatchError;

#[test]
fn two_thirds_and_one_are_needed() {
    let needed: Vec<_> = [1, 2, 3, 4, 5, 6, 7, 9, 10, 16].map(threshold).into();
    assert_eq!(needed, [1, 2, 3, 3, 4, 5, 5, 7, 7, 11]);
}

#[test]
fn a_message_is_executed_by_the_vote_that_makes_it_true_and_not_before() {
    test(|| {
        seated(4);
        assert_eq!(Attesters::needed_votes(), 3);
        assert_ok!(attest(1, 0, 7));
        assert_ok!(attest(4, 0, 7));
        assert_eq!(received(), []);
        assert!(!Attesters::is_executed(LANES[0], 0));
        assert_ok!(attest(2, 0, 7));
        assert_eq!(received(), [(0, 7)]);
        assert!(Attesters::is_executed(LANES[0], 0));
        assert_eq!(Attesters::next_nonce(LANES[0]), 1);
        System::assert_has_event(
            Event::MessageExecuted {
                lane: LANES[0],
                nonce: 0,
                id: message(LANES[0], 0, 7).id(),
                proven: false,
            }
            .into(),
        );
    });
}

#[test]
fn votes_for_different_messages_are_not_added_and_cost_nobody_anything() {
    test(|| {
        seated(4);
        assert_ok!(attest(1, 0, 7));
        assert_ok!(attest(2, 0, 8));
        assert_ok!(attest(3, 0, 7));
        assert_eq!(received(), []);
        assert_ok!(attest(4, 0, 7));
        assert_eq!(received(), [(0, 7)]);
        assert_eq!(held(2), BOND);
        assert_eq!(ballot(0).unwrap().votes.len(), 4);
    });
}

#[test]
fn a_vote_for_another_lane_or_nonce_is_no_vote_for_this_one() {
    test(|| {
        seated(2);
        assert_ok!(attest_in(LANES[0], 1, 0, 7));
        assert_ok!(attest_in(LANES[1], 2, 0, 7));
        assert_ok!(attest_in(LANES[0], 2, 1, 7));
        assert_eq!(Received::get(), []);
    });
}

#[test]
fn only_attesters_vote() {
    test(|| {
        seated(1);
        assert_ok!(invite(2));
        assert_noop!(attest(2, 0, 7), Error::<Test>::NotMember);
        assert_noop!(attest(3, 0, 7), Error::<Test>::NotMember);
        let unsigned = Attesters::attest(RuntimeOrigin::none(), LANES[0], 0, payload(7));
        assert_eq!(unsigned.unwrap_err().error, DispatchError::BadOrigin);
    });
}

#[test]
fn nobody_votes_for_what_nobody_would_receive() {
    test(|| {
        seated(1);
        let elsewhere = attest_in(LaneId([9; 32]), 1, 0, 7);
        assert_noop!(elsewhere, Error::<Test>::NotAccepted);
        let outbound = Payload::Slash {
            case: 0,
            operator: [1; 32],
            share: 1,
        };
        let refused = Attesters::attest(RuntimeOrigin::signed(1), LANES[0], 0, outbound);
        assert_eq!(
            refused.unwrap_err().error,
            Error::<Test>::NotAccepted.into()
        );
    });
}

#[test]
fn a_vote_costs_no_fee_if_it_counts_and_weighs_what_it_has_done() {
    test(|| {
        seated(2);
        let vote = |who| Attesters::attest(RuntimeOrigin::signed(who), LANES[0], 0, payload(7));
        let first = vote(1).unwrap();
        assert_eq!(first.pays_fee, Pays::No);
        assert_eq!(first.actual_weight, Some(Attesters::vote_weight()));
        let repeated = vote(1).unwrap_err();
        assert_eq!(repeated.error, Error::<Test>::AlreadyVoted.into());
        assert_eq!(repeated.post_info.pays_fee, Pays::Yes);
        let last = vote(2).unwrap();
        assert_eq!((last.pays_fee, last.actual_weight), (Pays::No, None));
        assert!(Notebook::weight().ref_time() > 0);
    });
}

#[test]
fn no_message_is_executed_twice() {
    test(|| {
        seated(1);
        assert_ok!(attest(1, 0, 7));
        assert_noop!(attest(1, 0, 7), Error::<Test>::AlreadyVoted);
        assert_ok!(remove(1));
        seated_also(2);
        assert_ok!(attest(2, 0, 7));
        assert_ok!(prove_in(LANES[0], 1, 7));
        assert_noop!(prove(1, 7), Error::<Test>::NothingToProve);
        // Long after, nothing is remembered of it but that it was executed.
        at(2 + EVIDENCE);
        assert_noop!(attest(2, 0, 7), Error::<Test>::TooOld);
        assert_ok!(attest(2, 2, 7));
        assert_eq!(ballot(0), None);
        assert_noop!(attest(2, 0, 7), Error::<Test>::TooOld);
        assert_noop!(prove(0, 7), Error::<Test>::TooOld);
        assert_eq!(received(), [(0, 7), (1, 7), (2, 7)]);
    });
}

fn seated_also(who: u64) {
    assert_ok!(invite(who));
    assert_ok!(join(who, BOND));
}

#[test]
fn messages_may_come_in_any_order_within_the_window() {
    test(|| {
        seated(1);
        let window = u64::from(WINDOW);
        assert_noop!(attest(1, window, 7), Error::<Test>::TooFarAhead);
        assert_noop!(prove(window, 7), Error::<Test>::TooFarAhead);
        for nonce in (1..window).rev() {
            assert_ok!(attest(1, nonce, 7));
        }
        assert_eq!(Attesters::next_nonce(LANES[0]), 0);
        assert!(Attesters::is_executed(LANES[0], 255));
        check();
        assert_ok!(attest(1, 0, 7));
        assert_eq!(Attesters::next_nonce(LANES[0]), window);
        assert_ok!(attest(1, window, 7));
    });
}

#[test]
fn lanes_do_not_wait_for_each_other() {
    test(|| {
        seated(1);
        assert_ok!(attest_in(LANES[1], 1, 5, 7));
        assert_ok!(attest_in(LANES[0], 1, 0, 7));
        assert_eq!(Attesters::next_nonce(LANES[0]), 1);
        assert_eq!(Attesters::next_nonce(LANES[1]), 0);
    });
}

#[test]
fn who_votes_for_two_messages_loses_bond_and_seat_at_once() {
    test(|| {
        seated(4);
        assert_ok!(attest(1, 0, 7));
        assert_ok!(attest(1, 0, 8));
        assert_eq!((held(1), Balances::free_balance(1)), (0, ENDOWMENT - BOND));
        assert_eq!(Balances::free_balance(TREASURY), EXISTENTIAL_DEPOSIT + BOND);
        assert_eq!(Attesters::members(), [2, 3, 4]);
        assert_eq!(Attesters::attester(1), None);
        System::assert_has_event(
            Event::AttesterSlashed {
                who: 1,
                amount: BOND,
                lane: LANES[0],
                nonce: 0,
                said: message(LANES[0], 0, 7).id(),
                shown: message(LANES[0], 0, 8).id(),
            }
            .into(),
        );
        assert_noop!(attest(1, 1, 7), Error::<Test>::NotMember);
    });
}

#[test]
fn a_contradiction_costs_the_bond_after_the_message_was_executed_too() {
    test(|| {
        seated(4);
        for who in 1..=4 {
            assert_ok!(attest(who, 0, 7));
        }
        at(1 + EVIDENCE);
        assert_ok!(attest(2, 0, 8));
        assert_eq!(held(2), 0);
        assert_eq!(received(), [(0, 7)]);
        at(2 + EVIDENCE);
        assert_noop!(attest(3, 0, 8), Error::<Test>::TooOld);
    });
}

#[test]
fn votes_of_who_has_left_do_not_count() {
    test(|| {
        seated(4);
        assert_ok!(attest(1, 0, 7));
        assert_ok!(attest(2, 0, 7));
        assert_ok!(leave(1));
        // Three are left, and all of them are needed.
        assert_ok!(attest(3, 0, 7));
        assert_eq!(received(), []);
        assert_ok!(attest(4, 0, 7));
        assert_eq!(received(), [(0, 7)]);
    });
}

#[test]
fn a_repeated_vote_executes_what_has_votes_enough_since_someone_left() {
    test(|| {
        seated(3);
        assert_ok!(attest(1, 0, 7));
        assert_ok!(attest(2, 0, 7));
        assert_noop!(attest(2, 0, 7), Error::<Test>::AlreadyVoted);
        assert_ok!(leave(3));
        assert_ok!(attest(2, 0, 7));
        assert_eq!(received(), [(0, 7)]);
    });
}

#[test]
fn nothing_is_voted_for_while_the_pallet_is_halted() {
    test(|| {
        seated(1);
        let signed = RuntimeOrigin::signed(1);
        assert_noop!(
            Attesters::set_halted(signed, true),
            DispatchError::BadOrigin
        );
        assert_ok!(halt(true));
        assert_noop!(attest(1, 0, 7), Error::<Test>::Halted);
        assert_noop!(prove(0, 7), Error::<Test>::Halted);
        assert_ok!(halt(false));
        assert_ok!(attest(1, 0, 7));
    });
}

#[test]
fn a_full_ballot_drops_votes_of_who_has_left() {
    test(|| {
        // All vote for different messages, and leave, until the ballot is full.
        for who in 1..=u64::from(MAX_VOTES) {
            seated_also(who);
            if who > 1 {
                assert_ok!(leave(who - 1));
            }
            // Nobody votes alone.
            seated_also(40);
            assert_ok!(attest(who, 0, who.into()));
            assert_ok!(remove(40));
            at(now() + UNBONDING);
            assert_ok!(withdraw(40));
        }
        assert_eq!(ballot(0).unwrap().votes.len() as u32, MAX_VOTES);
        let last = u64::from(MAX_VOTES);
        seated_also(last + 1);
        assert_ok!(attest(last + 1, 0, 1));
        let ballot = ballot(0).unwrap();
        assert_eq!(ballot.votes.len() as u32, MAX_VOTES);
        assert_eq!(ballot.vote_of(&1), None);
        assert!(ballot.vote_of(&last).is_some());
    });
}

#[test]
fn old_ballots_are_removed_as_new_messages_are_executed() {
    test(|| {
        seated(1);
        for nonce in 0..10 {
            assert_ok!(attest(1, nonce, 7));
        }
        at(2 + EVIDENCE);
        for nonce in 10..15 {
            assert_ok!(attest(1, nonce, 7));
        }
        let kept: Vec<_> = (0..15).filter(|nonce| ballot(*nonce).is_some()).collect();
        assert_eq!(kept, [10, 11, 12, 13, 14]);
    });
}

#[test]
fn a_lane_remembers_exactly_what_was_executed() {
    let mut progress = Progress::default();
    assert!(progress.mark(2) && progress.mark(1) && !progress.mark(2));
    assert_eq!((progress.next, progress.ahead.len()), (0, 2));
    assert!(progress.mark(0));
    assert_eq!((progress.next, progress.ahead.len()), (3, 0));
    assert!(!progress.mark(0) && !progress.mark(3 + u64::from(WINDOW)));
    assert!(progress.mark(2 + u64::from(WINDOW)));
}
