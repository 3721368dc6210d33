//! `ciro prove` and `ciro verify`.

use super::{
    binding::{parse_payee, Binding, Payee},
    hex, parse_hash, read_model, write,
};
use crate::{
    npy,
    output::{fields, Output, Report},
};
use anyhow::{bail, ensure, Context, Result};
use ciro_bridge_primitives::LaneId;
use ciro_primitives::JobId;
use ciro_zkml_model::Model;
use ciro_zkml_prover::{max_batch, Prover};
use ciro_zkml_verifier::{Commitment, Committed, Receipt, Tensor};
use clap::Args;
use serde_json::json;
use std::{
    fs,
    ops::RangeInclusive,
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
    /// Where the last layer's accumulators go (.npy, int32): what a commitment to the output is to.
    #[arg(long, value_name = "A.npy")]
    accumulators: Option<PathBuf>,
    /// State a commitment to the quantised input, not the input.
    #[arg(long)]
    commit_input: bool,
    /// State a commitment to the last layer's accumulators, not the output.
    #[arg(long)]
    commit_output: bool,
    /// Where the proof goes.
    #[arg(short = 'o', long = "proof", value_name = "P.proof")]
    proof: PathBuf,
    /// Account that the proof names as the one to be paid, with --lane an address on the other chain; nobody if it is left
    /// out.
    #[arg(long, value_parser = parse_payee, value_name = "ADDRESS")]
    payee: Option<Payee>,
    /// Job that the proof answers.
    #[arg(long, requires = "genesis", value_name = "ID")]
    job: Option<JobId>,
    /// Hash of the genesis block of the chain that the job is on, with --lane of Ciro's.
    #[arg(long, value_parser = parse_hash, requires = "job", value_name = "HASH")]
    genesis: Option<[u8; 32]>,
    /// The job is one of a JobManager on another chain: the lane that leads there. `ciro bridge answer` sends the proof.
    #[arg(long, value_parser = parse_hash, requires_all = ["job", "payee"], value_name = "LANE")]
    lane: Option<[u8; 32]>,
}

impl Prove {
    /// Runs the model, proves the run, and writes what was asked for.
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
        let binding = Binding {
            genesis: self.genesis.unwrap_or_default(),
            lane: self.lane.map(LaneId),
            jobs: vec![self.job.unwrap_or_default()],
            payee: self.payee,
        }
        .encode()?;
        let step = output.progress("preparing the model");
        let prover = Prover::new(&model)?;
        step.at("proving");
        let start = Instant::now();
        let committed = Committed {
            input: self.commit_input,
            output: self.commit_output,
        };
        let (receipt, accumulators) = prover.prove_committed(&binding, &input, committed)?;
        let elapsed = start.elapsed();
        drop(step);
        let mut files = Vec::new();
        if let Some(path) = &self.output {
            files.push((path, npy::encode_outputs(&model, &accumulators)?));
        }
        if let Some(path) = &self.accumulators {
            files.push((path, npy::encode_accumulators(&model, &accumulators)?));
        }
        files.push((&self.proof, receipt.encode_file()));
        write_all(&files)?;
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
                "accumulators": self.accumulators,
                "input_commitment": stated(&receipt.input),
                "output_commitment": stated(&receipt.output),
            }),
        ))
    }
}

/// Writes all files or none.
fn write_all(files: &[(&PathBuf, Vec<u8>)]) -> Result<()> {
    for (index, (path, bytes)) in files.iter().enumerate() {
        if let Err(error) = write(path, bytes) {
            for (written, _) in &files[..index] {
                let _ = fs::remove_file(written);
            }
            return Err(error);
        }
    }
    Ok(())
}

/// The commitment that a proof states, if it states one.
fn stated<V>(tensor: &Tensor<V>) -> Option<String> {
    match tensor {
        Tensor::Public(_) => None,
        Tensor::Committed(commitment) => Some(commitment.to_string()),
    }
}

