//! The models that are measured: trained ones of `models/`, and generated ones of published sizes.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use ciro_zkml_model::{Model, Values};

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
}

const SOURCES: [Source; 7] = [
    Source {
        key: "digits",
        title: "perceptron 64-32-10, digits",
        model: "models/digits.onnx",
        calibration: Some("models/digits-calibration.npy"),
        samples: "models/digits-test-x.npy",
        labels: Some("models/digits-test-y.npy"),
        batches: &[1, 32],
    },
    Source {
        key: "mnist",
        title: "perceptron 784-56-10, MNIST",
        model: "models/mnist.onnx",
        calibration: Some("models/mnist-calibration.npy"),
        samples: "models/mnist-test-x.npy",
        labels: Some("models/mnist-test-y.npy"),
        batches: &[1, 32],
    },
    Source {
        key: "lenet",
        title: "LeNet-5, MNIST",
        model: "models/networks/lenet.onnx",
        calibration: Some("models/mnist-calibration.npy"),
        samples: "models/mnist-test-x.npy",
        labels: Some("models/mnist-test-y.npy"),
        batches: &[1, 8],
    },
    Source {
        key: "forest-iris",
        title: "random forest, 100 trees, iris",
        model: "models/trees/forest-iris.onnx",
        calibration: None,
        samples: "models/trees/iris-test-x.npy",
        labels: Some("models/trees/iris-test-y.npy"),
        batches: &[1, 32],
    },
    Source {
        key: "xgboost-cancer",
        title: "XGBoost, 100 trees, breast cancer",
        model: "models/trees/xgboost-cancer.json",
        calibration: None,
        samples: "models/trees/cancer-test-x.npy",
        labels: Some("models/trees/cancer-test-y.npy"),
        batches: &[1, 32],
    },
    Source {
        key: "dense-4m",
        title: "dense, 4.2 M parameters",
        model: "dense-4m.onnx",
        calibration: Some("dense-4m-calibration.npy"),
        samples: "dense-4m-x.npy",
        labels: None,
        batches: &[1],
    },
    Source {
        key: "cnn-264k",
        title: "CNN, 264 k parameters, 3x32x32",
        model: "cnn-264k.onnx",
        calibration: Some("cnn-264k-calibration.npy"),
        samples: "cnn-264k-x.npy",
        labels: None,
        batches: &[1],
    },
];

/// The proof presets, as model files number them.
const PRESETS: [u8; 2] = [0, 1];

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
        let preset = if self.model.preset == 0 {
            "fast"
        } else {
            "chain"
        };
        format!("{} {preset} x{}", self.key, self.batch)
    }
}

/// Reads and imports every model whose short name begins with `only`. Files of models that are not trained are in the
/// folder `generated`; without it they are left out.
pub fn load(root: &Path, generated: Option<&Path>, only: &str) -> Result<Vec<Bench>> {
    let mut benches = Vec::new();
    for source in SOURCES.iter().filter(|source| source.key.starts_with(only)) {
        let folder = match (source.model.contains('/'), generated) {
            (true, _) => root,
            (false, Some(folder)) => folder,
            (false, None) => continue,
        };
        benches.extend(source.load(folder)?);
    }
    Ok(benches)
}

impl Source {
    fn load(&self, folder: &Path) -> Result<Vec<Bench>> {
        let path = folder.join(self.model);
        let file =
            std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let calibration = match self.calibration {
            Some(calibration) => array::<f32>(folder.join(calibration))?,
            None => Vec::new(),
        };
        let samples = array::<f32>(folder.join(self.samples))?;
        let mut benches = Vec::new();
        for preset in PRESETS {
            let name = self.key.into();
            let options = ciro_zkml_import::Options { name, preset };
            let (model, _) = ciro_zkml_import::import(&file, &calibration, &options)
                .with_context(|| format!("cannot import {}", path.display()))?;
            let accuracy = match self.labels {
                Some(labels) => Some(accuracy(&model, &samples, &array(folder.join(labels))?)?),
                None => None,
            };
            for &batch in self.batches {
                benches.push(Bench {
                    key: self.key,
                    title: self.title,
                    model: model.clone(),
                    input: model.quantise(&samples[..batch * model.columns()])?,
                    batch,
                    accuracy,
                });
            }
        }
        Ok(benches)
    }
}

/// Share of samples that the integer model classifies rightly.
fn accuracy(model: &Model, samples: &[f32], labels: &[i64]) -> Result<f64> {
    let output = model.run(&model.quantise(samples)?)?;
    let largest = |row: &[f32]| {
        let best = (0..row.len()).fold(0, |best, at| if row[at] > row[best] { at } else { best });
        best as i64
    };
    let classes = match model.dequantise(&output) {
        Values::Class(classes) => classes,
        Values::Float(values) => values.chunks(model.outputs()).map(largest).collect(),
    };
    let right = classes.iter().zip(labels).filter(|(a, b)| a == b).count();
    Ok(right as f64 / labels.len() as f64)
}

fn array<T: npyz::Deserialize>(path: PathBuf) -> Result<Vec<T>> {
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(npyz::NpyFile::new(&bytes[..])?.into_vec::<T>()?)
}
