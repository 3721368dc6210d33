//! Jobs of single samples and of batches, from submission to payment, and the table of them.

use crate::{
    exhibit::Exhibit,
    stage::{ciro, text, Stage, REQUESTER, WORKER},
};
use anyhow::{ensure, Context, Result};
use ciro_client::{
    events::{Event, JobMarket},
    keypair,
    types::{Balance, Job, JobState},
    CIRO,
};
use ciro_e2e::{who, Requester};
use ciro_primitives::{JobId, MAX_BATCH};
use std::{
    io::{stderr, IsTerminal, Write},
    ops::Range,
    time::Duration,
};

/// Price of a sample in a batch.
const PRICE: Balance = CIRO / 20;
/// Least price that the chain allows for a job.
const LEAST: Balance = CIRO;
/// How long all jobs together may take.
const LIMIT: Duration = Duration::from_secs(300);

/// A job that was paid in a finalised block, with the proof checked here, too.
pub struct PaidJob {
    /// Which of the demo's models it is about.
    pub exhibit: usize,
    samples: Range<usize>,
    /// What the chain stores as its output.
    pub output: Vec<i32>,
    /// What the worker got: the price less the market's fee and the royalty.
    amount: Balance,
    block: u32,
    proving: f64,
    proof_bytes: u64,
    verification: f64,
}

/// A job on its way.
struct Submitted {
    exhibit: usize,
    samples: Range<usize>,
    price: Balance,
    id: JobId,
}

/// Submits the test sets and sees every job through.
pub async fn run(stage: &mut Stage) -> Result<Vec<PaidJob>> {
    let jobs = submit(stage).await?;
    let samples: usize = jobs.iter().map(|job| job.samples.len()).sum();
    stage.say(
        "submitted",
        &format!("{} jobs with {samples} samples by {REQUESTER}", jobs.len()),
    );
    wait(stage, &jobs.iter().map(|job| job.id).collect::<Vec<_>>()).await?;
    stage.say("paid", "every job, in finalised blocks");

    let mut paid = Vec::new();
    for job in jobs {
        paid.push(look(stage, job).await?);
    }
    stage.say(
        "checked",
        "every proof once more, here, out of the chain's blocks",
    );
    Ok(paid)
}

async fn submit(stage: &Stage) -> Result<Vec<Submitted>> {
    let requester = Requester {
        client: &stage.client,
        signer: keypair(REQUESTER)?,
        blobs: &stage.blobs,
    };
    let mut waiting = Vec::new();
    for (index, exhibit) in stage.exhibits.iter().enumerate() {
        let width = exhibit.model.inputs();
        for samples in exhibit.split(MAX_BATCH as usize) {
            let price = LEAST.max(PRICE * samples.len() as Balance);
            let input = &exhibit.inputs[samples.start * width..samples.end * width];
            let job = requester
                .submit(exhibit.id, samples.len() as u32, input, price)
                .await?;
            waiting.push((index, samples, price, job));
        }
    }
    let mut jobs = Vec::new();
    for (exhibit, samples, price, job) in waiting {
        let id = job.job().await?;
        jobs.push(Submitted {
            exhibit,
            samples,
            price,
            id,
        });
    }
    Ok(jobs)
}

/// Waits until every job is paid in a finalised block, and says how far they are.
async fn wait(stage: &mut Stage, jobs: &[JobId]) -> Result<()> {
    let mut blocks = stage.client.finalised_blocks().await?;
    let terminal = stderr().is_terminal();
    let following = async {
        loop {
            let state = blocks
                .next()
                .await
                .context("the node closed the connection")??
                .state()
                .await?;
            stage.worker.check()?;
            let (mut claimed, mut paid) = (0, 0);
            for id in jobs {
                match state
                    .job(*id)
                    .await?
                    .with_context(|| format!("job {id} is gone"))?
                    .state
                {
                    JobState::Assigned { .. } => claimed += 1,
                    JobState::Paid { .. } => paid += 1,
                    _ => {}
                }
            }
            if terminal {
                eprint!(
                    "\r\x1b[K          block {}: {claimed} claimed, {paid} of {} paid",
                    state.number(),
                    jobs.len()
                );
                stderr().flush()?;
            }
            if paid == jobs.len() {
                return Ok(());
            }
        }
    };
    let outcome = tokio::time::timeout(LIMIT, following)
        .await
        .context("the jobs were not paid in time")
        .flatten();
    if terminal {
        eprint!("\r\x1b[K");
    }
    outcome
}

