//! A generator of random valid models.

use std::ops::RangeInclusive;

use ciro_zkml_model::{
    Activation, Conv, Curve, Embedding, Encoding, Head, Input, Linear, Map, Missing, Model, Node,
    Op, Output, Product, Ranks, Requant, Tree, TreeNode, Trees, Window, SPAN_LIMIT,
};
use proptest::{prelude::*, test_runner::TestRng};

/// Magnitude of biases, base values and leaves.
const BIAS: i32 = 100_000;

/// Magnitude of the values of activations, constants and embeddings. Sums of as many products as these models have stay in
/// range.
const WIDEST: i16 = 1 << 12;

/// A random model with that many nodes, or a few more, before the last.
pub fn model(hidden: usize, rng: TestRng) -> Model {
    let mut dice = Dice(rng);
    let input = dice.input();
    let mut graph = Graph::default();
    match &input.encoding {
        Encoding::Affine { .. } => graph.tensor(input.shape.clone(), (-128, 127)),
        Encoding::Ranks(ranks) => graph.tensor(vec![ranks.len() as u32], (-128, 127)),
        Encoding::Tokens { vocabulary } => graph.add(dice.embedding(&input.shape, *vocabulary)),
    }
    for _ in 0..hidden {
        dice.hidden(&mut graph);
    }
    let last = dice.last(&graph.tensors);
    let output = dice.output(&last.shape);
    graph.nodes.push(last);
    Model {
        name: "x".repeat(dice.below(17)),
        preset: dice.in_range(0..=1) as u8,
        input,
        output,
        nodes: graph.nodes,
    }
}

/// A model in the making.
#[derive(Default)]
struct Graph {
    nodes: Vec<Node>,
    /// The tensors that any node may read.
    tensors: Vec<Tensor>,
}

impl Graph {
    fn tensor(&mut self, shape: Vec<u32>, range: (i32, i32)) {
        let index = self.nodes.len() as u32;
        self.tensors.push(Tensor {
            index,
            shape,
            range,
        });
    }

    /// Adds a node and its tensor.
    fn add(&mut self, node: Node) {
        let wide = |values: &[i16]| values.iter().map(|&v| (v.into(), v.into())).collect();
        let ranges: Vec<(i32, i32)> = match (&node.op, node.requant()) {
            (_, Some(requant)) => vec![requant.activation.range()],
            (Op::Constant(values), _) => wide(values),
            (Op::Embedding(embedding), _) => wide(&embedding.table),
            _ => {
                let read = |tensor: &&Tensor| node.sources.contains(&tensor.index);
                self.tensors.iter().filter(read).map(|t| t.range).collect()
            }
        };
        let joined = |a: (i32, i32), b: (i32, i32)| (a.0.min(b.0), a.1.max(b.1));
        let (shape, range) = (node.shape.clone(), ranges.into_iter().reduce(joined));
        self.nodes.push(node);
        self.tensor(shape, range.unwrap());
    }
}

/// What the generator knows of a tensor.
#[derive(Clone)]
struct Tensor {
    index: u32,
    shape: Vec<u32>,
    /// Its values stay within.
    range: (i32, i32),
}

impl Tensor {
    /// Whether a proof can compare its values with each other.
    fn is_narrow(&self) -> bool {
        i64::from(self.range.1 - self.range.0) < SPAN_LIMIT
    }

    fn elements(&self) -> u32 {
        self.shape.iter().product()
    }

