//! A generator of random valid models.

use std::ops::RangeInclusive;

use ciro_zkml_model::{
    Activation, Conv, Curve, Encoding, Head, Input, Linear, Map, Missing, Model, Node, Op, Output,
    Ranks, Requant, Tree, TreeNode, Trees, Window,
};
use proptest::{prelude::*, test_runner::TestRng};

/// Magnitude of biases, base values and leaves.
const BIAS: i32 = 100_000;

/// A random model with that many nodes before the last.
pub fn model(hidden: usize, rng: TestRng) -> Model {
    let mut dice = Dice(rng);
    let input = dice.input();
    let shape = match &input.encoding {
        Encoding::Affine { .. } => input.shape.clone(),
        Encoding::Ranks(ranks) => vec![ranks.len() as u32],
    };
    let mut tensors = vec![Tensor {
        shape,
        largest: 127,
    }];
    let mut nodes = Vec::new();
    for index in 0..=hidden {
        let node = match index == hidden {
            true => dice.last(&tensors),
            false => dice.hidden(&tensors),
        };
        let largest = match &node.op {
            Op::Linear(Linear { requant, .. }) => {
                let range = requant.as_ref().map(|requant| requant.activation.range());
                range.map_or(0, |(_, largest)| largest)
            }
            _ => {
                let sources = node.sources.iter().map(|&source| &tensors[source as usize]);
                sources.map(|tensor| tensor.largest).max().unwrap()
            }
        };
        let shape = node.shape.clone();
        tensors.push(Tensor { shape, largest });
        nodes.push(node);
    }
    Model {
        name: "x".repeat(dice.below(17)),
        preset: dice.in_range(0..=1) as u8,
        input,
        output: dice.output(&nodes[hidden].shape),
        nodes,
    }
}

/// What the generator knows of a tensor.
struct Tensor {
    shape: Vec<u32>,
    /// No value is larger.
    largest: i32,
}

impl Tensor {
    fn elements(&self) -> u32 {
        self.shape.iter().product()
    }

    fn image(&self) -> Option<[u32; 3]> {
        self.shape.as_slice().try_into().ok()
    }

    /// The last axis, and the product of the others.
    fn matrix(&self) -> (u32, u32) {
        let columns = *self.shape.last().unwrap();
        (columns, self.elements() / columns)
    }
}

struct Dice(TestRng);

impl Dice {
    fn in_range(&mut self, range: RangeInclusive<u32>) -> u32 {
        self.0.random_range(range)
    }

    fn below(&mut self, end: usize) -> usize {
        self.0.random_range(0..end)
    }

    /// True once in `times`.
    fn once_in(&mut self, times: u32) -> bool {
        self.0.random_ratio(1, times)
    }

    fn weights(&mut self, count: u32) -> Vec<i8> {
        (0..count).map(|_| self.0.random()).collect()
    }

    fn biases(&mut self, count: u32) -> Vec<i32> {
        let mut bias = || self.0.random_range(-BIAS..=BIAS);
        (0..count).map(|_| bias()).collect()
    }

    fn input(&mut self) -> Input {
        let shape = match self.below(5) {
            0 => vec![self.in_range(1..=8)],
            1 => vec![self.in_range(1..=3), self.in_range(1..=5)],
            _ => self.axes(3),
        };
        let encoding = match self.once_in(3) {
            true => {
                let columns = shape.iter().product();
                let ranks = self.in_range(1..=8);
                Encoding::Ranks((0..ranks).map(|_| self.ranks(columns)).collect())
            }
            false => Encoding::Affine {
                scale: self.0.random_range(1e-3..1e3),
                zero_point: self.0.random(),
            },
        };
        Input { shape, encoding }
    }

    fn axes(&mut self, count: usize) -> Vec<u32> {
        (0..count).map(|_| self.in_range(1..=5)).collect()
    }

    fn ranks(&mut self, columns: u32) -> Ranks {
        let count = if self.once_in(8) { 255 } else { self.below(7) };
        let mut thresholds: Vec<f64> = (0..count).map(|_| self.0.random_range(-1e3..1e3)).collect();
        thresholds.sort_by(f64::total_cmp);
        thresholds.dedup();
        Ranks {
            column: self.in_range(0..=columns - 1),
            thresholds,
            missing: [None, Some(Missing::Low), Some(Missing::High)][self.below(3)],
        }
    }

