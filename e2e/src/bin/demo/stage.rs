//! Everything that runs while the demo plays, and the accounts of those who play.

use crate::exhibit::{Exhibit, SOURCES};
use anyhow::{ensure, Context, Result};
use ciro_client::{
    events::{Event, JobMarket},
    types::{Balance, Balances},
    AccountId, Amount, Client, State,
};
use ciro_e2e::{who, BlobServer, Ciro, Devnet, Worker, TREASURY};
use serde_json::Value;
use std::{fs, time::Instant};

/// Owns the model. Also the chain's validator, who gets the fees.
pub const OWNER: &str = "//Alice";
/// Asks for the runs and pays.
pub const REQUESTER: &str = "//Bob";
/// Runs `ciro-worker`.
pub const WORKER: &str = "//Charlie";
/// Claims a job by hand and cheats.
pub const CHEAT: &str = "//Dave";
/// Run `ciro-worker` beside the first, for jobs that several answer.
pub const OTHERS: [&str; 2] = ["//Eve", "//Ferdie"];
/// Everybody.
const PLAYERS: [&str; 6] = [OWNER, REQUESTER, WORKER, CHEAT, OTHERS[0], OTHERS[1]];

/// Least price of a sample, as `ciro` reads it.
const PRICE_FLOOR: &str = "0.05";

/// The owner's share of what a job pays, in percent.
const ROYALTY: &str = "5";

/// A chain, a worker, the requester's blob server, and the models.
pub struct Stage {
    // In the order in which they end: whoever uses the chain before the chain.
    pub worker: Worker,
    pub blobs: BlobServer,
    pub devnet: Devnet,
    pub client: Client,
    pub cli: Ciro,
    pub exhibits: Vec<Exhibit>,
    start: Instant,
}

impl Stage {
    /// Starts everything and imports the models.
    pub async fn set() -> Result<Self> {
        let start = Instant::now();
        println!("Ciro demo: three trained models classify their test sets, every answer proved and paid on chain.\n");
        let devnet = Devnet::dev().await?;
        let url = devnet.first().url();
        let (client, cli) = (devnet.first().client().await?, Ciro::new(&url)?);
        say(start, "chain", &format!("one validator at {url}"));

        let folder = devnet.folder().to_owned();
        let models = Worker::models_of("worker", &folder);
        fs::create_dir_all(&models)?;
        let mut exhibits = Vec::new();
        for source in &SOURCES {
            let exhibit = Exhibit::import(source, &cli, &models).await?;
            let (outline, parameters) = (exhibit.model.outline(), exhibit.model.parameters());
            say(
                start,
                "model",
                &format!(
                    "{}, {}: {outline}; {parameters} parameters",
                    source.name,
                    exhibit.origin()
                ),
            );
            say(start, "its id", &exhibit.id.to_string());
            exhibits.push(exhibit);
        }

        let blobs = BlobServer::start(&folder).await?;
        let worker = Worker::start("worker", &folder, &url, WORKER)?;
        say(start, "worker", &format!("{WORKER}, {}", who(WORKER)?));
        Ok(Self {
            worker,
            blobs,
            devnet,
            client,
            cli,
            exhibits,
            start,
        })
    }

    /// Registers the models on the chain.
    pub async fn register(&self) -> Result<()> {
        for exhibit in &self.exhibits {
            self.cli
                .run([
                    "model".as_ref(),
                    "register".as_ref(),
                    exhibit.file.as_os_str(),
                    "--price-floor".as_ref(),
                    PRICE_FLOOR.as_ref(),
                    "--royalty".as_ref(),
                    ROYALTY.as_ref(),
                    "--suri".as_ref(),
                    OWNER.as_ref(),
                ])
                .await?;
        }
        self.say(
            "registered",
            &format!(
                "by {OWNER}, at least {PRICE_FLOOR} CIRO a sample, {ROYALTY} % of it {OWNER}'s"
            ),
        );
        Ok(())
    }

    /// Prints a line of progress.
    pub fn say(&self, what: &str, more: &str) {
        say(self.start, what, more);
    }

    /// What every process said last.
    pub fn tails(&self) -> String {
        format!(
            "{}{}{}",
            self.devnet.tails(),
            self.blobs.tail(),
            self.worker.tail()
        )
    }
}

fn say(start: Instant, what: &str, more: &str) {
    println!(
        "{:6.1} s  {what:<10}  {more}",
        start.elapsed().as_secs_f64()
    );
}

