//! The figures, for people and for machines.

use anyhow::Result;
use serde_json::json;

use crate::measure::Row;

/// A Markdown table.
pub fn table(rows: &[Row]) -> String {
    let mut out = String::from(
        "| model | parameters | committed cells | prove, 1 thread | 2 threads | ns a cell, 1 / 2 | wide-Fibonacci, 1 / 2 | \
         verify, native | in the runtime | proof | peak memory | bits (Johnson) |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let [one, two] = row.prove_ms;
        let [ns_one, ns_two] = row.ns_per_cell();
        let [fibonacci_one, fibonacci_two] = row.fibonacci_ns_per_cell;
        out += &format!(
            "| {} | {} | {} | {one:.1} ms | {two:.1} ms | {ns_one:.0} / {ns_two:.0} | {fibonacci_one:.0} / {fibonacci_two:.0} | \
             {:.2} ms | {:.2} ms | {:.1} kB | {:.0} MB | {} ({}) |\n",
            row.name,
            row.parameters,
            row.committed_cells,
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

/// The same and more, as JSON.
pub fn json(rows: &[Row]) -> Result<String> {
    let rows: Vec<_> = rows
        .iter()
        .map(|row| {
            json!({
                "model": row.name,
                "parameters": row.parameters,
                "batch": row.batch,
                "preset": row.preset,
                "conjectured_bits": row.conjectured_bits,
                "johnson_bits": row.johnson_bits,
                "preprocessed_cells": row.preprocessed_cells,
                "committed_cells": row.committed_cells,
                "setup_ms": row.setup_ms,
                "prove_ms": { "threads_1": row.prove_ms[0], "threads_2": row.prove_ms[1] },
                "ns_per_cell": { "threads_1": row.ns_per_cell()[0], "threads_2": row.ns_per_cell()[1] },
                "wide_fibonacci": {
                    "cells": row.fibonacci_cells,
                    "ns_per_cell": {
                        "threads_1": row.fibonacci_ns_per_cell[0],
                        "threads_2": row.fibonacci_ns_per_cell[1],
                    },
                },
                "verify_ms": { "native": row.verify_native_ms, "wasm": row.verify_wasm_ms },
                "proof_bytes": row.proof_bytes,
                "peak_memory_bytes": row.peak_memory_bytes,
            })
        })
        .collect();
    Ok(serde_json::to_string_pretty(&json!({ "models": rows }))? + "\n")
}
