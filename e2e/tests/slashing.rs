//! Offences on the network of `zombienet/local.toml`, each from the offence itself to the stake that is gone: a validator
//! that runs twice, a worker with a forged proof, and a second validator that runs twice, which makes it an attack.
//!
//! Nobody but the nodes reports, and the chain itself executes. The time that the cases wait is that of a quick chain,
//! the suspensions' is not; the runtime's tests move it.

use anyhow::{ensure, Context, Result};
use ciro_client::{
    keypair,
    types::{Balance, BlockNumber, Case, CaseId, CaseStatus, OffenceKind, Standing},
    AccountId, Amount, Client, State, CIRO,
};
use ciro_e2e::{
    claimable, eventually, repository, step, who, Array, BlobServer, Ciro, Devnet, Member, Node,
    Requester, Task, TREASURY,
};
use ciro_primitives::ModelId;
use ciro_zkml_model::Model;
use serde_json::json;
use std::{fs, path::PathBuf};
use subxt::dynamic::{storage, Value};

const OWNER: &str = "//Alice";
const REQUESTER: &str = "//Bob";
const ACCOMPLICE: &str = "//Charlie";
const OFFENDER: &str = "//Dave";
const DELEGATOR: &str = "//Eve";
const CHEAT: &str = "//Ferdie";
/// Has done nothing.
const STRANGER: &str = "//Alice//stash";

/// Blocks for which a case waits on a quick chain.
const DEFERRAL: BlockNumber = 10;
/// Blocks in a day of a suspension, on any chain.
const DAY: BlockNumber = 43_200;
/// A point of the matrix on the scale of scores.
const POINT: u16 = 10;

/// A row of the matrix.
struct Row {
    percent: u128,
    points: u16,
    /// Days of suspension; for good if there are none.
    days: Option<BlockNumber>,
}

const DOUBLE_SIGNING: Row = Row {
    percent: 30,
    points: 50,
    days: Some(90),
};
const INVALID_COMPUTE: Row = Row {
    percent: 50,
    points: 75,
    days: Some(180),
};
const COORDINATED_ATTACK: Row = Row {
    percent: 100,
    points: 100,
    days: None,
};

struct Scene {
    client: Client,
    cli: Ciro,
    blobs: BlobServer,
    network: Devnet,
    model: ModelId,
    file: PathBuf,
}

impl Scene {
    async fn ciro<const N: usize>(&self, arguments: [&str; N]) -> Result<serde_json::Value> {
        self.cli.run(arguments).await
    }

    /// The finalised state after a block.
    async fn after(&self, block: BlockNumber) -> Result<State> {
        let hash = self.client.finalised().await?.hash_of(block.into()).await?;
        let hash = hash.with_context(|| format!("there is no block {block}"))?;
        Ok(self.client.at(hash).await?)
    }

    /// Runs a validator a second time, with the same keys.
    async fn run_again(&self, name: &str) -> Result<Node> {
        let twin = Member {
            name: format!("{name}-again"),
            args: vec![format!("--{name}")],
        };
        self.network.join(&twin).await
    }

    /// Waits for a case of that kind against an account.
    async fn case(&self, offender: &AccountId, kind: OffenceKind) -> Result<Case> {
        let what = format!("a case of {} against {offender}", kind.name());
        eventually(&what, async || {
            let cases = self.client.finalised().await?.cases().await?;
            let wanted = |case: &Case| case.offender == *offender && case.kind == kind;
            Ok(cases.into_iter().find(wanted))
        })
        .await
    }

    /// Waits until a case is executed; the states before and after that.
    async fn executed(&self, case: &Case) -> Result<(State, State)> {
        eventually("the case is executed", async || {
            let number = self.client.finalised().await?.number();
            Ok((number >= case.due.into()).then_some(()))
        })
        .await?;
        Ok((self.after(case.due - 1).await?, self.after(case.due).await?))
    }

