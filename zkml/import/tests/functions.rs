//! Operators that treat each value by itself, against the same functions written out in floats.

mod common;

use ciro_zkml_model::{Activation, Head};
use common::{compare, float, floats, int, linears, spread, text, Builder};

/// A mixture of two inputs, a function of it, and a mixture of the results: functions are tried where they stand in
/// networks.
const FIRST: [f32; 4] = [3.0, -1.0, 2.0, 4.0];

fn mixed(x: &[f32], weights: &[f32; 4]) -> Vec<f32> {
    (0..2)
        .map(|j| x[0] * weights[j] + x[1] * weights[2 + j])
        .collect()
}

fn graph() -> Builder {
    Builder::new(&[2])
        .floats("first", &[2, 2], &FIRST)
        .floats("last", &[2, 2], &[1.0, 0.25, 0.0, 1.0])
        .node("MatMul", &["", "first"], vec![])
}

/// Checks a function between two layers; `builder` continues [`graph`].
fn check(builder: Builder, bound: f32, function: impl Fn(f32) -> f32) {
    let whole = builder.node("MatMul", &["", "last"], vec![]);
    let model = compare(&whole, &spread(200, 2), bound, |x| {
        let hidden: Vec<f32> = mixed(x, &FIRST).into_iter().map(&function).collect();
        vec![hidden[0], 0.25 * hidden[0] + hidden[1]]
    });
    assert_eq!(
        linears(&model).len(),
        2,
        "a function needs no node of its own"
    );
}

