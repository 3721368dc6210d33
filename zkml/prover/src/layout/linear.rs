//! Linear maps as the rows of a sparse matrix: a value and its weights to a block of outputs.

use std::collections::HashMap;

use ciro_zkml_air::{Kind, CONSTANT_ADDRESS};
use ciro_zkml_model::{self as model, Conv, Map, Model, Node, Op};
use stwo::core::fields::m31::BaseField;

use super::words::{self, Place, Words};
use super::{column, signed_column, Memory, Table};

/// Fewest and most outputs of a block, as logarithms. More of them make fewer rows, but more columns to open.
const LOG_LANES: (u32, u32) = (4, 6);
/// The same for models with [`MANY`] parameters, whose proofs' time is all rows.
const LOG_LANES_OF_MANY: (u32, u32) = (4, 7);
const MANY: usize = 1 << 25;

/// The rows of the component.
pub(crate) struct Linear {
    /// Outputs of a block.
    pub lanes: usize,
    /// The address that each row reads.
    pub addresses: Vec<u32>,
    poles: Vec<u32>,
    /// One column a lane.
    weights: Vec<Vec<i32>>,
}

/// As many outputs to a block as the model has use for.
pub(super) fn lanes(model: &Model) -> usize {
    let maps = model
        .nodes
        .iter()
        .filter(|node| matches!(node.op, Op::Linear(_)));
    let widest = maps
        .map(Node::elements)
        .max()
        .unwrap_or(1)
        .max(model.outputs());
    let (fewest, most) = match model.parameters() < MANY {
        true => LOG_LANES,
        false => LOG_LANES_OF_MANY,
    };
    1 << widest.next_power_of_two().ilog2().clamp(fewest, most)
}

impl Linear {
    /// No rows.
    pub fn new(lanes: usize) -> Self {
        Self {
            lanes,
            addresses: Vec::new(),
            poles: Vec::new(),
            weights: vec![Vec::new(); lanes],
        }
    }

    /// Adds the rows of a block of node `index`, which has the given pole.
    pub(super) fn add(
        &mut self,
        (model, words): (&Model, &Words),
        index: usize,
        linear: &model::Linear,
        (outputs, pole): (&words::Block, u32),
        memory: &mut Memory,
    ) {
        let node = &model.nodes[index];
        let channel = linear.channels(&node.shape);
        let mut block = Block::new(self.lanes, words);
        let lanes = outputs.elements.chunks(words.positions);
        // All positions of a lane read the same words and meet the same weights.
        let first: Vec<usize> = lanes.clone().map(|lane| lane[0] as usize).collect();
        // A requantised word of one channel has its bias in its own row.
        if linear.requant.is_none() || outputs.turned {
            for (lane, elements) in lanes.clone().enumerate() {
                block.constant(
                    lane,
                    elements
                        .iter()
                        .map(|element| linear.bias[channel(*element as usize)]),
                );
            }
        }
        for (map, source) in linear.maps.iter().zip(&node.sources) {
            let shape = model.tensor_shape(*source as usize).unwrap_or_default();
            let places = &words.places[*source as usize];
            match map {
                Map::Dense(weights) => {
                    let inputs = shape.last().map_or(1, |axis| *axis as usize);
                    block.dense(weights, &first, places, inputs);
                }
                Map::Conv(conv) => block.conv(conv, node, &first, places, &shape),
                Map::Scale(weights) => {
                    for (lane, elements) in lanes.clone().enumerate() {
                        let weight = i32::from(weights[channel(first[lane])]);
                        block.scale(lane, elements, weight, places);
                    }
                }
            }
        }
        self.push(pole, block, memory);
    }

