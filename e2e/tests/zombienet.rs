//! The network of `zombienet/local.toml`, with real nodes that are killed, restarted, added, and run twice.
//!
//! The steps share one network, for a node takes 13 seconds of a processor to start. Each prints how long it took.

use anyhow::{ensure, Context, Result};
use ciro_e2e::{until, Devnet, Member, Node};
use serde_json::{json, Value};
use std::time::{Duration, Instant};

/// Longest wait for one thing.
const LIMIT: Duration = Duration::from_secs(240);

/// Pause between two questions to a node.
const PAUSE: Duration = Duration::from_millis(200);

/// Blocks by which the chain must get on to count as alive.
const ALIVE: u64 = 5;

/// Validators by their place in the file.
const ALICE: usize = 0;
const CHARLIE: usize = 2;
const DAVE: usize = 3;

/// `Offences::ConcurrentReportsIndex`, which has a key for every kind and time of offence.
const OFFENCES: &str = "0xd5c41b52a371aa36c9254ce34324f2a560dc8ef000cdbdc859dd352229ce16fb";

/// Waits until a number that nodes tell is at least `goal` at all of them.
async fn all_reach<'a>(
    what: &str,
    nodes: impl IntoIterator<Item = &'a Node>,
    goal: u64,
    number: impl AsyncFn(&Node) -> Result<u64>,
) -> Result<()> {
    for node in nodes {
        until(what, LIMIT, async || {
            tokio::time::sleep(PAUSE).await;
            Ok((number(node).await? >= goal).then_some(()))
        })
        .await?;
    }
    Ok(())
}

/// Waits until GRANDPA and BEEFY have got on at all nodes.
async fn all_advance(nodes: &[Node]) -> Result<()> {
    let goal = nodes[0].best().await? + ALIVE;
    all_reach("GRANDPA gets on", nodes, goal, Node::finalised).await?;
    all_reach("BEEFY gets on", nodes, goal, Node::beefy).await
}

async fn restart(nodes: &mut [Node]) -> Result<()> {
    for node in nodes.iter_mut() {
        node.restart()?;
    }
    for node in nodes {
        node.ready().await?;
    }
    Ok(())
}

async fn validators_finalise_the_same_blocks(network: &mut Devnet) -> Result<()> {
    all_reach("three peers", &network.nodes, 3, async |node| {
        let health = node.rpc("system_health", json!([])).await?;
        health["peers"].as_u64().context("no number of peers")
    })
    .await?;
    all_advance(&network.nodes).await?;
    for block in 1..=network.first().finalised().await? {
        let hash = async |node: &Node| node.rpc("chain_getBlockHash", json!([block])).await;
        let expected = hash(network.first()).await?;
        for node in &network.nodes[1..] {
            all_reach("the same block is final", [node], block, Node::finalised).await?;
            ensure!(
                hash(node).await? == expected,
                "there are two blocks {block}"
            );
        }
    }
    Ok(())
}

async fn three_of_four_go_on(network: &mut Devnet) -> Result<()> {
    network.nodes[DAVE].process.kill();
    all_advance(&network.nodes[..DAVE]).await
}

async fn two_of_four_finalise_nothing_until_a_third_returns(network: &mut Devnet) -> Result<()> {
    network.nodes[CHARLIE].process.kill();
    let (left, gone) = network.nodes.split_at_mut(CHARLIE);
    // Votes that Charlie sent before may still finalise a block.
    let soon = left[0].best().await? + ALIVE;
    all_reach("blocks without finality", &*left, soon, Node::best).await?;
    let finalised = left[0].finalised().await?;
    all_reach("blocks without finality", &*left, soon + ALIVE, Node::best).await?;
    ensure!(
        left[0].finalised().await? == finalised,
        "half of the validators finalised a block"
    );
    restart(gone).await?;
    all_advance(&network.nodes).await
}

async fn beefy_resumes_after_three_of_four_restart_at_once(network: &mut Devnet) -> Result<()> {
    let three = &mut network.nodes[ALICE + 1..];
    for node in three.iter_mut() {
        node.process.kill();
    }
    restart(three).await?;
    all_advance(&network.nodes).await
}

async fn a_node_joins_by_warp_sync(network: &mut Devnet) -> Result<()> {
    let member = Member {
        name: "full-node".into(),
        args: ["--name=full-node", "--sync=warp"].map(Into::into).into(),
    };
    let node = network.join(&member).await?;
    let goal = network.first().best().await? + ALIVE;
    all_reach("the new node follows", [&node], goal, Node::finalised).await?;
    all_reach("BEEFY gets to the new node", [&node], goal, Node::beefy).await?;
    ensure!(
        node.process.log()?.contains("Warp sync is complete"),
        "the new node followed without warp sync"
    );
    Ok(())
}

/// The keys of the offences that the chain knows of, one after the other.
async fn offences(node: &Node) -> Result<String> {
    let keys = node
        .rpc("state_getKeysPaged", json!([OFFENCES, 10]))
        .await?;
    let keys = keys.as_array().context("not a list of keys")?;
    Ok(keys.iter().filter_map(Value::as_str).collect())
}

async fn a_validator_that_runs_twice_is_reported(network: &mut Devnet) -> Result<()> {
    ensure!(
        offences(network.first()).await?.is_empty(),
        "an offence was reported before there was one"
    );
    let twin = Member {
        name: "dave-again".into(),
        args: vec!["--dave".into()],
    };
    let _twin = network.join(&twin).await?;
    // Its blocks or its votes, whichever give it away first: it is disabled at once, and makes no others.
    until("the equivocation is on the chain", LIMIT, async || {
        tokio::time::sleep(PAUSE).await;
        Ok((!offences(network.first()).await?.is_empty()).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_network_survives_what_happens_to_validators() {
    let start = Instant::now();
    let mut network = Devnet::local().await.unwrap();
    println!("four validators started: {} s", start.elapsed().as_secs());
    // The unwrapped error panics while the nodes are there, which prints what they said last.
    macro_rules! step {
        ($step:ident) => {
            let start = Instant::now();
            $step(&mut network).await.unwrap();
            println!(
                "{}: {} s",
                stringify!($step).replace('_', " "),
                start.elapsed().as_secs()
            );
        };
    }
    step!(validators_finalise_the_same_blocks);
    step!(three_of_four_go_on);
    step!(two_of_four_finalise_nothing_until_a_third_returns);
    step!(beefy_resumes_after_three_of_four_restart_at_once);
    step!(a_node_joins_by_warp_sync);
    step!(a_validator_that_runs_twice_is_reported);
}
