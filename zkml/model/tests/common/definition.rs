//! What a model computes, straight from the formulas: explicit loops, padded images, and recursion through trees.

use ciro_zkml_model::{
    Activation, Conv, Curve, Encoding, Linear, Map, Model, Op, Product, Requant, Tree, TreeNode,
    Trees, Window,
};

/// A tensor of one sample.
struct Tensor {
    shape: Vec<usize>,
    values: Vec<i64>,
}

/// Accumulators, requantised accumulators and the tensor that a node makes.
#[derive(Default)]
pub struct Made {
    pub acc: Vec<i64>,
    pub q: Vec<i64>,
    pub out: Vec<i64>,
}

impl Made {
    /// Of a node without accumulators.
    fn tensor(out: Vec<i64>) -> Self {
        Self {
            out,
            ..Default::default()
        }
    }

    /// Adds an accumulator, and what becomes of it.
    fn push(&mut self, acc: i64, requant: Option<&Requant>, channel: usize) {
        self.acc.push(acc);
        let Some(requant) = requant else { return };
        let step = 1_i64 << Model::SHIFT;
        let q = (acc * requant.multipliers[channel] as i64 + step / 2).div_euclid(step);
        self.q.push(q);
        self.out.push(match &requant.activation {
            Activation::Clamp { low, high } => q.clamp(*low as i64, *high as i64),
            Activation::Curve(Curve { first, values }) => {
                let last = *first as i64 + values.len() as i64 - 1;
                let nearest = q.clamp(*first as i64, last);
                values[(nearest - *first as i64) as usize] as i64
            }
        });
    }
}

impl Tensor {
    /// The value at a position.
    fn at(&self, position: &[usize]) -> i64 {
        let axes = self.shape.iter().zip(position);
        self.values[axes.fold(0, |element, (&axis, &at)| element * axis + at)]
    }
}

fn sizes(shape: &[u32]) -> Vec<usize> {
    shape.iter().map(|&axis| axis as usize).collect()
}

/// The indices of an element along all axes.
fn position(shape: &[usize], mut element: usize) -> Vec<usize> {
    let mut indices = vec![0; shape.len()];
    for axis in (0..shape.len()).rev() {
        indices[axis] = element % shape[axis];
        element /= shape[axis];
    }
    indices
}

/// One sample through the model, straight from the formulas, with floor division instead of shifts.
pub fn run(model: &Model, sample: &[i8]) -> Vec<Made> {
    let shape = match &model.input.encoding {
        Encoding::Affine { .. } => sizes(&model.input.shape),
        Encoding::Ranks(ranks) => vec![ranks.len()],
        Encoding::Tokens { .. } => [sizes(&model.input.shape), vec![2]].concat(),
    };
    let values = sample.iter().map(|&v| v as i64).collect();
    let mut tensors = vec![Tensor { shape, values }];
    let mut nodes = vec![];
    for node in &model.nodes {
        let shape = sizes(&node.shape);
        let sources: Vec<&Tensor> = node
            .sources
            .iter()
            .map(|&source| &tensors[source as usize])
            .collect();
        let made = match &node.op {
            Op::Linear(linear) => linear_map(linear, &shape, &sources),
            Op::MaxPool(window) => Made::tensor(largest(window, &shape, sources[0])),
            Op::Select(elements) => {
                let all: Vec<i64> = sources
                    .iter()
                    .flat_map(|source| source.values.clone())
                    .collect();
                let out = elements
                    .iter()
                    .map(|&element| all[element as usize])
                    .collect();
                Made::tensor(out)
            }
            Op::Trees(trees) => Made {
                acc: sums_of_leaves(trees, &sources[0].values),
                ..Default::default()
            },
            Op::Product(product) => products(product, &shape, sources[0], sources[1]),
            Op::Max => Made::tensor(largest_of_rows(&shape, sources[0])),
            Op::Constant(values) => Made::tensor(values.iter().map(|&v| v as i64).collect()),
            Op::Embedding(embedding) => {
                let width = *shape.last().unwrap();
                let value = |element: usize| {
                    let token = &sources[0].values[element / width * 2..][..2];
                    let row = (token[0] + 128) * 256 + token[1] + 128;
                    embedding.table[row as usize * width + element % width] as i64
                };
                Made::tensor((0..shape.iter().product()).map(value).collect())
            }
        };
        tensors.push(Tensor {
            shape,
            values: made.out.clone(),
        });
        nodes.push(made);
    }
    nodes
}

fn linear_map(linear: &Linear, shape: &[usize], sources: &[&Tensor]) -> Made {
    let mut made = Made::default();
    for element in 0..shape.iter().product() {
        let at = position(shape, element);
        let channel = at[linear.channel_axis as usize];
        let mut acc = linear.bias[channel] as i64;
        for (map, source) in linear.maps.iter().zip(sources) {
            acc += match map {
                Map::Dense(weights) => {
                    let (inputs, outputs) = (*source.shape.last().unwrap(), *shape.last().unwrap());
                    let (row, column) = (element / outputs, element % outputs);
                    let product = |i: usize| {
                        weights[i * outputs + column] as i64 * source.values[row * inputs + i]
                    };
                    (0..inputs).map(product).sum()
                }
                Map::Conv(conv) => convolution(conv, [at[0], at[1], at[2]], shape[0], source),
                Map::Scale(weights) => weights[channel] as i64 * source.values[element],
            };
        }
        made.push(acc, linear.requant.as_ref(), channel);
    }
    made
}

