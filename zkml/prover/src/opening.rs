//! The rows that open commitments: the words of a tensor that is committed to, and the permutations that absorb it.

use ciro_zkml_air::commitment::{blocks, first_capacity, halves, joined, CAPACITY, RATE};
use ciro_zkml_air::components::{port, sponge};
use ciro_zkml_air::poseidon2::{permute, permute_with, WIDTH};
use ciro_zkml_air::public::signed;
use ciro_zkml_air::{Kind, Sizes, VerifyingKey};
use rayon::prelude::*;
use stwo::core::fields::m31::BaseField;
use stwo::core::fields::FieldExpOps;
use stwo::prover::backend::simd::column::BaseColumn;

/// A permutation: a row of the sponge.
#[derive(Clone, Copy, Default)]
struct Permutation {
    active: bool,
    last: bool,
    number: u32,
    state: [BaseField; WIDTH],
}

impl Permutation {
    fn cells(self) -> Vec<BaseField> {
        let numbers = [self.active.into(), self.last.into(), self.number];
        let mut cells: Vec<BaseField> = numbers.into_iter().map(Into::into).collect();
        cells.extend(self.state);
        permute_with(self.state, |x| {
            let (square, fifth) = (x.square(), x.square().square() * x);
            cells.extend([square, fifth]);
            fifth
        });
        debug_assert_eq!(cells.len(), sponge::CELLS);
        cells
    }
}

/// The columns of a sponge of `rows` rows that absorbs tensors, each from the number of its first permutation on.
pub(crate) fn absorb(tensors: &[(u32, &[i32])], rows: usize) -> Vec<BaseColumn> {
    let mut permutations = Vec::with_capacity(rows);
    for (first, values) in tensors {
        let mut capacity: [BaseField; CAPACITY] = first_capacity(values.len());
        for (number, block) in (*first..).zip(blocks(values)) {
            let state = joined(block, capacity);
            permutations.push(Permutation {
                active: true,
                last: (number - first + 1) as usize == values.len().div_ceil(RATE),
                number,
                state,
            });
            (_, capacity) = halves(permute(state));
        }
    }
    permutations.resize(rows, Permutation::default());
    let cells: Vec<Vec<BaseField>> = permutations
        .into_par_iter()
        .map(Permutation::cells)
        .collect();
    let column = |column: usize| cells.iter().map(|row| row[column]).collect();
    (0..sponge::CELLS).into_par_iter().map(column).collect()
}

/// The columns of `rows` rows that offer the words of `values`, which are the input or, by `kind`, the output.
pub(crate) fn offer(
    key: &VerifyingKey,
    (kind, rows): (Kind, usize),
    batch: u32,
    values: &[i32],
) -> Vec<BaseColumn> {
    let Sizes {
        input,
        output,
        lanes,
        positions,
        ..
    } = key.sizes(batch);
    let (extent, words, cycles, cells) = match kind {
        Kind::InputPort => (
            input,
            key.input_words(),
            vec![input.width],
            port::INPUT_CELLS,
        ),
        _ => {
            let cycles = vec![output.width, lanes];
            (output, key.output_words(), cycles, port::OUTPUT_CELLS)
        }
    };
    let column = |of: &dyn Fn(u32) -> BaseField| -> BaseColumn {
        let mut column: Vec<BaseField> = (0..words).map(of).collect();
        column.resize(rows, BaseField::from(0u32));
        column.into_iter().collect()
    };
    let mut columns = vec![column(&|_| BaseField::from(1u32)), column(&BaseField::from)];
    for len in cycles {
        columns.push(column(&|word| (word % len).into()));
        columns.push(column(&|word| u32::from(word % len + 1 == len).into()));
    }
    debug_assert_eq!(columns.len(), cells);
    for sample in values.chunks(extent.values as usize) {
        for position in 0..extent.values_per_word(positions) {
            let at = |word| key.value_at(extent.values, extent.width, word, position);
            columns.push(column(&|word| signed(sample[at(word)])));
        }
    }
    columns
}

/// Counts what a committed input looks up in the range table.
pub(crate) fn count_bytes(input: &[i32], range: &mut [u32]) {
    for value in input {
        let byte = (value + port::BYTE_OFFSET as i32) as usize;
        range[byte] += 1;
        range[byte + port::BYTE_HEADROOM as usize] += 1;
    }
}
