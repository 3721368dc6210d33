//! Waiting for a job to be settled.

use crate::output::{Report, Step};
use anyhow::{Context, Result};
use ciro_client::{
    types::{Claim, Job, JobState, Seat, Vote},
    AccountId, Amount, Client,
};
use ciro_primitives::JobId;
use serde_json::{json, Map, Value};
use std::time::Duration;

use super::hex;

/// How a wait ended.
pub enum Ending {
    /// The job is paid, cancelled, expired or failed.
    Settled(Job),
    /// Its deadline passed and nobody has said so on chain.
    Overdue(Job),
    /// It is not stored: it was removed, or never was.
    Gone,
    /// The patience ran out.
    TimedOut,
}

/// Follows a job through finalised blocks until it ends in one way or another.
pub async fn wait(
    client: &Client,
    id: JobId,
    timeout: Option<Duration>,
    step: &Step,
) -> Result<Ending> {
    let ending = follow(client, id, step);
    match timeout {
        None => ending.await,
        Some(timeout) => tokio::time::timeout(timeout, ending)
            .await
            .unwrap_or(Ok(Ending::TimedOut)),
    }
}

async fn follow(client: &Client, id: JobId, step: &Step) -> Result<Ending> {
    // Subscribed first, so that no block is missed between the look and the wait.
    let mut blocks = client.finalised_blocks().await?;
    let mut state = client.finalised().await?;
    loop {
        let Some(job) = state.job(id).await? else {
            return Ok(Ending::Gone);
        };
        if job.state.is_settled() {
            return Ok(Ending::Settled(job));
        }
        let answered = matches!(
            job.state,
            JobState::Answered { .. } | JobState::Disputed { .. } | JobState::Voting { .. }
        );
        if !answered && state.number() > u64::from(job.deadline) {
            return Ok(Ending::Overdue(job));
        }
        step.at(format!(
            "job {id} is {}, block {} of {}",
            job.state.name(),
            state.number(),
            job.deadline
        ));
        let block = blocks
            .next()
            .await
            .context("the node closed the connection")??;
        state = block.state().await?;
    }
}

impl Ending {
    /// What to tell about it: positive only if the job was paid.
    pub fn report(self, id: JobId) -> Report {
        match self {
            Self::Settled(job) => {
                let text = format!("job {id} is {}", job.state.name());
                let report = Report::yes(text, describe(id, &job));
                let positive = matches!(job.state, JobState::Paid { .. });
                Report { positive, ..report }
            }
            Self::Overdue(job) => Report::no(
                format!("job {id} is past its deadline without a result: `ciro job expire {id}` gives the price back"),
                describe(id, &job),
            ),
            Self::Gone => Report::no(
                format!("there is no job {id}: it was removed or never submitted"),
                json!({ "job": id, "state": "gone" }),
            ),
            Self::TimedOut => Report::no(
                format!("job {id} was not settled in time; it goes on"),
                json!({ "job": id, "state": "pending" }),
            ),
        }
    }
}

/// A job in JSON.
pub fn describe(id: JobId, job: &Job) -> Value {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| fields.insert(name.into(), value);
    put("job", json!(id));
    put("state", json!(job.state.name()));
    put("requester", json!(job.requester.to_string()));
    put("model", json!(hex(&job.model)));
    put("batch", json!(job.batch));
    put("input_commitment", json!(hex(&job.input_commitment)));
    put("locator", json!(String::from_utf8_lossy(&job.locator)));
    put("price", json!(Amount(job.price.floor)));
    put("ceiling", json!(Amount(job.price.ceiling)));
    put("bounty", json!(Amount(job.bounty)));
    put("deposit", json!(Amount(job.deposit)));
    put("opened", json!(job.opened));
    put("deadline", json!(job.deadline));
    put("verification", json!(job.verification.to_string()));
    put("priority", json!(job.priority.name()));
    for (name, value) in facts(&job.state) {
        put(name, value);
    }
    Value::Object(fields)
}

/// What there is to say about a state besides its name.
pub fn facts(state: &JobState) -> Vec<(&'static str, Value)> {
    let address = |account: &AccountId| json!(account.to_string());
    let addresses =
        |accounts: &[AccountId]| json!(accounts.iter().map(address).collect::<Vec<_>>());
    let claimed = |claim: &Claim| {
        vec![
            ("worker", address(&claim.worker)),
            ("collateral", json!(Amount(claim.collateral))),
            ("since", json!(claim.since)),
            ("answer_by", json!(claim.answer_by)),
        ]
    };
    match state {
        JobState::Submitted => vec![],
        JobState::Assigned(claim) => claimed(claim),
        JobState::Paid { workers, at, rated } => vec![
            ("workers", addresses(workers)),
            ("at", json!(at)),
            ("rated", json!(rated)),
        ],
        JobState::Cancelled { at } | JobState::Failed { at } => vec![("at", json!(at))],
        JobState::Expired { worker, at } => {
            vec![
                ("worker", json!(worker.as_ref().map(address))),
                ("at", json!(at)),
            ]
        }
        JobState::Answered {
            claim,
            payee,
            until,
        } => {
            let more = [
                ("payee", address(payee)),
                ("disputable_until", json!(until)),
            ];
            claimed(claim).into_iter().chain(more).collect()
        }
        JobState::Disputed {
            claim,
            payee,
            challenger,
            fee,
            until,
        } => {
            let more = [
                ("payee", address(payee)),
                ("challenger", address(challenger)),
                ("fee", json!(Amount(*fee))),
                ("provable_until", json!(until)),
            ];
            claimed(claim).into_iter().chain(more).collect()
        }
        JobState::Gathering {
            workers,
            collateral,
        } => vec![
            ("workers", addresses(workers)),
            ("collateral", json!(Amount(*collateral))),
        ],
        JobState::Voting {
            seats,
            collateral,
            commit_by,
            reveal_by,
        } => {
            let revealed = |seat: &&Seat| matches!(seat.vote, Vote::Revealed(_));
            vec![
                ("workers", addresses(&state.workers())),
                ("revealed", json!(seats.iter().filter(revealed).count())),
                ("collateral", json!(Amount(*collateral))),
                ("commit_by", json!(commit_by)),
                ("reveal_by", json!(reveal_by)),
            ]
        }
    }
}
