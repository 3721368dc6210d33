//! The market's entry points on Starknet against Ciro itself: jobs that are paid into escrow there and answered by proofs
//! here, and stake there of which an offence here takes its share. A relayer carries what is between. What happens is
//! what users do by `ciro` and by calls of the contracts; after each step all CIRO is where it belongs.

mod scene;

use anyhow::{ensure, Context, Result};
use ciro_bridge_primitives::{RemoteJobBinding, Word};
use ciro_client::{
    keypair,
    types::{CaseId, CaseStatus},
    CIRO,
};
use ciro_e2e::{becomes, claimable, eventually, halves, step, who, Market, Requester, Task};
use ciro_primitives::{input_commitment, output_hash, JobId};
use ciro_zkml_verifier::Receipt;
use scene::*;
use std::{
    fs,
    path::{Path, PathBuf},
};

async fn tokens_come_over_the_bridge(scene: &Scene) -> Result<()> {
    let users = [&scene.requester, &scene.worker, &scene.staker];
    for (user, amount) in users.into_iter().zip([100, 50, 50]) {
        let recipient = format!("0x{}", hex::encode(user.address));
        let (lane, ciro) = (scene.token_lane.to_string(), amount.to_string());
        let send = ["bridge", "send", &lane, &recipient, &ciro, "--suri", SENDER];
        scene.cli.run(send).await?;
        becomes("the user has it", amount * CIRO, || {
            scene.balance(&user.address)
        })
        .await?;
    }
    Ok(())
}

async fn a_job_is_paid_into_escrow(scene: &Scene) -> Result<()> {
    let Scene { requester, .. } = scene;
    let manager = &scene.market.manager;
    let job = scene.ask(0, 10).await?;
    let submitted = requester.call(manager, "submit_job", &job).await;
    refused(submitted, "InsufficientAllowance")?;
    scene.approve(requester, manager, 10).await?;
    requester.call(manager, "submit_job", &job).await?;
    let left = scene.balance(&requester.address).await?;
    let escrow = scene.balance(manager).await?;
    ensure!(
        (left, escrow) == (90 * CIRO, 10 * CIRO),
        "{left} are left and {escrow} in escrow"
    );
    Ok(())
}

async fn a_worker_with_stake_claims_it(scene: &Scene) -> Result<()> {
    let Scene { worker, staker, .. } = scene;
    let Market { pool, manager, .. } = &scene.market;
    refused(scene.stake_for_worker(staker, 30).await, "UnknownWorker")?;
    let operator = halves(&who(OPERATOR)?.0);
    worker.call(pool, "register_worker", &operator).await?;
    scene.approve(staker, pool, 60).await?;
    let too_much = scene.stake_for_worker(staker, 60).await;
    refused(too_much, "InsufficientBalance")?;
    scene.stake_for_worker(staker, 30).await?;
    scene.approve(worker, pool, 20).await?;
    scene.stake_for_worker(worker, 20).await?;
    let stakes = (
        scene.balance(pool).await?,
        scene.stake("active_stake").await?,
    );
    ensure!(stakes == (50 * CIRO, 50 * CIRO), "staked are {stakes:?}");

    let claim = [number(1)];
    let claimed = staker.call(manager, "claim_job", &claim).await;
    refused(claimed, "InsufficientStake")?;
    worker.call(manager, "claim_job", &claim).await
}

/// Writes a copy of a proof that names another payee.
fn steal(proof: &Path, payee: Word) -> Result<PathBuf> {
    let mut receipt = Receipt::decode_file(&fs::read(proof)?)?;
    let binding = RemoteJobBinding::decode(&receipt.binding)?;
    receipt.binding = RemoteJobBinding { payee, ..binding }.encode();
    let stolen = proof.with_extension("stolen");
    fs::write(&stolen, receipt.encode_file())?;
    Ok(stolen)
}

async fn ciro_refuses_a_false_output_and_a_stolen_proof(scene: &Scene) -> Result<()> {
    let task = scene.task(1, &scene.model, 0)?;
    let forged = scene.cli.forge(&task, scene.folder()).await?.proof;
    let proof = scene.prove(1, &scene.model, 0).await?;
    let stolen = steal(&proof, scene.staker.address)?;
    for proof in [forged, stolen] {
        let proof = proof.to_string_lossy();
        let answer = ["bridge", "answer", &proof];
        scene.refuses("JobMarket.InvalidProof", &answer).await?;
    }
    let lane = scene
        .client
        .finalised()
        .await?
        .lane(scene.manager_lane)
        .await?;
    let sent = lane.context("no lane")?.next_nonce;
    ensure!(sent == 0, "{sent} messages have left");
    Ok(())
}

