//! The permutation Poseidon2 (Grassi, Khovratovich, Schofnegger, ePrint 2023/323) over M31: width 16, S-box `x^5`, 8 full
//! rounds and 14 partial ones, which the paper's script asks for at 128 bits.
//!
//! Round constants and matrices are those of Plonky3's default for this field and width, so that other implementations
//! give the same digests: the constants come from the paper's Grain generator, and the tests make them again and check
//! that the internal matrix leaves no subspace invariant over any number of partial rounds.

use core::ops::Mul;

use num_traits::Zero;
use stwo::core::fields::m31::BaseField;
use stwo::core::fields::FieldExpOps;

/// Elements of a state.
pub const WIDTH: usize = 16;

/// Elements of a block of the external matrix.
const BLOCK: usize = 4;
const HALF_FULL_ROUNDS: usize = 4;
const PARTIAL_ROUNDS: usize = 14;

/// How often the permutation applies its S-box.
pub const SBOXES: usize = 2 * HALF_FULL_ROUNDS * WIDTH + PARTIAL_ROUNDS;

#[rustfmt::skip]
const INITIAL: [[u32; WIDTH]; HALF_FULL_ROUNDS] = [
    [
        0x768bab52, 0x70e0ab7d, 0x3d266c8a, 0x6da42045, 0x600fef22, 0x41dace6b, 0x64f9bdd4, 0x5d42d4fe,
        0x76b1516d, 0x6fc9a717, 0x70ac4fb6, 0x00194ef6, 0x22b644e2, 0x1f7916d5, 0x47581be2, 0x2710a123,
    ],
    [
        0x6284e867, 0x018d3afe, 0x5df99ef3, 0x4c1e467b, 0x566f6abc, 0x2994e427, 0x538a6d42, 0x5d7bf2cf,
        0x7fda2dab, 0x0fd854c4, 0x46922fca, 0x3d7763a1, 0x19fd05ca, 0x0a4bbb43, 0x15075851, 0x3d903d76,
    ],
    [
        0x2d290ff7, 0x40809fa0, 0x59dac6ec, 0x127927a2, 0x6bbf0ea0, 0x0294140f, 0x24742976, 0x6e84c081,
        0x22484f4a, 0x354cae59, 0x0453ffe1, 0x3f47a3cc, 0x0088204e, 0x6066e109, 0x3b7c4b80, 0x6b55665d,
    ],
    [
        0x3bc4b897, 0x735bf378, 0x508daf42, 0x1884fc2b, 0x7214f24c, 0x7498be0a, 0x1a60e640, 0x3303f928,
        0x29b46376, 0x5c96bb68, 0x65d097a5, 0x1d358e9f, 0x4a9a9017, 0x4724cf76, 0x347af70f, 0x1e77e59a,
    ],
];
#[rustfmt::skip]
const PARTIAL: [u32; PARTIAL_ROUNDS] = [
    0x7f7ec4bf, 0x0421926f, 0x5198e669, 0x34db3148, 0x4368bafd, 0x66685c7f, 0x78d3249a,
    0x60187881, 0x76dad67a, 0x0690b437, 0x1ea95311, 0x40e5369a, 0x38f103fc, 0x1d226a21,
];
#[rustfmt::skip]
const FINAL: [[u32; WIDTH]; HALF_FULL_ROUNDS] = [
    [
        0x57090613, 0x1fa42108, 0x17bbef50, 0x1ff7e11c, 0x047b24ca, 0x4e140275, 0x4fa086f5, 0x079b309c,
        0x1159bd47, 0x6d37e4e5, 0x075d8dce, 0x12121ca0, 0x7f6a7c40, 0x68e182ba, 0x5493201b, 0x0444a80e,
    ],
    [
        0x0064f4c6, 0x6467abe6, 0x66975762, 0x2af68f9b, 0x345b33be, 0x1b70d47f, 0x053db717, 0x381189cb,
        0x43b915f8, 0x20df3694, 0x0f459d26, 0x77a0e97b, 0x2f73e739, 0x1876c2f9, 0x65a0e29a, 0x4cabefbe,
    ],
    [
        0x5abd1268, 0x4d34a760, 0x12771799, 0x69a0c9ac, 0x39091e55, 0x7f611cd0, 0x3af055da, 0x7ac0bbdf,
        0x6e0f3a24, 0x41e3b6f7, 0x49b3756d, 0x568bc538, 0x20c079d8, 0x1701c72c, 0x7670dc6c, 0x5a439035,
    ],
    [
        0x7c93e00e, 0x561fbb4d, 0x1178907b, 0x02737406, 0x32fb24f1, 0x6323b60a, 0x6ab12418, 0x42c99cea,
        0x155a0b97, 0x53d1c6aa, 0x2bd20347, 0x279b3d73, 0x4f5f3c70, 0x0245af6c, 0x238359d3, 0x49966a59,
    ],
];

