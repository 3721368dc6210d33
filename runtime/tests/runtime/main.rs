//! The composed runtime, from its genesis presets on.

mod genesis;
mod limits;
mod offences;

use ciro_runtime::{Block, Runtime};
use serde_json::Value;
use sp_genesis_builder::runtime_decl_for_genesis_builder::GenesisBuilder;
use sp_io::TestExternalities;

/// A chain at the genesis block of the preset `id`, or of the default genesis state.
fn chain(id: Option<&str>) -> TestExternalities {
    let json = serde_json::to_vec(&genesis_config(id)).unwrap();
    let mut chain = TestExternalities::default();
    chain
        .execute_with(|| <Runtime as GenesisBuilder<Block>>::build_state(json))
        .unwrap();
    chain
}

/// The whole genesis configuration of the preset `id`, or the default one.
fn genesis_config(id: Option<&str>) -> Value {
    let get = |id: Option<&str>| -> Value {
        let id = id.map(Into::into);
        let json = <Runtime as GenesisBuilder<Block>>::get_preset(&id).unwrap();
        serde_json::from_slice(&json).unwrap()
    };
    let mut config = get(None);
    if id.is_some() {
        merge(&mut config, get(id));
    }
    config
}

/// Lays a JSON patch over `value`.
fn merge(value: &mut Value, patch: Value) {
    match (value, patch) {
        (Value::Object(fields), Value::Object(patches)) => {
            for (name, patch) in patches {
                merge(fields.entry(name).or_insert(Value::Null), patch);
            }
        }
        (value, patch) => *value = patch,
    }
}
