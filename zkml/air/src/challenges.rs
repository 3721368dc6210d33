//! The random elements drawn after the main trace is committed.

use alloc::vec::Vec;
use core::ops::{Mul, Sub};
use num_traits::{One, Zero};
use stwo::core::channel::Channel;
use stwo::core::fields::m31::BaseField;
use stwo::core::fields::qm31::SecureField;
use stwo::core::fields::FieldExpOps;

use crate::commitment::CAPACITY;

/// Values of a row of the table of tree nodes, the table's number included; a row of the vocabulary has those of a block
/// and [`VOCABULARY_KEY`].
const NODE_WIDTH: u32 = 6;
/// Table, token and block: what a row of the vocabulary begins with.
const VOCABULARY_KEY: u32 = 3;
/// Values of a link of the chain of a sponge: table, number and capacity.
const LINK_WIDTH: u32 = CAPACITY as u32 + 2;

/// The size of an input or output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extent {
    /// Values of a sample.
    pub values: u32,
    /// Values of a position of the sample; all of them if it is no sequence.
    pub width: u32,
}

impl Extent {
    /// Whether it has positions to which a model does the same.
    pub fn is_sequence(self) -> bool {
        self.values != self.width
    }

    /// Values of each sample that a word holds: what is no sequence is the same in all its positions.
    pub fn values_per_word(self, positions: u32) -> u32 {
        match self.is_sequence() {
            true => positions,
            false => 1,
        }
    }
}

/// How many values a word, a row of weights, the input and the output have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sizes {
    /// Samples in the proof.
    pub batch: u32,
    /// Positions of a sequence that share a word; 1 for models without sequences.
    pub positions: u32,
    /// Outputs that a row of weights feeds; at least as many as positions.
    pub lanes: u32,
    /// Values of a row of the vocabulary: one or more words of one sample.
    pub block: u32,
    /// The input.
    pub input: Extent,
    /// The output.
    pub output: Extent,
}

impl Sizes {
    /// Values of a word: one for each position of each sample.
    pub fn word(self) -> usize {
        self.batch.saturating_mul(self.positions) as usize
    }

    /// Values of the widest row of a lookup table.
    fn lookup(self) -> usize {
        let vocabulary = self.block.saturating_add(VOCABULARY_KEY);
        vocabulary.max(NODE_WIDTH).max(LINK_WIDTH) as usize
    }
}

/// Random elements of the lookup and bilinear arguments.
///
/// They are drawn together, once the preprocessed and the main trace are committed: everything that a fraction's
/// numerator or denominator depends on is fixed before.
#[derive(Clone, Debug)]
pub struct Challenges {
    /// Where the memory relation is evaluated, and the powers that combine its tuple.
    memory: Combination,
    /// The same for the lookup tables.
    lookup: Combination,
    /// Powers of sigma, one a sample: they combine the samples of a batch.
    pub sigma_powers: Vec<SecureField>,
    /// `1 / (beta - t)` for each position `t` of a word.
    pub position_weights: Vec<SecureField>,
    /// `1 / (gamma - t)` for each lane `t`.
    pub lane_weights: Vec<SecureField>,
    /// `sigma^b / (beta - t)` for each value of a word.
    pub word_weights: Vec<SecureField>,
    /// `sigma^b / (gamma - t)` for each value of a word whose positions are lanes of a row of weights.
    pub turned_weights: Vec<SecureField>,
    /// Beta, against which the positions of a word are told apart.
    pub beta: SecureField,
    /// Gamma, against which the lanes of a row of weights are told apart.
    pub gamma: SecureField,
    /// Rho, against which the products of different layers are told apart.
    pub rho: SecureField,
}

#[derive(Clone, Debug)]
struct Combination {
    z: SecureField,
    powers: Vec<SecureField>,
}

impl Combination {
    fn new(z: SecureField, alpha: SecureField, len: usize) -> Self {
        Self {
            z,
            powers: powers(alpha, len),
        }
    }