    /// Waits until a case is executed, and checks that exactly its row of the matrix was taken, of everybody who stakes
    /// for the offender, and that `ciro slash` says so.
    async fn pays(&self, case: &Case, row: &Row, stakers: &[&str]) -> Result<()> {
        ensure!(
            case.due == case.opened + DEFERRAL,
            "{case:?} is not due in time"
        );
        let (before, after) = self.executed(case).await?;
        let pending = status(&before, case.id).await? == CaseStatus::Pending;
        ensure!(pending, "{case:?} was not pending until it was due");

        let had = before.operator(&case.offender).await?;
        let taken = part(had.context("no operator")?.total, row.percent);
        let applied = status(&after, case.id).await?;
        ensure!(
            applied == CaseStatus::Applied { taken },
            "{case:?} is {applied:?}, and should have taken {taken}"
        );
        stakes_are_cut(case, row, stakers, &before, &after).await?;
        treasury_has_what_was_cut(&before, &after).await?;
        offender_is_out(case, row, &before, &after).await?;
        self.is_on_record(case, row, taken).await
    }

    async fn is_on_record(&self, case: &Case, row: &Row, taken: Balance) -> Result<()> {
        let record = self.ciro(["slash", "show", &case.id.to_string()]).await?;
        let expected = json!({
            "case": case.id,
            "offender": case.offender.to_string(),
            "offence": case.kind.name(),
            "status": "applied",
            "percent": row.percent as f64,
            "at": case.at,
            "opened": case.opened,
            "due": case.due,
            "suspended_until": row.days.map_or(BlockNumber::MAX, |days| case.opened + days * DAY),
            "taken": Amount(taken),
        });
        ensure!(record == expected, "the record is {record}, not {expected}");
        Ok(())
    }
}

fn part(amount: Balance, percent: u128) -> Balance {
    amount * percent / 100
}

async fn status(state: &State, case: CaseId) -> Result<CaseStatus> {
    let case = state.case(case).await?;
    Ok(case.context("the case is gone")?.status)
}

async fn active(state: &State, operator: &AccountId, staker: &AccountId) -> Result<Balance> {
    let position = state.position(operator, staker).await?;
    Ok(position.map_or(0, |position| position.active))
}

/// Checks that each position with the offender lost its part, and that these are all positions.
async fn stakes_are_cut(
    case: &Case,
    row: &Row,
    stakers: &[&str],
    before: &State,
    after: &State,
) -> Result<()> {
    let mut left = 0;
    for staker in stakers {
        let staker = who(staker)?;
        let had = active(before, &case.offender, &staker).await?;
        let has = active(after, &case.offender, &staker).await?;
        ensure!(
            had > 0 && had == has + part(had, row.percent),
            "{staker} had {had} staked and has {has}"
        );
        left += has;
    }
    let total = after.operator(&case.offender).await?;
    let total = total.map_or(0, |operator| operator.total);
    ensure!(
        total == left,
        "{total} is staked, {left} of it accounted for"
    );
    Ok(())
}

/// Checks what the offender's reputation has lost, and that the offender may not work any more, and how long.
async fn offender_is_out(case: &Case, row: &Row, before: &State, after: &State) -> Result<()> {
    let offender = &case.offender;
    let (had, has) = (before.score(offender).await?, after.score(offender).await?);
    ensure!(
        has == had.saturating_sub(row.points * POINT),
        "the score fell from {had} to {has}"
    );
    let standing = match row.days {
        Some(days) => Standing::Suspended {
            until: case.opened + days * DAY,
        },
        None => Standing::Banned,
    };
    let found = after.standing(offender).await?;
    ensure!(
        found == standing,
        "{offender} is {found:?}, not {standing:?}"
    );
    Ok(())
}

/// Checks that what the cases that fell due in a block have cut came to the treasury in it.
async fn treasury_has_what_was_cut(before: &State, after: &State) -> Result<()> {
    let cases = after.cases().await?;
    let due = cases
        .iter()
        .filter(|case| u64::from(case.due) == after.number());
    let cut: Balance = due
        .map(|case| match case.status {
            CaseStatus::Applied { taken } => taken,
            _ => 0,
        })
        .sum();
    let had = before.balances(&TREASURY).await?.free;
    let has = after.balances(&TREASURY).await?.free;
    ensure!(
        has == had + cut,
        "the treasury had {had} and has {has}, and {cut} was cut"
    );
    Ok(())
}

