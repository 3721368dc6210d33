//! The figures for people: a table, and the page that puts them beside those of other systems.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::chart::Bar;
use crate::measure::Row;

/// Figures that other systems publish of the same sizes: model, who, proving and verifying in seconds, hardware and source.
const QUOTED: [(&str, &str, f64, f64, &str); 5] = [
    (
        "dense, 4 M parameters",
        "DeepProve",
        2.335,
        0.520,
        "hardware not stated; README of deep-prove",
    ),
    (
        "CNN, 264 k parameters",
        "DeepProve",
        1.242,
        0.599,
        "hardware not stated; README of deep-prove",
    ),
    (
        "nanoGPT, 64 positions, 4 layers",
        "EZKL",
        237.0,
        0.34,
        "hardware not stated; blog.ezkl.xyz/post/nanogpt, June 2023",
    ),
    (
        "nanoGPT, 64 positions, 4 layers",
        "Jolt Atlas",
        2.288,
        0.127,
        "MacBook Pro M3, 16 GB; README of jolt-atlas",
    ),
    (
        "GPT-2, 125 M parameters, 16 positions",
        "Jolt Atlas",
        14.889,
        1.038,
        "MacBook Pro M3, 16 GB; README of jolt-atlas",
    ),
];

/// The figures of EZKL, by the models' short names.
pub struct Peers(BTreeMap<String, Value>);

impl Peers {
    /// Reads what `bench/peers/ezkl_peer.py` wrote into a folder; there may be nothing.
    pub fn read(folder: &Path) -> Result<Self> {
        let mut peers = BTreeMap::new();
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                let figures: Value = serde_json::from_slice(&std::fs::read(&path)?)
                    .with_context(|| format!("{} holds no figures", path.display()))?;
                let key = path.file_stem().unwrap_or_default().to_string_lossy();
                peers.insert(key.into_owned(), figures);
            }
        }
        Ok(Self(peers))
    }

    fn number(&self, key: &str, path: &str) -> Option<f64> {
        self.0.get(key)?.pointer(path)?.as_f64()
    }

    fn prove_seconds(&self, key: &str) -> Option<f64> {
        self.number(key, "/seconds/prove")
    }

    fn outcome(&self, key: &str) -> &str {
        let outcome = self
            .0
            .get(key)
            .and_then(|figures| figures["outcome"].as_str());
        outcome.unwrap_or("not run")
    }
}

/// A Markdown table.
pub fn table(rows: &[Row]) -> String {
    let mut out = String::from(
        "| model, preset, samples | parameters | committed cells | setup | prove, 1 / 2 threads | ns a cell, 1 / 2 | \
         wide-Fibonacci, 1 / 2 | verify, native / runtime | proof | peak memory | bits (Johnson) |\n\
         |---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let [one, two] = row.prove_ms;
        let [ns_one, ns_two] = row.ns_per_cell();
        let [fibonacci_one, fibonacci_two] = row.fibonacci_ns_per_cell;
        out += &format!(
            "| {}, {}, {} | {} | {} | {:.0} ms | {one:.1} / {two:.1} ms | {ns_one:.0} / {ns_two:.0} | \
             {fibonacci_one:.0} / {fibonacci_two:.0} | {:.1} / {:.1} ms | {:.0} kB | {:.0} MB | {} ({}) |\n",
            row.key,
            row.preset,
            row.batch,
            row.parameters,
            row.committed_cells,
            row.setup_ms,
            row.verify_native_ms,
            row.verify_wasm_ms,
            row.proof_bytes as f64 / 1e3,
            row.peak_memory_bytes as f64 / 1e6,
            row.conjectured_bits,
            row.johnson_bits,
        );
    }
    out
}

/// Our figures that are compared: one sample, the preset with the lowest latency, two threads.
fn compared(rows: &[Row]) -> impl Iterator<Item = &Row> {
    rows.iter()
        .filter(|row| row.batch == 1 && row.preset == "fast")
}

