//! The chains that the node knows by name.

use ciro_runtime::{opaque::Block, WASM_BINARY};
use sc_chain_spec::ChainSpecExtension;
use sc_service::{ChainType, Properties};
use sc_sync_state_rpc::LightSyncStateExtension;
use serde::{Deserialize, Serialize};
use sp_genesis_builder::{DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET};

/// A chain specification.
pub type ChainSpec = sc_service::GenericChainSpec<Extensions>;

/// What a specification may say beyond the genesis state.
#[derive(Default, Clone, Serialize, Deserialize, ChainSpecExtension)]
#[serde(rename_all = "camelCase")]
pub struct Extensions {
    /// Blocks that are on the chain whatever the fork choice says.
    pub fork_blocks: sc_client_api::ForkBlocks<Block>,
    /// Blocks that are not on the chain.
    pub bad_blocks: sc_client_api::BadBlocks<Block>,
    /// Where a light client may start.
    pub light_sync_state: LightSyncStateExtension,
}

/// The specification named `id`, or else the one in the file of that path.
pub fn load(id: &str) -> Result<ChainSpec, String> {
    match id {
        "dev" => with_preset(
            "Ciro Development",
            "ciro_dev",
            ChainType::Development,
            DEV_RUNTIME_PRESET,
        ),
        "local" => with_preset(
            "Ciro Local Testnet",
            "ciro_local",
            ChainType::Local,
            LOCAL_TESTNET_RUNTIME_PRESET,
        ),
        "" => Err(
            "name a chain: --dev, --chain local, or --chain and the path of a specification".into(),
        ),
        path => ChainSpec::from_json_file(path.into()),
    }
}

/// A chain that starts from one of the runtime's own genesis presets.
fn with_preset(name: &str, id: &str, kind: ChainType, preset: &str) -> Result<ChainSpec, String> {
    let code = WASM_BINARY.ok_or("this node was built without its wasm runtime")?;
    Ok(ChainSpec::builder(code, Extensions::default())
        .with_name(name)
        .with_id(id)
        .with_protocol_id("ciro")
        .with_chain_type(kind)
        .with_properties(properties())
        .with_genesis_config_preset_name(preset)
        .build())
}

/// How wallets show accounts and amounts.
fn properties() -> Properties {
    let mut properties = Properties::new();
    properties.insert("tokenSymbol".into(), "CIRO".into());
    properties.insert("tokenDecimals".into(), 18.into());
    properties.insert("ss58Format".into(), 42.into());
    properties
}
