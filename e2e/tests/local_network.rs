//! Four validators on the chain `local`: GRANDPA finalises the same blocks everywhere, and BEEFY follows.

use anyhow::{ensure, Context, Result};
use ciro_client::{Client, Hash};
use ciro_e2e::{until, Devnet, Node};
use serde_json::{json, Value};
use std::time::Duration;

/// Longest wait for one step.
const STEP: Duration = Duration::from_secs(180);

/// Blocks that must be finalised, and blocks that BEEFY must be at.
const FINALISED: u64 = 8;
const BEEFY: u64 = 4;

/// Number of the block that BEEFY signed last; nothing before it is at work.
async fn beefy(node: &Node) -> Result<Option<u64>> {
    let Ok(head) = node.rpc("beefy_getFinalizedHead", json!([])).await else {
        return Ok(None);
    };
    let header = node.rpc("chain_getHeader", json!([head])).await?;
    Ok(Some(number(&header)?))
}

fn number(header: &Value) -> Result<u64> {
    let digits = header["number"]
        .as_str()
        .context("a header without a number")?;
    Ok(u64::from_str_radix(digits.trim_start_matches("0x"), 16)?)
}

/// The hash that a client's node gives a finalised block.
async fn finalised(client: &Client, number: u64) -> Result<Hash> {
    let state = client.finalised().await?;
    ensure!(state.number() >= number, "block {number} is not finalised");
    state
        .hash_of(number)
        .await?
        .with_context(|| format!("there is no block {number}"))
}

async fn consensus(network: &mut Devnet) -> Result<()> {
    let mut clients = Vec::new();
    for node in &network.nodes {
        clients.push(node.client().await?);
    }
    for (index, client) in clients.iter().enumerate() {
        until(
            &format!("validator {index} finalises block {FINALISED}"),
            STEP,
            async || {
                for node in &mut network.nodes {
                    node.process.check()?;
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
                Ok((client.finalised().await?.number() >= FINALISED).then_some(()))
            },
        )
        .await?;
    }
    for block in 1..=FINALISED {
        let first = finalised(&clients[0], block).await?;
        for client in &clients[1..] {
            ensure!(
                finalised(client, block).await? == first,
                "the validators finalised different blocks {block}"
            );
        }
    }
    for (index, node) in network.nodes.iter().enumerate() {
        until(
            &format!("validator {index} has the other three for peers"),
            STEP,
            async || {
                tokio::time::sleep(Duration::from_millis(200)).await;
                let health = node.rpc("system_health", json!([])).await?;
                Ok((health["peers"] == 3).then_some(()))
            },
        )
        .await?;
        until(
            &format!("BEEFY reaches block {BEEFY} at validator {index}"),
            STEP,
            async || {
                tokio::time::sleep(Duration::from_millis(200)).await;
                Ok(beefy(node)
                    .await?
                    .is_some_and(|number| number >= BEEFY)
                    .then_some(()))
            },
        )
        .await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn four_validators_agree() {
    let mut network = Devnet::local().await.unwrap();
    // The unwrapped error panics while the nodes are there, which prints what they said last.
    consensus(&mut network).await.unwrap();
}
