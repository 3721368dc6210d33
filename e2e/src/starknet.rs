//! A chain of Starknet of one's own, and Ciro's contracts on it.

use crate::{
    anvil::word, destination::described, free_port, repository, rpc, until, Contracts, Process,
};
use anyhow::{bail, ensure, Context, Result};
use ciro_bridge::{config, starknet::Starknet};
use ciro_bridge_calldata::starknet::{read_word, selector};
use ciro_bridge_primitives::{u128_of, word_of, Word};
use ciro_client::AccountId;
use serde_json::{json, Value};
use std::{
    env,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Command as Blocking,
    time::Duration,
};
use tokio::process::Command;

/// How long the devnet may take to start.
const START: Duration = Duration::from_secs(30);

/// An account that has funds from the start.
#[derive(Clone, Debug)]
pub struct StarknetAccount {
    /// Its address.
    pub address: String,
    /// Its secret.
    pub secret: String,
}

/// Ciro's contracts with the market's entry points.
#[derive(Clone, Copy, Debug)]
pub struct Market {
    /// What is on every chain.
    pub contracts: Contracts,
    /// The stake behind workers.
    pub pool: Word,
    /// The jobs.
    pub manager: Word,
}

/// A chain of Starknet.
pub struct StarknetDevnet {
    /// Its process.
    pub process: Process,
    address: SocketAddr,
    folder: PathBuf,
    /// Its accounts; the first one governs the contracts.
    pub accounts: Vec<StarknetAccount>,
}

impl StarknetDevnet {
    /// Starts a chain, which makes a block of each transaction.
    pub async fn start(folder: &Path) -> Result<Self> {
        let program = program()?;
        let address: SocketAddr = (Ipv4Addr::LOCALHOST, free_port()?).into();
        let port = address.port().to_string();
        // Enough for the most that a declaration may cost.
        let funds = format!("1{:030}", 0);
        let arguments = ["--seed", "1", "--accounts", "6", "--port", &port];
        // The relayers ask for states of blocks that are final.
        let states = ["--state-archive-capacity", "full"];
        let arguments = [&arguments[..], &["--initial-balance", &funds], &states].concat();
        let mut process = Process::start("starknet", folder, &program, arguments)?;
        let accounts = until("the devnet answers", START, async || {
            process.check()?;
            let accounts = rpc(address, "devnet_getPredeployedAccounts", json!({}));
            Ok(accounts.await.ok())
        })
        .await?;
        let accounts = accounts.as_array().context("no accounts")?.iter();
        let accounts = accounts.map(|account| {
            let text = |name: &str| account[name].as_str().map(str::to_owned);
            Some(StarknetAccount {
                address: text("address")?,
                secret: text("private_key")?,
            })
        });
        Ok(Self {
            accounts: accounts.collect::<Option<_>>().context("an account")?,
            process,
            address,
            folder: folder.to_owned(),
        })
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        format!("http://{}/rpc", self.address)
    }

    /// An account, for calls of its own. `client` is the light client there.
    pub async fn connect(&self, account: usize, client: Word) -> Result<Starknet> {
        let (name, kind) = (format!("starknet-{account}"), config::Kind::Starknet);
        let StarknetAccount { address, secret } = &self.accounts[account];
        let (node, address) = (self.url(), Some(word(address)?));
        let described = described(&self.folder, name, kind, node, secret, address, client)?;
        Starknet::connect(&described).await
    }

    /// Lets so many seconds pass.
    pub async fn advance(&self, seconds: u64) -> Result<()> {
        let time = json!({ "time": seconds });
        rpc(self.address, "devnet_increaseTime", time).await?;
        Ok(())
    }

    /// Deploys Ciro's contracts. `genesis` is what `ciro bridge genesis` says.
    pub async fn deploy(&self, genesis: &Value) -> Result<Contracts> {
        Contracts::read(&self.run_deployment(genesis.clone()).await?)
    }

    /// Deploys the market's entry points, too. What is slashed there is for the treasury, an account on Ciro.
    pub async fn deploy_market(&self, genesis: &Value, treasury: &AccountId) -> Result<Market> {
        let mut config = genesis.clone();
        config["treasury"] = json!(format!("0x{}", hex::encode(treasury.0)));
        let deployed = self.run_deployment(config).await?;
        let address = |name: &str| word(deployed[name].as_str().context("no address")?);
        Ok(Market {
            contracts: Contracts::read(&deployed)?,
            pool: address("pool")?,
            manager: address("manager")?,
        })
    }

    async fn run_deployment(&self, mut config: Value) -> Result<Value> {
        config["expiry"] = json!(432_000);
        config["delay"] = json!(604_800);
        let output = Command::new("node")
            .arg(repository("e2e/starknet/deploy.mjs"))
            .args([self.url(), config.to_string()])
            .kill_on_drop(true)
            .output()
            .await
            .context("cannot run node")?;
        ensure!(
            output.status.success(),
            "nothing is deployed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Asks a contract for a number below 2^128.
    pub async fn number(&self, contract: &Word, function: &str, felts: &[Word]) -> Result<u128> {
        let felt = |word: &Word| {
            let digits = hex::encode(word);
            format!("0x{:0>1}", digits.trim_start_matches('0'))
        };
        let request = json!({
            "contract_address": felt(contract),
            "entry_point_selector": felt(&selector(function)),
            "calldata": felts.iter().map(felt).collect::<Vec<_>>(),
        });
        let params = json!({ "request": request, "block_id": "latest" });
        let answer = rpc(self.address, "starknet_call", params).await?;
        let answer = answer.as_array().context("no answer")?.iter();
        let answer = answer.map(|felt| word(felt.as_str().unwrap_or_default()));
        let answer = answer.collect::<Result<Vec<_>>>()?;
        let number = read_word(&answer).and_then(|word| u128_of(&word));
        number.context("the answer is no number below 2^128")
    }
}

/// A word as Cairo's `u256`: the lower half first.
pub fn halves(word: &Word) -> [Word; 2] {
    let mut halves = [word_of(0u8); 2];
    halves[0][16..].copy_from_slice(&word[16..]);
    halves[1][16..].copy_from_slice(&word[..16]);
    halves
}

/// Where `contracts/starknet/devnet.sh` has put the program.
fn program() -> Result<PathBuf> {
    let folder = match env::var_os("CIRO_STARKNET_DEVNET") {
        Some(folder) => folder,
        None => {
            let script = repository("contracts/starknet/devnet.sh");
            let output = Blocking::new(&script).output();
            let output = output.with_context(|| format!("cannot run {}", script.display()))?;
            if !output.status.success() {
                bail!("no devnet: {}", String::from_utf8_lossy(&output.stderr));
            }
            String::from_utf8_lossy(&output.stdout)
                .trim()
                .to_owned()
                .into()
        }
    };
    Ok(folder.into())
}
