//! The chains, who is on them, and what they do and ask.

use anyhow::{ensure, Context, Result};
use ciro_bridge::{destination::Refused, starknet::Starknet};
use ciro_bridge_primitives::{u64_of, word_of, LaneId, Word};
use ciro_client::{types::Balance, Client, CIRO};
use ciro_e2e::{
    all_advance, anvil::word, eventually, halves, open_lane, register_token, repository,
    write_floats, Array, BlobServer, Ciro, Contracts, Devnet, Market, Relayer, StarknetDevnet,
    Target, Task, TREASURY,
};
use ciro_primitives::{JobId, ModelId};
use ciro_zkml_model::Model;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Owner of the models, with the sudo key; also the chain's attester.
pub const OWNER: &str = "//Alice";
pub const SENDER: &str = "//Bob";
/// Answers on Ciro for the worker on Starknet.
pub const OPERATOR: &str = "//Charlie";
/// Opens lanes and sends answers: anybody may.
pub const ANYBODY: &str = "//Eve";

pub const CALIBRATION: &str = "digits-calibration.npy";

/// Numbers of accounts on Starknet.
const RELAYER: usize = 1;
const REQUESTER: usize = 2;
const WORKER: usize = 3;
const STAKER: usize = 4;

/// Seconds from a job's submission to its deadline, from there to the refund, and from a request for stake to its
/// withdrawal.
pub const DURATION: u64 = 3_600;
pub const GRACE: u64 = 86_400;
pub const UNBONDING: u64 = 604_800;

/// Somebody on Starknet.
pub struct User {
    pub address: Word,
    pub account: Starknet,
}

pub struct Scene {
    pub client: Client,
    pub cli: Ciro,
    pub starknet: StarknetDevnet,
    pub market: Market,
    pub token_lane: LaneId,
    pub manager_lane: LaneId,
    pub pool_lane: LaneId,
    pub registry_lane: LaneId,
    pub requester: User,
    pub worker: User,
    pub staker: User,
    pub id: ModelId,
    pub model: PathBuf,
    pub images: Vec<f32>,
    pub blobs: BlobServer,
    pub relayer: Relayer,
    pub network: Devnet,
}

pub fn ciro(amount: u128) -> [Word; 2] {
    halves(&word_of(amount * CIRO))
}

pub fn number(number: u64) -> Word {
    word_of(number)
}

/// Checks that a contract has refused a call for this reason.
pub fn refused(outcome: Result<()>, reason: &str) -> Result<()> {
    let error = outcome
        .err()
        .with_context(|| format!("it is not refused as {reason}"))?;
    match error.downcast::<Refused>() {
        Ok(Refused(said)) if said == reason => Ok(()),
        Ok(other) => Err(other).context(format!("it should be {reason}")),
        Err(other) => Err(other),
    }
}

impl User {
    pub async fn connect(starknet: &StarknetDevnet, number: usize, client: Word) -> Result<Self> {
        Ok(Self {
            address: word(&starknet.accounts[number].address)?,
            account: starknet.connect(number, client).await?,
        })
    }

    pub async fn call(&self, contract: &Word, function: &str, felts: &[Word]) -> Result<()> {
        self.account.send(contract, function, felts).await
    }
}

impl Scene {
    pub fn folder(&self) -> &Path {
        self.network.folder()
    }

    /// An image as the model takes it.
    pub fn input(&self, index: usize) -> Result<Vec<i8>> {
        let model = Model::decode_file(&fs::read(&self.model)?)?;
        Ok(model.quantise(self.image(index)?)?)
    }

    pub fn image(&self, index: usize) -> Result<&[f32]> {
        let columns = Model::decode_file(&fs::read(&self.model)?)?.columns();
        Ok(&self.images[index * columns..][..columns])
    }

    pub async fn read(&self, contract: &Word, function: &str, felts: &[Word]) -> Result<Balance> {
        self.starknet.number(contract, function, felts).await
    }

    /// A number that takes a single felt.
    async fn count(&self, contract: &Word, function: &str) -> Result<u64> {
        let answer = self.requester.account.read(contract, function, &[]).await?;
        let count = answer.first().and_then(u64_of);
        count.with_context(|| format!("{function} is not answered"))
    }

    pub async fn balance(&self, of: &Word) -> Result<Balance> {
        let token = &self.market.contracts.token;
        self.read(token, "balance_of", &[*of]).await
    }

    /// Whether the registry knows a job's model, input and output.
    pub async fn is_proven(&self, job: JobId, result: &[Word; 3]) -> Result<bool> {
        let result = result.iter().flat_map(halves);
        let felts: Vec<Word> = [number(job)].into_iter().chain(result).collect();
        let (reader, registry) = (&self.requester.account, &self.market.contracts.registry);
        Ok(reader.read(registry, "is_proven", &felts).await? == [number(1)])
    }

