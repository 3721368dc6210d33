//! The models that are measured: the trained ones of `models/`, in both presets.

use std::path::Path;

use anyhow::{Context, Result};
use ciro_zkml_model::Model;

/// A model with an input for it.
pub struct Bench {
    /// Model, preset and batch.
    pub name: String,
    /// The model.
    pub model: Model,
    /// Quantised samples, `[batch][inputs]`.
    pub input: Vec<i8>,
    /// Samples.
    pub batch: usize,
}

/// Reads and imports every model.
pub fn load(folder: &Path) -> Result<Vec<Bench>> {
    let mut benches = Vec::new();
    for name in ["digits", "mnist"] {
        let onnx = folder.join(format!("{name}.onnx"));
        let onnx =
            std::fs::read(&onnx).with_context(|| format!("cannot read {}", onnx.display()))?;
        let calibration = samples(&folder.join(format!("{name}-calibration.npy")))?;
        let test = samples(&folder.join(format!("{name}-test-x.npy")))?;
        for (preset, preset_name) in [(0, "fast"), (1, "chain")] {
            let options = ciro_zkml_import::Options {
                name: name.into(),
                preset,
            };
            let (model, _) = ciro_zkml_import::import_onnx(&onnx, &calibration, &options)?;
            for batch in [1, 32] {
                let input = model.quantise(&test[..batch * model.inputs()])?;
                benches.push(Bench {
                    name: format!("{name} {preset_name} x{batch}"),
                    model: model.clone(),
                    input,
                    batch,
                });
            }
        }
    }
    Ok(benches)
}

fn samples(path: &Path) -> Result<Vec<f32>> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(npyz::NpyFile::new(&bytes[..])?.into_vec::<f32>()?)
}
