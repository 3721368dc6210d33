//! Ways to other chains, and the tokens there.

use crate::{anvil::word, Ciro};
use anyhow::{ensure, Context, Result};
use ciro_bridge_primitives::{LaneId, Word};
use ciro_client::{keypair, Client, Wait, CIRO};
use subxt::dynamic::{tx, Value};

/// Opens the lane to a contract, for a deposit of `owner`'s. `kind` and `chain` are as `ciro bridge open` takes them.
pub async fn open_lane(
    cli: &Ciro,
    kind: &str,
    chain: &str,
    contract: &Word,
    owner: &str,
) -> Result<LaneId> {
    let contract = format!("0x{}", hex::encode(contract));
    let place = ["--kind", kind, "--chain", chain, "--contract", &contract];
    let arguments = [&["bridge", "open"], &place[..], &["--suri", owner]].concat();
    let opened = cli.run(arguments).await?;
    Ok(LaneId(word(opened["lane"].as_str().context("no lane")?)?))
}

/// Registers the token that a lane leads to, by the sudo key.
pub async fn register_token(client: &Client, lane: LaneId, sudo: &str) -> Result<()> {
    let amount = |ciro: u128| Value::u128(ciro * CIRO);
    let limits = Value::named_composite([
        ("smallest", amount(1)),
        ("largest", amount(1_000)),
        ("most_outside", amount(10_000)),
        ("out_per_window", amount(10_000)),
        ("in_per_window", amount(10_000)),
        ("delay_above", amount(1_000)),
        ("delay", Value::u128(1)),
    ]);
    let register = Value::named_variant(
        "register_remote",
        [("lane", Value::from_bytes(lane.0)), ("limits", limits)],
    );
    let call = Value::unnamed_variant("TokenGateway", [register]);
    let call = tx("Sudo", "sudo", (call,));
    client
        .execute(&call, &keypair(sudo)?, Wait::Finalised)
        .await?;
    let registered = client.finalised().await?.remote(lane).await?;
    ensure!(registered.is_some(), "the token is not registered");
    Ok(())
}
