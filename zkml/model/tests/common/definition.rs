//! What a model computes, straight from the formulas: explicit loops, padded images, and recursion through trees.

use ciro_zkml_model::{
    Activation, Conv, Curve, Encoding, Linear, Map, Model, Op, Requant, Tree, TreeNode, Trees,
    Window,
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
            Op::MaxPool(window) => Made {
                out: largest(window, &shape, sources[0]),
                ..Default::default()
            },
            Op::Select(elements) => {
                let all: Vec<i64> = sources
                    .iter()
                    .flat_map(|source| source.values.clone())
                    .collect();
                let out = elements
                    .iter()
                    .map(|&element| all[element as usize])
                    .collect();
                Made {
                    out,
                    ..Default::default()
                }
            }
            Op::Trees(trees) => Made {
                acc: sums_of_leaves(trees, &sources[0].values),
                ..Default::default()
            },
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
        made.acc.push(acc);
        if let Some(Requant {
            multipliers,
            activation,
        }) = &linear.requant
        {
            let step = 1_i64 << Model::SHIFT;
            let q = (acc * multipliers[channel] as i64 + step / 2).div_euclid(step);
            made.q.push(q);
            made.out.push(match activation {
                Activation::Identity => q.clamp(-128, 127),
                Activation::Relu => q.clamp(0, 255),
                Activation::Curve(Curve { first, values }) => {
                    let last = *first as i64 + values.len() as i64 - 1;
                    let nearest = q.clamp(*first as i64, last);
                    values[(nearest - *first as i64) as usize] as i64
                }
            });
        }
    }
    made
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
