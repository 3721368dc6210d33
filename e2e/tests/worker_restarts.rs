//! A worker that is killed, at every point where it matters, and started again: each job is completed and paid exactly
//! once, by a proof of its own or by one with others, and no collateral stays behind; nor does it register or stake twice.

use anyhow::{ensure, Context, Result};
use ciro_client::{
    events::{Event, JobMarket},
    keypair,
    types::JobState,
    Client, CIRO,
};
use ciro_e2e::{
    paid, repository, until, who, Array, BlobServer, Ciro, Devnet, Entries, Requester, Worker,
};
use ciro_primitives::{JobId, ModelId, MAX_BATCH};
use ciro_zkml_model::Model;
use std::{collections::BTreeMap, fs, time::Duration};

const OWNER: &str = "//Alice";
const REQUESTER: &str = "//Bob";
const WORKER: &str = "//Charlie";

/// Longest wait for one step, and for the whole test.
const STEP: Duration = Duration::from_secs(90);
const LIMIT: Duration = Duration::from_secs(480);

/// Jobs that are in the worker's hands at once while it is killed at every turn, and how often it is.
const CROWD: usize = 6;
const KILLS: usize = 12;

/// Samples of each of as many jobs that are proved together, and how often the worker is killed meanwhile.
const FEW: u32 = 5;
const KILLS_TOGETHER: usize = 3;

/// How often a kill may come too late before the test gives up on hitting its point.
const TRIES: usize = 5;

/// Where a worker is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Point {
    /// The claim is signed and kept; it may not even be sent.
    ClaimSigned,
    /// The best block has the claim.
    Claimed,
    /// The proof is being made.
    Proving,
    /// The result is signed and kept; it may not even be sent.
    ResultSigned,
    /// The best block has the payment, which is not finalised.
    Paid,
}

/// Transactions with which a worker registers, stakes and takes its role on.
const JOINING: u64 = 3;

/// First byte of a kept transaction: what it is for.
const CLAIM: u8 = 0;
const RESULT: u8 = 1;

struct Scene {
    worker: Worker,
    blobs: BlobServer,
    client: Client,
    model: ModelId,
    input: Vec<i8>,
    // Last, as the others use it.
    devnet: Devnet,
}

impl Scene {
    async fn set() -> Result<Self> {
        let devnet = Devnet::dev().await?;
        let url = devnet.first().url();
        let folder = devnet.folder().to_owned();
        let models = Worker::models_of("worker", &folder);
        fs::create_dir_all(&models)?;
        // The larger model and a full batch: its proof takes long enough to be interrupted.
        let file = models.join("mnist.ciro");
        let id = Ciro::new(&url)?
            .register_example("mnist.onnx", "mnist-calibration.npy", &file, OWNER)
            .await?;
        let model = Model::decode_file(&fs::read(&file)?)?;
        let images = Array::read(&repository("models/mnist-test-x.npy"))?.floats()?;
        let input = model.quantise(&images[..MAX_BATCH as usize * model.columns()])?;
        Ok(Self {
            client: devnet.first().client().await?,
            blobs: BlobServer::start(&folder).await?,
            worker: Worker::start("worker", &folder, &url, WORKER)?,
            model: id,
            input,
            devnet,
        })
    }

    async fn submit(&self) -> Result<JobId> {
        let requester = Requester {
            client: &self.client,
            signer: keypair(REQUESTER)?,
            blobs: &self.blobs,
        };
        requester
            .submit(self.model, MAX_BATCH, &self.input, 100 * CIRO)
            .await?
            .job()
            .await
    }

    /// Whether the worker is at a point with a job.
    async fn is_at(&mut self, point: Point, job: JobId) -> Result<bool> {
        self.worker.check()?;
        Ok(match point {
            Point::ClaimSigned => self.has_signed(CLAIM, job)?,
            Point::ResultSigned => self.has_signed(RESULT, job)?,
            Point::Proving => self
                .worker
                .log()?
                .contains(&format!("proving jobs=[{job}]")),
            Point::Claimed => matches!(self.best(job).await?, JobState::Assigned { .. }),
            Point::Paid => matches!(self.best(job).await?, JobState::Paid { .. }),
        })
    }

    fn has_signed(&self, purpose: u8, job: JobId) -> Result<bool> {
        let entries = self.worker.journal(job)?;
        Ok(entries
            .iter()
            .any(|(kind, bytes)| kind == "transaction" && bytes.first() == Some(&purpose)))
    }

    async fn best(&self, job: JobId) -> Result<JobState> {
        let stored = self.client.best().await?.job(job).await?;
        Ok(stored
            .with_context(|| format!("there is no job {job}"))?
            .state)
    }

    /// Submits a job, kills the worker at a point of it, starts it again, and waits for the payment. Whether the kill
    /// was in time.
    async fn kill_at(&mut self, point: Point) -> Result<(JobId, bool)> {
        let job = self.submit().await?;
        until(
            &format!("the worker is at {point:?} with job {job}"),
            STEP,
            async || Ok(self.is_at(point, job).await?.then_some(())),
        )
        .await?;
        self.worker.kill();
        let entries = self.worker.journal(job)?;
        let proved = entries.iter().any(|(kind, _)| kind == "proof");
        let in_time = match point {
            Point::Proving => !proved && matches!(self.best(job).await?, JobState::Assigned { .. }),
            Point::ClaimSigned | Point::Claimed => !proved,
            Point::ResultSigned => proved,
            Point::Paid => true,
        };
        self.worker.restart()?;
        paid(&self.client, job, STEP).await?;
        Ok((job, in_time))
    }

