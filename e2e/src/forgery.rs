//! A worker's proofs by hand, and its lie: a proof of an honest run that claims another output.

use crate::{npy::write_floats, Ciro};
use anyhow::{ensure, Context, Result};
use ciro_bridge_primitives::LaneId;
use ciro_client::Hash;
use ciro_primitives::JobId;
use ciro_zkml_model::Model;
use ciro_zkml_verifier::Receipt;
use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

/// What is to be answered.
pub struct Task<'a> {
    /// Genesis block of the job's chain.
    pub genesis: Hash,
    /// The lane to the JobManager whose job it is, if that is on another chain.
    pub lane: Option<LaneId>,
    /// The job.
    pub job: JobId,
    /// Who is to be paid: an account, or an address on the other chain.
    pub payee: String,
    /// File of the model, which classifies.
    pub model: &'a Path,
    /// The sample, in as many values as the model has columns.
    pub sample: &'a [f32],
}

/// A forged proof.
pub struct Forged {
    /// Its file.
    pub proof: PathBuf,
    /// The class that the model gives.
    pub truth: i64,
    /// The class that the proof claims.
    pub told: i64,
}

impl Ciro {
    /// Proves the run. The proof goes to a file, the sample to one beside it.
    pub async fn prove(&self, task: &Task<'_>, proof: &Path) -> Result<()> {
        let sample = proof.with_extension("npy");
        write_floats(&sample, &[1, task.sample.len()], task.sample)?;
        let (genesis, job) = (format!("{:?}", task.genesis), task.job.to_string());
        let mut arguments: Vec<&OsStr> = vec![
            "prove".as_ref(),
            task.model.as_os_str(),
            "--input".as_ref(),
            sample.as_os_str(),
            "-o".as_ref(),
            proof.as_os_str(),
            "--job".as_ref(),
            job.as_ref(),
            "--genesis".as_ref(),
            genesis.as_ref(),
            "--payee".as_ref(),
            task.payee.as_ref(),
        ];
        let lane = task.lane.map(|lane| lane.to_string());
        if let Some(lane) = &lane {
            arguments.extend(["--lane".as_ref(), OsStr::new(lane)]);
        }
        self.run(arguments).await?;
        Ok(())
    }

    /// Proves the run honestly and raises one output just above the largest, which makes it another class. The files
    /// go to `folder`.
    pub async fn forge(&self, task: &Task<'_>, folder: &Path) -> Result<Forged> {
        let (honest, proof) = (folder.join("honest.proof"), folder.join("forged.proof"));
        self.prove(task, &honest).await?;
        let model = Model::decode_file(&fs::read(task.model)?)?;
        let mut receipt = Receipt::decode_file(&fs::read(&honest)?)?;
        let output = receipt.output.public_mut();
        let output = output.context("the proof's output is not public")?;
        let truth = class(&model, output)?;
        let largest = output.iter().copied().max().context("there is no output")?;
        let lie = output.iter().position(|value| *value < largest);
        output[lie.context("all outputs are equal")?] = largest + 1;
        let told = class(&model, output)?;
        ensure!(told != truth, "the change makes no difference");
        fs::write(&proof, receipt.encode_file())?;
        Ok(Forged { proof, truth, told })
    }
}

fn class(model: &Model, output: &[i32]) -> Result<i64> {
    let classes = model.classes(output);
    classes.first().copied().context("there is no class")
}
