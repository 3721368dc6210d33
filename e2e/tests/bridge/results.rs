//! A result of Ciro's, proven to the contracts on both chains.

use crate::scene::{Place, Scene, OWNER, SENDER, WORKER};
use anyhow::{bail, ensure, Context, Result};
use ciro_bridge_primitives::{keccak, word_of, Word};
use ciro_client::{keypair, CIRO};
use ciro_e2e::{anvil, eventually, halves, paid, repository, Array, BlobServer, Requester, Worker};
use ciro_primitives::JobId;
use ciro_zkml_model::Model;
use serde_json::Value as Json;
use std::{fs, time::Duration};

/// Longest wait for a job to be paid.
const LIMIT: Duration = Duration::from_secs(240);

/// A job that was paid for a proof.
pub async fn a_job_is_proven_and_paid(scene: &Scene) -> Result<JobId> {
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

pub async fn a_result_is_proven_on_the_evm_chain_and_a_false_one_is_not(
    scene: &Scene,
    job: JobId,
) -> Result<()> {
    let registry = &scene.evm.contracts.registry;
    let number = job.to_string();
    let at = provable(scene, job, &scene.evm).await?;
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

pub async fn a_result_is_proven_on_starknet_and_a_false_one_is_not(
    scene: &Scene,
    job: JobId,
) -> Result<()> {
    let registry = scene.starknet.contracts.registry;
    let at = provable(scene, job, &scene.starknet).await?;
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
async fn provable(scene: &Scene, job: JobId, place: &Place) -> Result<String> {
    let stored = scene.client.finalised().await?.job(job).await?;
    let state = stored.context("the job is gone")?.state;
    let ciro_client::types::JobState::Paid { at: paid, .. } = state else {
        bail!("the job is {}", state.name());
    };
    eventually("the client knows a later block", async || {
        let newest = place.chain.client().await?.newest;
        Ok((newest > paid).then(|| newest.to_string()))
    })
    .await
}
