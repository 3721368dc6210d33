//! The committed networks of `models/networks`: as accurate in integers as in floats, and close to onnxruntime.

mod common;

use ciro_zkml_import::needs_calibration;
use ciro_zkml_model::{Activation, Encoding, Head, Model, Op, Values};
use common::{array, import, largest, read, share, Example};

fn example(name: &str, data: &str) -> Example {
    let (file, expected) = (
        format!("networks/{name}.onnx"),
        format!("networks/{name}-expected.npy"),
    );
    common::example(&file, data, &expected)
}

/// Checks classes and scores; the bounds are relative to the largest score.
fn check(name: &str, data: &str, mean_bound: f32, worst_bound: f32) -> Model {
    let Example {
        model,
        input,
        labels,
        expected,
        ..
    } = example(name, data);
    let out = model.run(&input).unwrap();
    // One row of scores, or one for each position.
    let width = *model.output.shape.last().unwrap() as usize;
    let integer: Vec<i64> = out.chunks(width).map(largest).collect();
    let float: Vec<i64> = expected.chunks(width).map(largest).collect();
    let accuracy = |found: &[i64]| share(found.iter().zip(&labels).map(|(a, b)| a == b));
    let (before, after) = (accuracy(&float), accuracy(&integer));
    let agreement = share(float.iter().zip(&integer).map(|(a, b)| a == b));
    let (mean, worst) = errors(&model, &out, &expected);
    println!("{name}: float {before:.4}, integer {after:.4}, agreement {agreement:.4}, errors {mean:.4} {worst:.4}");
    assert!(
        after >= before - 0.01,
        "{name}: accuracy falls from {before} to {after}"
    );
    assert!(
        mean <= mean_bound,
        "{name}: scores differ by {mean} of the range in the mean"
    );
    assert!(
        worst <= worst_bound,
        "{name}: a score differs by {worst} of the range"
    );
    model
}

/// The mean and the largest error of the outputs, relative to the largest of them.
fn errors(model: &Model, out: &[i32], expected: &[f32]) -> (f32, f32) {
    let range = expected
        .iter()
        .fold(0.0_f32, |max, value| max.max(value.abs()));
    let error =
        |(&acc, &value): (&i32, &f32)| (acc as f32 * model.output.scale - value).abs() / range;
    let errors: Vec<f32> = out.iter().zip(expected).map(error).collect();
    (
        errors.iter().sum::<f32>() / errors.len() as f32,
        errors.iter().fold(0.0, |max, &error| max.max(error)),
    )
}

#[test]
fn lenet() {
    let model = check("lenet", "mnist", 0.004, 0.03);
    assert_eq!(model.parameters(), 61_706);
    assert_eq!(model.input.shape, [1, 28, 28]);
}

/// The network that onnxruntime quantised; its own rounding is in the expected scores, too.
#[test]
fn lenet_quantised_by_onnxruntime() {
    check("lenet-qdq", "mnist", 0.02, 0.1);
}

#[test]
fn lenet_with_curves_and_mean_pools() {
    check("lenet-tanh", "digits", 0.01, 0.05);
}

#[test]
fn one_dimensional_convolutions() {
    check("conv1d", "digits", 0.006, 0.04);
}

#[test]
fn residual_blocks() {
    check("resnet", "networks/shapes", 0.02, 0.1);
}

#[test]
fn depthwise_convolutions() {
    check("mobilenet", "networks/shapes", 0.02, 0.1);
}

#[test]
fn a_language_model() {
    let model = check("nanogpt", "networks/nanogpt", 0.01, 0.1);
    assert_eq!(model.input.encoding, Encoding::Tokens { vocabulary: 65 });
    assert_eq!(model.output.shape, [64, 65]);
    assert!(table_rows(&model) < 1 << 16);
}

#[test]
fn transformers_that_classify() {
    check("encoder", "digits", 0.01, 0.05);
    check("encoder-rms", "digits", 0.01, 0.05);
}

/// The rows of the tables in which a proof looks activations up: one for each value that nodes of one function can have.
fn table_rows(model: &Model) -> i32 {
    let bounds = model.validate().unwrap();
    let mut tables: Vec<(Activation, i32, i32)> = vec![];
    for (node, &(low, high)) in model.nodes.iter().zip(&bounds.quantised) {
        let requant = match &node.op {
            Op::Linear(linear) => linear.requant.as_ref(),
            Op::Product(product) => Some(&product.requant),
            _ => None,
        };
        let Some(requant) = requant else { continue };
        let known = tables
            .iter_mut()
            .find(|(function, ..)| *function == requant.activation);
        match known {
            Some((_, lowest, highest)) => {
                (*lowest, *highest) = (low.min(*lowest), high.max(*highest));
            }
            None => tables.push((requant.activation.clone(), low, high)),
        }
    }
    tables.iter().map(|(_, low, high)| high - low + 1).sum()
}

#[test]
fn recurrent_networks_are_refused_with_the_reason() {
    let calibration: Vec<f32> = array("digits-calibration.npy");
    let error = import(&read("networks/lstm.onnx"), &calibration).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("operator LSTM") && text.contains("its state goes from step to step"),
        "{text}"
    );
}

/// Labels of the linear classifiers agree with onnxruntime's where the scores are not too close to each other.
fn check_labels(name: &str) {
    let Example {
        model,
        input,
        expected,
        ..
    } = example(name, "digits");
    let labels: Vec<i64> = array(&format!("networks/{name}-labels.npy"));
    let out = model.run(&input).unwrap();
    let Values::Class(said) = model.dequantise(&out) else {
        panic!("a classifier says classes");
    };
    let agreement = share(said.iter().zip(&labels).map(|(a, b)| a == b));
    println!(
        "{name}: agreement {agreement:.4}, {} scores",
        expected.len()
    );
    assert!(agreement >= 0.985, "{name}: agreement {agreement}");
}

#[test]
fn linear_classifiers() {
    check("logistic", "digits", 0.004, 0.02);
    check_labels("logistic");
    check("svm", "digits", 0.004, 0.02);
    check_labels("svm");
    check_labels("svm-binary");
}

#[test]
fn linear_regression() {
    let Example {
        model,
        input,
        expected,
        ..
    } = example("regression", "digits");
    assert_eq!(model.output.head, Head::Values);
    let (mean, worst) = errors(&model, &model.run(&input).unwrap(), &expected);
    println!("regression: errors {mean:.4} {worst:.4}");
    assert!(
        mean <= 0.01 && worst <= 0.03,
        "values differ by {mean} in the mean, {worst} at most"
    );
}

#[test]
fn networks_need_calibration() {
    let bytes = read("networks/lenet.onnx");
    assert!(needs_calibration(&bytes));
    let error = import(&bytes, &[]).unwrap_err().to_string();
    assert!(error.contains("needs calibration samples"), "{error}");
    assert!(needs_calibration(b"no model at all"));
}

#[test]
fn imported_networks_survive_their_files() {
    for (name, data) in [("lenet", "mnist"), ("mobilenet", "networks/shapes")] {
        let model = example(name, data).model;
        assert_eq!(Model::decode_file(&model.encode_file()), Ok(model));
    }
}