/// The internal matrix is this diagonal added to a matrix of ones: -2, then powers of two.
const DIAGONAL: [u32; WIDTH] = [
    (1 << 31) - 3,
    1,
    1 << 1,
    1 << 2,
    1 << 3,
    1 << 4,
    1 << 5,
    1 << 6,
    1 << 7,
    1 << 8,
    1 << 10,
    1 << 12,
    1 << 13,
    1 << 14,
    1 << 15,
    1 << 16,
];

/// What the linear layers work on: field elements, or linear expressions of a row's cells.
pub trait Linear: Clone + Zero + From<BaseField> + Mul<BaseField, Output = Self> {}

impl<F: Clone + Zero + From<BaseField> + Mul<BaseField, Output = Self>> Linear for F {}

/// The permutation of `state`, with `sbox` for its S-boxes, of which there are [`SBOXES`].
#[allow(clippy::arithmetic_side_effects)] // field arithmetic
pub fn permute_with<F: Linear>(mut state: [F; WIDTH], mut sbox: impl FnMut(F) -> F) -> [F; WIDTH] {
    external(&mut state);
    for constants in &INITIAL {
        state = full_round(state, constants, &mut sbox);
    }
    for constant in PARTIAL {
        let [first, ..] = &mut state;
        *first = sbox(first.clone() + element(constant));
        internal(&mut state);
    }
    for constants in &FINAL {
        state = full_round(state, constants, &mut sbox);
    }
    state
}

/// The permutation of field elements.
#[allow(clippy::arithmetic_side_effects)] // field arithmetic
pub fn permute(state: [BaseField; WIDTH]) -> [BaseField; WIDTH] {
    permute_with(state, |x| x.square().square() * x)
}

fn element<F: Linear>(value: u32) -> F {
    BaseField::from(value).into()
}

#[allow(clippy::arithmetic_side_effects)] // field arithmetic
fn full_round<F: Linear>(
    state: [F; WIDTH],
    constants: &[u32; WIDTH],
    sbox: &mut impl FnMut(F) -> F,
) -> [F; WIDTH] {
    let mut state = state;
    for (value, constant) in state.iter_mut().zip(constants) {
        *value = sbox(value.clone() + element(*constant));
    }
    external(&mut state);
    state
}

/// The matrix `circ(2M, M, M, M)` with `M = circ(2, 3, 1, 1)`.
#[allow(clippy::arithmetic_side_effects)] // field arithmetic
fn external<F: Linear>(state: &mut [F; WIDTH]) {
    let mut sums: [F; BLOCK] = core::array::from_fn(|_| F::zero());
    for block in state.chunks_exact_mut(BLOCK) {
        circulant(block);
        for (sum, value) in sums.iter_mut().zip(block) {
            *sum = sum.clone() + value.clone();
        }
    }
    for block in state.chunks_exact_mut(BLOCK) {
        for (sum, value) in sums.iter().zip(block) {
            *value = value.clone() + sum.clone();
        }
    }
}

#[allow(clippy::arithmetic_side_effects)] // field arithmetic
fn circulant<F: Linear>(block: &mut [F]) {
    let sum = block.iter().fold(F::zero(), |sum, x| sum + x.clone());
    let two = BaseField::from(2u32);
    if let [a, b, c, d] = block {
        let row = |x: &F, next: &F| sum.clone() + x.clone() + next.clone() * two;
        (*a, *b, *c, *d) = (row(a, b), row(b, c), row(c, d), row(d, a));
    }
}

