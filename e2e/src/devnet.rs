//! Nodes of a chain of their own.

use crate::{
    binary,
    genesis::Genesis,
    rpc::{get, rpc},
    spec::{Member, Network},
    Process,
};
use anyhow::{Context, Result};
use ciro_client::Client;
use serde_json::{json, Value};
use std::{
    ffi::OsString,
    mem,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};
use tempfile::TempDir;

/// How long a node may take until it answers. Most of it compiles the runtime: 13 seconds of a processor.
const START: Duration = Duration::from_secs(240);

/// A chain that lives as long as this value.
pub struct Devnet {
    /// Its nodes, at least one, all of them validators.
    pub nodes: Vec<Node>,
    network: Network,
    // Dropped after the nodes that write there.
    folder: TempDir,
}

impl Devnet {
    /// The chain `dev`: [`Network::dev`].
    pub async fn dev() -> Result<Self> {
        Self::start(Network::dev()).await
    }

    /// The chain `local`: [`Network::local`].
    pub async fn local() -> Result<Self> {
        Self::start(Network::local()?).await
    }

    /// The same nodes on a chain with this genesis.
    pub async fn local_from(genesis: &Genesis) -> Result<Self> {
        let (mut network, folder) = (Network::local()?, scratch()?);
        let path = folder.path().join("chain.json");
        genesis.write(&path)?;
        network.chain = path.to_string_lossy().into_owned();
        Self::start_in(folder, network).await
    }

    /// All nodes of a network, once they answer.
    pub async fn start(network: Network) -> Result<Self> {
        Self::start_in(scratch()?, network).await
    }

    async fn start_in(folder: TempDir, network: Network) -> Result<Self> {
        let mut devnet = Self {
            nodes: vec![],
            network,
            folder,
        };
        let members = mem::take(&mut devnet.network.nodes);
        for member in &members {
            let mut node = devnet.node(member).await?;
            // The others ask it for its address.
            if devnet.nodes.is_empty() {
                node.ready().await?;
            }
            devnet.nodes.push(node);
        }
        for node in &mut devnet.nodes {
            node.ready().await?;
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

    /// Another node, which is not one of [`nodes`](Self::nodes), as soon as it answers.
    pub async fn join(&self, member: &Member) -> Result<Node> {
        let mut node = self.node(member).await?;
        node.ready().await?;
        Ok(node)
    }

    /// Starts a node. The first node is its boot node.
    async fn node(&self, member: &Member) -> Result<Node> {
        let base = self.folder().join(format!("{}.base", member.name));
        let mut arguments: Vec<OsString> = vec!["--base-path".into(), base.into()];
        match &*self.network.chain {
            // The flag does more than name the chain, which may not be named twice.
            "dev" => arguments.push("--dev".into()),
            chain => arguments.extend(["--chain".into(), chain.into()]),
        }
        if let Some(first) = self.nodes.first() {
            arguments.extend(["--bootnodes".into(), first.address().await?.into()]);
        }
        let own = self.network.default_args.iter().chain(&member.args);
        arguments.extend(own.map(OsString::from));
        let launch = Launch {
            name: member.name.clone(),
            folder: self.folder().to_owned(),
            program: binary(&self.network.default_command)?,
            arguments,
        };
        Ok(Node {
            process: launch.start(Ports::default())?,
            ports: Ports::default(),
            launch,
        })
    }
}

/// How a node is started, but for its ports.
struct Launch {
    name: String,
    folder: PathBuf,
    program: PathBuf,
    arguments: Vec<OsString>,
}

impl Launch {
    fn start(&self, ports: Ports) -> Result<Process> {
        let mut arguments = self.arguments.clone();
        arguments.extend([
            format!("--listen-addr=/ip4/127.0.0.1/tcp/{}", ports.peers).into(),
            format!("--rpc-port={}", ports.rpc).into(),
            format!("--prometheus-port={}", ports.metrics).into(),
        ]);
        Process::start(&self.name, &self.folder, &self.program, arguments)
    }
}

/// Where a node listens on 127.0.0.1; 0 stands for any free port.
#[derive(Clone, Copy, Default)]
struct Ports {
    peers: u16,
    rpc: u16,
    metrics: u16,
}

/// A node.
pub struct Node {
    /// Its process.
    pub process: Process,
    ports: Ports,
    launch: Launch,
}

impl Node {
    /// Starts it again once its process has ended, with the database, the keys and the ports that it had.
    pub fn restart(&mut self) -> Result<()> {
        self.process = self.launch.start(self.ports)?;
        Ok(())
    }

    /// Waits until it answers.
    pub async fn ready(&mut self) -> Result<()> {
        let opened = |log: &str| Some((port(log, RPC)?, port(log, METRICS)?));
        (self.ports.rpc, self.ports.metrics) = self
            .process
            .says("the node opens its ports", START, opened)
            .await?;
        self.ports.peers = port(&self.address().await?, PEERS).context("a port for peers")?;
        Ok(())
    }

    /// Where its RPC listens.
    pub fn rpc_address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.ports.rpc).into()
    }

