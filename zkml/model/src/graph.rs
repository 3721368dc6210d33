//! The types of a model: a graph of integer tensors.

use codec::{Decode, Encode};

use crate::Trees;

/// Longest model name, in bytes of UTF-8.
pub const MAX_NAME_BYTES: usize = 64;
/// Most weights, biases, constants and tree nodes of a model together.
pub const MAX_PARAMETERS: u64 = 1 << 28;
/// Most values of a tensor.
pub const MAX_ELEMENTS: u64 = 1 << 26;
/// Most values of all tensors of a sample together.
pub const MAX_VALUES: u64 = 1 << 28;
/// Most nodes of a graph, and most sources of a node.
pub const MAX_NODES: u64 = 1 << 12;
/// Most axes of a shape.
pub const MAX_RANK: usize = 8;

/// A quantised feed-forward model.
///
/// Tensor 0 is the input; the node at index `i` makes tensor `i + 1` from earlier ones. The last node's accumulators are
/// the output.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Model {
    /// Name for people, at most [`MAX_NAME_BYTES`] bytes; not part of the model's identity.
    pub name: String,
    /// Proof preset, 0 = fast, 1 = chain, 2 = proven; part of the model's identity. The prover checks it.
    pub preset: u8,
    /// How a sample becomes integers.
    pub input: Input,
    /// The operations, in the order of their evaluation; at least one.
    pub nodes: Vec<Node>,
    /// What the last accumulators mean.
    pub output: Output,
}

/// The input of a model.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Input {
    /// Shape of one sample of real values, without the batch axis; row-major.
    pub shape: Vec<u32>,
    /// How the real values become integers of 8 bits.
    pub encoding: Encoding,
}

/// From real values to integers of 8 bits.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub enum Encoding {
    /// Each value `x` becomes `clamp(round_ties_even(x / scale) + zero_point, -128, 127)`, the division in `f32`.
    #[codec(index = 0)]
    Affine {
        /// Real value of one step, positive.
        scale: f32,
        /// The integer that stands for 0.0.
        zero_point: i8,
    },
    /// Each integer says where a value stands among thresholds: all that decision trees ask of it, without rounding.
    #[codec(index = 1)]
    Ranks(Vec<Ranks>),
    /// Each value is a token, a whole number from 0 and below the vocabulary's size (at most 2^16), and becomes its upper
    /// and its lower byte, each less 128. Only an [`Embedding`] reads them.
    #[codec(index = 2)]
    Tokens {
        /// Number of tokens.
        vocabulary: u32,
    },
}

/// An integer input made from the value of one column: the number of thresholds at or below it, less 128.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Ranks {
    /// The column, an index into the sample.
    pub column: u32,
    /// Ascending, finite, at most 255. Compared in `f64`, to which `f32` values widen exactly.
    pub thresholds: Vec<f64>,
    /// What a missing value (NaN) counts as; refused if `None`.
    pub missing: Option<Missing>,
}

/// Which way a missing value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Missing {
    /// Below every threshold.
    #[codec(index = 0)]
    Low,
    /// Above every threshold.
    #[codec(index = 1)]
    High,
}

/// An operation on earlier tensors.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Node {
    /// The tensors that it reads, by index; each is earlier than this node's own.
    pub sources: Vec<u32>,
    /// Shape of the tensor that it makes, without the batch axis; row-major.
    pub shape: Vec<u32>,
    /// What it computes.
    pub op: Op,
}

/// What a node computes.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub enum Op {
    /// A sum of linear maps, one a source, and what follows it.
    #[codec(index = 0)]
    Linear(Linear),
    /// The largest value in each window of an image `[channels, height, width]`; positions outside do not count.
    #[codec(index = 1)]
    MaxPool(Window),
    /// Elements of the sources, laid end to end, by index: every movement of data.
    #[codec(index = 2)]
    Select(Vec<u32>),
    /// Decision trees. Only as the last node.
    #[codec(index = 3)]
    Trees(Trees),
    /// Products of the matrices in two tensors. Not as the last node.
    #[codec(index = 4)]
    Product(Product),
    /// The largest value along the last axis, which becomes 1 long.
    #[codec(index = 5)]
    Max,
    /// The same tensor for every sample, without sources; magnitudes stay below 2^15. Read by linear nodes, and by products
    /// as the first factor if its values are 0 and 1.
    #[codec(index = 6)]
    Constant(Vec<i16>),
    /// The table's row of each token.
    #[codec(index = 7)]
    Embedding(Embedding),
}

/// `acc = A·B + bias` for the matrices in the last two axes of two tensors, `[.., M, K]` and `[.., K, N]`, whose other axes
/// agree, and what follows.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Product {
    /// Added to each product, row-major `[M][N]`; empty for none.
    pub bias: Vec<i32>,
    /// With one multiplier for all.
    pub requant: Requant,
}

