//! A message and its words are one to one.

use ciro_bridge_primitives::{
    keccak, word_of, LaneId, Message, MessageError, Payload, ResultLeaf, MILLION,
};
use ciro_primitives::ModelId;
use codec::{DecodeAll, Encode, MaxEncodedLen};
use proptest::prelude::*;

fn payload() -> impl Strategy<Value = Payload> {
    let words = || any::<[[u8; 32]; 5]>();
    prop_oneof![
        (words(), any::<(u128, u64)>()).prop_map(|(words, (amount, expiry))| Payload::Mint {
            recipient: words[0],
            amount,
            expiry,
            refund: words[1],
        }),
        (words(), any::<u64>()).prop_map(|(words, job)| Payload::Result(ResultLeaf {
            job,
            model: ModelId(words[0]),
            input_commitment: words[1],
            output_hash: words[2],
        })),
        words().prop_map(|words| Payload::RemoteResult {
            remote_job: words[0],
            model: ModelId(words[1]),
            input_commitment: words[2],
            output_hash: words[3],
            payee: words[4],
        }),
        (words(), any::<u64>(), 0..=MILLION).prop_map(|(words, case, share)| Payload::Slash {
            case,
            operator: words[0],
            share,
        }),
        (words(), any::<u128>()).prop_map(|(words, amount)| Payload::Burn {
            destination: LaneId(words[0]),
            recipient: words[1],
            amount,
            refund: words[2],
        }),
        (words(), any::<(u64, u128)>()).prop_map(|(words, (nonce, amount))| Payload::Return {
            nonce,
            amount,
            refund: words[0],
        }),
    ]
}

fn message() -> impl Strategy<Value = Message> {
    (any::<[u8; 32]>(), any::<u64>(), payload()).prop_map(|(lane, nonce, payload)| Message {
        lane: LaneId(lane),
        nonce,
        payload,
    })
}

/// The words of a mint, of which every number is at its limit.
fn mint() -> Vec<[u8; 32]> {
    Message {
        lane: LaneId([1; 32]),
        nonce: u64::MAX,
        payload: Payload::Mint {
            recipient: [2; 32],
            amount: u128::MAX,
            expiry: u64::MAX,
            refund: [3; 32],
        },
    }
    .words()
}

/// These words with one more in the place of `at`.
fn with(words: &[[u8; 32]], at: usize, word: [u8; 32]) -> Vec<[u8; 32]> {
    let mut words = words.to_vec();
    words[at] = word;
    words
}

#[test]
fn a_mint_is_lane_nonce_kind_recipient_amount_expiry_refund() {
    let words = [
        [1; 32],
        word_of(u64::MAX),
        word_of(1u8),
        [2; 32],
        word_of(u128::MAX),
        word_of(u64::MAX),
        [3; 32],
    ];
    assert_eq!(mint(), words);
    let message = Message::from_words(&words).unwrap();
    assert_eq!(message.bytes(), words.concat());
    assert_eq!(message.id(), keccak(&words.concat()));
}

#[test]
fn words_of_another_number_are_refused() {
    let words = mint();
    let longer = [&words[..], &[[0; 32]]].concat();
    for wrong in [&words[..0], &words[..2], &words[..3], &words[..6], &longer] {
        assert_eq!(
            Message::from_words(wrong),
            Err(MessageError::WrongWordCount)
        );
    }
}

#[test]
fn a_kind_that_no_message_has_is_refused() {
    let mut high = word_of(1u8);
    high[0] = 1;
    for kind in [word_of(0u8), word_of(5u8), word_of(100u8), high] {
        let words = with(&mint(), 2, kind);
        assert_eq!(Message::from_words(&words), Err(MessageError::UnknownKind));
    }
}

#[test]
fn a_number_that_does_not_fit_is_refused() {
    let mut amount = [0; 32];
    amount[15] = 1;
    let time = word_of(u128::from(u64::MAX) + 1);
    for (at, word) in [(1, time), (4, amount), (5, time)] {
        let words = with(&mint(), at, word);
        assert_eq!(
            Message::from_words(&words),
            Err(MessageError::ValueOutOfRange)
        );
    }
    let slash = |share| [[0; 32], [0; 32], word_of(4u8), [0; 32], [9; 32], share];
    assert!(Message::from_words(&slash(word_of(MILLION))).is_ok());
    for share in [word_of(MILLION + 1), word_of((1u64 << 32) + 1)] {
        assert_eq!(
            Message::from_words(&slash(share)),
            Err(MessageError::ValueOutOfRange)
        );
    }
}

proptest! {
    #[test]
    fn words_and_bytes_are_read_back(message in message()) {
        let words = message.words();
        prop_assert!(words.len() <= Message::MAX_WORDS);
        prop_assert_eq!(Message::from_words(&words), Ok(message));
        let bytes = message.encode();
        prop_assert!(bytes.len() <= Message::max_encoded_len());
        prop_assert_eq!(Message::decode_all(&mut &bytes[..]), Ok(message));
        prop_assert_eq!(message.payload.is_outbound(), message.payload.kind() <= 4);
    }

    #[test]
    fn words_that_are_read_are_the_messages_own(
        words in proptest::collection::vec(
            prop_oneof![any::<u8>().prop_map(word_of), any::<u64>().prop_map(word_of), any::<[u8; 32]>()],
            0..10,
        ),
        kind in prop_oneof![0u64..6, 100u64..104],
    ) {
        let mut words = words;
        if let Some(word) = words.get_mut(2) {
            *word = word_of(kind);
        }
        if let Ok(message) = Message::from_words(&words) {
            prop_assert_eq!(message.words(), words);
        }
    }
}
