//! CIRO leaves for other chains, comes back, and stays the same in all.

use crate::{call, call_as, chain, development, genesis_config, open_block, pass};
use ciro_bridge_primitives::{lane_id, ChainKind, Destination, LaneId, Message, Payload, Word};
use ciro_runtime::{
    configs::gateway::{Electorate, MIN_ATTESTER_BOND},
    constants::UNIT,
    genesis::ENDOWMENT,
    origins::Origin,
    AccountId, Attesters, Balance, Balances, Runtime, RuntimeOrigin, System, TokenGateway,
    Treasury, ValidatorSet,
};
use frame_support::{
    assert_noop, assert_ok,
    dispatch::DispatchResult,
    traits::{fungible::InspectHold, Get},
};
use pallet_attesters::{Error as AttestersError, HoldReason};
use pallet_token_gateway::{Error as GatewayError, Limits};
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave};
use sp_runtime::DispatchError::BadOrigin;

type Gateway = pallet_token_gateway::Call<Runtime>;
type Voting = pallet_attesters::Call<Runtime>;

fn limits() -> Limits<u32> {
    Limits {
        smallest: UNIT,
        largest: 1_000 * UNIT,
        most_outside: 10_000 * UNIT,
        out_per_window: 2_000 * UNIT,
        in_per_window: 2_000 * UNIT,
        delay_above: 500 * UNIT,
        delay: 5,
    }
}

pub fn word(last: u8) -> Word {
    let mut word = [0; 32];
    word[31] = last;
    word
}

/// Opens the lane to a contract on Ethereum, and registers its token.
pub fn remote(contract: u8) -> LaneId {
    let destination = Destination {
        kind: ChainKind::Evm,
        chain_id: word(1),
        contract: word(contract),
    };
    let lane = lane_id(&System::block_hash(0).into(), &destination);
    let register = || Gateway::register_remote {
        lane,
        limits: limits(),
    };
    assert_noop!(
        call_as(RuntimeOrigin::root(), register()),
        GatewayError::<Runtime>::UnknownLane
    );
    let open = pallet_outbound_queue::Call::open_lane { destination };
    assert_ok!(call(Dave, open));
    assert_noop!(call_as(Origin::Emergency, register()), BadOrigin);
    assert_ok!(call_as(RuntimeOrigin::root(), register()));
    lane
}

pub fn send(who: Sr25519Keyring, lane: LaneId, amount: Balance) -> DispatchResult {
    let transfer = Gateway::transfer_out {
        lane,
        recipient: word(9),
        amount,
        lifetime: 3_600,
    };
    call(who, transfer)
}

pub fn burn(destination: LaneId, recipient: Word, amount: Balance) -> Payload {
    Payload::Burn {
        destination,
        recipient,
        amount,
        refund: Bob.to_account_id().into(),
    }
}

pub fn attest(who: Sr25519Keyring, lane: LaneId, nonce: u64, payload: Payload) -> DispatchResult {
    let vote = Voting::attest {
        lane,
        nonce,
        payload,
    };
    call(who, vote)
}

pub fn outside(lane: LaneId) -> Balance {
    TokenGateway::remote(lane).unwrap().outside
}

pub fn free(who: Sr25519Keyring) -> Balance {
    Balances::free_balance(who.to_account_id())
}

/// All CIRO there is, as the emission and votes see it, after a look at every invariant.
pub fn supply() -> Balance {
    Attesters::do_try_state().unwrap();
    TokenGateway::do_try_state().unwrap();
    let supply = <Runtime as pallet_validator_set::Config>::Supply::get();
    assert_eq!(supply, TokenGateway::canonical_supply());
    supply
}

