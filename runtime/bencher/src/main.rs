//! `ciro-bencher --runtime RUNTIME.wasm …`: polkadot-sdk's own benchmark runner, without a node.

use clap::Parser;
use frame_benchmarking_cli::PalletCmd;
use sp_runtime::traits::BlakeTwo256;

/// Runs the benchmarks of a runtime's pallets and writes their weights.
#[derive(Parser)]
struct Command {
    #[command(flatten)]
    pallet: PalletCmd,
}

fn main() -> sc_cli::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter("info,cranelift_codegen=off,wasm_cranelift=off,wasmtime_cranelift=off")
        .init();
    Command::parse().pallet.run_with_spec::<BlakeTwo256, ()>(None)
}
