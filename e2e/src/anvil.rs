//! An EVM chain of one's own, and Ciro's contracts on it.

use crate::{destination::described, free_port, repository, rpc, until, Process};
use anyhow::{ensure, Context, Result};
use ciro_bridge::{config, evm::Evm};
use ciro_bridge_primitives::{keccak, u128_of, word_of, Word};
use serde_json::{json, Value};
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::process::Command;

/// How long anvil may take to start, and a transaction to get into a block.
const PATIENCE: Duration = Duration::from_secs(30);

/// Secrets of its first accounts, which everybody knows; it signs for all that it has.
const SECRETS: [&str; 4] = [
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
    "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
];

/// Ciro's contracts on a chain.
#[derive(Clone, Copy, Debug)]
pub struct Contracts {
    /// The light client.
    pub client: Word,
    /// The token.
    pub token: Word,
    /// The registry of results.
    pub registry: Word,
}

impl Contracts {
    /// Reads addresses by their names.
    pub fn read(json: &Value) -> Result<Self> {
        let address = |name: &str| {
            let text = json[name].as_str().context("no address")?;
            word(text).with_context(|| format!("{name} is {text}"))
        };
        Ok(Self {
            client: address("client")?,
            token: address("token")?,
            registry: address("registry")?,
        })
    }
}

/// An EVM chain.
pub struct Anvil {
    /// Its process.
    pub process: Process,
    address: SocketAddr,
    accounts: Vec<String>,
    folder: PathBuf,
}

impl Anvil {
    /// Starts a chain with a block a second.
    pub async fn start(folder: &Path) -> Result<Self> {
        let program = repository("contracts/evm/bin/anvil");
        ensure!(
            program.exists(),
            "there is no anvil: contracts/evm/setup.sh installs it"
        );
        let address: SocketAddr = (Ipv4Addr::LOCALHOST, free_port()?).into();
        let port = address.port().to_string();
        let arguments = ["--port", &port, "--block-time", "1"];
        let mut process = Process::start("anvil", folder, &program, arguments)?;
        let accounts = until("anvil answers", PATIENCE, async || {
            process.check()?;
            Ok(rpc(address, "eth_accounts", json!([])).await.ok())
        })
        .await?;
        let accounts = serde_json::from_value(accounts)?;
        Ok(Self {
            process,
            address,
            accounts,
            folder: folder.to_owned(),
        })
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The secret of one of its first accounts.
    pub fn secret(account: usize) -> &'static str {
        SECRETS[account]
    }

    /// Its last account, for whom nobody else sends transactions.
    pub fn user(&self) -> &str {
        &self.accounts[self.accounts.len() - 1]
    }

    /// That account as a word.
    pub fn user_word(&self) -> Result<Word> {
        word(self.user())
    }

    async fn rpc(&self, method: &str, params: Value) -> Result<Value> {
        rpc(self.address, method, params).await
    }

    /// One of its first accounts, for calls of its own. `client` is the light client there.
    pub async fn connect(&self, account: usize, client: Word) -> Result<Evm> {
        let (name, kind) = (format!("evm-{account}"), config::Kind::Evm);
        let (node, secret) = (self.url(), Self::secret(account));
        let described = described(&self.folder, name, kind, node, secret, None, client)?;
        Evm::connect(&described).await
    }

    /// Deploys Ciro's contracts, by the script that deploys them everywhere. `genesis` is what `ciro bridge genesis` says.
    pub async fn deploy(&self, genesis: &Value) -> Result<Contracts> {
        let network = format!("e2e-{}", self.address.port());
        let folder = Folder::make(repository("contracts/evm/deployments").join(&network))?;
        let mut config = genesis.clone();
        for (name, value) in [
            ("expiry", json!(432_000)),
            ("delay", json!(172_800)),
            ("proposers", json!([self.accounts[0]])),
            ("executors", json!([self.accounts[0]])),
            ("guardian", json!(self.accounts[0])),
            ("mintLimit", json!("1000000000000000000000000")),
        ] {
            config[name] = value;
        }
        fs::write(folder.0.join("config.json"), config.to_string())?;
        let output = Command::new(repository("contracts/evm/bin/forge"))
            .args(["script", "script/Deploy.s.sol", "--broadcast", "--unlocked"])
            .args(["--rpc-url", &self.url(), "--sender", &self.accounts[0]])
            .current_dir(repository("contracts/evm"))
            .env("NETWORK", &network)
            .kill_on_drop(true)
            .output()
            .await
            .context("cannot run forge")?;
        ensure!(
            output.status.success(),
            "forge deploys nothing: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        let contracts = fs::read_to_string(folder.0.join("contracts.json"))?;
        Contracts::read(&serde_json::from_str(&contracts)?)
    }

    /// Asks a contract for a number.
    pub async fn number(&self, contract: &Word, function: &str, words: &[Word]) -> Result<u128> {
        let call = json!({ "to": address(contract), "data": calldata(function, words) });
        let answer = self.rpc("eth_call", json!([call, "latest"])).await?;
        let answer = word(answer.as_str().context("no answer")?)?;
        u128_of(&answer).context("the number is too large")
    }

    /// Sends a call of the user's and waits until it is in a block. If the contract refuses it, the error has the bytes of
    /// the contract's own.
    pub async fn send(&self, contract: &Word, data: &str) -> Result<()> {
        let call = json!({ "from": self.user(), "to": address(contract), "data": data });
        self.rpc("eth_call", json!([call, "latest"])).await?;
        let hash = self.rpc("eth_sendTransaction", json!([call])).await?;
        let receipt = until("the transaction is in a block", PATIENCE, async || {
            let params = json!([hash]);
            let receipt = self.rpc("eth_getTransactionReceipt", params).await?;
            Ok((!receipt.is_null()).then_some(receipt))
        })
        .await?;
        ensure!(receipt["status"] == "0x1", "the call failed: {receipt}");
        Ok(())
    }
}

/// A call's data: the function by its signature, and words.
pub fn calldata(function: &str, words: &[Word]) -> String {
    let selector = &keccak(function.as_bytes())[..4];
    format!("0x{}{}", hex::encode(selector), hex::encode(words.concat()))
}

/// Reads up to 64 hexadecimal digits after `0x`.
pub fn word(text: &str) -> Result<Word> {
    let digits = text.trim_start_matches("0x");
    let mut word = word_of(0u8);
    hex::decode_to_slice(format!("{digits:0>64}"), &mut word)?;
    Ok(word)
}

/// The address in a word.
pub fn address(word: &Word) -> String {
    format!("0x{}", hex::encode(&word[12..]))
}

/// A folder that is removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn make(path: PathBuf) -> Result<Self> {
        fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Nothing depends on it.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_a_selector_and_words() {
        assert_eq!(calldata("totalSupply()", &[]), "0x18160ddd");
        let account = word("0x01").unwrap();
        let data = calldata("balanceOf(address)", &[account]);
        assert_eq!(data, format!("0x70a08231{:064x}", 1));
    }
}
