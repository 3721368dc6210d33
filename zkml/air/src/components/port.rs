//! Ports: a row is a word of a committed input or output, and offers its values to the stream that a sponge absorbs (see
//! [`super::sponge`]).
//!
//! The stream has the tensor's values in the order of the statement, `[batch][position][channel]`. A word holds channel `c`
//! of neighbouring positions, so the row needs `c` besides the number `w` of its word: the number of its first value is
//! `P·(w - c) + c`. Of an output, it needs the lane in which the last layer's blocks have the word, too. Rows are chained
//! by lookups, as the sponge's: a row takes `(w, c, lane)` and gives `(w + 1, c + 1, lane + 1)`, where a flag may take the
//! channel back to zero, but only from the last channel, and another the lane. The verifier gives `(0, 0, 0)` and takes
//! what follows the last word. So no flag can be missing: a channel that passed the last one would never come back.

use alloc::vec::Vec;
use num_traits::One;
use stwo::core::fields::m31::BaseField;
use stwo_constraint_framework::EvalAtRow;

use super::sponge::OUTPUT_BLOCK;
use super::table::{INPUT_TABLE, OUTPUT_TABLE, RANGE_TABLE, STREAM_TABLE};
use super::{boolean, Row};
use crate::challenges::{Extent, Sizes};
use crate::commitment::RATE;
use crate::sums::{Sums, Target};
use crate::{INPUT_ADDRESS, SHIFT};

/// Columns of an input's row besides its values: whether it is in use, word, channel, whether it is the last channel.
pub const INPUT_CELLS: usize = 4;
/// Columns of an output's row besides its values: those of an input's, lane, whether it is the last lane.
pub const OUTPUT_CELLS: usize = 6;

/// Inputs are bytes, and the smallest is this much below zero.
pub const BYTE_OFFSET: u32 = 128;
/// Distance of a byte's range from the end of the range table.
pub const BYTE_HEADROOM: u32 = (1 << SHIFT) - (1 << u8::BITS);

/// The cells that say where a word belongs.
struct Place<E: EvalAtRow> {
    active: E::F,
    word: E::F,
    channel: E::F,
    /// The channel of the next word.
    next_channel: E::F,
}

impl<E: EvalAtRow> Place<E> {
    #[allow(clippy::arithmetic_side_effects)] // field arithmetic
    fn read(extent: Extent, eval: &mut E) -> Self {
        let [active, word] = core::array::from_fn(|_| eval.next_trace_mask());
        let (channel, next_channel) = cyclic(extent.width, eval);
        boolean(eval, &active);
        Self {
            active,
            word,
            channel,
            next_channel,
        }
    }

    /// Takes the link of this word from the chain `table`, and gives the next; an output's has a lane, this and
    /// the next word's.
    #[allow(clippy::arithmetic_side_effects)] // field arithmetic
    fn chain<T: Target<E>>(
        &self,
        row: &Row<'_, E>,
        table: u32,
        lane: Option<[E::F; 2]>,
        eval: &mut E,
        sums: &mut Sums<E, T>,
    ) {
        let mut link = alloc::vec![self.word.clone(), self.channel.clone()];
        let mut next = alloc::vec![self.word.clone() + E::F::one(), self.next_channel.clone()];
        if let Some([lane, next_lane]) = lane {
            link.push(lane);
            next.push(next_lane);
        }
        let active = E::EF::from(self.active.clone());
        let table = E::F::from(table.into());
        let taken = row.challenges.lookup(table.clone(), &link);
        sums.add(eval, active.clone(), taken);
        sums.add(eval, -active, row.challenges.lookup(table, &next));
    }