    /// No value's magnitude is larger; at least 1.
    fn magnitude(&self) -> i64 {
        self.range.1.max(-self.range.0).max(1).into()
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
        let encoding = match self.below(6) {
            0 | 1 => {
                let columns = shape.iter().product();
                let ranks = self.in_range(1..=8);
                Encoding::Ranks((0..ranks).map(|_| self.ranks(columns)).collect())
            }
            2 => Encoding::Tokens {
                vocabulary: self.in_range(1..=300),
            },
            _ => Encoding::Affine {
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

    /// Adds a node, or two.
    fn hidden(&mut self, graph: &mut Graph) {
        let tensors = &graph.tensors;
        let node = match self.below(10) {
            0 => self.select(tensors),
            1 => self.pool(tensors).unwrap_or_else(|| self.select(tensors)),
            2 => self.max(tensors).unwrap_or_else(|| self.select(tensors)),
            3 => self.constant(),
            4 | 5 => self.product(graph),
            _ => self.linear(tensors, false),
        };
        graph.add(node);
    }

    fn last(&mut self, tensors: &[Tensor]) -> Node {
        let trees = if self.once_in(3) {
            self.trees(tensors)
        } else {
            None
        };
        trees.unwrap_or_else(|| self.linear(tensors, true))
    }

    /// One of the tensors, the last more often than others.
    fn source<'a>(&mut self, tensors: &'a [Tensor]) -> &'a Tensor {
        match self.once_in(2) {
            true => &tensors[tensors.len() - 1],
            false => &tensors[self.below(tensors.len())],
        }
    }

    fn values(&mut self, count: u32) -> Vec<i16> {
        let most = [255, WIDEST][self.below(2)];
        let mut value = || self.0.random_range(-most..=most);
        (0..count).map(|_| value()).collect()
    }

    fn embedding(&mut self, tokens: &[u32], vocabulary: u32) -> Node {
        let width = self.in_range(1..=5);
        let table = self.values(vocabulary * width);
        Node {
            sources: vec![0],
            shape: [tokens, &[width]].concat(),
            op: Op::Embedding(Embedding { table }),
        }
    }

    fn constant(&mut self) -> Node {
        let axes = 1 + self.below(3);
        let shape = self.axes(axes);
        let op = Op::Constant(self.values(shape.iter().product()));
        let sources = vec![];
        Node { sources, shape, op }
    }

    /// `None` if the values are too far apart.
    fn max(&mut self, tensors: &[Tensor]) -> Option<Node> {
        let source = self.source(tensors);
        let mut shape = source.shape.clone();
        *shape.last_mut()? = 1;
        source.is_narrow().then_some(Node {
            sources: vec![source.index],
            shape,
            op: Op::Max,
        })
    }

    /// A product of two tensors whose axes agree. Where there is no second factor for the first, one is selected.
    fn product(&mut self, graph: &mut Graph) -> Node {
        let left = self.source(&graph.tensors).clone();
        let (rows, left) = match left.shape.len() {
            1 => (1, self.reshaped(graph, &left, &[1, left.elements()])),
            axes => (left.shape[axes - 2], left),
        };
        let (leading, [_, inner]) = left.shape.split_last_chunk().unwrap();
        let fits = |tensor: &&Tensor| {
            let (own, last) = tensor.shape.split_at(tensor.shape.len().max(2) - 2);
            own == leading && last.len() == 2 && last[0] == *inner
        };
        let found: Vec<&Tensor> = graph.tensors.iter().filter(fits).collect();
        let right = match found.is_empty() {
            false => found[self.below(found.len())].clone(),
            true => {
                let shape = [leading, &[*inner, self.in_range(1..=4)]].concat();
                let source = self.source(&graph.tensors).clone();
                self.reshaped(graph, &source, &shape)
            }
        };
        let columns = right.shape[right.shape.len() - 1];
        let bias = if self.once_in(2) { rows * columns } else { 0 };
        let worst = i64::from(*inner) * left.magnitude() * right.magnitude() + i64::from(BIAS);
        let op = Op::Product(Product {
            bias: self.biases(bias),
            requant: self.requant(1, worst),
        });
        Node {
            sources: vec![left.index, right.index],
            shape: [leading, &[rows, columns]].concat(),
            op,
        }
    }

    /// Adds a selection of that shape from a tensor.
    fn reshaped(&mut self, graph: &mut Graph, tensor: &Tensor, shape: &[u32]) -> Tensor {
        let count: u32 = shape.iter().product();
        let elements = (0..count).map(|_| self.in_range(0..=tensor.elements() - 1));
        graph.add(Node {
            sources: vec![tensor.index],
            shape: shape.to_vec(),
            op: Op::Select(elements.collect()),
        });
        graph.tensors[graph.tensors.len() - 1].clone()
    }

    fn select(&mut self, tensors: &[Tensor]) -> Node {
        let read: Vec<&Tensor> = (0..self.in_range(1..=3))
            .map(|_| self.source(tensors))
            .collect();
        let sources = read.iter().map(|tensor| tensor.index).collect();
        let available: u32 = read.iter().map(|tensor| tensor.elements()).sum();
        let axes = 1 + self.below(3);
        let shape = self.axes(axes);
        let count: u32 = shape.iter().product();
        let elements = (0..count).map(|_| self.in_range(0..=available - 1));
        let op = Op::Select(elements.collect());
        Node { sources, shape, op }
    }

    /// `None` if there is no image, or its values are too far apart.
    fn pool(&mut self, tensors: &[Tensor]) -> Option<Node> {
        let source = Some(self.source(tensors)).filter(|tensor| tensor.is_narrow())?;
        let [channels, height, width] = source.image()?;
        let (window, [height, width]) = self.window([height, width]);
        Some(Node {
            sources: vec![source.index],
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
        let tensor = self.source(tensors);
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
        let (mut read, mut maps) = (vec![tensor], vec![map]);
        for _ in 0..self.below(3) {
            let other = &tensors[self.below(tensors.len())];
            if let Some(map) = self.summand(other, &shape, channel_axis) {
                read.push(other);
                maps.push(map);
            }
        }
        let worst = |(map, tensor): (&Map, &&Tensor)| {
            let terms = map.weights().len() as u32 / channels;
            i64::from(terms) * 128 * tensor.magnitude()
        };
        let worst = maps.iter().zip(&read).map(worst).sum::<i64>() + i64::from(BIAS);
        let sources = read.iter().map(|tensor| tensor.index).collect();
        let op = Op::Linear(Linear {
            maps,
            channel_axis: channel_axis as u32,
            bias: self.biases(channels),
            requant: (!last).then(|| self.requant(channels, worst)),
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
            index: 0,
            shape: shape.to_vec(),
            range: (0, 0),
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

    /// Multipliers for accumulators up to `worst`, so that a requantised one stays in range.
    fn requant(&mut self, channels: u32, worst: i64) -> Requant {
        let most = ((1 << 28) - (1 << 13)) / worst;
        Requant {
            multipliers: (0..channels)
                .map(|_| self.in_range(1..=most as u32))
                .collect(),
            activation: match self.below(4) {
                0 => Activation::IDENTITY,
                1 => Activation::RELU,
                2 => Activation::Clamp {
                    low: -self.0.random_range(0..=WIDEST),
                    high: self.0.random_range(0..=WIDEST),
                },
                _ => self.curve(),
            },
        }
    }

    fn curve(&mut self) -> Activation {
        let before = self.below(40);
        let count = before + 1 + self.below(40);
        let values = self.values(count as u32);
        let first = -(before as i32);
        Activation::Curve(Curve { first, values })
    }

    /// `None` if no tensor has 8 bits and a sign.
    fn trees(&mut self, tensors: &[Tensor]) -> Option<Node> {
        let signed = |tensor: &&Tensor| tensor.range.0 >= -128 && tensor.range.1 <= 127;
        let sources: Vec<&Tensor> = tensors.iter().filter(signed).collect();
        let source = *sources.get(self.below(sources.len().max(1)))?;
        let outputs = self.in_range(1..=4);
        let mut tree = || {
            let slots = self.in_range(1..=3);
            let mut tree = Tree {
                outputs: (0..slots).map(|_| self.in_range(0..=outputs - 1)).collect(),
                nodes: Vec::new(),
            };
            self.grow(&mut tree, source.elements(), 6);
            tree
        };
        let trees = (0..4).map(|_| tree()).collect();
        let base = self.biases(outputs);
        Some(Node {
            sources: vec![source.index],
            shape: vec![outputs],
            op: Op::Trees(Trees { base, trees }),
        })
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
