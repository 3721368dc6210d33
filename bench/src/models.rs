//! The models that are measured: trained ones of `models/`, and generated ones of published sizes.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use ciro_zkml_model::Model;

/// A model, where it is and what it is run on.
struct Source {
    /// Short name, also of the peers' figures.
    key: &'static str,
    title: &'static str,
    /// The model's file; paths without a folder are of generated files.
    model: &'static str,
    calibration: Option<&'static str>,
    samples: &'static str,
    labels: Option<&'static str>,
    /// Numbers of samples in a proof that are measured.
    batches: &'static [usize],
    /// The proof presets, as model files number them.
    presets: &'static [u8],
}

const FAST: u8 = 0;
const CHAIN: u8 = 1;

const SOURCES: [Source; 10] = [
    Source {
        key: "digits",
        title: "perceptron 64-32-10, digits",
        model: "models/digits.onnx",
        calibration: Some("models/digits-calibration.npy"),
        samples: "models/digits-test-x.npy",
        labels: Some("models/digits-test-y.npy"),
        batches: &[1, 32],
        presets: &[FAST, CHAIN],
    },
    Source {
        key: "mnist",
        title: "perceptron 784-56-10, MNIST",
        model: "models/mnist.onnx",
        calibration: Some("models/mnist-calibration.npy"),
        samples: "models/mnist-test-x.npy",
        labels: Some("models/mnist-test-y.npy"),
        batches: &[1, 32],
        presets: &[FAST, CHAIN],
    },
    Source {
        key: "lenet",
        title: "LeNet-5, MNIST",
        model: "models/networks/lenet.onnx",
        calibration: Some("models/mnist-calibration.npy"),
        samples: "models/mnist-test-x.npy",
        labels: Some("models/mnist-test-y.npy"),
        batches: &[1, 8],
        presets: &[FAST, CHAIN],
    },
    Source {
        key: "forest-iris",
        title: "random forest, 100 trees, iris",
        model: "models/trees/forest-iris.onnx",
        calibration: None,
        samples: "models/trees/iris-test-x.npy",
        labels: Some("models/trees/iris-test-y.npy"),
        batches: &[1, 32],
        presets: &[FAST, CHAIN],
    },
    Source {
        key: "xgboost-cancer",
        title: "XGBoost, 100 trees, breast cancer",
        model: "models/trees/xgboost-cancer.json",
        calibration: None,
        samples: "models/trees/cancer-test-x.npy",
        labels: Some("models/trees/cancer-test-y.npy"),
        batches: &[1, 32],
        presets: &[FAST, CHAIN],
    },
    Source {
        key: "dense-4m",
        title: "dense, 4.2 M parameters",
        model: "dense-4m.onnx",
        calibration: Some("dense-4m-calibration.npy"),
        samples: "dense-4m-x.npy",
        labels: None,
        batches: &[1],
        presets: &[FAST, CHAIN],
    },
    Source {
        key: "cnn-264k",
        title: "CNN, 264 k parameters, 3x32x32",
        model: "cnn-264k.onnx",
        calibration: Some("cnn-264k-calibration.npy"),
        samples: "cnn-264k-x.npy",
        labels: None,
        batches: &[1],
        presets: &[FAST, CHAIN],
    },
    Source {
        key: "encoder",
        title: "transformer encoder, 2 layers, digits",
        model: "models/networks/encoder.onnx",
        calibration: Some("models/digits-calibration.npy"),
        samples: "models/digits-test-x.npy",
        labels: Some("models/digits-test-y.npy"),
        batches: &[1, 8],
        presets: &[FAST, CHAIN],
    },
    Source {
        key: "nanogpt",
        title: "nanoGPT, 64 positions, 4 layers, 208 k parameters",
        model: "models/networks/nanogpt.onnx",
        calibration: Some("models/networks/nanogpt-calibration.npy"),
        samples: "models/networks/nanogpt-test-x.npy",
        labels: Some("models/networks/nanogpt-test-y.npy"),
        batches: &[1],
        presets: &[FAST, CHAIN],
    },
    // Sixteen times the room for the committed weights is more than most machines have.
    Source {
        key: "gpt2",
        title: "GPT-2, 124 M parameters, 16 positions",
        model: "gpt2.onnx",
        calibration: Some("gpt2-calibration.npy"),
        samples: "gpt2-x.npy",
        labels: None,
        batches: &[1],
        presets: &[FAST],
    },
];