    /// Reads the values of the word, and offers them to the stream, whose first value has number `first`.
    #[allow(clippy::arithmetic_side_effects)] // field arithmetic
    fn values<T: Target<E>>(
        &self,
        row: &Row<'_, E>,
        (extent, first): (Extent, u32),
        eval: &mut E,
        sums: &mut Sums<E, T>,
    ) -> Vec<E::F> {
        let Sizes {
            batch, positions, ..
        } = row.sizes;
        let whole_positions = self.word.clone() - self.channel.clone();
        let start = whole_positions * BaseField::from(positions) + self.channel.clone();
        let mut values = Vec::new();
        for sample in 0..batch {
            for position in 0..extent.values_per_word(positions) {
                let value = eval.next_trace_mask();
                let offset = BaseField::from(sample) * BaseField::from(extent.values)
                    + BaseField::from(position) * BaseField::from(extent.width)
                    + BaseField::from(first);
                let entry = [start.clone() + E::F::from(offset), value.clone()];
                let stream = E::F::from(STREAM_TABLE.into());
                let offered = row.challenges.lookup(stream, &entry);
                sums.add(eval, -E::EF::from(self.active.clone()), offered);
                values.push(value);
            }
        }
        values
    }
}

/// The word that holds `values`, each in as many positions as share it.
fn word<F: Clone>(sizes: Sizes, values: &[F]) -> Vec<F> {
    let copies = sizes.word().checked_div(values.len()).unwrap_or(0);
    let copies = |value: &F| core::iter::repeat_n(value.clone(), copies);
    values.iter().flat_map(copies).collect()
}

/// A number below `len` that grows by one from row to row and begins again after the last; and the next one.
#[allow(clippy::arithmetic_side_effects)] // field arithmetic
fn cyclic<E: EvalAtRow>(len: u32, eval: &mut E) -> (E::F, E::F) {
    let [number, last] = core::array::from_fn(|_| eval.next_trace_mask());
    boolean(eval, &last);
    let len = BaseField::from(len);
    let next = number.clone() + E::F::one();
    eval.add_constraint(last.clone() * (next.clone() - E::F::from(len)));
    (number, next - last * len)
}

#[allow(clippy::arithmetic_side_effects)] // field arithmetic
pub(super) fn input_row<E: EvalAtRow, T: Target<E>>(
    row: Row<'_, E>,
    eval: &mut E,
    sums: &mut Sums<E, T>,
) {
    let extent = row.sizes.input;
    let place = Place::read(extent, eval);
    place.chain(&row, INPUT_TABLE, None, eval, sums);
    let values = place.values(&row, (extent, 0), eval, sums);

    let active = E::EF::from(place.active);
    for value in &values {
        for offset in [BYTE_OFFSET, BYTE_OFFSET + BYTE_HEADROOM] {
            let shifted = value.clone() + E::F::from(offset.into());
            let range = E::F::from(RANGE_TABLE.into());
            let in_range = row.challenges.lookup(range, &[shifted]);
            sums.add(eval, active.clone(), in_range);
        }
    }
    let address = place.word + E::F::from(INPUT_ADDRESS.into());
    let written = row.challenges.memory(address, &word(row.sizes, &values));
    sums.add(eval, -active, written);
}

#[allow(clippy::arithmetic_side_effects)] // field arithmetic
pub(super) fn output_row<E: EvalAtRow, T: Target<E>>(
    row: Row<'_, E>,
    eval: &mut E,
    sums: &mut Sums<E, T>,
) {
    let extent = row.sizes.output;
    let place = Place::read(extent, eval);
    let (lane, next_lane) = cyclic(row.sizes.lanes, eval);
    let lanes = Some([lane.clone(), next_lane]);
    place.chain(&row, OUTPUT_TABLE, lanes, eval, sums);
    let first = OUTPUT_BLOCK * RATE as u32;
    let values = place.values(&row, (extent, first), eval, sums);

    let word = word(row.sizes, &values);
    let lanes = BaseField::from(row.sizes.lanes.max(1));
    let pole = (place.word - lane.clone()) * lanes.inverse();
    let stated = row.combine(&word, &row.challenges.word_weights) * place.active;
    let distance = row.pole_distance(pole) * row.lane_distance(lane);
    sums.add_alone(eval, -stated, distance);
}