    fn output(&mut self, shape: &[u32]) -> Output {
        let outputs = shape.iter().product();
        Output {
            shape: if self.once_in(2) {
                shape.to_vec()
            } else {
                vec![1, outputs]
            },
            scale: self.0.random_range(1e-3..1e3),
            head: match self.below(3) {
                0 => Head::Values,
                1 => Head::Relu,
                _ => Head::ArgMax {
                    labels: (0..outputs).map(|_| self.0.random()).collect(),
                },
            },
        }
    }

    fn hidden(&mut self, tensors: &[Tensor]) -> Node {
        match self.below(6) {
            0 => self.select(tensors),
            1 => self.pool(tensors).unwrap_or_else(|| self.select(tensors)),
            _ => self.linear(tensors, false),
        }
    }

    fn last(&mut self, tensors: &[Tensor]) -> Node {
        match self.once_in(3) {
            true => self.trees(tensors),
            false => self.linear(tensors, true),
        }
    }

    /// One of the tensors, the last more often than others.
    fn source(&mut self, tensors: &[Tensor]) -> usize {
        match self.once_in(2) {
            true => tensors.len() - 1,
            false => self.below(tensors.len()),
        }
    }

    fn select(&mut self, tensors: &[Tensor]) -> Node {
        let sources: Vec<u32> = (0..self.in_range(1..=3))
            .map(|_| self.source(tensors) as u32)
            .collect();
        let available: u32 = sources
            .iter()
            .map(|&source| tensors[source as usize].elements())
            .sum();
        let axes = 1 + self.below(3);
        let shape = self.axes(axes);
        let count: u32 = shape.iter().product();
        let elements = (0..count).map(|_| self.in_range(0..=available - 1));
        let op = Op::Select(elements.collect());
        Node { sources, shape, op }
    }

    /// `None` if there is no image.
    fn pool(&mut self, tensors: &[Tensor]) -> Option<Node> {
        let source = self.source(tensors);
        let [channels, height, width] = tensors[source].image()?;
        let (window, [height, width]) = self.window([height, width]);
        Some(Node {
            sources: vec![source as u32],
            shape: vec![channels, height, width],
            op: Op::MaxPool(window),
        })
    }

    /// A window that fits an image, and the size of what it makes.
    fn window(&mut self, image: [u32; 2]) -> (Window, [u32; 2]) {
        loop {
            let mut pair = |most: u32| [self.in_range(1..=most), self.in_range(1..=most)];
            let (kernel, strides, dilations) = (pair(4), pair(3), pair(2));
            let mut pad = |axis: usize| self.in_range(0..=kernel[axis] - 1);
            let mut pads = [pad(0), pad(1), pad(0), pad(1)];
            if dilations != [1, 1] && kernel.iter().any(|size| size % 2 == 0) {
                pads = [0; 4];
            }
            let window = Window {
                kernel,
                strides,
                dilations,
                pads,
            };
            if let Some(made) = window.output(image) {
                return (window, made);
            }
        }
    }

    fn linear(&mut self, tensors: &[Tensor], last: bool) -> Node {
        let source = self.source(tensors);
        let tensor = &tensors[source];
        let (shape, channel_axis, map) = match (self.below(4), tensor.image()) {
            (0, _) => {
                let (inputs, rows) = tensor.matrix();
                let outputs = self.in_range(1..=6);
                let shape = vec![rows, outputs];
                (shape, 1, Map::Dense(self.weights(inputs * outputs)))
            }
            (1 | 2, Some(image)) => {
                let (shape, conv) = self.conv(image);
                (shape, 0, Map::Conv(conv))
            }
            _ => {
                let shape = tensor.shape.clone();
                let axis = self.below(shape.len());
                let weights = self.weights(shape[axis]);
                (shape, axis, Map::Scale(weights))
            }
        };
        let channels = shape[channel_axis];
        let (mut sources, mut maps) = (vec![source as u32], vec![map]);
        for _ in 0..self.below(3) {
            let other = self.below(tensors.len());
            if let Some(map) = self.summand(&tensors[other], &shape, channel_axis) {
                sources.push(other as u32);
                maps.push(map);
            }
        }
        let terms: i64 = maps
            .iter()
            .map(|map| (map.weights().len() as u32 / channels) as i64)
            .sum();
        let op = Op::Linear(Linear {
            maps,
            channel_axis: channel_axis as u32,
            bias: self.biases(channels),
            requant: (!last).then(|| self.requant(channels, terms)),
        });
        Node { sources, shape, op }
    }

