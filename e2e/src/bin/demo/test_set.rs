//! The handwritten digits of `models/`.

use anyhow::{ensure, Result};
use ciro_e2e::{repository, Array};
use ciro_zkml_model::{Model, Values};

/// Pixels of an image's side.
const SIDE: usize = 8;

/// Held-out images, what they show, and what the float model says of them.
pub struct TestSet {
    /// Pixels from 0 (background) to 1, row by row, image by image.
    pub images: Vec<f32>,
    /// The digit that each image shows.
    pub labels: Vec<i64>,
    /// The digit that the float model sees.
    pub float_classes: Vec<i64>,
}

impl TestSet {
    /// Reads it.
    pub fn read() -> Result<Self> {
        let images = Array::read(&repository("models/digits-test-x.npy"))?;
        let labels = Array::read(&repository("models/digits-test-y.npy"))?.integers()?;
        let logits = Array::read(&repository("models/expected/digits.npy"))?;
        ensure!(
            images.shape == [labels.len(), SIDE * SIDE] && logits.shape == [labels.len(), 10],
            "the test images, their labels and the float model's outputs do not fit together"
        );
        let float_classes = logits.floats()?.chunks(10).map(largest).collect();
        Ok(Self {
            images: images.floats()?,
            labels,
            float_classes,
        })
    }

    /// Pixels of one image.
    pub fn image(&self, index: usize) -> &[f32] {
        &self.images[index * SIDE * SIDE..][..SIDE * SIDE]
    }

    /// An image in characters.
    pub fn drawing(&self, index: usize) -> String {
        let shade =
            |pixel: &f32| [" ", "░", "▒", "▓", "█"][(pixel * 4.0).round() as usize].repeat(2);
        let row = |row: &[f32]| format!("    {}\n", row.iter().map(shade).collect::<String>());
        self.image(index).chunks(SIDE).map(row).collect()
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

/// The digits that a model's accumulators stand for.
pub fn classes(model: &Model, output: &[i32]) -> Result<Vec<i64>> {
    Ok(match model.dequantise(output) {
        Values::Class(labels) => labels,
        Values::Float(values) => values.chunks(model.outputs()).map(largest).collect(),
    })
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