/// A table with a row for each token of the vocabulary: from `[.., 2]`, the bytes of tokens, to `[.., width]`.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Embedding {
    /// Row-major `[vocabulary][width]`; magnitudes stay below 2^15.
    pub table: Vec<i16>,
}

/// A linear map of one or more tensors: `acc = bias + sum_s map_s(source_s)`.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Linear {
    /// One map for each source.
    pub maps: Vec<Map>,
    /// The axis of the shape along which channels lie: biases and multipliers have one value for each.
    pub channel_axis: u32,
    /// Biases at the accumulator's scale, zero points already folded in.
    pub bias: Vec<i32>,
    /// What turns accumulators into the next nodes' inputs; `None` in the last node, and only there.
    pub requant: Option<Requant>,
}

/// A linear map with weights of 8 bits.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub enum Map {
    /// A matrix product along the last axis, weights row-major `[inputs][outputs]`.
    #[codec(index = 0)]
    Dense(Vec<i8>),
    /// A convolution of an image.
    #[codec(index = 1)]
    Conv(Conv),
    /// Each value times the weight of its channel.
    #[codec(index = 2)]
    Scale(Vec<i8>),
}

/// A two-dimensional convolution: `[channels, height, width]` to `[outputs, height', width']`.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Conv {
    /// The window; positions outside the image count as 0.
    pub window: Window,
    /// Groups of channels that do not mix, at least 1.
    pub groups: u32,
    /// Weights, row-major `[outputs][channels / groups][kernel height][kernel width]`.
    pub weights: Vec<i8>,
}

/// A window that moves over an image; of each pair the vertical part comes first.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Window {
    /// Height and width.
    pub kernel: [u32; 2],
    /// Steps between windows.
    pub strides: [u32; 2],
    /// Steps within a window.
    pub dilations: [u32; 2],
    /// Positions added at the top, left, bottom and right.
    pub pads: [u32; 4],
}

/// Rescaling of accumulators to activations: `activation(floor((acc * m + 2^(SHIFT-1)) / 2^SHIFT))`.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Requant {
    /// Multiplier `m` of every channel, at least 1.
    pub multipliers: Vec<u32>,
    /// The function applied after the rescaling.
    pub activation: Activation,
}

/// The function between two layers. It saturates, so the next layer's inputs have a fixed range.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Activation {
    /// `clamp(q, low, high)`, with `low` 0 or below and `high` 0 or above; magnitudes stay below 2^15.
    #[codec(index = 0)]
    Clamp {
        /// The smallest value.
        low: i16,
        /// The largest value.
        high: i16,
    },
    /// Any other function, by its values.
    #[codec(index = 1)]
    Curve(Curve),
}

/// A function of integers by its values, constant outside them.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Curve {
    /// The argument of the first value, 0 or below.
    pub first: i32,
    /// Values for consecutive arguments up to 0 or beyond, at most 2^16; magnitudes stay below 2^15.
    pub values: Vec<i16>,
}

impl Activation {
    /// To 8 bits with a sign.
    pub const IDENTITY: Self = Self::Clamp {
        low: -128,
        high: 127,
    };
    /// To 8 bits without a sign.
    pub const RELU: Self = Self::Clamp { low: 0, high: 255 };

    /// Smallest and largest value.
    pub fn range(&self) -> (i32, i32) {
        match self {
            Activation::Clamp { low, high } => ((*low).into(), (*high).into()),
            Activation::Curve(curve) => {
                let values = || curve.values.iter().map(|&value| i32::from(value));
                (values().min().unwrap_or(0), values().max().unwrap_or(0))
            }
        }
    }

    /// The activation of a requantised accumulator.
    pub fn apply(&self, q: i32) -> i32 {
        match self {
            // Written out, as `clamp` panics where `low` is above `high`.
            Activation::Clamp { low, high } => q.max((*low).into()).min((*high).into()),
            Activation::Curve(curve) => {
                let last = curve.values.len().saturating_sub(1);
                let at = i64::from(q) - i64::from(curve.first);
                let value = curve.values.get(at.clamp(0, last as i64) as usize);
                value.map_or(0, |&value| value.into())
            }
        }
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

    /// Number of integers of one input sample.
    pub fn inputs(&self) -> usize {
        match &self.input.encoding {
            Encoding::Affine { .. } => self.columns(),
            Encoding::Ranks(ranks) => ranks.len(),
            Encoding::Tokens { .. } => self.columns().saturating_mul(2),
        }
    }

    /// Number of real values of one input sample.
    pub fn columns(&self) -> usize {
        elements(&self.input.shape) as usize
    }

    /// Number of accumulators of one output sample; 0 if the model has no nodes.
    pub fn outputs(&self) -> usize {
        let last = self.nodes.last();
        last.map_or(0, |node| elements(&node.shape) as usize)
    }

    /// Shape of the integer tensor `index`, 0 being the input; `None` if there is none.
    pub fn tensor_shape(&self, index: usize) -> Option<Vec<u32>> {
        match (index.checked_sub(1), &self.input.encoding) {
            (Some(node), _) => self.nodes.get(node).map(|node| node.shape.clone()),
            (None, Encoding::Affine { .. }) => Some(self.input.shape.clone()),
            (None, Encoding::Ranks(ranks)) => Some(vec![ranks.len() as u32]),
            (None, Encoding::Tokens { .. }) => {
                let mut shape = self.input.shape.clone();
                shape.push(2);
                Some(shape)
            }
        }
    }

    /// Hash of the input's and the output's shapes, scales and meaning: what the weights do not say.
    pub fn interface(&self) -> [u8; 32] {
        use blake2::Digest;
        let mut hasher = blake2::Blake2s256::new();
        hasher.update(b"ciro/interface/3");
        hasher.update((&self.input, &self.output).encode());
        hasher.finalize().into()
    }

    /// Number of weights, biases, constants and tree nodes.
    pub fn parameters(&self) -> usize {
        self.nodes.iter().map(Node::parameters).sum()
    }
}

impl Node {
    /// Number of values that it makes for a sample; saturates.
    pub fn elements(&self) -> usize {
        elements(&self.shape) as usize
    }

