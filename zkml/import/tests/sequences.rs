//! What transformers are made of, each operator against the same computation written out in floats.

mod common;

use ciro_zkml_import::onnx::TensorProto;
use ciro_zkml_model::{Activation, Encoding, Map, Model, Op};
use common::{compare, float, int, ints, spread, Builder};

/// Positions and channels of the samples.
const T: usize = 6;
const C: usize = 8;

/// A graph on `[T, C]` with square matrices `a`, `b` and `c`.
fn graph() -> Builder {
    let builder = Builder::new(&[T as i64, C as i64]);
    ["a", "b", "c"].iter().fold(builder, |builder, name| {
        builder.floats(name, &[C as i64, C as i64], &matrix(name))
    })
}

/// The weights of a graph's matrix.
fn matrix(name: &str) -> Vec<f32> {
    let at = usize::from(name.as_bytes()[0] - b'a');
    spread(3, C * C)[at * C * C..(at + 1) * C * C].to_vec()
}

fn samples() -> Vec<f32> {
    spread(32, T * C)
}

/// The rows of `x`, `columns` long, times a matrix.
fn times(x: &[f32], matrix: &[f32], inner: usize) -> Vec<f32> {
    let columns = matrix.len() / inner;
    let row = |row: &[f32]| -> Vec<f32> {
        (0..columns)
            .map(|j| (0..inner).map(|i| row[i] * matrix[i * columns + j]).sum())
            .collect()
    };
    x.chunks(inner).flat_map(row).collect()
}

fn transposed(x: &[f32], columns: usize) -> Vec<f32> {
    (0..columns)
        .flat_map(|j| x.iter().skip(j).step_by(columns).copied())
        .collect()
}

fn softmax(scores: &[f32], width: usize) -> Vec<f32> {
    let row = |row: &[f32]| -> Vec<f32> {
        let exponentials: Vec<f32> = row.iter().map(|score| score.exp()).collect();
        let sum: f32 = exponentials.iter().sum();
        exponentials.iter().map(|value| value / sum).collect()
    };
    scores.chunks(width).flat_map(row).collect()
}

/// `(x - mean) / sqrt(variance + epsilon)`, the mean being 0 unless it is `centred`.
fn norm(x: &[f32], epsilon: f32, centred: bool) -> Vec<f32> {
    let row = |row: &[f32]| -> Vec<f32> {
        let mean = if centred {
            row.iter().sum::<f32>() / C as f32
        } else {
            0.0
        };
        let square = row.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / C as f32;
        row.iter()
            .map(|x| (x - mean) / (square + epsilon).sqrt())
            .collect()
    };
    x.chunks(C).flat_map(row).collect()
}

fn add(a: &[f32], b: &[f32]) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

/// Queries, keys and values, the last in `v`; the output so far are the scores.
fn scores() -> Builder {
    graph()
        .node("MatMul", &["x", "c"], vec![])
        .node("MatMul", &["x", "b"], vec![])
        .node("Transpose", &[""], vec![ints("perm", &[0, 2, 1])])
        .node("MatMul", &["x", "a"], vec![])
        .node("MatMul", &["", "y2"], vec![])
}

fn scores_of(x: &[f32]) -> Vec<f32> {
    let keys = times(x, &matrix("b"), C);
    times(&times(x, &matrix("a"), C), &transposed(&keys, C), C)
}

/// Attention whose scores a function changes first.
fn attention(x: &[f32], change: impl Fn(usize, f32) -> f32) -> Vec<f32> {
    let scores: Vec<f32> = scores_of(x)
        .iter()
        .enumerate()
        .map(|(at, &score)| change(at, score))
        .collect();
    times(&softmax(&scores, T), &times(x, &matrix("c"), C), T)
}

/// Whether a position attends to a later one.
fn is_later(at: usize) -> bool {
    at % T > at / T
}

fn bools(mut builder: Builder, name: &str, values: &[bool]) -> Builder {
    builder.graph().initializer.push(TensorProto {
        dims: vec![T as i64, T as i64],
        data_type: 9,
        raw_data: values.iter().map(|&value| value.into()).collect(),
        name: name.into(),
        ..Default::default()
    });
    builder
}

