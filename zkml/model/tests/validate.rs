//! What `validate` proves and refuses.

mod common;

use ciro_zkml_model::{
    Activation, Dense, Head, Input, Model, ModelError, Output, Quantity, Requant,
    ACCUMULATOR_LIMIT, QUANTISED_LIMIT,
};
use proptest::prelude::*;

/// `inputs`-1-1 with the given first weights, bias, multiplier and activation.
fn model(weights: Vec<i8>, bias: i32, multiplier: u32, activation: Activation) -> Model {
    let inputs = weights.len() as u32;
    Model {
        name: String::new(),
        preset: 1,
        input: Input {
            shape: vec![inputs],
            scale: 1.0,
            zero_point: 0,
        },
        layers: vec![
            Dense {
                inputs,
                outputs: 1,
                weights,
                bias: vec![bias],
                requant: Some(Requant {
                    multipliers: vec![multiplier],
                    activation,
                }),
            },
            Dense {
                inputs: 1,
                outputs: 1,
                weights: vec![-3],
                bias: vec![1],
                requant: None,
            },
        ],
        output: Output {
            shape: vec![1],
            scale: 1.0,
            head: Head::Values,
        },
    }
}

fn overflow(layer: usize, quantity: Quantity, bound: i64, limit: i64) -> Result<(), ModelError> {
    Err(ModelError::Overflow {
        layer,
        output: 0,
        quantity,
        bound: bound as u64,
        limit: limit as u64,
    })
}

#[test]
fn bounds_are_those_of_the_true_ranges() {
    let bounds = model(vec![2, -1], 10, 4096, Activation::Relu)
        .validate()
        .unwrap();
    // 10 + 2*[-128, 127] - [-128, 127] = [-373, 392]; then 1 - 3*[0, 255].
    assert_eq!((bounds.q_min, bounds.q_max), (-373, 392));
    assert_eq!(bounds.accumulators, [392, 764]);
    assert_eq!(bounds.output_bound, 764);

    let bounds = model(vec![2, -1], 10, 4096, Activation::Identity)
        .validate()
        .unwrap();
    assert_eq!(bounds.output_bound, 1 + 3 * 128);
}

#[test]
fn an_accumulator_stays_below_the_limit() {
    let largest = (ACCUMULATOR_LIMIT - 1) as i32;
    let mut last = model(vec![0], 0, 1, Activation::Relu);
    last.layers[1].weights[0] = 0;
    last.layers[1].bias[0] = largest;
    assert_eq!(last.validate().unwrap().output_bound, largest as u32);
    last.layers[1].bias[0] = -largest - 1;
    let refused = overflow(
        1,
        Quantity::Accumulator,
        ACCUMULATOR_LIMIT,
        ACCUMULATOR_LIMIT,
    );
    assert_eq!(last.validate().map(drop), refused);
    // As many inputs as overflow by themselves: 66,053 * 127 * 128 is just above 2^30.
    let wide = model(vec![-127; 66_053], 0, 1, Activation::Relu).validate();
    assert!(matches!(
        wide,
        Err(ModelError::Overflow {
            layer: 0,
            output: 0,
            quantity: Quantity::Accumulator,
            ..
        })
    ));
}

#[test]
fn a_requantised_value_fits_the_table() {
    let step = 1 << Model::SHIFT;
    let of = |q: i32| model(vec![0], q, step, Activation::Relu).validate();
    assert_eq!(
        of(QUANTISED_LIMIT as i32 - 1).unwrap().q_max,
        i32::from(i16::MAX)
    );
    assert_eq!(
        of(-QUANTISED_LIMIT as i32).unwrap().q_min,
        i32::from(i16::MIN)
    );
    let refused = |q: i64| overflow(0, Quantity::Requantised, q, QUANTISED_LIMIT);
    assert_eq!(
        of(QUANTISED_LIMIT as i32).map(drop),
        refused(QUANTISED_LIMIT)
    );
    assert_eq!(
        of(-QUANTISED_LIMIT as i32 - 1).map(drop),
        refused(QUANTISED_LIMIT)
    );
    let product = model(vec![0], 1 << 29, 2, Activation::Relu).validate();
    assert_eq!(
        product.map(drop),
        overflow(0, Quantity::Rescaled, (1 << 30) + 4096, ACCUMULATOR_LIMIT)
    );
}

#[test]
fn every_disagreement_of_shapes_is_refused() {
    let good = || model(vec![1, 2], 0, 1, Activation::Relu);
    let refused = |change: &dyn Fn(&mut Model)| {
        let mut model = good();
        change(&mut model);
        model.validate().unwrap_err()
    };
    let shape =
        |change: &dyn Fn(&mut Model)| assert!(matches!(refused(change), ModelError::Shape { .. }));
    shape(&|m| m.input.shape = vec![3]);
    shape(&|m| m.input.shape = vec![u32::MAX; 8]);
    shape(&|m| m.output.shape = vec![1, 2]);
    shape(&|m| m.output.head = Head::ArgMax { labels: vec![1, 2] });
    shape(&|m| m.layers[0].inputs = 3);
    shape(&|m| m.layers[0].outputs = 0);
    shape(&|m| m.layers[0].weights.push(0));
    shape(&|m| m.layers[0].bias.clear());
    shape(&|m| m.layers[1].inputs = 2);
    shape(&|m| m.layers[0].requant.as_mut().unwrap().multipliers.push(1));

    assert_eq!(refused(&|m| m.layers.clear()), ModelError::NoLayers);
    assert_eq!(
        refused(&|m| m.layers[0].requant = None),
        ModelError::MisplacedRequant { layer: 0 }
    );
    assert_eq!(
        refused(&|m| drop(m.layers.pop())),
        ModelError::MisplacedRequant { layer: 0 }
    );
    let zero = ModelError::ZeroMultiplier {
        layer: 0,
        output: 0,
    };
    assert_eq!(
        refused(&|m| m.layers[0].requant.as_mut().unwrap().multipliers[0] = 0),
        zero
    );
    for scale in [0.0, -1.0, 1e-40, f32::INFINITY, f32::NAN] {
        assert!(matches!(
            refused(&|m| m.input.scale = scale),
            ModelError::Scale { what: "input", .. }
        ));
        assert!(matches!(
            refused(&|m| m.output.scale = scale),
            ModelError::Scale { what: "output", .. }
        ));
    }
    assert!(matches!(
        refused(&|m| m.name = "x".repeat(65)),
        ModelError::TooLarge { .. }
    ));
    assert!(matches!(
        refused(&|m| m.input.shape = vec![1; 9]),
        ModelError::TooLarge { .. }
    ));
    assert_eq!(good().validate().map(drop), Ok(()));
}

proptest! {
    /// The bounds are attained: some input reaches the first layer's largest accumulator.
    #[test]
    fn bounds_are_tight(model in common::model()) {
        let bound = model.validate().unwrap().accumulators[0];
        let layer = &model.layers[0];
        let outputs = layer.outputs as usize;
        let extreme = |j: usize, sign: i8| -> Vec<i8> {
            let column = layer.weights.iter().skip(j).step_by(outputs);
            column.map(|&w| if (w < 0) == (sign < 0) { i8::MAX } else { i8::MIN }).collect()
        };
        let reached = (0..outputs).flat_map(|j| [(j, 1), (j, -1)]).map(|(j, sign)| {
            model.trace(&extreme(j, sign)).unwrap()[0].acc[j].unsigned_abs()
        });
        prop_assert_eq!(reached.max(), Some(bound));
    }
}