async fn a_proof_is_paid_out_of_the_escrow_once(scene: &Scene) -> Result<()> {
    let (worker, manager) = (&scene.worker.address, &scene.market.manager);
    let proof = scene.prove(1, &scene.model, 0).await?;
    let (model, file) = (scene.model.to_string_lossy(), proof.to_string_lossy());
    let (lane, payee) = (scene.manager_lane.to_string(), hex::encode(worker));
    let payee = format!("0x{payee}");
    let verify = ["verify", &model, &file, "--payee", &payee];
    for (job, lane, code) in [("1", Some(&lane), 0), ("2", Some(&lane), 1), ("1", None, 1)] {
        let lane = lane.map_or(vec![], |lane| vec!["--lane", lane]);
        let verify = [&verify[..], &["--job", job], &lane].concat();
        let verified = scene.cli.answer(verify).await?;
        ensure!(verified.code == code, "`ciro verify` says {verified:?}");
    }

    let had = scene.balance(worker).await?;
    let nonce = scene.answer(&proof).await?;
    becomes("the worker is paid", had + 10 * CIRO, || {
        scene.balance(worker)
    })
    .await?;
    let replayed = scene.deliver(manager, scene.manager_lane, nonce).await;
    refused(replayed, "NonceTaken")?;
    // Ciro proves again what is true, and knows nothing of payments.
    scene.pays_not(&proof, "JobClosed").await
}

async fn several_jobs_are_paid_by_one_transfer(scene: &Scene) -> Result<()> {
    let Scene { requester, .. } = scene;
    let manager = &scene.market.manager;
    let jobs = [scene.ask(1, 5).await?, scene.ask(2, 7).await?].concat();
    scene.approve(requester, manager, 12).await?;
    let batch = [&[number(2)][..], &jobs].concat();
    requester.call(manager, "batch_submit_jobs", &batch).await?;
    let escrow = scene.escrow().await?;
    ensure!(escrow == 12 * CIRO, "{escrow} are in escrow");
    Ok(())
}

async fn results_of_another_job_model_or_input_are_refused(scene: &Scene) -> Result<()> {
    let (model, other) = (&scene.model, scene.folder().join("other.ciro"));
    scene
        .cli
        .register_example("digits-torch.onnx", CALIBRATION, &other, OWNER)
        .await?;
    for (job, model, image, reason) in [
        (2, model, 2, "WrongInput"),
        (2, &other, 1, "WrongModel"),
        (4, model, 1, "UnknownJob"),
    ] {
        let proof = scene.prove(job, model, image).await?;
        scene.pays_not(&proof, reason).await?;
    }
    Ok(())
}

/// The felts of a delivery with another output: nobody has signed that.
fn falsified(mut felts: Vec<Word>, output: &Word) -> Result<Vec<Word>> {
    let place = felts.windows(2).position(|pair| pair == halves(output));
    felts[place.context("the message does not say what came out")?][31] ^= 1;
    Ok(felts)
}

async fn a_false_result_is_refused_and_the_true_one_paid(scene: &Scene) -> Result<()> {
    let (worker, manager) = (&scene.worker.address, &scene.market.manager);
    let had = scene.balance(worker).await?;
    let proof = scene.prove(2, &scene.model, 1).await?;
    let nonce = scene.answer(&proof).await?;
    let receipt = Receipt::decode_file(&fs::read(&proof)?)?;
    let output = receipt.output.public().context("no output")?;
    let output = output_hash(1, output);
    let lie = falsified(scene.claim(scene.manager_lane, nonce).await?, &output)?;
    let delivered = scene.staker.call(manager, "deliver", &lie).await;
    refused(delivered, "WrongPath")?;
    becomes("the worker is paid", had + 5 * CIRO, || {
        scene.balance(worker)
    })
    .await
}

async fn what_nobody_answers_is_refunded_a_day_after_its_deadline(scene: &Scene) -> Result<()> {
    let Scene {
        requester, worker, ..
    } = scene;
    let (manager, job) = (&scene.market.manager, [number(3)]);
    let refund = async |user: &User| user.call(manager, "refund", &job).await;
    scene.starknet.advance(DURATION + 60).await?;
    refused(refund(requester).await, "TooEarly")?;
    scene.starknet.advance(GRACE).await?;
    refused(refund(worker).await, "NotRequester")?;
    let had = scene.balance(&requester.address).await?;
    refund(requester).await?;
    let has = scene.balance(&requester.address).await?;
    ensure!(
        has == had + 7 * CIRO,
        "the requester had {had} and has {has}"
    );
    ensure!(scene.escrow().await? == 0, "something is in escrow still");
    refused(refund(requester).await, "JobClosed")?;
    let late = scene.prove(3, &scene.model, 2).await?;
    scene.pays_not(&late, "JobClosed").await
}