fn mask() -> Vec<bool> {
    (0..T * T).map(is_later).collect()
}

#[test]
fn products_of_computed_matrices() {
    compare(&scores(), &samples(), 0.02, scores_of);
    let over_positions = graph()
        .node("MatMul", &["x", "a"], vec![])
        .node("Transpose", &[""], vec![ints("perm", &[0, 2, 1])])
        .node("MatMul", &["", "x"], vec![]);
    compare(&over_positions, &samples(), 0.02, |x| {
        times(&transposed(&times(x, &matrix("a"), C), C), x, T)
    });
}

#[test]
fn products_of_elements_broadcast() {
    let gate = graph()
        .node("MatMul", &["x", "a"], vec![])
        .node("Sigmoid", &[""], vec![])
        .node("MatMul", &["x", "b"], vec![])
        .node("Mul", &["", "y1"], vec![]);
    compare(&gate, &samples(), 0.02, |x| {
        let gates = times(x, &matrix("a"), C);
        let values = times(x, &matrix("b"), C);
        gates
            .iter()
            .zip(values)
            .map(|(gate, value)| value / (1.0 + (-gate).exp()))
            .collect()
    });
    let column = graph()
        .floats("column", &[C as i64, 1], &matrix("b")[..C])
        .node("MatMul", &["x", "column"], vec![])
        .node("Mul", &["", "x"], vec![]);
    compare(&column, &samples(), 0.02, |x| {
        let factors = times(x, &matrix("b")[..C], C);
        x.iter()
            .enumerate()
            .map(|(at, x)| x * factors[at / C])
            .collect()
    });
}

/// Products know of values, not of integers that stand for them: an input that is far from 0 is multiplied as well.
#[test]
fn inputs_have_their_zero_taken_off() {
    let shifted: Vec<f32> = samples().iter().map(|x| x + 2.0).collect();
    let builder = graph()
        .node("Transpose", &["x"], vec![ints("perm", &[0, 2, 1])])
        .node("MatMul", &["x", ""], vec![]);
    compare(&builder, &shifted, 0.01, |x| times(x, &transposed(x, C), C));
}

/// A matrix product that a sum alone reads is rounded only with it, and the other terms hardly at all: they are read so often
/// that their weights are as fine as the matrix's.
#[test]
fn sums_take_matrix_products_in() {
    let builder = graph()
        .floats("bias", &[C as i64], &matrix("b")[..C])
        .node("MatMul", &["x", "c"], vec![])
        .node("MatMul", &["x", "a"], vec![])
        .node("Add", &["", "bias"], vec![])
        .node("Add", &["", "y0"], vec![])
        .node("Mul", &["", "y0"], vec![]);
    let model = compare(&builder, &samples(), 0.01, |x| {
        let kept = times(x, &matrix("c"), C);
        let sum = add(&times(x, &matrix("a"), C), &kept);
        let sums = sum.iter().enumerate();
        sums.map(|(at, sum)| (sum + matrix("b")[at % C]) * kept[at])
            .collect()
    });
    let sum = model.nodes.iter().find_map(|node| match &node.op {
        Op::Linear(linear) if linear.maps.len() > 1 => Some((node, linear)),
        _ => None,
    });
    let (node, linear) = sum.unwrap();
    assert_eq!(
        linear
            .maps
            .iter()
            .filter(|map| matches!(map, Map::Dense(_)))
            .count(),
        1
    );
    // One tensor, read as often as its weights need.
    let mut kept: Vec<u32> = node.sources.clone();
    kept.dedup();
    assert_eq!(kept.len(), 2);
}

#[test]
fn sums_broadcast() {
    let column = graph()
        .floats("column", &[C as i64, 1], &matrix("b")[..C])
        .node("MatMul", &["x", "column"], vec![])
        .node("Add", &["", "x"], vec![]);
    compare(&column, &samples(), 0.02, |x| {
        let offsets = times(x, &matrix("b")[..C], C);
        x.iter()
            .enumerate()
            .map(|(at, x)| x + offsets[at / C])
            .collect()
    });
}

