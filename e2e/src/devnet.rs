//! Nodes of a chain of their own.

use crate::{binary, rpc, Process};
use anyhow::{Context, Result};
use ciro_client::Client;
use serde_json::{json, Value};
use std::{ffi::OsString, net::SocketAddr, path::Path, time::Duration};
use tempfile::TempDir;

/// How long a node may take until it answers.
const START: Duration = Duration::from_secs(60);

/// Validators of the chain `local`.
const LOCAL: [&str; 4] = ["alice", "bob", "charlie", "dave"];

/// A chain that lives as long as this value.
pub struct Devnet {
    /// Its nodes, at least one, all of them validators.
    pub nodes: Vec<Node>,
    // Dropped after the nodes that write there.
    folder: TempDir,
}

impl Devnet {
    /// The chain `dev` with its one validator, Alice.
    pub async fn dev() -> Result<Self> {
        let mut devnet = Self {
            nodes: vec![],
            folder: scratch()?,
        };
        let node = devnet.node("node", &["--dev".into()]).await?;
        devnet.nodes.push(node);
        Ok(devnet)
    }

    /// The chain `local` with its four validators, each a node.
    pub async fn local() -> Result<Self> {
        let mut devnet = Self {
            nodes: vec![],
            folder: scratch()?,
        };
        let mut known = Vec::new();
        for name in LOCAL {
            let mut arguments: Vec<OsString> = [
                "--chain",
                "local",
                "--unsafe-force-node-key-generation",
                "--no-mdns",
            ]
            .map(Into::into)
            .to_vec();
            arguments.push(format!("--{name}").into());
            arguments.extend(known.iter().cloned());
            let node = devnet.node(name, &arguments).await?;
            if known.is_empty() {
                known = vec!["--bootnodes".into(), node.address().await?.into()];
            }
            devnet.nodes.push(node);
        }
        Ok(devnet)
    }

    /// Its first node.
    pub fn first(&self) -> &Node {
        &self.nodes[0]
    }

    /// A folder that is removed with the chain.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What its nodes said last.
    pub fn tails(&self) -> String {
        self.nodes.iter().map(|node| node.process.tail()).collect()
    }

    async fn node(&self, name: &str, arguments: &[OsString]) -> Result<Node> {
        let base = self.folder.path().join(format!("{name}.base"));
        let common = [
            "--port=0",
            "--rpc-port=0",
            "--no-prometheus",
            "--no-telemetry",
        ];
        let mut all: Vec<OsString> = common.map(Into::into).to_vec();
        all.extend(["--base-path".into(), base.into()]);
        all.extend_from_slice(arguments);
        let mut process = Process::start(name, self.folder.path(), &binary("ciro-node")?, &all)?;
        let port = process
            .says("the node opens its RPC port", START, rpc_port)
            .await?;
        Ok(Node {
            process,
            rpc: SocketAddr::from(([127, 0, 0, 1], port)),
        })
    }
}

/// A node that answers.
pub struct Node {
    /// Its process.
    pub process: Process,
    /// Where its RPC listens.
    pub rpc: SocketAddr,
}

impl Node {
    /// Address for clients.
    pub fn url(&self) -> String {
        format!("ws://{}", self.rpc)
    }

    /// A client of it.
    pub async fn client(&self) -> Result<Client> {
        Ok(Client::connect(&self.url()).await?)
    }

    /// Calls one of its RPC methods.
    pub async fn rpc(&self, method: &str, params: Value) -> Result<Value> {
        rpc(self.rpc, method, params).await
    }

    /// Where other nodes find it.
    async fn address(&self) -> Result<String> {
        let addresses = self.rpc("system_localListenAddresses", json!([])).await?;
        let addresses = addresses.as_array().context("not a list of addresses")?;
        addresses
            .iter()
            .filter_map(Value::as_str)
            .find(|address| address.starts_with("/ip4/127.0.0.1/tcp/") && !address.contains("/ws"))
            .map(str::to_owned)
            .with_context(|| format!("none of the node's addresses will do: {addresses:?}"))
    }
}

/// The port in a line like `Running JSON-RPC server: addr=127.0.0.1:40213,[::1]:45671`.
fn rpc_port(log: &str) -> Option<u16> {
    let (_, rest) = log.split_once("Running JSON-RPC server: addr=127.0.0.1:")?;
    // Without what follows it, the number may be half written.
    let end = rest.find(|c: char| !c.is_ascii_digit())?;
    rest[..end].parse().ok()
}

fn scratch() -> Result<TempDir> {
    tempfile::Builder::new()
        .prefix("ciro-")
        .tempdir()
        .context("cannot make a folder for the chain")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_read_once_it_is_whole() {
        let line = "2026 Running JSON-RPC server: addr=127.0.0.1:40213,[::1]:45671\n";
        assert_eq!(rpc_port(line), Some(40213));
        let cut = line.find("213").unwrap();
        assert_eq!(rpc_port(&line[..cut]), None);
        assert_eq!(rpc_port(""), None);
    }
}
