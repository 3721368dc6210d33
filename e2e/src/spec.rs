//! Networks as files in Zombienet's format describe them.

use crate::repository;
use anyhow::{ensure, Context, Result};
use serde::Deserialize;
use std::{fs, path::Path};

/// A chain and its nodes: what the tests use of a Zombienet file.
#[derive(Deserialize)]
pub struct Network {
    /// The chain's name for the node's `--chain`.
    pub chain: String,
    /// The node's program.
    pub default_command: String,
    /// Arguments of every node.
    pub default_args: Vec<String>,
    /// The nodes, at least one; the first is the boot node of the others.
    pub nodes: Vec<Member>,
}

/// A node of a network.
#[derive(Deserialize)]
pub struct Member {
    /// Its name, of which no other node is.
    pub name: String,
    /// Arguments of its own.
    pub args: Vec<String>,
}

impl Network {
    /// The chain `dev` with its one validator, Alice.
    pub fn dev() -> Self {
        Self {
            chain: "dev".into(),
            default_command: "ciro-node".into(),
            default_args: vec!["--no-telemetry".into()],
            nodes: vec![Member {
                name: "node".into(),
                args: vec![],
            }],
        }
    }

    /// The chain `local` with its four validators, each a node, as `zombienet/local.toml` describes them.
    pub fn local() -> Result<Self> {
        Self::read(&repository("zombienet/local.toml"))
    }

    /// Reads a file; an error if it lacks a part or has no nodes.
    pub fn read(path: &Path) -> Result<Self> {
        #[derive(Deserialize)]
        struct File {
            relaychain: Network,
        }
        let name = path.display();
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
        let File { relaychain } =
            toml::from_str(&text).with_context(|| format!("{name} describes no network"))?;
        ensure!(!relaychain.nodes.is_empty(), "{name} has no nodes");
        Ok(relaychain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Network> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("network.toml");
        fs::write(&path, text).unwrap();
        Network::read(&path)
    }

    #[test]
    fn a_network_needs_a_node() {
        let head =
            "[relaychain]\nchain = 'local'\ndefault_command = 'ciro-node'\ndefault_args = []\n";
        assert!(read(&format!("{head}nodes = []")).is_err());
        let one = read(&format!(
            "{head}nodes = [{{ name = 'a', args = ['--alice'] }}]"
        ))
        .unwrap();
        assert_eq!((one.chain.as_str(), one.nodes[0].args.len()), ("local", 1));
    }

    #[test]
    fn a_file_that_lacks_a_part_is_refused() {
        assert!(read("[relaychain]\nchain = 'local'\nnodes = []").is_err());
        assert!(read("[settings]\nprovider = 'native'").is_err());
    }
}
