//! What a statement says of input and output, as fractions that the verifier adds itself.

use alloc::vec::Vec;
use codec::{Decode, Encode};
use num_traits::{One, Zero};
use stwo::core::fields::m31::BaseField;
use stwo::core::fields::qm31::SecureField;
use stwo::core::Fraction;

use crate::commitment::{first_capacity, Commitment, RATE};
use crate::components::sponge::OUTPUT_BLOCK;
use crate::components::table::{
    CHAIN_TABLE, DIGEST_TABLE, INPUT_TABLE, OUTPUT_TABLE, STREAM_TABLE,
};
use crate::{Challenges, Sizes, VerifyingKey, CONSTANT_ADDRESS, INPUT_ADDRESS};

/// Outputs lie strictly between `-2^30` and `2^30`, so that integers and field elements correspond one to one.
pub const OUTPUT_BOUND: u32 = 1 << 30;

/// A statement's input or output.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub enum Tensor<V> {
    /// Its values.
    #[codec(index = 0)]
    Public(V),
    /// A commitment to its values.
    #[codec(index = 1)]
    Committed(Commitment),
}

impl<V> Tensor<V> {
    /// The values, if they are public.
    pub fn public(&self) -> Option<&V> {
        match self {
            Self::Public(values) => Some(values),
            Self::Committed(_) => None,
        }
    }

    /// The values, if they are public, to be changed.
    pub fn public_mut(&mut self) -> Option<&mut V> {
        match self {
            Self::Public(values) => Some(values),
            Self::Committed(_) => None,
        }
    }

    /// Whether it is given by a commitment.
    pub fn is_committed(&self) -> bool {
        self.public().is_none()
    }
}

impl<T> Tensor<Vec<T>> {
    /// The same with borrowed values.
    pub fn borrowed(&self) -> Tensor<&[T]> {
        match self {
            Self::Public(values) => Tensor::Public(values),
            Self::Committed(commitment) => Tensor::Committed(*commitment),
        }
    }
}

impl<T: Copy + Into<i32> + PartialEq> Tensor<Vec<T>> {
    /// Whether it is `values`, or a commitment to them.
    pub fn is_of(&self, values: &[T]) -> bool {
        match self {
            Self::Public(own) => own == values,
            Self::Committed(own) => *own == crate::commitment(values),
        }
    }
}

/// A sum of fractions. One common denominator is cheaper to carry along than the fractions are to invert.
struct Fractions(Fraction<SecureField, SecureField>);

impl Fractions {
    fn new() -> Self {
        Self(Fraction::new(SecureField::zero(), SecureField::one()))
    }

    #[allow(clippy::arithmetic_side_effects)] // field arithmetic
    fn add(&mut self, numerator: SecureField, denominator: SecureField) {
        self.0 = self.0 + Fraction::new(numerator, denominator);
    }

    /// Adds `-1 / denominator`.
    #[allow(clippy::arithmetic_side_effects)] // field arithmetic
    fn write(&mut self, denominator: SecureField) {
        self.0 = Fraction::new(
            self.0.numerator * denominator - self.0.denominator,
            self.0.denominator * denominator,
        );
    }

    /// `None` if a denominator vanishes.
    #[allow(clippy::arithmetic_side_effects)] // field arithmetic
    fn sum(self) -> Option<SecureField> {
        let Fraction {
            numerator,
            denominator,
        } = self.0;
        (!denominator.is_zero()).then(|| numerator / denominator)
    }
}

/// The sum of the fractions that stand for the statement's input and output: what is read must have been written, and what
/// the last layer computes must be what is stated. Of what is committed to, they are the ends of the chains that open the
/// commitment.
///
/// A public `input` is `[batch][inputs]`, a public `output` is `[batch][outputs]`. `None` if a denominator vanishes, which
/// happens with negligible probability, if the lengths do not match the key, or if a commitment is not canonical.
pub fn sum(
    key: &VerifyingKey,
    batch: u32,
    challenges: &Challenges,
    input: Tensor<&[i8]>,
    output: Tensor<&[i32]>,
) -> Option<SecureField> {
    let mut fractions = Fractions::new();
    add_constants(&mut fractions, key, batch, challenges);
    match input {
        Tensor::Public(values) => add_input(&mut fractions, key, batch, challenges, values)?,
        Tensor::Committed(commitment) => {
            let values = key.inputs.checked_mul(batch)?;
            add_opening(&mut fractions, challenges, (0, values), commitment)?;
            let end = [key.input_words().into(), BaseField::zero()];
            add_words(&mut fractions, challenges, INPUT_TABLE, &end);
        }
    }
    match output {
        Tensor::Public(values) => add_output(&mut fractions, key, batch, challenges, values)?,
        Tensor::Committed(commitment) => {
            let values = key.outputs.checked_mul(batch)?;
            add_opening(
                &mut fractions,
                challenges,
                (OUTPUT_BLOCK, values),
                commitment,
            )?;
            let lane = key.output_words().checked_rem(key.lanes())?;
            let end = [key.output_words().into(), BaseField::zero(), lane.into()];
            add_words(&mut fractions, challenges, OUTPUT_TABLE, &end);
        }
    }
    fractions.sum()
}

