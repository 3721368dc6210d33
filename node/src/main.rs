//! Ciro's node: makes, finalises, keeps and serves the chain.

mod chain_spec;
mod cli;
mod command;
mod consensus;
mod rpc;
mod service;

fn main() -> sc_cli::Result<()> {
    command::run()
}
