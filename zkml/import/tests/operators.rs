//! Small graphs, one for each way the importer reads an operator, against the same computation written out in floats.

mod common;

use ciro_zkml_model::{Activation, Head, Model, Values};
use common::{array, float, floats, int, linears, read, Builder};
use prost::Message;

/// 100 samples of two values between -1 and 1.
fn samples() -> Vec<f32> {
    (0..200)
        .map(|i| ((i * 37 + 11) % 101) as f32 / 50.0 - 1.0)
        .collect()
}

/// The layer `h = relu(x A + b)`, with A 2 x 3 stored in row-major order.
const A: [f32; 6] = [1.0, -0.5, 0.25, 0.5, 1.0, -1.0];
const B: [f32; 3] = [0.1, -0.2, 0.3];
/// The layer `y = h C`, with C 3 x 2.
const C: [f32; 6] = [1.0, -1.0, 0.5, 0.75, -0.25, 1.0];

fn layer(x: &[f32], weights: &[f32], bias: &[f32]) -> Vec<f32> {
    let m = bias.len();
    (0..m)
        .map(|j| {
            bias[j]
                + x.iter()
                    .enumerate()
                    .map(|(i, x)| x * weights[i * m + j])
                    .sum::<f32>()
        })
        .collect()
}

fn relu(x: Vec<f32>) -> Vec<f32> {
    x.into_iter().map(|v| v.max(0.0)).collect()
}

/// x -> relu(x A + b) C.
fn perceptron(x: &[f32]) -> Vec<f32> {
    layer(&relu(layer(x, &A, &B)), &C, &[0.0; 2])
}

/// A graph on two inputs with the constants A, b and C.
fn graph() -> Builder {
    Builder::new(&[2])
        .floats("a", &[2, 3], &A)
        .floats("b", &[3], &B)
        .floats("c", &[3, 2], &C)
}

/// x -> relu(x A + b) C as a graph.
fn perceptron_graph() -> Builder {
    graph()
        .node("MatMul", &["", "a"], vec![])
        .node("Add", &["b", ""], vec![])
        .node("Relu", &[""], vec![])
        .node("MatMul", &["", "c"], vec![])
}

/// Imports a graph and compares its values with `expected` on every sample, within 2 % of the largest.
fn agrees(builder: &Builder, expected: impl Fn(&[f32]) -> Vec<f32>) -> Model {
    let samples = samples();
    let (model, report) = builder.import(&samples).unwrap();
    let expected: Vec<f32> = samples.chunks(2).flat_map(expected).collect();
    let range = expected.iter().fold(0.0_f32, |max, v| max.max(v.abs()));
    let out = model.run(&model.quantise(&samples).unwrap()).unwrap();
    assert_eq!(out.len(), expected.len());
    for (index, (&acc, expected)) in out.iter().zip(&expected).enumerate() {
        let acc = if model.output.head == Head::Relu {
            acc.max(0)
        } else {
            acc
        };
        let value = acc as f32 * model.output.scale;
        assert!(
            (value - expected).abs() <= 0.02 * range,
            "value {index}: {value} instead of {expected}"
        );
    }
    assert!(report.max_error <= 0.02 * range, "{report}");
    model
}

#[test]
fn matmul_add_relu() {
    let model = agrees(&perceptron_graph(), perceptron);
    assert_eq!(linears(&model).len(), 2);
    assert_eq!(model.output.head, Head::Values);
    assert_eq!((model.name.as_str(), model.preset), ("test", 0));
}

#[test]
fn gemm_with_all_its_attributes() {
    let transposed: Vec<f32> = (0..3).flat_map(|j| [A[j], A[3 + j]]).collect();
    let gemm = Builder::new(&[2])
        .floats("at", &[3, 2], &transposed)
        .floats("b", &[1, 3], &B)
        .node(
            "Gemm",
            &["", "at", "b"],
            vec![int("transB", 1), float("alpha", 2.0), float("beta", -1.0)],
        );
    agrees(&gemm, |x| {
        let doubled: Vec<f32> = x.iter().map(|x| 2.0 * x).collect();
        layer(&doubled, &A, &B.map(|b| -b))
    });
    let without_bias = graph().node("Gemm", &["", "a"], vec![]);
    agrees(&without_bias, |x| layer(x, &A, &[0.0; 3]));
}

