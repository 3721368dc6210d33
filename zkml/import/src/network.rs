//! The float network between the file's graph and the integer model: the same nodes, with real weights.

use ciro_zkml_model::Window;

use crate::{
    function::Function,
    sequence::{self, Norm, Product},
};

/// A graph of tensors: tensor 0 is the input, node `i` makes tensor `i + 1`. The last node is the output.
#[derive(Clone, Debug, Default)]
pub(crate) struct Network {
    /// Shape of one input sample.
    pub shape: Vec<usize>,
    pub nodes: Vec<Node>,
    /// Scale and zero point of the input's integers, if the file states them.
    pub input: Option<(f32, i8)>,
    /// Number of different tokens, if the input's values are tokens.
    pub vocabulary: Option<usize>,
}

/// An operation on earlier tensors.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub sources: Vec<usize>,
    pub shape: Vec<usize>,
    pub op: Op,
}

#[derive(Clone, Debug)]
pub(crate) enum Op {
    Linear(Linear),
    MaxPool(Window),
    Select(Vec<u32>),
    Product(Product),
    /// Divides every row along the last axis by its norm.
    Norm(Norm),
    /// The softmax along the last axis.
    Softmax,
    /// The matrix products of the first source's softmax with the second source.
    Attend,
    Constant(Vec<f32>),
    /// A table with a row for each token.
    Embedding(Vec<f32>),
}

/// `function(bias + sum over sources of map(source))`.
#[derive(Clone, Debug)]
pub(crate) struct Linear {
    pub maps: Vec<Map>,
    /// The axis along which channels lie.
    pub axis: usize,
    /// One for each channel.
    pub bias: Vec<f32>,
    pub function: Function,
    /// Range of the function's values, if the file states it.
    pub range: Option<(f32, f32)>,
}

#[derive(Clone, Debug)]
pub(crate) enum Map {
    /// Row-major `[inputs][outputs]`.
    Dense(Vec<f32>),
    /// Row-major `[outputs][channels / groups][kernel]`.
    Conv(Conv),
    /// One factor for each channel.
    Scale(Vec<f32>),
}

#[derive(Clone, Debug)]
pub(crate) struct Conv {
    pub window: Window,
    pub groups: usize,
    pub weights: Vec<f32>,
}

/// The values of one sample, by node.
#[derive(Default)]
pub(crate) struct Trace {
    /// Sums of linear nodes before the function, what norms divide, and attention before its division.
    pub sums: Vec<Vec<f32>>,
    /// The nodes' tensors.
    pub values: Vec<Vec<f32>>,
}

impl Network {
    /// Shape of a tensor.
    pub fn tensor_shape(&self, tensor: usize) -> &[usize] {
        match tensor.checked_sub(1) {
            None => &self.shape,
            Some(node) => self.nodes.get(node).map_or(&[], |node| &node.shape),
        }
    }

    /// The linear node that makes a tensor.
    pub fn linear(&self, tensor: usize) -> Option<&Linear> {
        match &self.nodes.get(tensor.checked_sub(1)?)?.op {
            Op::Linear(linear) => Some(linear),
            _ => None,
        }
    }

    /// Whether a softmax reads a tensor.
    pub fn is_softmax_argument(&self, tensor: usize) -> bool {
        let first_of = |node: &Node| node.sources.first() == Some(&tensor);
        self.nodes
            .iter()
            .any(|node| matches!(node.op, Op::Softmax | Op::Attend) && first_of(node))
    }

    /// Whether the sums of a product run over other elements than neighbours of one row in memory.
    pub fn sums_over_positions(&self, product: &Node) -> bool {
        let Some(&second) = product.sources.get(1) else {
            return false;
        };
        let [.., depth, columns] = self.tensor_shape(second) else {
            return false;
        };
        // Where the first two terms of a sum come from, before all movements.
        let (mut tensor, mut places) = (second, [0, *columns as u32]);
        while let Some(node) = tensor.checked_sub(1).and_then(|node| self.nodes.get(node)) {
            let (Op::Select(indices), &[source]) = (&node.op, node.sources.as_slice()) else {
                break;
            };
            places = places.map(|place| indices.get(place as usize).copied().unwrap_or(0));
            tensor = source;
        }
        *depth > 1 && places[0].abs_diff(places[1]) != 1
    }

