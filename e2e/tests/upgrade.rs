//! From version 1 of the runtime to today's, by a referendum, on the network of `zombienet/local.toml`: with a model and
//! jobs of version 1, which the migrations carry over, and which are settled afterwards as if nothing had happened.

use anyhow::{ensure, Context, Result};
use ciro_client::{
    calls::{self, Call, EncodeAsFields, Encoded},
    events::{Event, JobMarket},
    keypair,
    types::{
        Auction, Balance, BlockNumber, Claim, Job, JobState, ModelInfo, Priority, Requirements,
        Verification,
    },
    Client, State, Wait, CIRO,
};
use ciro_e2e::{
    all_advance, eventually, paid, repository, step, who, Array, BlobServer, Ciro, Devnet, Genesis,
    Worker,
};
use ciro_primitives::{input_commitment, JobId, ModelId};
use ciro_zkml_model::Model;
use ciro_zkml_prover::Prover;
use serde_json::json;
use sp_crypto_hashing::blake2_256;
use std::{fs, time::Duration};
use subxt::dynamic::{tx, At, Value};

const OWNER: &str = "//Alice";
const REQUESTER: &str = "//Bob";
/// Claims a job in version 1 and answers it in version 2.
const WORKER: &str = "//Charlie";
/// Claims a job in version 1 and never answers it.
const IDLER: &str = "//Ferdie";
const VOTERS: [&str; 8] = [
    "//Alice",
    "//Bob",
    "//Dave",
    "//Eve",
    "//Alice//stash",
    "//Bob//stash",
    "//Charlie//stash",
    "//Dave//stash",
];

const PRICE: Balance = 4 * CIRO;
/// The jobs of version 1, by their numbers.
const OPEN: JobId = 0;
const CLAIMED: JobId = 1;
const FORGOTTEN: JobId = 2;
/// Blocks that they may take: more than the test, but for the forgotten one, which is late by the time of the upgrade.
const DURATIONS: [BlockNumber; 3] = [5_000, 5_000, 30];

/// Longest wait for the worker's answer to a job.
const LIMIT: Duration = Duration::from_secs(240);

/// Why the market has funds on hold.
const ESCROW: &str = "JobMarket.Escrow";
const COLLATERAL: &str = "JobMarket.Collateral";

/// The first one of the chain.
const REFERENDUM: u32 = 0;
/// For the proposal, at a conviction of one.
const AYE: u128 = 0x81;
/// What each voter votes with: together they are two thirds of all CIRO.
const VOTES: Balance = 900_000 * CIRO;

struct Scene {
    client: Client,
    blobs: BlobServer,
    network: Devnet,
    /// Today's runtime, as the node has it.
    runtime: Vec<u8>,
    model: Model,
    id: ModelId,
    input: Vec<i8>,
}

impl Scene {
    /// Signs a call of version 1 and hands it to the pool. What it reports is not looked at: the client reads what the
    /// job market and the registry report as today's.
    async fn send<A: EncodeAsFields>(&self, call: Call<A>, secret: &str) -> Result<()> {
        let signed = self.client.sign(&call, &keypair(secret)?).await?;
        self.client.submit(&signed).await?;
        Ok(())
    }

    /// Waits until an entry of a pallet fits in a finalised block.
    async fn entry(
        &self,
        pallet: &str,
        entry: &str,
        keys: &[Value],
        fits: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        eventually(&format!("{pallet}.{entry}"), async || {
            let state = self.client.finalised().await?;
            Ok(read(&state, pallet, entry, keys).await?.filter(&fits))
        })
        .await
    }
}

/// An entry of a pallet as the metadata of the block's runtime describes it.
async fn read(state: &State, pallet: &str, entry: &str, keys: &[Value]) -> Result<Option<Value>> {
    let stored = state
        .at()
        .storage()
        .try_fetch((pallet, entry), keys.to_vec())
        .await?;
    Ok(stored.map(|value| value.decode()).transpose()?)
}

/// A job as version 1 has it.
async fn old_job(state: &State, job: JobId) -> Result<Value> {
    let keys = [Value::u128(job.into())];
    let stored = read(state, "JobMarket", "Jobs", &keys).await?;
    stored.with_context(|| format!("there is no job {job}"))
}

fn number(value: Option<&Value>) -> Result<u128> {
    value.and_then(Value::as_u128).context("no number")
}

fn commitment(scene: &Scene) -> [u8; 32] {
    input_commitment(1, &scene.input)
}