    /// What turns its accumulators into a tensor; `None` where it has no accumulators or ends in them.
    pub fn requant(&self) -> Option<&Requant> {
        match &self.op {
            Op::Linear(linear) => linear.requant.as_ref(),
            Op::Product(product) => Some(&product.requant),
            _ => None,
        }
    }

    /// Number of weights, biases, constants and tree nodes.
    pub fn parameters(&self) -> usize {
        match &self.op {
            Op::Linear(linear) => {
                let weights = linear.maps.iter().map(|map| map.weights().len());
                weights.sum::<usize>().saturating_add(linear.bias.len())
            }
            Op::Trees(trees) => trees.trees.iter().map(|tree| tree.nodes.len()).sum(),
            Op::Product(product) => product.bias.len(),
            Op::Constant(values) => values.len(),
            Op::Embedding(embedding) => embedding.table.len(),
            Op::MaxPool(_) | Op::Select(_) | Op::Max => 0,
        }
    }
}

impl Linear {
    /// The channel of each element of `shape`: elements come in runs of one channel, in turn.
    pub fn channels(&self, shape: &[u32]) -> impl Fn(usize) -> usize {
        let axis = self.channel_axis as usize;
        let run = elements(shape.get(axis.saturating_add(1)..).unwrap_or(&[])).max(1) as usize;
        let channels = self.bias.len().max(1);
        move |element| element / run % channels
    }
}

impl Map {
    /// The weights.
    pub fn weights(&self) -> &[i8] {
        match self {
            Map::Dense(weights) | Map::Scale(weights) => weights,
            Map::Conv(conv) => &conv.weights,
        }
    }
}

impl Window {
    /// Height and width of what a window makes of an image of `height` and `width`; `None` if it does not fit.
    pub fn output(&self, image: [u32; 2]) -> Option<[u32; 2]> {
        let [top, left, bottom, right] = self.pads;
        let along = |axis: usize, before: u32, after: u32| -> Option<u32> {
            let reach = self.kernel[axis]
                .checked_sub(1)?
                .checked_mul(self.dilations[axis])?;
            let padded = image[axis].checked_add(before)?.checked_add(after)?;
            let free = padded.checked_sub(reach.checked_add(1)?)?;
            free.checked_div(self.strides[axis])?.checked_add(1)
        };
        Some([along(0, top, bottom)?, along(1, left, right)?])
    }

    /// The positions of the window at `[y, x]` that lie inside the image: index in the kernel, index in the image.
    pub fn taps(&self, [y, x]: [u32; 2], image: [u32; 2]) -> impl Iterator<Item = (usize, usize)> {
        let [height, width] = image.map(i64::from);
        let [kernel_height, kernel_width] = self.kernel.map(i64::from);
        let [down, right] = self.dilations.map(i64::from);
        let first = |at: u32, stride: u32, pad: u32| {
            i64::from(at).saturating_mul(stride.into()) - i64::from(pad)
        };
        let top = first(y, self.strides[0], self.pads[0]);
        let left = first(x, self.strides[1], self.pads[1]);
        (0..kernel_height)
            .flat_map(move |ky| (0..kernel_width).map(move |kx| (ky, kx)))
            .filter_map(move |(ky, kx)| {
                let (row, column) = (top + ky * down, left + kx * right);
                let inside = (0..height).contains(&row) && (0..width).contains(&column);
                inside.then_some((
                    (ky * kernel_width + kx) as usize,
                    (row * width + column) as usize,
                ))
            })
    }
}

/// Number of elements of a shape; saturates.
pub(crate) fn elements(shape: &[u32]) -> u64 {
    shape.iter().fold(1, |product: u64, &axis| {
        product.saturating_mul(u64::from(axis))
    })
}
