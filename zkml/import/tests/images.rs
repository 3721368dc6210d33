//! Operators that move windows over images, against the definitions written out in floats.

mod common;

use ciro_zkml_model::{Activation, Model, Op};
use common::{compare, int, ints, linears, spread, text, Builder};

/// A window over an image of `channels` x `height` x `width`; rows have height 1.
#[derive(Clone)]
struct Window {
    image: [usize; 3],
    kernel: [usize; 2],
    strides: [usize; 2],
    dilations: [usize; 2],
    /// Top, left, bottom, right.
    pads: [usize; 4],
}

fn window(image: [usize; 3], kernel: [usize; 2]) -> Window {
    Window {
        image,
        kernel,
        strides: [1, 1],
        dilations: [1, 1],
        pads: [0; 4],
    }
}

impl Window {
    fn output(&self) -> [usize; 2] {
        let along = |axis: usize| {
            let reach = (self.kernel[axis] - 1) * self.dilations[axis] + 1;
            (self.image[axis + 1] + self.pads[axis] + self.pads[axis + 2] - reach)
                / self.strides[axis]
                + 1
        };
        [along(0), along(1)]
    }

    /// The value of a channel under tap `[i, j]` of the window at `[y, x]`; `None` outside the image.
    fn tap(
        &self,
        image: &[f32],
        channel: usize,
        [y, x]: [usize; 2],
        [i, j]: [usize; 2],
    ) -> Option<f32> {
        let [_, height, width] = self.image;
        let row = (y * self.strides[0] + i * self.dilations[0]).checked_sub(self.pads[0])?;
        let column = (x * self.strides[1] + j * self.dilations[1]).checked_sub(self.pads[1])?;
        (row < height && column < width).then(|| image[(channel * height + row) * width + column])
    }

