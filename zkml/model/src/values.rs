//! The way in and out of integers.

use crate::{Encoding, Head, Missing, Model, ModelError, Ranks};

/// What a model says, read from its accumulators.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Real values, row-major `[batch][outputs]`.
    Float(Vec<f32>),
    /// One label per sample.
    Class(Vec<i64>),
}

impl Model {
    /// Quantises a row-major batch of samples.
    pub fn quantise(&self, x: &[f32]) -> Result<Vec<i8>, ModelError> {
        whole_samples(x.len(), self.columns())?;
        match &self.input.encoding {
            Encoding::Affine { scale, zero_point } => {
                let affine = |(index, value): (usize, &f32)| match value.is_finite() {
                    // The cast saturates; so does the clamp that follows.
                    true => {
                        let q = ((value / scale).round_ties_even() as i64)
                            .saturating_add((*zero_point).into());
                        Ok(q.clamp(i8::MIN.into(), i8::MAX.into()) as i8)
                    }
                    false => Err(ModelError::NotFinite { index }),
                };
                x.iter().enumerate().map(affine).collect()
            }
            Encoding::Ranks(ranks) => {
                let mut ranked = Vec::with_capacity(x.len() / self.columns() * ranks.len());
                for (sample, row) in x.chunks_exact(self.columns()).enumerate() {
                    for ranks in ranks {
                        let column = ranks.column as usize;
                        let index = sample * self.columns() + column;
                        let value = row.get(column).copied().unwrap_or(f32::NAN);
                        ranked.push(ranks.rank(value).ok_or(ModelError::NotFinite { index })?);
                    }
                }
                Ok(ranked)
            }
            Encoding::Tokens { vocabulary } => {
                let mut bytes = Vec::with_capacity(x.len().saturating_mul(2));
                for (index, &value) in x.iter().enumerate() {
                    let token = whole_below(value, *vocabulary);
                    bytes.extend(token_bytes(token.ok_or(ModelError::Token { index })?));
                }
                Ok(bytes)
            }
        }
    }

    /// Whether the model can be run on the integers of a batch, `[batch][inputs]`: on whole samples, and if it reads tokens
    /// on those of its vocabulary alone.
    pub fn check_input(&self, input: &[i8]) -> Result<(), ModelError> {
        whole_samples(input.len(), self.inputs())?;
        let Encoding::Tokens { vocabulary } = self.input.encoding else {
            return Ok(());
        };
        let mut tokens = input.chunks_exact(2).map(token);
        match tokens.position(|token| token.is_none_or(|token| token >= vocabulary as usize)) {
            Some(index) => Err(ModelError::Token { index }),
            None => Ok(()),
        }
    }

    /// Reads the final accumulators `[batch][outputs]`; an incomplete last row is ignored.
    pub fn dequantise(&self, out: &[i32]) -> Values {
        // In f64 the product is exact up to the last rounding: accumulators have up to 31 bits.
        let real = |acc: i32| (f64::from(acc) * f64::from(self.output.scale)) as f32;
        let rows = out.chunks_exact(self.outputs().max(1));
        match &self.output.head {
            Head::Values => Values::Float(rows.flatten().map(|&acc| real(acc)).collect()),
            Head::Relu => Values::Float(rows.flatten().map(|&acc| real(acc.max(0))).collect()),
            Head::ArgMax { .. } => Values::Class(self.classes(out)),
        }
    }

    /// Number of outputs of one answer: those of a position where the output is a sequence `[positions, width]` without
    /// labels, otherwise all of a sample's.
    pub fn answer_width(&self) -> usize {
        let width = match (&self.output.head, self.output.shape.as_slice()) {
            (Head::Values | Head::Relu, &[_, width]) => width as usize,
            _ => self.outputs(),
        };
        width.max(1)
    }

    /// The classes of final accumulators `[batch][outputs]`, one for each answer: the first largest one's label, or its
    /// index where the model has no labels. An incomplete last answer is ignored.
    pub fn classes(&self, out: &[i32]) -> Vec<i64> {
        let class = |row: &[i32]| {
            let largest = row.iter().max()?;
            let index = row.iter().position(|acc| acc == largest)?;
            match &self.output.head {
                Head::ArgMax { labels } => labels.get(index).copied(),
                Head::Values | Head::Relu => Some(index as i64),
            }
        };
        let answers = out.chunks_exact(self.answer_width());
        answers.filter_map(class).collect()
    }
}

impl Ranks {
    /// The integer for a value; `None` for a missing one if that is refused.
    pub fn rank(&self, value: f32) -> Option<i8> {
        let value = f64::from(value);
        let below = match (value.is_nan(), self.missing) {
            (true, None) => return None,
            (true, Some(Missing::Low)) => 0,
            (true, Some(Missing::High)) => self.thresholds.len(),
            (false, _) => self
                .thresholds
                .partition_point(|threshold| *threshold <= value),
        };
        Some((below as i64 - 128).clamp(i8::MIN.into(), i8::MAX.into()) as i8)
    }
}

/// The whole number that a value is, if it is below `end`.
fn whole_below(value: f32, end: u32) -> Option<u16> {
    let whole = value.fract() == 0.0 && (0.0..end as f32).contains(&value);
    u16::try_from(value as u32).ok().filter(|_| whole)
}

/// The integers for a token: its upper and its lower byte, each less 128.
fn token_bytes(token: u16) -> [i8; 2] {
    token
        .to_be_bytes()
        .map(|byte| (i16::from(byte) - 128) as i8)
}

/// The token that two integers stand for; `None` if these are no bytes less 128.
pub(crate) fn token<T: Copy + Into<i32>>(bytes: &[T]) -> Option<usize> {
    let &[upper, lower] = bytes else { return None };
    let byte = |value: T| u8::try_from(value.into().checked_add(128)?).ok();
    Some(u16::from_be_bytes([byte(upper)?, byte(lower)?]).into())
}

fn whole_samples(found: usize, sample: usize) -> Result<(), ModelError> {
    match sample > 0 && found > 0 && found.is_multiple_of(sample) {
        true => Ok(()),
        false => Err(ModelError::InputLength { found, sample }),
    }
}
