//! Which jobs are proved together, and what becomes of their proofs.
//!
//! Each job of a joint proof has a copy of it in the journal, and one of its transaction, so that each goes its own way if
//! the chain does not take them together.

use super::{Finished, Scheduler};
use crate::{
    decision::Standing,
    executor::{Failure, Served},
    journal::Purpose,
};
use anyhow::Result;
use ciro_client::types::Job;
use ciro_primitives::{input_commitment, JobBinding, JobId, JobsBinding};
use ciro_zkml_verifier::Receipt;
use std::time::Duration;
use tracing::{info, warn};

impl Scheduler {
    /// Starts the next proof, unless one is being made: of the job that has waited longest, and with it of all jobs of
    /// its model that are ready too, as far as a proof holds them.
    pub(super) fn prove_next(&mut self, now: u64) -> Result<()> {
        while !self.proving {
            let Some(first) = self.queue.pop_front() else {
                break;
            };
            let standing = Standing::of(self.jobs.get(&first), &self.me, now);
            let input = self.inputs.contains_key(&first);
            if !input || !matches!(standing, Standing::Mine | Standing::Accused) {
                // It has gone elsewhere meanwhile; or it is begun anew.
                self.working.remove(&first);
                continue;
            }
            let Some((job, model)) = self.served(first) else {
                self.working.remove(&first);
                self.journal.shun(first, "its model is not served")?;
                continue;
            };
            let ids = self.batch(first, &job, &model, now);
            self.queue.retain(|id| !ids.contains(id));
            info!(jobs = ?ids, "proving");
            self.proving = true;
            let inputs = ids.iter().filter_map(|id| self.inputs.get(id));
            let input: Vec<i8> = inputs.flatten().copied().collect();
            let binding = self.binding(&ids);
            let (executor, finished) = (self.executor.clone(), self.finished.0.clone());
            tokio::spawn(async move {
                let proved = executor.execute(model, binding, input).await;
                let _ = finished.send(Finished::Proved(ids, proved));
            });
        }
        Ok(())
    }

    /// The jobs of the next proof.
    fn batch(&self, first: JobId, job: &Job, model: &Served, now: u64) -> Vec<JobId> {
        let mut ids = vec![first];
        let mut samples = job.batch;
        if !self.joins(first, job, now) {
            return ids;
        }
        for id in &self.queue {
            let Some(other) = self.jobs.get(id) else {
                continue;
            };
            let sum = samples + other.batch;
            if other.model == job.model
                && self.joins(*id, other, now)
                && sum <= self.settings.batch
                && model.fits(sum)
            {
                samples = sum;
                ids.push(*id);
            }
        }
        ids
    }

    /// Whether a job that waits for its proof may be proved with others.
    fn joins(&self, id: JobId, job: &Job, now: u64) -> bool {
        job.state.is_assigned_to(&self.me)
            && now <= u64::from(job.deadline)
            && self.inputs.contains_key(&id)
            && !self.alone.contains(&id)
    }

    /// Takes over a proof that was made, or else has its jobs proved one by one: one of their inputs may be at fault.
    pub(super) fn finish_proof(
        &mut self,
        ids: Vec<JobId>,
        proved: Result<(Receipt, Duration), Failure>,
    ) -> Result<()> {
        self.proving = false;
        match (proved, &ids[..]) {
            (Ok((proof, took)), _) => {
                self.metrics.proved(took);
                for id in ids {
                    self.journal.keep_proof(id, &proof)?;
                    self.inputs.remove(&id);
                    self.working.remove(&id);
                }
            }
            (Err(failure), [id]) => self.give_up(*id, &failure)?,
            (Err(failure), _) => {
                warn!(jobs = ?ids, "proving them one by one: {failure}");
                for id in ids.into_iter().rev() {
                    self.alone.insert(id);
                    self.queue.push_front(id);
                }
            }
        }
        Ok(())
    }