/// Has the worker's operator claim a job on Ciro; what is to be proven.
async fn claimed(scene: &Scene) -> Result<Task<'_>> {
    let operator = who(OPERATOR)?;
    let requester = Requester {
        client: &scene.client,
        signer: keypair(SENDER)?,
        blobs: &scene.blobs,
    };
    let input = scene.input(0)?;
    let submitted = requester.submit(scene.id, 1, &input, 4 * CIRO).await?;
    let job = submitted.job().await?;
    claimable(&scene.client, job, &operator).await?;
    let number = job.to_string();
    let claim = ["job", "claim", &number, "--suri", OPERATOR];
    scene.cli.run(claim).await?;
    Ok(Task {
        genesis: scene.client.genesis(),
        lane: None,
        job,
        payee: operator.to_string(),
        model: &scene.model,
        sample: scene.image(0)?,
    })
}

/// Answers a job on Ciro; whether the chain accepts the proof.
async fn accepted(scene: &Scene, job: JobId, proof: &Path) -> Result<bool> {
    let (job, proof) = (job.to_string(), proof.to_string_lossy());
    let submit = ["job", "submit-result", &job, &proof, "--suri", OPERATOR];
    let answer = scene.cli.answer(submit).await?;
    answer.json["accepted"].as_bool().context("no answer")
}

async fn a_result_on_ciro_is_sent_to_the_registry(scene: &Scene) -> Result<()> {
    for command in [
        &["worker", "register"][..],
        &["stake", "add", "1000"],
        &["stake", "roles", "--worker"],
    ] {
        let signed = [command, &["--suri", OPERATOR]].concat();
        scene.cli.run(signed).await?;
    }
    let task = claimed(scene).await?;
    let (job, proof) = (task.job, scene.folder().join("honest.proof"));
    let lane = scene.registry_lane.to_string();
    let number = job.to_string();
    let send = ["result", "send", &number, &lane];
    scene.refuses("OutboundQueue.NotProven", &send).await?;
    scene.cli.prove(&task, &proof).await?;
    ensure!(accepted(scene, job, &proof).await?, "the proof is refused");

    let receipt = Receipt::decode_file(&fs::read(&proof)?)?;
    let output = receipt.output.public().context("no output")?;
    let result = [
        scene.id.0,
        input_commitment(1, &scene.input(0)?),
        output_hash(1, output),
    ];
    ensure!(!scene.is_proven(job, &result).await?, "it is known already");
    scene
        .cli
        .run([&send[..], &["--suri", ANYBODY]].concat())
        .await?;
    eventually("the registry has it", async || {
        Ok(scene.is_proven(job, &result).await?.then_some(()))
    })
    .await?;
    let lie = [result[0], result[1], [1; 32]];
    ensure!(!scene.is_proven(job, &lie).await?, "so is another one");
    Ok(())
}

/// The worker's operator brings a false proof for a job on Ciro. Gives the case, which is executed.
async fn its_operator_cheats_on_ciro(scene: &Scene) -> Result<CaseId> {
    let task = claimed(scene).await?;
    let forged = scene.cli.forge(&task, scene.folder()).await?;
    let accepted = accepted(scene, task.job, &forged.proof).await?;
    ensure!(!accepted, "a false proof is accepted");
    let operator = who(OPERATOR)?;
    eventually("the case is executed", async || {
        let cases = scene.client.finalised().await?.cases().await?;
        let executed = cases.into_iter().find(|case| {
            case.offender == operator && matches!(case.status, CaseStatus::Applied { .. })
        });
        Ok(executed.map(|case| case.id))
    })
    .await
}

