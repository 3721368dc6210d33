//! The public input and output, as fractions that the verifier adds itself.

use alloc::vec::Vec;
use num_traits::{One, Zero};
use stwo::core::fields::m31::BaseField;
use stwo::core::fields::qm31::SecureField;
use stwo::core::fields::FieldExpOps;

use crate::{Challenges, VerifyingKey, CONSTANT_ADDRESS, INPUT_ADDRESS};

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
    let (inputs, outputs, batch) = (key.inputs as usize, key.outputs as usize, batch as usize);
    if input.len() != inputs.checked_mul(batch)? || output.len() != outputs.checked_mul(batch)? {
        return None;
    }
    let mut numerators = Vec::new();
    let mut denominators = Vec::new();

    let ones = alloc::vec![BaseField::from(1u32); batch];
    numerators.push(-SecureField::from(BaseField::from(key.constant_reads)));
    denominators.push(challenges.memory(BaseField::from(CONSTANT_ADDRESS), &ones));

    for index in 0..inputs {
        let values: Vec<BaseField> = input
            .iter()
            .skip(index)
            .step_by(inputs)
            .map(|value| signed((*value).into()))
            .collect();
        let address = BaseField::from(INPUT_ADDRESS) + BaseField::from(index);
        numerators.push(-SecureField::one());
        denominators.push(challenges.memory(address, &values));
    }

    for index in 0..outputs {
        let combined = output
            .iter()
            .skip(index)
            .step_by(outputs)
            .zip(&challenges.sigma_powers)
            .fold(SecureField::zero(), |sum, (value, power)| {
                sum + *power * signed(*value)
            });
        let (pole, lane) = (index >> key.log_lanes, index % key.lanes() as usize);
        numerators.push(-combined * *challenges.lane_weights.get(lane)?);
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