/// Checks that a block holds a report of an equivocation, and that nobody has signed it.
async fn nodes_reported(state: &State) -> Result<()> {
    let extrinsics = state.at().extrinsics().fetch().await?;
    let reports = extrinsics.iter().filter_map(|extrinsic| {
        let extrinsic = extrinsic.ok()?;
        let report = ["Babe", "Grandpa", "Beefy"].contains(&extrinsic.pallet_name())
            && extrinsic.call_name().starts_with("report_");
        report.then_some(extrinsic.is_signed())
    });
    let signed: Vec<bool> = reports.collect();
    ensure!(
        !signed.is_empty() && signed.iter().all(|signed| !signed),
        "the case was not opened by a report of the nodes: {signed:?}"
    );
    Ok(())
}

/// Whether a validator is disabled in the session of a block.
async fn disabled(state: &State, validator: &AccountId) -> Result<bool> {
    let storage_at = state.at().storage();
    let validators = storage::<(), Vec<AccountId>>("Session", "Validators");
    let validators = storage_at.fetch(validators, ()).await?.decode()?;
    let disabled = storage::<(), Vec<(u32, Value)>>("Session", "DisabledValidators");
    let disabled = storage_at.try_fetch(disabled, ()).await?;
    let disabled = disabled.map_or(Ok(vec![]), |disabled| disabled.decode())?;
    let index = validators.iter().position(|other| other == validator);
    let index = index.context("it is no validator")? as u32;
    Ok(disabled.iter().any(|(other, _)| *other == index))
}

/// Takes the validator's role on.
async fn validate(cli: &Ciro, secret: &str, stake: &str) -> Result<()> {
    let stake = ["stake", "add", stake, "--suri", secret];
    let roles = ["stake", "roles", "--validator", "--suri", secret];
    in_turn(cli, &[&stake, &roles]).await
}

/// Runs commands one after the other.
async fn in_turn(cli: &Ciro, commands: &[&[&str]]) -> Result<()> {
    for command in commands {
        cli.run(command.iter()).await?;
    }
    Ok(())
}

async fn everybody_stakes() -> Result<Scene> {
    let network = Devnet::local().await?;
    let folder = network.folder();
    let (cli, file) = (
        Ciro::new(&network.first().url())?,
        folder.join("digits.ciro"),
    );
    let offender = async {
        validate(&cli, OFFENDER, "20000").await?;
        let to = who(OFFENDER)?.to_string();
        let delegate = ["stake", "add", "1000", "--for", &to, "--suri", DELEGATOR];
        in_turn(&cli, &[&delegate]).await
    };
    let register = ["worker", "register", "--suri", CHEAT];
    let stake = ["stake", "add", "1000", "--suri", CHEAT];
    let roles = ["stake", "roles", "--worker", "--suri", CHEAT];
    let worker: [&[&str]; 3] = [&register, &stake, &roles];
    let (_, _, _, model) = tokio::try_join!(
        offender,
        validate(&cli, ACCOMPLICE, "10000"),
        in_turn(&cli, &worker),
        cli.register_example("digits.onnx", "digits-calibration.npy", &file, OWNER),
    )?;
    Ok(Scene {
        client: network.first().client().await?,
        blobs: BlobServer::start(folder).await?,
        cli,
        model,
        file,
        network,
    })
}

async fn who_signs_twice_loses_three_tenths_with_its_delegators(scene: &Scene) -> Result<()> {
    let offender = who(OFFENDER)?;
    let _twin = scene.run_again("dave").await?;
    let case = scene.case(&offender, OffenceKind::DoubleSigning).await?;
    let opened = scene.after(case.opened).await?;
    nodes_reported(&opened).await?;
    ensure!(
        disabled(&opened, &offender).await?,
        "the offender is not disabled"
    );
    scene
        .pays(&case, &DOUBLE_SIGNING, &[OFFENDER, DELEGATOR])
        .await?;

    // The twin is there still, and whatever it signs twice in this session is the same offence.
    let offender = offender.to_string();
    let listed = scene
        .ciro(["slash", "list", "--account", &offender])
        .await?;
    let cases = listed["cases"].as_array().context("no list")?;
    let of_session = cases.iter().filter(|other| other["at"] == case.at).count();
    ensure!(of_session == 1, "a session has more than a case: {listed}");
    Ok(())
}

