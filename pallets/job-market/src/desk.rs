//! What other pallets see of results that a proof has shown to be right.

use crate::{impls::signed, *};
use ciro_primitives::{input_commitment, output_hash, JobId, MAX_BATCH};
use ciro_zkml_verifier::{Statement, Tensor};
use frame_support::{ensure, weights::Weight};
use pallet_model_registry::ModelDirectory;
use sp_core::H256;
use sp_runtime::DispatchError;

impl<T: Config> ResultDesk for Pallet<T> {
    fn proven(job: JobId) -> Option<ProvenResult> {
        let record = Jobs::<T>::get(job)?;
        let is_paid = matches!(record.state, JobState::Paid { .. });
        let by_proof = match record.verification {
            Verification::ZkMl => true,
            Verification::None => Proven::<T>::contains_key(job),
            Verification::Redundant(_) => false,
        };
        let output = Results::<T>::get(job).filter(|_| is_paid && by_proof)?;
        Some(record.result(output_hash(record.batch, &output).into()))
    }

    fn prove(binding: &[u8], run: &Run) -> Result<ProvenResult, DispatchError> {
        let Run {
            model,
            batch,
            input,
            output,
            proof,
        } = run;
        let info = T::Models::model(model).ok_or(Error::<T>::UnknownModel)?;
        let (key, batch) = (info.key, *batch);
        ensure!(
            (1..=MAX_BATCH.min(key.max_batch())).contains(&batch),
            Error::<T>::InvalidBatch
        );
        let inputs = batch.saturating_mul(key.inputs());
        ensure!(input.len() == inputs as usize, Error::<T>::WrongInputLength);
        let outputs = batch.saturating_mul(key.outputs());
        ensure!(
            output.len() == outputs as usize,
            Error::<T>::WrongOutputLength
        );
        let input = signed(input);
        let statement = Statement {
            binding,
            batch,
            input: Tensor::Public(&input),
            output: Tensor::Public(output),
        };
        T::Verifier::verify(&key, &statement, proof).map_err(|_| Error::<T>::InvalidProof)?;
        Ok(ProvenResult {
            model: *model,
            input_commitment: H256(input_commitment(batch, &input)),
            output_hash: H256(output_hash(batch, output)),
        })
    }

    // Deciding a dispute does as much, and pays on top.
    fn prove_weight(proof: u32, input: u32, output: u32) -> Weight {
        T::WeightInfo::submit_proof(proof, input, output)
    }
}

impl<T: Config> Pallet<T> {
    /// Tells of a job that was paid for a proof, and remembers it where the job's level does not say so.
    pub(crate) fn note_proven(id: JobId, job: &JobOf<T>, output_hash: H256) {
        if job.verification == Verification::None {
            Proven::<T>::insert(id, ());
        }
        T::OnProven::on_proven(id, &job.result(output_hash));
    }
}

impl<A, B, N> Job<A, B, N> {
    /// What the job comes to with an output of this hash.
    fn result(&self, output_hash: H256) -> ProvenResult {
        ProvenResult {
            model: self.model,
            input_commitment: self.input_commitment,
            output_hash,
        }
    }
}