#[test]
fn arithmetic_on_the_input_and_on_the_output_folds_into_the_layers() {
    let shifted = graph()
        .floats("mean", &[2], &[0.5, -0.5])
        .floats("std", &[], &[0.25])
        .floats("one", &[1, 1], &[1.0])
        .node("Sub", &["", "mean"], vec![])
        .node("Div", &["", "std"], vec![])
        .node("Sub", &["one", ""], vec![])
        .node("Mul", &["mean", ""], vec![])
        .node("Gemm", &["", "a", "b"], vec![])
        .node("Mul", &["", "std"], vec![])
        .node("Add", &["", "b"], vec![]);
    let model = agrees(&shifted, |x| {
        let x = [
            0.5 * (1.0 - (x[0] - 0.5) / 0.25),
            -0.5 * (1.0 - (x[1] + 0.5) / 0.25),
        ];
        layer(&x, &A, &B)
            .iter()
            .zip(B)
            .map(|(y, b)| 0.25 * y + b)
            .collect()
    });
    assert_eq!(linears(&model).len(), 1);
}

#[test]
fn scaler_of_scikit_learn() {
    let attributes = vec![floats("offset", &[0.5, -0.5]), floats("scale", &[2.0, 4.0])];
    let scaled =
        graph()
            .node("ai.onnx.ml:Scaler", &[""], attributes)
            .node("Gemm", &["", "a", "b"], vec![]);
    agrees(&scaled, |x| {
        layer(&[2.0 * (x[0] - 0.5), 4.0 * (x[1] + 0.5)], &A, &B)
    });
}

#[test]
fn relu_at_the_end_and_relu_on_the_input() {
    let model = agrees(
        &graph()
            .node("Gemm", &["", "a", "b"], vec![])
            .node("Relu", &[""], vec![]),
        |x| relu(layer(x, &A, &B)),
    );
    assert_eq!(model.output.head, Head::Relu);
    let model = agrees(
        &graph()
            .node("Relu", &[""], vec![])
            .node("Gemm", &["", "a", "b"], vec![]),
        |x| layer(&relu(x.to_vec()), &A, &B),
    );
    assert_eq!(linears(&model).len(), 2);
}

#[test]
fn layers_without_an_activation_between_them() {
    let linear = graph()
        .node("MatMul", &["", "a"], vec![])
        .node("MatMul", &["", "c"], vec![]);
    let model = agrees(&linear, |x| layer(&layer(x, &A, &[0.0; 3]), &C, &[0.0; 2]));
    assert_eq!(
        linears(&model)[0].requant.as_ref().unwrap().activation,
        Activation::IDENTITY
    );
}

#[test]
fn a_second_output_and_nodes_beside_the_path_are_left_out() {
    let mut graph = perceptron_graph().node("LSTM", &[""], vec![]);
    let outputs = &mut graph.graph().output;
    outputs.push(outputs[0].clone());
    outputs[0].name = "y3".into();
    agrees(&graph, perceptron);
    let notes = graph.import(&samples()).unwrap().1.notes;
    assert_eq!(notes, ["output 'y4' is left out: a model has one output"]);
}

#[test]
fn softmax_keeps_the_logits_and_argmax_the_class() {
    for op in ["Softmax", "LogSoftmax", "Sigmoid"] {
        let model = agrees(
            &perceptron_graph().node(op, &[""], vec![int("axis", 1)]),
            perceptron,
        );
        assert_eq!(model.output.head, Head::Values);
    }
    let classifier = perceptron_graph()
        .node("Softmax", &[""], vec![int("axis", -1)])
        .node("ArgMax", &[""], vec![int("axis", 1), int("keepdims", 0)]);
    let model = agrees(&classifier, perceptron);
    assert_eq!(model.output.head, Head::ArgMax { labels: vec![0, 1] });
    let labelled = classifier.ints("classes", &[-3, 12]).node(
        "ai.onnx.ml:ArrayFeatureExtractor",
        &["classes", ""],
        vec![],
    );
    let model = agrees(&labelled, perceptron);
    assert_eq!(
        model.output.head,
        Head::ArgMax {
            labels: vec![-3, 12]
        }
    );
}

