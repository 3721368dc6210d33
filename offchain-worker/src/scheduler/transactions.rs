//! What the worker sends: signed once, kept in the journal, sent until it is over.

use super::{proving::jobs_of, Scheduler, CLAIM_PAUSE};
use crate::{
    decision::{Situation, Standing},
    journal::{Answer, Pending, Purpose},
};
use anyhow::Result;
use ciro_client::{calls, Client, Error, SignedTransaction, State, Wait};
use ciro_primitives::{answer_commitment, output_hash, JobId};
use ciro_zkml_verifier::Tensor;
use std::collections::BTreeSet;
use tracing::{debug, info, warn};

impl Scheduler {
    /// Signs a transaction about a job, keeps it, and sends it, unless the best block or the pool knows more.
    pub(super) async fn send(
        &mut self,
        client: &Client,
        state: &State,
        id: JobId,
        purpose: Purpose,
    ) -> Result<()> {
        let best = client.best().await?;
        let ids = self.concerned(id, purpose)?;
        for id in &ids {
            let (then, now) = (self.jobs.get(id), best.job(*id).await?);
            let at = state.number();
            if Standing::of(then, &self.me, at) != Standing::of(now.as_ref(), &self.me, at) {
                debug!(
                    job = id,
                    ?purpose,
                    "not sent: the best block has it elsewhere already"
                );
                return Ok(());
            }
            if self.journal.pending(*id)?.is_some() {
                debug!(
                    job = id,
                    ?purpose,
                    "not sent: another transaction about it is not over"
                );
                return Ok(());
            }
        }
        if matches!(purpose, Purpose::Claim | Purpose::Rescue)
            && state.number() + 2 * CLAIM_PAUSE < best.number()
        {
            debug!(job = id, "not claimed: finality lags behind");
            return Ok(());
        }
        if purpose.answers() && self.unknown_in_flight(client, &best).await? {
            warn!(job = id, "not answered yet: the account has a transaction in flight that the journal does not know");
            return Ok(());
        }
        let Some(transaction) = self.sign(client, state, id, purpose).await? else {
            return Ok(());
        };
        let pending = Pending {
            purpose,
            transaction,
        };
        // Kept before it is sent: after a crash in between it is sent again, the same bytes.
        for id in &ids {
            self.journal.keep_pending(*id, &pending)?;
        }
        info!(
            jobs = ?ids,
            ?purpose,
            nonce = pending.transaction.nonce,
            "sending"
        );
        if let Some(reason) = self.submit(client, id, &pending).await? {
            warn!(
                job = id,
                ?purpose,
                "the pool did not take it, it is tried again: {reason}"
            );
        }
        Ok(())
    }

    /// The jobs that such a transaction is about: those of a joint proof, or the one.
    fn concerned(&self, id: JobId, purpose: Purpose) -> Result<Vec<JobId>> {
        Ok(match self.journal.proof(id)? {
            Some(proof) if purpose == Purpose::Result => jobs_of(&proof),
            _ => vec![id],
        })
    }

    /// Signs what is to be sent; nothing if it is not at hand any more.
    async fn sign(
        &mut self,
        client: &Client,
        state: &State,
        id: JobId,
        purpose: Purpose,
    ) -> Result<Option<SignedTransaction>> {
        let (signer, payee) = (self.settings.signer.clone(), self.settings.payee);
        let signer = &signer;
        Ok(Some(match purpose {
            Purpose::Claim => client.sign(&calls::claim_job(id), signer).await?,
            Purpose::Rescue => client.sign(&calls::rescue(id), signer).await?,
            Purpose::Release => client.sign(&calls::release_job(id), signer).await?,
            Purpose::Expire => client.sign(&calls::expire_job(id), signer).await?,
            Purpose::Finalise => client.sign(&calls::finalise(id), signer).await?,
            Purpose::Result | Purpose::Proof => {
                let Some(proof) = self.proof(id, state.number())? else {
                    return Ok(None);
                };
                let ids = jobs_of(&proof);
                let (Tensor::Public(input), Tensor::Public(output)) = (&proof.input, proof.output)
                else {
                    return Ok(None);
                };
                let (input, proof) = (calls::bytes(input), proof.proof);
                if purpose == Purpose::Proof {
                    let call = calls::submit_proof(id, payee, input, output, proof);
                    client.sign(&call, signer).await?
                } else if ids.len() > 1 {
                    let call = calls::submit_results(ids, payee, input, output, proof);
                    client.sign(&call, signer).await?
                } else {
                    let call = calls::submit_result(id, payee, input, output, proof);
                    client.sign(&call, signer).await?
                }
            }
            Purpose::Answer | Purpose::Commit | Purpose::Reveal => {
                let (Some(answer), Some(job)) = (self.answer(id)?, self.jobs.get(&id)) else {
                    return Ok(None);
                };
                let Answer { output, salt, .. } = answer;
                match purpose {
                    Purpose::Commit => {
                        let hash = output_hash(job.batch, &output);
                        let commitment = answer_commitment(&hash, &salt, &self.me.0);
                        client.sign(&calls::commit(id, commitment), signer).await?
                    }
                    Purpose::Reveal => {
                        let call = calls::reveal(id, output, salt);
                        client.sign(&call, signer).await?
                    }
                    _ => {
                        let call = calls::submit_answer(id, payee, output);
                        client.sign(&call, signer).await?
                    }
                }
            }
        }))
    }

    /// Whether the pool has transactions of the account besides those of the journal.
    async fn unknown_in_flight(&self, client: &Client, best: &State) -> Result<bool> {
        let used = best.nonce(&self.me).await?;
        // The jobs of a joint proof have one transaction.
        let mut known = BTreeSet::new();
        for id in self.journal.jobs()? {
            let pending = self.journal.pending(id)?;
            known.extend(pending.map(|pending| pending.transaction.nonce));
        }
        let known = known.range(used..).count() as u64;
        Ok(client.next_nonce(&self.me).await? > used + known)
    }

    /// Sends again what is under way, but none twice: `resent` holds the nonces.
    pub(super) async fn resend(
        &self,
        client: &Client,
        id: JobId,
        situation: Situation,
        resent: &mut BTreeSet<u64>,
    ) -> Result<()> {
        if let (Some(_), Some(pending)) = (situation.pending, self.journal.pending(id)?) {
            if !resent.insert(pending.transaction.nonce) {
                return Ok(());
            }
            if let Some(reason) = self.submit(client, id, &pending).await? {
                debug!(job = id, purpose = ?pending.purpose, "not sent again: {reason}");
            }
        }
        Ok(())
    }

    /// Hands a transaction to the pool, and logs what becomes of it; gives the reason if the pool does not take it.
    /// Decisions do not hang on either: they wait for finalised blocks.
    async fn submit(
        &self,
        client: &Client,
        id: JobId,
        pending: &Pending,
    ) -> Result<Option<String>> {
        let purpose = pending.purpose;
        match client.submit(&pending.transaction).await {
            Ok(progress) => {
                tokio::spawn(async move {
                    match progress.wait(Wait::Finalised).await {
                        Ok(included) => {
                            info!(job = id, ?purpose, block = ?included.block, "finalised")
                        }
                        Err(problem @ Error::Dispatch { .. }) => {
                            warn!(job = id, ?purpose, "the call failed: {problem}")
                        }
                        Err(problem) => debug!(
                            job = id,
                            ?purpose,
                            "lost sight of the transaction: {problem}"
                        ),
                    }
                });
                Ok(None)
            }
            Err(Error::Rejected(reason)) => Ok(Some(reason)),
            Err(problem) => Err(problem.into()),
        }
    }
}
