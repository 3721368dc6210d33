//! Words: what messages are made of.

/// 32 bytes, big-endian. What is shorter is padded with zeros on the left.
pub type Word = [u8; 32];

/// An account on Ciro.
pub type Account = [u8; 32];

/// An Ethereum address.
pub type Address = [u8; 20];

/// The word that holds `value`.
pub fn word_of(value: impl Into<u128>) -> Word {
    let mut word = [0; 32];
    if let Some(low) = word.last_chunk_mut() {
        *low = value.into().to_be_bytes();
    }
    word
}

/// The number in a word, unless it is 2^128 or more.
pub fn u128_of(word: &Word) -> Option<u128> {
    let (high, low) = word.split_first_chunk::<16>()?;
    (*high == [0; 16]).then_some(u128::from_be_bytes(low.try_into().ok()?))
}

/// The number in a word, unless it is 2^64 or more.
pub fn u64_of(word: &Word) -> Option<u64> {
    u128_of(word)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_big_endian_and_padded_on_the_left() {
        let word = word_of(0x0102_u64);
        assert_eq!(word[..30], [0; 30]);
        assert_eq!(word[30..], [1, 2]);
        assert_eq!(u128_of(&word_of(u128::MAX)), Some(u128::MAX));
        assert_eq!(u64_of(&word_of(u64::MAX)), Some(u64::MAX));
    }

    #[test]
    fn a_number_must_fit() {
        let mut word = [0; 32];
        word[15] = 1;
        assert_eq!(u128_of(&word), None);
        assert_eq!(u64_of(&word_of(u128::from(u64::MAX) + 1)), None);
    }
}
