//! A relayer that can be killed and started again.

use crate::{binary, Process};
use anyhow::{Context, Result};
use ciro_bridge_primitives::Word;
use std::{
    fmt::Write as _,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// A relayer, running or not.
pub struct Relayer {
    name: String,
    folder: PathBuf,
    process: Option<Process>,
}

/// Where a relayer relays to.
pub struct Target<'a> {
    /// Name and kind: `evm` or `starknet`.
    pub kind: &'a str,
    /// A node.
    pub node: String,
    /// Secret of the account that pays.
    pub secret: &'a str,
    /// The account, on Starknet.
    pub account: Option<&'a str>,
    /// The light client there.
    pub client: Word,
    /// The contracts that take messages.
    pub contracts: Vec<Word>,
}

impl Relayer {
    /// Starts a relayer that is the attester with the first of these secrets (`//Alice`, say), and reports validators as
    /// the second. Everything it writes is in `folder`.
    pub fn start(
        name: &str,
        folder: &Path,
        node: &str,
        (attester, reporter): (&str, &str),
        targets: &[Target<'_>],
    ) -> Result<Self> {
        let folder = folder.join(name);
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let key = |name: &str, secret: &str| -> Result<PathBuf> {
            let path = folder.join(name);
            fs::write(&path, secret)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
            Ok(path)
        };
        let mut config = String::new();
        writeln!(config, "state = {:?}", folder.join("state"))?;
        writeln!(config, "[ciro]\nnode = {node:?}")?;
        let path = key("attester.key", attester)?;
        writeln!(config, "attester_key_file = {path:?}")?;
        let path = key("reporter.key", reporter)?;
        writeln!(config, "fisherman_key_file = {path:?}")?;
        for target in targets {
            let path = key(&format!("{}.key", target.kind), target.secret)?;
            let hex = |word: &Word| format!("0x{}", hex::encode(word));
            let contracts: Vec<String> = target.contracts.iter().map(hex).collect();
            writeln!(
                config,
                "[[destination]]\nname = {0:?}\nkind = {0:?}",
                target.kind
            )?;
            writeln!(config, "node = {:?}\nkey_file = {path:?}", target.node)?;
            if let Some(account) = target.account {
                writeln!(config, "account = {account:?}")?;
            }
            writeln!(config, "client = {:?}", hex(&target.client))?;
            writeln!(config, "contracts = {contracts:?}")?;
            writeln!(config, "confirmations = 1\nmax_lag = 8\nmax_fee = 1000.0")?;
        }
        fs::write(folder.join("relayer.toml"), config)?;
        let mut relayer = Self {
            name: name.to_owned(),
            folder,
            process: None,
        };
        relayer.restart()?;
        Ok(relayer)
    }

    /// Starts it again with the state it left; its log goes on.
    pub fn restart(&mut self) -> Result<()> {
        self.process = None;
        let program = binary("ciro-bridge")?;
        let config = self.folder.join("relayer.toml");
        self.process = Some(Process::start(
            &self.name,
            &self.folder,
            &program,
            [config],
        )?);
        Ok(())
    }

    /// Kills it as SIGKILL does: it has no time for anything.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Removes all that it has kept.
    pub fn forget(&self) -> Result<()> {
        let state = self.folder.join("state");
        match state.exists() {
            true => Ok(fs::remove_dir_all(state)?),
            false => Ok(()),
        }
    }

    /// An error with the end of its log if it ended by itself.
    pub fn check(&mut self) -> Result<()> {
        self.process.as_mut().map_or(Ok(()), Process::check)
    }
}