fn products(product: &Product, shape: &[usize], left: &Tensor, right: &Tensor) -> Made {
    let mut made = Made::default();
    let [rows, columns] = *shape.last_chunk().unwrap();
    for element in 0..shape.iter().product() {
        let at = position(shape, element);
        let (leading, [row, column]) = at.split_last_chunk().unwrap();
        let term = |k: usize| {
            left.at(&[leading, &[*row, k]].concat()) * right.at(&[leading, &[k, *column]].concat())
        };
        let bias = product.bias.get(element % (rows * columns));
        let sum: i64 = (0..*left.shape.last().unwrap()).map(term).sum();
        made.push(sum + *bias.unwrap_or(&0) as i64, Some(&product.requant), 0);
    }
    made
}

fn largest_of_rows(shape: &[usize], source: &Tensor) -> Vec<i64> {
    let row = |element: usize| {
        let at = position(shape, element);
        let (_, leading) = at.split_last().unwrap();
        let values =
            (0..*source.shape.last().unwrap()).map(|k| source.at(&[leading, &[k]].concat()));
        values.max().unwrap()
    };
    (0..shape.iter().product()).map(row).collect()
}

/// An image with its borders, by channel, row and column.
fn padded(window: &Window, image: &Tensor, border: i64) -> Vec<Vec<Vec<i64>>> {
    let [top, left, bottom, right] = window.pads.map(|pad| pad as usize);
    let &[channels, height, width] = image.shape.as_slice() else {
        panic!("not an image")
    };
    let mut padded =
        vec![vec![vec![border; left + width + right]; top + height + bottom]; channels];
    for (channel, rows) in padded.iter_mut().enumerate() {
        for y in 0..height {
            for x in 0..width {
                rows[top + y][left + x] = image.values[(channel * height + y) * width + x];
            }
        }
    }
    padded
}

/// The accumulator of one window, without the bias.
fn convolution(conv: &Conv, [output, y, x]: [usize; 3], outputs: usize, image: &Tensor) -> i64 {
    let image_shape = &image.shape;
    let image = padded(&conv.window, image, 0);
    let groups = conv.groups as usize;
    let per_group = image_shape[0] / groups;
    let group = output / (outputs / groups);
    let [height, width] = conv.window.kernel.map(|size| size as usize);
    let mut acc = 0;
    for channel in 0..per_group {
        for ky in 0..height {
            for kx in 0..width {
                let weight =
                    conv.weights[((output * per_group + channel) * height + ky) * width + kx];
                let (row, column) = covered(&conv.window, [y, x], [ky, kx]);
                acc += weight as i64 * image[group * per_group + channel][row][column];
            }
        }
    }
    acc
}

/// The position in the padded image of a place in a window.
fn covered(window: &Window, [y, x]: [usize; 2], [ky, kx]: [usize; 2]) -> (usize, usize) {
    let ([down, right], [dy, dx]) = (window.strides, window.dilations);
    (
        y * down as usize + ky * dy as usize,
        x * right as usize + kx * dx as usize,
    )
}

fn largest(window: &Window, shape: &[usize], image: &Tensor) -> Vec<i64> {
    let image = padded(window, image, i64::MIN);
    let [height, width] = window.kernel.map(|size| size as usize);
    (0..shape.iter().product())
        .map(|element| {
            let at = position(shape, element);
            let mut most = i64::MIN;
            for ky in 0..height {
                for kx in 0..width {
                    let (row, column) = covered(window, [at[1], at[2]], [ky, kx]);
                    most = most.max(image[at[0]][row][column]);
                }
            }
            assert_ne!(most, i64::MIN, "a window without a value");
            most
        })
        .collect()
}

fn sums_of_leaves(trees: &Trees, x: &[i64]) -> Vec<i64> {
    let mut acc: Vec<i64> = trees.base.iter().map(|&base| base as i64).collect();
    for tree in &trees.trees {
        for (output, value) in tree.outputs.iter().zip(leaf(tree, 0, x)) {
            acc[*output as usize] += *value as i64;
        }
    }
    acc
}

/// The values of the leaf where a walk from `at` ends.
fn leaf<'a>(tree: &'a Tree, at: u32, x: &[i64]) -> &'a [i32] {
    match &tree.nodes[at as usize] {
        TreeNode::Leaf(values) => values,
        TreeNode::Branch {
            input,
            threshold,
            low,
            high,
        } => {
            let goes_low = x[*input as usize] <= *threshold as i64;
            leaf(tree, if goes_low { *low } else { *high }, x)
        }
    }
}
