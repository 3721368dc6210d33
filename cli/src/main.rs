//! `ciro`: what a requester, a model owner or a manual worker types.

mod commands;
mod npy;
mod output;
mod store;

use clap::{Parser, Subcommand};
use commands::{account, blob, bridge, job, model, prove, result, run, slash, stake, worker};
use output::Output;
use std::process::ExitCode;

const EXIT_CODES: &str = "\
Exit codes:
  0  done, and the answer is the one hoped for
  1  a negative answer: the proof does not hold, the job expired, there is no result
  2  usage or bad input
  3  chain or network

Amounts are decimal CIRO, in and out, exact to the last of 18 digits after the point.
Arrays are .npy files: the batch axis first; outputs are float32, or int64 labels where the model classifies.
With --json, standard output carries one JSON object a line, and standard error {\"error\", \"code\"}.";

/// Verifiable AI inference on the Ciro chain: import a model, run it, prove the run, verify the proof, and buy or sell
/// runs on the market. `run`, `prove` and `verify` need no chain.
#[derive(Parser)]
#[command(name = "ciro", version, after_help = EXIT_CODES)]
struct Cli {
    /// Answer in JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Import, look at and register models.
    #[command(subcommand)]
    Model(model::Model),
    /// Run a model on samples, without a proof.
    Run(run::Run),
    /// Run a model on up to 64 samples and prove the run.
    Prove(prove::Prove),
    /// Verify a proof; exit code 0 only if it holds and says everything that is expected of it.
    Verify(prove::Verify),
    /// Ask for runs on the market, follow them, and answer them by hand.
    #[command(subcommand)]
    Job(job::Job),
    /// Serve the inputs of jobs to workers.
    #[command(subcommand)]
    Blob(blob::Blob),
    /// Stake CIRO, for oneself or for another's operator.
    #[command(subcommand)]
    Stake(stake::Stake),
    /// Look at workers, and leave or rejoin them.
    #[command(subcommand)]
    Worker(worker::Worker),
    /// Look at offences, report and settle them.
    #[command(subcommand)]
    Slash(slash::Slash),
    /// Send CIRO to other chains and follow it there and back; ask for runs that are paid there, and answer.
    #[command(subcommand)]
    Bridge(bridge::Bridge),
    /// Prove results to contracts on other chains.
    #[command(subcommand)]
    Result(result::ResultOf),
    /// Look at accounts.
    #[command(subcommand)]
    Account(account::Account),
}

#[tokio::main]
async fn main() -> ExitCode {
    let Cli { json, command } = Cli::parse();
    let output = Output { json };
    let result = match command {
        Command::Model(command) => command.execute(output).await,
        Command::Run(command) => command.execute(output),
        Command::Prove(command) => command.execute(output),
        Command::Verify(command) => command.execute(output),
        Command::Job(command) => command.execute(output).await,
        Command::Blob(command) => command.execute(output).await,
        Command::Stake(command) => command.execute(output).await,
        Command::Worker(command) => command.execute(output).await,
        Command::Slash(command) => command.execute(output).await,
        Command::Bridge(command) => command.execute(output).await,
        Command::Result(command) => command.execute(output).await,
        Command::Account(command) => command.execute(output).await,
    };
    output.finish(result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn bad_arguments_are_usage_errors() {
        let lane = "00".repeat(32);
        for arguments in [
            &["ciro"][..],
            &["ciro", "verify", "m.ciro"],
            &[
                "ciro", "job", "submit", "m.ciro", "--input", "x.npy", "--price", "-1",
            ],
            &[
                "ciro",
                "job",
                "submit",
                "m.ciro",
                "--input",
                "x.npy",
                "--price",
                "1.0000000000000000001",
            ],
            &["ciro", "job", "status", "first"],
            &["ciro", "job", "rate", "0", "6"],
            &[
                "ciro", "job", "submit", "m.ciro", "--input", "x.npy", "--price", "2..1",
            ],
            &[
                "ciro",
                "job",
                "submit",
                "m.ciro",
                "--input",
                "x.npy",
                "--price",
                "1",
                "--verify",
                "redundant=2",
            ],
            &[
                "ciro", "prove", "m.ciro", "--input", "x.npy", "-o", "p.proof", "--payee", "nobody",
            ],
            &[
                "ciro", "prove", "m.ciro", "--input", "x.npy", "-o", "p.proof", "--lane", &lane,
            ],
            &[
                "ciro",
                "bridge",
                "ask",
                "m.ciro",
                "--input",
                "x.npy",
                "--payment",
                "1",
                "--within",
                "721",
            ],
            &["ciro", "slash", "send", "7", "nowhere"],
            &[
                "ciro",
                "model",
                "import",
                "m.onnx",
                "--calibrate",
                "x.npy",
                "-o",
                "m.ciro",
                "--preset",
                "huge",
            ],
        ] {
            let error = Cli::try_parse_from(arguments)
                .err()
                .map(|error| error.exit_code());
            assert_eq!(error, Some(2), "{arguments:?}");
        }
    }
}
