//! Proofs that are made before the load begins.
//!
//! A proof is bound to the chain's genesis, the job and the payee. All three are known beforehand: the genesis of a
//! development chain follows from its runtime, job numbers are given out in order, and the benchmark decides which worker
//! takes which job. So the machine's processors are the nodes' own while the load runs.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use ciro_primitives::{input_commitment, JobBinding, JobId};
use ciro_runtime::{AccountId, Hash};
use ciro_zkml_model::Model;
use ciro_zkml_prover::Prover;
use ciro_zkml_verifier::{Committed, VerifyingKey};
use codec::{Decode, Encode};
use rayon::prelude::*;

/// Proofs that are made at a time, and then kept.
const CHUNK: usize = 256;
/// Proofs whose time is measured on one core; the median counts.
const TIMED: usize = 25;

/// What a worker sends for a job.
#[derive(Encode, Decode)]
pub struct Answer {
    /// Final accumulators, `[samples][outputs]`.
    pub output: Vec<i32>,
    /// The proof.
    pub proof: Vec<u8>,
}

/// The jobs of one load: a model, and so many samples for each job.
pub struct Jobs {
    prover: Prover,
    samples: Vec<i8>,
    batch: usize,
    payees: Vec<AccountId>,
}

impl Jobs {
    /// Jobs of `batch` of the quantised `samples` each (`[samples][inputs]`, at least `batch`), which the payees take in
    /// turn.
    pub fn new(
        model: &Model,
        samples: Vec<i8>,
        batch: usize,
        payees: Vec<AccountId>,
    ) -> Result<Self> {
        Ok(Self {
            prover: Prover::new(model)?,
            samples,
            batch,
            payees,
        })
    }

    /// Under what the proofs hold.
    pub fn key(&self) -> &VerifyingKey {
        self.prover.key()
    }

    /// Samples of a job.
    pub fn batch(&self) -> u32 {
        self.batch as u32
    }

    /// Which of the payees has a job.
    pub fn worker(&self, job: JobId) -> usize {
        job as usize % self.payees.len()
    }

    /// The input of a job: the test set, round and round, one sample on from job to job.
    pub fn input(&self, job: JobId) -> &[i8] {
        let columns = self.prover.model().columns();
        let starts = self.samples.len() / columns - self.batch + 1;
        let start = job as usize % starts * columns;
        &self.samples[start..start + self.batch * columns]
    }

    /// What the requester of a job commits to.
    pub fn commitment(&self, job: JobId) -> [u8; 32] {
        input_commitment(self.batch(), self.input(job))
    }

    fn answer(&self, genesis: Hash, job: JobId) -> Result<Answer> {
        let binding = JobBinding {
            genesis: genesis.0,
            job,
            payee: self.payees[self.worker(job)].clone().into(),
        };
        let (receipt, output) = self.prover.prove_committed(
            &binding.encode(),
            self.input(job),
            Committed::default(),
        )?;
        Ok(Answer {
            output,
            proof: receipt.proof,
        })
    }

    /// Median time of a proof on one core, in milliseconds.
    pub fn milliseconds_on_one_core(&self) -> Result<f64> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
        let mut times = pool.install(|| {
            let timed = |job| {
                let start = Instant::now();
                self.answer(Hash::zero(), job)?;
                Ok(start.elapsed().as_secs_f64() * 1e3)
            };
            (0..TIMED as JobId).map(timed).collect::<Result<Vec<_>>>()
        })?;
        times.sort_by(f64::total_cmp);
        Ok(times[TIMED / 2])
    }

    /// Where the answers for a chain are kept: a name of its own for everything that a proof depends on.
    fn file(&self, folder: &Path, genesis: Hash) -> PathBuf {
        let identity = (
            genesis,
            self.key().id(),
            self.batch(),
            &self.payees,
            self.commitment(0),
        );
        let name = sp_io::hashing::blake2_128(&identity.encode());
        folder.join(format!("{}.answers", hex::encode(name)))
    }

    /// Answers for the first `count` jobs of a chain that were made before; there may be fewer.
    pub fn kept(&self, folder: &Path, genesis: Hash, count: usize) -> Vec<Answer> {
        let bytes = fs::read(self.file(folder, genesis)).unwrap_or_default();
        let mut rest = &bytes[..];
        // A last answer that was not written to its end does not decode.
        std::iter::from_fn(|| Answer::decode(&mut rest).ok())
            .take(count)
            .collect()
    }

    /// Makes the answers that `answers` lacks of `count`, and keeps them all.
    pub fn complete(
        &self,
        folder: &Path,
        genesis: Hash,
        answers: &mut Vec<Answer>,
        count: usize,
    ) -> Result<()> {
        fs::create_dir_all(folder)?;
        let path = self.file(folder, genesis);
        let file =
            File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        let mut file = BufWriter::new(file);
        let kept = answers
            .iter()
            .try_for_each(|answer| save(&mut file, answer));
        kept?;
        while answers.len() < count {
            let jobs = answers.len()..count.min(answers.len() + CHUNK);
            let made: Vec<Answer> = jobs
                .into_par_iter()
                .map(|job| self.answer(genesis, job as JobId))
                .collect::<Result<_>>()?;
            made.iter().try_for_each(|answer| save(&mut file, answer))?;
            answers.extend(made);
            eprint!("\rproved {} of {count} jobs", answers.len());
        }
        eprintln!();
        Ok(file.flush()?)
    }
}

fn save(file: &mut impl Write, answer: &Answer) -> std::io::Result<()> {
    file.write_all(&answer.encode())
}
