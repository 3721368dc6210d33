//! Ciro's node: makes, finalises, keeps and serves the chain.

// The SDK's error type is as large as it is.
#![allow(clippy::result_large_err)]

mod bridge;
mod chain_spec;
mod cli;
mod command;
mod consensus;
mod equivocation;
mod metrics;
mod rpc;
mod service;

fn main() -> sc_cli::Result<()> {
    command::run()
}
