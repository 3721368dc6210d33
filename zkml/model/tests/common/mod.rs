//! Random models for the property tests.
#![allow(dead_code)] // each test file uses a part

use ciro_zkml_model::{Activation, Dense, Head, Input, Model, Output, Requant};
use proptest::prelude::*;

/// A small valid model with `widths.len() - 1` layers.
fn of_widths(widths: Vec<u32>) -> impl Strategy<Value = Model> {
    let layers = widths.len() - 1;
    let dense: Vec<_> = widths
        .windows(2)
        .enumerate()
        .map(|(index, pair)| dense(pair[0], pair[1], index + 1 == layers))
        .collect();
    let (inputs, outputs) = (widths[0], widths[layers]);
    let labels = proptest::collection::vec(any::<i64>(), outputs as usize);
    let head = prop_oneof![
        Just(Head::Values),
        Just(Head::Relu),
        labels.prop_map(|labels| Head::ArgMax { labels }),
    ];
    (
        "[a-z]{0,16}",
        0..2_u8,
        dense,
        head,
        1e-3..1e3_f32,
        any::<i8>(),
    )
        .prop_map(
            move |(name, preset, layers, head, scale, zero_point)| Model {
                name,
                preset,
                input: Input {
                    shape: vec![1, inputs],
                    scale,
                    zero_point,
                },
                layers,
                output: Output {
                    shape: vec![outputs],
                    scale,
                    head,
                },
            },
        )
}

fn dense(inputs: u32, outputs: u32, last: bool) -> impl Strategy<Value = Dense> {
    let activation = prop_oneof![Just(Activation::Identity), Just(Activation::Relu)];
    let multipliers = proptest::collection::vec(1..64_u32, outputs as usize);
    let requant = (multipliers, activation).prop_map(move |(multipliers, activation)| {
        (!last).then_some(Requant {
            multipliers,
            activation,
        })
    });
    let weights = proptest::collection::vec(any::<i8>(), (inputs * outputs) as usize);
    let bias = proptest::collection::vec(-100_000..100_000_i32, outputs as usize);
    (weights, bias, requant).prop_map(move |(weights, bias, requant)| Dense {
        inputs,
        outputs,
        weights,
        bias,
        requant,
    })
}

/// Small valid models of one to three layers.
pub fn model() -> impl Strategy<Value = Model> {
    proptest::collection::vec(1..9_u32, 2..5).prop_flat_map(of_widths)
}

/// A model and a batch of one to five samples for it.
pub fn model_and_input() -> impl Strategy<Value = (Model, Vec<i8>)> {
    (model(), 1..6_usize).prop_flat_map(|(model, batch)| {
        let input = proptest::collection::vec(any::<i8>(), batch * model.inputs());
        (Just(model), input)
    })
}
