//! The float network between the graph and its quantised form.

use ciro_zkml_model::{Activation, MAX_PARAMETERS};

use crate::ImportError;

/// A dense layer and the function after it.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    pub inputs: usize,
    pub outputs: usize,
    /// Row-major `[inputs][outputs]`.
    pub weights: Vec<f32>,
    pub bias: Vec<f32>,
    pub activation: Activation,
}

/// Dense layers, and elementwise operations that wait for the next one to absorb them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Network {
    pub layers: Vec<Layer>,
    pending: Option<Elementwise>,
}

/// `x -> scale x + offset`, by element.
#[derive(Clone, Debug)]
struct Elementwise {
    scale: Vec<f32>,
    offset: Vec<f32>,
}

impl Network {
    /// Appends a matrix product; `weights` is row-major `[inputs][outputs]`.
    pub fn matmul(
        &mut self,
        inputs: usize,
        outputs: usize,
        mut weights: Vec<f32>,
    ) -> Result<(), ImportError> {
        self.reserve(inputs, outputs)?;
        let mut bias = vec![0.0; outputs];
        if let Some(pending) = self.pending.take() {
            let rows = weights.chunks_exact_mut(outputs);
            for (row, (scale, offset)) in rows.zip(pending.scale.iter().zip(&pending.offset)) {
                for (weight, bias) in row.iter_mut().zip(&mut bias) {
                    *bias += offset * *weight;
                    *weight *= scale;
                }
            }
        }
        self.layers.push(Layer {
            inputs,
            outputs,
            weights,
            bias,
            activation: Activation::Identity,
        });
        Ok(())
    }

    /// Multiplies by one factor for every element.
    pub fn scale(&mut self, factors: &[f32]) {
        if let Some(layer) = self.absorbing() {
            for row in layer
                .weights
                .chunks_exact_mut(layer.outputs)
                .chain([layer.bias.as_mut_slice()])
            {
                row.iter_mut()
                    .zip(factors)
                    .for_each(|(value, factor)| *value *= factor);
            }
            return;
        }
        let pending = self.pending(factors.len());
        for values in [&mut pending.scale, &mut pending.offset] {
            values
                .iter_mut()
                .zip(factors)
                .for_each(|(value, factor)| *value *= factor);
        }
    }

    /// Adds one term to every element.
    pub fn offset(&mut self, terms: &[f32]) {
        let bias = match self.absorbing() {
            Some(layer) => &mut layer.bias,
            None => &mut self.pending(terms.len()).offset,
        };
        bias.iter_mut()
            .zip(terms)
            .for_each(|(value, term)| *value += term);
    }

    /// Replaces negative values by 0; `width` is the number of elements.
    pub fn relu(&mut self, width: usize) -> Result<(), ImportError> {
        if self.layers.is_empty() {
            self.pending(width);
        }
        self.flush()?;
        if let Some(layer) = self.layers.last_mut() {
            layer.activation = Activation::Relu;
        }
        Ok(())
    }

    /// Makes sure that the last layer is linear, so that a head can read its accumulators.
    pub fn end_linear(&mut self, width: usize) -> Result<(), ImportError> {
        if self.absorbing().is_none() {
            self.pending(width);
        }
        self.flush()
    }

    /// Turns pending elementwise operations into a layer of their own.
    pub fn flush(&mut self) -> Result<(), ImportError> {
        let Some(pending) = self.pending.take() else {
            return Ok(());
        };
        let width = pending.scale.len();
        self.reserve(width, width)?;
        let mut weights = vec![0.0; width * width];
        weights
            .iter_mut()
            .step_by(width + 1)
            .zip(&pending.scale)
            .for_each(|(weight, scale)| *weight = *scale);
        let (bias, activation) = (pending.offset, Activation::Identity);
        self.layers.push(Layer {
            inputs: width,
            outputs: width,
            weights,
            bias,
            activation,
        });
        Ok(())
    }

    /// Puts a constant 0 before the only output of the last layer.
    pub fn prepend_zero(&mut self) {
        if let Some(layer) = self.layers.last_mut() {
            let zero_before = |values: &[f32]| {
                values
                    .iter()
                    .flat_map(|&value| [0.0, value])
                    .collect::<Vec<_>>()
            };
            (layer.weights, layer.bias) = (zero_before(&layer.weights), zero_before(&layer.bias));
            layer.outputs = 2;
        }
    }

    /// Runs a row-major batch; returns the sums of every layer, before its activation.
    pub fn run(&self, x: &[f32]) -> Vec<Vec<f32>> {
        let mut values: Vec<Vec<f32>> = Vec::with_capacity(self.layers.len());
        let mut input = x.to_vec();
        for layer in &self.layers {
            let sums = layer.run(&input);
            input = layer.activate(sums.clone());
            values.push(sums);
        }
        values
    }

    /// Whether every weight and bias is a finite number.
    pub fn is_finite(&self) -> bool {
        self.layers.iter().all(|layer| {
            layer
                .weights
                .iter()
                .chain(&layer.bias)
                .all(|value| value.is_finite())
        })
    }

    /// The last layer, if nothing stands between it and what follows.
    fn absorbing(&mut self) -> Option<&mut Layer> {
        let linear = self.pending.is_none();
        self.layers
            .last_mut()
            .filter(|layer| linear && layer.activation == Activation::Identity)
    }

    fn pending(&mut self, width: usize) -> &mut Elementwise {
        self.pending.get_or_insert_with(|| Elementwise {
            scale: vec![1.0; width],
            offset: vec![0.0; width],
        })
    }

    /// Refuses a further layer that would make the network too large.
    fn reserve(&self, inputs: usize, outputs: usize) -> Result<(), ImportError> {
        let own: usize = self
            .layers
            .iter()
            .map(|layer| layer.weights.len() + layer.bias.len())
            .sum();
        let found = (own as u64).saturating_add(
            (inputs as u64)
                .saturating_add(1)
                .saturating_mul(outputs as u64),
        );
        match found <= MAX_PARAMETERS {
            true => Ok(()),
            false => Err(ImportError::TooLarge {
                what: "the number of parameters",
                found,
                limit: MAX_PARAMETERS,
            }),
        }
    }
}

impl Layer {
    /// The activations of a batch's sums.
    pub fn activate(&self, mut sums: Vec<f32>) -> Vec<f32> {
        if self.activation == Activation::Relu {
            sums.iter_mut().for_each(|value| *value = value.max(0.0));
        }
        sums
    }

    /// The weights of output `j`.
    pub fn column(&self, j: usize) -> impl Iterator<Item = f64> + '_ {
        self.weights
            .iter()
            .skip(j)
            .step_by(self.outputs)
            .map(|&weight| weight.into())
    }

    /// The sums of a row-major batch, before the activation.
    fn run(&self, x: &[f32]) -> Vec<f32> {
        let mut sums = Vec::with_capacity(x.len() / self.inputs * self.outputs);
        for sample in x.chunks_exact(self.inputs) {
            let mut row = self.bias.clone();
            for (&x, weights) in sample.iter().zip(self.weights.chunks_exact(self.outputs)) {
                row.iter_mut()
                    .zip(weights)
                    .for_each(|(sum, weight)| *sum += x * weight);
            }
            sums.append(&mut row);
        }
        sums
    }
}
