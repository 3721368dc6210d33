//! `make bench-zkml`: what proofs cost, as JSON and as a table.
//!
//! For each model: committed cells, proving time on one and two threads, nanoseconds a cell beside stwo's own
//! wide-Fibonacci at the same number of cells in the same run, verification natively and inside the chain's WebAssembly
//! runtime, proof bytes, and the peak memory of a process that proves once. Times are medians.

mod fibonacci;
mod measure;
mod models;
mod report;
mod runtime;

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;

/// Benchmarks of the proving engine.
#[derive(Parser)]
struct Arguments {
    /// Where the models are.
    #[arg(long, default_value = "models")]
    models: PathBuf,
    /// Where the figures go, as JSON.
    #[arg(long, default_value = "target/bench-zkml.json")]
    out: PathBuf,
    /// Measurements of each figure; the median is reported.
    #[arg(long, default_value_t = 15)]
    repeat: usize,
    /// Only proves one model once and prints the process's peak memory in bytes (used by the benchmark itself).
    #[arg(long, hide = true)]
    peak: Option<String>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let models = models::load(&arguments.models)?;
    if let Some(name) = arguments.peak {
        let bench = models.iter().find(|bench| bench.name == name);
        let bench = bench.ok_or_else(|| anyhow::anyhow!("no model is called {name}"))?;
        println!("{}", measure::peak_memory_of_one_proof(bench)?);
        return Ok(());
    }
    let executor = runtime::Executor::new()?;
    let mut rows = Vec::new();
    for bench in &models {
        eprintln!("measuring {}", bench.name);
        rows.push(measure::measure(bench, &executor, &arguments)?);
    }
    print!("{}", report::table(&rows));
    if let Some(folder) = arguments.out.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&arguments.out, report::json(&rows)?)?;
    eprintln!("figures written to {}", arguments.out.display());
    Ok(())
}