#[test]
fn attention_with_scaled_scores() {
    let builder = scores()
        .floats("scale", &[], &[0.5])
        .node("Mul", &["", "scale"], vec![])
        .node("Softmax", &[""], vec![int("axis", -1)])
        .node("MatMul", &["", "y0"], vec![]);
    compare(&builder, &samples(), 0.03, |x| {
        attention(x, |_, score| 0.5 * score)
    });
}

/// The same mask in the ways in which exporters write it.
#[test]
fn masked_scores_count_for_nothing() {
    let rest = |builder: Builder| {
        builder
            .node("Softmax", &[""], vec![int("axis", -1)])
            .node("MatMul", &["", "y0"], vec![])
    };
    let infinite = bools(
        scores().floats("hidden", &[], &[f32::NEG_INFINITY]),
        "mask",
        &mask(),
    )
    .node("Where", &["mask", "hidden", ""], vec![]);
    let seen: Vec<bool> = mask().iter().map(|later| !later).collect();
    let lowest = bools(scores().floats("hidden", &[], &[f32::MIN]), "seen", &seen).node(
        "Where",
        &["seen", "", "hidden"],
        vec![],
    );
    let values: Vec<f32> = mask()
        .iter()
        .map(|&later| if later { -1e4 } else { 0.0 })
        .collect();
    let added = scores()
        .floats("added", &[1, T as i64, T as i64], &values)
        .node("Add", &["", "added"], vec![]);
    let causal = |x: &[f32]| {
        attention(x, |at, score| {
            if is_later(at) {
                f32::NEG_INFINITY
            } else {
                score
            }
        })
    };
    let mut models = vec![];
    for builder in [infinite, lowest, added] {
        models.push(compare(&rest(builder), &samples(), 0.03, causal));
    }
    // The same integers, and the first position sees nothing but itself.
    assert_eq!(models[0], models[1]);
    assert_eq!(models[0], models[2]);
}

/// No input, however unlike the calibration samples, lets a hidden score in: the later positions change nothing. Not even
/// where all scores are tiny.
#[test]
fn nothing_gets_through_a_mask() {
    let builder = bools(
        scores().floats("hidden", &[], &[f32::NEG_INFINITY]),
        "mask",
        &mask(),
    )
    .node("Where", &["mask", "hidden", ""], vec![])
    .node("Softmax", &[""], vec![int("axis", -1)])
    .node("MatMul", &["", "y0"], vec![]);
    for size in [1.0, 0.02] {
        let samples: Vec<f32> = samples().iter().map(|x| size * x).collect();
        check_causal(&builder.import(&samples).unwrap().0);
    }
}

/// Checks that no position of the output depends on later ones of the input.
fn check_causal(model: &Model) {
    let extreme: Vec<i8> = spread(64, T * C)
        .iter()
        .map(|x| if *x < 0.0 { -128 } else { 127 })
        .collect();
    for sample in extreme.chunks(T * C) {
        let mut other = sample.to_vec();
        other[T * C / 2..].iter_mut().for_each(|x| *x = -1 - *x);
        let [a, b] = [sample, &other].map(|sample| model.run(sample).unwrap());
        assert_eq!(a[..T * C / 2], b[..T * C / 2]);
    }
}

#[test]
fn a_bias_for_each_pair_of_positions() {
    let bias = &spread(1, T * T);
    let builder = scores()
        .floats("bias", &[T as i64, T as i64], bias)
        .node("Add", &["", "bias"], vec![])
        .node("Softmax", &[""], vec![int("axis", -1)])
        .node("MatMul", &["", "y0"], vec![]);
    compare(&builder, &samples(), 0.03, |x| {
        attention(x, |at, score| score + bias[at])
    });
}

#[test]
fn a_softmax_whose_values_are_used() {
    let builder = scores()
        .node("Softmax", &[""], vec![int("axis", -1)])
        .node("Transpose", &[""], vec![ints("perm", &[0, 2, 1])])
        .node("MatMul", &["", "y0"], vec![]);
    compare(&builder, &samples(), 0.03, |x| {
        let weights = transposed(&softmax(&scores_of(x), T), T);
        times(&weights, &times(x, &matrix("c"), C), T)
    });
}

