//! `ciro-worker` claims jobs of the models it has, runs and proves them, and gets paid.
//!
//! It may be killed at any moment: everything it needs to go on is on the chain or in its [`journal`]. At its start it sees
//! to its registration and, if told to, to its stake ([`membership`]); while it runs it sends heartbeats.

mod blob;
mod choice;
mod decision;
mod executor;
mod heartbeat;
mod journal;
mod membership;
mod metrics;
mod scheduler;

use anyhow::{bail, ensure, Context, Result};
use ciro_client::{
    account, keypair, keypair_from_file,
    types::{Capabilities, Region, MAX_GPU_MODEL},
    AccountId, Amount, Client, Error, Keypair,
};
use ciro_primitives::MAX_BATCH;
use clap::Parser;
use executor::Executor;
use heartbeat::Heart;
use journal::Journal;
use membership::{Terms, Unfit};
use metrics::Metrics;
use scheduler::{Scheduler, Settings};
use std::{
    io::IsTerminal, net::SocketAddr, path::PathBuf, process::exit, sync::Arc, time::Duration,
};
use substrate_prometheus_endpoint::{init_prometheus, Registry};
use tokio::{
    signal::unix::{signal, SignalKind},
    sync::watch,
    time::sleep,
};
use tracing::{error, info, warn};
use tracing_subscriber::EnvFilter;

/// How long one request for an input may take.
const FETCH_TIMEOUT: Duration = Duration::from_secs(30);

/// Pause before the node is tried again; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Ciro's worker: claims jobs of the models it has, runs and proves them, and submits the results.
///
/// Give it an account of its own: it takes every transaction of the account for one of its own. What it logs is set by
/// RUST_LOG, for instance RUST_LOG=ciro_worker=debug.
#[derive(Parser)]
#[command(name = "ciro-worker", version)]
struct Arguments {
    /// RPC address of a node.
    #[arg(
        long,
        env = "CIRO_NODE",
        default_value = "ws://127.0.0.1:9944",
        value_name = "URL"
    )]
    node: String,
    /// File whose only line is the secret of the worker's account.
    #[arg(long, env = "CIRO_KEY_FILE", value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// The secret itself. Other users of the machine can see arguments: prefer --key-file or the variable.
    #[arg(long, env = "CIRO_SURI", hide_env_values = true, value_name = "SECRET")]
    suri: Option<String>,
    /// Account that is paid; the worker's own if it is left out.
    #[arg(long, value_name = "ADDRESS")]
    payee: Option<String>,
    /// Folder of the models (.ciro) to serve. Files may come and go while the worker runs.
    #[arg(long, value_name = "FOLDER")]
    models: PathBuf,
    /// Folder in which the worker keeps what it must not forget.
    #[arg(long, value_name = "FOLDER")]
    state: PathBuf,
    /// Stake of its own to top up to, and to work with. Without it the account must have one.
    #[arg(long, value_name = "CIRO")]
    stake: Option<Amount>,
    /// Where the machine stands: north-america, europe, asia-pacific or other.
    #[arg(long, default_value = "other", value_name = "REGION")]
    region: Region,
    /// Name of the machine's GPU, if it has one that proves.
    #[arg(long, default_value = "", value_name = "NAME")]
    gpu: String,
    /// Memory in MiB: the GPU's, if there is one; the machine's if it is left out.
    #[arg(long, value_name = "MIB")]
    memory: Option<u32>,
    /// Throughput in 10^9 operations a second; guessed by the number of cores if it is left out.
    #[arg(long, value_name = "GFLOPS")]
    gflops: Option<u32>,
    /// Jobs to have at once.
    #[arg(long, default_value_t = 4, value_name = "N")]
    max_jobs: usize,
    /// Samples of several jobs of a model to prove together, at most: a proof of many costs little more than one of few. Jobs
    /// that are ready are taken together, and none waits for others to come. 1 proves each job by itself.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=MAX_BATCH as i64), value_name = "SAMPLES")]
    batch: u32,
    /// Least price per sample to work for, in base units (10^18 are one CIRO).
    #[arg(long, default_value_t = 0, value_name = "UNITS")]
    min_price: u128,
    /// Blocks that a job must leave until its deadline besides the time to prove it.
    #[arg(long, default_value_t = 30, value_name = "BLOCKS")]
    margin: u64,
    /// Address at which Prometheus finds the worker's metrics; nowhere if it is left out.
    #[arg(long, value_name = "IP:PORT")]
    metrics: Option<SocketAddr>,
}

impl Arguments {
    fn capabilities(&self) -> Result<Capabilities> {
        ensure!(
            self.gpu.len() <= MAX_GPU_MODEL,
            "--gpu: the name has more than {MAX_GPU_MODEL} bytes"
        );
        Ok(Capabilities {
            gpu_model: self.gpu.clone().into_bytes(),
            memory: self.memory.unwrap_or_else(membership::memory),
            gflops: self.gflops.unwrap_or_else(membership::gflops),
            region: self.region,
            peer_address: Vec::new(),
        })
    }

    fn signer(&self) -> Result<Keypair> {
        match (&self.key_file, &self.suri) {
            (Some(file), _) => Ok(keypair_from_file(file)?),
            (None, Some(suri)) => Ok(keypair(suri)?),
            (None, None) => {
                bail!("no account to work as: give --key-file or --suri, or set CIRO_SURI")
            }
        }
    }