/// Proving times as bars.
pub fn bars(rows: &[Row], peers: &Peers) -> Vec<Bar> {
    compared(rows)
        .map(|row| Bar {
            title: row.title.clone(),
            ours: row.prove_ms[1] / 1e3,
            peer: peers.prove_seconds(&row.key),
        })
        .collect()
}

/// `zkml/BENCHMARKS.md`.
pub fn page(rows: &[Row], peers: &Peers) -> String {
    let mut out = String::from(
        "# Benchmarks\n\n\
         Written by `make bench-zkml`: all figures but the quoted ones are from one machine with two cores, ours as medians.\n\
         [`README.md`](README.md) says what is proved and what the bits mean.\n\n\
         ![Proving time, ours and EZKL's](benchmarks.svg)\n\n\
         ## Beside EZKL\n\n\
         One sample, two threads; ours is the preset `fast`. EZKL runs the same model on the same input, with the fastest of\n\
         the settings tried that loses at most one point of accuracy against onnxruntime; its reference string is made\n\
         offline and not counted. Trees are given to it as comparisons and matrix products over the same ranks. Accuracies\n\
         are on the whole test set for us, on its first samples (200 at most) for EZKL and onnxruntime. EZKL's proofs are\n\
         smaller: they rest on a trusted setup and elliptic curves, ours on hashes alone.\n\n\
         | model | accuracy, ours / EZKL / float | prove, ours | EZKL | ratio | verify, ours / EZKL | proof, ours / EZKL | \
         setup, ours / EZKL | peak memory, ours / EZKL |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for row in compared(rows) {
        out += &comparison(row, peers);
    }
    out += "\n## Quoted\n\nNot run here; from the systems' own documents, on other hardware.\n\n\
            | model | system | prove | verify | hardware, source |\n|---|---|---|---|---|\n";
    for (model, system, prove, verify, source) in QUOTED {
        out += &format!("| {model} | {system} | {prove} s | {verify} s | {source} |\n");
    }
    out += "\n## Everything measured of ours\n\n\
            Wide-Fibonacci is stwo's own example with the same number of committed cells, in the same run. `runtime` is \
            verification inside the chain's WebAssembly runtime.\n\n";
    out + &table(rows)
}

fn comparison(row: &Row, peers: &Peers) -> String {
    let key = &row.key;
    let or_dash =
        |number: Option<f64>, show: &dyn Fn(f64) -> String| number.map_or("–".into(), show);
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let seconds = |seconds: f64| match seconds {
        0.0..0.1 => format!("{:.1} ms", seconds * 1e3),
        0.1..1.0 => format!("{:.0} ms", seconds * 1e3),
        _ => format!("{seconds:.1} s"),
    };
    let bytes = |bytes: f64| match bytes {
        0.0..1e6 => format!("{:.0} kB", bytes / 1e3),
        _ => format!("{:.0} MB", bytes / 1e6),
    };
    let ours = row.prove_ms[1] / 1e3;
    let prove = peers.prove_seconds(key);
    let peer = |path: &str| peers.number(key, path);
    format!(
        "| {} | {} / {} / {} | {} | {} | {} | {} / {} | {} / {} | {} / {} | {} / {} |\n",
        row.title,
        or_dash(row.accuracy, &percent),
        or_dash(peer("/accuracy/accuracy_quantised"), &percent),
        or_dash(peer("/accuracy/accuracy_float"), &percent),
        seconds(ours),
        prove.map_or(peers.outcome(key).into(), seconds),
        or_dash(prove, &|prove| format!("{:.0} times", prove / ours)),
        seconds(row.verify_native_ms / 1e3),
        or_dash(peer("/seconds/verify"), &seconds),
        bytes(row.proof_bytes as f64),
        or_dash(peer("/bytes/proof"), &bytes),
        seconds(row.setup_ms / 1e3),
        or_dash(peer("/seconds/setup"), &seconds),
        bytes(row.peak_memory_bytes as f64),
        or_dash(peer("/peak_rss_bytes/prove"), &bytes),
    )
}