#[test]
fn heads_read_their_own_channels() {
    let builder = graph()
        .ints("split", &[0, T as i64, 2, C as i64 / 2])
        .ints("join", &[0, T as i64, C as i64]);
    let head = |builder: Builder, name: &str, perm: &[i64]| {
        builder
            .node("MatMul", &["x", name], vec![])
            .node("Reshape", &["", "split"], vec![])
            .node("Transpose", &[""], vec![ints("perm", perm)])
    };
    let builder = head(builder, "c", &[0, 2, 1, 3]);
    let builder = head(builder, "b", &[0, 2, 3, 1]);
    let builder = head(builder, "a", &[0, 2, 1, 3])
        .node("MatMul", &["", "y5"], vec![])
        .node("Softmax", &[""], vec![int("axis", -1)])
        .node("MatMul", &["", "y2"], vec![])
        .node("Transpose", &[""], vec![ints("perm", &[0, 2, 1, 3])])
        .node("Reshape", &["", "join"], vec![]);
    compare(&builder, &samples(), 0.03, heads);
}

/// Torch's own attention puts the batch behind the positions, and makes one axis of it and the heads.
#[test]
fn the_batch_may_move_inside_attention() {
    let mut builder = graph()
        .ints("heads", &[T as i64, -1, C as i64 / 2])
        .ints("join", &[T as i64, -1, C as i64])
        .node("Transpose", &["x"], vec![ints("perm", &[1, 0, 2])]);
    for (name, perm) in [("c", [1, 0, 2]), ("b", [1, 2, 0]), ("a", [1, 0, 2])] {
        builder = builder
            .node("MatMul", &["y0", name], vec![])
            .node("Reshape", &["", "heads"], vec![])
            .node("Transpose", &[""], vec![ints("perm", &perm)]);
    }
    let builder = builder
        .node("MatMul", &["", "y6"], vec![])
        .node("Softmax", &[""], vec![int("axis", -1)])
        .node("MatMul", &["", "y3"], vec![])
        .node("Transpose", &[""], vec![ints("perm", &[1, 0, 2])])
        .node("Reshape", &["", "join"], vec![])
        .node("Transpose", &[""], vec![ints("perm", &[1, 0, 2])]);
    compare(&builder, &samples(), 0.03, heads);
}

/// Attention in two heads.
fn heads(x: &[f32]) -> Vec<f32> {
    let [q, k, v] = ["a", "b", "c"].map(|name| times(x, &matrix(name), C));
    let half = |x: &[f32], head: usize| -> Vec<f32> {
        x.chunks(C)
            .flat_map(|row| row[head * C / 2..(head + 1) * C / 2].to_vec())
            .collect()
    };
    let heads = [0, 1].map(|head| {
        let keys = transposed(&half(&k, head), C / 2);
        let weights = softmax(&times(&half(&q, head), &keys, C / 2), T);
        times(&weights, &half(&v, head), T)
    });
    (0..T)
        .flat_map(|t| {
            heads
                .each_ref()
                .map(|head| head[t * C / 2..(t + 1) * C / 2].to_vec())
                .concat()
        })
        .collect()
}

fn gain() -> Vec<f32> {
    matrix("a")[..C].iter().map(|x| 1.0 + 0.5 * x).collect()
}

#[test]
fn layer_norms() {
    let builder = graph()
        .floats("gain", &[C as i64], &gain())
        .floats("bias", &[C as i64], &matrix("b")[..C])
        .node(
            "LayerNormalization",
            &["x", "gain", "bias"],
            vec![float("epsilon", 0.01)],
        );
    let model = compare(&builder, &samples(), 0.02, |x| {
        let rows = norm(x, 0.01, true);
        rows.chunks(C)
            .flat_map(|row| {
                (0..C)
                    .map(|c| gain()[c] * row[c] + matrix("b")[c])
                    .collect::<Vec<_>>()
            })
            .collect()
    });
    let written = graph()
        .floats("gain", &[C as i64], &gain())
        .floats("bias", &[C as i64], &matrix("b")[..C])
        .floats("two", &[], &[2.0])
        .floats("epsilon", &[], &[0.01])
        .node("ReduceMean", &["x"], vec![ints("axes", &[-1])])
        .node("Sub", &["x", ""], vec![])
        .node("Pow", &["", "two"], vec![])
        .node("ReduceMean", &[""], vec![ints("axes", &[-1])])
        .node("Add", &["", "epsilon"], vec![])
        .node("Sqrt", &[""], vec![])
        .node("Div", &["y1", ""], vec![])
        .node("Mul", &["", "gain"], vec![])
        .node("Add", &["", "bias"], vec![]);
    let (other, _) = written.import(&samples()).unwrap();
    assert_eq!(model, other);
}

