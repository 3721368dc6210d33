//! Everything that runs while the demo plays, and the accounts of those who play.

use crate::{
    cheat::Cheat,
    exhibit::{Exhibit, SOURCES},
    jobs::PaidJob,
};
use anyhow::{ensure, Context, Result};
use ciro_client::{
    account, keypair,
    types::{Balance, Balances},
    AccountId, Client, CIRO,
};
use ciro_e2e::{BlobServer, Ciro, Devnet, Worker};
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

/// Least price of a sample, as `ciro` reads it.
const PRICE_FLOOR: &str = "0.05";

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
                    "--suri".as_ref(),
                    OWNER.as_ref(),
                ])
                .await?;
        }
        self.say(
            "registered",
            &format!("by {OWNER}, at least {PRICE_FLOOR} CIRO a sample"),
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

/// Account of a development secret.
pub fn who(secret: &str) -> Result<AccountId> {
    Ok(account(&keypair(secret)?))
}

/// An amount in CIRO.
pub fn ciro(amount: Balance) -> String {
    let (whole, fraction) = (amount / CIRO, amount % CIRO);
    let text = format!("{whole}.{fraction:018}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What the four accounts have, by the finalised chain.
pub struct Funds {
    owner: Balances,
    requester: Balances,
    worker: Balances,
    cheat: Balances,
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
        Ok(Self {
            owner: state.balances(&who(OWNER)?).await?,
            requester: state.balances(&who(REQUESTER)?).await?,
            worker: state.balances(&who(WORKER)?).await?,
            cheat: state.balances(&who(CHEAT)?).await?,
            model_deposits,
        })
    }

    /// Everything together. Fees stay among the four, as the owner of the model is the validator, too.
    pub fn total(&self) -> Balance {
        [&self.owner, &self.requester, &self.worker, &self.cheat]
            .map(|has| has.free + has.reserved)
            .iter()
            .sum()
    }

    /// Checks that nothing but the cheat's cut was burned, and that nothing but deposits is on hold.
    pub fn check(&self, before: &Self, paid: &[PaidJob], cheat: &Cheat) -> Result<()> {
        ensure!(
            before.total() == self.total() + cheat.cut,
            "the accounts had {} before and have {} now, with {} burned: funds came or went",
            before.total(),
            self.total(),
            cheat.cut
        );
        let deposits: Balance = paid.iter().map(|job| job.deposit).sum::<Balance>() + cheat.deposit;
        for (name, on_hold, expected) in [
            (OWNER, self.owner.reserved, self.model_deposits),
            (REQUESTER, self.requester.reserved, deposits),
            (WORKER, self.worker.reserved, 0),
            (CHEAT, self.cheat.reserved, 0),
        ] {
            ensure!(
                on_hold == expected,
                "{name} has {on_hold} on hold and deposits of {expected}"
            );
        }
        let earned: Balance = paid.iter().map(|job| job.amount).sum::<Balance>() + cheat.amount;
        let (had, has) = (before.worker.free, self.worker.free);
        ensure!(has <= had + earned, "the worker has more than it earned");
        ensure!(has > had, "the worker's fees ate what it earned");
        Ok(())
    }
}
