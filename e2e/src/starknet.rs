//! A chain of Starknet of one's own, and Ciro's contracts on it.

use crate::{anvil::word, free_port, repository, rpc, until, Contracts, Process};
use anyhow::{bail, ensure, Context, Result};
use ciro_bridge_calldata::starknet::{read_word, selector};
use ciro_bridge_primitives::{u128_of, Word};
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

/// A chain of Starknet.
pub struct StarknetDevnet {
    /// Its process.
    pub process: Process,
    address: SocketAddr,
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
        })
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        format!("http://{}/rpc", self.address)
    }

    /// Deploys Ciro's contracts. `genesis` is what `ciro bridge genesis` says.
    pub async fn deploy(&self, genesis: &Value) -> Result<Contracts> {
        let mut config = genesis.clone();
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
        Contracts::read(&serde_json::from_slice(&output.stdout)?)
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
