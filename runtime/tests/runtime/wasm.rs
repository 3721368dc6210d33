//! The light client as nodes run it, in WebAssembly: its arithmetic of 32 bits is another than the native one's.
//!
//! Where the runtime was built without WebAssembly (`SKIP_WASM_BUILD`) there is nothing to test.

use crate::{
    development,
    ethereum::{back, next_period, proof, record_forks, sent_in_a_block, TOKEN},
    gateway::{free, remote, send},
};
use ciro_runtime::{
    constants::UNIT, Runtime, RuntimeCall, SignedPayload, UncheckedExtrinsic, WASM_BINARY,
};
use codec::{Decode, Encode};
use frame_support::assert_ok;
use frame_system::{offchain::CreateAuthorizedTransaction, CheckNonce};
use sc_executor::WasmExecutor;
use snowbridge_pallet_ethereum_client::{Call as Client, FinalizedBeaconState};
use snowbridge_pallet_ethereum_client_fixtures::{
    make_checkpoint, make_finalized_header_update, make_sync_committee_update,
};
use sp_core::traits::{CallContext, CodeExecutor, RuntimeCode, WrappedRuntimeCode};
use sp_io::TestExternalities;
use sp_keyring::Sr25519Keyring::{Alice, Bob, Charlie};
use sp_runtime::{ApplyExtrinsicResult, DispatchResult};

/// A development chain in its first block, which takes Alice's transactions.
struct Chain {
    executor: WasmExecutor<sp_io::SubstrateHostFunctions>,
    wasm: &'static [u8],
    state: TestExternalities,
    nonce: u32,
}

impl Chain {
    fn start() -> Option<Self> {
        Some(Self {
            executor: WasmExecutor::builder().build(),
            wasm: WASM_BINARY?,
            state: development(),
            nonce: 0,
        })
    }

    /// Applies a call that Alice signs.
    fn apply(&mut self, call: impl Into<RuntimeCall>) -> DispatchResult {
        let (call, nonce) = (call.into(), self.nonce);
        self.nonce += 1;
        let transaction = self.state.execute_with(|| sign(call, nonce)).encode();
        let code = WrappedRuntimeCode(self.wasm.into());
        let code = RuntimeCode {
            code_fetcher: &code,
            heap_pages: None,
            hash: self.wasm.len().to_le_bytes().to_vec(),
        };
        let (applied, _) = self.executor.call(
            &mut self.state.ext(),
            &code,
            "BlockBuilder_apply_extrinsic",
            &transaction,
            CallContext::Offchain,
        );
        let applied = ApplyExtrinsicResult::decode(&mut &applied.unwrap()[..]);
        applied.unwrap().unwrap()
    }

    /// Applies a call of Root, for which Alice has the key.
    fn apply_as_root(&mut self, call: impl Into<RuntimeCall>) -> DispatchResult {
        let call = Box::new(call.into());
        self.apply(pallet_sudo::Call::sudo { call })
    }
}

fn sign(call: RuntimeCall, nonce: u32) -> UncheckedExtrinsic {
    let mut extension = <Runtime as CreateAuthorizedTransaction<RuntimeCall>>::create_extension();
    extension.6 = CheckNonce::from(nonce);
    let payload = SignedPayload::new(call.clone(), extension.clone()).unwrap();
    let signature = payload.using_encoded(|bytes| Alice.sign(bytes));
    let signer = Alice.to_account_id().into();
    UncheckedExtrinsic::new_signed(call, signer, signature.into(), extension)
}

#[test]
fn webassembly_follows_a_beacon_chain() {
    let Some(mut chain) = Chain::start() else {
        return;
    };
    chain.state.execute_with(record_forks);
    let update = make_checkpoint();
    assert_ok!(chain.apply_as_root(Client::<Runtime>::force_checkpoint { update }));
    for update in [
        make_sync_committee_update(),
        make_finalized_header_update(),
        next_period(),
    ] {
        assert_ok!(chain.apply(Client::<Runtime>::submit { update }));
    }
    let mut forged = make_finalized_header_update();
    forged.attested_header.proposer_index ^= 1;
    assert!(chain
        .apply(Client::<Runtime>::submit { update: forged })
        .is_err());
    let states = chain
        .state
        .execute_with(|| FinalizedBeaconState::<Runtime>::iter_values().count());
    assert_eq!(states, 3);
}

#[test]
fn webassembly_believes_a_proof() {
    let Some(mut chain) = Chain::start() else {
        return;
    };
    let (message, bob) = chain.state.execute_with(|| {
        let lane = remote(TOKEN);
        assert_ok!(send(Charlie, lane, 100 * UNIT));
        (back(lane, 0), free(Bob))
    });
    let (update, evidence) = sent_in_a_block(&message);
    assert!(chain.apply(proof(message, evidence.clone())).is_err());
    assert_ok!(chain.apply_as_root(Client::<Runtime>::force_checkpoint { update }));
    assert_ok!(chain.apply(proof(message, evidence)));
    assert_eq!(chain.state.execute_with(|| free(Bob)), bob + 40 * UNIT);
}