#[test]
fn ciro_goes_out_comes_back_and_goes_on_and_stays_the_same_in_all() {
    development().execute_with(|| {
        let (first, second) = (remote(1), remote(2));
        let before = supply();
        let issued = Balances::total_issuance();
        assert_ok!(send(Charlie, first, 100 * UNIT));
        assert_eq!(Balances::total_issuance(), issued - 100 * UNIT);
        assert_eq!((outside(first), supply()), (100 * UNIT, before));
        let queued: Message = pallet_outbound_queue::Messages::<Runtime>::get()[0];
        assert_eq!((queued.lane, queued.nonce), (first, 0));
        assert!(matches!(
            queued.payload,
            Payload::Mint { amount, refund, .. }
                if amount == 100 * UNIT && refund == <[u8; 32]>::from(Charlie.to_account_id())
        ));
        pass(1);

        let bob = free(Bob);
        let back = burn(LaneId::CIRO, Bob.to_account_id().into(), 40 * UNIT);
        assert_ok!(attest(Alice, first, 0, back));
        assert_eq!(free(Bob), bob + 40 * UNIT);
        assert_eq!((outside(first), supply()), (60 * UNIT, before));

        assert_ok!(attest(Alice, first, 1, burn(second, word(8), 35 * UNIT)));
        assert_eq!((outside(first), outside(second)), (25 * UNIT, 35 * UNIT));
        assert_eq!(supply(), before);
        let queued: Message = pallet_outbound_queue::Messages::<Runtime>::get()[0];
        assert_eq!((queued.lane, queued.nonce), (second, 0));

        let late = Payload::Return {
            nonce: 0,
            amount: 35 * UNIT,
            refund: Bob.to_account_id().into(),
        };
        assert_ok!(attest(Alice, second, 0, late));
        assert_eq!(free(Bob), bob + 75 * UNIT);
        assert_eq!((outside(second), supply()), (0, before));

        // A chain brings no more than it got, whatever its attesters say.
        let forged = burn(LaneId::CIRO, Bob.to_account_id().into(), 26 * UNIT);
        assert_ok!(attest(Alice, first, 2, forged));
        assert_eq!(free(Bob), bob + 75 * UNIT);
        assert_eq!((outside(first), supply()), (25 * UNIT, before));
    });
}

#[test]
fn sending_ciro_away_neither_makes_room_for_more_nor_votes_easier() {
    development().execute_with(|| {
        let lane = remote(1);
        let seen = || {
            let turnout = <Runtime as pallet_conviction_voting::Config>::MaxTurnout::get();
            (supply(), turnout, ValidatorSet::emission())
        };
        let before = seen();
        assert_eq!(before.1, Electorate::get());
        assert!(before.2 > 0);
        assert_ok!(send(Charlie, lane, 1_000 * UNIT));
        assert_eq!(seen(), before);
        // On the way back, and not there yet.
        let large = burn(LaneId::CIRO, Bob.to_account_id().into(), 600 * UNIT);
        assert_ok!(attest(Alice, lane, 0, large));
        assert_eq!(outside(lane), 400 * UNIT);
        assert_eq!(seen(), before);
    });
}

#[test]
fn what_is_large_waits_and_what_exceeds_a_window_waits_longer() {
    development().execute_with(|| {
        let lane = remote(1);
        let before = supply();
        assert_ok!(send(Charlie, lane, 1_000 * UNIT));
        assert_ok!(send(Charlie, lane, 1_000 * UNIT));
        assert_noop!(
            send(Charlie, lane, UNIT),
            GatewayError::<Runtime>::WindowFull
        );
        assert_noop!(
            send(Charlie, lane, 1_001 * UNIT),
            GatewayError::<Runtime>::TooMuch
        );
        let bob = free(Bob);
        let large = burn(LaneId::CIRO, Bob.to_account_id().into(), 600 * UNIT);
        assert_ok!(attest(Alice, lane, 0, large));
        assert_eq!((free(Bob), supply()), (bob, before));
        let release = || Gateway::release { lane, nonce: 0 };
        assert_noop!(call(Charlie, release()), GatewayError::<Runtime>::NotDue);
        pass(5);
        assert_ok!(call(Charlie, release()));
        assert_eq!((free(Bob), supply()), (bob + 600 * UNIT, before));
        // A window of a quick chain has ten blocks.
        pass(10);
        assert_ok!(send(Charlie, lane, UNIT));
    });
}

