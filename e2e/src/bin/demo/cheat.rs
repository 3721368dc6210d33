//! A worker that proves honestly and then claims another output.

use crate::stage::{ciro, text, Stage, CHEAT, REQUESTER, WORKER};
use anyhow::{ensure, Context, Result};
use ciro_client::{
    events::{Event, JobMarket},
    keypair,
    types::{Balance, JobState},
    AccountId, CIRO,
};
use ciro_e2e::{claimable, paid, who, Requester, Task};
use std::time::Duration;

/// The image that the job is about.
const IMAGE: usize = 0;
/// What the cheat stakes, in CIRO.
const STAKE: &str = "10000";
/// What the job pays.
const PRICE: Balance = 4 * CIRO;
/// How long the honest worker may take afterwards.
const LIMIT: Duration = Duration::from_secs(120);

/// Plays it.
pub async fn run(stage: &mut Stage) -> Result<()> {
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
    enrol(stage).await?;
    let before = stage.client.finalised().await?.balances(&me).await?;
    let job = id.to_string();
    claimable(&stage.client, id, &me).await?;
    cli.run(["job", "claim", &job, "--suri", CHEAT]).await?;
    let claimed = stage
        .client
        .finalised()
        .await?
        .job(id)
        .await?
        .context("the job is gone")?;
    let JobState::Assigned(claim) = claimed.state else {
        anyhow::bail!("job {id} is not claimed")
    };
    ensure!(claim.worker == me, "job {id} is {}'s", claim.worker);
    stage.say(
        "claimed",
        &format!(
            "job {id} by {CHEAT}, {} CIRO of its stake set aside as collateral",
            ciro(claim.collateral)
        ),
    );

    let task = Task {
        genesis: stage.client.genesis(),
        lane: None,
        job: id,
        payee: me.to_string(),
        model: &exhibit.file,
        sample: &exhibit.tests.samples[IMAGE * width..][..width],
    };
    let forged = cli.forge(&task, stage.devnet.folder()).await?;
    stage.say(
        "proved",
        &format!(
            "honestly, then one output changed: the answer is {} instead of {}",
            forged.told, forged.truth
        ),
    );

    let check = cli
        .answer([
            "verify".as_ref(),
            exhibit.file.as_os_str(),
            forged.proof.as_os_str(),
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
            forged.proof.as_os_str(),
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
        worker == me && cut > 0 && after.reserved + cut == before.reserved,
        "the cheat lost {cut} and has {} on hold, after {}",
        after.reserved,
        before.reserved
    );
    let fees = before.free - after.free;
    ensure!(fees > 0, "the cheat paid no fee");
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
            "{} CIRO of collateral burned and {} CIRO in fees",
            ciro(cut),
            ciro(fees)
        ),
    );
    accused(stage, &me).await?;

    stage.worker.restart()?;
    let settled = paid(&stage.client, id, LIMIT).await?;
    let JobState::Paid { workers, .. } = settled.state else {
        anyhow::bail!("job {id} is not paid")
    };
    ensure!(
        workers == [who(WORKER)?],
        "job {id} was done by {workers:?}"
    );
    let result = stage.client.finalised().await?.result(id).await?;
    ensure!(
        result.as_deref() == Some(&exhibit.reference[IMAGE * outputs..][..outputs]),
        "the stored result is not the model's"
    );
    stage.say(
        "recovered",
        &format!(
            "{WORKER} did the job honestly: the answer is {}, {} CIRO paid",
            forged.truth,
            ciro(settled.price.ceiling)
        ),
    );
    Ok(())
}

/// Registers the cheat as a worker, with a stake.
async fn enrol(stage: &Stage) -> Result<()> {
    let signed = ["--suri", CHEAT];
    for command in [
        &["worker", "register"][..],
        &["stake", "add", STAKE],
        &["stake", "roles", "--worker"],
    ] {
        stage.cli.run(command.iter().chain(&signed)).await?;
    }
    stage.say("staked", &format!("{STAKE} CIRO by {CHEAT}, as a worker"));
    Ok(())
}

/// Shows the case that the refused proof has opened.
async fn accused(stage: &Stage, cheat: &AccountId) -> Result<()> {
    let answer = stage
        .cli
        .run(["slash", "list", "--account", &cheat.to_string()])
        .await?;
    let case = &answer["cases"][0];
    ensure!(
        case["offence"] == "invalid-compute" && case["status"] == "pending",
        "there is no case of invalid compute: {answer}"
    );
    let state = stage.client.finalised().await?;
    ensure!(
        !state.standing(cheat).await?.may_work(),
        "the cheat is not suspended"
    );
    let percent = case["percent"].as_f64().context("no share")?;
    let stake = state.operator(cheat).await?;
    let stake = ciro(stake.context("the cheat has no stake")?.own);
    stage.say(
        "the case",
        &format!(
            "{CHEAT} is suspended until block {}; from block {} on it loses {percent} % of {stake} CIRO of stake",
            case["suspended_until"], case["due"]
        ),
    );
    Ok(())
}
