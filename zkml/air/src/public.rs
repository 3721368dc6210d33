//! The public input and output, as fractions that the verifier adds itself.

use num_traits::{One, Zero};
use stwo::core::fields::m31::BaseField;
use stwo::core::fields::qm31::SecureField;
use stwo::core::Fraction;

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
    let memory =
        |address: u32, values: &[BaseField]| challenges.memory(BaseField::from(address), values);

    let mut values = alloc::vec![BaseField::one(); sizes.word()];
    let constant_reads = SecureField::from(BaseField::from(key.constant_reads));
    let mut total = Fraction::new(-constant_reads, memory(CONSTANT_ADDRESS, &values));

    let mut addresses = INPUT_ADDRESS..;
    for (word, address) in (0..key.input_words()).zip(&mut addresses) {
        let at = |position| key.value_at(key.inputs, key.input_width, word, position);
        values.clear();
        values.extend(of_word(input, key.inputs, sizes, at).map(|value| signed(value.into())));
        total = less_inverse(total, memory(address, &values));
    }
    for (unit, address) in unit_positions(key).zip(addresses) {
        let positions = (0..sizes.batch).flat_map(|_| 0..sizes.positions);
        values.clear();
        values.extend(positions.map(|position| BaseField::from(u32::from(position == unit))));
        total = less_inverse(total, memory(address, &values));
    }

    let blocks = (0..key.output_words()).step_by(key.lanes() as usize);
    for (pole, first) in (0u32..).zip(blocks) {
        let mut stated = SecureField::zero();
        for (word, lane_weight) in (first..key.output_words()).zip(&challenges.lane_weights) {
            let at = |position| key.value_at(key.outputs, key.output_width, word, position);
            let combined = of_word(output, key.outputs, sizes, at)
                .zip(&challenges.word_weights)
                .fold(SecureField::zero(), |sum, (value, weight)| {
                    sum + *weight * signed(value)
                });
            stated += combined * *lane_weight;
        }
        let distance = challenges.rho - BaseField::from(pole);
        total = total + Fraction::new(-stated, distance);
    }
    (!total.denominator.is_zero()).then(|| total.numerator / total.denominator)
}

/// `total - 1 / denominator`. One common denominator is cheaper to carry along than the fractions are to invert.
#[allow(clippy::arithmetic_side_effects)] // field arithmetic
fn less_inverse(
    total: Fraction<SecureField, SecureField>,
    denominator: SecureField,
) -> Fraction<SecureField, SecureField> {
    Fraction::new(
        total.numerator * denominator - total.denominator,
        total.denominator * denominator,
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
fn of_word<'a, T: Copy + Default>(
    values: &'a [T],
    per_sample: u32,
    sizes: Sizes,
    at: impl Fn(u32) -> usize + Copy + 'a,
) -> impl Iterator<Item = T> + 'a {
    let samples = values.chunks_exact((per_sample as usize).max(1));
    samples.flat_map(move |sample| {
        let places = (0..sizes.positions).map(at);
        places.map(|place| sample.get(place).copied().unwrap_or_default())
    })
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