    /// What the treasury on Ciro has.
    pub async fn treasury(&self) -> Result<Balance> {
        let state = self.client.finalised().await?;
        Ok(state.balances(&TREASURY).await?.free)
    }

    pub async fn escrow(&self) -> Result<Balance> {
        self.read(&self.market.manager, "total_escrow", &[]).await
    }

    pub async fn stake(&self, function: &str) -> Result<Balance> {
        self.read(&self.market.pool, function, &[self.worker.address])
            .await
    }

    pub async fn approve(&self, owner: &User, spender: &Word, amount: u128) -> Result<()> {
        let felts = [&[*spender][..], &ciro(amount)].concat();
        let token = &self.market.contracts.token;
        owner.call(token, "approve", &felts).await
    }

    pub async fn stake_for_worker(&self, staker: &User, amount: u128) -> Result<()> {
        let felts = [&[self.worker.address][..], &ciro(amount)].concat();
        let pool = &self.market.pool;
        staker.call(pool, "stake_for_worker", &felts).await
    }

    /// What a JobManager's `submit_job` takes for a run on an image.
    pub async fn ask(&self, image: usize, payment: u128) -> Result<Vec<Word>> {
        let (input, payment) = (self.folder().join("asked.npy"), payment.to_string());
        let sample = self.image(image)?;
        write_floats(&input, &[1, sample.len()], sample)?;
        let store = self.folder().join("asked");
        let asked = self.cli.run([
            "bridge".as_ref(),
            "ask".as_ref(),
            self.model.as_os_str(),
            "--input".as_ref(),
            input.as_os_str(),
            "--payment".as_ref(),
            payment.as_ref(),
            "--within".as_ref(),
            "1".as_ref(),
            "--store".as_ref(),
            store.as_os_str(),
            "--calldata".as_ref(),
        ]);
        felts(&asked.await?)
    }

    /// A run for a job of the JobManager, for the worker.
    pub fn task<'a>(&'a self, job: u64, model: &'a Path, image: usize) -> Result<Task<'a>> {
        Ok(Task {
            genesis: self.client.genesis(),
            lane: Some(self.manager_lane),
            job,
            payee: format!("0x{}", hex::encode(self.worker.address)),
            model,
            sample: self.image(image)?,
        })
    }

    /// Proves a run for a job of the JobManager.
    pub async fn prove(&self, job: u64, model: &Path, image: usize) -> Result<PathBuf> {
        let proof = self.folder().join(format!("{job}-{image}.proof"));
        let task = self.task(job, model, image)?;
        self.cli.prove(&task, &proof).await?;
        Ok(proof)
    }

    /// Shows a proof to Ciro; the number of the message that leaves.
    pub async fn answer(&self, proof: &Path) -> Result<u64> {
        let proof = proof.to_string_lossy();
        let arguments = ["bridge", "answer", &proof, "--suri", ANYBODY];
        let answered = self.cli.run(arguments).await?;
        answered["nonce"].as_u64().context("no nonce")
    }

    /// Checks that Ciro refuses a command with an error of a pallet.
    pub async fn refuses(&self, error: &str, arguments: &[&str]) -> Result<()> {
        let signed = [arguments, &["--suri", ANYBODY]].concat();
        let answer = self.cli.answer(signed).await?;
        let said = answer.json["error"].as_str().unwrap_or_default();
        ensure!(
            answer.code == 3 && said.starts_with(error),
            "{arguments:?} is not refused as {error}: {}",
            answer.json
        );
        Ok(())
    }

    /// What `deliver` takes for a message, as soon as the client knows a later block.
    pub async fn claim(&self, lane: LaneId, nonce: u64) -> Result<Vec<Word>> {
        let (lane, nonce) = (lane.to_string(), nonce.to_string());
        let client = &self.market.contracts.client;
        let claimed = eventually("the message can be claimed", async || {
            let newest = self.count(client, "newest_block").await?.to_string();
            let claim = ["bridge", "claim", &lane, &nonce, "--at", &newest];
            let claim = [&claim[..], &["--calldata", "starknet"]].concat();
            let answer = self.cli.answer(claim).await?;
            Ok((answer.code == 0).then_some(answer.json))
        });
        felts(&claimed.await?)
    }

    /// Delivers a message by hand.
    pub async fn deliver(&self, contract: &Word, lane: LaneId, nonce: u64) -> Result<()> {
        let felts = self.claim(lane, nonce).await?;
        self.requester.call(contract, "deliver", &felts).await
    }

