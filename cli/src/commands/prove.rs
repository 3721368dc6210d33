//! `ciro prove` and `ciro verify`.

use super::{hex, parse_account, parse_hash, read_model, write};
use crate::{
    npy,
    output::{fields, Output, Report},
};
use anyhow::{ensure, Context, Result};
use ciro_client::AccountId;
use ciro_primitives::{JobBinding, JobId};
use ciro_zkml_model::Model;
use ciro_zkml_prover::{max_batch, Prover};
use ciro_zkml_verifier::Receipt;
use clap::Args;
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

/// Arguments of `ciro prove`.
#[derive(Args)]
pub struct Prove {
    /// The model (.ciro).
    model: PathBuf,
    /// Samples (.npy), at most 64.
    #[arg(long, value_name = "X.npy")]
    input: PathBuf,
    /// Where the outputs go (.npy).
    #[arg(long, value_name = "Y.npy")]
    output: Option<PathBuf>,
    /// Where the proof goes.
    #[arg(short = 'o', long = "proof", value_name = "P.proof")]
    proof: PathBuf,
    /// Account that the proof names as the one to be paid; nobody if it is left out.
    #[arg(long, value_parser = parse_account, value_name = "ADDRESS")]
    payee: Option<AccountId>,
    /// Job that the proof answers.
    #[arg(long, requires = "genesis", value_name = "ID")]
    job: Option<JobId>,
    /// Hash of the genesis block of the chain that the job is on.
    #[arg(long, value_parser = parse_hash, requires = "job", value_name = "HASH")]
    genesis: Option<[u8; 32]>,
}

impl Prove {
    /// Runs the model, proves the run, and writes both.
    pub fn execute(self, output: Output) -> Result<Report> {
        let model = read_model(&self.model)?;
        let samples = npy::read_samples(&self.input, &model)?;
        let most = max_batch(&model);
        ensure!(
            samples.batch <= most,
            "{}: a proof of this model covers at most {most} samples and these are {}: split the file",
            self.input.display(),
            samples.batch
        );
        let input = model.quantise(&samples.values)?;
        let binding = JobBinding {
            genesis: self.genesis.unwrap_or_default(),
            job: self.job.unwrap_or_default(),
            payee: self.payee.map_or([0; 32], |payee| payee.0),
        };
        let step = output.progress("preparing the model");
        let prover = Prover::new(&model)?;
        step.at("proving");
        let start = Instant::now();
        let receipt = prover.prove(&binding.encode(), &input)?;
        let elapsed = start.elapsed();
        drop(step);
        let outputs = npy::encode_outputs(&model, &receipt.output)?;
        if let Some(path) = &self.output {
            write(path, &outputs)?;
        }
        if let Err(error) = write(&self.proof, &receipt.encode_file()) {
            // Both files or none.
            if let Some(path) = &self.output {
                let _ = fs::remove_file(path);
            }
            return Err(error);
        }
        Ok(Report::yes(
            format!(
                "{} samples proved in {:.2} s, proof of {} bytes in {}",
                samples.batch,
                elapsed.as_secs_f64(),
                receipt.proof.len(),
                self.proof.display()
            ),
            json!({
                "samples": samples.batch,
                "seconds": elapsed.as_secs_f64(),
                "proof_bytes": receipt.proof.len(),
                "model": hex(&receipt.model),
                "proof": self.proof,
                "output": self.output,
            }),
        ))
    }
}

/// Arguments of `ciro verify`.
#[derive(Args)]
pub struct Verify {
    /// The model that the proof must be of (.ciro).
    model: PathBuf,
    /// The proof.
    proof: PathBuf,
    /// Account that the proof must name as the one to be paid.
    #[arg(long, value_parser = parse_account, value_name = "ADDRESS")]
    payee: Option<AccountId>,
    /// Job that the proof must answer.
    #[arg(long, value_name = "ID")]
    job: Option<JobId>,
    /// Genesis hash that the proof must name.
    #[arg(long, value_parser = parse_hash, value_name = "HASH")]
    genesis: Option<[u8; 32]>,
    /// Samples (.npy) that must be the proof's, once quantised.
    #[arg(long, value_name = "X.npy")]
    input: Option<PathBuf>,
    /// Outputs (.npy) that must be exactly the proof's.
    #[arg(long, value_name = "Y.npy")]
    output: Option<PathBuf>,
}

