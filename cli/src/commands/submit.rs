//! `ciro job submit`.

use super::{
    blob::{interrupted, Server},
    hex, read_model, settle, Sender,
};
use crate::{
    npy,
    output::{Output, Report, Step},
    store::BlobStore,
};
use anyhow::{bail, ensure, Context, Result};
use ciro_client::{
    calls,
    events::{Event, JobMarket},
    types::{
        Auction, JobSpec, Priority, Region, Requirements, Verification, MAX_INPUT, MAX_LOCATOR,
        MAX_OUTPUT,
    },
    Amount, Client,
};
use ciro_primitives::{JobId, ModelId};
use ciro_zkml_model::Model;
use ciro_zkml_prover::{max_batch, Prover};
use clap::Args;
use serde_json::json;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};
use tokio::net::TcpStream;

/// Arguments of `ciro job submit`.
#[derive(Args)]
pub struct Submit {
    /// The model (.ciro); it must be registered.
    model: PathBuf,
    /// Samples (.npy), at most 64.
    #[arg(long, value_name = "X.npy")]
    input: PathBuf,
    /// What the whole job is worth, in CIRO; at least the model's price floor for each sample. From FLOOR it rises to
    /// CEILING, if that is given, until a worker claims the job.
    #[arg(long, value_name = "FLOOR[..CEILING]")]
    price: Price,
    /// Blocks that the price takes to rise.
    #[arg(long, default_value_t = 30, value_name = "BLOCKS")]
    ramp: u32,
    /// What makes an answer count: a proof (zkml), the agreement of K workers (redundant=K), or that nobody disputes it
    /// (none).
    #[arg(long = "verify", default_value_t = Verification::ZkMl, value_name = "LEVEL")]
    verification: Verification,
    /// How urgent it is: low, normal, high or critical. The least price rises with it.
    #[arg(long, default_value = "normal", value_name = "PRIORITY")]
    priority: Priority,
    /// Only workers with a GPU.
    #[arg(long)]
    gpu: bool,
    /// Only workers with so much memory.
    #[arg(long, default_value_t = 0, value_name = "MIB")]
    memory: u32,
    /// Only workers with such a throughput, in 10^9 operations a second.
    #[arg(long, default_value_t = 0, value_name = "GFLOPS")]
    gflops: u32,
    /// Only workers of this region: north-america, europe, asia-pacific or other.
    #[arg(long, value_name = "REGION")]
    region: Option<Region>,
    /// Blocks until the deadline; a block takes about 2 seconds.
    #[arg(long, default_value_t = 300, value_name = "BLOCKS")]
    duration: u32,
    /// Address under which workers find the input as <URL>/<hash>. If it and --serve are left out, that of the
    /// `ciro blob serve` that serves the same store.
    #[arg(long, value_name = "URL", conflicts_with = "serve")]
    locator: Option<String>,
    /// Serve the input from here until the job is settled, and report how it ended.
    #[arg(long, value_name = "ADDRESS")]
    serve: Option<SocketAddr>,
    /// Folder of the blob store.
    #[arg(long, env = "CIRO_BLOB_STORE", value_name = "FOLDER")]
    store: Option<PathBuf>,
    #[command(flatten)]
    sender: Sender,
}

impl Submit {
    /// Quantises and stores the input, and submits the job.
    pub async fn execute(self, output: Output) -> Result<Report> {
        let (run, step) = Run::read(&self.model, &self.input, output)?;
        let Run { id, batch, input } = run;
        step.at("looking at the chain");
        let signer = self.sender.signer.keypair()?;
        let client = self.sender.node.connect().await?;
        self.check_price(&client, id, batch).await?;

        let store = BlobStore::open(self.store.clone())?;
        let server = match self.serve {
            Some(listen) => Some(Server::bind(store.clone(), listen).await?),
            None => None,
        };
        let locator = match (&self.locator, &server) {
            (Some(locator), _) => locator.clone(),
            (None, Some(server)) => server.url(),
            (None, None) => running_server(&store).await?,
        };
        let locator = locator.trim_end_matches('/').to_owned();
        ensure!(
            locator.len() <= MAX_LOCATOR,
            "the locator is longer than {MAX_LOCATOR} bytes"
        );
        let commitment = store.put(batch, &input)?;

        step.at("submitting the job");
        let spec = self.spec(id, batch, commitment, &locator);
        let call = calls::submit_job(spec);
        let included = client.execute(&call, &signer, self.sender.wait()).await?;
        let (job, deadline) = included
            .events
            .iter()
            .find_map(|event| match event {
                Event::JobMarket(JobMarket::JobSubmitted { job, deadline, .. }) => {
                    Some((*job, *deadline))
                }
                _ => None,
            })
            .context(
                "the chain did not report the job it took: its runtime is newer than this program",
            )?;
        drop(step);
        let report = Report::yes(
            format!("job {job} submitted, deadline block {deadline}"),
            json!({
                "job": job,
                "model": hex(&id.0),
                "batch": batch,
                "input_commitment": hex(&commitment),
                "locator": locator,
                "price": self.price.floor,
                "ceiling": self.price.ceiling,
                "verification": self.verification.to_string(),
                "deadline": deadline,
                "block": hex(&included.block.0),
            }),
        );
        match server {
            None => Ok(report),
            Some(server) => {
                output.say(&report);
                serve_until_settled(server, &client, job, output).await
            }
        }
    }