    #[allow(clippy::arithmetic_side_effects)] // field arithmetic
    fn combine<F: Clone, EF>(&self, values: impl Iterator<Item = F>) -> EF
    where
        EF: Zero + From<SecureField> + Mul<F, Output = EF> + Sub<EF, Output = EF>,
    {
        let sum = self
            .powers
            .iter()
            .zip(values)
            .fold(EF::zero(), |sum, (power, value)| {
                sum + EF::from(*power) * value
            });
        sum - EF::from(self.z)
    }
}

#[allow(clippy::arithmetic_side_effects)] // field arithmetic
fn powers(base: SecureField, len: usize) -> Vec<SecureField> {
    core::iter::successors(Some(SecureField::one()), |power| Some(*power * base))
        .take(len)
        .collect()
}

/// `1 / (point - t)` for `t` from 0; `None` if the point is one of them.
#[allow(clippy::arithmetic_side_effects)] // field arithmetic
fn partial_fractions(point: SecureField, len: u32) -> Option<Vec<SecureField>> {
    let inverse = |t: u32| {
        let distance = point - BaseField::from(t);
        (!distance.is_zero()).then(|| distance.inverse())
    };
    (0..len).map(inverse).collect()
}

impl Challenges {
    /// Arbitrary elements, to learn the shape of a component before any are drawn.
    pub(crate) fn placeholder(sizes: Sizes) -> Self {
        let one = SecureField::one();
        Self {
            memory: Combination::new(one, one, sizes.word().saturating_add(1)),
            lookup: Combination::new(one, one, sizes.lookup()),
            sigma_powers: powers(one, sizes.batch as usize),
            position_weights: powers(one, sizes.positions as usize),
            lane_weights: powers(one, sizes.lanes as usize),
            word_weights: powers(one, sizes.word()),
            turned_weights: powers(one, sizes.word()),
            beta: one,
            gamma: one,
            rho: one,
        }
    }

    /// Draws the challenges for proofs of these sizes. `None` if beta or gamma falls on a position or lane, which happens
    /// once in 2^117.
    #[allow(clippy::arithmetic_side_effects)] // field arithmetic
    pub fn draw(channel: &mut impl Channel, sizes: Sizes) -> Option<Self> {
        let drawn = channel.draw_secure_felts(8);
        let [memory_z, memory_alpha, lookup_z, lookup_alpha, sigma, beta, gamma, rho] =
            <[SecureField; 8]>::try_from(drawn).ok()?;
        let sigma_powers = powers(sigma, sizes.batch as usize);
        let position_weights = partial_fractions(beta, sizes.positions)?;
        let lane_weights = partial_fractions(gamma, sizes.lanes)?;
        let of_word = |weights: &[SecureField]| -> Vec<SecureField> {
            let of_sample = |power: &SecureField| {
                let power = *power;
                let weights = weights.iter().take(sizes.positions as usize);
                weights.map(move |weight| power * *weight)
            };
            sigma_powers.iter().flat_map(of_sample).collect()
        };
        Some(Self {
            memory: Combination::new(memory_z, memory_alpha, sizes.word().saturating_add(1)),
            lookup: Combination::new(lookup_z, lookup_alpha, sizes.lookup()),
            word_weights: of_word(&position_weights),
            turned_weights: of_word(&lane_weights),
            sigma_powers,
            position_weights,
            lane_weights,
            beta,
            gamma,
            rho,
        })
    }

    /// The memory relation's denominator for the word at `address`.
    pub fn memory<F: Clone, EF>(&self, address: F, values: &[F]) -> EF
    where
        EF: Zero + From<SecureField> + Mul<F, Output = EF> + Sub<EF, Output = EF>,
    {
        self.memory
            .combine(core::iter::once(address).chain(values.iter().cloned()))
    }

    /// The lookup relation's denominator for a row of a table; missing values count as zero.
    pub fn lookup<F: Clone, EF>(&self, table: F, values: &[F]) -> EF
    where
        EF: Zero + From<SecureField> + Mul<F, Output = EF> + Sub<EF, Output = EF>,
    {
        self.lookup
            .combine(core::iter::once(table).chain(values.iter().cloned()))
    }
}