    /// Address for clients.
    pub fn url(&self) -> String {
        format!("ws://{}", self.rpc_address())
    }

    /// A client of it.
    pub async fn client(&self) -> Result<Client> {
        Ok(Client::connect(&self.url()).await?)
    }

    /// Calls one of its RPC methods.
    pub async fn rpc(&self, method: &str, params: Value) -> Result<Value> {
        rpc(self.rpc_address(), method, params).await
    }

    /// Version of the runtime that its best block leaves to the next one.
    pub async fn spec_version(&self) -> Result<u64> {
        let version = self.rpc("state_getRuntimeVersion", json!([])).await?;
        version["specVersion"].as_u64().context("no version")
    }

    /// Number of its best block.
    pub async fn best(&self) -> Result<u64> {
        self.number(json!([])).await
    }

    /// Number of the block that GRANDPA finalised last, as far as it knows.
    pub async fn finalised(&self) -> Result<u64> {
        let head = self.rpc("chain_getFinalizedHead", json!([])).await?;
        self.number(json!([head])).await
    }

    /// Number of the block that BEEFY signed last, as far as it knows since its start; 0 if it knows of none.
    pub async fn beefy(&self) -> Result<u64> {
        match self.rpc("beefy_getFinalizedHead", json!([])).await {
            Ok(head) => self.number(json!([head])).await,
            Err(_) => Ok(0),
        }
    }

    async fn number(&self, block: Value) -> Result<u64> {
        let header = self.rpc("chain_getHeader", block).await?;
        let digits = header["number"]
            .as_str()
            .context("a header without a number")?;
        Ok(u64::from_str_radix(digits.trim_start_matches("0x"), 16)?)
    }

    /// Its metrics, in Prometheus's text format.
    pub async fn metrics(&self) -> Result<String> {
        get((Ipv4Addr::LOCALHOST, self.ports.metrics).into(), "/metrics").await
    }

    /// Where other nodes find it.
    async fn address(&self) -> Result<String> {
        let addresses = self.rpc("system_localListenAddresses", json!([])).await?;
        let addresses = addresses.as_array().context("not a list of addresses")?;
        addresses
            .iter()
            .filter_map(Value::as_str)
            .find(|address| address.starts_with(PEERS))
            .map(str::to_owned)
            .with_context(|| format!("none of the node's addresses will do: {addresses:?}"))
    }
}

/// What stands before the ports in a node's log and addresses.
const RPC: &str = "Running JSON-RPC server: addr=127.0.0.1:";
const METRICS: &str = "Prometheus exporter started at 127.0.0.1:";
const PEERS: &str = "/ip4/127.0.0.1/tcp/";

/// The port after some text, as in `Running JSON-RPC server: addr=127.0.0.1:40213,[::1]:45671`.
fn port(text: &str, before: &str) -> Option<u16> {
    let (_, rest) = text.split_once(before)?;
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
        assert_eq!(port(line, RPC), Some(40213));
        let cut = line.find("213").unwrap();
        assert_eq!(port(&line[..cut], RPC), None);
        assert_eq!(port("", RPC), None);
    }
}
