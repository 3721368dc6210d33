//! Chain specifications, which say how the genesis state is made and by which runtime.

use crate::binary;
use anyhow::{ensure, Context, Result};
use serde_json::Value;
use std::{fs, path::Path, process::Command};

/// A specification.
pub struct Genesis(Value);

impl Genesis {
    /// The one of a chain that the node knows by name: its own runtime makes the genesis state.
    pub fn export(chain: &str) -> Result<Self> {
        let export = Command::new(binary("ciro-node")?)
            .args(["export-chain-spec", "--chain", chain])
            .output()?;
        ensure!(
            export.status.success(),
            "the node exports no {chain}: {}",
            String::from_utf8_lossy(&export.stderr)
        );
        Ok(Self(serde_json::from_slice(&export.stdout)?))
    }

    /// The runtime, as compressed wasm.
    pub fn runtime(&self) -> Result<Vec<u8>> {
        let code = self.0["genesis"]["runtimeGenesis"]["code"].as_str();
        let code = code.context("the specification has no runtime")?;
        Ok(hex::decode(code.trim_start_matches("0x"))?)
    }

    /// Has another runtime make the genesis state, and be the chain's first.
    pub fn set_runtime(&mut self, wasm: &[u8]) {
        let code = format!("0x{}", hex::encode(wasm));
        self.0["genesis"]["runtimeGenesis"]["code"] = code.into();
    }

    /// Has a pallet begin with another value of one of its fields.
    pub fn set(&mut self, pallet: &str, field: &str, value: Value) {
        self.0["genesis"]["runtimeGenesis"]["patch"][pallet][field] = value;
    }

    /// Leaves out what a pallet begins with, for a runtime that does not have the pallet.
    pub fn leave_out(&mut self, pallet: &str) -> Result<()> {
        let patch = self.0["genesis"]["runtimeGenesis"]["patch"].as_object_mut();
        let left_out = patch.and_then(|patch| patch.remove(pallet));
        left_out.with_context(|| format!("the specification says nothing of {pallet}"))?;
        Ok(())
    }

    /// Writes it into a file, for the node's `--chain`.
    pub fn write(&self, path: &Path) -> Result<()> {
        fs::write(path, self.0.to_string())
            .with_context(|| format!("cannot write {}", path.display()))
    }
}
