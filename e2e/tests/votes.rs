//! A job that three workers vote on. One of them is killed between its commitment and its output, and started again.

use anyhow::{ensure, Context, Result};
use ciro_client::{
    keypair,
    types::{JobState, Verification, Vote},
    AccountId, Client, CIRO,
};
use ciro_e2e::{paid, repository, until, who, Array, BlobServer, Ciro, Devnet, Requester, Worker};
use ciro_primitives::JobId;
use ciro_zkml_model::Model;
use std::{fs, time::Duration};

const VOTERS: [&str; 3] = ["//Charlie", "//Dave", "//Eve"];

/// Longest wait for one step.
const STEP: Duration = Duration::from_secs(180);

/// What a voter has said by the best block, once there is a vote.
async fn vote(client: &Client, job: JobId, voter: &AccountId) -> Result<Option<Vote>> {
    let stored = client.best().await?.job(job).await?;
    Ok(match stored.map(|job| job.state) {
        Some(JobState::Voting { seats, .. }) => {
            let seat = seats.into_iter().find(|seat| seat.worker == *voter);
            seat.map(|seat| seat.vote)
        }
        _ => None,
    })
}

async fn a_vote(devnet: &Devnet) -> Result<()> {
    let (url, folder) = (devnet.first().url(), devnet.folder());
    let client = devnet.first().client().await?;
    let blobs = BlobServer::start(folder).await?;
    let models = Worker::models_of("voter-0", folder);
    fs::create_dir_all(&models)?;
    let file = models.join("digits.ciro");
    let id = Ciro::new(&url)?
        .register_example("digits.onnx", "digits-calibration.npy", &file, "//Alice")
        .await?;
    let mut voters = Vec::new();
    for (index, secret) in VOTERS.iter().enumerate() {
        let name = format!("voter-{index}");
        if index > 0 {
            Worker::share_models("voter-0", &name, folder)?;
        }
        voters.push(Worker::start(&name, folder, &url, secret)?);
    }

    let model = Model::decode_file(&fs::read(&file)?)?;
    let images = Array::read(&repository("models/digits-test-x.npy"))?.floats()?;
    let input = model.quantise(&images[..model.columns()])?;
    let requester = Requester {
        client: &client,
        signer: keypair("//Bob")?,
        blobs: &blobs,
    };
    let level = Verification::Redundant(3);
    let submitted = requester.submit_at(level, id, 1, &input, 3 * CIRO);
    let job = submitted.await?.job().await?;

    let first = who(VOTERS[0])?;
    until("the first voter has committed", STEP, async || {
        voters.iter_mut().try_for_each(Worker::check)?;
        let said = vote(&client, job, &first).await?;
        Ok(matches!(said, Some(Vote::Committed(_))).then_some(()))
    })
    .await?;
    voters[0].kill();
    let said = vote(&client, job, &first).await?;
    ensure!(
        matches!(said, Some(Vote::Committed(_))),
        "the kill came too late: {said:?}"
    );
    voters[0].restart()?;

    let paid = paid(&client, job, STEP).await?;
    let JobState::Paid { workers, .. } = &paid.state else {
        anyhow::bail!("job {job} is not paid")
    };
    ensure!(
        workers.len() == VOTERS.len(),
        "job {job} was paid for the answers of {workers:?}"
    );
    let state = client.finalised().await?;
    let result = state.result(job).await?.context("there is no result")?;
    ensure!(
        result == model.run(&input)?,
        "the stored result is not the model's"
    );
    for secret in VOTERS {
        let operator = state.operator(&who(secret)?).await?;
        let reserved = operator.context("a voter without a stake")?.reserved;
        ensure!(reserved == 0, "{secret} has {reserved} set aside still");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voter_killed_after_its_commitment_reveals_what_it_committed_to() {
    let devnet = Devnet::dev().await.unwrap();
    a_vote(&devnet).await.unwrap();
}
