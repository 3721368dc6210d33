//! Linear maps as the rows of a sparse matrix: a value and its weights to a block of outputs.

use std::collections::HashMap;

use ciro_zkml_air::{Kind, CONSTANT_ADDRESS};
use ciro_zkml_model::{self as model, Conv, Map, Model, Node, Op};
use stwo::core::fields::m31::BaseField;

use super::{column, signed_column, Memory, Table};

/// Fewest and most outputs of a block, as logarithms.
const LOG_LANES: (u32, u32) = (4, 6);

/// The rows of the component and the blocks of outputs that they add to.
pub(crate) struct Linear {
    /// Outputs of a block.
    pub lanes: usize,
    /// The address that each row reads.
    pub addresses: Vec<u32>,
    poles: Vec<u32>,
    /// One column a lane.
    weights: Vec<Vec<i32>>,
    /// Block and lane of each output of each node.
    places: HashMap<usize, Vec<(u32, u32)>>,
    next_pole: u32,
    last_node: usize,
}

impl Linear {
    /// No rows. The last node's blocks have the first poles, so that the verifier can name them.
    pub fn new(model: &Model) -> Self {
        let maps = model
            .nodes
            .iter()
            .filter(|node| matches!(node.op, Op::Linear(_)));
        let widest = maps
            .map(Node::elements)
            .max()
            .unwrap_or(1)
            .max(model.outputs());
        let (fewest, most) = LOG_LANES;
        let lanes = 1 << widest.next_power_of_two().ilog2().clamp(fewest, most);
        Self {
            lanes,
            addresses: Vec::new(),
            poles: Vec::new(),
            weights: vec![Vec::new(); lanes],
            places: HashMap::new(),
            next_pole: model.outputs().div_ceil(lanes) as u32,
            last_node: model.nodes.len().saturating_sub(1),
        }
    }

    /// Block and lane of an output.
    pub fn place(&self, node: usize, element: usize) -> (u32, u32) {
        self.places[&node][element]
    }

    /// Adds the rows of node `index`, whose sources are at the given addresses.
    pub(super) fn add(
        &mut self,
        model: &Model,
        index: usize,
        linear: &model::Linear,
        sources: &[&[u32]],
        memory: &mut Memory,
    ) {
        let node = &model.nodes[index];
        let channel = linear.channels(&node.shape);
        let blocks = match linear.maps.as_slice() {
            [Map::Conv(conv)] if index != self.last_node => conv_blocks(node, conv, self.lanes),
            _ => runs(node.elements(), self.lanes),
        };
        let shapes: Vec<Vec<u32>> = node
            .sources
            .iter()
            .filter_map(|source| model.tensor_shape(*source as usize))
            .collect();
        let mut places = vec![(0, 0); node.elements()];
        for (number, outputs) in blocks.into_iter().enumerate() {
            let pole = self.pole(index, number);
            let mut block = Block::new(self.lanes);
            for (lane, &output) in outputs.iter().enumerate() {
                places[output] = (pole, lane as u32);
                // A requantised output has its bias in its own row.
                if linear.requant.is_none() {
                    block.row(CONSTANT_ADDRESS)[lane] = linear.bias[channel(output)];
                }
            }
            for ((map, source), shape) in linear.maps.iter().zip(sources).zip(&shapes) {
                match map {
                    Map::Dense(weights) => {
                        block.dense(
                            weights,
                            node,
                            &outputs,
                            source,
                            shape[shape.len() - 1] as usize,
                        );
                    }
                    Map::Conv(conv) => block.conv(conv, node, &outputs, source, shape),
                    Map::Scale(weights) => {
                        for (lane, &output) in outputs.iter().enumerate() {
                            block.row(source[output])[lane] += i32::from(weights[channel(output)]);
                        }
                    }
                }
            }
            self.push(pole, block, memory);
        }
        self.places.insert(index, places);
    }

    /// Adds constants to the outputs of the last node.
    pub(super) fn add_constants(&mut self, constants: &[i32], memory: &mut Memory) {
        for (pole, constants) in (0..).zip(constants.chunks(self.lanes)) {
            let mut block = Block::new(self.lanes);
            block.row(CONSTANT_ADDRESS)[..constants.len()].copy_from_slice(constants);
            self.push(pole, block, memory);
        }
    }

    fn pole(&mut self, node: usize, block: usize) -> u32 {
        if node == self.last_node {
            return block as u32;
        }
        self.next_pole += 1;
        self.next_pole - 1
    }

    /// Appends a block's rows, but those without any weight.
    fn push(&mut self, pole: u32, block: Block, memory: &mut Memory) {
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
struct Block {
    lanes: usize,
    addresses: Vec<u32>,
    /// Row-major `[addresses][lanes]`.
    weights: Vec<i32>,
    index: HashMap<u32, usize>,
}

impl Block {
    fn new(lanes: usize) -> Self {
        Self {
            lanes,
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

    /// A matrix product along the last axis, of length `inputs`.
    fn dense(
        &mut self,
        weights: &[i8],
        node: &Node,
        outputs: &[usize],
        source: &[u32],
        inputs: usize,
    ) {
        let width = weights.len() / inputs;
        debug_assert_eq!(node.elements() % width, 0);
        let mut lane = 0;
        for outputs in outputs.chunk_by(|a, b| a / width == b / width) {
            let from = outputs[0] / width * inputs;
            for (input, weights) in weights.chunks_exact(width).enumerate() {
                let row = &mut self.row(source[from + input])[lane..];
                for (sum, output) in row.iter_mut().zip(outputs) {
                    *sum += i32::from(weights[output % width]);
                }
            }
            lane += outputs.len();
        }
    }

    fn conv(&mut self, conv: &Conv, node: &Node, outputs: &[usize], source: &[u32], image: &[u32]) {
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
                    let row = self.row(source[(group * per_group + channel) * plane + pixel]);
                    for &(lane, output) in &lanes {
                        row[lane] +=
                            i32::from(conv.weights[(output * per_group + channel) * kernel + tap]);
                    }
                }
            }
        }
    }
}

/// Blocks of consecutive outputs.
fn runs(outputs: usize, lanes: usize) -> Vec<Vec<usize>> {
    let all: Vec<usize> = (0..outputs).collect();
    all.chunks(lanes).map(<[usize]>::to_vec).collect()
}

/// Blocks of neighbouring positions and channels of an image, of the shape that needs the fewest rows.
fn conv_blocks(node: &Node, conv: &Conv, lanes: usize) -> Vec<Vec<usize>> {
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
                        block.extend((left..width.min(left + w)).map(|x| (row + x) as usize));
                    }
                }
                blocks.push(block);
            }
        }
    }
    blocks
}
