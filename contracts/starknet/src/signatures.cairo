//! Checks many secp256k1 signatures over one hash together, for about a third of what they cost one by one.
//!
//! A signature (r, s) of hash e by key Q is good if e/s·G + r/s·Q = R, where R is the point with x-coordinate r and the
//! stated parity. Each equation is multiplied by a coefficient z of its own and the sum is checked instead:
//!
//!     (Σ z·e/s)·G + Σ (z·r/s)·Q + Σ z·(−R) = 0
//!
//! The coefficients are 128 bits of a hash of everything that is checked, so a wrong signature passes with probability 2^-128.
//! The sum is one multi-scalar multiplication by windows of four bits: all points share the doublings, and the additions
//! of Starknet's system call are so much cheaper than its multiplication that a point costs a third of the latter.

use ciro::hashing::{reverse, words};
use core::integer::u128_safe_divmod;
use core::math::{u256_inv_mod, u256_mul_mod_n};
use core::poseidon::poseidon_hash_span;
use starknet::{EthAddress, SyscallResultTrait};
use starknet::secp256_trait::{Secp256Trait, Secp256PointTrait};
use starknet::secp256k1::Secp256k1Point;

/// The order of secp256k1's group, n.
const ORDER: u256 = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
/// n / 2, rounded down: of s and n − s, which are both good, the smaller one is the only one taken.
const HALF_ORDER: u256 = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

/// The error of a signature that is not its signer's, whatever is wrong with it.
const WRONG_SIGNER: felt252 = 'WrongSigner';

const TWO_POW_32: u128 = 0x100000000;
const TWO_POW_128: felt252 = 0x100000000000000000000000000000000;
/// The place value of the highest window of 128 bits.
const HIGHEST_WINDOW: u128 = 0x10000000000000000000000000000000;

/// A signature and the key that made it. The key is stated because computing it from the signature costs more than a check;
/// it is compared with the signer's address.
#[derive(Copy, Drop, Serde)]
pub struct Signature {
    pub r: u256,
    pub s: u256,
    /// Whether the y-coordinate of the point that r stands for is odd.
    pub y_parity: bool,
    pub key_x: u256,
    pub key_y: u256,
}

/// A point's small multiples, one to fifteen times, and a multiplier's digits that are still to be worked in.
#[derive(Copy, Drop)]
struct Term {
    digits: u128,
    multiples: Span<Secp256k1Point>,
}

/// Panics unless each of the signatures over `hash` was made by the address at its place, and has the smaller one of its two
/// possible s. There must be as many addresses as signatures.
pub fn check_signatures(hash: u256, mut signers: Span<EthAddress>, signatures: Span<Signature>) {
    let order: NonZero<u256> = ORDER.try_into().unwrap();
    let mut coefficients = coefficients(hash, signatures);
    let mut high_terms = array![];
    let mut low_terms = array![];
    let mut of_generator: u256 = 0;
    let mut rest = signatures;
    while let Option::Some(signature) = rest.pop_front() {
        let Signature { r, s, y_parity, key_x, key_y } = *signature;
        assert(s <= HALF_ORDER, 'HighS');
        assert(s != 0 && r != 0 && r < ORDER, WRONG_SIGNER);
        assert(address(key_x, key_y) == *signers.pop_front().unwrap(), WRONG_SIGNER);
        let key = Secp256Trait::secp256_ec_new_syscall(key_x, key_y).unwrap_syscall();
        let minus_r = Secp256Trait::secp256_ec_get_point_from_x_syscall(r, !y_parity).unwrap_syscall();
        let key_multiples = small_multiples(key.expect(WRONG_SIGNER));
        let minus_r_multiples = small_multiples(minus_r.expect(WRONG_SIGNER));

        let z = coefficients.pop_front().unwrap();
        let inverse: u256 = u256_inv_mod(s, order).unwrap().into();
        let scaled = u256_mul_mod_n(z.into(), inverse, order);
        of_generator = add_modulo(of_generator, u256_mul_mod_n(scaled, hash, order));
        let of_key = u256_mul_mod_n(scaled, r, order);
        high_terms.append(Term { digits: of_key.high, multiples: key_multiples });
        low_terms.append(Term { digits: of_key.low, multiples: key_multiples });
        low_terms.append(Term { digits: z, multiples: minus_r_multiples });
    };
    let multiples = small_multiples(Secp256Trait::get_generator_point());
    high_terms.append(Term { digits: of_generator.high, multiples });
    low_terms.append(Term { digits: of_generator.low, multiples });
    let sum = add_multiples(add_multiples(infinity(), high_terms), low_terms);
    assert(sum.get_coordinates().unwrap_syscall() == (0, 0), WRONG_SIGNER);
}

/// A coefficient for each signature, which nobody can know before everything that is checked is fixed.
fn coefficients(hash: u256, signatures: Span<Signature>) -> Array<u128> {
    let mut statement = array![];
    hash.serialize(ref statement);
    signatures.serialize(ref statement);
    let seed = poseidon_hash_span(statement.span());
    let mut coefficients = array![];
    while coefficients.len() < signatures.len() {
        let hash: u256 = poseidon_hash_span(array![seed, coefficients.len().into()].span()).into();
        coefficients.append(hash.low);
    };
    coefficients
}

/// The Ethereum address of a public key.
fn address(key_x: u256, key_y: u256) -> EthAddress {
    let hash = reverse(words(array![key_x, key_y].span()));
    let (_, high) = u128_safe_divmod(hash.high, TWO_POW_32.try_into().unwrap());
    (high.into() * TWO_POW_128 + hash.low.into()).try_into().unwrap()
}

/// `point`, twice `point`, … fifteen times `point`.
fn small_multiples(point: Secp256k1Point) -> Span<Secp256k1Point> {
    let mut multiples = array![point];
    let mut last = point;
    while multiples.len() < 15 {
        last = last.add(point).unwrap_syscall();
        multiples.append(last);
    };
    multiples.span()
}

/// 2^128 · `sum` + Σ digits · point.
fn add_multiples(mut sum: Secp256k1Point, mut terms: Array<Term>) -> Secp256k1Point {
    let mut window = HIGHEST_WINDOW;
    loop {
        let mut next = array![];
        let window_size: NonZero<u128> = window.try_into().unwrap();
        sum = sum.add(sum).unwrap_syscall();
        sum = sum.add(sum).unwrap_syscall();
        sum = sum.add(sum).unwrap_syscall();
        sum = sum.add(sum).unwrap_syscall();
        while let Option::Some(term) = terms.pop_front() {
            let (digit, digits) = u128_safe_divmod(term.digits, window_size);
            if digit != 0 {
                sum = sum.add(*term.multiples.at(digit.try_into().unwrap() - 1)).unwrap_syscall();
            }
            next.append(Term { digits, multiples: term.multiples });
        };
        if window == 1 {
            break sum;
        }
        window /= 16;
        terms = next;
    }
}

/// The group's neutral element, which the system calls write as (0, 0).
fn infinity() -> Secp256k1Point {
    Secp256Trait::secp256_ec_new_syscall(0, 0).unwrap_syscall().unwrap()
}

/// (a + b) mod n, for a and b below n.
fn add_modulo(a: u256, b: u256) -> u256 {
    let room = ORDER - a;
    if b < room {
        a + b
    } else {
        b - room
    }
}