    fn each(&self, outputs: usize, mut value: impl FnMut(usize, [usize; 2]) -> f32) -> Vec<f32> {
        let [height, width] = self.output();
        let places = (0..height)
            .flat_map(|y| (0..width).map(move |x| [y, x]))
            .collect::<Vec<_>>();
        (0..outputs)
            .flat_map(|output| {
                places
                    .iter()
                    .map(|&at| value(output, at))
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    fn conv(&self, image: &[f32], weights: &[f32], bias: &[f32], groups: usize) -> Vec<f32> {
        let per_group = self.image[0] / groups;
        let outputs_per_group = bias.len() / groups;
        let [height, width] = self.kernel;
        self.each(bias.len(), |output, at| {
            let mut sum = bias[output];
            for channel in 0..per_group {
                for i in 0..height {
                    for j in 0..width {
                        let weight =
                            weights[((output * per_group + channel) * height + i) * width + j];
                        let from = output / outputs_per_group * per_group + channel;
                        sum += weight * self.tap(image, from, at, [i, j]).unwrap_or(0.0);
                    }
                }
            }
            sum
        })
    }

    fn taps(&self, image: &[f32], channel: usize, at: [usize; 2]) -> Vec<f32> {
        let [height, width] = self.kernel;
        let all = (0..height).flat_map(|i| (0..width).map(move |j| [i, j]));
        all.filter_map(|tap| self.tap(image, channel, at, tap))
            .collect()
    }
}

/// A graph with an image of 4 channels, 6 x 7.
const IMAGE: [usize; 3] = [4, 6, 7];

fn image_graph() -> Builder {
    Builder::new(&IMAGE.map(|size| size as i64))
}

fn samples() -> Vec<f32> {
    spread(20, 4 * 6 * 7)
}

fn dims(sizes: &[usize]) -> Vec<i64> {
    sizes.iter().map(|&size| size as i64).collect()
}

/// A convolution with its attributes, checked against the definition.
fn check_conv(
    window: Window,
    groups: usize,
    outputs: usize,
    extra: Vec<ciro_zkml_import::onnx::AttributeProto>,
) -> Model {
    let per_group = window.image[0] / groups;
    let weights = spread(1, outputs * per_group * window.kernel[0] * window.kernel[1]);
    let bias = spread(1, outputs);
    let shape = dims(&[outputs, per_group, window.kernel[0], window.kernel[1]]);
    let mut attributes = vec![
        int("group", groups as i64),
        ints("strides", &dims(&window.strides)),
        ints("dilations", &dims(&window.dilations)),
    ];
    match extra.is_empty() {
        true => attributes.push(ints("pads", &dims(&window.pads))),
        false => attributes.extend(extra),
    }
    let graph = Builder::new(&dims(&window.image))
        .floats("w", &shape, &weights)
        .floats("b", &[outputs as i64], &bias);
    let samples = spread(20, window.image.iter().product());
    compare(
        &graph.node("Conv", &["", "w", "b"], attributes),
        &samples,
        0.02,
        |x| window.conv(x, &weights, &bias, groups),
    )
}

#[test]
fn convolutions() {
    let plain = || window(IMAGE, [3, 3]);
    check_conv(plain(), 1, 5, vec![]);
    check_conv(
        Window {
            kernel: [2, 4],
            ..plain()
        },
        1,
        3,
        vec![],
    );
    check_conv(
        Window {
            strides: [2, 3],
            pads: [1, 0, 2, 1],
            ..plain()
        },
        1,
        3,
        vec![],
    );
    check_conv(
        Window {
            dilations: [2, 1],
            pads: [2, 1, 2, 1],
            ..plain()
        },
        1,
        3,
        vec![],
    );
    check_conv(
        Window {
            pads: [1; 4],
            ..plain()
        },
        2,
        6,
        vec![],
    );
    // Depthwise, with two outputs a channel.
    check_conv(
        Window {
            pads: [1; 4],
            strides: [2, 2],
            ..plain()
        },
        4,
        8,
        vec![],
    );
    check_conv(
        Window {
            kernel: [1, 1],
            ..plain()
        },
        1,
        3,
        vec![],
    );
}

#[test]
fn automatic_padding() {
    let strided = || Window {
        strides: [2, 2],
        ..window(IMAGE, [3, 4])
    };
    // 6 rows in steps of 2 need one more row, 7 columns three more.
    let upper = Window {
        pads: [0, 1, 1, 2],
        ..strided()
    };
    check_conv(upper, 1, 2, vec![text("auto_pad", "SAME_UPPER")]);
    let lower = Window {
        pads: [1, 2, 0, 1],
        ..strided()
    };
    check_conv(lower, 1, 2, vec![text("auto_pad", "SAME_LOWER")]);
    check_conv(strided(), 1, 2, vec![text("auto_pad", "VALID")]);
}

#[test]
fn convolutions_of_rows() {
    let rows = Window {
        pads: [0, 1, 0, 1],
        strides: [1, 2],
        ..window([3, 1, 12], [1, 3])
    };
    let (weights, bias) = (spread(1, 2 * 3 * 3), [0.5, -0.25]);
    let graph = Builder::new(&[3, 12])
        .floats("w", &[2, 3, 3], &weights)
        .floats("b", &[2], &bias)
        .node(
            "Conv",
            &["", "w", "b"],
            vec![ints("pads", &[1, 1]), ints("strides", &[2])],
        )
        .node(
            "MaxPool",
            &[""],
            vec![ints("kernel_shape", &[2]), ints("strides", &[2])],
        )
        .node("Flatten", &[""], vec![]);
    let samples = spread(20, 36);
    compare(&graph, &samples, 0.02, |x| {
        let hidden = rows.conv(x, &weights, &bias, 1);
        hidden.chunks(2).map(|pair| pair[0].max(pair[1])).collect()
    });
}

#[test]
fn pools() {
    let pooled = Window {
        strides: [2, 1],
        pads: [1, 0, 0, 1],
        ..window(IMAGE, [3, 2])
    };
    let attributes = || {
        vec![
            ints("kernel_shape", &[3, 2]),
            ints("strides", &[2, 1]),
            ints("pads", &[1, 0, 0, 1]),
        ]
    };
    compare(
        &image_graph().node("MaxPool", &[""], attributes()),
        &samples(),
        0.015,
        |x| {
            pooled.each(4, |channel, at| {
                pooled
                    .taps(x, channel, at)
                    .into_iter()
                    .fold(f32::MIN, f32::max)
            })
        },
    );
    let counted = [attributes(), vec![int("count_include_pad", 1)]].concat();
    compare(
        &image_graph().node("AveragePool", &[""], counted),
        &samples(),
        0.015,
        |x| {
            pooled.each(4, |channel, at| {
                pooled.taps(x, channel, at).iter().sum::<f32>() / 6.0
            })
        },
    );
    let inside = Window {
        strides: [2, 2],
        ..window(IMAGE, [2, 2])
    };
    // Rounding up changes nothing along 6 rows; along 7 columns it would.
    let fits = vec![
        ints("kernel_shape", &[2, 1]),
        ints("strides", &[2, 1]),
        int("ceil_mode", 1),
    ];
    let tall = Window {
        kernel: [2, 1],
        strides: [2, 1],
        ..inside
    };
    compare(
        &image_graph().node("AveragePool", &[""], fits),
        &samples(),
        0.015,
        |x| {
            tall.each(4, |channel, at| {
                tall.taps(x, channel, at).iter().sum::<f32>() / 2.0
            })
        },
    );
}

#[test]
fn pools_of_whole_images() {
    let mean = |x: &[f32]| {
        x.chunks(42)
            .map(|plane| plane.iter().sum::<f32>() / 42.0)
            .collect::<Vec<_>>()
    };
    let largest = |x: &[f32]| {
        x.chunks(42)
            .map(|plane| plane.iter().fold(f32::MIN, |a, b| a.max(*b)))
            .collect()
    };
    compare(
        &image_graph().node("GlobalAveragePool", &[""], vec![]),
        &samples(),
        0.02,
        mean,
    );
    compare(
        &image_graph().node("GlobalMaxPool", &[""], vec![]),
        &samples(),
        0.015,
        largest,
    );
    let axes = vec![ints("axes", &[2, 3]), int("keepdims", 0)];
    let reduced = image_graph().node("ReduceMean", &[""], axes);
    compare(&reduced, &samples(), 0.02, mean);
    let operand = image_graph()
        .ints("axes", &[-2, -1])
        .node("ReduceSum", &["", "axes"], vec![]);
    compare(&operand, &samples(), 0.02, |x| {
        mean(x).into_iter().map(|mean| 42.0 * mean).collect()
    });
    // Along the channels, and along the last axis.
    let channels = image_graph().node("ReduceSum", &[""], vec![ints("axes", &[1])]);
    compare(&channels, &samples(), 0.02, |x| {
        (0..42)
            .map(|at| (0..4).map(|c| x[c * 42 + at]).sum())
            .collect()
    });
    let last = image_graph().node("ReduceMean", &[""], vec![ints("axes", &[3])]);
    compare(&last, &samples(), 0.02, |x| {
        x.chunks(7)
            .map(|row| row.iter().sum::<f32>() / 7.0)
            .collect()
    });
}

#[test]
fn padding_goes_into_the_convolution() {
    let padded = Window {
        pads: [1, 2, 0, 1],
        ..window(IMAGE, [3, 3])
    };
    let weights = spread(1, 2 * 4 * 9);
    let graph = image_graph()
        .floats("w", &[2, 4, 3, 3], &weights)
        .ints("pads", &[0, 0, 1, 2, 0, 0, 0, 1])
        .node("Pad", &["", "pads"], vec![])
        .node("Conv", &["", "w"], vec![]);
    let model = compare(&graph, &samples(), 0.02, |x| {
        padded.conv(x, &weights, &[0.0; 2], 1)
    });
    assert_eq!(model.nodes.len(), 1);
    let pooled = Window {
        pads: [1, 0, 0, 1],
        strides: [3, 2],
        ..window(IMAGE, [3, 2])
    };
    let mean = image_graph()
        .ints("pads", &[0, 0, 1, 0, 0, 0, 0, 1])
        .node("Pad", &["", "pads"], vec![])
        .node(
            "AveragePool",
            &[""],
            vec![ints("kernel_shape", &[3, 2]), ints("strides", &[3, 2])],
        );
    compare(&mean, &samples(), 0.02, |x| {
        pooled.each(4, |channel, at| {
            pooled.taps(x, channel, at).iter().sum::<f32>() / 6.0
        })
    });
}

/// Convolution, normalisation, pool, ReLU: one linear node and the pool, whatever their order.
#[test]
fn blocks_fold() {
    let (weights, image) = (spread(1, 3 * 4 * 9), window(IMAGE, [3, 3]));
    let parameters = || {
        image_graph()
            .floats("w", &[3, 4, 3, 3], &weights)
            .floats("scale", &[3], &[0.5, 1.0, 2.0])
            .floats("bias", &[3], &[0.5, -0.5, 0.0])
            .floats("mean", &[3], &[0.25, 0.0, -0.5])
            .floats("var", &[3], &[1.0, 2.0, 0.5])
            .node("Conv", &["", "w"], vec![])
            .node(
                "BatchNormalization",
                &["", "scale", "bias", "mean", "var"],
                vec![],
            )
    };
    let hidden = |x: &[f32]| {
        let sums = image.conv(x, &weights, &[0.0; 3], 1);
        let normal = |(at, sum): (usize, f32)| {
            let channel = at / 20;
            let deviation = ([1.0_f32, 2.0, 0.5][channel] + 1e-5).sqrt();
            let value = (sum - [0.25, 0.0, -0.5][channel]) / deviation * [0.5, 1.0, 2.0][channel];
            (value + [0.5, -0.5, 0.0][channel]).max(0.0)
        };
        let pooled = Window {
            strides: [2, 2],
            ..window([3, 4, 5], [2, 2])
        };
        let values: Vec<f32> = sums.into_iter().enumerate().map(normal).collect();
        pooled.each(3, |channel, at| {
            pooled
                .taps(&values, channel, at)
                .into_iter()
                .fold(f32::MIN, f32::max)
        })
    };
    let pool = || vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])];
    let end = |graph: Builder| {
        graph
            .floats("last", &[12, 1], &[0.5; 12])
            .node("Flatten", &[""], vec![])
            .node("MatMul", &["", "last"], vec![])
    };
    let early = end(parameters()
        .node("Relu", &[""], vec![])
        .node("MaxPool", &[""], pool()));
    let late = end(parameters()
        .node("MaxPool", &[""], pool())
        .node("Relu", &[""], vec![]));
    let expected = |x: &[f32]| vec![hidden(x).iter().sum::<f32>() * 0.5];
    let (early, late) = (
        compare(&early, &samples(), 0.02, expected),
        compare(&late, &samples(), 0.02, expected),
    );
    assert_eq!(early.nodes, late.nodes);
    assert_eq!(linears(&early).len(), 2);
    assert!(matches!(early.nodes[1].op, Op::MaxPool(_)));
    assert_eq!(
        linears(&early)[0].requant.as_ref().unwrap().activation,
        Activation::RELU
    );
}

