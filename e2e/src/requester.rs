//! Who asks for runs: many jobs at once, which the command line has no need for.

use crate::{binary, Process};
use anyhow::{ensure, Context, Result};
use ciro_client::{
    calls,
    events::{Event, JobMarket},
    types::{Auction, Balance, Job, JobSpec, JobState, Priority, Requirements, Verification},
    AccountId, Client, Keypair, Progress, Wait,
};
use ciro_primitives::{input_commitment, JobId, ModelId};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// How long the blob server may take until it serves.
const START: Duration = Duration::from_secs(20);

/// Blocks that a job may take.
const DURATION: u32 = 1_000;

/// `ciro blob serve` with a store of its own.
pub struct BlobServer {
    process: Process,
    store: PathBuf,
    url: String,
}

impl BlobServer {
    /// Starts it, with its store in `folder`.
    pub async fn start(folder: &Path) -> Result<Self> {
        let store = folder.join("blobs");
        let arguments = [
            "--json".as_ref(),
            "blob".as_ref(),
            "serve".as_ref(),
            "--store".as_ref(),
            store.as_os_str(),
        ];
        let mut process = Process::start("blobs", folder, &binary("ciro")?, arguments)?;
        let url = process
            .says("the blob server serves", START, |log| {
                let said = log
                    .lines()
                    .find_map(|line| serde_json::from_str::<Value>(line).ok());
                Some(said?.get("url")?.as_str()?.to_owned())
            })
            .await?;
        Ok(Self {
            process,
            store,
            url,
        })
    }

    /// Where workers find the blobs.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The folder of the blobs.
    pub fn store(&self) -> &Path {
        &self.store
    }

    /// Stores an input under its commitment.
    pub fn put(&self, commitment: [u8; 32], input: &[i8]) -> Result<()> {
        let path = self.store.join(hex::encode(commitment));
        fs::write(&path, calls::bytes(input))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// What it said last.
    pub fn tail(&self) -> String {
        self.process.tail()
    }
}

/// An account that submits jobs.
pub struct Requester<'a> {
    /// The chain.
    pub client: &'a Client,
    /// The account.
    pub signer: Keypair,
    /// Where its inputs are.
    pub blobs: &'a BlobServer,
}

impl Requester<'_> {
    /// Hands one job that takes a proof to the node's pool, without waiting for a block; see [`Submitted::job`].
    pub async fn submit(
        &self,
        model: ModelId,
        batch: u32,
        input: &[i8],
        price: Balance,
    ) -> Result<Submitted> {
        let level = Verification::ZkMl;
        self.submit_at(level, model, batch, input, price).await
    }

    /// Hands one job of a level of trust to the node's pool, without waiting for a block; see [`Submitted::job`].
    pub async fn submit_at(
        &self,
        verification: Verification,
        model: ModelId,
        batch: u32,
        input: &[i8],
        price: Balance,
    ) -> Result<Submitted> {
        let commitment = input_commitment(batch, input);
        self.blobs.put(commitment, input)?;
        let call = calls::submit_job(JobSpec {
            model: model.0,
            batch,
            input_commitment: commitment,
            locator: self.blobs.url.as_bytes().to_vec(),
            price: Auction::fixed(price),
            duration: DURATION,
            verification,
            priority: Priority::Normal,
            requirements: Requirements::default(),
        });
        let transaction = self.client.sign(&call, &self.signer).await?;
        Ok(Submitted(self.client.submit(&transaction).await?))
    }
}

/// A job on its way into a block.
pub struct Submitted(Progress);

impl Submitted {
    /// Its number, once it is in a finalised block.
    pub async fn job(self) -> Result<JobId> {
        let included = self.0.wait(Wait::Finalised).await?;
        let submitted = included.events.iter().find_map(|event| match event {
            Event::JobMarket(JobMarket::JobSubmitted { job, .. }) => Some(*job),
            _ => None,
        });
        submitted.context("the chain did not report the job that it took")
    }
}

/// Waits for the block from which on a worker may claim a job: better workers may before.
pub async fn claimable(client: &Client, job: JobId, worker: &AccountId) -> Result<()> {
    let mut blocks = client.finalised_blocks().await?;
    let mut state = client.finalised().await?;
    loop {
        let from = state.eligible_from(job, worker).await?;
        if state.number() + 1 >= u64::from(from.context("the job is gone")?) {
            return Ok(());
        }
        let block = blocks.next().await;
        state = block
            .context("the node closed the connection")??
            .state()
            .await?;
    }
}

/// Waits until the finalised chain has paid a job and gives the job as it is stored then.
pub async fn paid(client: &Client, job: JobId, limit: Duration) -> Result<Job> {
    let mut blocks = client.finalised_blocks().await?;
    let wait = async {
        let mut state = client.finalised().await?;
        loop {
            let stored = state
                .job(job)
                .await?
                .with_context(|| format!("there is no job {job}"))?;
            if stored.state.is_settled() {
                ensure!(
                    matches!(stored.state, JobState::Paid { .. }),
                    "job {job} ended {} instead of paid",
                    stored.state.name()
                );
                return Ok(stored);
            }
            state = blocks
                .next()
                .await
                .context("the node closed the connection")??
                .state()
                .await?;
        }
    };
    tokio::time::timeout(limit, wait)
        .await
        .with_context(|| format!("job {job} was not paid within {} s", limit.as_secs()))?
}
