//! Models for tests.

mod transformer;

use ciro_zkml_model::{
    Activation, Conv, Curve, Encoding, Head, Input, Linear, Map, Model, Node, Op, Output, Ranks,
    Requant, Tree, TreeNode, Trees, Window,
};

pub(crate) use transformer::{pooled, transformer};

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

    /// Numbers around zero, of `span` different ones.
    fn centred(&mut self, len: usize, span: usize) -> Vec<i32> {
        (0..len)
            .map(|_| self.below(span) as i32 - span as i32 / 2)
            .collect()
    }

    fn weights(&mut self, len: usize) -> Vec<i8> {
        let weights = self.centred(len, 31).into_iter();
        weights.map(|weight| weight as i8).collect()
    }

    fn requant(&mut self, channels: usize, activation: Activation) -> Option<Requant> {
        let multipliers = (0..channels).map(|_| 8 + self.below(56) as u32).collect();
        Some(Requant {
            multipliers,
            activation,
        })
    }
}

fn affine(shape: &[u32]) -> Input {
    Input {
        shape: shape.to_vec(),
        encoding: Encoding::Affine {
            scale: 1.0,
            zero_point: 0,
        },
    }
}

fn finished(name: &str, preset: u8, input: Input, nodes: Vec<Node>) -> Model {
    let shape = nodes.last().unwrap().shape.clone();
    let output = Output {
        shape,
        scale: 1.0,
        head: Head::Values,
    };
    Model {
        name: name.into(),
        preset,
        input,
        nodes,
        output,
    }
}

fn linear(
    sources: &[u32],
    shape: &[u32],
    maps: Vec<Map>,
    bias: Vec<i32>,
    requant: Option<Requant>,
) -> Node {
    Node {
        sources: sources.to_vec(),
        shape: shape.to_vec(),
        op: Op::Linear(Linear {
            maps,
            channel_axis: 0,
            bias,
            requant,
        }),
    }
}

/// A perceptron with the given layer widths and pseudo-random parameters.
pub(crate) fn model(widths: &[u32], preset: u8) -> Model {
    let mut random = Random::new(1);
    let n_layers = widths.len() - 1;
    let layer = |(index, pair): (usize, &[u32])| {
        let (inputs, outputs) = (pair[0] as usize, pair[1] as usize);
        let activation = [Activation::RELU, Activation::IDENTITY][index % 2].clone();
        let weights = random.weights(inputs * outputs);
        let bias = random.centred(outputs, 2001);
        let requant = random
            .requant(outputs, activation)
            .filter(|_| index + 1 < n_layers);
        linear(
            &[index as u32],
            &pair[1..],
            vec![Map::Dense(weights)],
            bias,
            requant,
        )
    };
    let nodes = widths.windows(2).enumerate().map(layer).collect();
    finished("perceptron", preset, affine(&widths[..1]), nodes)
}

/// A network of images with every kind of node but trees: convolutions with padding, strides, dilation and groups,
/// pooling, a residual sum, a curve, and a selection.
pub(crate) fn convolutional(preset: u8) -> Model {
    let mut random = Random::new(3);
    let window = |size: u32, stride: u32, pad: u32, dilation: u32| Window {
        kernel: [size; 2],
        strides: [stride; 2],
        dilations: [dilation; 2],
        pads: [pad; 4],
    };
    let mut conv = |channels: usize, outputs: usize, groups: u32, window: Window| {
        let kernel = (window.kernel[0] * window.kernel[1]) as usize;
        Map::Conv(Conv {
            weights: random.weights(outputs * channels / groups as usize * kernel),
            groups,
            window,
        })
    };
    let first = conv(2, 6, 1, window(3, 1, 1, 1));
    let depthwise = conv(6, 6, 6, window(3, 1, 2, 2));
    let second = conv(6, 4, 2, window(3, 2, 0, 1));
    let curve = Curve {
        first: -20,
        values: (0..60).map(|at| at * at / 20 - 30).collect(),
    };
    let selected = (0..36).rev().step_by(2).collect();
    let mut requant = |channels, activation| random.requant(channels, activation);
    let requants = [
        requant(6, Activation::RELU),
        requant(6, Activation::IDENTITY),
        requant(6, Activation::RELU),
        requant(4, Activation::Curve(curve)),
    ];
    let [one, two, three, four] = requants;
    let image = [6, 8, 8];
    let nodes = vec![
        linear(&[0], &image, vec![first], vec![-300, 5, 0, 900, 40, 7], one),
        linear(&[1], &image, vec![depthwise], vec![11; 6], two),
        linear(
            &[1, 2],
            &image,
            vec![Map::Scale(vec![3; 6]), Map::Scale(vec![5, 4, -3, 2, 1, 9])],
            vec![1; 6],
            three,
        ),
        Node {
            sources: vec![3],
            shape: vec![6, 7, 7],
            op: Op::MaxPool(window(2, 1, 0, 1)),
        },
        linear(&[4], &[4, 3, 3], vec![second], vec![0; 4], four),
        Node {
            sources: vec![5],
            shape: vec![18],
            op: Op::Select(selected),
        },
        linear(
            &[6],
            &[5],
            vec![Map::Dense(Random::new(4).weights(18 * 5))],
            vec![100, -100, 0, 7, 3],
            None,
        ),
    ];
    finished("convolutional", preset, affine(&[2, 8, 8]), nodes)
}

/// Trees of different depths with one or two outputs.
pub(crate) fn forest(preset: u8) -> Model {
    let mut random = Random::new(5);
    let mut trees = Vec::new();
    for depth in [0, 1, 3, 5, 5] {
        let outputs: Vec<u32> = [vec![1], vec![2, 0]][depth % 2].clone();
        let branches = (1 << depth) - 1;
        let branch = |at: u32| TreeNode::Branch {
            input: random.below(7) as u32,
            threshold: random.below(256) as u8 as i8,
            low: 2 * at + 1,
            high: 2 * at + 2,
        };
        let mut nodes: Vec<TreeNode> = (0..branches).map(branch).collect();
        for _ in 0..=branches {
            nodes.push(TreeNode::Leaf(random.centred(outputs.len(), 100_001)));
        }
        trees.push(Tree { outputs, nodes });
    }
    let ranks = (0..7).map(|column| Ranks {
        column,
        thresholds: (0..255).map(f64::from).collect(),
        missing: None,
    });
    let input = Input {
        shape: vec![7],
        encoding: Encoding::Ranks(ranks.collect()),
    };
    let node = Node {
        sources: vec![0],
        shape: vec![3],
        op: Op::Trees(Trees {
            base: vec![-5, 0, 1 << 20],
            trees,
        }),
    };
    finished("forest", preset, input, vec![node])
}

/// A batch of inputs for `model`.
pub(crate) fn input(model: &Model, batch: usize) -> Vec<i8> {
    let mut random = Random::new(2);
    if let Encoding::Tokens { vocabulary } = model.input.encoding {
        let tokens = (0..model.columns() * batch).map(|_| random.below(vocabulary as usize) as f32);
        return model.quantise(&tokens.collect::<Vec<_>>()).unwrap();
    }
    (0..model.inputs() * batch)
        .map(|_| random.below(256) as u8 as i8)
        .collect()
}
