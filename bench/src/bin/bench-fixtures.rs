//! Writes the real proofs with which `make weights` measures `submit_result`: of many proof, input and output sizes, so
//! that what each of them costs can be told apart.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use ciro_primitives::JobBinding;
use ciro_zkml_model::{
    Activation, Encoding, Head, Input, Linear, Map, Model, Node, Op, Output, Requant,
};
use ciro_zkml_prover::Prover;
use ciro_zkml_verifier::Committed;
use codec::Encode;

/// Presets, which decide how long a proof is: about 60 kB and 120 kB.
const PRESETS: [u8; 2] = [1, 0];
/// Input values of the one sample: a value costs most where it has an address of its own.
const INPUTS: [usize; 9] = [
    64, 8_000, 16_000, 24_000, 32_000, 40_000, 48_000, 56_000, 64_000,
];
/// Output values. Both lists are what nine steps of the benchmark ask for.
const OUTPUTS: [usize; 9] = [64, 512, 1_024, 1_536, 2_048, 2_560, 3_072, 3_584, 4_096];
/// Outputs of the hidden layer.
const HIDDEN: u32 = 16;

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
    // The benchmark varies one size at a time while the others are at their highest.
    let (most_inputs, most_outputs) = (INPUTS[INPUTS.len() - 1], OUTPUTS[OUTPUTS.len() - 1]);
    let sizes: BTreeSet<_> = std::iter::once((INPUTS[0], OUTPUTS[0]))
        .chain(INPUTS.map(|inputs| (inputs, most_outputs)))
        .chain(OUTPUTS.map(|outputs| (most_inputs, outputs)))
        .collect();
    for preset in PRESETS {
        for &(inputs, outputs) in &sizes {
            let prover = Prover::new(&model(&[inputs as u32, HIDDEN, outputs as u32], preset))?;
            let input: Vec<i8> = (0..inputs).map(|at| (at * 37 % 256) as u8 as i8).collect();
            let (receipt, output) =
                prover.prove_committed(&binding.encode(), &input, Committed::default())?;
            fixtures.push((
                prover.key().clone(),
                (binding.genesis, binding.job, binding.payee),
                receipt.batch,
                input,
                output,
                receipt.proof,
            ));
        }
    }
    std::fs::write(&path, fixtures.encode())?;
    println!("{} proofs written to {path}", fixtures.len());
    Ok(())
}

/// Weights are arbitrary: they do not change what verification costs. They are small, so that nothing overflows.
fn model(widths: &[u32], preset: u8) -> Model {
    let last = widths.len() - 2;
    let node = |(index, pair): (usize, &[u32])| Node {
        sources: vec![index as u32],
        shape: vec![pair[1]],
        op: Op::Linear(Linear {
            maps: vec![Map::Dense(
                (0..pair[0] * pair[1])
                    .map(|at| (at * 29 % 31) as i8 - 15)
                    .collect(),
            )],
            channel_axis: 0,
            bias: vec![100; pair[1] as usize],
            requant: (index != last).then(|| Requant {
                multipliers: vec![1; pair[1] as usize],
                activation: Activation::RELU,
            }),
        }),
    };
    Model {
        name: "fixture".into(),
        preset,
        input: Input {
            shape: vec![widths[0]],
            encoding: Encoding::Affine {
                scale: 1.0,
                zero_point: 0,
            },
        },
        nodes: widths.windows(2).enumerate().map(node).collect(),
        output: Output {
            shape: vec![widths[last + 1]],
            scale: 1.0,
            head: Head::Values,
        },
    }
}