impl Verify {
    /// Checks the proof and every expectation; names all that fail.
    pub fn execute(self, output: Output) -> Result<Report> {
        let model = read_model(&self.model)?;
        let bytes = fs::read(&self.proof)
            .with_context(|| format!("cannot read the proof {}", self.proof.display()))?;
        let receipt = match Receipt::decode_file(&bytes) {
            Ok(receipt) => receipt,
            Err(error) => return Ok(refused(&[format!("{}: {error}", self.proof.display())])),
        };
        let step = output.progress("preparing the model");
        let prover = Prover::new(&model)?;
        step.at("verifying");
        let start = Instant::now();
        let verified = receipt.verify(prover.key());
        let elapsed = start.elapsed();
        drop(step);
        let mut faults = Vec::new();
        if receipt.model != prover.key().id() {
            faults.push(format!(
                "the proof is of another model, {}",
                hex(&receipt.model)
            ));
        } else if let Err(error) = verified {
            faults.push(error.to_string());
        }
        let binding = JobBinding::decode(&receipt.binding).ok();
        if binding.is_none() {
            faults.push("the proof is bound to something else than a job".into());
        }
        faults.extend(self.unmet(&model, &receipt, binding.as_ref())?);
        if !faults.is_empty() {
            return Ok(refused(&faults));
        }
        let binding = binding.context("a proof without faults has a binding")?;
        let payee = (binding.payee != [0; 32]).then(|| AccountId(binding.payee).to_string());
        let on_chain = binding.genesis != [0; 32];
        let mut rows = vec![
            ("model", hex(&receipt.model)),
            ("samples", receipt.batch.to_string()),
            ("payee", payee.clone().unwrap_or_else(|| "nobody".into())),
        ];
        if on_chain {
            rows.push(("job", binding.job.to_string()));
            rows.push(("genesis", hex(&binding.genesis)));
        }
        Ok(Report::yes(
            format!(
                "The proof holds (verified in {:.1} ms).\n{}",
                elapsed.as_secs_f64() * 1e3,
                fields(&rows)
            ),
            json!({
                "valid": true,
                "seconds": elapsed.as_secs_f64(),
                "model": hex(&receipt.model),
                "samples": receipt.batch,
                "payee": payee,
                "job": on_chain.then_some(binding.job),
                "genesis": on_chain.then(|| hex(&binding.genesis)),
            }),
        ))
    }

    /// The expectations that the proof does not meet.
    fn unmet(
        &self,
        model: &Model,
        receipt: &Receipt,
        binding: Option<&JobBinding>,
    ) -> Result<Vec<String>> {
        let mut unmet = Vec::new();
        let mut expect = |holds: bool, what: String| {
            if !holds {
                unmet.push(what);
            }
        };
        if let (Some(payee), Some(binding)) = (&self.payee, binding) {
            expect(
                binding.payee == payee.0,
                format!(
                    "it names {} as payee, not {payee}",
                    AccountId(binding.payee)
                ),
            );
        }
        if let (Some(job), Some(binding)) = (self.job, binding) {
            expect(
                binding.job == job,
                format!("it answers job {}, not {job}", binding.job),
            );
        }
        if let (Some(genesis), Some(binding)) = (&self.genesis, binding) {
            expect(
                &binding.genesis == genesis,
                "it names another genesis block".into(),
            );
        }
        if let Some(path) = &self.input {
            expect(
                self.same_input(path, model, receipt)?,
                format!("its input is not what is in {}", path.display()),
            );
        }
        if let Some(path) = &self.output {
            expect(
                npy::holds_outputs(path, model, &receipt.output)?,
                format!("its output is not what is in {}", path.display()),
            );
        }
        Ok(unmet)
    }

    fn same_input(&self, path: &Path, model: &Model, receipt: &Receipt) -> Result<bool> {
        let samples = npy::read_samples(path, model)?;
        let input = model.quantise(&samples.values)?;
        Ok(samples.batch == receipt.batch as usize && input == receipt.input)
    }
}

fn refused(faults: &[String]) -> Report {
    Report::no(
        format!("The proof does not hold: {}.", faults.join("; ")),
        json!({ "valid": false, "faults": faults }),
    )
}
