//! Images and windows whose sizes disagree are refused.

mod common;

use ciro_zkml_model::{Activation, Conv, Map, Model, ModelError, Op, Window};
use common::{
    linear, linear_of, node, of, plain,
    refusal::{image, refused, shape, window},
    requant,
};
use proptest::prelude::*;

fn conv_of(model: &mut Model) -> &mut Conv {
    match &mut linear_of(model, 0).maps[0] {
        Map::Conv(conv) => conv,
        _ => panic!("not a convolution"),
    }
}

#[test]
fn images() {
    let good = image();
    let axes = "the list of an image's axes";
    shape(&good, axes, |m| m.input.shape = vec![4, 36]);
    shape(&good, axes, |m| m.nodes[0].shape = vec![2, 6, 6, 1]);
    shape(&good, axes, |m| m.nodes[1].shape = vec![2, 36]);
    shape(&good, "the channel axis", |m| {
        m.nodes[1].shape = vec![3, 6, 6]
    });
    shape(&good, "the position of the channel axis", |m| {
        m.nodes[0].shape = vec![6, 2, 6];
        linear_of(m, 0).channel_axis = 1;
    });
    shape(&good, "the kernel", |m| conv_of(m).weights.push(0));
    shape(&good, "the kernel", |m| conv_of(m).weights.clear());
    // Sums: each tensor has as many elements, each map one weight a channel.
    shape(&good, "the source", |m| m.nodes[2].sources = vec![1, 0]);
    shape(&good, "the list of maps", |m| m.nodes[2].sources = vec![1]);
    for count in [0, 1, 3, 72] {
        shape(&good, "the list of weights", |m| {
            linear_of(m, 2).maps[1] = Map::Scale(vec![1; count])
        });
    }
    // Channels along another axis have other numbers.
    shape(&good, "the bias", |m| linear_of(m, 2).channel_axis = 1);
}

#[test]
fn groups() {
    let good = image();
    for groups in [0, 3, 4, 5, u32::MAX] {
        // 3 and 5 divide neither the inputs nor the outputs, 4 only the inputs.
        let error = refused(&good, |m| conv_of(m).groups = groups);
        assert_eq!(error, ModelError::Groups { node: 0 });
    }
    let error = refused(&good, |m| {
        // 3 divides only the outputs.
        m.nodes[0].shape = vec![3, 6, 6];
        let linear = linear_of(m, 0);
        linear.bias = vec![0; 3];
        linear.requant = requant(vec![1 << Model::SHIFT; 3], Activation::IDENTITY);
        conv_of(m).groups = 3;
    });
    assert_eq!(error, ModelError::Groups { node: 0 });
    // One group of all channels has twice the weights.
    shape(&good, "the kernel", |m| conv_of(m).groups = 1);
}

#[test]
fn windows() {
    let good = image();
    let bad = |change: &dyn Fn(&mut Window)| {
        let error = refused(&good, |m| change(&mut conv_of(m).window));
        assert_eq!(error, ModelError::Window { node: 0 });
        let error = refused(&good, |m| match &mut m.nodes[1].op {
            Op::MaxPool(window) => change(window),
            _ => panic!("not a pool"),
        });
        assert_eq!(error, ModelError::Window { node: 1 });
    };
    for axis in [0, 1] {
        // Without size, larger than the image, much larger.
        for size in [0, 4, 9, u32::MAX] {
            bad(&|window| window.kernel[axis] = size);
        }
        // A stride that makes a smaller image, one that is none, one of any size.
        for stride in [0, 2, 1 << 16, u32::MAX] {
            bad(&|window| window.strides[axis] = stride);
        }
        for dilation in [0, 2, 6, 1 << 16, u32::MAX] {
            bad(&|window| window.dilations[axis] = dilation);
        }
    }
    for side in 0..4 {
        for pad in [2, 3, u32::MAX] {
            bad(&|window| window.pads[side] = pad);
        }
    }
    for change in [[7, 6], [6, 5], [1, 6], [u32::MAX, 1]] {
        let error = refused(&good, |m| m.nodes[0].shape[1..].copy_from_slice(&change));
        let large = change[0] == u32::MAX;
        assert_eq!(matches!(error, ModelError::TooLarge { .. }), large);
        assert_eq!(error == ModelError::Window { node: 0 }, !large);
    }
}

