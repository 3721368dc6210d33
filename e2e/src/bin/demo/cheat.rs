//! A worker that proves honestly and then claims another output.

use crate::stage::{ciro, text, who, Stage, CHEAT, REQUESTER, WORKER};
use anyhow::{ensure, Context, Result};
use ciro_client::{
    events::{Event, JobMarket},
    keypair,
    types::{Balance, JobState},
    CIRO,
};
use ciro_e2e::{paid, write_floats, Requester};
use ciro_zkml_verifier::Receipt;
use std::{fs, time::Duration};

/// The image that the job is about.
const IMAGE: usize = 0;
/// What the job pays.
const PRICE: Balance = 4 * CIRO;
/// How long the honest worker may take afterwards.
const LIMIT: Duration = Duration::from_secs(120);

/// What it came to.
pub struct Cheat {
    /// What was burned of the cheat's collateral.
    pub cut: Balance,
    /// What the honest worker got for the job afterwards.
    pub amount: Balance,
    /// What stays on hold for the job's storage.
    pub deposit: Balance,
}

/// Plays it.
pub async fn run(stage: &mut Stage) -> Result<Cheat> {
    println!("\nA worker that cheats\n");
    // The honest worker would be faster than a hand.
    stage.worker.kill();
    let (me, cli) = (who(CHEAT)?, stage.cli.clone());
    let exhibit = &stage.exhibits[0];
    let (width, outputs) = (exhibit.model.inputs(), exhibit.model.outputs());
    let requester = Requester {
        client: &stage.client,
        signer: keypair(REQUESTER)?,
        blobs: &stage.blobs,
    };
    let input = &exhibit.inputs[IMAGE * width..][..width];
    let id = requester
        .submit(exhibit.id, 1, input, PRICE)
        .await?
        .job()
        .await?;
    let before = stage.client.finalised().await?.balances(&me).await?;
    let job = id.to_string();
    cli.run(["job", "claim", &job, "--suri", CHEAT]).await?;
    let claimed = stage
        .client
        .finalised()
        .await?
        .job(id)
        .await?
        .context("the job is gone")?;
    let JobState::Assigned {
        worker, collateral, ..
    } = claimed.state
    else {
        anyhow::bail!("job {id} is not claimed")
    };
    ensure!(worker == me, "job {id} is {worker}'s");
    stage.say(
        "claimed",
        &format!(
            "job {id} by {CHEAT}, {} CIRO of collateral on hold",
            ciro(collateral)
        ),
    );

    let file = |name: &str| stage.devnet.folder().join(name);
    let (image, honest, tampered) = (
        file("image.npy"),
        file("honest.proof"),
        file("tampered.proof"),
    );
    let values = &exhibit.tests.samples[IMAGE * width..][..width];
    write_floats(&image, &[1, width], values)?;
    let (genesis, payee) = (format!("{:?}", stage.client.genesis()), me.to_string());
    cli.run([
        "prove".as_ref(),
        exhibit.file.as_os_str(),
        "--input".as_ref(),
        image.as_os_str(),
        "-o".as_ref(),
        honest.as_os_str(),
        "--job".as_ref(),
        job.as_ref(),
        "--genesis".as_ref(),
        genesis.as_ref(),
        "--payee".as_ref(),
        payee.as_ref(),
    ])
    .await?;
    let mut receipt = Receipt::decode_file(&fs::read(&honest)?)?;
    let output = receipt.output.public_mut();
    let output = output.context("the proof's output is not public")?;
    let truth = exhibit.model.classes(output);
    // One output is raised just above the largest: another digit.
    let largest = output.iter().copied().max();
    let largest = largest.context("there is no output")?;
    let lie = output
        .iter()
        .position(|value| *value < largest)
        .context("all outputs are equal")?;
    output[lie] = largest + 1;
    let told = exhibit.model.classes(output);
    ensure!(told != truth, "the change makes no difference");
    fs::write(&tampered, receipt.encode_file())?;
    stage.say(
        "proved",
        &format!(
            "honestly, then one output changed: the answer is {} instead of {}",
            told[0], truth[0]
        ),
    );

    let check = cli
        .answer([
            "verify".as_ref(),
            exhibit.file.as_os_str(),
            tampered.as_os_str(),
        ])
        .await?;
    ensure!(
        check.code == 1 && check.json["valid"] == false,
        "`ciro verify` said {}",
        check.json
    );
    let answer = cli
        .answer([
            "job".as_ref(),
            "submit-result".as_ref(),
            job.as_ref(),
            tampered.as_os_str(),
            "--suri".as_ref(),
            CHEAT.as_ref(),
        ])
        .await?;
    ensure!(
        answer.code == 1 && answer.json["accepted"] == false,
        "the chain said {}",
        answer.json
    );

    let state = stage.client.finalised().await?;
    let block = text(&answer.json, "block")?
        .parse()
        .context("the answer names no block")?;
    let refused = stage
        .client
        .at(block)
        .await?
        .events()
        .await?
        .into_iter()
        .find_map(|event| match event {
            Event::JobMarket(event @ JobMarket::ResultRefused { .. }) if event.job() == id => {
                Some(event)
            }
            _ => None,
        });
    let refused = refused.context("the chain reported no refusal")?;
    let reason = refused.refusal().context("the refusal has no reason")?;
    let JobMarket::ResultRefused { cut, worker, .. } = refused else {
        anyhow::bail!("another event")
    };
    let open = state.job(id).await?.context("the job is gone")?;
    ensure!(
        open.state == JobState::Submitted,
        "the job is {} after the refusal",
        open.state.name()
    );
    let after = state.balances(&me).await?;
    ensure!(
        worker == me && cut > 0 && after.reserved == 0,
        "the cheat lost {cut} and has {} on hold",
        after.reserved
    );
    let lost = before.free - after.free;
    ensure!(lost > cut, "the cheat paid no fee");
    let words = check.json["faults"][0]
        .as_str()
        .context("`ciro verify` names no fault")?;
    stage.say(
        "refused",
        &format!("by the chain's runtime, reason {reason}: {words}"),
    );
    stage.say(
        "the cost",
        &format!(
            "{} CIRO of collateral burned and {} CIRO in fees; the rest is released",
            ciro(cut),
            ciro(lost - cut)
        ),
    );

    stage.worker.restart()?;
    let settled = paid(&stage.client, id, LIMIT).await?;
    let JobState::Paid { payee, .. } = settled.state else {
        anyhow::bail!("job {id} is not paid")
    };
    ensure!(payee == who(WORKER)?, "job {id} was paid to {payee}");
    let result = stage.client.finalised().await?.result(id).await?;
    ensure!(
        result.as_deref() == Some(&exhibit.reference[IMAGE * outputs..][..outputs]),
        "the stored result is not the model's"
    );
    stage.say(
        "recovered",
        &format!(
            "{WORKER} did the job honestly: the answer is {}, {} CIRO paid",
            truth[0],
            ciro(settled.price)
        ),
    );
    Ok(Cheat {
        cut,
        amount: settled.price,
        deposit: settled.deposit,
    })
}
