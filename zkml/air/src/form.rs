//! The form of a statement: which components its proof has, and how tall they are.

use crate::commitment::RATE;
use crate::key::MIN_LOG_SIZE;
use crate::{Kind, VerifyingKey};

/// Which tensors a statement gives by their commitments.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Committed {
    /// The input.
    pub input: bool,
    /// The output.
    pub output: bool,
}

/// All that a proof's shape depends on besides the key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Form {
    /// Samples.
    pub batch: u32,
    /// What is committed to.
    pub committed: Committed,
}

impl Form {
    /// A statement of `batch` samples whose input and output are public.
    pub const fn public(batch: u32) -> Self {
        Self {
            batch,
            committed: Committed {
                input: false,
                output: false,
            },
        }
    }

    /// The components of a proof, with the logarithms of their numbers of rows: the model's, then those that open
    /// commitments.
    pub fn components(self, key: &VerifyingKey) -> impl Iterator<Item = (Kind, u32)> + '_ {
        let heights = [
            (Kind::Sponge, self.sponge_rows(key)),
            (Kind::InputPort, self.input_rows(key)),
            (Kind::OutputPort, self.output_rows(key)),
        ];
        let present = heights.into_iter().filter(|(_, rows)| *rows > 0);
        key.components()
            .chain(present.map(|(kind, rows)| (kind, log_size(rows))))
    }

    /// Whether no component that opens commitments is taller than the model's tallest, to which the Merkle trees are cut.
    pub fn fits(self, key: &VerifyingKey) -> bool {
        let tallest = key.max_log_size();
        self.components(key)
            .all(|(_, log_size)| log_size <= tallest)
    }

    /// Permutations that absorb what is committed to.
    fn sponge_rows(self, key: &VerifyingKey) -> u64 {
        let of = |committed: bool, values: u32| match committed {
            true => blocks(self.batch, values),
            false => 0,
        };
        let input = of(self.committed.input, key.inputs);
        input.saturating_add(of(self.committed.output, key.outputs))
    }

    fn input_rows(self, key: &VerifyingKey) -> u64 {
        match self.committed.input {
            true => key.input_words().into(),
            false => 0,
        }
    }

    fn output_rows(self, key: &VerifyingKey) -> u64 {
        match self.committed.output {
            true => key.output_words().into(),
            false => 0,
        }
    }
}

/// Permutations that absorb `values` values for each sample.
pub fn blocks(batch: u32, values: u32) -> u64 {
    u64::from(batch)
        .saturating_mul(values.into())
        .div_ceil(RATE as u64)
}

/// The logarithm of the height of a component with `rows` rows.
fn log_size(rows: u64) -> u32 {
    let height = rows.checked_next_power_of_two().unwrap_or(0);
    height.trailing_zeros().max(MIN_LOG_SIZE.into())
}