async fn version_1_starts() -> Result<Scene> {
    let mut genesis = Genesis::export("local")?;
    let runtime = genesis.runtime()?;
    genesis.set_runtime(&fs::read(repository("e2e/runtimes/v1.wasm"))?);
    genesis.leave_out("attesters")?;
    let network = Devnet::local_from(&genesis).await?;
    for node in &network.nodes {
        ensure!(node.spec_version().await? == 1, "not version 1");
    }
    let folder = network.folder();
    // The worker's folder, which takes its models from there.
    let models = Worker::models_of("worker", folder);
    fs::create_dir_all(&models)?;
    let (file, cli) = (
        models.join("digits.ciro"),
        Ciro::new(&network.first().url())?,
    );
    let id = cli
        .import_example("digits.onnx", "digits-calibration.npy", &file)
        .await?;
    let model = Model::decode_file(&fs::read(&file)?)?;
    let images = Array::read(&repository("models/digits-test-x.npy"))?.floats()?;
    Ok(Scene {
        client: network.first().client().await?,
        blobs: BlobServer::start(folder).await?,
        input: model.quantise(&images[..model.columns()])?,
        network,
        runtime,
        model,
        id,
    })
}

async fn version_1_takes_a_model_and_jobs(scene: &Scene) -> Result<()> {
    let prover = Prover::new(&scene.model)?;
    let register = (Encoded::from(prover.key()), b"digits".to_vec(), PRICE);
    let register = tx("ModelRegistry", "register", register);
    scene.send(register, OWNER).await?;
    let id = [Value::from_bytes(scene.id.0)];
    let stored = scene
        .entry("ModelRegistry", "Models", &id, |_| true)
        .await?;
    ensure!(stored.at("royalty").is_none(), "version 1 has no royalties");

    scene.blobs.put(commitment(scene), &scene.input)?;
    for duration in DURATIONS {
        let locator = scene.blobs.url().as_bytes().to_vec();
        let job = (
            scene.id.0,
            1u32,
            commitment(scene),
            locator,
            PRICE,
            duration,
        );
        scene
            .send(tx("JobMarket", "submit_job", job), REQUESTER)
            .await?;
    }
    let all = DURATIONS.len() as u128;
    let submitted = |next: &Value| next.as_u128() == Some(all);
    scene
        .entry("JobMarket", "NextJobId", &[], submitted)
        .await?;

    for (job, secret) in [(CLAIMED, WORKER), (FORGOTTEN, IDLER)] {
        scene
            .send(tx("JobMarket", "claim_job", (job,)), secret)
            .await?;
    }
    for job in [CLAIMED, FORGOTTEN] {
        let keys = [Value::u128(job.into())];
        let assigned = |job: &Value| collateral(job).is_ok();
        scene.entry("JobMarket", "Jobs", &keys, assigned).await?;
    }
    Ok(())
}

/// What a worker of version 1 has on hold for a job.
fn collateral(job: &Value) -> Result<Balance> {
    number(job.at("state").at("collateral"))
}

async fn a_referendum_authorises_the_upgrade(scene: &Scene) -> Result<()> {
    let authorize = tx("System", "authorize_upgrade", (blake2_256(&scene.runtime),));
    let state = scene.client.finalised().await?;
    let proposal = state.at().transactions().call_data(&authorize)?;
    let lookup = Value::named_variant(
        "Lookup",
        [
            ("hash", Value::from_bytes(blake2_256(&proposal))),
            ("len", Value::u128(proposal.len() as u128)),
        ],
    );
    let nothing: [Value; 0] = [];
    let root = Value::unnamed_variant("Root", nothing);
    let root = Value::unnamed_variant("system", [root]);
    let at_once = Value::unnamed_variant("After", [Value::u128(0)]);

    let owner = keypair(OWNER)?;
    let note = tx("Preimage", "note_preimage", (proposal,));
    scene.client.execute(&note, &owner, Wait::Finalised).await?;
    let submit = tx("Referenda", "submit", (root, lookup, at_once));
    scene
        .client
        .execute(&submit, &owner, Wait::Finalised)
        .await?;
    let deposit = tx("Referenda", "place_decision_deposit", (REFERENDUM,));
    scene
        .client
        .execute(&deposit, &owner, Wait::Finalised)
        .await?;
    for voter in VOTERS {
        let vote = Value::named_variant(
            "Standard",
            [
                ("vote", Value::unnamed_composite([Value::u128(AYE)])),
                ("balance", Value::u128(VOTES)),
            ],
        );
        let vote = tx("ConvictionVoting", "vote", (REFERENDUM, vote));
        scene.send(vote, voter).await?;
    }
    scene
        .entry("System", "AuthorizedUpgrade", &[], |_| true)
        .await?;
    Ok(())
}

/// What the migrations had before them and have left behind: the states before and after the first block of today's
/// runtime.
struct Migrated {
    before: State,
    after: State,
    /// The state before, as the metadata of version 1 describes it.
    old: State,
}

