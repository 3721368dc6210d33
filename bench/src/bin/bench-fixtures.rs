//! Writes the real proofs with which `make weights` measures `submit_result`: models, batches and presets that spread
//! over proof, input and output sizes.

use anyhow::{Context, Result};
use ciro_primitives::JobBinding;
use ciro_zkml_model::{Activation, Dense, Head, Input, Model, Output, Requant};
use ciro_zkml_prover::Prover;
use codec::Encode;

/// Layer widths of the models. Their weights are arbitrary: they do not change what verification costs.
const WIDTHS: [&[u32]; 4] = [
    &[64, 32, 10],
    &[1000, 64, 10],
    &[64, 32, 64],
    &[1000, 64, 64],
];
const BATCHES: [usize; 3] = [1, 24, 64];
const PRESETS: [u8; 2] = [0, 1];

fn main() -> Result<()> {
    let path = std::env::args()
        .nth(1)
        .context("usage: bench-fixtures FILE")?;
    let binding = JobBinding {
        genesis: [1; 32],
        job: 7,
        payee: [2; 32],
    };
    let mut fixtures = Vec::new();
    for widths in WIDTHS {
        for preset in PRESETS {
            let prover = Prover::new(&model(widths, preset))?;
            for batch in BATCHES {
                let input: Vec<i8> = (0..prover.model().inputs() * batch)
                    .map(|index| (index * 37 % 256) as u8 as i8)
                    .collect();
                let receipt = prover.prove(&binding.encode(), &input)?;
                fixtures.push((
                    prover.key().clone(),
                    (binding.genesis, binding.job, binding.payee),
                    receipt.batch,
                    receipt.input,
                    receipt.output,
                    receipt.proof,
                ));
            }
        }
    }
    std::fs::write(&path, fixtures.encode())?;
    println!("{} proofs written to {path}", fixtures.len());
    Ok(())
}

fn model(widths: &[u32], preset: u8) -> Model {
    let last = widths.len() - 2;
    let layers = widths.windows(2).enumerate().map(|(index, pair)| Dense {
        inputs: pair[0],
        outputs: pair[1],
        weights: (0..pair[0] * pair[1])
            .map(|at| (at * 29 % 31) as i8 - 15)
            .collect(),
        bias: vec![100; pair[1] as usize],
        requant: (index != last).then(|| Requant {
            multipliers: vec![8; pair[1] as usize],
            activation: Activation::Relu,
        }),
    });
    Model {
        name: "fixture".into(),
        preset,
        input: Input {
            shape: vec![widths[0]],
            scale: 1.0,
            zero_point: 0,
        },
        layers: layers.collect(),
        output: Output {
            shape: vec![widths[last + 1]],
            scale: 1.0,
            head: Head::Values,
        },
    }
}
