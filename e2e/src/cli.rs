//! The `ciro` command, with answers in JSON.

use crate::{binary, repository};
use anyhow::{bail, Context, Result};
use ciro_primitives::ModelId;
use serde_json::Value;
use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{process::Command, time::timeout};

/// How long any command may take.
const PATIENCE: Duration = Duration::from_secs(180);

/// `ciro`, on one node.
#[derive(Clone)]
pub struct Ciro {
    program: PathBuf,
    node: String,
}

/// How a command ended.
#[derive(Debug)]
pub struct Answer {
    /// Its exit code.
    pub code: i32,
    /// What it printed last on standard output, if that is JSON, or else on standard error.
    pub json: Value,
}

impl Ciro {
    /// The command of this build, on the node with an RPC address.
    pub fn new(node: &str) -> Result<Self> {
        Ok(Self {
            program: binary("ciro")?,
            node: node.to_owned(),
        })
    }

    /// Runs it and gives how it ended, whatever that is.
    pub async fn answer<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Answer> {
        let mut command = Command::new(&self.program);
        command
            .arg("--json")
            .args(arguments)
            .env("CIRO_NODE", &self.node)
            .kill_on_drop(true);
        let shown = format!("{:?}", command.as_std());
        let output = timeout(PATIENCE, command.output())
            .await
            .with_context(|| format!("{shown} took over {} s", PATIENCE.as_secs()))?
            .with_context(|| format!("cannot run {shown}"))?;
        let last = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            text.lines()
                .last()
                .and_then(|line| serde_json::from_str(line).ok())
        };
        match (
            output.status.code(),
            last(&output.stdout).or_else(|| last(&output.stderr)),
        ) {
            (Some(code), Some(json)) => Ok(Answer { code, json }),
            _ => bail!(
                "{shown} gave no answer: {}",
                String::from_utf8_lossy(&output.stderr)
            ),
        }
    }

    /// Imports an example of `models/` into a file, by its name and that of its calibration data.
    pub async fn import_example(
        &self,
        name: &str,
        calibration: &str,
        file: &Path,
    ) -> Result<ModelId> {
        let (trained, samples) = (
            repository(&format!("models/{name}")),
            repository(&format!("models/{calibration}")),
        );
        let imported = self
            .run([
                "model".as_ref(),
                "import".as_ref(),
                trained.as_os_str(),
                "--calibrate".as_ref(),
                samples.as_os_str(),
                "-o".as_ref(),
                file.as_os_str(),
            ])
            .await?;
        let id = imported["id"].as_str();
        Ok(id.context("the import gave no id")?.parse()?)
    }

    /// Imports an example and registers it.
    pub async fn register_example(
        &self,
        name: &str,
        calibration: &str,
        file: &Path,
        owner: &str,
    ) -> Result<ModelId> {
        let id = self.import_example(name, calibration, file).await?;
        self.run([
            "model".as_ref(),
            "register".as_ref(),
            file.as_os_str(),
            "--suri".as_ref(),
            owner.as_ref(),
        ])
        .await?;
        Ok(id)
    }

    /// Runs it and gives its answer; an error unless the exit code is 0.
    pub async fn run<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Value> {
        let arguments: Vec<_> = arguments
            .into_iter()
            .map(|argument| argument.as_ref().to_owned())
            .collect();
        let answer = self.answer(&arguments).await?;
        if answer.code != 0 {
            let words: Vec<_> = arguments
                .iter()
                .map(|word| word.to_string_lossy())
                .collect();
            bail!(
                "`ciro {}` ended with exit code {}: {}",
                words.join(" "),
                answer.code,
                answer.json
            );
        }
        Ok(answer.json)
    }
}
