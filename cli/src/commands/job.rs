//! `ciro job`.

use super::{
    hex, parse_account, read_model, read_proof, settle, submit::Submit, write, Node, Sender,
};
use crate::{
    npy,
    output::{fields, table, Output, Report},
};
use anyhow::{bail, ensure, Context, Result};
use ciro_client::{
    account, calls,
    events::{Event, JobMarket},
    types::{Job as ChainJob, JobState},
    AccountId, Amount, Client, Keypair,
};
use ciro_primitives::{input_commitment, JobBinding, JobId};
use ciro_zkml_prover::Prover;
use ciro_zkml_verifier::{Receipt, Tensor};
use clap::{Args, Subcommand};
use serde_json::{json, Value};
use std::{path::PathBuf, time::Duration};

/// Commands about jobs.
#[derive(Subcommand)]
pub enum Job {
    /// Ask for a run: the price is held until a proof is accepted, the job is cancelled, or it expires.
    Submit(Submit),
    /// Where a job stands.
    Status {
        /// The job.
        id: JobId,
        #[command(flatten)]
        node: Node,
    },
    /// Wait until a job is settled; exit code 0 only if it was paid.
    Wait {
        /// The job.
        id: JobId,
        /// Give up after so long; without it, wait until the job's deadline.
        #[arg(long, value_name = "SECONDS")]
        timeout: Option<u64>,
        #[command(flatten)]
        node: Node,
    },
    /// List jobs.
    List {
        /// Only those of this requester or worker.
        #[arg(long, value_parser = parse_account, value_name = "ADDRESS")]
        account: Option<AccountId>,
        /// Only those in this state.
        #[arg(long, value_parser = JobState::NAMES)]
        state: Option<String>,
        #[command(flatten)]
        node: Node,
    },
    /// Write the outputs of a paid job.
    Result {
        /// The job.
        id: JobId,
        /// The model (.ciro), which gives the outputs their scale or labels.
        #[arg(long, value_name = "M.ciro")]
        model: PathBuf,
        /// Where the outputs go (.npy).
        #[arg(short = 'o', long = "output", value_name = "Y.npy")]
        output: PathBuf,
        #[command(flatten)]
        node: Node,
    },
    /// Write the proof of a paid job, as the chain took it; `ciro verify` checks it.
    Proof {
        /// The job.
        id: JobId,
        /// Where the proof goes.
        #[arg(short = 'o', long = "proof", value_name = "P.proof")]
        proof: PathBuf,
        #[command(flatten)]
        node: Node,
    },
    /// Take back a job that nobody has claimed; the price is released.
    Cancel(One),
    /// Settle a job whose deadline has passed: the price goes back to the requester. Anybody may.
    Expire(One),
    /// Remove a settled job and its result; the storage deposit is released.
    Remove(One),
    /// Claim a job, or a seat of a redundant one, as a worker: collateral is set aside of the own stake.
    Claim(One),
    /// Take a job over from a worker who is late.
    Rescue(One),
    /// Give a claimed job back, for a small part of the collateral.
    Release(One),
    /// Say that an answer without a proof is wrong; a fee is held until that is decided.
    Dispute(One),
    /// Settle a job whose time has come: an undisputed answer, a dispute without a proof, or a vote. Anybody may.
    Finalise(One),
    /// Rate what was paid, once.
    Rate {
        /// The job.
        id: JobId,
        /// 1, the worst, to 5, the best.
        #[arg(value_parser = clap::value_parser!(u8).range(1..=5))]
        stars: u8,
        #[command(flatten)]
        sender: Sender,
    },
    /// Answer a claimed job with a proof of `ciro prove --job`; exit code 0 only if the chain accepts it.
    SubmitResult(SubmitResult),
}

/// A job and who acts on it.
#[derive(Args)]
pub struct One {
    /// The job.
    id: JobId,
    #[command(flatten)]
    sender: Sender,
}

/// Arguments of `ciro job submit-result`.
#[derive(Args)]
pub struct SubmitResult {
    /// The job.
    id: JobId,
    /// The proof.
    proof: PathBuf,
    /// Account that is paid; the one that the proof names if it is left out.
    #[arg(long, value_parser = parse_account, value_name = "ADDRESS")]
    payee: Option<AccountId>,
    /// Send it as it is. A proof that the chain refuses costs half of the collateral: without this, what can be
    /// checked here is checked first.
    #[arg(long)]
    unchecked: bool,
    #[command(flatten)]
    sender: Sender,
}