/// Reads a paid job off the chain and checks its proof.
async fn look(stage: &Stage, submitted: Submitted) -> Result<PaidJob> {
    let id = submitted.id;
    let state = stage.client.finalised().await?;
    let Job {
        state: job_state, ..
    } = state
        .job(id)
        .await?
        .with_context(|| format!("job {id} is gone"))?;
    let JobState::Paid { workers, at, .. } = job_state else {
        anyhow::bail!("job {id} is not paid")
    };
    let payee = who(WORKER)?;
    ensure!(workers == [payee], "job {id} was done by {workers:?}");
    let output = state
        .result(id)
        .await?
        .with_context(|| format!("the chain has no result of job {id}"))?;

    let block = state
        .hash_of(at.into())
        .await?
        .with_context(|| format!("there is no block {at}"))?;
    let events = stage.client.at(block).await?.events().await?;
    let completed = events.iter().filter(|event| matches!(event, Event::JobMarket(JobMarket::JobCompleted { job, .. }) if *job == id));
    let payments: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::JobMarket(JobMarket::PaymentReleased {
                job,
                payees,
                royalty,
                fee,
                burned,
            }) if *job == id => Some((payees, royalty + fee + burned)),
            _ => None,
        })
        .collect();
    let ([(payees, kept)], 1) = (&payments[..], completed.count()) else {
        anyhow::bail!("job {id} was not completed and paid exactly once in block {at}")
    };
    let [(paid, amount)] = payees[..] else {
        anyhow::bail!("job {id} was not paid to one account: {payees:?}")
    };
    ensure!(paid == payee, "job {id} was paid to {paid}");
    ensure!(
        amount + kept == submitted.price,
        "job {id} paid {amount} and kept {kept}, which is not its price, {}",
        submitted.price
    );

    let proof = stage.devnet.folder().join(format!("{id}.proof"));
    let job = id.to_string();
    let fetched = stage
        .cli
        .run([
            "job".as_ref(),
            "proof".as_ref(),
            job.as_ref(),
            "-o".as_ref(),
            proof.as_os_str(),
        ])
        .await?;
    let (genesis, payee) = (format!("{:?}", stage.client.genesis()), payee.to_string());
    let verified = stage
        .cli
        .run([
            "verify".as_ref(),
            stage.exhibits[submitted.exhibit].file.as_os_str(),
            proof.as_os_str(),
            "--job".as_ref(),
            job.as_ref(),
            "--genesis".as_ref(),
            genesis.as_ref(),
            "--payee".as_ref(),
            payee.as_ref(),
        ])
        .await?;
    ensure!(
        verified["valid"] == true && text(&verified, "payee")? == payee,
        "job {id}: {verified}"
    );
    Ok(PaidJob {
        exhibit: submitted.exhibit,
        samples: submitted.samples,
        output,
        amount,
        block: at,
        proving: proving_time(&stage.worker.log()?, id)?,
        proof_bytes: fetched["proof_bytes"]
            .as_u64()
            .context("the proof has no length")?,
        verification: verified["seconds"]
            .as_f64()
            .context("the verification has no time")?
            * 1e3,
    })
}

/// Milliseconds, from the worker's line `proved jobs=[3, 4] milliseconds=61.2 bytes=150000`: of all the jobs together.
fn proving_time(log: &str, id: JobId) -> Result<f64> {
    log.lines()
        .rev()
        .find_map(|line| {
            let (jobs, rest) = line.split_once("proved jobs=[")?.1.split_once(']')?;
            jobs.split(", ").find(|job| *job == id.to_string())?;
            let time = rest.trim_start().strip_prefix("milliseconds=")?;
            time.split_whitespace().next()?.parse().ok()
        })
        .with_context(|| format!("the worker's log does not say how long it proved job {id}"))
}

/// Prints the table.
pub fn print(paid: &[PaidJob], exhibits: &[Exhibit]) {
    println!(
        "{:<10}  {:>9}  {:>14}  {:>5}  {:>10}  {:>8}  {:>12}  {:>5}  {:>9}",
        "model",
        "sample",
        "prediction",
        "label",
        "proving",
        "proof",
        "verification",
        "block",
        "payment"
    );
    for job in paid {
        let exhibit = &exhibits[job.exhibit];
        let answers = exhibit.model.classes(&job.output);
        let labels = &exhibit.tests.labels[job.samples.clone()];
        let right = answers
            .iter()
            .zip(labels)
            .filter(|(answer, label)| answer == label)
            .count();
        let (sample, prediction, label) = match (&answers[..], labels) {
            ([answer], [label]) => {
                let wrong = if answer == label { "" } else { "wrong: " };
                (
                    job.samples.start.to_string(),
                    format!("{wrong}{answer}"),
                    label.to_string(),
                )
            }
            _ => (
                format!("{}–{}", job.samples.start, job.samples.end - 1),
                format!("{right} of {} right", labels.len()),
                "".into(),
            ),
        };
        println!(
            "{:<10}  {sample:>9}  {prediction:>14}  {label:>5}  {:>7.0} ms  {:>5.0} kB  {:>9.1} ms  {:>5}  {:>4} CIRO",
            exhibit.source.name,
            job.proving,
            job.proof_bytes as f64 / 1e3,
            job.verification,
            job.block,
            ciro(job.amount)
        );
    }
}
