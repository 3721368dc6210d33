//! Ciro's relayer: carries what Ciro and the contracts on other chains say to each other.
//!
//! It is trusted with nothing: contracts check what it brings, and Ciro believes attesters, of whom it may be one. It may
//! be killed at any moment, run several times, and forget everything, as the chains' own state says what is left to do:
//! [`outbound`] follows the validators and delivers messages, [`inbound`] attests what contracts have sent, and [`fisherman`]
//! watches what others have shown to the contracts.

mod backoff;
mod ciro;
pub mod config;
pub mod destination;
pub mod evm;
mod fisherman;
mod inbound;
mod journal;
mod metrics;
mod outbound;
mod plan;
mod rpc;
pub mod starknet;
mod task;

use anyhow::{ensure, Result};
use backoff::Backoff;
use ciro::{Ciro, Head};
use ciro_bridge_primitives::{self as bridge, lane_id, Word};
use ciro_client::{account, keypair_from_file, Keypair};
use config::{Config, Kind};
use destination::Destination;
use fisherman::{Fisherman, Reporter};
use inbound::{Attester, Inbound};
use journal::Journal;
use metrics::Metrics;
use outbound::{Contract, Outbound};
use std::{path::PathBuf, sync::Arc, time::Duration};
use task::Task;
use tokio::{
    signal::unix::{signal, SignalKind},
    time::sleep,
};
use tracing::{error, info};

/// Relays until the process is told to end.
///
/// # Errors
/// A key that cannot be read, a state folder or an address that cannot be used, or no node of Ciro. Of the other chains
/// none keeps the others waiting.
pub async fn relay(config: Config) -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let ciro = Arc::new(Ciro::connect(&config.ciro.node).await?);
    let (attester, reporter) = keys(&config.ciro)?;
    for destination in &config.destinations {
        config::secret_from_file(&destination.key_file)?;
    }
    let relay = Arc::new(Relay {
        head: ciro.follow(),
        journal: Arc::new(Journal::open(&config.state, &ciro.genesis())?),
        metrics: Metrics::new()?,
        attester: attester.map(|key| Arc::new(Attester::new(key))),
        reporter: reporter.map(|key| Arc::new(Reporter::new(key))),
        ciro,
    });
    if let Some(address) = config.metrics {
        relay.metrics.clone().serve(address).await?;
    }
    for destination in config.destinations {
        tokio::spawn(relay.clone().serve(destination));
    }
    // Leaving at once is no worse than being killed.
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    info!("stopped");
    Ok(())
}

/// The keys of who acts on Ciro. They need accounts of their own, as each waits for its transactions one by one.
fn keys(config: &config::Ciro) -> Result<(Option<Keypair>, Option<Keypair>)> {
    let read = |file: &Option<PathBuf>| file.as_deref().map(keypair_from_file).transpose();
    let attester = read(&config.attester_key_file)?;
    let reporter = read(&config.fisherman_key_file)?;
    if let (Some(attester), Some(reporter)) = (&attester, &reporter) {
        ensure!(
            account(attester) != account(reporter),
            "attester_key_file and fisherman_key_file hold the same key: give each an account of its own"
        );
    }
    Ok((attester, reporter))
}

/// What all tasks share.
struct Relay {
    ciro: Arc<Ciro>,
    head: Head,
    journal: Arc<Journal>,
    metrics: Arc<Metrics>,
    attester: Option<Arc<Attester>>,
    reporter: Option<Arc<Reporter>>,
}

impl Relay {
    /// Starts the tasks of a destination, as soon as it answers.
    async fn serve(self: Arc<Self>, described: config::Destination) {
        self.metrics.succeeded(&described.name);
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));
        while let Err(problem) = self.start(&described).await {
            let pause = backoff.failed();
            error!("{}: {problem:#}; trying again in {pause:?}", described.name);
            sleep(pause).await;
        }
        self.metrics.ended(&described.name);
    }

    /// Starts the tasks of a destination, once it is clear that its contracts follow this chain.
    async fn start(&self, described: &config::Destination) -> Result<()> {
        let destination: Arc<dyn Destination> = match described.kind {
            Kind::Evm => Arc::new(evm::Evm::connect(described).await?),
            Kind::Starknet => Arc::new(starknet::Starknet::connect(described).await?),
        };
        let genesis = destination.genesis().await?;
        ensure!(
            genesis == self.ciro.genesis(),
            "its client follows another chain of Ciro, whose first block is 0x{}",
            hex::encode(genesis)
        );
        let contracts: Vec<Contract> = described
            .contracts
            .iter()
            .map(|address| self.contract(&*destination, address))
            .collect();
        for contract in &contracts {
            info!("{}: serving the lane {}", described.name, contract.lane);
        }
        let outbound = Outbound::new(
            described,
            self.ciro.clone(),
            self.head.clone(),
            destination.clone(),
            &contracts,
            self.journal.clone(),
            self.metrics.clone(),
        );
        self.spawn(format!("{} outbound", described.name), outbound);
        if let Some(reporter) = &self.reporter {
            let fisherman = Fisherman {
                name: described.name.clone(),
                ciro: self.ciro.clone(),
                client: self.contract(&*destination, &described.client).lane,
                destination: destination.clone(),
                from_block: described.from_block,
                reporter: reporter.clone(),
                journal: self.journal.clone(),
                metrics: self.metrics.clone(),
            };
            self.spawn(format!("{} fisherman", described.name), fisherman);
        }
        let Some(attester) = &self.attester else {
            return Ok(());
        };
        for contract in contracts {
            let name = format!("{} inbound {}", described.name, contract.lane);
            let inbound = Inbound {
                name: described.name.clone(),
                ciro: self.ciro.clone(),
                destination: destination.clone(),
                contract,
                from_block: described.from_block,
                attester: attester.clone(),
                journal: self.journal.clone(),
                metrics: self.metrics.clone(),
            };
            self.spawn(name, inbound);
        }
        Ok(())
    }

    fn spawn(&self, name: String, task: impl Task + 'static) {
        tokio::spawn(task::run(
            name,
            self.ciro.clone(),
            self.metrics.clone(),
            task,
        ));
    }

    fn contract(&self, destination: &dyn Destination, address: &Word) -> Contract {
        let leads_to = bridge::Destination {
            kind: destination.kind(),
            chain_id: destination.chain_id(),
            contract: *address,
        };
        Contract {
            address: *address,
            lane: lane_id(&self.ciro.genesis(), &leads_to),
        }
    }
}
