//! The composed runtime, from its genesis presets on.

mod beacon;
mod bridge;
mod ethereum;
mod gateway;
mod genesis;
mod governance;
mod limits;
mod market;
mod offences;
mod parameters;
mod safety;
mod slashing;
mod treasury;
mod wasm;
mod weights;

use ciro_runtime::{
    constants::SLOT_MILLISECONDS, Block, BlockNumber, Executive, Header, Runtime, RuntimeCall,
    RuntimeOrigin, System, UncheckedExtrinsic,
};
use frame_support::dispatch::DispatchResult;
use serde_json::Value;
use sp_consensus_babe::{
    digests::{CompatibleDigestItem, PreDigest, SecondaryPlainPreDigest},
    Slot,
};
use sp_core::H256;
use sp_genesis_builder::runtime_decl_for_genesis_builder::GenesisBuilder;
use sp_io::TestExternalities;
use sp_keyring::Sr25519Keyring;
use sp_runtime::{
    traits::{Dispatchable, Header as _},
    Digest, DigestItem,
};

/// A chain at the genesis block of the preset `id`, or of the default genesis state.
fn chain(id: Option<&str>) -> TestExternalities {
    chain_from(&genesis_config(id))
}

/// A chain at the genesis block of this configuration.
fn chain_from(genesis: &Value) -> TestExternalities {
    let json = serde_json::to_vec(genesis).unwrap();
    let mut chain = TestExternalities::default();
    chain
        .execute_with(|| <Runtime as GenesisBuilder<Block>>::build_state(json))
        .unwrap();
    chain
}

/// A development chain in its first block.
fn development() -> TestExternalities {
    let mut chain = chain(Some("development"));
    chain.execute_with(open_block);
    chain
}

/// Begins the block after the last one, a slot later.
fn open_block() {
    let number = System::block_number() + 1;
    let slot = u64::from(number) + 1_000;
    Executive::initialize_block(&header(number, slot, 0));
    let now = slot * SLOT_MILLISECONDS;
    let inherent = UncheckedExtrinsic::new_bare(pallet_timestamp::Call::set { now }.into());
    Executive::apply_extrinsic(inherent).unwrap().unwrap();
}

/// Ends the block, and goes on to the one that is `blocks` later.
fn pass(blocks: BlockNumber) {
    for _ in 0..blocks {
        Executive::finalize_block();
        open_block();
    }
}

/// A header of `slot` by the validator of that index.
fn header(number: BlockNumber, slot: u64, authority_index: u32) -> Header {
    let slot = Slot::from(slot);
    let claim = PreDigest::SecondaryPlain(SecondaryPlainPreDigest {
        authority_index,
        slot,
    });
    let digest = Digest {
        logs: vec![<DigestItem as CompatibleDigestItem>::babe_pre_digest(claim)],
    };
    Header::new(
        number,
        H256::zero(),
        H256::zero(),
        System::block_hash(0),
        digest,
    )
}

/// Dispatches a call as `who` could.
fn call(who: Sr25519Keyring, call: impl Into<RuntimeCall>) -> DispatchResult {
    call_as(RuntimeOrigin::signed(who.to_account_id()), call)
}

/// Dispatches a call with that origin, which the chain's filter sees.
fn call_as(origin: impl Into<RuntimeOrigin>, call: impl Into<RuntimeCall>) -> DispatchResult {
    match call.into().dispatch(origin.into()) {
        Ok(_) => Ok(()),
        Err(refused) => Err(refused.error),
    }
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
