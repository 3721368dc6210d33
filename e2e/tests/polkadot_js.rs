//! Runs `polkadot-js/test.mjs`: Ciro as a Substrate tool sees it, over plain RPC.

use anyhow::{ensure, Context, Result};
use ciro_e2e::{repository, Ciro, Devnet};
use std::time::Duration;
use tokio::{process::Command, time::timeout};

/// How long the script may take.
const LIMIT: Duration = Duration::from_secs(480);

async fn script(devnet: &Devnet) -> Result<()> {
    let url = devnet.first().url();
    let ciro = Ciro::new(&url)?;
    let model = devnet.folder().join("digits.ciro");
    let id = ciro
        .register_example("digits.onnx", "digits-calibration.npy", &model, "//Alice")
        .await?
        .to_string();

    let folder = repository("e2e/polkadot-js");
    ensure!(
        folder.join("node_modules/@polkadot/api").is_dir(),
        "its npm packages are missing: scripts/setup.sh installs them"
    );
    let run = Command::new("node")
        .arg("test.mjs")
        .args([&url, &id])
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
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_over_plain_rpc() {
    let devnet = Devnet::dev().await.unwrap();
    script(&devnet).await.unwrap();
}
