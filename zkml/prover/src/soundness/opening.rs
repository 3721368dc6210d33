//! The same of openings of commitments.

use ciro_zkml_air::components::sponge::OUTPUT_BLOCK;
use ciro_zkml_air::components::table::RANGE_TABLE;
use ciro_zkml_air::{commitment, Extent};
use ciro_zkml_verifier::Tensor;

use super::*;
use crate::opening::{absorb, count_bytes, offer};

const BOTH: Committed = Committed {
    input: true,
    output: true,
};

fn integers(input: &[i8]) -> Vec<i32> {
    input.iter().map(|value| (*value).into()).collect()
}

/// Replaces the sponge by one that absorbs these tensors.
fn set_sponge(prover: &Prover, witness: &mut Witness, input: &[i32], output: &[i32]) {
    let form = Form {
        batch: BATCH as u32,
        committed: BOTH,
    };
    let mut heights = form.components(prover.key());
    let (_, log_size) = heights.find(|(kind, _)| *kind == Kind::Sponge).unwrap();
    let tensors = [(0, input), (OUTPUT_BLOCK, output)];
    *columns(witness, Kind::Sponge) = absorb(&tensors, 1 << log_size);
}

/// Replaces the rows that offer the words of a tensor.
fn set_port(prover: &Prover, witness: &mut Witness, kind: Kind, values: &[i32]) {
    let columns = columns(witness, kind);
    let rows = columns[0].len();
    *columns = offer(prover.key(), (kind, rows), BATCH as u32, values);
}

#[test]
fn honest_openings_are_accepted() {
    for model in models() {
        let (prover, input) = setup(model);
        let cheat = Cheat {
            committed: BOTH,
            ..HONEST
        };
        assert_eq!(outcome(&prover, &input, &cheat), Ok(()));
    }
}

#[test]
fn a_changed_cell_of_an_opening_is_refused() {
    let mut random = Random::new(7);
    for model in [perceptron(), transformer(0), pooled(0)] {
        let (prover, input) = setup(model);
        for kind in [Kind::Sponge, Kind::InputPort, Kind::OutputPort] {
            let rows = used_rows(&prover, kind);
            for round in 0..16 {
                let row = rows[random.below(rows.len())];
                let (column, by) = (random.below(1000), 1 + random.below(1000) as u32);
                let witness = |witness: &mut Witness| {
                    let columns = columns(witness, kind);
                    // The first columns of each kind have a meaning of their own.
                    let column = if round < 6 {
                        round
                    } else {
                        column % columns.len()
                    };
                    bump(&mut columns[column], row, by);
                };
                let cheat = Cheat {
                    committed: BOTH,
                    witness: &witness,
                    ..HONEST
                };
                assert!(outcome(&prover, &input, &cheat).is_err(), "{kind:?} {row}");
            }
        }
    }
}

#[test]
fn a_row_that_is_switched_on_or_off_is_refused() {
    let (prover, input) = setup(perceptron());
    for kind in [Kind::Sponge, Kind::InputPort, Kind::OutputPort] {
        let used = used_rows(&prover, kind).len();
        for row in [0, used - 1, used] {
            let witness = |witness: &mut Witness| {
                let active = &mut columns(witness, kind)[0];
                active.set(row, BaseField::one() - active.at(row));
            };
            let cheat = Cheat {
                committed: BOTH,
                witness: &witness,
                ..HONEST
            };
            assert!(outcome(&prover, &input, &cheat).is_err(), "{kind:?} {row}");
        }
    }
}

#[test]
fn a_commitment_to_anything_else_is_refused() {
    let (prover, input) = setup(perceptron());
    let output = prover.model().run(&input).unwrap();
    let (mut other_input, mut other_output) = (input.clone(), output.clone());
    other_input[3] ^= 1;
    other_output[3] += 1;
    let statements: [&dyn Fn(&mut Receipt); 4] = [
        &|receipt| receipt.input = Tensor::Committed(commitment(&other_input)),
        &|receipt| receipt.output = Tensor::Committed(commitment(&other_output)),
        &|receipt| receipt.input = Tensor::Committed(commitment(&output)),
        &|receipt| receipt.output = Tensor::Committed(commitment(&input)),
    ];
    for statement in statements {
        let cheat = Cheat {
            committed: BOTH,
            statement,
            ..HONEST
        };
        assert_eq!(outcome(&prover, &input, &cheat), Err(VerifyError::Sum));
    }
    // The sponge and the ports are of the other tensors, too: only what the model read and made is not.
    let witness = |witness: &mut Witness| {
        let other_input = integers(&other_input);
        set_sponge(&prover, witness, &other_input, &other_output);
        set_port(&prover, witness, Kind::InputPort, &other_input);
        set_port(&prover, witness, Kind::OutputPort, &other_output);
    };
    let statement = |receipt: &mut Receipt| {
        receipt.input = Tensor::Committed(commitment(&other_input));
        receipt.output = Tensor::Committed(commitment(&other_output));
    };
    let cheat = Cheat {
        committed: BOTH,
        witness: &witness,
        statement: &statement,
        ..HONEST
    };
    assert_eq!(outcome(&prover, &input, &cheat), Err(VerifyError::Sum));
}