    /// Checks that the JobManager refuses an answer, whoever delivers it, and that nothing moved.
    pub async fn pays_not(&self, proof: &Path, reason: &str) -> Result<()> {
        let had = (
            self.balance(&self.worker.address).await?,
            self.escrow().await?,
        );
        let nonce = self.answer(proof).await?;
        let manager = &self.market.manager;
        let delivered = self.deliver(manager, self.manager_lane, nonce).await;
        refused(delivered, reason)?;
        let has = (
            self.balance(&self.worker.address).await?,
            self.escrow().await?,
        );
        ensure!(has == had, "worker and escrow had {had:?} and have {has:?}");
        Ok(())
    }

    /// Checks that every token on Starknet is somebody's, that the contracts have what they say, and that Ciro's books say
    /// so too; all CIRO there is.
    pub async fn supply(&self) -> Result<Balance> {
        let Market {
            contracts,
            pool,
            manager,
        } = self.market;
        let (in_pool, in_escrow) = (self.balance(&pool).await?, self.balance(&manager).await?);
        let mut sum = in_pool + in_escrow;
        for account in &self.starknet.accounts {
            sum += self.balance(&word(&account.address)?).await?;
        }
        let issued = self.read(&contracts.token, "total_supply", &[]).await?;
        ensure!(sum == issued, "{issued} are issued and {sum} somebody's");

        let stake = self.read(&pool, "total_stake", &[]).await?;
        let slashed = self.read(&pool, "slashed", &[]).await?;
        ensure!(
            in_pool == stake + slashed,
            "the pool has {in_pool}: {stake} staked, {slashed} slashed"
        );
        let mut owed = 0;
        for job in 1..=self.count(&manager, "job_count").await? {
            owed += self.read(&manager, "payment", &[number(job)]).await?;
        }
        ensure!(
            [in_escrow, owed] == [self.escrow().await?; 2],
            "the manager has {in_escrow} and owes {owed}"
        );

        let state = self.client.finalised().await?;
        let outside = state.remote(self.token_lane).await?;
        let outside = outside.context("no such token")?.outside;
        ensure!(
            issued == outside,
            "{issued} are there, {outside} in Ciro's books"
        );
        Ok(state.canonical_supply().await?)
    }
}

/// The felts of a call, as `ciro` prints them.
pub fn felts(printed: &serde_json::Value) -> Result<Vec<Word>> {
    let felts = printed["calldata"].as_array().context("no calldata")?;
    let felts = felts.iter().map(|felt| felt.as_str().context("no felt"));
    felts.map(|felt| word(felt?)).collect()
}

pub async fn chains_and_a_relayer_start() -> Result<Scene> {
    let network = Devnet::dev().await?;
    let (folder, node) = (network.folder(), network.first().url());
    let (client, cli) = (network.first().client().await?, Ciro::new(&node)?);
    let starknet = StarknetDevnet::start(folder).await?;
    all_advance(&network.nodes).await?;

    let genesis = cli.run(["bridge", "genesis"]).await?;
    let market = starknet.deploy_market(&genesis, &TREASURY).await?;
    let Contracts {
        token, registry, ..
    } = market.contracts;
    let contracts = [token, market.manager, market.pool, registry];
    let mut lanes = vec![];
    for contract in &contracts {
        lanes.push(open_lane(&cli, "starknet", "SN_SEPOLIA", contract, ANYBODY).await?);
    }
    register_token(&client, lanes[0], OWNER).await?;

    let account = &starknet.accounts[RELAYER];
    let target = Target {
        kind: "starknet",
        node: starknet.url(),
        secret: &account.secret,
        account: Some(&account.address),
        client: market.contracts.client,
        contracts: contracts.to_vec(),
    };
    let relayer = Relayer::start("relayer", folder, &node, (OWNER, ANYBODY), &[target])?;
    let model = folder.join("digits.ciro");
    let id = cli
        .register_example("digits.onnx", CALIBRATION, &model, OWNER)
        .await?;
    let user = async |number| User::connect(&starknet, number, market.contracts.client).await;
    Ok(Scene {
        requester: user(REQUESTER).await?,
        worker: user(WORKER).await?,
        staker: user(STAKER).await?,
        client,
        cli,
        starknet,
        market,
        token_lane: lanes[0],
        manager_lane: lanes[1],
        pool_lane: lanes[2],
        registry_lane: lanes[3],
        id,
        model,
        images: Array::read(&repository("models/digits-test-x.npy"))?.floats()?,
        blobs: BlobServer::start(folder).await?,
        relayer,
        network,
    })
}