#[allow(clippy::arithmetic_side_effects)] // field arithmetic
fn internal<F: Linear>(state: &mut [F; WIDTH]) {
    let sum = state.iter().fold(F::zero(), |sum, x| sum + x.clone());
    for (value, factor) in state.iter_mut().zip(DIAGONAL) {
        *value = value.clone() * BaseField::from(factor) + sum.clone();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    const P: u64 = (1 << 31) - 1;

    /// The bits of the paper's generator for a prime field, an S-box that is a power, and these sizes.
    fn grain() -> impl FnMut() -> bool {
        let parts: [(u32, u32); 7] = [
            (1, 2),
            (0, 4),
            (31, 12),
            (WIDTH as u32, 12),
            (2 * HALF_FULL_ROUNDS as u32, 10),
            (PARTIAL_ROUNDS as u32, 10),
            ((1 << 30) - 1, 30),
        ];
        let mut register: Vec<bool> = parts
            .iter()
            .flat_map(|(value, bits)| (0..*bits).rev().map(move |bit| value >> bit & 1 == 1))
            .collect();
        let mut step = move || {
            let taps = [62, 51, 38, 23, 13, 0].map(|at| register[at]);
            let bit = taps.into_iter().fold(false, |sum, tap| sum ^ tap);
            register.remove(0);
            register.push(bit);
            bit
        };
        for _ in 0..160 {
            step();
        }
        // Of two bits, the first says whether the second is given.
        move || loop {
            let (given, bit) = (step(), step());
            if given {
                return bit;
            }
        }
    }

    #[test]
    fn the_round_constants_are_the_papers() {
        let mut bit = grain();
        let mut constant = || loop {
            let value = (0..31).fold(0, |value, _| value << 1 | u32::from(bit()));
            if u64::from(value) < P {
                return value;
            }
        };
        let constants = INITIAL.iter().flatten().chain(&PARTIAL);
        for expected in constants.chain(FINAL.iter().flatten()) {
            assert_eq!(constant(), *expected);
        }
    }

    #[test]
    fn the_permutation_gives_what_plonky3s_default_does() {
        let input = core::array::from_fn(|at| BaseField::from(at as u32));
        let expected = [
            0x0b2c803a, 0x5b1ee4d1, 0x49c6b1e3, 0x2cdc280c, 0x310a60c8, 0x530a729e, 0x4e61bcb4,
            0x2e84d3c3, 0x58709c08, 0x7e82ac42, 0x2162bcef, 0x6d153ab6, 0x742cf0e3, 0x2f21632d,
            0x61adce1e, 0x1973d6f1,
        ];
        assert_eq!(permute(input).map(|value| value.0), expected);
    }

    #[test]
    fn the_permutation_has_as_many_sboxes_as_it_says() {
        let mut count = 0;
        permute_with([BaseField::zero(); WIDTH], |x| {
            count += 1;
            x
        });
        assert_eq!(count, SBOXES);
    }

    /// Coefficients of a polynomial, the constant first; the leading one is not zero.
    type Polynomial = Vec<BaseField>;

    /// The remainder of `a` by `b`, which is not zero.
    fn remainder(mut a: Polynomial, b: &[BaseField]) -> Polynomial {
        let inverse = b[b.len() - 1].inverse();
        while a.len() >= b.len() {
            let factor = a[a.len() - 1] * inverse;
            let shift = a.len() - b.len();
            for (at, coefficient) in b.iter().enumerate() {
                a[shift + at] -= factor * *coefficient;
            }
            a.pop();
        }
        while a.last().is_some_and(Zero::is_zero) {
            a.pop();
        }
        a
    }

    fn product(a: &[BaseField], b: &[BaseField], modulus: &[BaseField]) -> Polynomial {
        let mut sum = alloc::vec![BaseField::zero(); a.len() + b.len()];
        for (i, x) in a.iter().enumerate() {
            for (j, y) in b.iter().enumerate() {
                sum[i + j] += *x * *y;
            }
        }
        remainder(sum, modulus)
    }

    fn power(base: &[BaseField], mut exponent: u64, modulus: &[BaseField]) -> Polynomial {
        let (mut base, mut result) = (base.to_vec(), alloc::vec![BaseField::from(1u32)]);
        while exponent > 0 {
            if exponent & 1 == 1 {
                result = product(&result, &base, modulus);
            }
            base = product(&base, &base, modulus);
            exponent >>= 1;
        }
        result
    }

    /// The characteristic polynomial of the internal matrix: what its powers make of one vector satisfies no shorter
    /// relation.
    fn characteristic() -> Polynomial {
        let mut vector = [BaseField::zero(); WIDTH];
        vector[0] = BaseField::from(1u32);
        // Each row is a power applied to the vector, reduced by the rows before; then the powers it is made of.
        let mut rows: Vec<(Vec<BaseField>, usize)> = Vec::new();
        for number in 0..=WIDTH {
            let mut row = vector.to_vec();
            row.resize(2 * WIDTH + 1, BaseField::zero());
            row[WIDTH + number] = BaseField::from(1u32);
            for (other, pivot) in &rows {
                let factor = row[*pivot] / other[*pivot];
                for (value, other) in row.iter_mut().zip(other) {
                    *value -= factor * *other;
                }
            }
            match (0..WIDTH).find(|at| !row[*at].is_zero()) {
                Some(pivot) => rows.push((row, pivot)),
                None => {
                    assert_eq!(number, WIDTH, "the vector spans less than everything");
                    return row.split_off(WIDTH);
                }
            }
            internal(&mut vector);
        }
        unreachable!("more vectors than dimensions are dependent")
    }

    #[test]
    fn no_power_of_the_internal_matrix_has_an_invariant_subspace() {
        let modulus = characteristic();
        let x = [0u32, 1].map(BaseField::from).to_vec();
        let mut images = alloc::vec![x.clone()];
        for _ in 0..WIDTH {
            let last = images.last().unwrap();
            images.push(power(last, P, &modulus));
        }
        // Rabin's test: the polynomial is irreducible, so a root generates the field of p^16 elements.
        assert_eq!(images[WIDTH], x);
        let half = &images[WIDTH / 2];
        let mut difference = half.clone();
        difference.resize(WIDTH, BaseField::zero());
        difference[1] -= BaseField::from(1u32);
        let (mut a, mut b) = (modulus.clone(), remainder(difference, &modulus));
        while !b.is_empty() {
            let rest = remainder(a, &b);
            (a, b) = (b, rest);
        }
        assert_eq!(a.len(), 1);
        // The powers up to twice the width, as the paper asks, lie in no smaller field, so theirs are irreducible, too.
        for exponent in 1..=2 * WIDTH as u64 {
            assert_ne!(
                power(half, exponent, &modulus),
                power(&x, exponent, &modulus)
            );
        }
    }
}