#[test]
fn root_mean_square_norms() {
    let expected = |x: &[f32]| -> Vec<f32> {
        let rows = norm(x, 0.01, false);
        rows.iter()
            .enumerate()
            .map(|(at, x)| gain()[at % C] * x)
            .collect()
    };
    let operator = graph().floats("gain", &[C as i64], &gain()).node(
        "RMSNormalization",
        &["x", "gain"],
        vec![float("epsilon", 0.01)],
    );
    let model = compare(&operator, &samples(), 0.02, expected);
    let squares = || {
        graph()
            .floats("gain", &[C as i64], &gain())
            .floats("two", &[], &[2.0])
            .floats("epsilon", &[], &[0.01])
            .node("Pow", &["x", "two"], vec![])
            .node("ReduceMean", &[""], vec![ints("axes", &[-1])])
            .node("Add", &["", "epsilon"], vec![])
    };
    let reciprocal = squares()
        .node("Sqrt", &[""], vec![])
        .node("Reciprocal", &[""], vec![])
        .node("Mul", &["x", ""], vec![]);
    let quotient = squares()
        .node("Sqrt", &[""], vec![])
        .node("Div", &["x", ""], vec![]);
    let power = squares()
        .floats("half", &[], &[-0.5])
        .node("Pow", &["", "half"], vec![])
        .node("Mul", &["", "x"], vec![]);
    for written in [reciprocal, quotient, power] {
        let (other, _) = written
            .node("Mul", &["", "gain"], vec![])
            .import(&samples())
            .unwrap();
        assert_eq!(model, other);
    }
}

/// A norm of values that hardly differ does not blow up their rounding.
#[test]
fn small_rows_stay_small() {
    let builder = graph().floats("gain", &[C as i64], &[1.0; C]).node(
        "LayerNormalization",
        &["x", "gain"],
        vec![float("epsilon", 1.0)],
    );
    compare(&builder, &samples(), 0.02, |x| norm(x, 1.0, true));
}

#[test]
fn gains_fold_into_all_readers() {
    let builder = graph()
        .floats("gain", &[C as i64], &gain())
        .node("LayerNormalization", &["x", "gain"], vec![])
        .node("MatMul", &["", "a"], vec![])
        .node("Add", &["", "y0"], vec![])
        .node("MatMul", &["", "b"], vec![]);
    let model = compare(&builder, &samples(), 0.02, |x| {
        let rows = norm(x, 1e-5, true);
        let scaled: Vec<f32> = rows
            .iter()
            .enumerate()
            .map(|(at, x)| gain()[at % C] * x)
            .collect();
        times(
            &add(&times(&scaled, &matrix("a"), C), &scaled),
            &matrix("b"),
            C,
        )
    });
    let linear = model
        .nodes
        .iter()
        .filter(|node| matches!(node.op, Op::Linear(_)));
    // The input without its zero point, the norm's mean and differences, the sum with the first matrix, and the second.
    assert_eq!(linear.count(), 5);
}

#[test]
fn means_over_positions() {
    for keeps in [0, 1] {
        let builder = graph()
            .node("MatMul", &["x", "a"], vec![])
            .node(
                "ReduceMean",
                &[""],
                vec![ints("axes", &[1]), int("keepdims", keeps)],
            )
            .node("MatMul", &["", "b"], vec![]);
        compare(&builder, &samples(), 0.03, |x| {
            let rows = times(x, &matrix("a"), C);
            let mean: Vec<f32> = (0..C)
                .map(|c| rows.iter().skip(c).step_by(C).sum::<f32>() / T as f32)
                .collect();
            times(&mean, &matrix("b"), C)
        });
    }
}

