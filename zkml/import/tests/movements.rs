//! Operators that move data: exact, but for the rounding of what is moved.

mod common;

use ciro_zkml_import::onnx::AttributeProto;
use ciro_zkml_model::Model;
use common::{compare, int, ints, spread, text, Builder};

/// Samples of shape 2 x 3 x 4, each value in its own place.
fn graph() -> Builder {
    Builder::new(&[2, 3, 4])
}

fn samples() -> Vec<f32> {
    spread(10, 24)
}

/// Checks that a graph reads the elements at `places`. A graph that only moves data computes nothing, so the sign changes.
fn reads(builder: Builder, shape: &[u32], places: &[usize]) -> Model {
    let negative = builder.node("Neg", &[""], vec![]);
    let model = compare(&negative, &samples(), 0.015, |x| {
        places.iter().map(|&place| -x[place]).collect()
    });
    assert_eq!(model.output.shape, shape);
    model
}

fn at(channel: usize, row: usize, column: usize) -> usize {
    (channel * 3 + row) * 4 + column
}

/// The places of a box, in order.
fn places(channels: &[usize], rows: &[usize], columns: &[usize]) -> Vec<usize> {
    let mut places = Vec::new();
    for &channel in channels {
        for &row in rows {
            places.extend(columns.iter().map(|&column| at(channel, row, column)));
        }
    }
    places
}

#[test]
fn transpose() {
    let turned = graph().node("Transpose", &[""], vec![ints("perm", &[0, 3, 1, 2])]);
    let expected = (0..4)
        .flat_map(|column| places(&[0, 1], &[0, 1, 2], &[column]))
        .collect::<Vec<_>>();
    reads(turned, &[4, 2, 3], &expected);
    // Back again: nothing moves.
    let twice = graph()
        .node("Transpose", &[""], vec![ints("perm", &[0, 3, 1, 2])])
        .node("Transpose", &[""], vec![ints("perm", &[0, 2, 3, 1])]);
    reads(twice, &[2, 3, 4], &(0..24).collect::<Vec<_>>());
}

#[test]
fn slice() {
    let sliced = graph()
        .ints("starts", &[1, -3])
        .ints("ends", &[3, i64::MAX])
        .ints("axes", &[2, 3])
        .ints("steps", &[1, 2])
        .node("Slice", &["", "starts", "ends", "axes", "steps"], vec![]);
    reads(sliced, &[2, 2, 2], &places(&[0, 1], &[1, 2], &[1, 3]));
    let reversed = graph()
        .ints("starts", &[-1])
        .ints("ends", &[i64::MIN])
        .ints("axes", &[-1])
        .ints("steps", &[-1])
        .node("Slice", &["", "starts", "ends", "axes", "steps"], vec![]);
    reads(
        reversed,
        &[2, 3, 4],
        &places(&[0, 1], &[0, 1, 2], &[3, 2, 1, 0]),
    );
}

#[test]
fn gather() {
    let gathered =
        graph()
            .ints("indices", &[2, 0, -1])
            .node("Gather", &["", "indices"], vec![int("axis", 2)]);
    reads(
        gathered,
        &[2, 3, 4],
        &places(&[0, 1], &[2, 0, 2], &[0, 1, 2, 3]),
    );
    let extracted = Builder::new(&[24]).ints("indices", &[5, 3]);
    let extracted = extracted.node("ai.onnx.ml:ArrayFeatureExtractor", &["", "indices"], vec![]);
    reads(extracted, &[2], &[5, 3]);
}

#[test]
fn squeeze_and_unsqueeze() {
    let squeezed = graph()
        .ints("axes", &[1, 4])
        .ints("one", &[1])
        .node("Unsqueeze", &["", "axes"], vec![])
        .node("Squeeze", &["", "one"], vec![]);
    reads(squeezed, &[2, 3, 1, 4], &(0..24).collect::<Vec<_>>());
    let old = graph().node("Unsqueeze", &[""], vec![ints("axes", &[-1])]);
    reads(old, &[2, 3, 4, 1], &(0..24).collect::<Vec<_>>());
}

/// A Split with its parts, of which the one named last is the output.
fn split(sizes: &[i64], part: usize, attributes: Vec<AttributeProto>) -> Builder {
    let mut graph = graph().ints("sizes", sizes);
    let operands: &[&str] = if sizes.is_empty() {
        &[""]
    } else {
        &["", "sizes"]
    };
    graph = graph.node("Split", operands, attributes);
    let proto = graph.graph();
    let node = proto.node.last_mut().unwrap();
    node.output = (0..sizes.len().max(2))
        .map(|part| format!("part{part}"))
        .collect();
    proto.output[0].name = format!("part{part}");
    graph
}

