//! The off-chain worker of a node.

use crate::{impls::RETRY_AFTER, mock::*, HEARTBEAT_KEY_TYPE};
use frame_support::assert_ok;

/// Gives the node the key of an account.
fn give_key(number: u64) {
    // The seed that `pair` is made from.
    let seed = format!("0x{}", format!("{number:02x}").repeat(32));
    let public = sp_io::crypto::sr25519_generate(HEARTBEAT_KEY_TYPE, Some(seed.into_bytes()));
    assert_eq!(crate::HeartbeatKey::from(public), key(number));
}

#[test]
fn a_node_sends_the_heartbeats_of_the_registered_keys_that_it_has() {
    test_node(|sent| {
        [ALICE, BOB, 3].into_iter().for_each(register);
        [ALICE, 3, 9].into_iter().for_each(give_key);
        at_window(1, 0);
        import();
        let transactions = sent();
        assert_eq!(transactions.len(), 2);
        for transaction in transactions {
            assert!(validate(transaction.clone()).is_ok());
            assert_ok!(apply(transaction).unwrap());
        }
        let heard = |who| Registry::worker(who).unwrap().presence.heard;
        assert_eq!([ALICE, BOB, 3].map(heard), [PERIOD, 1, PERIOD]);
    });
}

#[test]
fn a_node_without_a_key_sends_nothing() {
    test_node(|sent| {
        register(ALICE);
        at_window(1, 0);
        import();
        assert!(sent().is_empty());
    });
}

#[test]
fn a_node_sends_again_from_time_to_time_until_the_heartbeat_is_in_a_block() {
    test_node(|sent| {
        register(ALICE);
        give_key(ALICE);
        let mut places = Vec::new();
        for place in 0..PERIOD {
            at_window(1, place);
            import();
            places.extend(sent().iter().map(|_| place));
        }
        assert_eq!(places, [0, RETRY_AFTER]);

        at_window(2, 0);
        import();
        let heartbeat = sent().pop().unwrap();
        at_window(2, 1);
        assert_ok!(apply(heartbeat).unwrap());
        for place in 1..PERIOD {
            at_window(2, place);
            import();
        }
        assert!(sent().is_empty());
    });
}

#[test]
fn a_node_sends_nothing_for_a_deactivated_worker() {
    test_node(|sent| {
        register(ALICE);
        give_key(ALICE);
        assert_ok!(Registry::deactivate(origin(ALICE)));
        at_window(1, 0);
        import();
        assert!(sent().is_empty());
    });
}
