//! The network of `zombienet/local.toml`, with real nodes that are killed, restarted, added, and run twice, and two
//! workers whose jobs are paid all the while.
//!
//! The steps share one network, for a node takes 13 seconds of a processor to start. Each prints how long it took.

use anyhow::{ensure, Context, Result};
use ciro_client::{keypair, Client, CIRO};
use ciro_e2e::{
    all_advance, all_reach, eventually, paid, repository, step, Array, BlobServer, Ciro, Devnet,
    Member, Node, Requester, Worker,
};
use ciro_primitives::{JobId, ModelId};
use ciro_zkml_model::Model;
use serde_json::{json, Value};
use std::{fs, time::Duration};

/// Blocks that the chain gets on by while something is looked at.
const ALIVE: u64 = 5;

/// Longest time from a job's submission to its payment.
const PAYMENT: Duration = Duration::from_secs(240);

/// Accounts of the workers.
const WORKERS: [&str; 2] = ["//Eve", "//Ferdie"];

/// Validators by their place in the file.
const ALICE: usize = 0;
const CHARLIE: usize = 2;
const DAVE: usize = 3;

/// `Offences::ConcurrentReportsIndex`, which has a key for every kind and time of offence.
const OFFENCES: &str = "0xd5c41b52a371aa36c9254ce34324f2a560dc8ef000cdbdc859dd352229ce16fb";

/// Two workers and who gives them work, on the first node, which is never killed.
struct Market {
    client: Client,
    blobs: BlobServer,
    model: ModelId,
    input: Vec<i8>,
    workers: Vec<Worker>,
}

impl Market {
    /// Submits a job, and gives its number once that is final.
    async fn submit(&self) -> Result<JobId> {
        let requester = Requester {
            client: &self.client,
            signer: keypair("//Bob")?,
            blobs: &self.blobs,
        };
        let submitted = requester.submit(self.model, 1, &self.input, CIRO).await?;
        submitted.job().await
    }

    /// Waits for a job's payment.
    async fn paid(&mut self, job: JobId) -> Result<()> {
        self.workers.iter_mut().try_for_each(Worker::check)?;
        paid(&self.client, job, PAYMENT).await.map(drop)
    }
}

async fn four_validators_start() -> Result<Devnet> {
    Devnet::local().await
}

async fn two_workers_join(network: &Devnet) -> Result<Market> {
    let (url, folder) = (network.first().url(), network.folder());
    let file = Worker::models_of("worker-0", folder).join("digits.ciro");
    fs::create_dir_all(Worker::models_of("worker-0", folder))?;
    let model = Ciro::new(&url)?
        .register_example("digits.onnx", "digits-calibration.npy", &file, "//Alice")
        .await?;
    Worker::share_models("worker-0", "worker-1", folder)?;
    let mut workers = Vec::new();
    for (index, secret) in WORKERS.iter().enumerate() {
        workers.push(Worker::start(
            &format!("worker-{index}"),
            folder,
            &url,
            secret,
        )?);
    }
    let quantised = Model::decode_file(&fs::read(&file)?)?;
    let images = Array::read(&repository("models/digits-test-x.npy"))?.floats()?;
    Ok(Market {
        client: network.first().client().await?,
        blobs: BlobServer::start(folder).await?,
        model,
        input: quantised.quantise(&images[..quantised.columns()])?,
        workers,
    })
}

async fn a_job_is_paid(market: &mut Market) -> Result<()> {
    let job = market.submit().await?;
    market.paid(job).await
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

async fn two_of_four_finalise_nothing_until_a_third_returns(
    network: &mut Devnet,
    market: &mut Market,
) -> Result<()> {
    let job = market.submit().await?;
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
    all_advance(&network.nodes).await?;
    market.paid(job).await
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
    eventually("the equivocation is on the chain", async || {
        Ok((!offences(network.first()).await?.is_empty()).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_network_survives_what_happens_to_validators() {
    let network = &mut step!(four_validators_start());
    step!(validators_finalise_the_same_blocks(network));
    let market = &mut step!(two_workers_join(network));
    step!(a_job_is_paid(market));
    step!(three_of_four_go_on(network));
    step!(a_job_is_paid(market));
    step!(two_of_four_finalise_nothing_until_a_third_returns(
        network, market
    ));
    step!(beefy_resumes_after_three_of_four_restart_at_once(network));
    step!(a_job_is_paid(market));
    step!(a_node_joins_by_warp_sync(network));
    step!(a_validator_that_runs_twice_is_reported(network));
}