impl Job {
    /// Does it.
    pub async fn execute(self, output: Output) -> Result<Report> {
        match self {
            Self::Submit(submit) => submit.execute(output).await,
            Self::Status { id, node } => status(id, &node).await,
            Self::Wait { id, timeout, node } => {
                let step = output.progress("connecting");
                let client = node.connect().await?;
                let timeout = timeout.map(Duration::from_secs);
                Ok(settle::wait(&client, id, timeout, &step).await?.report(id))
            }
            Self::List {
                account,
                state,
                node,
            } => list(account, state, &node).await,
            Self::Result {
                id,
                model,
                output: path,
                node,
            } => result(id, &model, path, &node).await,
            Self::Proof { id, proof, node } => proof_of(id, proof, &node).await,
            Self::Cancel(one) => act(one, output, "cancelled", calls::cancel_job).await,
            Self::Expire(one) => act(one, output, "expired", calls::expire_job).await,
            Self::Remove(one) => act(one, output, "removed", calls::remove_job).await,
            Self::Claim(one) => act(one, output, "claimed", calls::claim_job).await,
            Self::Release(one) => act(one, output, "released", calls::release_job).await,
            Self::Rescue(one) => act(one, output, "taken over", calls::rescue).await,
            Self::Dispute(one) => act(one, output, "disputed", calls::dispute).await,
            Self::Finalise(one) => act(one, output, "settled", calls::finalise).await,
            Self::Rate { id, stars, sender } => {
                let call = |id| calls::rate(id, stars);
                act(One { id, sender }, output, "rated", call).await
            }
            Self::SubmitResult(submit) => submit.execute(output).await,
        }
    }
}

async fn act<Arguments: calls::EncodeAsFields>(
    One { id, sender }: One,
    output: Output,
    done: &str,
    call: impl Fn(JobId) -> calls::Call<Arguments>,
) -> Result<Report> {
    let included = sender.send(&call(id), output).await?;
    Ok(Report::yes(
        format!("job {id} {done}"),
        json!({ "job": id, "done": done, "block": hex(&included.block.0) }),
    ))
}

async fn status(id: JobId, node: &Node) -> Result<Report> {
    let state = node.connect().await?.finalised().await?;
    let job = existing(state.job(id).await?, id)?;
    let mut rows = vec![
        ("job", id.to_string()),
        ("state", job.state.name().to_owned()),
        ("requester", job.requester.to_string()),
        ("model", job.model().to_string()),
        ("samples", job.batch.to_string()),
        ("input", hex(&job.input_commitment)),
        (
            "locator",
            String::from_utf8_lossy(&job.locator).into_owned(),
        ),
        ("price", price(&job)),
        ("trust", job.verification.to_string()),
        ("priority", job.priority.name().to_owned()),
        (
            "deadline",
            format!("block {}, now at {}", job.deadline, state.number()),
        ),
    ];
    rows.extend(
        settle::facts(&job.state)
            .into_iter()
            .map(|(name, value)| (name, plain(&value))),
    );
    Ok(Report::yes(fields(&rows), settle::describe(id, &job)))
}

async fn list(account: Option<AccountId>, name: Option<String>, node: &Node) -> Result<Report> {
    let state = node.connect().await?.finalised().await?;
    let jobs: Vec<(JobId, ChainJob)> = state
        .jobs()
        .await?
        .into_iter()
        .filter(|(_, job)| account.is_none_or(|account| concerns(job, &account)))
        .filter(|(_, job)| name.as_deref().is_none_or(|name| name == job.state.name()))
        .collect();
    let head = ["job", "state", "samples", "price", "deadline", "model"];
    let mut rows = vec![head.map(String::from).to_vec()];
    rows.extend(jobs.iter().map(|(id, job)| {
        vec![
            id.to_string(),
            job.state.name().to_owned(),
            job.batch.to_string(),
            Amount(job.price.ceiling).to_string(),
            job.deadline.to_string(),
            job.model().to_string(),
        ]
    }));
    let text = if jobs.is_empty() {
        "no jobs".into()
    } else {
        table(&rows)
    };
    let described: Vec<Value> = jobs
        .iter()
        .map(|(id, job)| settle::describe(*id, job))
        .collect();
    Ok(Report::yes(
        text,
        json!({ "block": state.number(), "jobs": described }),
    ))
}