/// A text field of a command's answer.
pub fn text<'a>(answer: &'a Value, field: &str) -> Result<&'a str> {
    answer[field]
        .as_str()
        .with_context(|| format!("the answer has no {field}: {answer}"))
}

/// An amount in CIRO.
pub fn ciro(amount: Balance) -> String {
    Amount(amount).to_string()
}

/// What everybody has, by the finalised chain.
pub struct Funds {
    accounts: Vec<(&'static str, Balances)>,
    treasury: Balances,
    model_deposits: Balance,
}

impl Funds {
    /// Reads it.
    pub async fn read(stage: &Stage) -> Result<Self> {
        let state = stage.client.finalised().await?;
        let mut model_deposits = 0;
        for exhibit in &stage.exhibits {
            let model = state.model(exhibit.id).await?;
            model_deposits += model.map_or(0, |model| model.deposit);
        }
        let mut accounts = Vec::new();
        for name in PLAYERS {
            accounts.push((name, state.balances(&who(name)?).await?));
        }
        Ok(Self {
            accounts,
            treasury: state.balances(&TREASURY).await?,
            model_deposits,
        })
    }

    /// Everything together. Fees stay among the players, as the owner of the models is the validator, too.
    pub fn total(&self) -> Balance {
        let players = self.accounts.iter().map(|(_, has)| has);
        players
            .chain([&self.treasury])
            .map(|has| has.free + has.reserved)
            .sum()
    }

    /// What came to the treasury since then.
    pub fn treasury_since(&self, before: &Self) -> Balance {
        self.treasury.free - before.treasury.free
    }

    fn of(&self, name: &str) -> Result<&Balances> {
        let found = self.accounts.iter().find(|(player, _)| *player == name);
        Ok(&found.with_context(|| format!("{name} does not play"))?.1)
    }

    /// Checks that nothing but what the chain reported was burned, that the treasury has what the market kept, and that
    /// nothing is on hold but stake and deposits.
    pub async fn check(&self, before: &Self, stage: &Stage) -> Result<()> {
        let flows = Flows::read(&stage.client).await?;
        ensure!(
            before.total() == self.total() + flows.burned,
            "there was {} before and is {} now, with {} burned: funds came or went",
            before.total(),
            self.total(),
            flows.burned
        );
        ensure!(
            self.treasury_since(before) == flows.fees,
            "the treasury has not what the market kept"
        );
        let state = stage.client.finalised().await?;
        let deposits: Balance = state.jobs().await?.iter().map(|(_, job)| job.deposit).sum();
        for (name, has) in &self.accounts {
            let expected = match *name {
                // It is the chain's attester, too, whose bond was there before.
                OWNER => before.of(OWNER)?.reserved + self.model_deposits,
                REQUESTER => deposits,
                _ => staked(&state, &who(name)?).await?,
            };
            ensure!(
                has.reserved == expected,
                "{name} has {} on hold and not {expected}: {:?}",
                has.reserved,
                has.holds
            );
        }
        let (had, has) = (before.of(WORKER)?, self.of(WORKER)?);
        ensure!(
            has.free + has.reserved > had.free + had.reserved,
            "the worker's fees ate what it earned"
        );
        Ok(())
    }
}

/// What an operator has on hold: its stake, none of it set aside for jobs any more, and the deposit of its registration.
async fn staked(state: &State, account: &AccountId) -> Result<Balance> {
    let operator = state.operator(account).await?;
    let worker = state.worker(account).await?;
    let set_aside = operator.as_ref().map_or(0, |operator| operator.reserved);
    ensure!(
        set_aside == 0,
        "{account} has {set_aside} of its stake set aside for jobs"
    );
    Ok(operator.map_or(0, |operator| operator.own) + worker.map_or(0, |worker| worker.deposit))
}

/// What the chain reported since its first block.
struct Flows {
    burned: Balance,
    fees: Balance,
}

impl Flows {
    async fn read(client: &Client) -> Result<Self> {
        let state = client.finalised().await?;
        let (mut burned, mut fees) = (0, 0);
        for number in 1..=state.number() {
            let block = state
                .hash_of(number)
                .await?
                .with_context(|| format!("there is no block {number}"))?;
            for event in client.at(block).await?.events().await? {
                match event {
                    Event::JobMarket(JobMarket::PaymentReleased {
                        fee, burned: part, ..
                    }) => {
                        burned += part;
                        fees += fee;
                    }
                    Event::JobMarket(JobMarket::ResultRefused { cut, .. }) => burned += cut,
                    _ => {}
                }
            }
        }
        Ok(Self { burned, fees })
    }
}
