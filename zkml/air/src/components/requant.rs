//! Requantisation: a row is a word of the outputs of a linear map, or of products, that are not the last.
//!
//! With the row's multiplier `m` and for each sample, the accumulator `Y` satisfies
//! `Y·m + 2^(S-1) = q·2^S + r` with `r` in `[0, 2^S)`: `q` is `Y·m / 2^S` rounded. The trace holds `q`, `r` and the
//! activation `a = f(q)`; `Y` is the linear expression `(q·2^S + r - 2^(S-1))/m`, so it needs no column, and what the
//! weights must make of it is `Y` less its bias. `r` is range
//! checked and `(q, a)` looked up. The model's static bounds keep every value under 2^30, so the equation over the
//! field is one over the integers.

use alloc::string::String;
use alloc::vec::Vec;
use num_traits::One;
use stwo::core::fields::m31::BaseField;
use stwo_constraint_framework::EvalAtRow;

use super::table::RANGE_TABLE;
use super::Row;
use crate::sums::{Sums, Target};
use crate::{Challenges, Sizes, SHIFT};

/// The columns of models without sequences; see [`columns`].
///
/// Where the activation is written, which block and lane the accumulator belongs to, the multiplier's inverse (zero on
/// padding), its bias, how often the activation is read, and which table it goes through.
pub const COLUMNS: [&str; 7] = [
    "requant.address",
    "requant.pole",
    "requant.lane",
    "requant.scale",
    "requant.bias",
    "requant.reads",
    "requant.table",
];

/// Columns of the main trace for each value of a word: `q`, `r` and the activation.
pub const CELLS_PER_VALUE: usize = 3;

/// The columns of a model. Where words have positions, the last says whether the row is turned: 0 where its values are
/// those of one lane for every position, 1 where they are those of one position (in the column of lanes) for every lane.
/// A turned word is what a product needs that sums over positions.
pub fn columns(sizes: Sizes) -> Vec<String> {
    let turned = (sizes.positions > 1).then_some("requant.turned");
    COLUMNS.into_iter().chain(turned).map(Into::into).collect()
}

#[allow(clippy::arithmetic_side_effects)] // field arithmetic
pub(super) fn row<E: EvalAtRow, T: Target<E>>(
    row: Row<'_, E>,
    eval: &mut E,
    sums: &mut Sums<E, T>,
) {
    let [address, pole, lane, scale, bias, reads, table, turned] = row.columns();
    let range_table = E::F::from(RANGE_TABLE.into());
    let power = BaseField::from_u32_unchecked(1 << SHIFT);
    let half = E::F::from(BaseField::from_u32_unchecked(1 << (SHIFT - 1)));

    let (quotients, remainders, activations) = (row.word(eval), row.word(eval), row.word(eval));
    let mut products = Vec::new();
    for ((quotient, remainder), activation) in quotients.iter().zip(&remainders).zip(&activations) {
        let in_range = row
            .challenges
            .lookup(range_table.clone(), core::slice::from_ref(remainder));
        sums.add(eval, E::EF::one(), in_range);
        let activated = [quotient.clone(), activation.clone()];
        sums.add(
            eval,
            E::EF::one(),
            row.challenges.lookup(table.clone(), &activated),
        );
        let rescaled = quotient.clone() * power + remainder.clone() - half.clone();
        products.push(rescaled * scale.clone() - bias.clone());
    }
    let written = row.challenges.memory(address, &activations);
    sums.add(eval, -E::EF::from(reads), written);

    let Challenges {
        word_weights,
        turned_weights,
        beta,
        gamma,
        ..
    } = row.challenges;
    let mut combined = row.combine(&products, word_weights);
    let mut distance = row.lane_distance(lane);
    if row.sizes.positions > 1 {
        let other = row.combine(&products, turned_weights);
        combined += (other - combined.clone()) * turned.clone();
        distance += E::EF::from(*beta - *gamma) * turned;
    }
    sums.add_alone(eval, -combined, row.pole_distance(pole) * distance);
}