    fn conv(&mut self, [channels, height, width]: [u32; 3]) -> (Vec<u32>, Conv) {
        let (window, [height, width]) = self.window([height, width]);
        let divisors: Vec<u32> = (1..=channels)
            .filter(|groups| channels % groups == 0)
            .collect();
        let groups = divisors[self.below(divisors.len())];
        let outputs = groups * self.in_range(1..=2);
        let kernel: u32 = window.kernel.iter().product();
        let conv = Conv {
            window,
            groups,
            weights: self.weights(outputs * (channels / groups) * kernel),
        };
        (vec![outputs, height, width], conv)
    }

    /// Another map to a shape whose channels are given; `None` if there is none from that tensor.
    fn summand(&mut self, from: &Tensor, shape: &[u32], channel_axis: usize) -> Option<Map> {
        let to = Tensor {
            shape: shape.to_vec(),
            largest: 0,
        };
        let channels = shape[channel_axis];
        let ((inputs, rows), (_, own_rows)) = (from.matrix(), to.matrix());
        if from.elements() == to.elements() && self.once_in(2) {
            return Some(Map::Scale(self.weights(channels)));
        }
        if channel_axis + 1 == shape.len() && rows == own_rows {
            return Some(Map::Dense(self.weights(inputs * channels)));
        }
        let ([_, own_height, own_width], [inputs, height, width]) = (to.image()?, from.image()?);
        // A kernel of one position with a stride, as at the side of a residual block.
        let window = Window {
            kernel: [1, 1],
            strides: [height.div_ceil(own_height), width.div_ceil(own_width)],
            dilations: [1, 1],
            pads: [0; 4],
        };
        let fits =
            channel_axis == 0 && window.output([height, width]) == Some([own_height, own_width]);
        fits.then(|| {
            Map::Conv(Conv {
                window,
                groups: 1,
                weights: self.weights(inputs * channels),
            })
        })
    }

    /// Multipliers for accumulators of so many terms, up to the largest that the table of activations allows.
    fn requant(&mut self, channels: u32, terms: i64) -> Requant {
        let worst = terms * 128 * 255 + i64::from(BIAS);
        let most = ((1 << 27) - (1 << 13)) / worst;
        Requant {
            multipliers: (0..channels)
                .map(|_| self.in_range(1..=most as u32))
                .collect(),
            activation: match self.below(3) {
                0 => Activation::Identity,
                1 => Activation::Relu,
                _ => self.curve(),
            },
        }
    }

    fn curve(&mut self) -> Activation {
        let before = self.below(40);
        let count = before + 1 + self.below(40);
        let mut value = || self.0.random_range(-128..=255);
        let values = (0..count).map(|_| value()).collect();
        let first = -(before as i32);
        Activation::Curve(Curve { first, values })
    }

    fn trees(&mut self, tensors: &[Tensor]) -> Node {
        let signed = |source: &usize| tensors[*source].largest <= 127;
        let sources: Vec<usize> = (0..tensors.len()).filter(signed).collect();
        let source = sources[self.below(sources.len())];
        let outputs = self.in_range(1..=4);
        let mut tree = || {
            let slots = self.in_range(1..=3);
            let mut tree = Tree {
                outputs: (0..slots).map(|_| self.in_range(0..=outputs - 1)).collect(),
                nodes: Vec::new(),
            };
            self.grow(&mut tree, tensors[source].elements(), 6);
            tree
        };
        let trees = (0..4).map(|_| tree()).collect();
        let base = self.biases(outputs);
        Node {
            sources: vec![source as u32],
            shape: vec![outputs],
            op: Op::Trees(Trees { base, trees }),
        }
    }

    /// Adds a node with all that is below it; returns its index.
    fn grow(&mut self, tree: &mut Tree, inputs: u32, depth: usize) -> u32 {
        let index = tree.nodes.len();
        if depth == 0 || self.once_in(4) {
            let values = self.biases(tree.outputs.len() as u32);
            tree.nodes.push(TreeNode::Leaf(values));
            return index as u32;
        }
        // Its place, until its children are known.
        tree.nodes.push(TreeNode::Leaf(Vec::new()));
        let low = self.grow(tree, inputs, depth - 1);
        let high = match self.once_in(8) {
            true => low,
            false => self.grow(tree, inputs, depth - 1),
        };
        let (input, threshold) = (self.in_range(0..=inputs - 1), self.0.random());
        let (low, high) = if self.once_in(2) {
            (low, high)
        } else {
            (high, low)
        };
        tree.nodes[index] = super::branch(input, threshold, low, high);
        index as u32
    }
}
