//! Genesis states that ship with the runtime.

use crate::{
    configs::{consensus::EPOCH_CONFIGURATION, gateway::MIN_ATTESTER_BOND},
    constants::UNIT,
    AccountId, AttestersConfig, BabeConfig, Balance, BalancesConfig, OriginsConfig,
    RuntimeGenesisConfig, SessionConfig, SessionKeys, SudoConfig,
};
use alloc::{format, vec::Vec};
use frame_support::build_struct_json_patch;
use serde_json::Value;
use sp_core::{ecdsa, ed25519, sr25519, Pair};
use sp_genesis_builder::{PresetId, DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET};
use sp_keyring::Sr25519Keyring;

/// What each well-known account of a development chain starts with: a million CIRO. Attesters have their bonds besides.
pub const ENDOWMENT: Balance = 1_000_000 * UNIT;

/// Most attesters of a development chain.
const MOST_ATTESTERS: usize = 3;

/// Names of all presets.
pub fn preset_names() -> Vec<PresetId> {
    [DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET]
        .map(PresetId::from)
        .to_vec()
}

/// The genesis state `id` as a JSON patch of the default one: `development` has the validator Alice, `local_testnet`
/// Alice, Bob, Charlie and Dave. The first three of them attest what happens on other chains.
pub fn preset(id: &PresetId) -> Option<Vec<u8>> {
    let validators = match id.as_str() {
        DEV_RUNTIME_PRESET => &["Alice"][..],
        LOCAL_TESTNET_RUNTIME_PRESET => &["Alice", "Bob", "Charlie", "Dave"][..],
        _ => return None,
    };
    serde_json::to_vec(&development(validators)?).ok()
}

/// A chain whose validators, attesters, funds and sudo key are the well-known accounts. Anyone can sign for them. Its
/// votes are quick, and only such chains have a sudo key: no other genesis sets one.
fn development(validators: &[&str]) -> Option<Value> {
    let keys = validators
        .iter()
        .map(|name| {
            let account = AccountId::from(public::<sr25519::Pair>(name)?);
            Some((account.clone(), account, session_keys(name)?))
        })
        .collect::<Option<Vec<_>>>()?;
    let members: Vec<_> = keys
        .iter()
        .take(MOST_ATTESTERS)
        .map(|(account, ..)| account.clone())
        .collect();
    let bond = |who: &AccountId| {
        if members.contains(who) {
            MIN_ATTESTER_BOND
        } else {
            0
        }
    };
    let balances = Sr25519Keyring::iter()
        .filter(|who| !matches!(who, Sr25519Keyring::One | Sr25519Keyring::Two))
        .map(|who| who.to_account_id())
        .map(|who| (who.clone(), ENDOWMENT.saturating_add(bond(&who))))
        .collect::<Vec<_>>();
    Some(build_struct_json_patch!(RuntimeGenesisConfig {
        attesters: AttestersConfig { members },
        balances: BalancesConfig { balances },
        babe: BabeConfig {
            epoch_config: EPOCH_CONFIGURATION
        },
        origins: OriginsConfig { quick: true },
        session: SessionConfig { keys },
        sudo: SudoConfig {
            key: Some(Sr25519Keyring::Alice.to_account_id())
        },
    }))
}

/// The session keys of the well-known account `name`.
fn session_keys(name: &str) -> Option<SessionKeys> {
    Some(SessionKeys {
        babe: public::<sr25519::Pair>(name)?.into(),
        grandpa: public::<ed25519::Pair>(name)?.into(),
        beefy: public::<ecdsa::Pair>(name)?.into(),
        authority_discovery: public::<sr25519::Pair>(name)?.into(),
    })
}

/// The public key of the well-known account `name`.
fn public<P: Pair>(name: &str) -> Option<P::Public> {
    Some(P::from_string(&format!("//{name}"), None).ok()?.public())
}