#[test]
fn one_position_is_picked() {
    let builder = graph()
        .node("MatMul", &["x", "a"], vec![])
        .ints("first", &[0])
        .node("Gather", &["", "first"], vec![int("axis", 1)])
        .node("MatMul", &["", "b"], vec![]);
    compare(&builder, &samples(), 0.02, |x| {
        times(&times(&x[..C], &matrix("a"), C), &matrix("b"), C)
    });
}

/// A graph on `T` tokens with a table of ten rows and a row for each position.
fn tokens() -> Builder {
    let mut builder = Builder::new(&[T as i64])
        .floats("table", &[10, C as i64], &spread(10, C))
        .floats("positions", &[T as i64, C as i64], &spread(T, C));
    let input = builder.graph().input[0].r#type.as_mut().unwrap();
    input.tensor_type.as_mut().unwrap().elem_type = 7;
    builder
}

fn token_samples() -> Vec<f32> {
    (0..32 * T).map(|at| (at * at % 10) as f32).collect()
}

#[test]
fn embeddings_of_tokens_and_positions() {
    let builder = tokens()
        .node("Gather", &["table", "x"], vec![])
        .node("Add", &["", "positions"], vec![])
        .floats("a", &[C as i64, C as i64], &matrix("a"))
        .node("MatMul", &["", "a"], vec![]);
    let model = compare(&builder, &token_samples(), 0.02, |x| {
        let rows: Vec<f32> = x
            .iter()
            .flat_map(|&token| spread(10, C)[token as usize * C..][..C].to_vec())
            .collect();
        times(&add(&rows, &spread(T, C)), &matrix("a"), C)
    });
    assert_eq!(model.input.encoding, Encoding::Tokens { vocabulary: 10 });
}

#[test]
fn calibration_holds_tokens() {
    let builder = tokens().node("Gather", &["table", "x"], vec![]);
    for token in [10.0, 0.5, -1.0] {
        let mut samples = token_samples();
        samples[7] = token;
        let error = builder.import(&samples).unwrap_err().to_string();
        assert!(error.contains("value 7"), "{error}");
    }
}

/// Layers share the tables of their functions, so that a deeper network takes no larger tables.
#[test]
fn layers_share_their_tables() {
    let layer = |builder: Builder| {
        let x = builder.0.graph.as_ref().unwrap().output[0].name.clone();
        let first = builder.0.graph.as_ref().unwrap().node.len();
        let name = |at: usize| format!("y{}", first + at);
        builder
            .node("LayerNormalization", &["", "gain"], vec![])
            .node("MatMul", &[&name(0), "b"], vec![])
            .node("Transpose", &[""], vec![ints("perm", &[0, 2, 1])])
            .node("MatMul", &[&name(0), "a"], vec![])
            .node("MatMul", &["", &name(2)], vec![])
            .node("Softmax", &[""], vec![int("axis", -1)])
            .node("MatMul", &["", &name(0)], vec![])
            .node("Gelu", &[""], vec![])
            .node("Add", &["", &x], vec![])
    };
    let curves = |layers: usize| {
        let start = graph().floats("gain", &[C as i64], &gain());
        let builder = (0..layers).fold(start, |builder, _| layer(builder));
        let (model, _) = builder.import(&samples()).unwrap();
        let mut curves: Vec<Activation> = vec![];
        for node in &model.nodes {
            let requant = match &node.op {
                Op::Linear(linear) => linear.requant.as_ref(),
                Op::Product(product) => Some(&product.requant),
                _ => None,
            };
            let curve = requant.map(|requant| requant.activation.clone());
            curves.extend(curve.filter(|curve| matches!(curve, Activation::Curve(_))));
        }
        curves.dedup();
        curves.sort_by_key(|curve| format!("{curve:?}"));
        curves.dedup();
        curves.len()
    };
    assert_eq!(curves(1), 4);
    assert_eq!(curves(3), 4);
}
