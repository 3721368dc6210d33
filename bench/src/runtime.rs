//! Verification as the chain does it: in its WebAssembly runtime, under the node's executor.

use anyhow::{ensure, Context, Result};
use ciro_runtime::{Runtime, WASM_BINARY};
use ciro_zkml_verifier::{Receipt, VerifyingKey};
use codec::{Decode, Encode};
use frame_support::view_functions::{ViewFunction, ViewFunctionDispatchError};
use sc_executor::WasmExecutor;
use sp_core::traits::{CallContext, CodeExecutor, RuntimeCode, WrappedRuntimeCode};
use sp_state_machine::BasicExternalities;

/// The runtime, ready to be called.
pub struct Executor {
    executor: WasmExecutor<sp_io::SubstrateHostFunctions>,
    code: &'static [u8],
}

impl Executor {
    /// Takes the runtime that this program was built with.
    pub fn new() -> Result<Self> {
        Ok(Self {
            executor: WasmExecutor::builder().build(),
            code: WASM_BINARY
                .context("the runtime was built without WebAssembly (SKIP_WASM_BUILD)")?,
        })
    }

    /// The encoded call that verifies `receipt`, whose input and output are public, under `key`.
    pub fn prepare(&self, key: &VerifyingKey, receipt: &Receipt) -> Vec<u8> {
        let input = receipt.input.public().into_iter().flatten();
        let input: Vec<u8> = input.map(|value| *value as u8).collect();
        let arguments = (
            key,
            &receipt.binding,
            receipt.batch,
            input,
            receipt.output.public().map_or(&[][..], Vec::as_slice),
            &receipt.proof,
        )
            .encode();
        (
            <pallet_job_market::VerifyProofViewFunction<Runtime> as ViewFunction>::id(),
            arguments,
        )
            .encode()
    }

    /// Runs a prepared call.
    pub fn verify(&self, call: &[u8]) -> Result<()> {
        let fetcher = WrappedRuntimeCode(self.code.into());
        let code = RuntimeCode {
            code_fetcher: &fetcher,
            heap_pages: None,
            hash: self.code.len().to_le_bytes().to_vec(),
        };
        let mut state = BasicExternalities::default();
        let (result, _) = self.executor.call(
            &mut state,
            &code,
            "RuntimeViewFunction_execute_view_function",
            call,
            CallContext::Offchain,
        );
        let answer = result.map_err(|error| anyhow::anyhow!("the runtime failed: {error}"))?;
        let answer = Result::<Vec<u8>, ViewFunctionDispatchError>::decode(&mut &answer[..])?;
        // What the function returned, encoded: `Ok(())` is a zero byte.
        ensure!(
            answer.ok() == Some(vec![0]),
            "the runtime refused an honest proof"
        );
        Ok(())
    }
}
