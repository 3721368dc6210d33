//! The public input and output, as fractions that the verifier adds itself.

use alloc::vec::Vec;
use num_traits::{One, Zero};
use stwo::core::fields::m31::BaseField;
use stwo::core::fields::qm31::SecureField;
use stwo::core::fields::FieldExpOps;

use crate::{Challenges, Sizes, VerifyingKey, CONSTANT_ADDRESS, INPUT_ADDRESS};

/// Outputs lie strictly between `-2^30` and `2^30`, so that integers and field elements correspond one to one.
pub const OUTPUT_BOUND: u32 = 1 << 30;

/// The sum of the fractions that stand for the public input and output: what is read must have been written, and what
/// the last layer computes must be what is stated.
///
/// `input` is `[batch][inputs]`, `output` is `[batch][outputs]`. `None` if a denominator vanishes, which happens with
/// negligible probability, or if the lengths do not match the key.
#[allow(clippy::arithmetic_side_effects)] // field arithmetic
pub fn sum(
    key: &VerifyingKey,
    batch: u32,
    challenges: &Challenges,
    input: &[i8],
    output: &[i32],
) -> Option<SecureField> {
    let sizes = key.sizes(batch);
    let values = |per_sample: u32| (per_sample as usize).checked_mul(batch as usize);
    if Some(input.len()) != values(key.inputs) || Some(output.len()) != values(key.outputs) {
        return None;
    }
    let mut numerators = Vec::new();
    let mut denominators = Vec::new();

    let ones = alloc::vec![BaseField::from(1u32); sizes.word()];
    numerators.push(-SecureField::from(BaseField::from(key.constant_reads)));
    denominators.push(challenges.memory(BaseField::from(CONSTANT_ADDRESS), &ones));

    let mut address = BaseField::from(INPUT_ADDRESS);
    for word in 0..key.input_words() {
        let at = |position| key.value_at(key.inputs, key.input_width, word, position);
        let values = of_word(input, key.inputs, sizes, at).into_iter();
        let values: Vec<BaseField> = values.map(|value| signed(value.into())).collect();
        numerators.push(-SecureField::one());
        denominators.push(challenges.memory(address, &values));
        address += BaseField::one();
    }
    for unit in unit_positions(key) {
        let values = (0..sizes.batch)
            .flat_map(|_| 0..sizes.positions)
            .map(|position| BaseField::from(u32::from(position == unit)));
        numerators.push(-SecureField::one());
        denominators.push(challenges.memory(address, &values.collect::<Vec<_>>()));
        address += BaseField::one();
    }

    for word in 0..key.output_words() {
        let at = |position| key.value_at(key.outputs, key.output_width, word, position);
        let combined = of_word(output, key.outputs, sizes, at)
            .into_iter()
            .zip(&challenges.word_weights)
            .fold(SecureField::zero(), |sum, (value, weight)| {
                sum + *weight * signed(value)
            });
        let (pole, lane) = (word >> key.log_lanes, word.checked_rem(key.lanes())?);
        numerators.push(-combined * *challenges.lane_weights.get(lane as usize)?);
        denominators.push(challenges.rho - BaseField::from(pole));
    }

    if denominators.iter().any(Zero::is_zero) {
        return None;
    }
    let inverses = SecureField::batch_inverse(&denominators);
    Some(
        numerators
            .into_iter()
            .zip(inverses)
            .fold(SecureField::zero(), |sum, (numerator, inverse)| {
                sum + numerator * inverse
            }),
    )
}

/// The positions whose unit words, which are one there and zero elsewhere, are public, too: by them a model says what holds
/// for one position only. Their addresses follow the input's.
pub fn unit_positions(key: &VerifyingKey) -> core::ops::Range<u32> {
    match key.log_positions {
        0 => 0..0,
        _ => 0..key.positions(),
    }
}

/// The values of a word, those of a sample being at the places `at`.
#[allow(clippy::arithmetic_side_effects)] // lengths that were checked
fn of_word<T: Copy + Default>(
    values: &[T],
    per_sample: u32,
    sizes: Sizes,
    at: impl Fn(u32) -> usize,
) -> Vec<T> {
    let samples = values.chunks_exact((per_sample as usize).max(1));
    let places = (0..sizes.positions).map(at).collect::<Vec<_>>();
    let of_sample = |sample: &[T]| -> Vec<T> {
        let values = places.iter().map(|place| sample.get(*place).copied());
        values.map(Option::unwrap_or_default).collect()
    };
    samples.flat_map(of_sample).collect()
}

/// The field element of a signed integer of magnitude under 2^31 - 1.
#[allow(clippy::arithmetic_side_effects)] // field arithmetic
pub fn signed(value: i32) -> BaseField {
    let magnitude = BaseField::from(value.unsigned_abs());
    if value < 0 {
        -magnitude
    } else {
        magnitude
    }
}
