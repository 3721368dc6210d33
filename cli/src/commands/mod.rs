//! One module for each family of commands, and what they share.

pub mod account;
mod binding;
pub mod blob;
pub mod bridge;
pub mod job;
pub mod model;
pub mod prove;
mod remote;
pub mod result;
pub mod run;
mod settle;
pub mod slash;
pub mod stake;
mod submit;
pub mod worker;

use crate::output::{Output, Report};
use anyhow::{Context, Result};
use ciro_client::{
    account,
    calls::{Call, EncodeAsFields},
    file::write_atomically,
    keypair, keypair_from_file, AccountId, Client, Included, Keypair, Wait,
};
use ciro_zkml_model::Model;
use ciro_zkml_verifier::Receipt;
use clap::Args;
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Which node to talk to.
#[derive(Args)]
pub struct Node {
    /// RPC address of a node.
    #[arg(
        long,
        env = "CIRO_NODE",
        default_value = "ws://127.0.0.1:9944",
        value_name = "URL"
    )]
    node: String,
}

impl Node {
    /// A connection to it.
    pub async fn connect(&self) -> Result<Client> {
        Ok(Client::connect(&self.node).await?)
    }
}

/// Who acts.
#[derive(Args)]
pub struct Signer {
    /// File whose only line is the secret: a mnemonic, a 0x seed, or //Name on a development chain.
    #[arg(long, env = "CIRO_KEY_FILE", value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// The secret itself. Other users of the machine can see arguments: prefer --key-file or the variable.
    #[arg(long, env = "CIRO_SURI", hide_env_values = true, value_name = "SECRET")]
    suri: Option<String>,
}

impl Signer {
    /// The key pair; the file counts before the secret.
    pub fn keypair(&self) -> Result<Keypair> {
        match (&self.key_file, &self.suri) {
            (Some(file), _) => Ok(keypair_from_file(file)?),
            (None, Some(suri)) => Ok(keypair(suri)?),
            (None, None) => {
                anyhow::bail!("no account to act as: give --key-file or --suri, or set CIRO_SURI")
            }
        }
    }

    /// The account.
    pub fn account(&self) -> Result<AccountId> {
        Ok(account(&self.keypair()?))
    }
}

/// Node, signer, and how long to wait.
#[derive(Args)]
pub struct Sender {
    #[command(flatten)]
    pub node: Node,
    #[command(flatten)]
    pub signer: Signer,
    /// Be content with a block that is not finalised yet.
    #[arg(long)]
    in_block: bool,
}

impl Sender {
    /// When a transaction counts as done.
    pub fn wait(&self) -> Wait {
        if self.in_block {
            Wait::Block
        } else {
            Wait::Finalised
        }
    }

    /// Signs and sends a call, and waits until it is done.
    pub async fn send<A: EncodeAsFields>(
        &self,
        call: &Call<A>,
        output: Output,
    ) -> Result<Included> {
        let signer = self.signer.keypair()?;
        let _step = output.progress("sending");
        let client = self.node.connect().await?;
        Ok(client.execute(call, &signer, self.wait()).await?)
    }
}

/// Sends a call and reports that it is done.
pub async fn send<A: EncodeAsFields>(
    sender: &Sender,
    call: Call<A>,
    done: String,
    output: Output,
) -> Result<Report> {
    let included = sender.send(&call, output).await?;
    let block = hex(&included.block.0);
    Ok(Report::yes(
        done.clone(),
        json!({ "done": done, "block": block }),
    ))
}

/// Reads a model file.
pub fn read_model(path: &Path) -> Result<Model> {
    let bytes =
        fs::read(path).with_context(|| format!("cannot read the model {}", path.display()))?;
    Model::decode_file(&bytes).with_context(|| {
        format!(
            "{} is not a model: make one with `ciro model import`",
            path.display()
        )
    })
}

/// Reads a proof file.
pub fn read_proof(path: &Path) -> Result<Receipt> {
    let bytes =
        fs::read(path).with_context(|| format!("cannot read the proof {}", path.display()))?;
    Receipt::decode_file(&bytes).with_context(|| path.display().to_string())
}

/// Writes a result whole or not at all.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    write_atomically(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

/// A hash as people read it.
pub fn hex(bytes: &[u8]) -> String {
    format!("0x{}", ::hex::encode(bytes))
}

/// Reads 64 hexadecimal digits, with or without 0x.
pub fn parse_hash(text: &str) -> Result<[u8; 32], String> {
    let mut hash = [0; 32];
    ::hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut hash)
        .map_err(|_| format!("\"{text}\" is not a hash of 64 hexadecimal digits"))?;
    Ok(hash)
}

/// Reads an account's address.
pub fn parse_account(text: &str) -> Result<AccountId, String> {
    text.parse()
        .map_err(|_| format!("\"{text}\" is not an account's address (SS58)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_64_digits() {
        assert_eq!(
            parse_hash(&format!("0x{}", "Ab".repeat(32))),
            Ok([0xab; 32])
        );
        assert_eq!(parse_hash(&"00".repeat(32)), Ok([0; 32]));
        for text in ["", "0x", "zz", &"00".repeat(31), &"00".repeat(33)] {
            assert!(parse_hash(text).is_err());
        }
        assert_eq!(parse_hash(&hex(&[7; 32])), Ok([7; 32]));
    }

    #[test]
    fn addresses_have_a_checksum() {
        let alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
        assert_eq!(parse_account(alice).unwrap().to_string(), alice);
        assert!(parse_account(&alice.replace('Q', "R")).is_err());
        assert!(parse_account("").is_err());
    }
}