async fn the_case_takes_half_of_the_stake(scene: &Scene, case: CaseId) -> Result<()> {
    let Scene {
        requester, staker, ..
    } = scene;
    let (pool, worker) = (&scene.market.pool, scene.worker.address);
    let unstake = [&[worker][..], &ciro(10)].concat();
    staker.call(pool, "unstake", &unstake).await?;
    let lane = scene.pool_lane.to_string();
    let unknown = ["slash", "send", "99", &lane];
    scene.refuses("OutboundQueue.NotExecuted", &unknown).await?;
    let case = case.to_string();
    let send = ["slash", "send", &case, &lane];
    let sent = scene.cli.run([&send[..], &["--suri", ANYBODY]].concat());
    let nonce = sent.await?["nonce"].as_u64().context("no nonce")?;
    scene.refuses("OutboundQueue.AlreadySent", &send).await?;

    // As long as a case waits to be applied, none of the stake counts.
    eventually("the case arrives", async || {
        Ok((scene.stake("active_stake").await? == 0).then_some(()))
    })
    .await?;
    let replayed = scene.deliver(pool, scene.pool_lane, nonce).await;
    refused(replayed, "NonceTaken")?;
    let settle = [worker, number(9)];
    // Settling again takes nothing again.
    for _ in 0..2 {
        requester.call(pool, "settle", &settle).await?;
        let stakes = (
            scene.stake("worker_stake").await?,
            scene.stake("active_stake").await?,
        );
        ensure!(stakes == (25 * CIRO, 20 * CIRO), "staked are {stakes:?}");
    }
    Ok(())
}

async fn what_was_cut_goes_home_to_the_treasury(scene: &Scene) -> Result<()> {
    let had = scene.treasury().await?;
    let pool = &scene.market.pool;
    scene.requester.call(pool, "remit", &[]).await?;
    let lane = scene.token_lane.to_string();
    let status = ["bridge", "status", &lane, "0", "--incoming"];
    eventually("it has arrived", async || {
        let status = scene.cli.run(status).await?;
        Ok((status["status"] == "done").then_some(()))
    })
    .await?;
    // Fees go there, too.
    let more = scene.treasury().await? - had;
    ensure!(
        (25 * CIRO..26 * CIRO).contains(&more),
        "the treasury has {more} more"
    );
    let again = scene.requester.call(pool, "remit", &[]).await;
    refused(again, "BadAmount")
}

async fn what_is_left_of_unbonded_stake_comes_back_after_seven_days(scene: &Scene) -> Result<()> {
    let (staker, pool) = (&scene.staker, &scene.market.pool);
    let withdraw = async || {
        let worker = [scene.worker.address];
        staker.call(pool, "withdraw", &worker).await
    };
    scene.starknet.advance(UNBONDING - 3_600).await?;
    refused(withdraw().await, "TooEarly")?;
    scene.starknet.advance(3_600).await?;
    let had = scene.balance(&staker.address).await?;
    withdraw().await?;
    let has = scene.balance(&staker.address).await?;
    ensure!(has == had + 5 * CIRO, "the staker had {had} and has {has}");
    refused(withdraw().await, "NothingToWithdraw")?;
    let left = scene.stake("worker_stake").await?;
    ensure!(left == 20 * CIRO, "{left} are left");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn starknet_pays_and_cuts_what_is_proven_on_ciro_and_nothing_else() {
    let mut scene = step!(chains_and_a_relayer_start());
    let supply = scene.supply().await.unwrap();
    macro_rules! kept {
        ($step:ident($($argument:expr),*), $supply:expr) => {
            step!($step($($argument),*));
            assert_eq!(scene.supply().await.unwrap(), $supply, "CIRO was made or lost");
        };
    }
    kept!(tokens_come_over_the_bridge(&scene), supply);
    kept!(a_job_is_paid_into_escrow(&scene), supply);
    kept!(a_worker_with_stake_claims_it(&scene), supply);
    kept!(
        ciro_refuses_a_false_output_and_a_stolen_proof(&scene),
        supply
    );
    kept!(a_proof_is_paid_out_of_the_escrow_once(&scene), supply);
    kept!(several_jobs_are_paid_by_one_transfer(&scene), supply);
    kept!(
        results_of_another_job_model_or_input_are_refused(&scene),
        supply
    );
    kept!(
        a_false_result_is_refused_and_the_true_one_paid(&scene),
        supply
    );
    kept!(
        what_nobody_answers_is_refunded_a_day_after_its_deadline(&scene),
        supply
    );

    step!(a_result_on_ciro_is_sent_to_the_registry(&scene));
    let case = step!(its_operator_cheats_on_ciro(&scene));
    // Jobs on Ciro burn a part of what they cost, and false proofs the collateral.
    let supply = scene.supply().await.unwrap();
    kept!(the_case_takes_half_of_the_stake(&scene, case), supply);
    kept!(what_was_cut_goes_home_to_the_treasury(&scene), supply);
    kept!(
        what_is_left_of_unbonded_stake_comes_back_after_seven_days(&scene),
        supply
    );
    scene.relayer.check().unwrap();
}