/// The largest value of every window along an axis of a line, 0 being the vertical one; an error if that is refused.
fn along(axis: usize, window: &Window, size: u32, made: u32) -> Result<(), ModelError> {
    let turned = |[first, second]: [u32; 2]| match axis {
        0 => [first, second],
        _ => [second, first],
    };
    let [top, left, bottom, right] = window.pads;
    let ([top, left], [bottom, right]) = (turned([top, left]), turned([bottom, right]));
    let window = Window {
        kernel: turned(window.kernel),
        strides: turned(window.strides),
        dilations: turned(window.dilations),
        pads: [top, left, bottom, right],
    };
    let line = |size: u32| [vec![1], turned([size, 1]).to_vec()].concat();
    let end = linear(vec![Map::Scale(vec![1])], 0, vec![0], None);
    let nodes = vec![
        node(&[0], &line(made), Op::MaxPool(window)),
        node(&[1], &line(made), end),
    ];
    let model = of(plain(&line(size)), nodes);
    model.validate()?;
    let all = vec![-128; model.inputs()];
    assert!(model.run(&all).unwrap().iter().all(|&acc| acc == -128));
    Ok(())
}

#[test]
fn every_window_covers_a_part_of_the_image() {
    let refused = Err(ModelError::Window { node: 0 });
    for axis in [0, 1] {
        // Borders as large as the kernel, whatever fits.
        for pads in [[2, 0, 0, 0], [0, 0, 2, 0]] {
            assert_eq!(along(axis, &window([2, 1], pads), 4, 5), refused);
        }
        for (size, made) in [(4, 5), (1, 2)] {
            let both = window([2, 1], [1, 0, 1, 0]);
            assert_eq!(along(axis, &both, size, made), Ok(()));
        }
        // Two positions far apart, the image between them.
        let mut apart = window([2, 1], [1, 0, 1, 0]);
        apart.dilations = [2, 1];
        assert_eq!(along(axis, &apart, 1, 1), refused);
        apart.pads = [0; 4];
        assert_eq!(along(axis, &apart, 3, 1), Ok(()));
        // Of three one is always inside.
        (apart.kernel, apart.pads) = ([3, 1], [2, 0, 2, 0]);
        assert_eq!(along(axis, &apart, 1, 1), Ok(()));
        // Steps of any size where only one is taken, but no steps out of proportion.
        for (step, accepted) in [((1 << 16) - 1, true), (1 << 16, false), (u32::MAX, false)] {
            let expected = if accepted { Ok(()) } else { refused.clone() };
            let mut far = window([1, 1], [0; 4]);
            far.strides[0] = step;
            assert_eq!(along(axis, &far, 3, 1), expected);
            (far.strides, far.dilations) = ([1, 1], [step, 1]);
            assert_eq!(along(axis, &far, 3, 3), expected);
        }
        // A window far larger than the image, with the borders that this takes.
        assert_eq!(along(axis, &window([9, 1], [8, 0, 8, 0]), 1, 9), Ok(()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Whatever is accepted covers a part of the image.
    #[test]
    fn accepted_windows_are_not_empty(
        (axis, kernel, dilation, stride) in (0..2_usize, 1..7_u32, 1..5_u32, 1..5_u32),
        (before, after, size) in (0..6_u32, 0..6_u32, 1..9_u32),
    ) {
        let window = Window {
            kernel: [kernel, 1],
            strides: [stride, 1],
            dilations: [dilation, 1],
            pads: [before, 0, after, 0],
        };
        if let Some([made, _]) = window.output([size, 1]) {
            let _ = along(axis, &window, size, made);
        }
    }
}
