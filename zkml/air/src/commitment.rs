//! Commitments to tensors: a sponge over [`poseidon2`](crate::poseidon2) that absorbs a value an element.
//!
//! The sponge's rate is 8 and its capacity 8. The capacity begins as the number of values and [`DOMAIN`]; the values, the
//! last of them followed by zeros, overwrite the rate eight at a time; the rate after the last permutation is the
//! commitment. Because the length comes first, tensors of different lengths have different chains from the start.

use core::fmt;

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use num_traits::Zero;
use scale_info::TypeInfo;
use stwo::core::fields::m31::{BaseField, P};

use crate::poseidon2::{permute, WIDTH};
use crate::public::signed;

/// Values that a permutation absorbs, and elements of a commitment.
pub const RATE: usize = 8;
/// Elements of the state that values do not touch.
pub const CAPACITY: usize = WIDTH - RATE;
/// What tells a commitment from anything else that is hashed by the same permutation.
const DOMAIN: u32 = 1;

/// A commitment to a tensor: eight elements of M31 of four bytes, little-endian.
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Commitment(pub [u8; 32]);

impl Commitment {
    fn new(elements: [BaseField; RATE]) -> Self {
        let mut bytes = [0; 32];
        for (bytes, element) in bytes.chunks_exact_mut(4).zip(elements) {
            bytes.copy_from_slice(&element.0.to_le_bytes());
        }
        Self(bytes)
    }

    /// The elements; `None` if one is not below the modulus, so that a commitment has one encoding.
    pub fn elements(&self) -> Option<[BaseField; RATE]> {
        let mut elements = [BaseField::zero(); RATE];
        for (element, bytes) in elements.iter_mut().zip(self.0.chunks_exact(4)) {
            let value = u32::from_le_bytes(bytes.try_into().ok()?);
            *element = (value < P).then(|| BaseField::from_u32_unchecked(value))?;
        }
        Some(elements)
    }
}

impl fmt::Display for Commitment {
    /// `0x` and 64 lowercase hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The commitment to a tensor of inputs or outputs, `[batch][values]`.
///
/// It binds to values of magnitude under 2^30, which all inputs and all outputs of valid models are: others have the
/// commitment of what they are modulo 2^31 - 1.
pub fn commitment<T: Copy + Into<i32>>(values: &[T]) -> Commitment {
    let mut rate = [BaseField::zero(); RATE];
    let mut capacity = first_capacity(values.len());
    for block in blocks(values) {
        (rate, capacity) = halves(permute(joined(block, capacity)));
    }
    Commitment::new(rate)
}

/// The blocks that the sponge absorbs.
pub fn blocks<T: Copy + Into<i32>>(values: &[T]) -> impl Iterator<Item = [BaseField; RATE]> + '_ {
    values.chunks(RATE).map(|values| {
        let mut values = values.iter();
        core::array::from_fn(|_| {
            let value = values.next();
            value.map_or_else(BaseField::zero, |value| signed((*value).into()))
        })
    })
}

/// The capacity with which the sponge begins to absorb `values` values, fewer than 2^31 - 1.
pub fn first_capacity(values: usize) -> [BaseField; CAPACITY] {
    let zero = BaseField::zero();
    let length = BaseField::from(u32::try_from(values).unwrap_or(u32::MAX));
    [length, DOMAIN.into(), zero, zero, zero, zero, zero, zero]
}

/// A state of its rate and its capacity.
pub fn joined<F: Clone>(rate: [F; RATE], capacity: [F; CAPACITY]) -> [F; WIDTH] {
    let [a, b, c, d, e, f, g, h] = rate;
    let [i, j, k, l, m, n, o, p] = capacity;
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
}

/// A state's rate and its capacity.
pub fn halves<F>(state: [F; WIDTH]) -> ([F; RATE], [F; CAPACITY]) {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = state;
    ([a, b, c, d, e, f, g, h], [i, j, k, l, m, n, o, p])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::Index;

    #[test]
    fn a_commitment_is_of_the_values_their_order_and_their_number() {
        let honest = commitment(&[1i8, -2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(honest, commitment(&[1i32, -2, 3, 4, 5, 6, 7, 8, 9]));
        for other in [
            &[1i8, 2, 3, 4, 5, 6, 7, 8, 9][..],
            &[-2, 1, 3, 4, 5, 6, 7, 8, 9],
            &[1, -2, 3, 4, 5, 6, 7, 9, 8],
            &[1, -2, 3, 4, 5, 6, 7, 8, 9, 0],
            &[1, -2, 3, 4, 5, 6, 7, 8],
            &[],
        ] {
            assert_ne!(commitment(other), honest, "{other:?}");
        }
    }

    #[test]
    fn a_commitment_is_the_rate_after_the_last_permutation() {
        let mut state = [0u32; WIDTH].map(BaseField::from);
        state[8] = BaseField::from(9u32);
        state[9] = BaseField::from(1u32);
        state[..8].copy_from_slice(&[5u32; 8].map(BaseField::from));
        let mut state = permute(state);
        state[..8].copy_from_slice(&[P - 5, 0, 0, 0, 0, 0, 0, 0].map(BaseField::from));
        let expected: [BaseField; RATE] = permute(state)[..8].try_into().unwrap();
        let found = commitment(&[5i8, 5, 5, 5, 5, 5, 5, 5, -5]);
        assert_eq!(found.elements(), Some(expected));
    }

    proptest! {
        #[test]
        fn different_tensors_have_different_commitments(
            values in vec(-(1i32 << 30) + 1..1 << 30, 1..40),
            at in any::<Index>(),
            by in 1i32..1 << 29,
        ) {
            let honest = commitment(&values);
            let mut other = values.clone();
            let value = at.get_mut(&mut other);
            *value += if *value > 0 { -by } else { by };
            prop_assert_ne!(commitment(&other), honest);
            let mut swapped = values.clone();
            swapped.rotate_left(1);
            prop_assert_eq!(commitment(&swapped) == honest, swapped == values);
            prop_assert_ne!(commitment(&values[1..]), honest);
            prop_assert_ne!(commitment(&[&values[..], &[0]].concat()), honest);
        }
    }

    #[test]
    fn a_commitment_has_one_encoding() {
        let mut bytes = [0; 32];
        bytes[28..].copy_from_slice(&(P - 1).to_le_bytes());
        assert!(Commitment(bytes).elements().is_some());
        bytes[28..].copy_from_slice(&P.to_le_bytes());
        assert!(Commitment(bytes).elements().is_none());
    }
}