fn concerns(job: &ChainJob, account: &AccountId) -> bool {
    job.requester == *account || job.state.workers().contains(account)
}

/// What a job pays, for people.
fn price(job: &ChainJob) -> String {
    let (floor, ceiling) = (Amount(job.price.floor), Amount(job.price.ceiling));
    if floor == ceiling {
        format!("{floor} CIRO")
    } else {
        format!("{floor} to {ceiling} CIRO, over {} blocks", job.price.ramp)
    }
}

/// A value as people read it.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

async fn result(id: JobId, model: &std::path::Path, path: PathBuf, node: &Node) -> Result<Report> {
    let name = model.display();
    let model = read_model(model)?;
    let state = node.connect().await?.finalised().await?;
    let job = existing(state.job(id).await?, id)?;
    if !matches!(job.state, JobState::Paid { .. }) {
        return Ok(Report::no(
            format!("job {id} has no result: it is {}", job.state.name()),
            settle::describe(id, &job),
        ));
    }
    let ours = Prover::new(&model)?.key().id();
    ensure!(
        ours == job.model,
        "job {id} ran the model {}, which is not {name}",
        job.model()
    );
    let values = state
        .result(id)
        .await?
        .with_context(|| format!("the chain stores no result of job {id} although it is paid"))?;
    ensure!(
        values.len() == job.batch as usize * model.outputs(),
        "the result of job {id} has {} values, which is not what the model gives",
        values.len()
    );
    write(&path, &npy::encode_outputs(&model, &values)?)?;
    Ok(Report::yes(
        format!(
            "outputs of job {id}, {} samples, in {}",
            job.batch,
            path.display()
        ),
        json!({ "job": id, "samples": job.batch, "output": path }),
    ))
}

async fn proof_of(id: JobId, path: PathBuf, node: &Node) -> Result<Report> {
    let client = node.connect().await?;
    let state = client.finalised().await?;
    let job = existing(state.job(id).await?, id)?;
    let JobState::Paid { at, .. } = &job.state else {
        return Ok(Report::no(
            format!("job {id} has no proof: it is {}", job.state.name()),
            settle::describe(id, &job),
        ));
    };
    let at = u64::from(*at);
    let block = state
        .hash_of(at)
        .await?
        .with_context(|| format!("the node does not know block {at}"))?;
    let submitted = client.at(block).await?.submitted_results().await?;
    // A job is not open again after the result that was accepted, so that one is the last.
    let accepted = submitted
        .into_iter()
        .rfind(|result| result.jobs.contains(&id))
        .with_context(|| {
            format!(
                "block {at} holds no proof of job {id}: it was paid without one, or it was submitted inside another \
                 call"
            )
        })?;
    let payee = accepted.payee;
    let binding = accepted.binding(client.genesis().0);
    let result = state.result(id).await?.unwrap_or_default();
    let input = calls::values(&accepted.input);
    let (first, samples) = part_of(&job, &result, &input, &accepted.output)
        .with_context(|| format!("the proof in block {at} is not of the input of job {id}"))?;
    let receipt = Receipt {
        model: job.model,
        binding,
        batch: samples,
        input: Tensor::Public(input),
        output: Tensor::Public(accepted.output),
        proof: accepted.proof,
    };
    write(&path, &receipt.encode_file())?;
    let mut text = format!(
        "proof of job {id}, {} bytes, from block {at} in {}",
        receipt.proof.len(),
        path.display()
    );
    if samples > job.batch {
        text += &format!(
            "\nIt is for {} jobs together. Those of its {samples} samples that are of job {id}: {}..{}",
            accepted.jobs.len(),
            first + 1,
            first + job.batch
        );
    }
    Ok(Report::yes(
        text,
        json!({
            "job": id,
            "proof": path,
            "proof_bytes": receipt.proof.len(),
            "jobs": accepted.jobs,
            "samples": samples,
            "first_sample": first,
            "block": hex(&block.0),
            "number": at,
            "payee": payee.to_string(),
        }),
    ))
}

