//! What bridges got wrong, by the numbers of the list in `contracts/vectors/README.md`, and this protocol's own rules: each
//! case is refused with its own error, and leaves client and inbox as they were.

use ciro_bridge_primitives::{lane_id, Signature};
use ciro_bridge_testing::{cases, Call, Case, Scene};
use ciro_bridge_verifier::{recover, BeefyClient, Error, Inbox};
use std::collections::BTreeSet;

/// The cases with that number, in scenes of small and of larger sets.
fn check(number: u8) {
    for length in [4, 21] {
        let cases: Vec<_> = cases(&Scene::synthetic(length))
            .into_iter()
            .filter(|case| case.number == number)
            .collect();
        assert!(!cases.is_empty(), "no case of number {number}");
        cases.iter().for_each(refused);
    }
}

fn refused(case: &Case) {
    let client = BeefyClient::new(case.genesis, case.expiry);
    if let Call::Deploy = case.call {
        return expect(case, client.map(|_| ()));
    }
    let mut client = client.unwrap();
    for (now, update) in &case.before {
        client.submit(update, *now).unwrap();
    }
    client.set_halted(case.halted);
    let as_it_was = client.clone();
    match &case.call {
        Call::Deploy => unreachable!(),
        Call::Submit { now, update } => expect(case, client.submit(update, *now)),
        Call::ProveLeaf { block, leaf } => expect(case, client.prove_leaf(*block, leaf)),
        Call::ProveResult {
            block,
            leaf,
            result,
        } => expect(case, client.prove_result(*block, leaf, result)),
        Call::Deliver {
            to,
            kinds,
            block,
            leaf,
            earlier,
            messages,
        } => {
            let genesis = Scene::synthetic(4).chain.genesis;
            let mut inbox = Inbox::new(lane_id(&genesis, to), kinds.iter().copied());
            inbox
                .deliver(&client, *block, leaf, earlier)
                .unwrap_or_default();
            let as_it_was = inbox.clone();
            let delivered = inbox.deliver(&client, *block, leaf, messages);
            expect(case, delivered.map(|_| ()));
            assert_eq!(inbox, as_it_was, "{}", case.name);
        }
    }
    assert_eq!(client, as_it_was, "{}", case.name);
}

fn expect(case: &Case, result: Result<(), Error>) {
    let error = result.map_err(|error| error.to_string());
    assert_eq!(error, Err(case.error.into()), "{}", case.name);
}

#[test]
fn this_protocols_own_rules_are_kept() {
    check(0);
}

#[test]
fn n01_an_index_is_below_the_count() {
    check(1);
}

#[test]
fn n02_no_item_is_left_over() {
    check(2);
}

#[test]
fn n03_an_empty_proof_proves_nothing() {
    check(3);
}

/// Signers are a bit field: an index in it can neither come twice nor descend. Signatures can.
#[test]
fn n04_signatures_are_of_distinct_validators_in_ascending_order() {
    check(4);
}

#[test]
fn n05_a_validator_has_an_address() {
    check(5);
}

/// The parity is a bit: `v` has no other variants.
#[test]
fn n06_a_signature_has_one_form() {
    check(6);
}

#[test]
fn n07_addresses_and_threshold_are_those_of_the_named_set() {
    check(7);
}

#[test]
fn n08_a_set_is_the_current_or_the_next() {
    check(8);
}

#[test]
fn n09_a_proof_holds_under_its_own_root() {
    check(9);
}

#[test]
fn n10_a_promoted_leafs_path_holds_at_its_own_index() {
    check(10);
}

#[test]
fn n11_a_proof_is_not_longer_than_its_geometry() {
    check(11);
}

#[test]
fn n12_no_bit_is_set_beyond_the_set() {
    check(12);
}

/// A commitment is a root, a block and a set. What else validators may have signed can only be shown as these three.
#[test]
fn n13_a_payload_is_the_root_and_nothing_else() {
    check(13);
}

#[test]
fn n14_a_payload_has_one_encoding() {
    check(14);
}

#[test]
fn n15_a_session_begins_with_a_hand_over() {
    check(15);
}

/// A delivery marks nonces before it says what to carry out: there is nothing to re-enter.
#[test]
fn n16_a_message_is_taken_once() {
    check(16);
}

#[test]
fn n17_a_message_is_of_the_contracts_own_lane() {
    check(17);
}

#[test]
fn n18_blocks_rise() {
    check(18);
}

#[test]
fn n19_a_client_expires() {
    check(19);
}

/// Amounts are plancks everywhere, and no token takes a fee: what can be wrong with one is that it does not fit.
#[test]
fn n20_an_amount_fits() {
    check(20);
}

#[test]
fn n21_a_halted_client_does_nothing() {
    check(21);
}

#[test]
fn every_error_has_a_case() {
    let cases = cases(&Scene::synthetic(4));
    let met: BTreeSet<_> = cases.iter().map(|case| case.error).collect();
    let all: BTreeSet<_> = Error::ALL.iter().map(Error::to_string).collect();
    assert!(met.iter().copied().eq(all.iter().map(String::as_str)));
    let names: BTreeSet<_> = cases.iter().map(|case| case.name).collect();
    // Those of messages come once for either kind of chain.
    assert!(cases.len() < 2 * names.len());
}

#[test]
fn no_signature_makes_recovery_panic() {
    let edges = [[0; 32], [0xff; 32], [0x7f; 32], {
        let mut one = [0; 32];
        one[31] = 1;
        one
    }];
    for r in edges {
        for s in edges {
            for parity in [false, true] {
                let _ = recover(&[0; 32], &Signature { r, s, parity });
            }
        }
    }
}
