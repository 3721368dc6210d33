//! Waiting for a job to be settled.

use crate::{
    amount::Amount,
    output::{Report, Step},
};
use anyhow::{Context, Result};
use ciro_client::{
    types::{Job, JobState},
    Client,
};
use ciro_primitives::JobId;
use serde_json::{json, Map, Value};
use std::time::Duration;

use super::hex;

/// How a wait ended.
pub enum Ending {
    /// The job is paid, cancelled or expired.
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
        if state.number() > u64::from(job.deadline) {
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
    put("price", json!(Amount(job.price)));
    put("deposit", json!(Amount(job.deposit)));
    put("deadline", json!(job.deadline));
    match &job.state {
        JobState::Submitted => {}
        JobState::Assigned {
            worker,
            collateral,
            since,
        } => {
            put("worker", json!(worker.to_string()));
            put("collateral", json!(Amount(*collateral)));
            put("since", json!(since));
        }
        JobState::Paid { worker, payee, at } => {
            put("worker", json!(worker.to_string()));
            put("payee", json!(payee.to_string()));
            put("at", json!(at));
        }
        JobState::Cancelled { at } => {
            put("at", json!(at));
        }
        JobState::Expired { worker, at } => {
            put("worker", json!(worker.as_ref().map(ToString::to_string)));
            put("at", json!(at));
        }
    }
    Value::Object(fields)
}
