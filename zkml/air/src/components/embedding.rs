//! Embedding of tokens: a row of the vocabulary for each token, in blocks of one or more words.
//!
//! A token is two public bytes, each a word with the same value in all positions. The values of a block are written as
//! words of one position each, with neighbouring channels for positions: turned words (see [`super::requant`]).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use num_traits::One;
use stwo::core::fields::m31::BaseField;
use stwo_constraint_framework::EvalAtRow;

use super::table::{supply, VOCABULARY_TABLE};
use super::Row;
use crate::challenges::Sizes;
use crate::sums::{Sums, Target};

/// What each byte of a token is less than the byte it stands for.
const BYTE_OFFSET: u32 = 128;

/// Where the upper and the lower byte are read; 1 on rows that are not padding; which block of the token's row it is; where
/// its first word is written, the others following; how often each of them is read.
pub fn columns(sizes: Sizes) -> Vec<String> {
    ["upper", "lower", "active", "block", "address"]
        .into_iter()
        .map(|name| format!("embedding.{name}"))
        .chain((0..words(sizes)).map(|word| format!("embedding.reads.{word}")))
        .collect()
}

/// The token, the block, and its values.
pub fn vocabulary_columns(sizes: Sizes) -> Vec<String> {
    ["vocabulary.token", "vocabulary.block"]
        .into_iter()
        .map(Into::into)
        .chain((0..sizes.block).map(|at| format!("vocabulary.value.{at}")))
        .collect()
}

/// Words of a block.
pub fn words(sizes: Sizes) -> u32 {
    sizes.block.checked_div(sizes.positions).unwrap_or(0)
}

#[allow(clippy::arithmetic_side_effects)] // field arithmetic
pub(super) fn row<E: EvalAtRow, T: Target<E>>(
    row: Row<'_, E>,
    eval: &mut E,
    sums: &mut Sums<E, T>,
) {
    let [upper, lower, active, block, address] = row.columns();
    let reads = row.columns.get(5..).unwrap_or(&[]);
    let (batch, positions) = (row.sizes.batch as usize, row.sizes.positions as usize);
    let (upper_bytes, lower_bytes) = (row.cells(batch, eval), row.cells(batch, eval));
    let samples: Vec<Vec<E::F>> = (0..batch)
        .map(|_| row.cells(row.sizes.block as usize, eval))
        .collect();

    for (byte, bytes) in [(upper, &upper_bytes), (lower, &lower_bytes)] {
        let same = |value| core::iter::repeat_n(value, positions);
        let word: Vec<E::F> = bytes.iter().cloned().flat_map(same).collect();
        sums.add(eval, E::EF::one(), row.challenges.memory(byte, &word));
    }
    let offset = E::F::from(BaseField::from(BYTE_OFFSET));
    let shift = BaseField::from(1u32 << u8::BITS);
    for ((upper, lower), values) in upper_bytes.into_iter().zip(lower_bytes).zip(&samples) {
        let token = (upper + offset.clone()) * shift + lower + offset.clone();
        let mut entry = alloc::vec![token, block.clone()];
        entry.extend(values.iter().cloned());
        let table = E::F::from(VOCABULARY_TABLE.into());
        let looked_up = row.challenges.lookup(table, &entry);
        sums.add(eval, E::EF::from(active.clone()), looked_up);
    }
    for (index, reads) in (0u32..).zip(reads) {
        let from = (index as usize).saturating_mul(positions);
        let mut word = Vec::with_capacity(row.sizes.word());
        for values in &samples {
            word.extend(values.iter().skip(from).take(positions).cloned());
        }
        let address = address.clone() + E::F::from(BaseField::from(index));
        let written = row.challenges.memory(address, &word);
        sums.add(eval, -E::EF::from(reads.clone()), written);
    }
}

pub(super) fn vocabulary_row<E: EvalAtRow, T: Target<E>>(
    row: Row<'_, E>,
    eval: &mut E,
    sums: &mut Sums<E, T>,
) {
    let table = E::F::from(VOCABULARY_TABLE.into());
    let entry = row.columns;
    supply(row, eval, sums, table, entry);
}
