//! `make bench-chain`: how many jobs a chain of real nodes verifies and pays for, as JSON and as `bench/CHAIN.md`.
//!
//! Proofs are made beforehand ([`proofs`]); everything else is real: nodes as processes, price and collateral on hold,
//! results as signed transactions through public RPC, verification in the runtime, payment. What counts is what the
//! finalised chain holds in the end ([`ledger`]).

mod accounts;
mod chain;
mod ledger;
mod load;
mod machine;
mod market;
mod proofs;
mod report;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use ciro_bench::models;
use ciro_e2e::{Devnet, Network};
use ciro_runtime::constants::SLOT_MILLISECONDS;
use clap::Parser;
use proofs::{Answer, Jobs};
use report::Row;

/// Measures how many jobs a chain of real nodes verifies and pays for.
#[derive(Parser)]
struct Arguments {
    /// The repository, whose `models/` are used and whose `bench/CHAIN.md` is written.
    #[arg(long, default_value = ".")]
    root: PathBuf,
    /// Minutes that each load is measured.
    #[arg(long, default_value_t = 5.0)]
    minutes: f64,
    /// Only with so many validators: 1 or 4.
    #[arg(long, value_parser = ["1", "4"])]
    nodes: Option<String>,
    /// Only with so many jobs to a proof: 1 or 32.
    #[arg(long, value_parser = ["1", "32"])]
    together: Option<String>,
    /// Measures nothing: writes the page from the figures of `--out`.
    #[arg(long)]
    report: bool,
    /// Further arguments of every node.
    #[arg(long, value_delimiter = ' ', allow_hyphen_values = true, default_value = POOL)]
    node_arguments: Vec<String>,
    /// Where proofs are kept from run to run.
    #[arg(long, default_value = "target/bench-chain")]
    kept: PathBuf,
    /// Where the figures go, as JSON. Those of other loads that are there stay.
    #[arg(long, default_value = "target/bench-chain.json")]
    out: PathBuf,
}

/// A pool that holds more than the load ever has on the way.
const POOL: &str = "--pool-kbytes=131072";

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let asked = |choice: &Option<String>, value: &str| {
        !arguments.report && choice.as_ref().is_none_or(|choice| choice == value)
    };
    let mut rows = figures(&arguments.out)?;
    for nodes in ["1", "4"] {
        for together in ["1", "32"] {
            if !asked(&arguments.nodes, nodes) || !asked(&arguments.together, together) {
                continue;
            }
            eprintln!("{nodes} node(s), {together} job(s) to a proof");
            let row = measure(&arguments, nodes.parse()?, together.parse()?).await?;
            rows.retain(|other| (other.nodes, other.together) != (row.nodes, row.together));
            rows.push(row);
            rows.sort_by_key(|row| (row.nodes, row.together));
            fs::write(&arguments.out, serde_json::to_string_pretty(&rows)? + "\n")?;
        }
    }
    let page = report::page(&rows);
    fs::write(arguments.root.join("bench/CHAIN.md"), &page)?;
    print!("{page}");
    Ok(())
}

/// Figures of earlier runs, if there are any.
fn figures(path: &Path) -> Result<Vec<Row>> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    match fs::read(path) {
        Ok(rows) => serde_json::from_slice(&rows)
            .with_context(|| format!("{} holds no figures of this version", path.display())),
        Err(_) => Ok(Vec::new()),
    }
}

async fn measure(arguments: &Arguments, nodes: usize, together: usize) -> Result<Row> {
    let (model, inputs) = models::smallest(&arguments.root)?;
    let jobs = Jobs::new(&model, inputs, together, load::payees()?)?;
    let slots = (arguments.minutes * 60_000.0 / SLOT_MILLISECONDS as f64).ceil() as u64;
    let load_before = load_average()?;
    let prove_ms = jobs.milliseconds_on_one_core()?;
    let (devnet, answers) = prepare(arguments, nodes, &jobs, slots).await?;

    let run = load::run(&devnet, &jobs, &answers, slots)
        .await
        .with_context(|| devnet.tails())?;
    let memory = machine::peak_memory(&devnet.nodes)?;
    let (best, beefy) = (devnet.first().best().await?, devnet.first().beefy().await?);
    let chain = chain::Chain::connect(devnet.first()).await?;
    let records = ledger::read(&chain, &jobs, &run.slots, run.last).await?;
    let sums = ledger::sums(&records, &run.slots);
    let mean = |lags: &[u32]| lags.iter().sum::<u32>() as f64 / lags.len().max(1) as f64;
    Ok(Row {
        nodes,
        together,
        seconds: slots * SLOT_MILLISECONDS / 1_000,
        load_before,
        cores: std::thread::available_parallelism()?.get(),
        jobs: sums.paid,
        blocks: sums.blocks,
        missed: sums.missed,
        most_in_block: sums.most_paid,
        length: sums.length,
        weight: sums.weight,
        submission_to_payment: ledger::latency(&records, &run.submitted, &run.seen),
        result_to_payment: ledger::latency(&records, &run.answered, &run.seen),
        lag: [
            mean(&run.lag),
            f64::from(run.lag.iter().copied().max().unwrap_or_default()),
        ],
        beefy_lag: best.saturating_sub(beefy),
        memory: [
            memory.iter().copied().max().unwrap_or_default(),
            memory.iter().sum(),
        ],
        nodes_cores: run.work.nodes,
        own_cores: run.work.own,
        others_cores: run.work.others,
        build_ms: run.work.build_ms,
        ends: run.work.ends,
        not_taken: run.refused,
        failed: sums.failed,
        refused: sums.refused,
        result_bytes: run.result_bytes,
        weights: load::weights(&jobs, answers.first().context("there are no proofs")?),
        prove_ms,
    })
}

/// A chain that has seen nothing yet, and answers for all jobs that its load may need.
async fn prepare(
    arguments: &Arguments,
    nodes: usize,
    jobs: &Jobs,
    slots: u64,
) -> Result<(Devnet, Vec<Answer>)> {
    let start = async || {
        let mut network = match nodes {
            1 => Network::dev(),
            _ => Network::local()?,
        };
        network
            .default_args
            .extend(arguments.node_arguments.clone());
        Devnet::start(network).await
    };
    let devnet = start().await?;
    let genesis = chain::Chain::connect(devnet.first())
        .await?
        .genesis()
        .await?;
    let mut answers = jobs.kept(&arguments.kept, genesis, usize::MAX);
    // How many answers are needed follows from what they take of a block.
    if answers.is_empty() {
        jobs.complete(&arguments.kept, genesis, &mut answers, 1)?;
    }
    let needed = load::needed(load::capacity(jobs, &answers), slots);
    if answers.len() >= needed {
        return Ok((devnet, answers));
    }
    // The nodes are not to wait while the processors are at something else.
    drop(devnet);
    jobs.complete(&arguments.kept, genesis, &mut answers, needed)?;
    Ok((start().await?, answers))
}

/// Programs that wanted a processor in the last minute, on average.
fn load_average() -> Result<f64> {
    let text = fs::read_to_string("/proc/loadavg")?;
    let first = text.split_whitespace().next();
    Ok(first.context("an empty /proc/loadavg")?.parse()?)
}