    /// Adds what stands beside products: `bias[row][column]` for the elements of a block.
    pub(super) fn add_bias(
        &mut self,
        words: &Words,
        bias: &[i32],
        (outputs, pole): (&words::Block, u32),
        memory: &mut Memory,
    ) {
        let mut block = Block::new(self.lanes, words);
        for (lane, elements) in outputs.elements.chunks(words.positions).enumerate() {
            block.constant(
                lane,
                elements
                    .iter()
                    .map(|element| bias[*element as usize % bias.len()]),
            );
        }
        self.push(pole, block, memory);
    }

    /// Adds constants to the outputs of the last node.
    pub(super) fn add_constants(&mut self, words: &Words, constants: &[i32], memory: &mut Memory) {
        for (pole, constants) in (0..).zip(constants.chunks(self.lanes)) {
            let mut block = Block::new(self.lanes, words);
            block.row(CONSTANT_ADDRESS)[..constants.len()].copy_from_slice(constants);
            self.push(pole, block, memory);
        }
    }

    /// Appends a block's rows, but those without any weight.
    fn push(&mut self, pole: u32, block: Block<'_>, memory: &mut Memory) {
        for (address, weights) in block.addresses.iter().zip(block.weights.chunks(self.lanes)) {
            if weights.iter().all(|weight| *weight == 0) {
                continue;
            }
            memory.read(*address);
            self.addresses.push(*address);
            self.poles.push(pole);
            for (lane, weight) in self.weights.iter_mut().zip(weights) {
                lane.push(*weight);
            }
        }
    }

    /// The columns.
    pub(super) fn table(&mut self) -> Table {
        let mut columns: Vec<Vec<BaseField>> = vec![
            column(self.addresses.iter().copied()),
            column(std::mem::take(&mut self.poles)),
        ];
        for lane in &mut self.weights {
            columns.push(signed_column(std::mem::take(lane)));
        }
        Table::new(Kind::Linear, "weights", columns)
    }
}

/// The rows of one block of outputs.
struct Block<'a> {
    lanes: usize,
    words: &'a Words,
    addresses: Vec<u32>,
    /// Row-major `[addresses][lanes]`.
    weights: Vec<i32>,
    index: HashMap<u32, usize>,
}

impl<'a> Block<'a> {
    fn new(lanes: usize, words: &'a Words) -> Self {
        Self {
            lanes,
            words,
            addresses: Vec::new(),
            weights: Vec::new(),
            index: HashMap::new(),
        }
    }

    /// The weights that the value at `address` meets.
    fn row(&mut self, address: u32) -> &mut [i32] {
        let at = *self.index.entry(address).or_insert_with(|| {
            self.addresses.push(address);
            self.weights.resize(self.addresses.len() * self.lanes, 0);
            self.addresses.len() - 1
        });
        &mut self.weights[at * self.lanes..][..self.lanes]
    }

    /// Adds a value for each position to the output in `lane`.
    fn constant(&mut self, lane: usize, values: impl Iterator<Item = i32>) {
        let values: Vec<i32> = values.collect();
        if values.iter().all(|value| *value == values[0]) {
            self.row(CONSTANT_ADDRESS)[lane] += values[0];
            return;
        }
        for (position, value) in values.into_iter().enumerate() {
            self.row(self.words.unit(position))[lane] += value;
        }
    }

    /// Adds the values at the same `elements` of a source, times a weight.
    fn scale(&mut self, lane: usize, elements: &[u32], weight: i32, source: &[Place]) {
        match source[elements[0] as usize] {
            Place::Whole(address) | Place::At { address, .. } => self.row(address)[lane] += weight,
            Place::Constant(_) => {
                let value = |element: &u32| match source[*element as usize] {
                    Place::Constant(value) => weight * i32::from(value),
                    _ => unreachable!("a tensor is constant in all its elements"),
                };
                self.constant(lane, elements.iter().map(value));
            }
        }
    }

