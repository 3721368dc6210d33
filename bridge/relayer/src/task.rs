//! Tasks that go on for as long as the relayer runs, whatever fails.

use crate::{backoff::Backoff, ciro::Ciro, metrics::Metrics};
use anyhow::Result;
use async_trait::async_trait;
use std::time::Duration;
use tokio::time::sleep;
use tracing::warn;

/// Pauses after failures.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Something that is done step by step.
#[async_trait]
pub trait Task: Send {
    /// Its name in logs and metrics.
    fn name(&self) -> String;

    /// The connection that it uses.
    fn ciro(&self) -> &Ciro;

    /// Where its successes are noted.
    fn metrics(&self) -> &Metrics;

    /// Does a part of what there is to do; whether there may be more.
    async fn step(&mut self) -> Result<bool>;

    /// Waits until there may be something to do again.
    async fn rest(&mut self);
}

/// Runs a task. A step that fails is tried again, after pauses that double.
pub async fn run(mut task: impl Task) {
    let name = task.name();
    task.metrics().succeeded(&name);
    let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    loop {
        match task.step().await {
            Ok(busy) => {
                task.metrics().succeeded(&name);
                backoff.reset();
                if !busy {
                    task.rest().await;
                }
            }
            Err(problem) => {
                let pause = backoff.failed();
                warn!("{name}: {problem:#}; trying again in {pause:?}");
                task.ciro().check().await;
                sleep(pause).await;
            }
        }
    }
}
