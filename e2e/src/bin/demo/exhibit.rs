//! What the demo shows: trained models with test samples that they never saw.

use anyhow::{ensure, Result};
use ciro_e2e::{repository, Array, Ciro};
use ciro_primitives::ModelId;
use ciro_zkml_model::Model;
use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::stage::text;

/// Where a model and its samples are.
pub struct Source {
    /// What kind of model it is.
    pub name: &'static str,
    /// What a sample is.
    pub noun: &'static str,
    model: &'static str,
    /// Samples to quantise with, if the model is not exact in integers already.
    calibration: Option<&'static str>,
    samples: &'static str,
    labels: &'static str,
    /// What the float model says of the samples: a class each, or a value for each class.
    expected: &'static str,
    /// Samples that the demo shows.
    shown: usize,
    /// Samples that are jobs of their own; the others go in batches.
    single: usize,
}

/// The models of the demo. The first is the one that a worker cheats with.
pub const SOURCES: [Source; 3] = [
    Source {
        name: "perceptron",
        noun: "image",
        model: "models/digits.onnx",
        calibration: Some("models/digits-calibration.npy"),
        samples: "models/digits-test-x.npy",
        labels: "models/digits-test-y.npy",
        expected: "models/expected/digits.npy",
        shown: 450,
        single: 12,
    },
    Source {
        name: "LeNet-5",
        noun: "image",
        model: "models/networks/lenet.onnx",
        calibration: Some("models/mnist-calibration.npy"),
        samples: "models/mnist-test-x.npy",
        labels: "models/mnist-test-y.npy",
        expected: "models/networks/lenet-expected.npy",
        shown: 32,
        single: 2,
    },
    Source {
        name: "XGBoost",
        noun: "patient",
        model: "models/trees/xgboost-cancer.json",
        calibration: None,
        samples: "models/trees/cancer-test-x.npy",
        labels: "models/trees/cancer-test-y.npy",
        expected: "models/trees/expected/xgboost-cancer-class.npy",
        shown: 143,
        single: 2,
    },
];

/// A model in integers, and its samples.
pub struct Exhibit {
    pub source: &'static Source,
    pub model: Model,
    pub id: ModelId,
    /// The model's file.
    pub file: PathBuf,
    pub tests: TestSet,
    /// The samples in integers, `[samples][inputs]`.
    pub inputs: Vec<i8>,
    /// What the integer model says of them, by the reference interpreter.
    pub reference: Vec<i32>,
}

impl Exhibit {
    /// Imports the model with `ciro` into `folder` and runs it on its samples.
    pub async fn import(source: &'static Source, cli: &Ciro, folder: &Path) -> Result<Self> {
        let path = repository(source.model);
        let file = folder
            .join(path.file_stem().unwrap_or_default())
            .with_extension("ciro");
        let calibration = source.calibration.map(repository);
        let mut arguments = vec!["model".as_ref(), "import".as_ref(), path.as_os_str()];
        arguments.extend(["-o".as_ref(), file.as_os_str()]);
        if let Some(calibration) = &calibration {
            arguments.extend(["--calibrate".as_ref(), calibration.as_os_str()]);
        }
        let imported = cli.run(arguments).await?;
        let model = Model::decode_file(&fs::read(&file)?)?;
        let tests = TestSet::read(source, &model)?;
        let inputs = model.quantise(&tests.samples)?;
        Ok(Self {
            id: text(&imported, "id")?.parse()?,
            reference: model.run(&inputs)?,
            source,
            model,
            file,
            tests,
            inputs,
        })
    }

    /// The file that the model came from, in the repository.
    pub fn origin(&self) -> &'static str {
        self.source.model
    }

    /// How the samples are split into jobs: single ones first, then batches of at most `most`.
    pub fn split(&self, most: usize) -> Vec<std::ops::Range<usize>> {
        let (samples, single) = (self.tests.labels.len(), self.source.single);
        let batches = (single..samples).step_by(most);
        (0..single)
            .map(|sample| sample..sample + 1)
            .chain(batches.map(|first| first..samples.min(first + most)))
            .collect()
    }
}

/// Held-out samples, what they are, and what the float model says of them.
pub struct TestSet {
    /// Values of all samples, one sample after the other.
    pub samples: Vec<f32>,
    /// The class of each sample.
    pub labels: Vec<i64>,
    /// The class that the float model sees.
    pub float_classes: Vec<i64>,
}

impl TestSet {
    fn read(source: &Source, model: &Model) -> Result<Self> {
        let samples = Array::read(&repository(source.samples))?.floats()?;
        let mut labels = Array::read(&repository(source.labels))?.integers()?;
        let expected = Array::read(&repository(source.expected))?;
        let mut float_classes = match expected.shape.len() {
            1 => expected.integers()?,
            _ => {
                let classes = expected.shape.iter().skip(1).product();
                expected.floats()?.chunks(classes).map(largest).collect()
            }
        };
        let columns = model.columns();
        ensure!(
            samples.len() == labels.len() * columns
                && labels.len() == float_classes.len()
                && labels.len() >= source.shown,
            "{}: the samples, their labels and the float model's outputs do not fit together",
            source.name
        );
        labels.truncate(source.shown);
        float_classes.truncate(source.shown);
        Ok(Self {
            samples: samples[..source.shown * columns].to_vec(),
            labels,
            float_classes,
        })
    }

    /// The first sample as a square image, in characters; its values go from 0 to 1.
    pub fn drawing(&self) -> String {
        let values = self.samples.len() / self.labels.len();
        let side = values.isqrt();
        let shade =
            |pixel: &f32| [" ", "░", "▒", "▓", "█"][(pixel * 4.0).round() as usize].repeat(2);
        let row = |row: &[f32]| format!("    {}\n", row.iter().map(shade).collect::<String>());
        self.samples[..values].chunks(side).map(row).collect()
    }
}

/// Index of the first largest value.
fn largest(values: &[f32]) -> i64 {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = index;
        }
    }
    best as i64
}

/// Share of right answers in percent.
pub fn accuracy(answers: &[i64], labels: &[i64]) -> f64 {
    let right = answers
        .iter()
        .zip(labels)
        .filter(|(answer, label)| answer == label)
        .count();
    100.0 * right as f64 / labels.len() as f64
}
