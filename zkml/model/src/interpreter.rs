//! The reference interpreter, and the way in and out of integers.

use crate::{bounds::rescale, Dense, Head, Model, ModelError};

/// The values of one layer, each row-major `[batch][outputs]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerTrace {
    /// Accumulators.
    pub acc: Vec<i32>,
    /// Requantised accumulators, before the activation; empty for the last layer.
    pub q: Vec<i32>,
    /// Activations, the next layer's inputs; empty for the last layer.
    pub out: Vec<i32>,
}

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
        whole_samples(x.len(), self.inputs())?;
        let zero_point = i64::from(self.input.zero_point);
        x.iter()
            .enumerate()
            .map(|(index, &value)| match value.is_finite() {
                // The cast saturates; so does the clamp that follows.
                true => {
                    let q = ((value / self.input.scale).round_ties_even() as i64)
                        .saturating_add(zero_point);
                    Ok(q.clamp(i64::from(i8::MIN), i64::from(i8::MAX)) as i8)
                }
                false => Err(ModelError::NotFinite { index }),
            })
            .collect()
    }

    /// Runs a row-major batch and returns the final accumulators `[batch][outputs]`.
    pub fn run(&self, input: &[i8]) -> Result<Vec<i32>, ModelError> {
        Ok(self
            .trace(input)?
            .pop()
            .map(|layer| layer.acc)
            .unwrap_or_default())
    }

    /// Runs a row-major batch and returns the values of every layer.
    pub fn trace(&self, input: &[i8]) -> Result<Vec<LayerTrace>, ModelError> {
        self.check_shapes()?;
        whole_samples(input.len(), self.inputs())?;
        let mut traces: Vec<LayerTrace> = Vec::with_capacity(self.layers.len());
        let input: Vec<i32> = input.iter().map(|&x| i32::from(x)).collect();
        for (index, layer) in self.layers.iter().enumerate() {
            let x = traces.last().map_or(&input, |previous| &previous.out);
            let trace = layer
                .trace(x)
                .ok_or(ModelError::Unvalidated { layer: index })?;
            traces.push(trace);
        }
        Ok(traces)
    }

    /// Reads the final accumulators `[batch][outputs]`; an incomplete last row is ignored.
    pub fn dequantise(&self, out: &[i32]) -> Values {
        // In f64 the product is exact up to the last rounding: accumulators have up to 31 bits.
        let real = |acc: i32| (f64::from(acc) * f64::from(self.output.scale)) as f32;
        let rows = out.chunks_exact(self.outputs().max(1));
        match &self.output.head {
            Head::Values => Values::Float(rows.flatten().map(|&acc| real(acc)).collect()),
            Head::Relu => Values::Float(rows.flatten().map(|&acc| real(acc.max(0))).collect()),
            Head::ArgMax { labels } => {
                Values::Class(rows.filter_map(|row| first_largest(row, labels)).collect())
            }
        }
    }
}

impl Dense {
    /// The values of this layer, or `None` if one leaves 32 bits.
    fn trace(&self, x: &[i32]) -> Option<LayerTrace> {
        let mut trace = LayerTrace {
            acc: vec![],
            q: vec![],
            out: vec![],
        };
        for sample in x.chunks_exact(self.inputs as usize) {
            let mut acc: Vec<i64> = self.bias.iter().map(|&bias| i64::from(bias)).collect();
            for (&x, row) in sample
                .iter()
                .zip(self.weights.chunks_exact(self.outputs as usize))
            {
                for (acc, &weight) in acc.iter_mut().zip(row) {
                    *acc += i64::from(weight) * i64::from(x);
                }
            }
            for &acc in &acc {
                trace.acc.push(i32::try_from(acc).ok()?);
            }
            if let Some(requant) = &self.requant {
                for (&acc, &multiplier) in acc.iter().zip(&requant.multipliers) {
                    let q = i32::try_from(rescale(acc * i64::from(multiplier))).ok()?;
                    trace.q.push(q);
                    trace.out.push(requant.activation.apply(q));
                }
            }
        }
        Some(trace)
    }
}

/// The label of the first largest value of a row.
fn first_largest(row: &[i32], labels: &[i64]) -> Option<i64> {
    let mut pairs = row.iter().zip(labels);
    let first = pairs.next()?;
    Some(
        *pairs
            .fold(
                first,
                |best, pair| if pair.0 > best.0 { pair } else { best },
            )
            .1,
    )
}

fn whole_samples(found: usize, sample: usize) -> Result<(), ModelError> {
    match sample > 0 && found > 0 && found.is_multiple_of(sample) {
        true => Ok(()),
        false => Err(ModelError::InputLength { found, sample }),
    }
}