    /// Number of values of one sample.
    pub fn inputs(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether every weight and bias is a finite number.
    pub fn is_finite(&self) -> bool {
        self.nodes.iter().all(|node| match &node.op {
            Op::Linear(linear) => {
                let weights = linear.maps.iter().flat_map(Map::weights);
                weights.chain(&linear.bias).all(|value| value.is_finite())
            }
            Op::Product(product) => {
                product.factor.is_finite() && product.bias.iter().all(|value| value.is_finite())
            }
            Op::Norm(norm) => norm.epsilon.is_finite(),
            Op::Constant(values) | Op::Embedding(values) => {
                values.iter().all(|value| value.is_finite())
            }
            Op::MaxPool(_) | Op::Select(_) | Op::Softmax | Op::Attend => true,
        })
    }

    /// Whether the nodes are those of a transformer, whose sums pass through many layers.
    pub fn is_sequence(&self) -> bool {
        self.nodes.iter().any(|node| {
            matches!(
                node.op,
                Op::Product(_) | Op::Norm(_) | Op::Softmax | Op::Attend | Op::Embedding(_)
            )
        })
    }

    /// Runs one sample.
    pub fn run(&self, sample: &[f32]) -> Trace {
        let mut trace = Trace::default();
        for node in &self.nodes {
            let tensor = |source: &usize| match source.checked_sub(1) {
                None => sample,
                Some(node) => trace.values.get(node).map_or(&[][..], Vec::as_slice),
            };
            let sources: Vec<&[f32]> = node.sources.iter().map(tensor).collect();
            let shapes: Vec<&[usize]> = node
                .sources
                .iter()
                .map(|&source| self.tensor_shape(source))
                .collect();
            let first = sources.first().copied().unwrap_or(&[]);
            let (sums, values) = match &node.op {
                Op::Linear(linear) => {
                    let sums = linear.run(&node.shape, &sources, &shapes);
                    let mut values = sums.clone();
                    linear.function.apply(&mut values);
                    (sums, values)
                }
                Op::MaxPool(window) => (vec![], max_pool(window, &node.shape, &sources, &shapes)),
                Op::Select(indices) => {
                    let all = sources.concat();
                    let pick = |index: &u32| all.get(*index as usize).copied().unwrap_or(f32::NAN);
                    (vec![], indices.iter().map(pick).collect())
                }
                Op::Product(product) => (vec![], product.run(&node.shape, &sources, &shapes)),
                Op::Norm(norm) => norm.run(&node.shape, first),
                Op::Softmax => (vec![], sequence::softmax(&node.shape, first)),
                Op::Attend => sequence::attend(&node.shape, &sources, &shapes),
                Op::Constant(values) => (vec![], values.clone()),
                Op::Embedding(table) => (vec![], sequence::embed(&node.shape, table, first)),
            };
            trace.sums.push(sums);
            trace.values.push(values);
        }
        trace
    }
}

impl Linear {
    /// A node that multiplies every value of its channel by one factor.
    pub fn scale(axis: usize, factors: Vec<f32>, bias: Vec<f32>, function: Function) -> Self {
        Self {
            maps: vec![Map::Scale(factors)],
            axis,
            bias,
            function,
            range: None,
        }
    }

    /// Number of consecutive elements of one channel.
    pub fn run_length(&self, shape: &[usize]) -> usize {
        shape.iter().skip(self.axis + 1).product::<usize>().max(1)
    }

    /// The one map, if there is one and it is a Scale.
    pub fn only_scale(&self) -> Option<&[f32]> {
        match self.maps.as_slice() {
            [Map::Scale(factors)] => Some(factors),
            _ => None,
        }
    }

    /// Whether all channels are treated alike.
    pub fn is_uniform(&self) -> bool {
        let same = |values: &[f32]| values.iter().all(|value| Some(value) == values.first());
        self.only_scale().is_some_and(same) && same(&self.bias)
    }

    fn run(&self, shape: &[usize], sources: &[&[f32]], shapes: &[&[usize]]) -> Vec<f32> {
        let run = self.run_length(shape);
        let block: Vec<f32> = self
            .bias
            .iter()
            .flat_map(|&bias| std::iter::repeat_n(bias, run))
            .collect();
        let elements: usize = shape.iter().product();
        let mut sums = block.repeat(elements.checked_div(block.len()).unwrap_or(0));
        for ((map, source), source_shape) in self.maps.iter().zip(sources).zip(shapes) {
            match map {
                Map::Dense(weights) => dense(weights, self.bias.len(), source, &mut sums),
                Map::Conv(conv) => conv.add(shape, source, source_shape, &mut sums),
                Map::Scale(factors) => {
                    let channels = factors.iter().cycle();
                    let blocks = sums
                        .chunks_exact_mut(run)
                        .zip(source.chunks_exact(run))
                        .zip(channels);
                    for ((sums, xs), factor) in blocks {
                        sums.iter_mut()
                            .zip(xs)
                            .for_each(|(sum, x)| *sum += factor * x);
                    }
                }
            }
        }
        sums
    }
}

impl Map {
    pub fn weights(&self) -> &[f32] {
        match self {
            Map::Dense(weights) | Map::Scale(weights) => weights,
            Map::Conv(conv) => &conv.weights,
        }
    }
}

/// Adds a matrix product along the last axis.
fn dense(weights: &[f32], outputs: usize, source: &[f32], sums: &mut [f32]) {
    let inputs = weights.len().checked_div(outputs).unwrap_or(0).max(1);
    for (xs, sums) in source
        .chunks_exact(inputs)
        .zip(sums.chunks_exact_mut(outputs.max(1)))
    {
        for (x, row) in xs.iter().zip(weights.chunks_exact(outputs.max(1))) {
            sums.iter_mut()
                .zip(row)
                .for_each(|(sum, weight)| *sum += x * weight);
        }
    }
}

impl Conv {
    /// Number of taps of one channel.
    pub fn kernel(&self) -> usize {
        self.window
            .kernel
            .iter()
            .map(|&size| size as usize)
            .product::<usize>()
            .max(1)
    }