#[test]
fn a_commitment_to_a_tensor_of_another_length_is_refused() {
    let (prover, input) = setup(model(&[5, 3], 0));
    let output = prover.model().run(&input).unwrap();
    let honest = integers(&input);
    // The last block has room for more zeros.
    assert_ne!(honest.len() % 8, 0);
    let longer = [&honest[..], &[0]].concat();
    let shorter = honest[..honest.len() - 1].to_vec();
    for other in [longer, shorter] {
        let witness = |witness: &mut Witness| set_sponge(&prover, witness, &other, &output);
        let statement =
            |receipt: &mut Receipt| receipt.input = Tensor::Committed(commitment(&other));
        let cheat = Cheat {
            committed: BOTH,
            witness: &witness,
            statement: &statement,
            ..HONEST
        };
        assert_eq!(outcome(&prover, &input, &cheat), Err(VerifyError::Sum));
    }
}

/// The outcome of a run of a single layer, the first input of whose first sample is `value`: everything else of the
/// witness is as it would be if that were an input.
fn with_first_input(value: i32) -> Result<(), VerifyError> {
    let (prover, input) = setup(model(&[5, 3], 0));
    let mut changed = integers(&input);
    let by = value - changed[0];
    changed[0] = value;
    let Op::Linear(layer) = &prover.model().nodes[0].op else {
        unreachable!("a perceptron is of linear nodes")
    };
    let Map::Dense(weights) = &layer.maps[0] else {
        unreachable!("a perceptron's maps are dense")
    };
    let mut output = prover.model().run(&input).unwrap();
    for (output, weight) in output.iter_mut().zip(&weights[..3]) {
        *output += by * i32::from(*weight);
    }
    let witness = |witness: &mut Witness| {
        set_sponge(&prover, witness, &changed, &output);
        set_port(&prover, witness, Kind::InputPort, &changed);
        set_port(&prover, witness, Kind::OutputPort, &output);
        let first = |address: &u32| *address == ciro_zkml_air::INPUT_ADDRESS;
        for (row, _) in (0..)
            .zip(&prover.layout.linear_addresses)
            .filter(|(_, of)| first(of))
        {
            columns(witness, Kind::Linear)[0].set(row, signed(value));
        }
        let mut counts = [0; 2].map(|_| vec![0; 1 << 13]);
        count_bytes(&integers(&input), &mut counts[0]);
        count_bytes(&changed, &mut counts[1]);
        let range = &mut columns(witness, Kind::Range)[RANGE_TABLE as usize];
        for (entry, (before, after)) in counts[0].iter().zip(&counts[1]).enumerate() {
            if entry < range.len() {
                range.set(
                    entry,
                    range.at(entry) + signed(*after as i32 - *before as i32),
                );
            }
        }
    };
    let statement = |receipt: &mut Receipt| {
        receipt.input = Tensor::Committed(commitment(&changed));
        receipt.output = Tensor::Committed(commitment(&output));
    };
    let cheat = Cheat {
        committed: BOTH,
        witness: &witness,
        statement: &statement,
        ..HONEST
    };
    outcome(&prover, &input, &cheat)
}

#[test]
fn a_committed_input_that_is_no_byte_is_refused() {
    for value in [-128, -1, 127] {
        assert_eq!(with_first_input(value), Ok(()));
    }
    for value in [128, 3000] {
        assert_eq!(with_first_input(value), Err(VerifyError::Sum));
    }
}

/// `values` with the first two words exchanged in every sample.
fn exchanged(prover: &Prover, extent: Extent, values: &[i32]) -> Vec<i32> {
    let mut values = values.to_vec();
    for sample in values.chunks_mut(extent.values as usize) {
        for position in 0..prover.key().positions() {
            let [first, second] = [0, 1].map(|word| {
                let key = prover.key();
                key.value_at(extent.values, extent.width, word, position)
            });
            sample.swap(first, second);
        }
    }
    values
}

#[test]
fn words_that_change_places_are_refused() {
    // The commitment is to the tensor with two words exchanged, which the rows offer with the numbers that the sponge
    // absorbs, and yet read and state as what they are to the model: only the chain of words stands in the way.
    for (model, kind) in [
        (pooled(0), Kind::InputPort),
        (transformer(0), Kind::OutputPort),
    ] {
        let (prover, input) = setup(model);
        let sizes = prover.key().sizes(BATCH as u32);
        let (mut inputs, mut outputs) = (integers(&input), prover.model().run(&input).unwrap());
        match kind {
            Kind::InputPort => inputs = exchanged(&prover, sizes.input, &inputs),
            _ => outputs = exchanged(&prover, sizes.output, &outputs),
        }
        let positions = BaseField::from(sizes.positions);
        let witness = |witness: &mut Witness| {
            set_sponge(&prover, witness, &inputs, &outputs);
            set_port(&prover, witness, Kind::InputPort, &inputs);
            set_port(&prover, witness, Kind::OutputPort, &outputs);
            let columns = columns(witness, kind);
            for (row, word) in [(0, 1u32), (1, 0)] {
                let (number, word) = (BaseField::from(row as u32), BaseField::from(word));
                let channel = (number - positions * word) / (BaseField::one() - positions);
                columns[1].set(row, word);
                columns[2].set(row, channel);
                if kind == Kind::OutputPort {
                    columns[4].set(row, word);
                }
            }
        };
        let statement = |receipt: &mut Receipt| {
            receipt.input = Tensor::Committed(commitment(&inputs));
            receipt.output = Tensor::Committed(commitment(&outputs));
        };
        let cheat = Cheat {
            committed: BOTH,
            witness: &witness,
            statement: &statement,
            ..HONEST
        };
        assert_eq!(outcome(&prover, &input, &cheat), Err(VerifyError::Sum));
    }
}