    /// A matrix product along the last axis, of length `inputs`.
    fn dense(&mut self, weights: &[i8], outputs: &[usize], source: &[Place], inputs: usize) {
        let width = weights.len() / inputs;
        let mut lane = 0;
        for outputs in outputs.chunk_by(|a, b| a / width == b / width) {
            let from = outputs[0] / width * inputs;
            for (input, weights) in weights.chunks_exact(width).enumerate() {
                let row = &mut self.row(source[from + input].address())[lane..];
                for (sum, output) in row.iter_mut().zip(outputs) {
                    *sum += i32::from(weights[output % width]);
                }
            }
            lane += outputs.len();
        }
    }

    fn conv(
        &mut self,
        conv: &Conv,
        node: &Node,
        outputs: &[usize],
        source: &[Place],
        image: &[u32],
    ) {
        let (&[channels_out, height, width], &[channels, image_height, image_width]) =
            (node.shape.as_slice(), image)
        else {
            unreachable!("a validated convolution reads and makes images")
        };
        let (plane_out, plane) = (
            (height * width) as usize,
            (image_height * image_width) as usize,
        );
        let kernel = (conv.window.kernel[0] * conv.window.kernel[1]) as usize;
        let per_group = (channels / conv.groups) as usize;
        let outputs_per_group = (channels_out / conv.groups) as usize;
        // Outputs at one position of one group read the same pixels.
        let key = |output: usize| (output / plane_out / outputs_per_group, output % plane_out);
        let mut lanes: HashMap<(usize, usize), Vec<(usize, usize)>> = HashMap::new();
        for (lane, &output) in outputs.iter().enumerate() {
            lanes
                .entry(key(output))
                .or_default()
                .push((lane, output / plane_out));
        }
        let mut lanes: Vec<_> = lanes.into_iter().collect();
        lanes.sort_unstable();
        for ((group, position), lanes) in lanes {
            let at = [position as u32 / width, position as u32 % width];
            for (tap, pixel) in conv.window.taps(at, [image_height, image_width]) {
                for channel in 0..per_group {
                    let pixel = source[(group * per_group + channel) * plane + pixel];
                    let row = self.row(pixel.address());
                    for &(lane, output) in &lanes {
                        row[lane] +=
                            i32::from(conv.weights[(output * per_group + channel) * kernel + tap]);
                    }
                }
            }
        }
    }
}

/// Blocks of neighbouring positions and channels of an image, of the shape that needs the fewest rows.
pub(super) fn conv_blocks(node: &Node, conv: &Conv, lanes: usize) -> Vec<Vec<u32>> {
    let &[channels, height, width] = node.shape.as_slice() else {
        unreachable!("a validated convolution makes images")
    };
    let lanes = lanes as u32;
    let per_group = channels / conv.groups;
    let rows = |[c, h, w]: [u32; 3]| {
        let reach = |size: u32, axis: usize| {
            (size - 1) * conv.window.strides[axis]
                + (conv.window.kernel[axis] - 1) * conv.window.dilations[axis]
                + 1
        };
        let groups = c.div_ceil(per_group);
        let blocks = channels.div_ceil(c) * height.div_ceil(h) * width.div_ceil(w);
        u64::from(blocks) * u64::from(groups) * u64::from(reach(h, 0)) * u64::from(reach(w, 1))
    };
    let shapes = (1..=channels.min(lanes))
        .flat_map(|c| (1..=height.min(lanes / c)).map(move |h| [c, h, width.min(lanes / (c * h))]));
    let [c, h, w] = shapes.min_by_key(|shape| rows(*shape)).unwrap_or([1, 1, 1]);
    let mut blocks = Vec::new();
    for first in (0..channels).step_by(c as usize) {
        for top in (0..height).step_by(h as usize) {
            for left in (0..width).step_by(w as usize) {
                let mut block = Vec::new();
                for channel in first..channels.min(first + c) {
                    for y in top..height.min(top + h) {
                        let row = (channel * height + y) * width;
                        block.extend((left..width.min(left + w)).map(|x| row + x));
                    }
                }
                blocks.push(block);
            }
        }
    }
    blocks
}