async fn who_brings_a_forged_proof_loses_half(scene: &Scene) -> Result<()> {
    let cheat = who(CHEAT)?;
    let model = Model::decode_file(&fs::read(&scene.file)?)?;
    let images = Array::read(&repository("models/digits-test-x.npy"))?.floats()?;
    let sample = &images[..model.columns()];
    let requester = Requester {
        client: &scene.client,
        signer: keypair(REQUESTER)?,
        blobs: &scene.blobs,
    };
    let input = model.quantise(sample)?;
    let submitted = requester.submit(scene.model, 1, &input, 4 * CIRO).await?;
    let job = submitted.job().await?;
    claimable(&scene.client, job, &cheat).await?;
    let number = job.to_string();
    scene
        .ciro(["job", "claim", &number, "--suri", CHEAT])
        .await?;
    let task = Task {
        genesis: scene.client.genesis(),
        lane: None,
        job,
        payee: cheat.to_string(),
        model: &scene.file,
        sample,
    };
    let forged = scene.cli.forge(&task, scene.network.folder()).await?;
    let proof = forged.proof.to_string_lossy();
    let result = ["job", "submit-result", &number, &proof, "--suri", CHEAT];
    let answer = scene.cli.answer(result).await?;
    ensure!(
        answer.json["accepted"] == false,
        "the chain said {}",
        answer.json
    );

    let case = scene.case(&cheat, OffenceKind::InvalidCompute).await?;
    scene.pays(&case, &INVALID_COMPUTE, &[CHEAT]).await
}

async fn a_second_who_signs_twice_makes_it_an_attack_that_costs_everything(
    scene: &Scene,
) -> Result<()> {
    let twin = scene.run_again("charlie").await?;
    let kind = OffenceKind::CoordinatedAttack;
    let accomplice = scene.case(&who(ACCOMPLICE)?, kind).await?;
    // The first one's case has been executed: this one takes what it had left.
    let offender = scene.case(&who(OFFENDER)?, kind).await?;
    drop(twin);
    ensure!(
        offender.opened == accomplice.opened,
        "the cases of an attack were opened apart"
    );
    scene
        .pays(&accomplice, &COORDINATED_ATTACK, &[ACCOMPLICE])
        .await?;
    scene
        .pays(&offender, &COORDINATED_ATTACK, &[OFFENDER, DELEGATOR])
        .await
}

/// Checks that the chain refuses a command with an error of a pallet.
async fn refused(cli: &Ciro, error: &str, arguments: &[&str]) -> Result<()> {
    let answer = cli.answer(arguments).await?;
    let said = answer.json["error"].as_str().unwrap_or_default();
    ensure!(
        answer.code != 0 && said.starts_with(error),
        "{arguments:?} is not refused as {error}: {}",
        answer.json
    );
    Ok(())
}

async fn banned(cli: &Ciro, secret: &str) -> Result<()> {
    let stake = ["stake", "add", "10000", "--suri", secret];
    refused(cli, "CdcPool.Banned", &stake).await?;
    let register = ["worker", "register", "--suri", secret];
    refused(cli, "WorkerRegistry.Banned", &register).await
}

async fn the_banned_and_their_keys_stay_out(scene: &Scene) -> Result<()> {
    let (cli, offender) = (&scene.cli, who(OFFENDER)?);
    let to = offender.to_string();
    let delegate = ["stake", "add", "100", "--for", &to, "--suri", DELEGATOR];
    // The key of its blocks, which would do for heartbeats.
    let key = format!("0x{}", hex::encode(offender.0));
    let register = ["worker", "register", "--heartbeat-key", &key];
    let register = [&register[..], &["--suri", STRANGER]].concat();
    tokio::try_join!(
        banned(cli, OFFENDER),
        banned(cli, ACCOMPLICE),
        refused(cli, "CdcPool.Banned", &delegate),
        refused(cli, "WorkerRegistry.KeyBanned", &register),
    )?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn offences_cost_what_the_matrix_says() {
    let scene = &step!(everybody_stakes());
    step!(who_signs_twice_loses_three_tenths_with_its_delegators(
        scene
    ));
    step!(who_brings_a_forged_proof_loses_half(scene));
    step!(a_second_who_signs_twice_makes_it_an_attack_that_costs_everything(scene));
    step!(the_banned_and_their_keys_stay_out(scene));
}
