//! The committed models: as accurate in integers as in floats, and close to what onnxruntime computes.

mod common;

use ciro_zkml_model::{Head, Model, Values};
use common::{largest, linears, share, Example};

/// An imported perceptron, which agrees with the float model on the calibration samples.
fn example(name: &str, data: &str) -> Example {
    let (file, expected) = (format!("{name}.onnx"), format!("expected/{name}.npy"));
    let example = common::example(&file, data, &expected);
    let report = &example.report;
    assert!(report.agreement >= 0.98, "{name}: {report}");
    example
}

/// Checks an example with one logit per class; the bounds on the logits' errors are relative to the largest logit.
fn check(name: &str, example: &Example, mean_bound: f32, worst_bound: f32) {
    let Example {
        model,
        input,
        labels,
        expected,
        ..
    } = example;
    let out = model.run(input).unwrap();
    let width = model.outputs();
    let integer: Vec<i64> = out.chunks(width).map(largest).collect();
    let float: Vec<i64> = expected.chunks(width).map(largest).collect();
    let accuracy = |found: &[i64]| share(found.iter().zip(labels).map(|(a, b)| a == b));
    let (before, after) = (accuracy(&float), accuracy(&integer));
    let agreement = share(float.iter().zip(&integer).map(|(a, b)| a == b));
    let range = expected
        .iter()
        .fold(0.0_f32, |max, value| max.max(value.abs()));
    let error =
        |(&acc, &value): (&i32, &f32)| (acc as f32 * model.output.scale - value).abs() / range;
    let errors: Vec<f32> = out.iter().zip(expected).map(error).collect();
    let mean = errors.iter().sum::<f32>() / errors.len() as f32;
    let worst = errors.iter().fold(0.0_f32, |max, &error| max.max(error));
    println!("{name}: float {before:.4}, integer {after:.4}, agreement {agreement:.4}, errors {mean:.4} {worst:.4}");
    assert!(
        after >= before - 0.01,
        "{name}: accuracy falls from {before} to {after}"
    );
    assert!(agreement >= 0.98, "{name}: agreement {agreement}");
    assert!(
        mean <= mean_bound,
        "{name}: logits differ by {mean} of the range in the mean"
    );
    assert!(
        worst <= worst_bound,
        "{name}: a logit differs by {worst} of the range"
    );
}

#[test]
fn digits() {
    let digits = example("digits", "digits");
    check("digits", &digits, 0.002, 0.01);
    let classes = Head::ArgMax {
        labels: (0..10).collect(),
    };
    assert_eq!((digits.model.inputs(), digits.model.outputs()), (64, 10));
    assert_eq!(digits.model.output.head, classes);
    // The head says the same as the accumulators.
    let out = digits.model.run(&digits.input).unwrap();
    let said = out.chunks(10).map(largest).collect();
    assert_eq!(digits.model.dequantise(&out), Values::Class(said));
}

#[test]
fn exports_with_and_without_zipmap_are_one_model() {
    let (plain, zipmap) = (
        example("digits", "digits"),
        example("digits-zipmap", "digits"),
    );
    assert_eq!(plain.model, zipmap.model);
}

#[test]
fn torch_writes_the_same_network_as_scikit_learn() {
    let (digits, torch) = (
        example("digits", "digits"),
        example("digits-torch", "digits"),
    );
    check("digits-torch", &torch, 0.002, 0.01);
    assert_eq!(linears(&torch.model), linears(&digits.model));
    assert_eq!(torch.model.input.shape, [8, 8]);
    assert_eq!(torch.model.output.head, Head::Values);
    let Values::Float(values) = torch
        .model
        .dequantise(&torch.model.run(&torch.input).unwrap())
    else {
        panic!("a model without ArgMax says values");
    };
    assert_eq!(values.len(), torch.expected.len());
}

#[test]
fn a_pipeline_with_a_scaler() {
    // Pixels that are dark in every calibration sample get weights of up to 283 here; a test image that lights one
    // saturates them.
    check(
        "digits-pipeline",
        &example("digits-pipeline", "digits"),
        0.01,
        0.6,
    );
}

#[test]
fn a_binary_classifier() {
    let Example {
        model,
        input,
        labels,
        expected,
        ..
    } = example("digits-binary", "digits");
    assert_eq!(model.output.head, Head::ArgMax { labels: vec![0, 1] });
    let Values::Class(said) = model.dequantise(&model.run(&input).unwrap()) else {
        panic!("a classifier says classes");
    };
    let truth = || labels.iter().map(|&digit| i64::from(digit > 4));
    let float = || expected.iter().map(|&logit| i64::from(logit > 0.0));
    let before = share(float().zip(truth()).map(|(a, b)| a == b));
    let after = share(said.iter().zip(truth()).map(|(&a, b)| a == b));
    println!("digits-binary: float {before:.4}, integer {after:.4}");
    assert!(
        after >= before - 0.01,
        "accuracy falls from {before} to {after}"
    );
}

#[test]
fn mnist() {
    let mnist = example("mnist", "mnist");
    check("mnist", &mnist, 0.002, 0.01);
    assert_eq!(mnist.model.parameters(), 784 * 56 + 56 + 56 * 10 + 10);
}

#[test]
fn an_imported_model_survives_its_file() {
    let digits = example("digits", "digits").model;
    assert_eq!(Model::decode_file(&digits.encode_file()), Ok(digits));
}