    /// Kills the worker so often, each time that it has written something about one of many jobs of so many samples.
    async fn kill_at_every_turn(&mut self, samples: u32, kills: usize) -> Result<Vec<JobId>> {
        let width = self.input.len() / MAX_BATCH as usize;
        let input = &self.input[..samples as usize * width];
        let requester = Requester {
            client: &self.client,
            signer: keypair(REQUESTER)?,
            blobs: &self.blobs,
        };
        let mut submitted = Vec::new();
        for _ in 0..CROWD {
            submitted.push(
                requester
                    .submit(self.model, samples, input, 100 * CIRO)
                    .await?,
            );
        }
        let mut jobs = Vec::new();
        for job in submitted {
            jobs.push(job.job().await?);
        }
        for _ in 0..kills {
            let before = self.journals(&jobs)?;
            until("the worker goes on", STEP, async || {
                self.worker.check()?;
                Ok((self.journals(&jobs)? != before).then_some(()))
            })
            .await?;
            self.worker.kill();
            self.worker.restart()?;
        }
        for job in &jobs {
            paid(&self.client, *job, STEP).await?;
        }
        Ok(jobs)
    }

    fn journals(&self, jobs: &[JobId]) -> Result<Vec<Entries>> {
        jobs.iter().map(|job| self.worker.journal(*job)).collect()
    }

    /// Checks what the chain has to say about the jobs, from its first block on.
    async fn check(&self, jobs: &[JobId]) -> Result<()> {
        let state = self.client.finalised().await?;
        let mut seen: BTreeMap<JobId, Vec<&str>> = BTreeMap::new();
        let mut results = Vec::new();
        for number in 1..=state.number() {
            let block = state
                .hash_of(number)
                .await?
                .with_context(|| format!("there is no block {number}"))?;
            let at = self.client.at(block).await?;
            results.extend(at.submitted_results().await?);
            for event in at.events().await? {
                if let Event::JobMarket(event) = event {
                    seen.entry(event.job()).or_default().push(name(&event));
                }
            }
        }
        let life = ["submitted", "claimed", "completed", "paid"];
        for job in jobs {
            ensure!(
                seen.remove(job).as_deref() == Some(&life[..]),
                "job {job} went another way: {seen:?}"
            );
        }
        ensure!(
            seen.is_empty(),
            "there are jobs that nobody asked for: {seen:?}"
        );

        let worker = who(WORKER)?;
        let stake = state.operator(&worker).await?;
        let stake = stake.context("the worker has no stake")?;
        ensure!(
            stake.reserved == 0,
            "the worker has {} of its stake set aside for jobs",
            stake.reserved
        );
        // A claim and one result for each job, if not one for several, and what it took to join: no transaction was wasted.
        let mut answered: Vec<JobId> = results
            .iter()
            .flat_map(|result| result.jobs.clone())
            .collect();
        answered.sort();
        ensure!(answered == jobs, "{answered:?} were answered, of {jobs:?}");
        ensure!(results.len() < jobs.len(), "none were proved together");
        let transactions = state.nonce(&worker).await?;
        ensure!(
            transactions == JOINING + (jobs.len() + results.len()) as u64,
            "{transactions} transactions for {} jobs in {} results",
            jobs.len(),
            results.len()
        );
        Ok(())
    }
}

fn name(event: &JobMarket) -> &'static str {
    match event {
        JobMarket::JobSubmitted { .. } => "submitted",
        JobMarket::JobClaimed { .. } => "claimed",
        JobMarket::JobCompleted { .. } => "completed",
        JobMarket::PaymentReleased { .. } => "paid",
        _ => "something else",
    }
}

async fn every_job_is_completed_once(scene: &mut Scene) -> Result<()> {
    let mut jobs = Vec::new();
    for point in [
        Point::ClaimSigned,
        Point::Claimed,
        Point::Proving,
        Point::ResultSigned,
        Point::Paid,
    ] {
        let mut hit = false;
        for _ in 0..TRIES {
            let (job, in_time) = scene.kill_at(point).await?;
            println!(
                "job {job}: killed at {point:?}{}",
                if in_time { "" } else { ", too late: again" }
            );
            jobs.push(job);
            hit = in_time;
            if hit {
                break;
            }
        }
        ensure!(hit, "{TRIES} kills came too late for {point:?}");
    }
    jobs.extend(scene.kill_at_every_turn(MAX_BATCH, KILLS).await?);
    println!(
        "{} jobs, the last {CROWD} of them through {KILLS} kills",
        jobs.len()
    );
    jobs.extend(scene.kill_at_every_turn(FEW, KILLS_TOGETHER).await?);
    println!("{CROWD} more through {KILLS_TOGETHER} kills");
    jobs.sort();
    scene.check(&jobs).await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_workers_complete_every_job_once() {
    let mut scene = Scene::set().await.unwrap();
    let outcome = tokio::time::timeout(LIMIT, every_job_is_completed_once(&mut scene)).await;
    // The unwrapped error panics while the processes are there, which prints what they said last.
    outcome.expect("the test took too long").unwrap();
    assert_eq!(scene.devnet.nodes.len(), 1);
}