#[test]
fn split_and_concat() {
    reads(
        split(&[1, 3], 1, vec![int("axis", 3)]),
        &[2, 3, 3],
        &places(&[0, 1], &[0, 1, 2], &[1, 2, 3]),
    );
    reads(
        split(&[], 0, vec![int("axis", 1)]),
        &[1, 3, 4],
        &places(&[0], &[0, 1, 2], &[0, 1, 2, 3]),
    );
    // The halves change places.
    let joined =
        split(&[], 1, vec![int("axis", 1)]).node("Concat", &["", "part0"], vec![int("axis", 1)]);
    reads(
        joined,
        &[2, 3, 4],
        &places(&[1, 0], &[0, 1, 2], &[0, 1, 2, 3]),
    );
}

/// Parts of different scales are brought to one.
#[test]
fn concat_of_different_scales() {
    let joined = graph()
        .floats("tenth", &[], &[0.1])
        .node("Relu", &[""], vec![])
        .node("Tanh", &["x"], vec![])
        .node("Mul", &["x", "tenth"], vec![])
        .node("Concat", &["y0", "x", "y1", "y2"], vec![int("axis", -1)]);
    compare(&joined, &samples(), 0.015, |x| {
        let row = |row: &[f32]| {
            let relu = row.iter().map(|x| x.max(0.0));
            let tenth = row.iter().map(|x| 0.1 * x);
            relu.chain(row.iter().copied())
                .chain(row.iter().map(|x| x.tanh()))
                .chain(tenth)
                .collect::<Vec<_>>()
        };
        x.chunks(4).flat_map(row).collect()
    });
}

#[test]
fn depth_and_space() {
    let shape = Builder::new(&[4, 2, 3]);
    let spread_out = |y: usize, x: usize| ((y % 2 * 2 + x % 2) * 2 + y / 2) * 3 + x / 2;
    let expected: Vec<usize> = (0..4)
        .flat_map(|y| (0..6).map(move |x| spread_out(y, x)))
        .collect();
    reads(
        shape
            .clone()
            .node("DepthToSpace", &[""], vec![int("blocksize", 2)]),
        &[1, 4, 6],
        &expected,
    );
    let crd = vec![int("blocksize", 2), text("mode", "CRD")];
    reads(
        shape.node("DepthToSpace", &[""], crd),
        &[1, 4, 6],
        &expected,
    );
    let back = Builder::new(&[1, 4, 6]).node("SpaceToDepth", &[""], vec![int("blocksize", 2)]);
    let mut inverse = vec![0; 24];
    expected
        .iter()
        .enumerate()
        .for_each(|(at, &place)| inverse[place] = at);
    reads(back, &[4, 2, 3], &inverse);
}

/// ShuffleNet's exchange of channels between groups.
#[test]
fn channel_shuffle() {
    let shuffled = Builder::new(&[4, 2, 3])
        .ints("groups", &[0, 2, 2, 2, 3])
        .ints("back", &[0, 4, 2, 3])
        .node("Reshape", &["", "groups"], vec![])
        .node("Transpose", &[""], vec![ints("perm", &[0, 2, 1, 3, 4])])
        .node("Reshape", &["", "back"], vec![]);
    let expected: Vec<usize> = [0, 2, 1, 3]
        .iter()
        .flat_map(|channel| channel * 6..channel * 6 + 6)
        .collect();
    reads(shuffled, &[4, 2, 3], &expected);
}

/// A function goes with what it reads, however that is moved.
#[test]
fn functions_move_along() {
    let weights = [1.0, -1.0, 0.5, 0.25];
    let moved = graph()
        .floats("w", &[4, 1], &weights)
        .node("Transpose", &[""], vec![ints("perm", &[0, 2, 1, 3])])
        .node("Relu", &[""], vec![])
        .node("MatMul", &["", "w"], vec![]);
    compare(&moved, &samples(), 0.02, |x| {
        let row = |row: usize, channel: usize| {
            (0..4)
                .map(|column| weights[column] * x[at(channel, row, column)].max(0.0))
                .sum::<f32>()
        };
        (0..3)
            .flat_map(|r| (0..2).map(move |c| (r, c)))
            .map(|(r, c)| row(r, c))
            .collect()
    });
}