/// A skip connection around two convolutions, and a mean at the end.
#[test]
fn residual_blocks() {
    let (a, b) = (spread(1, 4 * 4 * 9), spread(2, 2 * 4 * 9));
    let graph = image_graph()
        .floats("a", &[4, 4, 3, 3], &a)
        .floats("b", &[4, 4, 3, 3], &b)
        .node("Conv", &["", "a"], vec![ints("pads", &[1; 4])])
        .node("Relu", &[""], vec![])
        .node("Conv", &["", "b"], vec![ints("pads", &[1; 4])])
        .node("Add", &["x", ""], vec![])
        .node("Relu", &[""], vec![])
        .node("GlobalAveragePool", &[""], vec![])
        .node("Flatten", &[""], vec![]);
    let padded = Window {
        pads: [1; 4],
        ..window(IMAGE, [3, 3])
    };
    let relu = |values: Vec<f32>| {
        values
            .into_iter()
            .map(|value| value.max(0.0))
            .collect::<Vec<_>>()
    };
    compare(&graph, &samples(), 0.02, |x| {
        let hidden = relu(padded.conv(x, &a, &[0.0; 4], 1));
        let sum = padded
            .conv(&hidden, &b, &[0.0; 4], 1)
            .iter()
            .zip(x)
            .map(|(sum, x)| sum + x)
            .collect();
        relu(sum)
            .chunks(42)
            .map(|plane| plane.iter().sum::<f32>() / 42.0)
            .collect()
    });
}

/// Where zeros are added around the input, its integer 0 stands for 0.0, even after a scaling that cannot be folded.
#[test]
fn zeros_around_shifted_images() {
    let weights = spread(1, 2 * 4 * 9);
    let graph = image_graph()
        .floats("mean", &[4, 1, 1], &[0.5, 0.25, -0.25, 0.0])
        .floats("std", &[4, 1, 1], &[0.5, 1.0, 2.0, 1.0])
        .floats("w", &[2, 4, 3, 3], &weights)
        .node("Sub", &["", "mean"], vec![])
        .node("Div", &["", "std"], vec![])
        .node("Conv", &["", "w"], vec![ints("pads", &[1; 4])]);
    let padded = Window {
        pads: [1; 4],
        ..window(IMAGE, [3, 3])
    };
    let (mean, deviation) = ([0.5, 0.25, -0.25, 0.0], [0.5, 1.0, 2.0, 1.0]);
    compare(&graph, &samples(), 0.025, |x| {
        let normal: Vec<f32> = x
            .iter()
            .enumerate()
            .map(|(at, x)| (x - mean[at / 42]) / deviation[at / 42])
            .collect();
        padded.conv(&normal, &weights, &[0.0; 2], 1)
    });
}
