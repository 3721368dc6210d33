use crate::{mock::*, Doubt, Error, Event, VerifyMessage};
use frame_support::{assert_noop, assert_ok, dispatch::Pays};

#[test]
fn a_proven_message_is_executed_at_once_whatever_the_votes() {
    test(|| {
        seated(4);
        assert_ok!(attest(1, 0, 7));
        assert_ok!(prove(0, 7));
        assert_eq!(received(), [(0, 7)]);
        assert_eq!(held(1), BOND);
        System::assert_has_event(
            Event::MessageExecuted {
                lane: LANES[0],
                nonce: 0,
                id: message(LANES[0], 0, 7).id(),
                proven: true,
            }
            .into(),
        );
        // Votes that come later execute nothing.
        for who in 2..=4 {
            assert_ok!(attest(who, 0, 7));
        }
        assert_eq!(received(), [(0, 7)]);
    });
}

#[test]
fn what_the_light_client_does_not_confirm_is_not_executed() {
    test(|| {
        let prove = |number, evidence| {
            Attesters::prove(
                RuntimeOrigin::signed(1),
                LANES[0],
                0,
                payload(number),
                evidence,
            )
            .map(|info| info.pays_fee)
            .map_err(|refused| refused.error)
        };
        let id = |number| message(LANES[0], 0, number).id();
        let doubted = Err(Error::<Test>::NotProven(Doubt::MessageNotFound).into());
        assert_eq!(prove(7, id(7)), doubted);
        Truth::mutate(|truth| truth.insert((LANES[0], 0), id(7)));
        assert_eq!(prove(8, id(7)), doubted);
        assert_eq!(prove(7, id(8)), doubted);
        let check =
            |number, evidence| Attesters::check_proof(LANES[0], 0, payload(number), evidence);
        assert_eq!(check(7, id(8)), Err(Doubt::MessageNotFound));
        assert_eq!(check(7, id(7)), Ok(()));
        assert_eq!(received(), []);
        assert_eq!(prove(7, id(7)), Ok(Pays::No));
    });
}

#[test]
fn no_light_client_confirms_nothing() {
    let sent = message(LANES[0], 0, 7);
    let told = <() as VerifyMessage>::verify(&sent, &());
    assert_eq!(told, Err(Doubt::ChainNotFollowed));
    assert!(<() as VerifyMessage>::weight(&()).ref_time() > 0);
}

#[test]
fn a_proof_costs_the_bonds_of_all_who_voted_for_another_message() {
    test(|| {
        seated(4);
        assert_ok!(attest(1, 0, 7));
        assert_ok!(attest(2, 0, 8));
        assert_ok!(attest(3, 0, 9));
        assert_ok!(prove(0, 7));
        assert_eq!([1, 2, 3, 4].map(held), [BOND, 0, 0, BOND]);
        assert_eq!(Attesters::members(), [1, 4]);
        assert_eq!(
            Balances::free_balance(TREASURY),
            EXISTENTIAL_DEPOSIT + 2 * BOND
        );
        assert_noop!(prove(0, 7), Error::<Test>::NothingToProve);
    });
}

#[test]
fn who_has_left_still_answers_for_its_vote() {
    test(|| {
        seated(4);
        for who in 1..=4 {
            let number = if who == 2 { 8 } else { 7 };
            assert_ok!(attest(who, 0, number));
        }
        assert_ok!(leave(2));
        at(1 + EVIDENCE);
        assert_ok!(prove(0, 7));
        assert_eq!(held(2), 0);
        assert_noop!(withdraw(2), Error::<Test>::NotLeaving);
        assert_eq!(received(), [(0, 7)]);
    });
}

#[test]
fn a_vote_after_the_message_was_executed_is_held_against_who_gave_it() {
    test(|| {
        seated(4);
        for who in 1..=3 {
            assert_ok!(attest(who, 0, 7));
        }
        assert_ok!(attest(4, 0, 8));
        assert_eq!(held(4), BOND);
        assert_ok!(prove(0, 7));
        assert_eq!([1, 2, 3, 4].map(held), [BOND, BOND, BOND, 0]);
        assert_eq!(received(), [(0, 7)]);
    });
}

#[test]
fn attesters_who_lied_together_lose_their_bonds_and_the_pallet_is_halted() {
    test(|| {
        seated(4);
        for who in 1..=3 {
            assert_ok!(attest(who, 0, 666));
        }
        assert_ok!(attest(4, 0, 7));
        assert_eq!(received(), [(0, 666)]);
        assert_ok!(prove(0, 7));
        assert_eq!([1, 2, 3, 4].map(held), [0, 0, 0, BOND]);
        assert_eq!(Attesters::members(), [4]);
        System::assert_has_event(
            Event::FalseMessageExecuted {
                lane: LANES[0],
                nonce: 0,
                executed: message(LANES[0], 0, 666).id(),
                proven: message(LANES[0], 0, 7).id(),
            }
            .into(),
        );
        // The nonce is taken: the true message is governance's business.
        assert_eq!(received(), [(0, 666)]);
        assert_noop!(attest(4, 1, 7), Error::<Test>::Halted);
        assert_ok!(halt(false));
        // The same proof does not halt it again.
        assert_noop!(prove(0, 7), Error::<Test>::NothingToProve);
        assert_ok!(attest(4, 1, 7));
    });
}

#[test]
fn lies_are_punished_while_the_pallet_is_halted() {
    test(|| {
        seated(4);
        for who in 1..=3 {
            assert_ok!(attest(who, 0, 7));
        }
        assert_ok!(attest(4, 0, 8));
        assert_ok!(halt(true));
        assert_ok!(prove(0, 7));
        assert_eq!(held(4), 0);
    });
}
