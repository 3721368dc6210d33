//! `ciro run`.

use super::{read_model, write};
use crate::{
    npy,
    output::{Output, Report},
};
use anyhow::Result;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `ciro run`.
#[derive(Args)]
pub struct Run {
    /// The model (.ciro).
    model: PathBuf,
    /// Samples (.npy), any number of them.
    #[arg(long, value_name = "X.npy")]
    input: PathBuf,
    /// Where the outputs go (.npy).
    #[arg(long, value_name = "Y.npy")]
    output: PathBuf,
}

impl Run {
    /// Runs the model exactly as a proof would have it.
    pub fn execute(self, output: Output) -> Result<Report> {
        let model = read_model(&self.model)?;
        let samples = npy::read_samples(&self.input, &model)?;
        let step = output.progress(format!("running {} samples", samples.batch));
        let values = model.run(&model.quantise(&samples.values)?)?;
        write(&self.output, &npy::encode_outputs(&model, &values)?)?;
        drop(step);
        Ok(Report::yes(
            format!(
                "{} samples run, outputs in {}",
                samples.batch,
                self.output.display()
            ),
            json!({ "samples": samples.batch, "output": self.output }),
        ))
    }
}