    /// A kept proof, if it answers the job, and all others that it is for, as they are on this chain now.
    pub(super) fn proof(&mut self, id: JobId, now: u64) -> Result<Option<Receipt>> {
        let Some(proof) = self.journal.proof(id)? else {
            return Ok(None);
        };
        if !self.jobs.contains_key(&id) {
            return Ok(None);
        }
        if !self.answers(id, &proof, now) {
            warn!(
                job = id,
                "the kept proof does not answer the job any more: it is dropped"
            );
            self.drop_proof(id, &proof)?;
            return Ok(None);
        }
        Ok(Some(proof))
    }

    fn answers(&self, id: JobId, proof: &Receipt, now: u64) -> bool {
        let ids = jobs_of(proof);
        let jobs: Option<Vec<&Job>> = ids.iter().map(|id| self.jobs.get(id)).collect();
        let (Some(jobs), Some(input)) = (jobs, proof.input.public()) else {
            return false;
        };
        let samples: u32 = jobs.iter().map(|job| job.batch).sum();
        let mut rest = &input[..];
        let mut is_next = |job: &Job| {
            let length = input.len() / samples.max(1) as usize * job.batch as usize;
            let (part, later) = rest.split_at(length.min(rest.len()));
            rest = later;
            input_commitment(job.batch, part) == job.input_commitment
        };
        let taken =
            |job: &&Job| job.state.is_assigned_to(&self.me) && now <= u64::from(job.deadline);
        ids.contains(&id)
            && proof.binding == self.binding(&ids)
            && proof.batch == samples
            && !proof.output.is_committed()
            && jobs
                .iter()
                .all(|job| job.model == proof.model && is_next(job))
            && (ids.len() == 1 || jobs.iter().all(taken))
    }

    /// Drops a proof, and keeps the job's input out of it.
    fn drop_proof(&mut self, id: JobId, proof: &Receipt) -> Result<()> {
        if let Some(input) = self.jobs.get(&id).and_then(|job| input_of(job, proof)) {
            self.inputs.insert(id, input);
        }
        self.journal.drop_proof(id)
    }

    /// Has a job proved by itself, if the chain did not take it together with others.
    pub(super) fn part(&mut self, id: JobId) -> Result<()> {
        match self.journal.proof(id)? {
            Some(proof) if jobs_of(&proof).len() > 1 => {
                self.alone.insert(id);
                self.drop_proof(id, &proof)
            }
            _ => Ok(()),
        }
    }

    /// Completes what was cut short when the worker was killed: all jobs of a proof have it, and its transaction.
    pub(super) fn complete_journal(&self) -> Result<()> {
        for id in self.journal.jobs()? {
            let Some(proof) = self.journal.proof(id)? else {
                continue;
            };
            let pending = self.journal.pending(id)?;
            let pending = pending.filter(|pending| pending.purpose == Purpose::Result);
            for other in jobs_of(&proof) {
                if self.journal.proof(other)?.is_none() {
                    self.journal.keep_proof(other, &proof)?;
                }
                if let (Some(pending), None) = (&pending, self.journal.pending(other)?) {
                    self.journal.keep_pending(other, pending)?;
                }
            }
        }
        Ok(())
    }

    /// What a proof of these jobs is bound to.
    fn binding(&self, ids: &[JobId]) -> Vec<u8> {
        let (genesis, payee) = (self.genesis, self.settings.payee.0);
        match *ids {
            [job] => JobBinding {
                genesis,
                job,
                payee,
            }
            .encode(),
            _ => JobsBinding {
                genesis,
                jobs: ids.to_vec(),
                payee,
            }
            .encode(),
        }
    }
}

/// The jobs that a proof is bound to, in its order.
pub(super) fn jobs_of(proof: &Receipt) -> Vec<JobId> {
    let binding = JobsBinding::decode_any(&proof.binding);
    binding.map(|binding| binding.jobs).unwrap_or_default()
}

/// A job's input, out of those that a proof is of.
fn input_of(job: &Job, proof: &Receipt) -> Option<Vec<i8>> {
    let input = proof.input.public()?;
    let sample = input.len().checked_div(proof.batch as usize)?;
    let parts = input.windows(sample * job.batch as usize);
    let mut parts = parts.step_by(sample.max(1));
    let own = parts.find(|part| input_commitment(job.batch, part) == job.input_commitment)?;
    Some(own.to_vec())
}
