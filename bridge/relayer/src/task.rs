//! Tasks that go on for as long as the relayer runs, whatever fails.

use crate::{backoff::Backoff, ciro::Ciro, metrics::Metrics};
use anyhow::Result;
use async_trait::async_trait;
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;
use tracing::warn;

/// Pauses after failures.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Something that is done step by step.
#[async_trait]
pub trait Task: Send {
    /// Does a part of what there is to do; whether there may be more.
    async fn step(&mut self) -> Result<bool>;

    /// Waits until there may be something to do again.
    async fn rest(&mut self);
}

/// Runs a task under this name, which logs and metrics have, too. A step that fails is tried again, after pauses that double
/// and a look at the connection to Ciro.
pub async fn run(name: String, ciro: Arc<Ciro>, metrics: Arc<Metrics>, mut task: impl Task) {
    metrics.succeeded(&name);
    let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    loop {
        match task.step().await {
            Ok(busy) => {
                metrics.succeeded(&name);
                backoff.reset();
                if !busy {
                    task.rest().await;
                }
            }
            Err(problem) => {
                let pause = backoff.failed();
                warn!("{name}: {problem:#}; trying again in {pause:?}");
                ciro.check().await;
                sleep(pause).await;
            }
        }
    }
}
