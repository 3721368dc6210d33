//! Models for tests.

use ciro_zkml_model::{Activation, Dense, Head, Input, Model, Output, Requant};

/// Deterministic pseudo-random numbers (xorshift64).
pub(crate) struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed ^ 0x2545_f491_4f6c_dd1d)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }
}

/// A model with the given layer widths and pseudo-random parameters.
pub(crate) fn model(widths: &[u32], preset: u8) -> Model {
    let mut random = Random::new(1);
    let n_layers = widths.len() - 1;
    let layers = widths.windows(2).enumerate();
    let layers = layers.map(|(index, pair)| {
        let mut parameters = |len: u32, span: usize| -> Vec<i32> {
            let offset = span as i32 / 2;
            (0..len)
                .map(|_| random.below(span) as i32 - offset)
                .collect()
        };
        let activation = match index % 2 {
            0 => Activation::Relu,
            _ => Activation::Identity,
        };
        let weights = parameters(pair[0] * pair[1], 31);
        let bias = parameters(pair[1], 2001);
        let multipliers = parameters(pair[1], 56).into_iter();
        let multipliers = multipliers.map(|m| (m + 36) as u32).collect();
        Dense {
            inputs: pair[0],
            outputs: pair[1],
            weights: weights.into_iter().map(|weight| weight as i8).collect(),
            bias,
            requant: (index + 1 < n_layers).then_some(Requant {
                multipliers,
                activation,
            }),
        }
    });
    Model {
        name: "test".into(),
        preset,
        input: Input {
            shape: vec![widths[0]],
            scale: 1.0,
            zero_point: 0,
        },
        layers: layers.collect(),
        output: Output {
            shape: vec![widths[n_layers]],
            scale: 1.0,
            head: Head::Values,
        },
    }
}

/// A batch of inputs for `model`.
pub(crate) fn input(model: &Model, batch: usize) -> Vec<i8> {
    let mut random = Random::new(2);
    (0..model.inputs() * batch)
        .map(|_| random.below(256) as u8 as i8)
        .collect()
}