/// Before how many samples of a proof, of one job or several, those of a job come, and how many they are altogether. Where
/// two jobs have the same input, their outputs are the same too.
fn part_of(job: &ChainJob, result: &[i32], input: &[i8], output: &[i32]) -> Option<(u32, u32)> {
    let batch = job.batch as usize;
    let outputs = result.len().checked_div(batch)?;
    let samples = output.len().checked_div(outputs)?;
    let width = input.len().checked_div(samples)?;
    let is_own = |first: &usize| {
        let part = input.get(first * width..(first + batch) * width);
        part.is_some_and(|part| input_commitment(job.batch, part) == job.input_commitment)
    };
    let first = (0..samples).find(is_own)?;
    Some((first as u32, samples as u32))
}

fn existing(job: Option<ChainJob>, id: JobId) -> Result<ChainJob> {
    job.with_context(|| format!("there is no job {id}: it was removed or never submitted"))
}

impl SubmitResult {
    async fn execute(self, output: Output) -> Result<Report> {
        let receipt = read_proof(&self.proof)?;
        let signer = self.sender.signer.keypair()?;
        let step = output.progress("sending the result");
        let client = self.sender.node.connect().await?;
        let binding = JobBinding::decode(&receipt.binding).ok();
        let payee = match (self.payee, binding) {
            (Some(payee), _) => payee,
            (None, Some(binding)) => AccountId(binding.payee),
            (None, None) => bail!("the proof names no payee: give --payee"),
        };
        if !self.unchecked {
            self.check(&client, &receipt, binding, &payee, &signer)
                .await?;
        }
        let (Tensor::Public(input), Tensor::Public(output)) = (&receipt.input, receipt.output)
        else {
            bail!("the market takes public inputs and outputs: prove again without commitments")
        };
        let input = calls::bytes(input);
        let call = calls::submit_result(self.id, payee, input, output, receipt.proof);
        let included = client.execute(&call, &signer, self.sender.wait()).await?;
        drop(step);
        let block = hex(&included.block.0);
        let refusal = included.events.iter().find_map(|event| match event {
            Event::JobMarket(event @ JobMarket::ResultRefused { cut, .. }) => {
                Some((event.refusal(), *cut))
            }
            _ => None,
        });
        Ok(match refusal {
            Some((reason, cut)) => {
                let reason = reason.unwrap_or_default();
                Report::no(
                    format!(
                        "the chain refused the proof ({reason}) and cut {} CIRO",
                        Amount(cut)
                    ),
                    json!({ "job": self.id, "accepted": false, "reason": reason, "cut": Amount(cut), "block": block }),
                )
            }
            None => Report::yes(
                format!("the proof was accepted: {payee} is paid"),
                json!({ "job": self.id, "accepted": true, "payee": payee.to_string(), "block": block }),
            ),
        })
    }

    /// What the chain would refuse, as far as it shows without the model.
    async fn check(
        &self,
        client: &Client,
        receipt: &Receipt,
        binding: Option<JobBinding>,
        payee: &AccountId,
        signer: &Keypair,
    ) -> Result<()> {
        let id = self.id;
        let job = existing(client.best().await?.job(id).await?, id)?;
        ensure!(
            job.state.is_assigned_to(&account(signer)),
            "job {id} is not claimed by {}",
            account(signer)
        );
        let expected = JobBinding {
            genesis: client.genesis().0,
            job: id,
            payee: payee.0,
        };
        ensure!(
            binding == Some(expected),
            "the proof is bound to another chain, job or payee: prove again with --job {id} --genesis {} --payee {payee}",
            hex(&expected.genesis)
        );
        ensure!(
            receipt.model == job.model,
            "job {id} is of the model {}, not of the proof's",
            job.model()
        );
        ensure!(
            receipt.batch == job.batch
                && receipt.input.public().is_some_and(|input| {
                    input_commitment(receipt.batch, input) == job.input_commitment
                }),
            "the proof's input is not the one that job {id} is about"
        );
        Ok(())
    }
}