    /// Refuses what the chain would refuse, with more to go by.
    async fn check_price(&self, client: &Client, id: ModelId, batch: u32) -> Result<()> {
        let Some(info) = client.finalised().await?.model(id).await? else {
            bail!(
                "the model {id} is not registered on this chain: `ciro model register {}` does that",
                self.model.display()
            );
        };
        let floor = info.price_floor.saturating_mul(batch.into());
        let least = self.priority.least_price(floor);
        ensure!(
            self.price.floor.0 >= least,
            "{} CIRO is too little: {batch} samples of this model cost at least {} CIRO at this priority",
            self.price.floor,
            Amount(least)
        );
        Ok(())
    }

    fn spec(&self, model: ModelId, batch: u32, commitment: [u8; 32], locator: &str) -> JobSpec {
        let Price { floor, ceiling } = self.price;
        JobSpec {
            model: model.0,
            batch,
            input_commitment: commitment,
            locator: locator.as_bytes().to_vec(),
            price: Auction {
                floor: floor.0,
                ceiling: ceiling.0,
                ramp: self.ramp,
            },
            duration: self.duration,
            verification: self.verification,
            priority: self.priority,
            requirements: Requirements {
                gpu: self.gpu,
                memory: self.memory,
                gflops: self.gflops,
                region: self.region,
            },
        }
    }
}

/// What is offered: `FLOOR`, or `FLOOR..CEILING`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Price {
    floor: Amount,
    ceiling: Amount,
}

impl FromStr for Price {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (floor, ceiling) = text.split_once("..").unwrap_or((text, text));
        let (floor, ceiling) = (floor.parse()?, ceiling.parse()?);
        if floor > ceiling {
            return Err(format!(
                "the price cannot rise from {floor} to {ceiling} CIRO"
            ));
        }
        Ok(Self { floor, ceiling })
    }
}

/// What a job asks for: a model on samples.
pub struct Run {
    /// The model.
    pub id: ModelId,
    /// How many samples, at most as many as a job may have.
    pub batch: u32,
    /// The samples as the model takes them.
    pub input: Vec<i8>,
}

impl Run {
    /// Reads the files of the model and the samples. The model's name takes a while, which the step tells.
    pub fn read(model: &Path, samples: &Path, output: Output) -> Result<(Self, Step)> {
        let model = read_model(model)?;
        let samples = npy::read_samples(samples, &model)?;
        let batch = check_size(&model, samples.batch)?;
        let input = model.quantise(&samples.values)?;
        let step = output.progress("preparing the model");
        let id = ModelId(Prover::new(&model)?.key().id());
        Ok((Self { id, batch, input }, step))
    }
}

/// The number of samples, if one job may be of so many.
fn check_size(model: &Model, batch: usize) -> Result<u32> {
    let most = max_batch(model);
    ensure!(
        batch <= most,
        "a job of this model covers at most {most} samples and these are {batch}: split the file"
    );
    for (what, values, most) in [
        ("input", model.inputs(), MAX_INPUT),
        ("output", model.outputs(), MAX_OUTPUT),
    ] {
        ensure!(
            values * batch <= most,
            "a job's {what} holds at most {most} values and {batch} samples have {}: submit at most {} at once",
            values * batch,
            most / values
        );
    }
    Ok(batch as u32)
}

async fn running_server(store: &BlobStore) -> Result<String> {
    const ADVICE: &str = "start `ciro blob serve`, or give --serve or --locator";
    let Some(url) = store.server() else {
        bail!("nothing serves the blob store, so no worker could fetch the input: {ADVICE}");
    };
    let reachable = match url.strip_prefix("http://") {
        Some(address) if address.parse::<SocketAddr>().is_ok() => {
            TcpStream::connect(address).await.is_ok()
        }
        // A public address may be behind a proxy that this machine does not reach.
        _ => true,
    };
    ensure!(
        reachable,
        "the blob server at {url} does not answer any more: {ADVICE}"
    );
    Ok(url)
}

async fn serve_until_settled(
    server: Server,
    client: &Client,
    job: JobId,
    output: Output,
) -> Result<Report> {
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(server.run(async {
        let _ = stopped.await;
    }));
    let step = output.progress(format!("serving the input of job {job}"));
    let ending = tokio::select! {
        ending = settle::wait(client, job, None, &step) => ending?,
        () = interrupted() => settle::Ending::TimedOut,
    };
    drop(step);
    drop(stop);
    // A worker that keeps its connection open must not keep this program.
    if let Ok(served) = tokio::time::timeout(Duration::from_secs(2), serving).await {
        served.context("the blob server failed")??;
    }
    Ok(ending.report(job))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_fixed_or_rise() {
        let price = |text: &str| {
            text.parse::<Price>()
                .map(|price| (price.floor.0, price.ceiling.0))
        };
        let unit = ciro_client::CIRO;
        assert_eq!(price("2"), Ok((2 * unit, 2 * unit)));
        assert_eq!(price("0.5..2"), Ok((unit / 2, 2 * unit)));
        for text in ["", "..", "1..", "..2", "2..1", "1...2", "1..2..3"] {
            assert!(price(text).is_err(), "{text}");
        }
    }
}