async fn anyone_applies_it_and_every_node_follows(scene: &Scene) -> Result<Migrated> {
    let apply = tx(
        "System",
        "apply_authorized_upgrade",
        (scene.runtime.clone(),),
    );
    let applied = scene
        .client
        .execute(&apply, &keypair(REQUESTER)?, Wait::Finalised)
        .await?;
    for node in &scene.network.nodes {
        eventually("the node has the new runtime", async || {
            Ok((node.spec_version().await? == 2).then_some(()))
        })
        .await?;
    }
    all_advance(&scene.network.nodes).await?;
    // The block that brings a runtime is the last one of the runtime before.
    let before = scene.client.at(applied.block).await?;
    let (last, first) = (before.number(), before.number() + 1);
    let at = async |block: u64| {
        let hash = before.hash_of(block).await?;
        let hash = hash.with_context(|| format!("there is no block {block}"))?;
        anyhow::Ok(scene.client.at(hash).await?)
    };
    Ok(Migrated {
        after: at(first).await?,
        old: at(last - 1).await?,
        before,
    })
}

/// The bridge's leaves are longer than those of version 1. Each has one of the other kind for a neighbour here.
async fn leaves_of_both_versions_are_proven_beside_each_other(
    scene: &Scene,
    chain: &Migrated,
) -> Result<()> {
    let node = scene.network.first();
    let first = chain.after.number();
    for block in [1, first - 1, first, first + 1] {
        let proof = node.rpc("mmr_generateProof", json!([[block]])).await?;
        let held = node.rpc("mmr_verifyProof", json!([proof])).await?;
        ensure!(held == true, "the leaf of block {block} is not proven");
    }
    Ok(())
}

async fn the_migrations_carry_the_model_and_the_jobs_over(
    scene: &Scene,
    chain: &Migrated,
) -> Result<()> {
    let Migrated { before, after, old } = chain;
    for pallet in ["ModelRegistry", "JobMarket"] {
        for (state, version) in [(old, 1), (before, 1), (after, 2)] {
            let found = state.at().storage().storage_version(pallet).await?;
            ensure!(
                found == version,
                "{pallet} is of version {found} after block {}",
                state.number()
            );
        }
    }
    let expected = expected_model(scene, old).await?;
    let model = after.model(scene.id).await?;
    ensure!(model.as_ref() == Some(&expected), "the model is {model:?}");
    for (job, worker) in (OPEN..).zip([None, Some(WORKER), Some(IDLER)]) {
        let was = old_job(old, job).await?;
        let expected = expected_job(scene, &was, worker)?;
        let found = after.job(job).await?;
        ensure!(found.as_ref() == Some(&expected), "job {job} is {found:?}");
        if let Some(secret) = worker {
            let had = held(before, secret, COLLATERAL).await?;
            let has = held(after, secret, COLLATERAL).await?;
            ensure!(
                had == collateral(&was)? && had > 0 && has == 0,
                "{secret} had {had} of collateral on hold and has {has}"
            );
        }
    }
    nobody_gains_or_loses(before, after).await
}

/// What the migration makes of the model.
async fn expected_model(scene: &Scene, old: &State) -> Result<ModelInfo> {
    let id = [Value::from_bytes(scene.id.0)];
    let was = read(old, "ModelRegistry", "Models", &id).await?;
    let was = was.context("the model is gone")?;
    Ok(ModelInfo {
        owner: who(OWNER)?,
        name: b"digits".to_vec(),
        price_floor: PRICE,
        royalty: 0,
        deposit: number(was.at("deposit"))?,
        open_jobs: DURATIONS.len() as u32,
    })
}

/// What the migration makes of a job, and of the claim of its worker if it has one.
fn expected_job(scene: &Scene, was: &Value, worker: Option<&str>) -> Result<Job> {
    let deadline = number(was.at("deadline"))? as BlockNumber;
    let state = match worker {
        None => JobState::Submitted,
        Some(secret) => JobState::Assigned(Claim {
            worker: who(secret)?,
            collateral: 0,
            since: number(was.at("state").at("since"))? as BlockNumber,
            answer_by: deadline,
        }),
    };
    Ok(Job {
        requester: who(REQUESTER)?,
        model: scene.id.0,
        batch: 1,
        input_commitment: commitment(scene),
        locator: scene.blobs.url().as_bytes().to_vec(),
        price: Auction::fixed(PRICE),
        bounty: 0,
        royalty: 0,
        deposit: number(was.at("deposit"))?,
        opened: 0,
        deadline,
        verification: Verification::ZkMl,
        priority: Priority::Normal,
        requirements: Requirements::default(),
        state,
    })
}

/// What an account has on hold for one reason.
async fn held(state: &State, secret: &str, reason: &str) -> Result<Balance> {
    let holds = state.balances(&who(secret)?).await?.holds;
    let found = holds.iter().find(|(name, _)| name == reason);
    Ok(found.map_or(0, |(_, amount)| *amount))
}

