//! Proofs of small models, honest and not.

use ciro_zkml_model::{Activation, Dense, Head, Input, Model, Output, Requant};
use ciro_zkml_prover::Prover;

/// A model with the given layer widths and pseudo-random parameters.
fn model(widths: &[u32], preset: u8) -> Model {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let n_layers = widths.len() - 1;
    let layers = widths
        .windows(2)
        .enumerate()
        .map(|(index, pair)| {
            let (inputs, outputs) = (pair[0], pair[1]);
            Dense {
                inputs,
                outputs,
                weights: (0..inputs * outputs)
                    .map(|_| (next() % 31) as i8 - 15)
                    .collect(),
                bias: (0..outputs)
                    .map(|_| (next() % 2001) as i32 - 1000)
                    .collect(),
                requant: (index + 1 < n_layers).then(|| Requant {
                    multipliers: (0..outputs).map(|_| 8 + (next() % 56) as u32).collect(),
                    activation: if index % 2 == 0 {
                        Activation::Relu
                    } else {
                        Activation::Identity
                    },
                }),
            }
        })
        .collect();
    Model {
        name: "test".into(),
        preset,
        input: Input {
            shape: vec![widths[0]],
            scale: 1.0,
            zero_point: 0,
        },
        layers,
        output: Output {
            shape: vec![widths[n_layers]],
            scale: 1.0,
            head: Head::Values,
        },
    }
}

fn input(model: &Model, batch: usize) -> Vec<i8> {
    (0..model.inputs() * batch)
        .map(|i| (i * 37 % 251) as u8 as i8)
        .collect()
}

#[test]
fn an_honest_proof_verifies_and_its_output_is_the_interpreters() {
    for widths in [&[5, 3][..], &[64, 32, 10], &[20, 70, 9, 130, 4]] {
        for preset in [0, 1] {
            for batch in [1, 3] {
                let model = model(widths, preset);
                let prover = Prover::new(&model).unwrap();
                let input = input(&model, batch);
                let receipt = prover.prove(b"binding", &input).unwrap();
                assert_eq!(receipt.output, model.run(&input).unwrap());
                assert_eq!(
                    receipt.verify(prover.key()),
                    Ok(()),
                    "{widths:?} preset {preset} batch {batch}"
                );
            }
        }
    }
}
