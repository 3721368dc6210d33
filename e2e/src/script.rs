//! The scripts of `e2e/polkadot-js`, which users run, too.

use crate::repository;
use anyhow::{ensure, Context, Result};
use std::time::Duration;
use tokio::{process::Command, time::timeout};

/// How long a script may take. The longest waits for the second heartbeat period of five minutes.
const LIMIT: Duration = Duration::from_secs(900);

/// Runs a script, prints what it says, and gives it.
pub async fn run_script(script: &str, arguments: &[&str]) -> Result<String> {
    let folder = repository("e2e/polkadot-js");
    ensure!(
        folder.join("node_modules/@polkadot/api").is_dir(),
        "its npm packages are missing: scripts/setup.sh installs them"
    );
    let run = Command::new("node")
        .arg(script)
        .args(arguments)
        .current_dir(&folder)
        .kill_on_drop(true)
        .output();
    let output = timeout(LIMIT, run)
        .await
        .context("the script took too long")??;
    let (said, erred) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    print!("{said}");
    ensure!(
        output.status.success(),
        "the script failed:\n{said}\n{erred}"
    );
    Ok(said.into_owned())
}
