//! Ciro with an EVM chain and Starknet, and three relayers between them, each an attester, which are killed all the time:
//! tokens go to both chains and back, from one to the other, and there are always as many; a result is proven on both, and
//! another one is not.

use anyhow::{bail, ensure, Context, Result};
use ciro_bridge::starknet::Starknet;
use ciro_bridge_primitives::{keccak, word_of, LaneId, Word};
use ciro_client::{keypair, types::Balance, AccountId, Client, CIRO};
use ciro_e2e::{
    all_advance, anvil, becomes, eventually, halves, open_lane, paid, register_token, repository,
    step, who, Anvil, Array, BlobServer, Ciro, Contracts, Devnet, Relayer, Requester,
    StarknetDevnet, Target, Worker,
};
use ciro_primitives::JobId;
use ciro_zkml_model::Model;
use serde_json::Value as Json;
use std::{
    fs,
    sync::{
        atomic::{AtomicBool, AtomicU32, Ordering},
        Arc,
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{sync::Mutex, time::sleep};

const OWNER: &str = "//Alice";
const SENDER: &str = "//Bob";
const WORKER: &str = "//Charlie";
const OPENER: &str = "//Eve";
const ATTESTERS: [&str; 3] = ["//Alice", "//Bob", "//Charlie"];
/// Has nothing before something comes by the bridge.
const RECIPIENT: &str = "//Recipient";

/// Longest wait for a job to be paid.
const LIMIT: Duration = Duration::from_secs(240);

/// The account on Starknet that is no relayer's.
const USER: usize = 5;

struct Scene {
    client: Client,
    cli: Ciro,
    anvil: Anvil,
    starknet: StarknetDevnet,
    /// The user's account on Starknet.
    user: Starknet,
    evm_contracts: Contracts,
    starknet_contracts: Contracts,
    evm_lane: Word,
    starknet_lane: Word,
    relayers: Arc<Mutex<Vec<Relayer>>>,
    network: Devnet,
}

fn hex(word: &Word) -> String {
    format!("0x{}", hex::encode(word))
}

impl Scene {
    /// Sends CIRO of the sender's to another chain, and gives the message's nonce.
    async fn transfer(&self, lane: &Word, recipient: &Word, amount: &str) -> Result<u64> {
        let (lane, recipient) = (hex(lane), hex(recipient));
        let what = [lane.as_str(), &recipient, amount];
        let arguments = [&["bridge", "send"], &what[..], &["--suri", SENDER]].concat();
        let sent = self.cli.run(arguments).await?;
        sent["nonce"].as_u64().context("no nonce")
    }

    async fn evm_balance(&self) -> Result<Balance> {
        let (token, user) = (&self.evm_contracts.token, self.anvil.user_word()?);
        self.anvil
            .number(token, "balanceOf(address)", &[user])
            .await
    }

    async fn starknet_balance(&self) -> Result<Balance> {
        let token = &self.starknet_contracts.token;
        let user = anvil::word(&self.starknet.accounts[USER].address)?;
        self.starknet.number(token, "balance_of", &[user]).await
    }

    async fn ciro_balance(&self, who: &AccountId) -> Result<Balance> {
        Ok(self.client.finalised().await?.balances(who).await?.free)
    }

    /// Burns the user's tokens on the EVM chain for somebody elsewhere.
    async fn leave_evm(
        &self,
        to: &Word,
        recipient: &Word,
        ciro: u128,
        refund: &Word,
    ) -> Result<()> {
        let words = [*to, *recipient, word_of(ciro * CIRO), *refund];
        let call = anvil::calldata("bridge(bytes32,bytes32,uint256,bytes32)", &words);
        self.anvil.send(&self.evm_contracts.token, &call).await
    }

    /// Burns the user's tokens on Starknet for somebody elsewhere.
    async fn leave_starknet(
        &self,
        to: &Word,
        recipient: &Word,
        ciro: u128,
        refund: &Word,
    ) -> Result<()> {
        let amount = word_of(ciro * CIRO);
        let words = [to, recipient, &amount, refund];
        let felts: Vec<Word> = words.into_iter().flat_map(halves).collect();
        let token = &self.starknet_contracts.token;
        self.user.send(token, "bridge", &felts).await
    }

    /// What there is on each other chain is what Ciro has in its books for it; the sum of everything.
    async fn supply(&self) -> Result<Balance> {
        let state = self.client.finalised().await?;
        let outside = async |lane: &Word| -> Result<Balance> {
            let remote = state.remote(LaneId(*lane)).await?;
            Ok(remote.context("no such token")?.outside)
        };
        let evm = self.evm_contracts.token;
        let evm = self.anvil.number(&evm, "totalSupply()", &[]).await?;
        let starknet = self.starknet_contracts.token;
        let starknet = self.starknet.number(&starknet, "total_supply", &[]).await?;
        for (there, lane) in [(evm, &self.evm_lane), (starknet, &self.starknet_lane)] {
            let books = outside(lane).await?;
            ensure!(
                there == books,
                "{there} are there, and {books} in the books"
            );
        }
        Ok(state.canonical_supply().await?)
    }
}

async fn chains_and_relayers_start() -> Result<Scene> {
    let network = Devnet::local().await?;
    let folder = network.folder();
    let node = network.first().url();
    let (anvil, starknet) = tokio::try_join!(Anvil::start(folder), StarknetDevnet::start(folder))?;
    let (client, cli) = (network.first().client().await?, Ciro::new(&node)?);
    all_advance(&network.nodes).await?;

    let genesis = cli.run(["bridge", "genesis"]).await?;
    let evm_contracts = anvil.deploy(&genesis).await?;
    let starknet_contracts = starknet.deploy(&genesis).await?;
    let evm_lane = open_lane(&cli, "evm", "31337", &evm_contracts.token, OPENER).await?;
    let (chain, token) = ("SN_SEPOLIA", &starknet_contracts.token);
    let starknet_lane = open_lane(&cli, "starknet", chain, token, OPENER).await?;
    for lane in [evm_lane, starknet_lane] {
        register_token(&client, lane, OWNER).await?;
    }

    let mut relayers = Vec::new();
    for (number, attester) in ATTESTERS.iter().enumerate() {
        let account = &starknet.accounts[number + 1];
        let targets = [
            Target {
                kind: "evm",
                node: anvil.url(),
                secret: Anvil::secret(number),
                account: None,
                client: evm_contracts.client,
                contracts: vec![evm_contracts.token, evm_contracts.registry],
            },
            Target {
                kind: "starknet",
                node: starknet.url(),
                secret: &account.secret,
                account: Some(&account.address),
                client: starknet_contracts.client,
                contracts: vec![starknet_contracts.token, starknet_contracts.registry],
            },
        ];
        let name = format!("relayer-{number}");
        relayers.push(Relayer::start(&name, folder, &node, attester, &targets)?);
    }
    let user = starknet.connect(USER, starknet_contracts.client).await?;
    Ok(Scene {
        client,
        cli,
        anvil,
        starknet,
        user,
        evm_contracts,
        starknet_contracts,
        evm_lane: evm_lane.0,
        starknet_lane: starknet_lane.0,
        relayers: Arc::new(Mutex::new(relayers)),
        network,
    })
}

/// Kills relayers and starts them again, one after the other at random times, until it is told to stop.
async fn kill_all_the_time(
    relayers: Arc<Mutex<Vec<Relayer>>>,
    stop: Arc<AtomicBool>,
    kills: Arc<AtomicU32>,
) {
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let mut random = u64::from(seed.subsec_nanos()) | 1;
    println!("the kills' seed: {random}");
    let mut next = |below: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % below
    };
    while !stop.load(Ordering::Relaxed) {
        sleep(Duration::from_millis(1_000 + next(9_000))).await;
        let mut relayers = relayers.lock().await;
        let index = next(relayers.len() as u64) as usize;
        let relayer = &mut relayers[index];
        relayer.check().unwrap();
        relayer.kill();
        // It need not remember anything.
        if next(3) == 0 {
            relayer.forget().unwrap();
        }
        relayer.restart().unwrap();
        kills.fetch_add(1, Ordering::Relaxed);
    }
}

async fn tokens_go_to_starknet_and_back(scene: &Scene) -> Result<()> {
    let (user, recipient) = (
        anvil::word(&scene.starknet.accounts[USER].address)?,
        who(RECIPIENT)?,
    );
    let nonce = scene.transfer(&scene.starknet_lane, &user, "100").await?;
    becomes("the user on Starknet has it", 100 * CIRO, || {
        scene.starknet_balance()
    })
    .await?;
    let lane = hex(&scene.starknet_lane);
    let status = scene
        .cli
        .run(["bridge", "status", &lane, &nonce.to_string()])
        .await?;
    ensure!(status["status"] == "provable", "the transfer is {status}");

    let had = scene.ciro_balance(&recipient).await?;
    scene
        .leave_starknet(&LaneId::CIRO.0, &recipient.0, 60, &[0; 32])
        .await?;
    becomes("the recipient on Ciro has it", had + 60 * CIRO, || {
        scene.ciro_balance(&recipient)
    })
    .await?;
    becomes("the rest is on Starknet", 40 * CIRO, || {
        scene.starknet_balance()
    })
    .await?;
    let back = ["bridge", "status", &lane, "0", "--incoming"];
    let status = scene.cli.run(back).await?;
    ensure!(status["status"] == "done", "the way back is {status}");
    Ok(())
}

async fn tokens_go_to_the_evm_chain_and_back(scene: &Scene) -> Result<()> {
    let (user, recipient) = (scene.anvil.user_word()?, who(RECIPIENT)?);
    for _ in 0..3 {
        scene.transfer(&scene.evm_lane, &user, "50").await?;
    }
    becomes("the user on the EVM chain has it", 150 * CIRO, || {
        scene.evm_balance()
    })
    .await?;
    let had = scene.ciro_balance(&recipient).await?;
    for ciro in [10, 20] {
        scene
            .leave_evm(&LaneId::CIRO.0, &recipient.0, ciro, &[0; 32])
            .await?;
    }
    becomes("the recipient on Ciro has it", had + 30 * CIRO, || {
        scene.ciro_balance(&recipient)
    })
    .await
}

async fn tokens_go_from_one_chain_to_the_other(scene: &Scene) -> Result<()> {
    let user = anvil::word(&scene.starknet.accounts[USER].address)?;
    let refund = who(RECIPIENT)?;
    scene
        .leave_evm(&scene.starknet_lane, &user, 20, &refund.0)
        .await?;
    becomes("the user on Starknet has it", 60 * CIRO, || {
        scene.starknet_balance()
    })
    .await?;
    becomes("the rest is on the EVM chain", 100 * CIRO, || {
        scene.evm_balance()
    })
    .await
}

/// A job that was paid for a proof.
async fn a_job_is_proven_and_paid(scene: &Scene) -> Result<JobId> {
    let folder = scene.network.folder();
    let models = Worker::models_of("worker", folder);
    fs::create_dir_all(&models)?;
    let file = models.join("digits.ciro");
    let model = scene
        .cli
        .register_example("digits.onnx", "digits-calibration.npy", &file, OWNER)
        .await?;
    let blobs = BlobServer::start(folder).await?;
    let _worker = Worker::start("worker", folder, &scene.network.first().url(), WORKER)?;
    let decoded = Model::decode_file(&fs::read(&file)?)?;
    let images = Array::read(&repository("models/digits-test-x.npy"))?.floats()?;
    let input = decoded.quantise(&images[..decoded.columns()])?;
    let requester = Requester {
        client: &scene.client,
        signer: keypair(SENDER)?,
        blobs: &blobs,
    };
    let submitted = requester.submit(model, 1, &input, 4 * CIRO).await?;
    let job = submitted.job().await?;
    paid(&scene.client, job, LIMIT).await?;
    Ok(job)
}

/// What a proof's calldata is when its output is another one.
fn falsified(proof: &Json, calldata: &str) -> Result<String> {
    let output = proof["results"][0]["output_hash"].as_str();
    let output = output.context("no output")?.trim_start_matches("0x");
    ensure!(
        calldata.contains(output),
        "the proof does not say what came out"
    );
    let first = output.as_bytes()[0];
    let other = if first == b'0' { '1' } else { '0' };
    Ok(calldata.replace(output, &format!("{other}{}", &output[1..])))
}

async fn a_result_is_proven_on_the_evm_chain_and_a_false_one_is_not(
    scene: &Scene,
    job: JobId,
) -> Result<()> {
    let Contracts {
        client, registry, ..
    } = &scene.evm_contracts;
    let number = job.to_string();
    let at = provable(scene, job, || scene.anvil.number(client, "newest()", &[])).await?;
    let prove = ["result", "prove", &number, "--at", &at];
    let proof = scene.cli.run(prove).await?;
    let prove = [&prove[..], &["--calldata", "evm"]].concat();
    let calldata = scene.cli.run(prove).await?;
    let calldata = calldata["calldata"].as_str().context("no calldata")?;

    let lie = scene
        .anvil
        .send(registry, &falsified(&proof, calldata)?)
        .await;
    let reason = hex::encode(&keccak(b"WrongPath()")[..4]);
    let refused = lie.err().context("a false result was taken")?.to_string();
    ensure!(refused.contains(&reason), "it was refused as {refused}");
    let verified = async || {
        let job = word_of(job);
        scene
            .anvil
            .number(registry, "isVerified(uint64)", &[job])
            .await
    };
    ensure!(verified().await? == 0, "a false result was recorded");
    scene.anvil.send(registry, calldata).await?;
    ensure!(verified().await? == 1, "the result was not recorded");
    Ok(())
}

async fn a_result_is_proven_on_starknet_and_a_false_one_is_not(
    scene: &Scene,
    job: JobId,
) -> Result<()> {
    let Contracts {
        client, registry, ..
    } = scene.starknet_contracts;
    let newest = async || {
        let newest = scene.user.read(&client, "newest_block", &[]).await?;
        let newest = newest.first().and_then(ciro_bridge_primitives::u128_of);
        newest.context("no newest block")
    };
    let at = provable(scene, job, newest).await?;
    let number = job.to_string();
    let prove = [
        "result",
        "prove",
        &number,
        "--at",
        &at,
        "--calldata",
        "starknet",
    ];
    let calldata = scene.cli.run(prove).await?;
    let felts = calldata["calldata"].as_array().context("no calldata")?;
    let felts = felts
        .iter()
        .map(|felt| anvil::word(felt.as_str().unwrap_or_default()));
    let felts: Vec<Word> = felts.collect::<Result<_>>()?;

    let proof = scene
        .cli
        .run(["result", "prove", &number, "--at", &at])
        .await?;
    let output = anvil::word(
        proof["results"][0]["output_hash"]
            .as_str()
            .context("no output")?,
    )?;
    let place = felts.windows(2).position(|pair| pair == halves(&output));
    let mut lie = felts.clone();
    lie[place.context("the proof does not say what came out")?][31] ^= 1;
    let refused = scene.user.send(&registry, "record", &lie).await;
    ensure!(refused.is_err(), "a false result was taken");
    let recorded = async || -> Result<bool> {
        let job = [word_of(job)];
        let answer = scene.user.read(&registry, "has_result", &job).await?;
        Ok(answer == [word_of(1u8)])
    };
    ensure!(!recorded().await?, "a false result was recorded");
    scene.user.send(&registry, "record", &felts).await?;
    ensure!(recorded().await?, "the result was not recorded");
    Ok(())
}

/// A block that a client knows and in whose root the job's result can be proven.
async fn provable(
    scene: &Scene,
    job: JobId,
    newest: impl AsyncFn() -> Result<u128>,
) -> Result<String> {
    let stored = scene.client.finalised().await?.job(job).await?;
    let state = stored.context("the job is gone")?.state;
    let ciro_client::types::JobState::Paid { at: paid, .. } = state else {
        bail!("the job is {}", state.name());
    };
    eventually("the client knows a later block", async || {
        let newest = newest().await?;
        Ok((newest > paid.into()).then(|| newest.to_string()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_crosses_the_bridge_arrives_once_and_nothing_is_made_or_lost() {
    let scene = &step!(chains_and_relayers_start());
    let supply = scene.supply().await.unwrap();
    let (stop, kills) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU32::new(0)),
    );
    let killer = tokio::spawn(kill_all_the_time(
        scene.relayers.clone(),
        stop.clone(),
        kills.clone(),
    ));
    step!(tokens_go_to_starknet_and_back(scene));
    step!(tokens_go_to_the_evm_chain_and_back(scene));
    step!(tokens_go_from_one_chain_to_the_other(scene));
    stop.store(true, Ordering::Relaxed);
    killer.await.unwrap();
    println!("{} kills", kills.load(Ordering::Relaxed));
    let now = scene.supply().await.unwrap();
    assert_eq!(now, supply, "CIRO was made or lost");

    let job = step!(a_job_is_proven_and_paid(scene));
    step!(a_result_is_proven_on_the_evm_chain_and_a_false_one_is_not(
        scene, job
    ));
    step!(a_result_is_proven_on_starknet_and_a_false_one_is_not(
        scene, job
    ));
}
