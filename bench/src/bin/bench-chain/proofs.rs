//! Proofs that are made before the load begins.
//!
//! A proof is bound to the chain's genesis, the job or jobs, and the payee. All of these are known beforehand: the genesis of a
//! development chain follows from its runtime, job numbers are given out in order, and the benchmark decides which worker
//! takes which job. So the machine's processors are the nodes' own while the load runs.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use ciro_primitives::{input_commitment, JobBinding, JobId, JobsBinding};
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

/// What a worker sends for the jobs of a proof.
#[derive(Encode, Decode)]
pub struct Answer {
    /// Final accumulators, `[jobs][outputs]`.
    pub output: Vec<i32>,
    /// The proof.
    pub proof: Vec<u8>,
}

/// The jobs of one load: each of one sample, and so many of them proved together.
pub struct Jobs {
    prover: Prover,
    samples: Vec<i8>,
    together: usize,
    payees: Vec<AccountId>,
}

impl Jobs {
    /// Jobs of one of the quantised `samples` each (`[samples][inputs]`), round and round. The payees take the jobs of a
    /// proof in turn.
    pub fn new(
        model: &Model,
        samples: Vec<i8>,
        together: usize,
        payees: Vec<AccountId>,
    ) -> Result<Self> {
        Ok(Self {
            prover: Prover::new(model)?,
            samples,
            together,
            payees,
        })
    }

    /// Under what the proofs hold.
    pub fn key(&self) -> &VerifyingKey {
        self.prover.key()
    }

    /// Jobs of a proof.
    pub fn together(&self) -> usize {
        self.together
    }

    /// The jobs of the nth proof.
    pub fn of_proof(&self, nth: usize) -> Range<JobId> {
        let first = (nth * self.together) as JobId;
        first..first + self.together as JobId
    }

    /// Which of the payees has the jobs of the nth proof.
    pub fn worker(&self, nth: usize) -> usize {
        nth % self.payees.len()
    }

    /// The input of a job.
    fn sample(&self, job: JobId) -> &[i8] {
        let columns = self.prover.model().columns();
        let samples = self.samples.len() / columns;
        let start = job as usize % samples * columns;
        &self.samples[start..start + columns]
    }

    /// The input of the nth proof: those of its jobs.
    pub fn input(&self, nth: usize) -> Vec<i8> {
        self.of_proof(nth)
            .flat_map(|job| self.sample(job).iter().copied())
            .collect()
    }

    /// What the requester of a job commits to.
    pub fn commitment(&self, job: JobId) -> [u8; 32] {
        input_commitment(1, self.sample(job))
    }

    /// What the nth proof is bound to: a single job as `submit_result` has it, several as `submit_results`.
    fn binding(&self, genesis: Hash, nth: usize) -> Vec<u8> {
        let genesis = genesis.0;
        let payee = self.payees[self.worker(nth)].clone().into();
        let jobs = self.of_proof(nth);
        if self.together == 1 {
            let job = jobs.start;
            return JobBinding {
                genesis,
                job,
                payee,
            }
            .encode();
        }
        let jobs = jobs.collect();
        JobsBinding {
            genesis,
            jobs,
            payee,
        }
        .encode()
    }

    fn answer(&self, genesis: Hash, nth: usize) -> Result<Answer> {
        let binding = self.binding(genesis, nth);
        let (receipt, output) =
            self.prover
                .prove_committed(&binding, &self.input(nth), Committed::default())?;
        Ok(Answer {
            output,
            proof: receipt.proof,
        })
    }

    /// Median time of a proof on one core, in milliseconds.
    pub fn milliseconds_on_one_core(&self) -> Result<f64> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
        let mut times = pool.install(|| {
            let timed = |nth| {
                let start = Instant::now();
                self.answer(Hash::zero(), nth)?;
                Ok(start.elapsed().as_secs_f64() * 1e3)
            };
            (0..TIMED).map(timed).collect::<Result<Vec<_>>>()
        })?;
        times.sort_by(f64::total_cmp);
        Ok(times[TIMED / 2])
    }

    /// Where the answers for a chain are kept: a name of its own for everything that a proof depends on.
    fn file(&self, folder: &Path, genesis: Hash) -> PathBuf {
        let identity = (
            genesis,
            self.key().id(),
            self.together as u32,
            &self.payees,
            self.commitment(0),
        );
        let name = sp_io::hashing::blake2_128(&identity.encode());
        folder.join(format!("{}.answers", hex::encode(name)))
    }

    /// The first `count` answers for a chain that were made before; there may be fewer.
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
            let next = answers.len()..count.min(answers.len() + CHUNK);
            let made: Vec<Answer> = next
                .into_par_iter()
                .map(|nth| self.answer(genesis, nth))
                .collect::<Result<_>>()?;
            made.iter().try_for_each(|answer| save(&mut file, answer))?;
            answers.extend(made);
            eprint!("\r{} of {count} proofs", answers.len());
        }
        eprintln!();
        Ok(file.flush()?)
    }
}

fn save(file: &mut impl Write, answer: &Answer) -> std::io::Result<()> {
    file.write_all(&answer.encode())
}
