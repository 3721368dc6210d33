//! The random elements drawn after the main trace is committed.

use alloc::vec::Vec;
use core::ops::{Mul, Sub};
use num_traits::{One, Zero};
use stwo::core::channel::Channel;
use stwo::core::fields::m31::BaseField;
use stwo::core::fields::qm31::SecureField;
use stwo::core::fields::FieldExpOps;

/// Values of the widest row of a lookup table, the table's number included.
const LOOKUP_WIDTH: usize = 6;

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
    /// Gamma, against which the lanes of a row of weights are told apart.
    pub gamma: SecureField,
    /// `1 / (gamma - t)` for each lane `t`.
    pub lane_weights: Vec<SecureField>,
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

impl Challenges {
    /// Arbitrary elements, to learn the shape of a component before any are drawn.
    pub(crate) fn placeholder(batch: u32, lanes: u32) -> Self {
        let one = SecureField::one();
        Self {
            memory: Combination::new(one, one, (batch as usize).saturating_add(1)),
            lookup: Combination::new(one, one, LOOKUP_WIDTH),
            sigma_powers: powers(one, batch as usize),
            gamma: one,
            lane_weights: powers(one, lanes as usize),
            rho: one,
        }
    }

    /// Draws the challenges for proofs of `batch` samples with rows of `lanes` weights. `None` if gamma falls on a
    /// lane, which happens once in 2^118.
    #[allow(clippy::arithmetic_side_effects)] // field arithmetic
    pub fn draw(channel: &mut impl Channel, batch: u32, lanes: u32) -> Option<Self> {
        let drawn = channel.draw_secure_felts(7);
        let [memory_z, memory_alpha, lookup_z, lookup_alpha, sigma, gamma, rho] =
            <[SecureField; 7]>::try_from(drawn).ok()?;
        let lane_weights = (0..lanes)
            .map(|lane| {
                let distance = gamma - BaseField::from(lane);
                (!distance.is_zero()).then(|| distance.inverse())
            })
            .collect::<Option<Vec<_>>>()?;
        Some(Self {
            memory: Combination::new(memory_z, memory_alpha, (batch as usize).saturating_add(1)),
            lookup: Combination::new(lookup_z, lookup_alpha, LOOKUP_WIDTH),
            sigma_powers: powers(sigma, batch as usize),
            gamma,
            lane_weights,
            rho,
        })
    }

    /// The memory relation's denominator for the activation at `address` with one value a sample.
    pub fn memory<F: Clone, EF>(&self, address: F, values: &[F]) -> EF
    where
        EF: Zero + From<SecureField> + Mul<F, Output = EF> + Sub<EF, Output = EF>,
    {
        self.memory
            .combine(core::iter::once(address).chain(values.iter().cloned()))
    }

    /// The lookup relation's denominator for a row of a table, at most five values; missing ones count as zero.
    pub fn lookup<F: Clone, EF>(&self, table: F, values: &[F]) -> EF
    where
        EF: Zero + From<SecureField> + Mul<F, Output = EF> + Sub<EF, Output = EF>,
    {
        self.lookup
            .combine(core::iter::once(table).chain(values.iter().cloned()))
    }
}
