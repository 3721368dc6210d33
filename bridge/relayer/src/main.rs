//! `ciro-bridge` relays between Ciro and the contracts on other chains.

use ciro_bridge::{config::Config, relay};
use clap::Parser;
use std::{io::IsTerminal, path::PathBuf, process::exit};
use tracing::error;
use tracing_subscriber::EnvFilter;

/// Ciro's relayer: shows the validators' signatures to the contracts on other chains, delivers messages, and attests what
/// the contracts send.
///
/// Give it accounts of its own. What it logs is set by RUST_LOG, for instance RUST_LOG=ciro_bridge=debug.
#[derive(Parser)]
#[command(name = "ciro-bridge", version)]
struct Arguments {
    /// The configuration: see relayer.example.toml.
    #[arg(value_name = "FILE")]
    config: PathBuf,
}

#[tokio::main]
async fn main() {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("ciro_bridge=info,warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let outcome = match Config::read(&Arguments::parse().config) {
        Ok(config) => relay(config).await,
        Err(problem) => Err(problem),
    };
    match outcome {
        // Whatever is under way is no worse off than if the process were killed.
        Ok(()) => exit(0),
        Err(problem) => {
            error!("{problem:#}");
            exit(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn arguments_are_consistent() {
        Arguments::command().debug_assert();
    }
}
