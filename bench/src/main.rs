//! `make bench-zkml`: what proofs cost, as JSON and as a table.
//!
//! For each model: committed cells, proving time on one and two threads, nanoseconds a cell beside stwo's own
//! wide-Fibonacci at the same number of cells in the same run, verification natively and inside the chain's WebAssembly
//! runtime, proof bytes, and the peak memory of a process that proves once. Times are medians. A second call puts these
//! figures beside those of other systems, in `zkml/BENCHMARKS.md`.

mod chart;
mod fibonacci;
mod measure;
mod report;
mod runtime;

use std::path::PathBuf;

use anyhow::{Context, Result};
use ciro_bench::models;
use clap::Parser;

/// Benchmarks of the proving engine.
#[derive(Parser)]
struct Arguments {
    /// The repository, whose `models/` are measured.
    #[arg(long, default_value = ".")]
    root: PathBuf,
    /// Where the generated networks are; they are left out without it.
    #[arg(long)]
    generated: Option<PathBuf>,
    /// Only models whose short name begins so.
    #[arg(long, default_value = "")]
    only: String,
    /// Where the figures go, as JSON.
    #[arg(long, default_value = "target/bench-zkml.json")]
    out: PathBuf,
    /// Measurements of each figure; the median is reported.
    #[arg(long, default_value_t = 15)]
    repeat: usize,
    /// Measures nothing: writes the figures of `--out`, and those of the peers in this folder, to `zkml/BENCHMARKS.md`.
    #[arg(long, value_name = "FOLDER")]
    report: Option<PathBuf>,
    /// Only proves the model of this file once, on the input of the next, and prints the process's peak memory in bytes (used
    /// by the benchmark itself).
    #[arg(long, hide = true, num_args = 2)]
    peak: Option<Vec<PathBuf>>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(peers) = &arguments.report {
        return report(&arguments, peers);
    }
    let generated = arguments.generated.as_deref();
    if let Some([model, input]) = arguments.peak.as_deref() {
        println!("{}", measure::peak_memory_of_one_proof(model, input)?);
        return Ok(());
    }
    let executor = runtime::Executor::new()?;
    let mut rows = Vec::new();
    for benches in models::load(&arguments.root, generated, &arguments.only) {
        for bench in &benches? {
            eprintln!("measuring {}", bench.name());
            rows.push(measure::measure(bench, &executor, arguments.repeat)?);
        }
    }
    print!("{}", report::table(&rows));
    if let Some(folder) = arguments.out.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&arguments.out, serde_json::to_string_pretty(&rows)? + "\n")?;
    eprintln!("figures written to {}", arguments.out.display());
    Ok(())
}

fn report(arguments: &Arguments, peers: &std::path::Path) -> Result<()> {
    let figures = std::fs::read(&arguments.out)
        .with_context(|| format!("cannot read {}: measure first", arguments.out.display()))?;
    let rows: Vec<measure::Row> = serde_json::from_slice(&figures)?;
    let peers = report::Peers::read(peers)?;
    let zkml = arguments.root.join("zkml");
    std::fs::write(zkml.join("BENCHMARKS.md"), report::page(&rows, &peers))?;
    std::fs::write(
        zkml.join("benchmarks.svg"),
        chart::svg(&report::bars(&rows, &peers)),
    )?;
    eprintln!("zkml/BENCHMARKS.md and zkml/benchmarks.svg are new");
    Ok(())
}