/// The largest of values cut at 0 need not be the largest before the cut.
#[test]
fn argmax_after_relu_ranks_the_cut_values() {
    let cut = graph()
        .floats("shift", &[3], &[-0.5; 3])
        .node("Gemm", &["", "a", "shift"], vec![])
        .node("Relu", &[""], vec![])
        .node("ArgMax", &[""], vec![int("axis", 1)]);
    let model = agrees(&cut, |x| relu(layer(x, &A, &[-0.5; 3])));
    // Every sum is negative: the first of three zeros is the largest.
    let x = [-0.1, -0.1];
    assert!(layer(&x, &A, &[-0.5; 3]).iter().all(|&sum| sum < 0.0));
    let out = model.run(&model.quantise(&x).unwrap()).unwrap();
    assert_eq!(model.dequantise(&out), Values::Class(vec![0]));
}

/// The shapes that PyTorch and others write for "flatten all but the batch".
#[test]
fn reshapes_that_keep_the_batch_axis() {
    for target in [&[-1, 2][..], &[0, -1], &[0, 2], &[0, 0, -1, 1], &[-1, 1, 2]] {
        let mut reshaped = Builder::new(&[2, 1])
            .floats("a", &[2, 3], &A)
            .ints("target", target);
        reshaped = reshaped.node("Reshape", &["", "target"], vec![]);
        if target.len() > 2 {
            reshaped = reshaped.node("Flatten", &[""], vec![int("axis", 1)]);
        }
        let model = agrees(&reshaped.node("MatMul", &["", "a"], vec![]), |x| {
            layer(x, &A, &[0.0; 3])
        });
        assert_eq!(model.input.shape, [2, 1]);
    }
    // x.view(x.size(0), -1), as the tracing exporter writes it.
    let mut traced = Builder::new(&[1, 2])
        .floats("a", &[2, 3], &A)
        .ints("zero", &[0])
        .ints("rest", &[-1]);
    for (op, input, output) in [
        ("Shape", vec!["x"], "shape"),
        ("Gather", vec!["shape", "zero"], "size"),
        ("Unsqueeze", vec!["size", "zero"], "batch"),
        ("Concat", vec!["batch", "rest"], "target"),
    ] {
        traced.graph().node.push(ciro_zkml_import::onnx::NodeProto {
            input: input.into_iter().map(String::from).collect(),
            output: vec![output.into()],
            op_type: op.into(),
            ..Default::default()
        });
    }
    let traced = traced
        .node("Reshape", &["", "target"], vec![])
        .node("MatMul", &["", "a"], vec![]);
    agrees(&traced, |x| layer(x, &A, &[0.0; 3]));
}

#[test]
fn nodes_that_change_nothing() {
    let plain = perceptron_graph().import(&samples()).unwrap().0;
    let padded = graph()
        .node("Identity", &[""], vec![])
        .node("Cast", &[""], vec![int("to", 1)])
        .node("Dropout", &[""], vec![])
        .node("Gemm", &["", "a", "b"], vec![])
        .node("Relu", &[""], vec![])
        .node("Relu", &[""], vec![])
        .node("MatMul", &["", "c"], vec![]);
    assert_eq!(padded.import(&samples()).unwrap().0, plain);
}