/// Checks that the first block of the new runtime, in which nobody but the chain acts, moves no funds.
async fn nobody_gains_or_loses(before: &State, after: &State) -> Result<()> {
    for secret in VOTERS.into_iter().chain([WORKER, IDLER]) {
        let total = async |state: &State| {
            let has = state.balances(&who(secret)?).await?;
            anyhow::Ok(has.free + has.reserved)
        };
        ensure!(
            total(before).await? == total(after).await?,
            "{secret} gained or lost"
        );
    }
    let issued = async |state: &State| read(state, "Balances", "TotalIssuance", &[]).await;
    ensure!(
        issued(before).await?.map(|it| it.as_u128()) == issued(after).await?.map(|it| it.as_u128()),
        "CIRO was made or burned"
    );
    let escrow = held(after, REQUESTER, ESCROW).await?;
    ensure!(
        escrow == PRICE * DURATIONS.len() as u128,
        "{escrow} is on hold for the jobs"
    );
    Ok(())
}

async fn the_old_jobs_are_settled(scene: &Scene) -> Result<()> {
    the_forgotten_job_expires(scene).await?;
    let folder = scene.network.folder();
    let url = scene.network.first().url();
    let mut worker = Worker::start("worker", folder, &url, WORKER)?;
    for job in [OPEN, CLAIMED] {
        let stored = paid(&scene.client, job, LIMIT).await;
        let stored = stored.with_context(|| worker.tail())?;
        was_paid_for_its_answer(scene, job, stored).await?;
    }
    worker.check()?;

    let state = scene.client.finalised().await?;
    for (secret, reason) in [
        (REQUESTER, ESCROW),
        (WORKER, COLLATERAL),
        (IDLER, COLLATERAL),
    ] {
        let left = held(&state, secret, reason).await?;
        ensure!(left == 0, "{secret} has {left} on hold as {reason}");
    }
    let model = state.model(scene.id).await?.context("the model is gone")?;
    ensure!(model.open_jobs == 0, "{} jobs are open", model.open_jobs);
    Ok(())
}

async fn the_forgotten_job_expires(scene: &Scene) -> Result<()> {
    let late = scene.client.finalised().await?.job(FORGOTTEN).await?;
    let late = late.context("the forgotten job is gone")?.deadline;
    eventually("the forgotten job is late", async || {
        let now = scene.client.finalised().await?.number();
        Ok((now > late.into()).then_some(()))
    })
    .await?;
    let (expire, requester) = (calls::expire_job(FORGOTTEN), keypair(REQUESTER)?);
    let expired = scene
        .client
        .execute(&expire, &requester, Wait::Finalised)
        .await?;
    let expected = JobMarket::JobExpired {
        job: FORGOTTEN,
        worker: Some(who(IDLER)?),
        cut: 0,
    };
    ensure!(
        expired.events.contains(&Event::JobMarket(expected)),
        "the forgotten job did not expire: {:?}",
        expired.events
    );
    Ok(())
}

/// Checks that the worker was paid the price, with nothing lost, for what the model gives.
async fn was_paid_for_its_answer(scene: &Scene, job: JobId, stored: Job) -> Result<()> {
    let JobState::Paid { workers, at, .. } = stored.state else {
        anyhow::bail!("job {job} is not paid")
    };
    ensure!(workers == [who(WORKER)?], "job {job} was {workers:?}'s");
    let state = scene.client.finalised().await?;
    ensure!(
        state.result(job).await? == Some(scene.model.run(&scene.input)?),
        "the result of job {job} is not the model's"
    );
    let block = state.hash_of(at.into()).await?.context("no block")?;
    let events = scene.client.at(block).await?.events().await?;
    ensure!(
        released(&events, job) == Some(PRICE),
        "job {job} was paid otherwise"
    );
    Ok(())
}

/// What was paid out for a job, and kept and burned of it, together.
fn released(events: &[Event], job: JobId) -> Option<Balance> {
    events.iter().find_map(|event| match event {
        Event::JobMarket(JobMarket::PaymentReleased {
            job: other,
            payees,
            royalty,
            fee,
            burned,
        }) if *other == job => {
            let paid: Balance = payees.iter().map(|(_, amount)| amount).sum();
            Some(paid + royalty + fee + burned)
        }
        _ => None,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_referendum_upgrades_the_runtime_with_all_that_it_holds() {
    let scene = &step!(version_1_starts());
    step!(version_1_takes_a_model_and_jobs(scene));
    step!(a_referendum_authorises_the_upgrade(scene));
    let chain = &step!(anyone_applies_it_and_every_node_follows(scene));
    step!(the_migrations_carry_the_model_and_the_jobs_over(
        scene, chain
    ));
    step!(leaves_of_both_versions_are_proven_beside_each_other(
        scene, chain
    ));
    step!(the_old_jobs_are_settled(scene));
}