/// Writes the constant one and the unit words.
#[allow(clippy::arithmetic_side_effects)] // field arithmetic
fn add_constants(
    fractions: &mut Fractions,
    key: &VerifyingKey,
    batch: u32,
    challenges: &Challenges,
) {
    let sizes = key.sizes(batch);
    let ones = alloc::vec![BaseField::one(); sizes.word()];
    let reads = SecureField::from(BaseField::from(key.constant_reads));
    let constant = challenges.memory(BaseField::from(CONSTANT_ADDRESS), &ones);
    fractions.add(-reads, constant);

    let mut address = BaseField::from(INPUT_ADDRESS) + BaseField::from(key.input_words());
    for unit in unit_positions(key) {
        let values = (0..sizes.batch)
            .flat_map(|_| 0..sizes.positions)
            .map(|position| BaseField::from(u32::from(position == unit)));
        let written = challenges.memory(address, &values.collect::<Vec<_>>());
        fractions.write(written);
        address += BaseField::one();
    }
}

/// Writes the public input.
#[allow(clippy::arithmetic_side_effects)] // field arithmetic
fn add_input(
    fractions: &mut Fractions,
    key: &VerifyingKey,
    batch: u32,
    challenges: &Challenges,
    input: &[i8],
) -> Option<()> {
    matches(input.len(), key.inputs, batch)?;
    let sizes = key.sizes(batch);
    let mut address = BaseField::from(INPUT_ADDRESS);
    let mut values = Vec::with_capacity(sizes.word());
    for word in 0..key.input_words() {
        let at = |position| key.value_at(key.inputs, key.input_width, word, position);
        values.clear();
        values.extend(of_word(input, key.inputs, sizes, at).map(|value| signed(value.into())));
        fractions.write(challenges.memory(address, &values));
        address += BaseField::one();
    }
    Some(())
}

/// States the public output.
#[allow(clippy::arithmetic_side_effects)] // field arithmetic
fn add_output(
    fractions: &mut Fractions,
    key: &VerifyingKey,
    batch: u32,
    challenges: &Challenges,
    output: &[i32],
) -> Option<()> {
    matches(output.len(), key.outputs, batch)?;
    let sizes = key.sizes(batch);
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
        fractions.add(-stated, challenges.rho - BaseField::from(pole));
    }
    Some(())
}

fn matches(values: usize, per_sample: u32, batch: u32) -> Option<()> {
    let expected = (per_sample as usize).checked_mul(batch as usize);
    (Some(values) == expected).then_some(())
}

/// The ends of a sponge that absorbs `values` values from permutation `first` on, and the zeros that fill its last block.
#[allow(clippy::arithmetic_side_effects)] // field arithmetic
fn add_opening(
    fractions: &mut Fractions,
    challenges: &Challenges,
    (first, values): (u32, u32),
    commitment: Commitment,
) -> Option<()> {
    let blocks = values.div_ceil(RATE as u32);
    let mut add = |numerator, table: u32, number: u32, values: &[BaseField]| {
        let mut entry = alloc::vec![BaseField::from(number)];
        entry.extend_from_slice(values);
        fractions.add(numerator, challenges.lookup(table.into(), &entry));
    };
    let one = SecureField::one();
    let end = first.checked_add(blocks)?;
    add(-one, CHAIN_TABLE, first, &first_capacity(values as usize));
    add(one, DIGEST_TABLE, end, &commitment.elements()?);
    let first_value = first.checked_mul(RATE as u32)?;
    for filling in values..blocks.checked_mul(RATE as u32)? {
        let number = first_value.checked_add(filling)?;
        add(-one, STREAM_TABLE, number, &[BaseField::zero()]);
    }
    Some(())
}

/// The ends of the chain of a committed tensor's words: it begins with zeros.
#[allow(clippy::arithmetic_side_effects)] // field arithmetic
fn add_words(fractions: &mut Fractions, challenges: &Challenges, table: u32, end: &[BaseField]) {
    let begin = end.iter().map(|_| BaseField::zero()).collect::<Vec<_>>();
    let one = SecureField::one();
    fractions.add(-one, challenges.lookup(table.into(), &begin));
    fractions.add(one, challenges.lookup(table.into(), end));
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