fn erf(x: f32) -> f32 {
    // Simpson's rule on the integral.
    let (steps, width) = (200, f64::from(x) / 200.0);
    let value = |at: i32| (-(f64::from(at) * width).powi(2)).exp();
    let weight = |at: i32| {
        if at == 0 || at == steps {
            1.0
        } else {
            f64::from(2 + 2 * (at % 2))
        }
    };
    let sum: f64 = (0..=steps).map(|at| weight(at) * value(at)).sum();
    (sum * width / 3.0 * 2.0 / std::f64::consts::PI.sqrt()) as f32
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

fn softplus(x: f32) -> f32 {
    x.exp().ln_1p()
}

#[test]
fn functions_of_one_operator() {
    let one = |op: &str, attributes: Vec<_>, function: fn(f32) -> f32| {
        println!("{op}");
        check(graph().node(op, &[""], attributes), 0.02, function);
    };
    one("Relu", vec![], |x| x.max(0.0));
    one("LeakyRelu", vec![float("alpha", 0.1)], |x| {
        if x < 0.0 {
            0.1 * x
        } else {
            x
        }
    });
    one("Sigmoid", vec![], sigmoid);
    one("Tanh", vec![], f32::tanh);
    one("HardSigmoid", vec![float("alpha", 0.25)], |x| {
        (0.25 * x + 0.5).clamp(0.0, 1.0)
    });
    one("HardSwish", vec![], |x| x * (x / 6.0 + 0.5).clamp(0.0, 1.0));
    one("Elu", vec![float("alpha", 2.0)], |x| {
        if x < 0.0 {
            2.0 * x.exp_m1()
        } else {
            x
        }
    });
    one("Selu", vec![], |x| {
        1.0507 * if x < 0.0 { 1.67326 * x.exp_m1() } else { x }
    });
    one("Celu", vec![float("alpha", 0.5)], |x| {
        x.max(0.0) + (0.5 * (x / 0.5).exp_m1()).min(0.0)
    });
    one("Softplus", vec![], softplus);
    one("Softsign", vec![], |x| x / (1.0 + x.abs()));
    one("Gelu", vec![], |x| {
        0.5 * x * (1.0 + erf(x / 2.0_f32.sqrt()))
    });
    one("Gelu", vec![text("approximate", "tanh")], |x| {
        0.5 * x * (1.0 + erf(x / 2.0_f32.sqrt()))
    });
    one("Mish", vec![], |x| x * softplus(x).tanh());
    one("Swish", vec![float("alpha", 1.5)], |x| x * sigmoid(1.5 * x));
    one("Erf", vec![], erf);
    one("Exp", vec![], f32::exp);
    one("Abs", vec![], f32::abs);
}

#[test]
fn clip_in_all_its_forms() {
    let limits = || {
        graph()
            .floats("low", &[], &[0.0])
            .floats("high", &[], &[6.0])
            .floats("one", &[1], &[1.0])
    };
    check(
        limits().node("Clip", &["", "low", "high"], vec![]),
        0.015,
        |x| x.clamp(0.0, 6.0),
    );
    check(limits().node("Clip", &["", "low"], vec![]), 0.015, |x| {
        x.max(0.0)
    });
    let mut upper = limits().node("Clip", &["", "absent", "high"], vec![]);
    upper.graph().node[1].input[1].clear();
    check(upper, 0.015, |x| x.min(6.0));
    let attributes = vec![float("min", -2.0), float("max", 1.5)];
    check(limits().node("Clip", &[""], attributes), 0.015, |x| {
        x.clamp(-2.0, 1.5)
    });
    let both = limits()
        .node("Max", &["", "low"], vec![])
        .node("Min", &["one", ""], vec![]);
    check(both, 0.015, |x| x.clamp(0.0, 1.0));
    check(
        graph()
            .floats("slope", &[1], &[0.2])
            .node("PRelu", &["", "slope"], vec![]),
        0.015,
        |x| x.max(0.2 * x),
    );
}

/// A branch from the values so far, named by their number.
fn value(index: usize) -> String {
    format!("y{index}")
}

#[test]
fn functions_that_exporters_write_out() {
    // x sigmoid(x)
    let silu = graph()
        .node("Sigmoid", &[""], vec![])
        .node("Mul", &[&value(0), ""], vec![]);
    check(silu, 0.015, |x| x * sigmoid(x));
    // x (1 + erf(x / sqrt 2)) / 2
    let gelu = graph()
        .floats("root", &[], &[2.0_f32.sqrt()])
        .floats("one", &[], &[1.0])
        .floats("half", &[], &[0.5])
        .node("Div", &["", "root"], vec![])
        .node("Erf", &[""], vec![])
        .node("Add", &["", "one"], vec![])
        .node("Mul", &[&value(0), ""], vec![])
        .node("Mul", &["", "half"], vec![]);
    check(gelu, 0.015, |x| 0.5 * x * (1.0 + erf(x / 2.0_f32.sqrt())));
    // x tanh(softplus(x))
    let mish = graph()
        .node("Softplus", &[""], vec![])
        .node("Tanh", &[""], vec![])
        .node("Mul", &[&value(0), ""], vec![]);
    check(mish, 0.015, |x| x * softplus(x).tanh());
    // x relu6(x + 3) / 6
    let hard_swish = graph()
        .floats("three", &[], &[3.0])
        .floats("low", &[], &[0.0])
        .floats("six", &[], &[6.0])
        .node("Add", &["", "three"], vec![])
        .node("Clip", &["", "low", "six"], vec![])
        .node("Mul", &[&value(0), ""], vec![])
        .node("Div", &["", "six"], vec![]);
    check(hard_swish, 0.015, |x| x * (x + 3.0).clamp(0.0, 6.0) / 6.0);
    // x / (1 + |x|)
    let softsign = graph()
        .floats("one", &[], &[1.0])
        .node("Abs", &[""], vec![])
        .node("Add", &["", "one"], vec![])
        .node("Div", &[&value(0), ""], vec![]);
    check(softsign, 0.02, |x| x / (1.0 + x.abs()));
    // log(1 + exp(x)) up to 2, then x; constant below -2
    let pieces = graph()
        .floats("one", &[], &[1.0])
        .floats("two", &[], &[2.0])
        .floats("low", &[], &[-2.0])
        .floats("floor", &[], &[0.126_928])
        .node("Exp", &[""], vec![])
        .node("Add", &["", "one"], vec![])
        .node("Log", &[""], vec![])
        .node("Greater", &[&value(0), "two"], vec![])
        .node("Where", &["", &value(0), &value(3)], vec![])
        .node("Greater", &["low", &value(0)], vec![])
        .node("Where", &["", "floor", &value(5)], vec![]);
    check(pieces, 0.03, |x| {
        if x > 2.0 {
            x
        } else {
            softplus(x.max(-2.0))
        }
    });
    let square = graph()
        .floats("two", &[], &[2.0])
        .node("Pow", &["", "two"], vec![]);
    check(square, 0.02, |x| x * x);
}

#[test]
fn functions_of_the_input_and_of_the_output() {
    let first = Builder::new(&[2]).floats("last", &[2, 1], &[1.0, -1.0]);
    let first = first
        .node("Tanh", &[""], vec![])
        .node("MatMul", &["", "last"], vec![]);
    compare(&first, &spread(100, 2), 0.015, |x| {
        vec![x[0].tanh() - x[1].tanh()]
    });
    let model = compare(
        &graph().node("Tanh", &[""], vec![]),
        &spread(100, 2),
        0.015,
        |x| mixed(x, &FIRST).into_iter().map(f32::tanh).collect(),
    );
    assert_eq!(model.output.head, Head::Values);
}

/// A scaling behind a Relu moves into the layer after it, one before it into the layer before.
#[test]
fn scalings_beside_functions_are_folded() {
    let scaled = graph()
        .floats("three", &[], &[3.0])
        .floats("each", &[2], &[0.5, 2.0])
        .node("Mul", &["", "each"], vec![])
        .node("Relu", &[""], vec![])
        .node("Mul", &["", "three"], vec![])
        .node("Sub", &["", "each"], vec![])
        .node("MatMul", &["", "last"], vec![]);
    let model = compare(&scaled, &spread(100, 2), 0.015, |x| {
        let hidden = mixed(x, &FIRST);
        let hidden = [
            3.0 * (0.5 * hidden[0]).max(0.0) - 0.5,
            3.0 * (2.0 * hidden[1]).max(0.0) - 2.0,
        ];
        vec![hidden[0], 0.25 * hidden[0] + hidden[1]]
    });
    let linears = linears(&model);
    assert_eq!(linears.len(), 2);
    assert_eq!(
        linears[0].requant.as_ref().unwrap().activation,
        Activation::RELU
    );
}

#[test]
fn sums_of_tensors() {
    // y0 + relu(y0 A) - x
    let residual = graph()
        .node("MatMul", &["", "last"], vec![])
        .node("Relu", &[""], vec![])
        .node("Add", &["", &value(0)], vec![])
        .node("Sub", &["", "x"], vec![]);
    compare(&residual, &spread(200, 2), 0.02, |x| {
        let first = mixed(x, &FIRST);
        let second = [first[0].max(0.0), (0.25 * first[0] + first[1]).max(0.0)];
        (0..2).map(|j| first[j] + second[j] - x[j]).collect()
    });
    let three = graph()
        .node("Relu", &[""], vec![])
        .node("Sum", &["", &value(0), "x"], vec![]);
    compare(&three, &spread(200, 2), 0.02, |x| {
        let first = mixed(x, &FIRST);
        (0..2)
            .map(|j| first[j].max(0.0) + first[j] + x[j])
            .collect()
    });
}

/// Sums whose parts differ much in scale.
#[test]
fn sums_of_large_and_small() {
    for factor in [0.01, 0.3, 40.0] {
        let sum = graph()
            .floats("factor", &[2, 2], &[factor, 0.0, 0.0, factor])
            .node("MatMul", &["", "factor"], vec![])
            .node("Relu", &[""], vec![])
            .node("Add", &["x", ""], vec![])
            .node("MatMul", &["", "last"], vec![]);
        compare(&sum, &spread(200, 2), 0.02, |x| {
            let hidden: Vec<f32> = mixed(x, &FIRST)
                .iter()
                .zip(x)
                .map(|(v, x)| (factor * v).max(0.0) + x)
                .collect();
            vec![hidden[0], 0.25 * hidden[0] + hidden[1]]
        });
    }
}

#[test]
fn batch_normalization_folds_into_its_neighbours() {
    let parameters = |graph: Builder| {
        graph
            .floats("scale", &[2], &[1.5, 0.5])
            .floats("bias", &[2], &[0.5, -1.0])
            .floats("mean", &[2], &[1.0, -2.0])
            .floats("var", &[2], &[4.0, 0.25])
    };
    let normal = |x: &[f32]| {
        let epsilon = 1e-5_f32;
        vec![
            (x[0] - 1.0) / (4.0 + epsilon).sqrt() * 1.5 + 0.5,
            (x[1] + 2.0) / (0.25 + epsilon).sqrt() * 0.5 - 1.0,
        ]
    };
    let operands = ["", "scale", "bias", "mean", "var"];
    let after = parameters(graph()).node("BatchNormalization", &operands, vec![]);
    let model = compare(&after, &spread(100, 2), 0.015, |x| {
        normal(&mixed(x, &FIRST))
    });
    assert_eq!(linears(&model).len(), 1);
    let before = parameters(Builder::new(&[2]).floats("first", &[2, 2], &FIRST))
        .node("BatchNormalization", &operands, vec![])
        .node("MatMul", &["", "first"], vec![]);
    let model = compare(&before, &spread(100, 2), 0.015, |x| {
        mixed(&normal(x), &FIRST)
    });
    assert_eq!(linears(&model).len(), 1);
}

/// QuantizeLinear and DequantizeLinear around a layer: the input's steps are the file's, and 0 is where its integers begin.
#[test]
fn quantised_graphs() {
    let mut graph = Builder::new(&[2])
        .floats("x_scale", &[], &[1.0 / 127.0])
        .floats("y_scale", &[], &[6.0 / 255.0])
        .floats("w_scale", &[2], &[4.0 / 127.0, 0.02])
        .floats("last", &[2, 2], &[1.0, 0.25, 0.0, 1.0]);
    let integers = |name: &str, dims: &[i64], data_type: i32, values: &[i32]| {
        ciro_zkml_import::onnx::TensorProto {
            name: name.into(),
            dims: dims.to_vec(),
            data_type,
            int32_data: values.to_vec(),
            ..Default::default()
        }
    };
    graph.graph().initializer.extend([
        integers("x_zero", &[], 3, &[0]),
        integers("y_zero", &[], 3, &[-128]),
        integers("weights", &[2, 2], 3, &[100, -50, 60, 120]),
        integers("w_zero", &[2], 3, &[0, 0]),
    ]);
    // The weights' node stands aside: it reads constants only.
    let mut graph = graph.node(
        "DequantizeLinear",
        &["weights", "w_scale", "w_zero"],
        vec![int("axis", 1)],
    );
    graph.graph().output[0].name = "x".into();
    let graph = graph
        .node("QuantizeLinear", &["", "x_scale", "x_zero"], vec![])
        .node("DequantizeLinear", &["", "x_scale", "x_zero"], vec![])
        .node("MatMul", &["", "y0"], vec![])
        .node("QuantizeLinear", &["", "y_scale", "y_zero"], vec![])
        .node("DequantizeLinear", &["", "y_scale", "y_zero"], vec![])
        .node("MatMul", &["", "last"], vec![]);
    let weights = [
        100.0 * 4.0 / 127.0,
        -50.0 * 0.02,
        60.0 * 4.0 / 127.0,
        120.0 * 0.02,
    ];
    let model = compare(&graph, &spread(200, 2), 0.02, |x| {
        let hidden: Vec<f32> = mixed(x, &weights)
            .into_iter()
            .map(|value| value.clamp(0.0, 6.0))
            .collect();
        vec![hidden[0], 0.25 * hidden[0] + hidden[1]]
    });
    let ciro_zkml_model::Encoding::Affine { scale, zero_point } = model.input.encoding else {
        panic!("a network's input has a scale")
    };
    assert_eq!((scale, zero_point), (1.0 / 127.0, 0));
    assert_eq!(
        linears(&model)[0].requant.as_ref().unwrap().activation,
        Activation::RELU
    );
}

#[test]
fn linear_models_of_scikit_learn() {
    let input = || Builder::new(&[2]);
    let coefficients = floats("coefficients", &[1.0, 2.0, -1.0, 0.5]);
    let intercepts = floats("intercepts", &[0.25, -0.5]);
    let rows = |x: &[f32]| vec![x[0] + 2.0 * x[1] + 0.25, -x[0] + 0.5 * x[1] - 0.5];
    let regressor = vec![coefficients.clone(), intercepts.clone(), int("targets", 2)];
    compare(
        &input().node("ai.onnx.ml:LinearRegressor", &[""], regressor),
        &spread(100, 2),
        0.015,
        rows,
    );
    let labels = common::ints("classlabels_ints", &[7, 9]);
    let classifier = vec![coefficients, intercepts, labels.clone()];
    let model = compare(
        &input().node("ai.onnx.ml:LinearClassifier", &[""], classifier),
        &spread(100, 2),
        0.015,
        rows,
    );
    assert_eq!(model.output.head, Head::ArgMax { labels: vec![7, 9] });
    // One score for two classes.
    let single = vec![
        floats("coefficients", &[1.0, 2.0]),
        floats("intercepts", &[0.25]),
        labels,
    ];
    let single = input().node("ai.onnx.ml:LinearClassifier", &[""], single);
    let model = compare(&single, &spread(100, 2), 0.015, |x| {
        vec![0.0, x[0] + 2.0 * x[1] + 0.25]
    });
    assert_eq!(linears(&model).len(), 1);
    let machine = vec![
        floats("coefficients", &[0.5, -1.5]),
        floats("support_vectors", &[1.0, 2.0, -1.0, 0.5]),
        floats("rho", &[0.75]),
        text("kernel_type", "LINEAR"),
    ];
    compare(
        &input().node("ai.onnx.ml:SVMRegressor", &[""], machine),
        &spread(100, 2),
        0.015,
        |x| vec![2.0 * x[0] + 0.25 * x[1] + 0.75],
    );
}
