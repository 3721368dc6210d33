//! Ciro's side: one connection for all tasks, and what BEEFY has finalised.

use anyhow::{ensure, Context, Result};
use ciro_bridge_primitives::Hash;
use ciro_bridge_prover::FinalityProof;
use ciro_client::Client;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{watch, Mutex},
    time::sleep,
};
use tracing::{debug, warn};

/// Pause before a lost connection is made anew.
const PAUSE: Duration = Duration::from_secs(2);

/// The newest justification that is known.
pub type Head = watch::Receiver<Option<Arc<FinalityProof>>>;

/// Ciro, by one node.
pub struct Ciro {
    node: String,
    genesis: Hash,
    client: Mutex<Option<Client>>,
}

impl Ciro {
    /// Connects to a node.
    ///
    /// # Errors
    /// It does not answer, or its chain is no chain of Ciro.
    pub async fn connect(node: &str) -> Result<Self> {
        let client = Client::connect(node).await?;
        Ok(Self {
            node: node.to_owned(),
            genesis: client.genesis().0,
            client: Mutex::new(Some(client)),
        })
    }

    /// Hash of the chain's first block.
    pub fn genesis(&self) -> Hash {
        self.genesis
    }

    /// The connection, which is made anew if [`Self::check`] has found it broken.
    ///
    /// # Errors
    /// The node does not answer, or serves another chain now.
    pub async fn client(&self) -> Result<Client> {
        let mut client = self.client.lock().await;
        if let Some(client) = client.as_ref() {
            return Ok(client.clone());
        }
        let fresh = Client::connect(&self.node).await?;
        ensure!(
            fresh.genesis().0 == self.genesis,
            "{} serves another chain now than when the relayer started",
            self.node
        );
        *client = Some(fresh.clone());
        Ok(fresh)
    }

    /// To be called when something has gone wrong: the connection is dropped if it is the cause.
    pub async fn check(&self) {
        let mut held = self.client.lock().await;
        if let Some(client) = held.as_ref() {
            if client.ping().await.is_err() {
                *held = None;
            }
        }
    }

    /// Follows what BEEFY finalises, for as long as the relayer runs.
    pub fn follow(self: &Arc<Self>) -> Head {
        let (sender, receiver) = watch::channel(None);
        let ciro = self.clone();
        tokio::spawn(async move {
            loop {
                if let Err(problem) = ciro.note_heads(&sender).await {
                    warn!("following BEEFY: {problem:#}");
                    ciro.check().await;
                }
                sleep(PAUSE).await;
            }
        });
        receiver
    }

    /// Notes every justification until the connection is lost.
    async fn note_heads(&self, head: &watch::Sender<Option<Arc<FinalityProof>>>) -> Result<()> {
        let client = self.client().await?;
        let mut coming = client.justifications().await?;
        if let Some(known) = client.newest_justification().await? {
            note(head, known);
        }
        loop {
            let next = coming.next().await;
            note(head, next.context("the node closed the subscription")??);
        }
    }
}

/// Keeps a justification if it is of a higher block than the one that is kept.
fn note(head: &watch::Sender<Option<Arc<FinalityProof>>>, proof: FinalityProof) {
    head.send_if_modified(|known| {
        let newer = known.as_ref().is_none_or(|known| known.block < proof.block);
        if newer {
            debug!(block = proof.block, set = proof.set, "BEEFY has finalised");
            *known = Some(Arc::new(proof));
        }
        newer
    });
}
