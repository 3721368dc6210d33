//! Results with a proof: of one job, or of several by one proof.

use crate::{impls::signed, state::Action, *};
use alloc::{collections::BTreeSet, vec::Vec};
use ciro_primitives::{input_commitment, JobBinding, JobId, JobsBinding};
use ciro_zkml_verifier::{Statement, Tensor};
use frame_support::{
    dispatch::DispatchResultWithPostInfo,
    ensure,
    pallet_prelude::{DispatchResult, Pays},
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::traits::Zero;

impl<T: Config> Pallet<T> {
    /// What a proof for this job and payee must be bound to.
    pub fn binding(job: JobId, payee: T::AccountId) -> Vec<u8> {
        let binding = JobBinding {
            genesis: Self::genesis(),
            job,
            payee: payee.into(),
        };
        binding.encode()
    }

    /// What a proof for these jobs, in this order, and payee must be bound to.
    pub fn joint_binding(jobs: &[JobId], payee: T::AccountId) -> Vec<u8> {
        let binding = JobsBinding {
            genesis: Self::genesis(),
            jobs: jobs.to_vec(),
            payee: payee.into(),
        };
        binding.encode()
    }

    /// The genesis block's hash: the one block hash that is never pruned.
    fn genesis() -> [u8; 32] {
        frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero()).into()
    }

    /// Settles claimed jobs by one proof: all are paid if it holds, or else all are free again.
    pub(crate) fn settle_by_proof(
        ids: &[JobId],
        binding: &[u8],
        worker: T::AccountId,
        payee: T::AccountId,
        input: &Input,
        output: &Output,
        proof: &Proof,
    ) -> DispatchResultWithPostInfo {
        let jobs = Self::assigned(ids, &worker)?;
        match Self::verify(&jobs, binding, input, output, proof)? {
            Ok(()) => {
                Self::accept(ids, &jobs, worker, payee, output)?;
                Ok(Pays::No.into())
            }
            Err(reason) => {
                Self::refuse(ids, &jobs, worker, reason)?;
                Ok(Pays::Yes.into())
            }
        }
    }

    /// The jobs of these numbers, if a result of `worker` is taken for each.
    pub(crate) fn assigned(
        ids: &[JobId],
        worker: &T::AccountId,
    ) -> Result<Vec<JobOf<T>>, Error<T>> {
        let distinct: BTreeSet<_> = ids.iter().collect();
        ensure!(distinct.len() == ids.len(), Error::<T>::DuplicateJob);
        let now = Self::now();
        ids.iter()
            .map(|id| {
                let job = Self::get(*id)?;
                job.claim_of(worker, now).map_err(Self::error)?;
                Ok(job)
            })
            .collect()
    }

    /// Stores the output of each job, and pays for it.
    pub(crate) fn accept(
        ids: &[JobId],
        jobs: &[JobOf<T>],
        worker: T::AccountId,
        payee: T::AccountId,
        output: &Output,
    ) -> DispatchResult {
        for (id, part) in ids.iter().zip(parts::<T, _>(jobs, output)) {
            Results::<T>::insert(id, Output::truncate_from(part.to_vec()));
            let accept = Action::Accept {
                worker: worker.clone(),
                payee: payee.clone(),
            };
            Self::advance(*id, accept)?;
        }
        Ok(())
    }

    /// Burns the cut of each job's collateral. A proof is one claim, however many jobs it is for, so one case is opened:
    /// the stake answers for it from the first of the jobs' claims on.
    fn refuse(
        ids: &[JobId],
        jobs: &[JobOf<T>],
        worker: T::AccountId,
        reason: RefusalReason,
    ) -> DispatchResult {
        let since = |job: &JobOf<T>| match &job.state {
            JobState::Assigned(claim) => Some(claim.since),
            _ => None,
        };
        let numbered = ids.iter().zip(jobs);
        let first = numbered.min_by_key(|(_, job)| since(job));
        let first = first.map(|(id, _)| *id);
        for job in ids.iter().copied() {
            let refuse = Action::Refuse {
                worker: worker.clone(),
                accuse: first == Some(job),
            };
            let cut = Self::advance(job, refuse)?.cut;
            Self::deposit_event(Event::ResultRefused {
                job,
                worker: worker.clone(),
                reason,
                cut,
            });
        }
        Ok(())
    }

    /// The job, if a proof that would decide a dispute about it is taken.
    pub(crate) fn disputed(id: JobId) -> Result<JobOf<T>, Error<T>> {
        let job = Self::get(id)?;
        job.takes_proof(Self::now()).map_err(Self::error)?;
        Ok(job)
    }

    /// Whether `proof` proves that `output` is what the jobs' model gives for their inputs, one after the other.
    ///
    /// Whether the statement is one about the jobs is checked first: that is cheap, and nobody's offence.
    pub(crate) fn verify(
        jobs: &[JobOf<T>],
        binding: &[u8],
        input: &Input,
        output: &Output,
        proof: &Proof,
    ) -> Result<Result<(), RefusalReason>, Error<T>> {
        let first = jobs.first().ok_or(Error::<T>::InvalidBatch)?;
        let same = jobs.iter().all(|job| job.model == first.model);
        ensure!(same, Error::<T>::DifferentModels);
        let key = Self::key(first)?;
        let batch = samples::<T>(jobs);
        ensure!(batch <= key.max_batch(), Error::<T>::InvalidBatch);
        let inputs = batch.saturating_mul(key.inputs());
        ensure!(input.len() == inputs as usize, Error::<T>::WrongInputLength);
        Self::check_output(batch, &key, output)?;
        let input = signed(input);
        for (job, part) in jobs.iter().zip(parts::<T, _>(jobs, &input)) {
            ensure!(
                input_commitment(job.batch, part) == job.input_commitment.0,
                Error::<T>::InputMismatch
            );
        }
        let statement = Statement {
            binding,
            batch,
            input: Tensor::Public(&input),
            output: Tensor::Public(output),
        };
        Ok(T::Verifier::verify(&key, &statement, proof))
    }
}

/// Samples of all jobs.
fn samples<T: Config>(jobs: &[JobOf<T>]) -> u32 {
    let batches = jobs.iter().map(|job| job.batch);
    batches.fold(0, u32::saturating_add)
}

/// Cuts the values of all jobs' samples into those of each job.
fn parts<'a, T: Config, V>(
    jobs: &'a [JobOf<T>],
    values: &'a [V],
) -> impl Iterator<Item = &'a [V]> + 'a {
    let each = values.len().checked_div(samples::<T>(jobs) as usize);
    let each = each.unwrap_or_default();
    let mut rest = values;
    jobs.iter().map(move |job| {
        let length = each.saturating_mul(job.batch as usize);
        let (part, later) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        rest = later;
        part
    })
}
