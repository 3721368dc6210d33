//! Keccak-256 over byte strings. Inside the contracts a hash is the `u256` that the Keccak system call returns, its bytes
//! read as a little-endian number; on their borders (calldata, storage, events) it is a big-endian one, as everywhere.

use core::integer::{u128_byte_reverse, u128_safe_divmod};
use core::keccak::{cairo_keccak, keccak_u256s_be_inputs, keccak_u256s_le_inputs};

const TWO_POW_64: u128 = 0x10000000000000000;
const TWO_POW_96: u128 = 0x1000000000000000000000000;

/// Turns the bytes of a word round: from a big-endian number to a little-endian one, and back.
pub fn reverse(word: u256) -> u256 {
    u256 { low: u128_byte_reverse(word.high), high: u128_byte_reverse(word.low) }
}

/// The hash of a node of a Merkle tree.
pub fn node(left: u256, right: u256) -> u256 {
    keccak_u256s_le_inputs(array![left, right].span())
}

/// The hash of words, each as 32 big-endian bytes.
pub fn words(input: Span<u256>) -> u256 {
    keccak_u256s_be_inputs(input)
}

/// A byte string in the making: whole words of eight bytes, little-endian, and the bytes after them.
#[derive(Drop)]
pub struct Bytes {
    full: Array<u64>,
    rest: u128,
    rest_size: usize,
}

#[generate_trait]
pub impl BytesImpl of BytesTrait {
    fn new() -> Bytes {
        Bytes { full: array![], rest: 0, rest_size: 0 }
    }

    /// Appends a number as `size` little-endian bytes, at most eight; it must fit into them.
    fn append_le(ref self: Bytes, value: u64, size: usize) {
        let joined = self.rest + value.into() * power_of_256(self.rest_size);
        let total = self.rest_size + size;
        if total < 8 {
            self.rest = joined;
            self.rest_size = total;
        } else {
            let (rest, word) = u128_safe_divmod(joined, TWO_POW_64.try_into().unwrap());
            self.full.append(word.try_into().unwrap());
            self.rest = rest;
            self.rest_size = total - 8;
        }
    }

    /// Appends a number as 16 little-endian bytes.
    fn append_u128_le(ref self: Bytes, value: u128) {
        let (high, low) = u128_safe_divmod(value, TWO_POW_64.try_into().unwrap());
        self.append_le(low.try_into().unwrap(), 8);
        self.append_le(high.try_into().unwrap(), 8);
    }

    /// Appends a word as 32 big-endian bytes.
    fn append_word(ref self: Bytes, word: u256) {
        self.append_u128_le(u128_byte_reverse(word.high));
        self.append_u128_le(u128_byte_reverse(word.low));
    }

    /// Appends a number below 2^160 as 20 big-endian bytes.
    fn append_address(ref self: Bytes, address: u256) {
        let reversed = reverse(address);
        let (first, _) = u128_safe_divmod(reversed.low, TWO_POW_96.try_into().unwrap());
        self.append_le(first.try_into().unwrap(), 4);
        self.append_u128_le(reversed.high);
    }

    /// The hash of the whole string.
    fn keccak(mut self: Bytes) -> u256 {
        cairo_keccak(ref self.full, self.rest.try_into().unwrap(), self.rest_size)
    }
}

/// 256^exponent, for an exponent below eight.
fn power_of_256(exponent: usize) -> u128 {
    match exponent {
        0 => 0x1,
        1 => 0x100,
        2 => 0x10000,
        3 => 0x1000000,
        4 => 0x100000000,
        5 => 0x10000000000,
        6 => 0x1000000000000,
        _ => 0x100000000000000,
    }
}