#[test]
fn emergency_halts_what_leaves_and_what_comes() {
    development().execute_with(|| {
        let lane = remote(1);
        assert_ok!(send(Charlie, lane, 100 * UNIT));
        let halt = |halted| Gateway::set_halted { halted };
        assert_noop!(call(Alice, halt(true)), BadOrigin);
        assert_ok!(call_as(Origin::Emergency, halt(true)));
        assert_noop!(
            send(Charlie, lane, 100 * UNIT),
            GatewayError::<Runtime>::Halted
        );
        let bob = free(Bob);
        let back = burn(LaneId::CIRO, Bob.to_account_id().into(), 40 * UNIT);
        assert_ok!(attest(Alice, lane, 0, back));
        assert_eq!(free(Bob), bob);
        assert_ok!(call_as(Origin::Emergency, halt(false)));
        assert_ok!(call(Charlie, Gateway::release { lane, nonce: 0 }));
        assert_eq!(free(Bob), bob + 40 * UNIT);

        let halt = |halted| Voting::set_halted { halted };
        assert_noop!(call(Alice, halt(true)), BadOrigin);
        assert_ok!(call_as(Origin::Emergency, halt(true)));
        assert_noop!(
            attest(Alice, lane, 1, back),
            AttestersError::<Runtime>::Halted
        );
    });
}

#[test]
fn a_local_chain_believes_what_all_three_attesters_say() {
    let mut chain = chain(Some("local_testnet"));
    chain.execute_with(|| {
        open_block();
        let lane = remote(1);
        assert_ok!(send(Charlie, lane, 100 * UNIT));
        let dave = free(Dave);
        let back = burn(LaneId::CIRO, Dave.to_account_id().into(), 40 * UNIT);
        assert_ok!(attest(Alice, lane, 0, back));
        assert_ok!(attest(Bob, lane, 0, back));
        assert_noop!(
            attest(Dave, lane, 0, back),
            AttestersError::<Runtime>::NotMember
        );
        assert_eq!(free(Dave), dave);
        assert_ok!(attest(Charlie, lane, 0, back));
        assert_eq!(free(Dave), dave + 40 * UNIT);
        // Who contradicts itself loses its bond to the treasury.
        let treasury = || Balances::free_balance(Treasury::account_id());
        let before = (treasury(), supply());
        let other = burn(LaneId::CIRO, Dave.to_account_id().into(), 41 * UNIT);
        assert_ok!(attest(Bob, lane, 0, other));
        assert_eq!(treasury(), before.0 + MIN_ATTESTER_BOND);
        assert_eq!(supply(), before.1);
        assert_eq!(Attesters::members().len(), 2);
    });
}

#[test]
fn only_development_has_attesters_from_the_beginning() {
    let members = genesis_config(None)["attesters"]["members"].clone();
    assert_eq!(members.as_array().map(Vec::len), Some(0));
    chain(None).execute_with(|| assert_eq!(Attesters::members(), []));
    for (name, expected) in [
        ("development", &[Alice][..]),
        ("local_testnet", &[Alice, Bob, Charlie][..]),
    ] {
        chain(Some(name)).execute_with(|| {
            let mut accounts: Vec<AccountId> =
                expected.iter().map(|who| who.to_account_id()).collect();
            accounts.sort();
            assert_eq!(Attesters::members(), accounts);
            for who in accounts {
                let bonded = Balances::balance_on_hold(&HoldReason::Bond.into(), &who);
                assert_eq!(bonded, MIN_ATTESTER_BOND);
                assert_eq!(Balances::free_balance(who), ENDOWMENT);
            }
        });
    }
}