    fn add(&self, shape: &[usize], source: &[f32], image: &[usize], sums: &mut [f32]) {
        let (&[outputs, height, width], &[channels, image_height, image_width]) = (shape, image)
        else {
            return;
        };
        let groups = self.groups.max(1);
        let (per_group, outputs_per_group) = (channels / groups, (outputs / groups).max(1));
        let kernels = self
            .weights
            .chunks_exact((per_group * self.kernel()).max(1));
        for (output, (plane, kernel)) in sums
            .chunks_exact_mut((height * width).max(1))
            .zip(kernels)
            .enumerate()
        {
            let first = output / outputs_per_group * per_group;
            let images = source
                .chunks_exact((image_height * image_width).max(1))
                .skip(first);
            for (pixels, taps) in images.zip(kernel.chunks_exact(self.kernel())) {
                self.add_plane(plane, width, pixels, image_width, taps);
            }
        }
    }

    /// Adds what one channel of the image gives one channel of the output.
    fn add_plane(
        &self,
        plane: &mut [f32],
        width: usize,
        pixels: &[f32],
        image_width: usize,
        taps: &[f32],
    ) {
        let at = |[step, dilation, pad]: [u32; 3], tap: usize, position: usize| {
            let place = (position as i64).saturating_mul(step.into());
            place.saturating_add((tap as i64).saturating_mul(dilation.into())) - i64::from(pad)
        };
        let Window {
            kernel,
            strides,
            dilations,
            pads,
        } = &self.window;
        let down = [strides[0], dilations[0], pads[0]];
        let right = [strides[1], dilations[1], pads[1]];
        let kernel_width = (kernel[1] as usize).max(1);
        for (tap, weight) in taps
            .iter()
            .enumerate()
            .filter(|(_, weight)| **weight != 0.0)
        {
            for (y, sums) in plane.chunks_exact_mut(width.max(1)).enumerate() {
                let row = usize::try_from(at(down, tap / kernel_width, y)).ok();
                let start = row.and_then(|row| row.checked_mul(image_width));
                let Some(row) = start.and_then(|start| pixels.get(start..)?.get(..image_width))
                else {
                    continue;
                };
                // The first position whose tap lies inside the row.
                let stride = right[0].max(1) as usize;
                let outside = usize::try_from(-at(right, tap % kernel_width, 0)).unwrap_or(0);
                let x = outside.div_ceil(stride);
                let first = usize::try_from(at(right, tap % kernel_width, x)).unwrap_or(usize::MAX);
                let (sums, row) = (sums.iter_mut().skip(x), row.get(first..).unwrap_or(&[]));
                match stride {
                    1 => sums.zip(row).for_each(|(sum, x)| *sum += weight * x),
                    _ => sums
                        .zip(row.iter().step_by(stride))
                        .for_each(|(sum, x)| *sum += weight * x),
                }
            }
        }
    }
}

/// The largest value of every window.
fn max_pool(window: &Window, shape: &[usize], sources: &[&[f32]], shapes: &[&[usize]]) -> Vec<f32> {
    let (&[_, height, width], Some(&&[_, image_height, image_width]), Some(source)) =
        (shape, shapes.first(), sources.first())
    else {
        return vec![];
    };
    let mut largest = Vec::new();
    for pixels in source.chunks_exact((image_height * image_width).max(1)) {
        for y in 0..height as u32 {
            for x in 0..width as u32 {
                let taps = window.taps([y, x], [image_height as u32, image_width as u32]);
                let values = taps.filter_map(|(_, pixel)| pixels.get(pixel).copied());
                largest.push(values.fold(f32::NEG_INFINITY, f32::max));
            }
        }
    }
    largest
}
