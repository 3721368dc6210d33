//! Jobs without a proof: one that three workers vote on, and one whose answer is disputed and then proved.

use crate::stage::{ciro, Stage, OTHERS, REQUESTER};
use anyhow::{ensure, Context, Result};
use ciro_client::{
    events::{Event, JobMarket},
    keypair,
    types::{Balance, Job, JobState, Verification},
    Client, CIRO,
};
use ciro_e2e::{paid, Requester, Worker};
use ciro_primitives::JobId;
use std::time::Duration;

/// Who disputes an answer that is right.
const CHALLENGER: &str = "//Bob";
/// The image that the jobs are about.
const IMAGE: usize = 1;
/// What each job pays.
const PRICE: Balance = 3 * CIRO;
/// How long each may take.
const LIMIT: Duration = Duration::from_secs(240);

/// Plays both.
pub async fn run(stage: &mut Stage) -> Result<()> {
    println!("\nAnswers without proofs\n");
    vote(stage).await?;
    dispute(stage).await
}

/// Three workers run the same job, each without seeing the others' answers.
async fn vote(stage: &mut Stage) -> Result<()> {
    let (url, folder) = (stage.devnet.first().url(), stage.devnet.folder().to_owned());
    let mut others = Vec::new();
    for secret in OTHERS {
        let name = format!("worker{}", secret.replace("//", "-"));
        Worker::share_models("worker", &name, &folder)?;
        others.push(Worker::start(&name, &folder, &url, secret)?);
    }
    let id = submit(stage, Verification::Redundant(3)).await?;
    let job = settled(stage, id).await?;
    let JobState::Paid { workers, .. } = &job.state else {
        anyhow::bail!("job {id} is not paid")
    };
    ensure!(workers.len() == 3, "job {id} was done by {workers:?}");
    stage.say(
        "voted",
        &format!(
            "job {id}: three workers committed to their answers, then revealed the same; each has a third of {} CIRO \
             less fee and royalty",
            ciro(job.price.ceiling)
        ),
    );
    Ok(())
}

/// One worker answers, somebody says that it is wrong, and the worker proves that it is not.
async fn dispute(stage: &mut Stage) -> Result<()> {
    let id = submit(stage, Verification::None).await?;
    let answered = reached(&stage.client, id, |state| {
        matches!(state, JobState::Answered { .. })
    })
    .await?;
    let JobState::Answered { claim, until, .. } = answered.state else {
        anyhow::bail!("job {id} is not answered")
    };
    stage.say(
        "answered",
        &format!("job {id}, without a proof: it counts unless it is disputed until block {until}"),
    );
    let number = id.to_string();
    stage
        .cli
        .run(["job", "dispute", &number, "--suri", CHALLENGER])
        .await?;
    let job = settled(stage, id).await?;
    let JobState::Paid { workers, at, .. } = &job.state else {
        anyhow::bail!("job {id} is not paid")
    };
    ensure!(
        workers == &[claim.worker],
        "job {id} was done by {workers:?}"
    );
    let fee = fee_won(&stage.client, id, *at).await?;
    stage.say(
        "disputed",
        &format!(
            "by {CHALLENGER}, and proved by the worker within {} blocks: paid, with the challenger's {} CIRO",
            at - claim.since,
            ciro(fee)
        ),
    );
    Ok(())
}

/// The challenger's fee, which is the worker's once the answer is proved, by the block of the payment.
async fn fee_won(client: &Client, id: JobId, at: u32) -> Result<Balance> {
    let state = client.finalised().await?;
    let block = state.hash_of(at.into()).await?.context("no block")?;
    let before = state
        .hash_of(u64::from(at) - 1)
        .await?
        .context("no block")?;
    let paid = client.at(block).await?.events().await?.into_iter().any(
        |event| matches!(event, Event::JobMarket(JobMarket::PaymentReleased { job, .. }) if job == id),
    );
    ensure!(paid, "job {id} was not paid in block {at}");
    match client.at(before).await?.job(id).await?.map(|job| job.state) {
        Some(JobState::Disputed { fee, .. }) => Ok(fee),
        _ => anyhow::bail!("job {id} was not disputed before it was paid"),
    }
}

async fn submit(stage: &Stage, level: Verification) -> Result<JobId> {
    let exhibit = &stage.exhibits[0];
    let width = exhibit.model.inputs();
    let requester = Requester {
        client: &stage.client,
        signer: keypair(REQUESTER)?,
        blobs: &stage.blobs,
    };
    let input = &exhibit.inputs[IMAGE * width..][..width];
    let submitted = requester.submit_at(level, exhibit.id, 1, input, PRICE);
    submitted.await?.job().await
}

/// Waits until a job is paid, and checks that the stored result is the model's.
async fn settled(stage: &Stage, id: JobId) -> Result<Job> {
    let job = paid(&stage.client, id, LIMIT).await?;
    let exhibit = &stage.exhibits[0];
    let outputs = exhibit.model.outputs();
    let result = stage.client.finalised().await?.result(id).await?;
    ensure!(
        result.as_deref() == Some(&exhibit.reference[IMAGE * outputs..][..outputs]),
        "the stored result of job {id} is not the model's"
    );
    Ok(job)
}

/// Waits until a job is in such a state.
async fn reached(client: &Client, id: JobId, is_it: impl Fn(&JobState) -> bool) -> Result<Job> {
    let mut blocks = client.finalised_blocks().await?;
    let waiting = async {
        loop {
            let block = blocks.next().await;
            let state = block
                .context("the node closed the connection")??
                .state()
                .await?;
            let job = state.job(id).await?.context("the job is gone")?;
            if is_it(&job.state) {
                return Ok(job);
            }
        }
    };
    tokio::time::timeout(LIMIT, waiting)
        .await
        .with_context(|| format!("job {id} did not come so far in time"))?
}
