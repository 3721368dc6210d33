//! Every committed model: what is imported is what is proved, bit for bit, and the verifier agrees.
//!
//! How close the integers are to the libraries' floats is tested where they are made, in `zkml/import/tests`.

use std::path::PathBuf;

use ciro_zkml_import::{import, Options};
use ciro_zkml_model::Model;
use ciro_zkml_prover::{max_batch, Prover};
use ciro_zkml_verifier::{Preset, VerifyError};

/// Samples in the larger of the two proofs of each model.
const BATCH: usize = 3;

fn file(name: &str) -> Vec<u8> {
    let models = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../models");
    let path = models.join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn samples(name: &str) -> Vec<f32> {
    let bytes = file(name);
    npyz::NpyFile::new(&bytes[..]).unwrap().into_vec().unwrap()
}

/// Imports a model, and proves one and several of its test samples in both presets.
fn conforms(name: &str, calibration: &str, tests: &str) {
    let calibration = match calibration {
        "" => Vec::new(),
        calibration => samples(calibration),
    };
    let tests = samples(tests);
    for preset in [Preset::Fast, Preset::Chain] {
        let options = Options {
            name: "conformance".into(),
            preset: preset as u8,
        };
        let (model, _) = import(&file(name), &calibration, &options)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let model = Model::decode_file(&model.encode_file()).unwrap();
        let prover = Prover::new(&model).unwrap_or_else(|error| panic!("{name}: {error}"));
        for batch in [1, BATCH.min(max_batch(&model))] {
            let input = model.quantise(&tests[..batch * model.columns()]).unwrap();
            let mut receipt = prover.prove(b"conformance", &input).unwrap();
            let output = receipt.output.public_mut().unwrap();
            assert_eq!(*output, model.run(&input).unwrap(), "{name}");
            assert_eq!(
                receipt.verify(prover.key()),
                Ok(()),
                "{name}, {preset:?}, {batch} samples"
            );
            receipt.output.public_mut().unwrap()[0] ^= 1;
            assert_eq!(
                receipt.verify(prover.key()),
                Err(VerifyError::Sum),
                "{name}"
            );
        }
    }
}

#[test]
fn perceptrons() {
    for name in [
        "digits",
        "digits-zipmap",
        "digits-pipeline",
        "digits-binary",
        "digits-torch",
    ] {
        conforms(
            &format!("{name}.onnx"),
            "digits-calibration.npy",
            "digits-test-x.npy",
        );
    }
    conforms("mnist.onnx", "mnist-calibration.npy", "mnist-test-x.npy");
}

#[test]
fn linear_models() {
    for name in ["logistic", "svm", "svm-binary", "regression"] {
        conforms(
            &format!("networks/{name}.onnx"),
            "digits-calibration.npy",
            "digits-test-x.npy",
        );
    }
}

#[test]
fn convolutional_networks() {
    for name in ["lenet", "lenet-qdq"] {
        conforms(
            &format!("networks/{name}.onnx"),
            "mnist-calibration.npy",
            "mnist-test-x.npy",
        );
    }
    for name in ["lenet-tanh", "conv1d"] {
        conforms(
            &format!("networks/{name}.onnx"),
            "digits-calibration.npy",
            "digits-test-x.npy",
        );
    }
    for name in ["resnet", "mobilenet"] {
        let (calibration, tests) = (
            "networks/shapes-calibration.npy",
            "networks/shapes-test-x.npy",
        );
        conforms(&format!("networks/{name}.onnx"), calibration, tests);
    }
}

#[test]
fn transformers() {
    for name in ["encoder", "encoder-rms"] {
        conforms(
            &format!("networks/{name}.onnx"),
            "digits-calibration.npy",
            "digits-test-x.npy",
        );
    }
    let (calibration, tests) = (
        "networks/nanogpt-calibration.npy",
        "networks/nanogpt-test-x.npy",
    );
    conforms("networks/nanogpt.onnx", calibration, tests);
}

#[test]
fn decision_trees() {
    for (name, data) in [
        ("xgboost-cancer.json", "cancer"),
        ("xgboost-cancer.ubj", "cancer"),
        ("xgboost-digits.ubj", "digits"),
        ("xgboost-diabetes.json", "diabetes"),
        ("xgboost-missing.ubj", "missing"),
        ("xgboost-dart.json", "wine"),
        ("lightgbm-cancer.txt", "cancer"),
        ("lightgbm-wine.txt", "wine"),
        ("lightgbm-diabetes.txt", "diabetes"),
        ("lightgbm-missing.txt", "missing"),
        ("lightgbm-zero.txt", "zero"),
        ("lightgbm-forest.txt", "wine"),
        ("forest-iris.onnx", "iris"),
        ("extra-wine.onnx", "wine"),
        ("tree-iris.onnx", "iris"),
        ("boosting-wine.onnx", "wine"),
        ("boosting-diabetes.onnx", "diabetes"),
        ("extra-targets.onnx", "targets"),
        ("pipeline-wine.onnx", "wine"),
    ] {
        conforms(
            &format!("trees/{name}"),
            "",
            &format!("trees/{data}-test-x.npy"),
        );
    }
}