/// A model with an input for it.
pub struct Bench {
    /// Short name.
    pub key: &'static str,
    /// The model for people.
    pub title: &'static str,
    /// The model.
    pub model: Model,
    /// Quantised samples, `[batch][inputs]`.
    pub input: Vec<i8>,
    /// Samples.
    pub batch: usize,
    /// Share of test samples that the integer model classifies rightly, if it was trained.
    pub accuracy: Option<f64>,
}

impl Bench {
    /// Tells it from all others.
    pub fn name(&self) -> String {
        let preset = if self.model.preset == FAST {
            "fast"
        } else {
            "chain"
        };
        format!("{} {preset} x{}", self.key, self.batch)
    }
}

/// Reads and imports, one after the other, every model whose short name begins with `only`. Files of models that are not
/// trained are in the folder `generated`; without it they are left out.
pub fn load<'a>(
    root: &'a Path,
    generated: Option<&'a Path>,
    only: &'a str,
) -> impl Iterator<Item = Result<Vec<Bench>>> + 'a {
    let chosen = SOURCES
        .iter()
        .filter(move |source| source.key.starts_with(only));
    chosen.filter_map(move |source| {
        let folder = match source.model.contains('/') {
            true => Some(root),
            false => generated,
        };
        folder.map(|folder| source.load(folder))
    })
}

/// The smallest of them as the chain takes it, with its whole test set, quantised: `[samples][inputs]`.
pub fn smallest(root: &Path) -> Result<(Model, Vec<i8>)> {
    let (model, samples) = SOURCES[0].import(root)?;
    let model = Model {
        preset: CHAIN,
        ..model
    };
    let samples = model.quantise(&samples)?;
    Ok((model, samples))
}

impl Source {
    /// The model, as the preset `fast` proves it, and its samples.
    fn import(&self, folder: &Path) -> Result<(Model, Vec<f32>)> {
        let path = folder.join(self.model);
        let file =
            std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let calibration = match self.calibration {
            Some(calibration) => array::<f32>(folder.join(calibration))?,
            None => Vec::new(),
        };
        let options = ciro_zkml_import::Options {
            name: self.key.into(),
            preset: FAST,
        };
        let (model, _) = ciro_zkml_import::import(&file, &calibration, &options)
            .with_context(|| format!("cannot import {}", path.display()))?;
        Ok((model, array(folder.join(self.samples))?))
    }

    fn load(&self, folder: &Path) -> Result<Vec<Bench>> {
        let (model, samples) = self.import(folder)?;
        let accuracy = match self.labels {
            Some(labels) => Some(accuracy(&model, &samples, &array(folder.join(labels))?)?),
            None => None,
        };
        let mut benches = Vec::new();
        for &preset in self.presets {
            for &batch in self.batches {
                benches.push(Bench {
                    key: self.key,
                    title: self.title,
                    model: Model {
                        preset,
                        ..model.clone()
                    },
                    input: model.quantise(&samples[..batch * model.columns()])?,
                    batch,
                    accuracy,
                });
            }
        }
        Ok(benches)
    }
}

/// Share of answers of the integer model that are right.
fn accuracy(model: &Model, samples: &[f32], labels: &[i64]) -> Result<f64> {
    let answers = model.classes(&model.run(&model.quantise(samples)?)?);
    let right = answers.iter().zip(labels).filter(|(a, b)| a == b).count();
    Ok(right as f64 / labels.len() as f64)
}

fn array<T: npyz::Deserialize>(path: PathBuf) -> Result<Vec<T>> {
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(npyz::NpyFile::new(&bytes[..])?.into_vec::<T>()?)
}