/// Arguments of `ciro verify`.
#[derive(Args)]
pub struct Verify {
    /// The model that the proof must be of (.ciro).
    model: PathBuf,
    /// The proof.
    proof: PathBuf,
    /// Account, or address on another chain, that the proof must name as the one to be paid.
    #[arg(long, value_parser = parse_payee, value_name = "ADDRESS")]
    payee: Option<Payee>,
    /// Job that the proof must answer, alone or with others.
    #[arg(long, value_name = "ID")]
    job: Option<JobId>,
    /// Genesis hash that the proof must name.
    #[arg(long, value_parser = parse_hash, value_name = "HASH")]
    genesis: Option<[u8; 32]>,
    /// Lane to the JobManager on another chain whose job the proof must answer.
    #[arg(long, value_parser = parse_hash, value_name = "LANE")]
    lane: Option<[u8; 32]>,
    /// Which of the proof's samples the files below are about, counted from 1, where they are not about all: those of one
    /// job, as `ciro job proof` names them.
    #[arg(long, value_parser = parse_range, value_name = "FIRST..LAST")]
    samples: Option<RangeInclusive<u32>>,
    /// Samples (.npy) that must be the proof's, once quantised.
    #[arg(long, value_name = "X.npy")]
    input: Option<PathBuf>,
    /// Outputs (.npy) that must be exactly the proof's, if it states them.
    #[arg(long, value_name = "Y.npy")]
    output: Option<PathBuf>,
    /// Accumulators of the last layer (.npy, int32) that must be the proof's, or what it commits to.
    #[arg(long, value_name = "A.npy")]
    accumulators: Option<PathBuf>,
    /// Commitment to the quantised input that the proof must state.
    #[arg(long, value_parser = parse_hash, value_name = "HASH")]
    commit_input: Option<[u8; 32]>,
    /// Commitment to the last layer's accumulators that the proof must state.
    #[arg(long, value_parser = parse_hash, value_name = "HASH")]
    commit_output: Option<[u8; 32]>,
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
        let binding = Binding::decode(&receipt.binding);
        if binding.is_none() {
            faults.push("the proof is bound to something else than a job".into());
        }
        faults.extend(self.unmet(&model, &receipt, binding.as_ref())?);
        if !faults.is_empty() {
            return Ok(refused(&faults));
        }
        let binding = binding.context("a proof without faults has a binding")?;
        let payee = binding.payee.as_ref().map(Payee::to_string);
        let lane = binding.lane.map(|lane| lane.to_string());
        let on_chain = binding.genesis != [0; 32];
        let mut rows = vec![
            ("model", hex(&receipt.model)),
            ("samples", receipt.batch.to_string()),
            ("payee", payee.clone().unwrap_or_else(|| "nobody".into())),
        ];
        let commitments = [stated(&receipt.input), stated(&receipt.output)];
        for (name, commitment) in ["input", "output"].into_iter().zip(&commitments) {
            if let Some(commitment) = commitment {
                rows.push((name, format!("committed to by {commitment}")));
            }
        }
        if on_chain {
            rows.push(if let [job] = binding.jobs[..] {
                ("job", job.to_string())
            } else {
                let jobs: Vec<String> = binding.jobs.iter().map(JobId::to_string).collect();
                ("jobs", jobs.join(", "))
            });
            rows.push(("genesis", hex(&binding.genesis)));
        }
        rows.extend(lane.clone().map(|lane| ("lane", lane)));
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
                "job": match binding.jobs[..] {
                    [job] if on_chain => Some(job),
                    _ => None,
                },
                "jobs": on_chain.then_some(&binding.jobs),
                "genesis": on_chain.then(|| hex(&binding.genesis)),
                "lane": lane,
                "input_commitment": commitments[0],
                "output_commitment": commitments[1],
            }),
        ))
    }

    /// The expectations that the proof does not meet.
    fn unmet(
        &self,
        model: &Model,
        receipt: &Receipt,
        binding: Option<&Binding>,
    ) -> Result<Vec<String>> {
        let mut unmet = Vec::new();
        let mut expect = |holds: bool, what: String| {
            if !holds {
                unmet.push(what);
            }
        };
        if let (Some(payee), Some(binding)) = (&self.payee, binding) {
            let named = binding.payee.as_ref();
            expect(
                named == Some(payee),
                format!(
                    "it names {} as payee, not {payee}",
                    named.map_or_else(|| "nobody".into(), Payee::to_string)
                ),
            );
        }
        if let (Some(job), Some(binding)) = (self.job, binding) {
            expect(
                binding.jobs.contains(&job),
                format!("it answers {:?}, not job {job}", binding.jobs),
            );
        }
        if let (Some(genesis), Some(binding)) = (&self.genesis, binding) {
            expect(
                &binding.genesis == genesis,
                "it names another genesis block".into(),
            );
        }
        // Jobs have the same numbers on every chain.
        if let (true, Some(binding)) = (self.job.is_some() || self.lane.is_some(), binding) {
            let lane = self.lane.map(LaneId);
            expect(
                binding.lane == lane,
                match lane {
                    Some(lane) => format!("it answers no job at the end of {lane}"),
                    None => "it answers a job on another chain: name its --lane".into(),
                },
            );
        }
        let receipt = &self.part(receipt)?;
        if let Some(path) = &self.input {
            expect(
                self.same_input(path, model, receipt)?,
                format!("its input is not what is in {}", path.display()),
            );
        }
        if let Some(path) = &self.output {
            match &receipt.output {
                Tensor::Public(output) => expect(
                    npy::holds_outputs(path, model, output)?,
                    format!("its output is not what is in {}", path.display()),
                ),
                Tensor::Committed(_) => expect(
                    false,
                    "it states a commitment to its output: compare it with --accumulators".into(),
                ),
            }
        }
        if let Some(path) = &self.accumulators {
            expect(
                receipt.output.is_of(&npy::read_accumulators(path)?),
                format!("its accumulators are not what is in {}", path.display()),
            );
        }
        for (name, expected, found) in [
            ("input", self.commit_input, stated(&receipt.input)),
            ("output", self.commit_output, stated(&receipt.output)),
        ] {
            if let Some(expected) = expected.map(|bytes| Commitment(bytes).to_string()) {
                expect(
                    found.as_ref() == Some(&expected),
                    format!("it does not commit to its {name} by {expected}"),
                );
            }
        }
        Ok(unmet)
    }

    /// What the proof states of the samples that the expectations are about.
    fn part(&self, receipt: &Receipt) -> Result<Receipt> {
        let Some(samples) = &self.samples else {
            return Ok(receipt.clone());
        };
        let (first, last) = (*samples.start() as usize, *samples.end() as usize);
        let all = receipt.batch as usize;
        ensure!(
            (1..=last).contains(&first) && last <= all,
            "--samples {first}..{last}: the proof is of the samples 1 to {all}"
        );
        let (Tensor::Public(input), Tensor::Public(output)) = (&receipt.input, &receipt.output)
        else {
            bail!("--samples: the proof states a commitment, which is to all samples together")
        };
        let cut = |length: usize| (first - 1) * (length / all)..last * (length / all);
        Ok(Receipt {
            batch: (last - first + 1) as u32,
            input: Tensor::Public(input[cut(input.len())].to_vec()),
            output: Tensor::Public(output[cut(output.len())].to_vec()),
            ..receipt.clone()
        })
    }

    fn same_input(&self, path: &Path, model: &Model, receipt: &Receipt) -> Result<bool> {
        let samples = npy::read_samples(path, model)?;
        let input = model.quantise(&samples.values)?;
        Ok(samples.batch == receipt.batch as usize && receipt.input.is_of(&input))
    }
}

/// Reads `FIRST..LAST`.
fn parse_range(text: &str) -> Result<RangeInclusive<u32>, String> {
    let bounds = text.split_once("..").and_then(|(first, last)| {
        let (first, last) = (first.parse().ok()?, last.parse().ok()?);
        Some(first..=last)
    });
    bounds.ok_or_else(|| "expected two numbers, as in 3..4".into())
}

fn refused(faults: &[String]) -> Report {
    Report::no(
        format!("The proof does not hold: {}.", faults.join("; ")),
        json!({ "valid": false, "faults": faults }),
    )
}
