//! Validators who sign what is not the chain, for a contract that cannot know better.

use crate::scene::{Scene, CHANGING};
use anyhow::{bail, ensure, Context, Result};
use ciro_bridge_primitives::Commitment;
use ciro_bridge_testing::Validators;
use ciro_e2e::{eventually, who};
use sp_core::{ecdsa, Pair};
use std::fs;

const VALIDATORS: [&str; 4] = ["//Alice", "//Bob", "//Charlie", CHANGING];

/// Three of four validators sign another root, and somebody shows it to the EVM chain's client. That costs them their
/// stake on Ciro, and not the fourth.
pub async fn who_signs_a_fork_for_a_contract_has_a_case(scene: &Scene) -> Result<()> {
    let names = eventually("the client takes the forged root", async || {
        let client = scene.evm.chain.client().await?;
        let head = scene.client.newest_justification().await?;
        let head = head.context("BEEFY has finalised nothing")?;
        let forged = Commitment {
            root: [7; 32],
            block: scene.client.finalised().await?.number() as u32,
            set: head.set,
        };
        // The validators are about to hand over, or a relayer is quicker.
        if client.set != head.set || client.newest >= forged.block {
            return Ok(None);
        }
        let (names, validators) = validators(scene, head.block).await?;
        let update = validators.update(forged, None);
        let taken = scene.evm.chain.submit(&update).await;
        Ok(taken.ok().map(|()| names))
    })
    .await?;
    let (signers, honest) = names.split_at(3);
    for name in signers {
        let offender = who(name)?;
        eventually(&format!("a case against {name}"), async || {
            let cases = scene.client.finalised().await?.cases().await?;
            Ok(cases.into_iter().find(|case| case.offender == offender))
        })
        .await?;
    }
    let cases = scene.client.finalised().await?.cases().await?;
    let honest = who(honest[0])?;
    ensure!(
        cases.iter().all(|case| case.offender != honest),
        "there is a case against who has not signed"
    );
    Ok(())
}

/// The validators of a block, in the order of their set, and their keys.
async fn validators(scene: &Scene, block: u32) -> Result<(Vec<&'static str>, Validators)> {
    let (_, keys) = scene.client.beefy_validators(block).await?;
    let mut known = Vec::new();
    for name in VALIDATORS {
        let secret = match name {
            CHANGING => changed_key(scene)?,
            _ => name.to_owned(),
        };
        known.push((name, ecdsa::Pair::from_string(&secret, None)?));
    }
    let of_key = |key: &[u8; 33]| {
        let pair = known.iter().find(|(_, pair)| pair.public().0 == *key);
        pair.context("a validator has an unknown key")
    };
    let pairs = keys.iter().map(of_key).collect::<Result<Vec<_>>>()?;
    let secrets = pairs.iter().map(|(_, pair)| pair.seed());
    let names = pairs.iter().map(|(name, _)| *name).collect();
    Ok((names, Validators::from_secrets(secrets)))
}

/// The phrase of the only BEEFY key in the keystore of who has changed its keys: those that a node is started with are not
/// kept.
fn changed_key(scene: &Scene) -> Result<String> {
    let chains = scene.network.folder().join("dave.base/chains");
    for chain in fs::read_dir(&chains)? {
        for key in fs::read_dir(chain?.path().join("keystore"))? {
            let key = key?;
            let kind = hex::encode("beef");
            if key.file_name().to_string_lossy().starts_with(&kind) {
                return Ok(serde_json::from_str(&fs::read_to_string(key.path())?)?);
            }
        }
    }
    bail!("no BEEFY key in {}", chains.display())
}
