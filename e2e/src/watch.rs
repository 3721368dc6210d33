//! Waiting for nodes and for the chain that they make.

use crate::{until, Node};
use anyhow::{ensure, Result};
use ciro_client::types::Balance;
use std::time::Duration;

/// Longest wait for one thing: blocks that take minutes on a busy machine are late, not missing.
const LIMIT: Duration = Duration::from_secs(240);

/// Pause between two questions to a node.
const PAUSE: Duration = Duration::from_millis(200);

/// Blocks by which the chain must get on to count as alive.
const ALIVE: u64 = 5;

/// Asks a node again and again until there is something to see; an error after minutes in vain.
pub async fn eventually<T>(
    what: &str,
    mut ask: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    until(what, LIMIT, async || {
        tokio::time::sleep(PAUSE).await;
        ask().await
    })
    .await
}

/// Waits until something is exactly so much, and stays so.
pub async fn becomes(
    what: &str,
    expected: Balance,
    read: impl AsyncFn() -> Result<Balance>,
) -> Result<()> {
    eventually(what, async || {
        let found = read().await?;
        ensure!(
            found <= expected,
            "{what}: {found} is more than the {expected} that were sent"
        );
        Ok((found == expected).then_some(()))
    })
    .await
}

/// Waits until a number that nodes tell is at least `goal` at all of them.
pub async fn all_reach<'a>(
    what: &str,
    nodes: impl IntoIterator<Item = &'a Node>,
    goal: u64,
    number: impl AsyncFn(&Node) -> Result<u64>,
) -> Result<()> {
    for node in nodes {
        eventually(what, async || {
            Ok((number(node).await? >= goal).then_some(()))
        })
        .await?;
    }
    Ok(())
}

/// Waits until GRANDPA and BEEFY have got on at all nodes, of which there is at least one.
pub async fn all_advance(nodes: &[Node]) -> Result<()> {
    let goal = nodes[0].best().await? + ALIVE;
    all_reach("GRANDPA gets on", nodes, goal, Node::finalised).await?;
    all_reach("BEEFY gets on", nodes, goal, Node::beefy).await
}

/// Awaits a step of a test, `step!(name(arguments))`, and prints how long it took. If it fails, it panics while the
/// processes are there, which prints what they said last.
#[macro_export]
macro_rules! step {
    ($step:ident($($argument:expr),*)) => {{
        let start = std::time::Instant::now();
        let outcome = $step($($argument),*).await.unwrap();
        println!(
            "{}: {} s",
            stringify!($step).replace('_', " "),
            start.elapsed().as_secs()
        );
        outcome
    }};
}