    fn payee(&self, own: AccountId) -> Result<AccountId> {
        match &self.payee {
            None => Ok(own),
            Some(text) => text
                .parse()
                .ok()
                .with_context(|| format!("--payee: \"{text}\" is not an account's address (SS58)")),
        }
    }
}

#[tokio::main]
async fn main() {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("ciro_worker=info,warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    // Leaving at once ends a proof in the making too: it is made again after the next start.
    match work(Arguments::parse()).await {
        Ok(()) => exit(0),
        Err(problem) => {
            error!("{problem:#}");
            exit(1);
        }
    }
}

async fn work(arguments: Arguments) -> Result<()> {
    let signer = arguments.signer()?;
    let me = account(&signer);
    let payee = arguments.payee(me)?;
    ensure!(arguments.max_jobs > 0, "--max-jobs 0 leaves nothing to do");
    let capabilities = arguments.capabilities()?;
    let mut stop = stop_signal()?;
    let source = blob::Http::new(FETCH_TIMEOUT).context("cannot make an HTTP client")?;
    let executor = Arc::new(Executor::new(arguments.models.clone(), Box::new(source)));
    let scanner = executor.clone();
    tokio::task::spawn_blocking(move || scanner.rescan()).await??;

    let Some(client) = connect(&arguments.node, &mut stop).await? else {
        return Ok(());
    };
    let genesis = client.genesis();
    let journal = Journal::open(&arguments.state, genesis, &me)?;
    let heart = Heart::open(journal.folder(), genesis.0, me)?;
    let terms = Terms {
        capabilities: capabilities.clone(),
        heartbeat_key: heart.key(),
        stake: arguments.stake.map(|stake| stake.0),
    };
    let settings = Settings {
        signer: signer.clone(),
        payee,
        capabilities,
        max_jobs: arguments.max_jobs,
        batch: arguments.batch,
        min_price: arguments.min_price,
        margin: arguments.margin,
    };
    let metrics = metrics(arguments.metrics)?;
    let mut scheduler = Scheduler::new(settings, genesis.0, journal, executor, heart, metrics);
    let mut connected = Some(client);
    while let Some(client) = connected {
        ensure!(
            client.genesis() == genesis,
            "{} serves another chain now than when the worker started",
            arguments.node
        );
        let joined = tokio::select! {
            joined = membership::join(&client, &signer, &terms) => joined,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let worked = match joined {
            Ok(()) => scheduler.run(&client, &mut stop).await,
            Err(problem) => Err(problem),
        };
        match worked {
            Ok(()) => break,
            // Only the chain and the connection are worth another try; a journal that cannot be written is not, nor is
            // an account that may not work.
            Err(problem) if is_lasting(&problem) => return Err(problem),
            Err(problem) => warn!("{problem:#}: connecting again"),
        }
        drop(client);
        sleep(FIRST_PAUSE).await;
        connected = connect(&arguments.node, &mut stop).await?;
    }
    info!("stopped");
    Ok(())
}

/// The worker's metrics, served at an address if there is one.
fn metrics(address: Option<SocketAddr>) -> Result<Metrics> {
    let registry = Registry::new();
    let metrics = Metrics::register(&registry)?;
    if let Some(address) = address {
        tokio::spawn(async move {
            // A worker earns without its metrics too.
            if let Err(problem) = init_prometheus(address, registry).await {
                error!("no metrics: {problem}");
            }
        });
    }
    Ok(metrics)
}

/// Connects to the node, however long that takes; nothing if the worker is to stop. A node of another kind of chain
/// is an error.
async fn connect(node: &str, stop: &mut watch::Receiver<bool>) -> Result<Option<Client>> {
    let mut pause = FIRST_PAUSE;
    loop {
        let connected = tokio::select! {
            connected = Client::connect(node) => connected,
            _ = stop.wait_for(|stop| *stop) => return Ok(None),
        };
        match connected {
            Ok(client) => return Ok(Some(client)),
            Err(problem @ Error::NotCiro { .. }) => return Err(problem.into()),
            Err(problem) => warn!("{problem}; trying again in {pause:?}"),
        }
        tokio::select! {
            () = sleep(pause) => {}
            _ = stop.wait_for(|stop| *stop) => return Ok(None),
        }
        pause = (2 * pause).min(LONGEST_PAUSE);
    }
}

fn is_lasting(problem: &anyhow::Error) -> bool {
    problem.downcast_ref::<std::io::Error>().is_some()
        || problem.downcast_ref::<Unfit>().is_some()
        || problem.downcast_ref::<codec::Error>().is_some()
}

/// Turns true at SIGINT or SIGTERM.
fn stop_signal() -> Result<watch::Receiver<bool>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        info!("stopping");
        let _ = sender.send(true);
        // A sender that is dropped would look like an error to those who wait.
        std::future::pending::<()>().await;
    });
    Ok(receiver)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn only_trouble_here_is_lasting() {
        let disk = std::io::Error::other("full");
        assert!(is_lasting(
            &anyhow::Error::from(disk).context("cannot write")
        ));
        assert!(!is_lasting(&Error::Rejected("x".into()).into()));
        assert!(!is_lasting(&anyhow::anyhow!(
            "the node closed the connection"
        )));
    }
}
