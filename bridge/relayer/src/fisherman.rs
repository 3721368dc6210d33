//! Looks at what a client was shown: validators who have signed another root than Ciro's are reported there, and lose their
//! stake.

use crate::{
    ciro::Ciro,
    destination::Destination,
    journal::Journal,
    metrics::{Metrics, Purpose},
    task::Task,
};
use anyhow::{Context, Result};
use async_trait::async_trait;
use ciro_bridge_primitives::{LaneId, Update};
use ciro_client::{Client, Error, Keypair};
use std::{sync::Arc, time::Duration};
use tokio::{sync::Mutex, time::sleep};
use tracing::{error, info};

/// Pause between two looks for new blocks.
const PAUSE: Duration = Duration::from_secs(6);
/// Blocks that are searched at once.
const STRETCH: u64 = 1_000;

/// The error of a report that another one has preceded.
const KNOWN: &str = "Beefy.DuplicateOffenceReport";

/// Who reports. One report is sent after the other, as each needs the nonce after the last one's.
pub struct Reporter {
    signer: Keypair,
    sending: Mutex<()>,
}

impl Reporter {
    /// By its key.
    pub fn new(signer: Keypair) -> Self {
        Self {
            signer,
            sending: Mutex::default(),
        }
    }
}

/// Who watches one client.
pub struct Fisherman {
    /// Name of the destination.
    pub name: String,
    /// Ciro.
    pub ciro: Arc<Ciro>,
    /// The destination.
    pub destination: Arc<dyn Destination>,
    /// What the client would have as a lane: its name in the journal.
    pub client: LaneId,
    /// First block in which it may have been shown something.
    pub from_block: u64,
    /// Who reports.
    pub reporter: Arc<Reporter>,
    /// How far the relayer has looked.
    pub journal: Arc<Journal>,
    /// What the relayer tells.
    pub metrics: Arc<Metrics>,
}

#[async_trait]
impl Task for Fisherman {
    async fn step(&mut self) -> Result<bool> {
        self.catch_up().await.map(|()| false)
    }

    async fn rest(&mut self) {
        sleep(PAUSE).await;
    }
}

impl Fisherman {
    /// Looks at what was shown in blocks that have become final.
    async fn catch_up(&self) -> Result<()> {
        let last = self.destination.final_block().await?;
        let known = self.journal.progress(self.client).scanned;
        let mut from = known.max(self.from_block);
        while from <= last {
            let to = last.min(from + STRETCH - 1);
            let updates = self.destination.updates(from, to).await?;
            if !updates.is_empty() {
                let client = self.ciro.client().await?;
                for update in &updates {
                    self.look(&client, update).await?;
                }
            }
            self.journal.note(self.client, |it| it.scanned = to + 1)?;
            from = to + 1;
        }
        Ok(())
    }

    /// Compares an update with the chain, and reports whoever has signed it if it is another.
    async fn look(&self, client: &Client, update: &Update) -> Result<()> {
        let votes = client.false_votes(update).await?;
        let _guard = self.reporter.sending.lock().await;
        for vote in votes {
            let block = vote.commitment.block;
            error!(
                "{}: the validator 0x{} has signed another root of block {block} than Ciro's",
                self.name,
                hex::encode(vote.authority)
            );
            let reported = client.report_vote(&vote, &self.reporter.signer).await;
            match reported {
                Err(Error::Dispatch { name, .. }) if name == KNOWN => {
                    info!("it was reported before");
                }
                reported => {
                    self.metrics
                        .sent(&self.name, Purpose::Report, reported.is_ok());
                    reported.context("reporting the validator")?;
                    info!("the validator is reported");
                }
            }
        }
        Ok(())
    }
}