/// Weights may come from Constant nodes, transposed, cast or in double precision.
#[test]
fn constants_of_every_kind() {
    use ciro_zkml_import::onnx::{AttributeProto, NodeProto, TensorProto};
    let plain = graph()
        .node("MatMul", &["", "a"], vec![])
        .import(&samples())
        .unwrap()
        .0;
    let transposed: Vec<f64> = (0..3)
        .flat_map(|j| [A[j].into(), A[3 + j].into()])
        .collect();
    let tensor = TensorProto {
        dims: vec![3, 2],
        data_type: 11,
        double_data: transposed,
        ..Default::default()
    };
    let value = AttributeProto {
        name: "value".into(),
        t: Some(tensor),
        ..Default::default()
    };
    let mut builder = Builder::new(&[2]);
    for (op, input, output, attribute) in [
        ("Constant", vec![], "doubles", vec![value]),
        (
            "Cast",
            vec!["doubles".to_string()],
            "singles",
            vec![int("to", 1)],
        ),
        ("Transpose", vec!["singles".to_string()], "a", vec![]),
    ] {
        let (output, op_type) = (vec![output.into()], op.into());
        builder.graph().node.push(NodeProto {
            input,
            output,
            op_type,
            attribute,
            ..Default::default()
        });
    }
    assert_eq!(
        builder
            .node("MatMul", &["", "a"], vec![])
            .import(&samples())
            .unwrap()
            .0,
        plain
    );
}

/// A hidden layer that never fires in calibration, and an output without weights.
#[test]
fn dead_layers_import() {
    let dead = graph()
        .floats("low", &[3], &[-9.0; 3])
        .floats("zero", &[3, 2], &[0.0; 6])
        .floats("d", &[2], &[0.5, -2.0])
        .node("Gemm", &["", "a", "low"], vec![])
        .node("Relu", &[""], vec![])
        .node("Gemm", &["", "zero", "d"], vec![]);
    agrees(&dead, |_| vec![0.5, -2.0]);
}

/// Worst-case sums far above what calibration shows make the scale coarser instead of failing.
#[test]
fn a_wide_layer_stays_within_the_table() {
    let width = 4096;
    let alternating: Vec<f32> = (0..width)
        .map(|i| if i % 2 == 0 { 1.0 } else { -1.0 })
        .collect();
    let wide = Builder::new(&[width])
        .floats("w", &[width, 1], &alternating)
        .floats("one", &[1, 1], &[1.0])
        .node("MatMul", &["", "w"], vec![])
        .node("Relu", &[""], vec![])
        .node("MatMul", &["", "one"], vec![]);
    // All inputs alike: the sum is near 0 here, and 2048 at worst.
    let calibration: Vec<f32> = (0..width * 4)
        .map(|i| (i / width) as f32 / 3.0 + if i % width == 0 { 0.1 } else { 0.0 })
        .collect();
    let (model, report) = wide.import(&calibration).unwrap();
    let (low, high) = report.bounds.quantised[0];
    assert!(low > -(1 << 15) && high < 1 << 15);
    assert!(
        report.notes[0].contains("node 0: scale made coarser"),
        "{report}"
    );
    assert!(model.validate().is_ok());
}

#[test]
fn a_fixed_batch_axis_may_be_named_in_a_reshape() {
    let file = read("digits-torch.onnx");
    let mut proto = ciro_zkml_import::onnx::ModelProto::decode(file.as_slice()).unwrap();
    let graph = proto.graph.as_mut().unwrap();
    let shape = graph.input[0]
        .r#type
        .as_mut()
        .unwrap()
        .tensor_type
        .as_mut()
        .unwrap()
        .shape
        .as_mut()
        .unwrap();
    shape.dim[0].dim_value = Some(1);
    let target = graph
        .initializer
        .iter_mut()
        .find(|tensor| tensor.name == "val_5")
        .unwrap();
    target.raw_data = [1_i64, -1]
        .iter()
        .flat_map(|axis| axis.to_le_bytes())
        .collect();
    let calibration: Vec<f32> = array("digits-calibration.npy");
    let fixed = common::import(&proto.encode_to_vec(), &calibration)
        .unwrap()
        .0;
    assert_eq!(fixed, common::import(&file, &calibration).unwrap().0);
}
