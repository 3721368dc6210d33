//! The measurements of one model.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{ensure, Context, Result};
use ciro_bench::models::Bench;
use ciro_zkml_model::Model;
use ciro_zkml_prover::Prover;
use ciro_zkml_verifier::Form;
use serde::{Deserialize, Serialize};

use crate::fibonacci;
use crate::runtime::Executor;

/// The figures of one model. Times in milliseconds, sizes in bytes.
#[derive(Serialize, Deserialize)]
pub struct Row {
    pub key: String,
    pub title: String,
    pub accuracy: Option<f64>,
    pub parameters: usize,
    pub batch: usize,
    pub preset: String,
    pub conjectured_bits: u32,
    pub johnson_bits: u32,
    pub preprocessed_cells: u64,
    pub committed_cells: u64,
    pub setup_ms: f64,
    /// On one and on two threads.
    pub prove_ms: [f64; 2],
    /// Wide-Fibonacci at about the same number of committed cells, on one and on two threads, per cell.
    pub fibonacci_ns_per_cell: [f64; 2],
    pub fibonacci_cells: u64,
    pub verify_native_ms: f64,
    pub verify_wasm_ms: f64,
    pub proof_bytes: usize,
    pub peak_memory_bytes: u64,
}

impl Row {
    /// Nanoseconds a committed cell, on one and on two threads.
    pub fn ns_per_cell(&self) -> [f64; 2] {
        self.prove_ms
            .map(|ms| ms * 1e6 / self.committed_cells as f64)
    }
}

/// Measures `bench`.
pub fn measure(bench: &Bench, executor: &Executor, repeat: usize) -> Result<Row> {
    let start = Instant::now();
    let prover = Prover::new(&bench.model)?;
    let setup_ms = milliseconds(start);
    let key = prover.key();
    let stats = prover.stats(Form::public(bench.batch as u32));
    let receipt = prover.prove(b"benchmark", &bench.input)?;
    ensure!(receipt.verify(key).is_ok(), "an honest proof was refused");

    let config = key.preset.config();
    let mut prove_ms = [0.0; 2];
    let mut fibonacci_ns_per_cell = [0.0; 2];
    let mut fibonacci_cells = 0;
    for (index, threads) in [1, 2].into_iter().enumerate() {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()?;
        pool.install(|| -> Result<()> {
            // The proof of work takes as long as the statement's luck wants: each proof is of another statement.
            let mut binding = 0u64;
            prove_ms[index] = median(repeat, || {
                binding += 1;
                prover.prove(&binding.to_le_bytes(), &bench.input)?;
                Ok(())
            })?;
            let fibonacci = fibonacci::Fibonacci::new(config, stats.committed_cells);
            fibonacci_cells = fibonacci.cells();
            let ms = median(repeat, || fibonacci.prove())?;
            fibonacci_ns_per_cell[index] = ms * 1e6 / fibonacci.cells() as f64;
            Ok(())
        })?;
    }
    let verify_native_ms = median(repeat, || Ok(receipt.verify(key)?))?;
    let call = executor.prepare(key, &receipt);
    let verify_wasm_ms = median(repeat, || executor.verify(&call))?;

    Ok(Row {
        key: bench.key.into(),
        title: bench.title.into(),
        accuracy: bench.accuracy,
        parameters: bench.model.parameters(),
        batch: bench.batch,
        preset: format!("{:?}", key.preset).to_lowercase(),
        conjectured_bits: key.preset.conjectured_bits(),
        johnson_bits: key.preset.johnson_bits(),
        preprocessed_cells: stats.preprocessed_cells,
        committed_cells: stats.committed_cells,
        setup_ms,
        prove_ms,
        fibonacci_ns_per_cell,
        fibonacci_cells,
        verify_native_ms,
        verify_wasm_ms,
        proof_bytes: receipt.proof.len(),
        peak_memory_bytes: peak_memory(bench)?,
    })
}

/// The median time of `repeat` calls, after one to warm up, in milliseconds.
fn median(repeat: usize, mut call: impl FnMut() -> Result<()>) -> Result<f64> {
    call()?;
    let mut times = Vec::new();
    for _ in 0..repeat.max(1) {
        let start = Instant::now();
        call()?;
        times.push(milliseconds(start));
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

fn milliseconds(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

/// Runs this program again to prove once, and reads its peak memory.
fn peak_memory(bench: &Bench) -> Result<u64> {
    let folder = tempfile::tempdir()?;
    let (model, input) = (
        folder.path().join("model.ciro"),
        folder.path().join("input"),
    );
    std::fs::write(&model, bench.model.encode_file())?;
    std::fs::write(
        &input,
        bench
            .input
            .iter()
            .map(|value| *value as u8)
            .collect::<Vec<_>>(),
    )?;
    let mut command = Command::new(std::env::current_exe()?);
    let output = command.arg("--peak").args([&model, &input]).output()?;
    ensure!(
        output.status.success(),
        "the memory measurement of {} failed",
        bench.name()
    );
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

/// Reads a model and its input, proves the run once, and returns this process's peak resident memory.
pub fn peak_memory_of_one_proof(model: &Path, input: &Path) -> Result<u64> {
    let model = Model::decode_file(&std::fs::read(model)?)?;
    let input = std::fs::read(input)?;
    let input: Vec<i8> = input.into_iter().map(|byte| byte as i8).collect();
    Prover::new(&model)?.prove(b"", &input)?;
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next());
    let kilobytes: u64 = kilobytes
        .context("/proc/self/status has no VmHWM")?
        .parse()?;
    Ok(kilobytes * 1024)
}
