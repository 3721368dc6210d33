//! The interpreter against the definition, written out the slow way.

mod common;

use ciro_zkml_model::{Activation, Dense, Head, Input, Model, ModelError, Output, Requant, Values};
use proptest::prelude::*;

/// One sample through the model, straight from the formulas, with floor division instead of shifts.
fn naive(model: &Model, sample: &[i8]) -> Vec<(Vec<i64>, Vec<i64>)> {
    let mut x: Vec<i64> = sample.iter().map(|&v| v as i64).collect();
    let mut layers = vec![];
    for layer in &model.layers {
        let (n, m) = (layer.inputs as usize, layer.outputs as usize);
        let acc: Vec<i64> = (0..m)
            .map(|j| {
                layer.bias[j] as i64
                    + (0..n)
                        .map(|i| layer.weights[i * m + j] as i64 * x[i])
                        .sum::<i64>()
            })
            .collect();
        let step = 1_i64 << Model::SHIFT;
        x = layer.requant.as_ref().map_or(vec![], |requant| {
            let q = |j: usize| (acc[j] * requant.multipliers[j] as i64 + step / 2).div_euclid(step);
            (0..m)
                .map(|j| match requant.activation {
                    Activation::Identity => q(j).clamp(-128, 127),
                    Activation::Relu => q(j).clamp(0, 255),
                })
                .collect()
        });
        layers.push((acc, x.clone()));
    }
    layers
}

fn wide(values: &[i32]) -> Vec<i64> {
    values.iter().map(|&v| v as i64).collect()
}

proptest! {
    #[test]
    fn agrees_with_the_definition((model, input) in common::model_and_input()) {
        let traces = model.trace(&input).unwrap();
        prop_assert_eq!(&model.run(&input).unwrap(), &traces.last().unwrap().acc);
        for (sample, x) in input.chunks(model.inputs()).enumerate() {
            for (index, (acc, out)) in naive(&model, x).into_iter().enumerate() {
                let width = acc.len();
                let rows = sample * width..(sample + 1) * width;
                prop_assert_eq!(wide(&traces[index].acc[rows.clone()]), acc);
                if !out.is_empty() {
                    prop_assert_eq!(wide(&traces[index].out[rows]), out);
                }
            }
        }
    }

    #[test]
    fn stays_within_the_proven_bounds((model, input) in common::model_and_input()) {
        let bounds = model.validate().unwrap();
        for (trace, bound) in model.trace(&input).unwrap().iter().zip(&bounds.accumulators) {
            prop_assert!(trace.acc.iter().all(|acc| acc.unsigned_abs() <= *bound));
            prop_assert!(trace.q.iter().all(|q| (bounds.q_min..=bounds.q_max).contains(q)));
        }
    }

    #[test]
    fn a_quantised_value_is_within_half_a_step(x in -100.0..100.0_f32) {
        let model = Model { input: Input { shape: vec![2], scale: 1.0, zero_point: -10 }, ..perceptron() };
        let q = model.quantise(&[x, 0.0]).unwrap();
        prop_assert_eq!(q[1], -10);
        prop_assert!((f32::from(q[0]) + 10.0 - x).abs() <= 0.5 || q[0] == -128);
    }
}

/// 2-2-2, by hand.
fn perceptron() -> Model {
    Model {
        name: "hand".into(),
        preset: 0,
        input: Input {
            shape: vec![2],
            scale: 0.5,
            zero_point: 0,
        },
        layers: vec![
            Dense {
                inputs: 2,
                outputs: 2,
                weights: vec![1, -1, 2, 3],
                bias: vec![0, 5],
                requant: Some(Requant {
                    multipliers: vec![4096, 2048],
                    activation: Activation::Relu,
                }),
            },
            Dense {
                inputs: 2,
                outputs: 2,
                weights: vec![1, 0, 0, 1],
                bias: vec![0, -1],
                requant: None,
            },
        ],
        output: Output {
            shape: vec![2],
            scale: 0.25,
            head: Head::Values,
        },
    }
}

#[test]
fn a_model_computed_by_hand() {
    let model = perceptron();
    // acc = (1*2 + 2*4, -1*2 + 3*4 + 5) = (10, 15); q = (10, floor(7.5 + 0.5) = 8).
    let traces = model.trace(&[2, 4]).unwrap();
    assert_eq!(
        (traces[0].acc.clone(), traces[0].q.clone()),
        (vec![10, 15], vec![10, 8])
    );
    assert_eq!(model.run(&[2, 4]).unwrap(), [10, 7]);
    assert_eq!(model.dequantise(&[10, 7]), Values::Float(vec![2.5, 1.75]));
    assert_eq!(
        (model.inputs(), model.outputs(), model.parameters()),
        (2, 2, 12)
    );
}

#[test]
fn heads() {
    let with = |head| {
        let mut model = perceptron();
        model.output.head = head;
        model.dequantise(&[-4, 8, 3, 3])
    };
    assert_eq!(with(Head::Relu), Values::Float(vec![0.0, 2.0, 0.75, 0.75]));
    // Of equal values the first wins.
    assert_eq!(
        with(Head::ArgMax {
            labels: vec![7, -9]
        }),
        Values::Class(vec![-9, 7])
    );
}

#[test]
fn quantisation_rounds_ties_to_even_and_saturates() {
    let model = perceptron();
    assert_eq!(
        model.quantise(&[0.25, 0.75, -0.25, 1e30]).unwrap(),
        [0, 2, 0, 127]
    );
    assert_eq!(model.quantise(&[f32::MIN, 0.0]).unwrap(), [-128, 0]);
    assert_eq!(
        model.quantise(&[0.0, f32::NAN]),
        Err(ModelError::NotFinite { index: 1 })
    );
}

#[test]
fn incomplete_samples_are_refused() {
    let model = perceptron();
    for length in [0, 1, 3] {
        let refused = ModelError::InputLength {
            found: length,
            sample: 2,
        };
        assert_eq!(model.run(&vec![0; length]), Err(refused.clone()));
        assert_eq!(model.quantise(&vec![0.0; length]), Err(refused));
    }
}

#[test]
fn a_model_that_was_not_validated_cannot_overflow_silently() {
    let mut model = perceptron();
    model.layers[1].bias[0] = i32::MAX;
    assert_eq!(
        model.run(&[127, 127]),
        Err(ModelError::Unvalidated { layer: 1 })
    );
    model.layers[0].requant = Some(Requant {
        multipliers: vec![u32::MAX; 2],
        activation: Activation::Relu,
    });
    model.layers[0].bias[0] = i32::MAX - 1000;
    assert_eq!(
        model.run(&[127, 127]),
        Err(ModelError::Unvalidated { layer: 0 })
    );
    model.layers.clear();
    assert_eq!(model.run(&[1]), Err(ModelError::NoLayers));
}
