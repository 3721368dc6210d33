//! Runs the scripts of `polkadot-js/`: Ciro as a Substrate tool sees it, over plain RPC.

use anyhow::{ensure, Context, Result};
use ciro_e2e::{run_script, Ciro, Devnet};
use serde_json::json;
use std::fs;

/// `Session::NextKeys` of Alice.
const NEXT_KEYS: &str = "0xcec5070d609dd3497f72bde07fc96ba04c014e6bf8b8c2c011e7290b85696bb3518366b5b1bc7c99d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d";

async fn job(devnet: &Devnet) -> Result<()> {
    let url = devnet.first().url();
    let ciro = Ciro::new(&url)?;
    let model = devnet.folder().join("digits.ciro");
    let id = ciro
        .register_example("digits.onnx", "digits-calibration.npy", &model, "//Alice")
        .await?
        .to_string();
    run_script("test.mjs", &[&url, &id]).await.map(drop)
}

async fn rotation(devnet: &Devnet) -> Result<()> {
    let secret = devnet.folder().join("validator.secret");
    fs::write(&secret, "//Alice\n")?;
    let secret = secret.to_string_lossy();
    let said = run_script("rotate-keys.mjs", &[&devnet.first().url(), &secret]).await?;
    let keys = said.split_whitespace().last().context("no keys")?;
    let stored = devnet
        .first()
        .rpc("state_getStorage", json!([NEXT_KEYS]))
        .await?;
    ensure!(stored == keys, "{stored} are the next keys, not {keys}");
    let held = devnet
        .first()
        .rpc("author_hasSessionKeys", json!([keys]))
        .await?;
    ensure!(held == true, "the node does not have the keys");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_over_plain_rpc() {
    let devnet = Devnet::dev().await.unwrap();
    job(&devnet).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_validator_rotates_its_keys() {
    let devnet = Devnet::dev().await.unwrap();
    rotation(&devnet).await.unwrap();
}
