//! The types of a model, and the agreement of their shapes.

use codec::{Decode, Encode};

use crate::ModelError;

/// Longest model name, in bytes of UTF-8.
pub const MAX_NAME_BYTES: usize = 64;
/// Most weights and biases of a model together.
pub const MAX_PARAMETERS: u64 = 1 << 26;
/// Most axes of an input or output shape.
pub const MAX_RANK: usize = 8;

/// A quantised feed-forward model.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Model {
    /// Name for people, at most [`MAX_NAME_BYTES`] bytes; not part of the model's identity.
    pub name: String,
    /// Proof preset, 0 = fast or 1 = chain; part of the model's identity. The prover checks it.
    pub preset: u8,
    /// How a sample becomes integers.
    pub input: Input,
    /// The layers, at least one. All but the last are requantised.
    pub layers: Vec<Dense>,
    /// What the last accumulators mean.
    pub output: Output,
}

/// The input of a model: `q = clamp(round_ties_even(x / scale) + zero_point, -128, 127)`, the division in `f32`.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Input {
    /// Shape of one sample, without the batch axis; row-major.
    pub shape: Vec<u32>,
    /// Real value of one step, positive.
    pub scale: f32,
    /// The integer that stands for 0.0.
    pub zero_point: i8,
}

/// A dense layer.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Dense {
    /// Number of inputs, at least 1.
    pub inputs: u32,
    /// Number of outputs, at least 1.
    pub outputs: u32,
    /// Weights, row-major `[inputs][outputs]`.
    pub weights: Vec<i8>,
    /// Biases `[outputs]` at the accumulator's scale, the zero point of the input already folded in.
    pub bias: Vec<i32>,
    /// What turns accumulators into the next layer's inputs; `None` in the last layer.
    pub requant: Option<Requant>,
}

/// Rescaling of accumulators to activations: `activation(floor((acc * m + 2^(SHIFT-1)) / 2^SHIFT))`.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Requant {
    /// Multiplier `m` of every output, at least 1.
    pub multipliers: Vec<u32>,
    /// The function applied after the rescaling.
    pub activation: Activation,
}

/// The function between two layers. It saturates, so the next layer's inputs have a fixed range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Activation {
    /// `clamp(q, -128, 127)`.
    #[codec(index = 0)]
    Identity,
    /// `clamp(q, 0, 255)`.
    #[codec(index = 1)]
    Relu,
}

impl Activation {
    /// Smallest and largest value.
    pub const fn range(self) -> (i32, i32) {
        match self {
            Activation::Identity => (-128, 127),
            Activation::Relu => (0, 255),
        }
    }

    /// The activation of a requantised accumulator.
    pub fn apply(self, q: i32) -> i32 {
        let (low, high) = self.range();
        q.clamp(low, high)
    }
}

/// The output of a model.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Output {
    /// Shape of one sample's accumulators, without the batch axis; row-major.
    pub shape: Vec<u32>,
    /// Real value of one accumulator step, positive. One scale for all outputs, so that the largest integer is the
    /// largest real value.
    pub scale: f32,
    /// What is read from the accumulators.
    pub head: Head,
}

/// What is read, in the clear, from the public accumulators.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Head {
    /// The values themselves.
    #[codec(index = 0)]
    Values,
    /// The values, negative ones replaced by 0.
    #[codec(index = 1)]
    Relu,
    /// The label of the first largest value.
    #[codec(index = 2)]
    ArgMax {
        /// One label per output.
        labels: Vec<i64>,
    },
}

impl Model {
    /// Binary places by which a requantisation shifts right.
    pub const SHIFT: u32 = 12;

    /// Number of values of one input sample; 0 if the model has no layers.
    pub fn inputs(&self) -> usize {
        self.layers.first().map_or(0, |layer| layer.inputs as usize)
    }

    /// Number of accumulators of one output sample; 0 if the model has no layers.
    pub fn outputs(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.outputs as usize)
    }

    /// Hash of the input's and the output's shapes, scales and meaning: what the weights do not say.
    pub fn interface(&self) -> [u8; 32] {
        use blake2::Digest;
        let mut hasher = blake2::Blake2s256::new();
        hasher.update(b"ciro/interface/1");
        hasher.update((&self.input, &self.output).encode());
        hasher.finalize().into()
    }

    /// Number of weights and biases.
    pub fn parameters(&self) -> usize {
        self.layers
            .iter()
            .map(|layer| layer.weights.len().saturating_add(layer.bias.len()))
            .sum()
    }

    /// Checks that all sizes agree, in time that does not depend on the number of weights.
    pub(crate) fn check_shapes(&self) -> Result<(), ModelError> {
        let last = self
            .layers
            .len()
            .checked_sub(1)
            .ok_or(ModelError::NoLayers)?;
        at_most(
            "the length of the name in bytes",
            self.name.len() as u64,
            MAX_NAME_BYTES as u64,
        )?;
        at_most(
            "the number of input axes",
            self.input.shape.len() as u64,
            MAX_RANK as u64,
        )?;
        at_most(
            "the number of output axes",
            self.output.shape.len() as u64,
            MAX_RANK as u64,
        )?;
        at_most(
            "the number of parameters",
            self.parameters() as u64,
            MAX_PARAMETERS,
        )?;
        positive("input", self.input.scale)?;
        positive("output", self.output.scale)?;

        let mut width = elements(&self.input.shape);
        for (index, layer) in self.layers.iter().enumerate() {
            let same = |what, expected: u64, found: u64| match expected == found {
                true => Ok(()),
                false => Err(ModelError::Shape {
                    layer: index,
                    what,
                    expected,
                    found,
                }),
            };
            let (inputs, outputs) = (u64::from(layer.inputs), u64::from(layer.outputs));
            same("the layer's input", width, inputs)?;
            same("the input axis", inputs.max(1), inputs)?;
            same("the output axis", outputs.max(1), outputs)?;
            same(
                "the weight matrix",
                inputs.saturating_mul(outputs),
                layer.weights.len() as u64,
            )?;
            same("the bias", outputs, layer.bias.len() as u64)?;
            if layer.requant.is_some() == (index == last) {
                return Err(ModelError::MisplacedRequant { layer: index });
            }
            if let Some(requant) = &layer.requant {
                same(
                    "the list of multipliers",
                    outputs,
                    requant.multipliers.len() as u64,
                )?;
            }
            width = outputs;
        }

        let same = |what, found: u64| match width == found {
            true => Ok(()),
            false => Err(ModelError::Shape {
                layer: last,
                what,
                expected: width,
                found,
            }),
        };
        same("the output shape", elements(&self.output.shape))?;
        match &self.output.head {
            Head::ArgMax { labels } => same("the list of labels", labels.len() as u64),
            Head::Values | Head::Relu => Ok(()),
        }
    }
}

/// Number of elements of a shape; saturates.
fn elements(shape: &[u32]) -> u64 {
    shape.iter().fold(1, |product: u64, &axis| {
        product.saturating_mul(u64::from(axis))
    })
}

fn at_most(what: &'static str, found: u64, limit: u64) -> Result<(), ModelError> {
    match found <= limit {
        true => Ok(()),
        false => Err(ModelError::TooLarge { what, found, limit }),
    }
}

fn positive(what: &'static str, scale: f32) -> Result<(), ModelError> {
    match scale.is_normal() && scale > 0.0 {
        true => Ok(()),
        false => Err(ModelError::Scale { what, scale }),
    }
}
