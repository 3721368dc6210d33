//! A prover that cheats in one place is refused, for every kind of place.

mod opening;

use std::cell::Cell;

use ciro_zkml_air::public::signed;
use ciro_zkml_air::{ClaimedSums, Committed, Form, Kind};
use ciro_zkml_model::{Map, Model, Op, TreeNode};
use ciro_zkml_verifier::{Receipt, VerifyError};
use num_traits::One;
use stwo::core::fields::m31::BaseField;
use stwo::core::fields::qm31::SecureField;
use stwo::prover::backend::simd::column::BaseColumn;
use stwo::prover::backend::Column;

use crate::interaction::{self, Evaluations};
use crate::prover::{stated, Session};
use crate::testing::{convolutional, forest, input, model, pooled, transformer, Random};
use crate::witness::Witness;
use crate::{Prover, ProverError};

const BATCH: usize = 2;

/// What a cheating prover changes, at each step of the protocol.
struct Cheat<'a> {
    committed: Committed,
    output: &'a dyn Fn(&mut Vec<i32>),
    /// What is stated in the end, of which the proof is yet to be made.
    statement: &'a dyn Fn(&mut Receipt),
    witness: &'a dyn Fn(&mut Witness),
    sums: &'a dyn Fn(&mut Evaluations, &mut ClaimedSums),
}

const HONEST: Cheat = Cheat {
    committed: Committed {
        input: false,
        output: false,
    },
    output: &|_| (),
    statement: &|_| (),
    witness: &|_| (),
    sums: &|_, _| (),
};

/// Runs the protocol with the changes. `Err` if stwo's prover notices that its own constraints fail.
fn prove(prover: &Prover, input: &[i8], cheat: &Cheat) -> Result<Receipt, ProverError> {
    let key = prover.key();
    let form = Form {
        batch: BATCH as u32,
        committed: cheat.committed,
    };
    let mut trace = prover.model().trace(input)?;
    let mut witness = Witness::new(&prover.layout, prover.model(), form, input, &trace);
    let mut output = trace.pop().unwrap().acc;
    (cheat.output)(&mut output);
    (cheat.witness)(&mut witness);
    let mut receipt = Receipt {
        model: key.id(),
        binding: Vec::new(),
        batch: form.batch,
        input: stated(input, form.committed.input),
        output: stated(&output, form.committed.output),
        proof: Vec::new(),
    };
    (cheat.statement)(&mut receipt);

    let mut session = Session::new(prover, &receipt.statement());
    session.commit_witness(&witness);
    let challenges = session.draw_challenges()?;
    let (mut sums, mut claimed) =
        interaction::generate(key, form, &prover.preprocessed, &witness, &challenges);
    (cheat.sums)(&mut sums, &mut claimed);
    receipt.proof = session.finish(&challenges, sums, &claimed)?;
    Ok(receipt)
}

/// What becomes of the cheat: the verifier's refusal, or the prover's if its constraints cannot be met at all.
fn outcome(prover: &Prover, input: &[i8], cheat: &Cheat) -> Result<(), VerifyError> {
    match prove(prover, input, cheat) {
        Ok(receipt) => receipt.verify(prover.key()),
        Err(ProverError::Constraints) => Err(VerifyError::Constraints),
        Err(error) => panic!("{error}"),
    }
}

fn setup(model: Model) -> (Prover, Vec<i8>) {
    let prover = Prover::new(&model).unwrap();
    let input = input(&model, BATCH);
    (prover, input)
}

fn perceptron() -> Model {
    model(&[20, 30, 12, 4], 0)
}

/// Models that together have every kind of component.
fn models() -> [Model; 5] {
    [
        perceptron(),
        convolutional(0),
        forest(0),
        transformer(0),
        pooled(0),
    ]
}

/// The columns of the component of `kind`.
fn columns(witness: &mut Witness, kind: Kind) -> &mut Vec<BaseColumn> {
    let mut components = witness.components.iter_mut();
    &mut components.find(|(of, _)| *of == kind).unwrap().1
}

fn bump(column: &mut BaseColumn, row: usize, by: u32) {
    column.set(row, column.at(row) + BaseField::from(by));
}

#[test]
fn the_honest_protocol_is_accepted() {
    for model in models() {
        let (prover, input) = setup(model);
        assert_eq!(outcome(&prover, &input, &HONEST), Ok(()));
    }
}

#[test]
fn the_models_have_every_kind_of_component() {
    let provers = models().map(|model| Prover::new(&model).unwrap());
    for kind in Kind::ALL {
        assert!(
            provers.iter().any(|prover| prover.key().rows(kind) > 0),
            "{kind:?}"
        );
    }
}

/// Rows of a component that stand for something, by their place in its columns.
fn used_rows(prover: &Prover, kind: Kind) -> Vec<usize> {
    let layout = &prover.layout;
    let all = 0..prover.key().rows(kind) as usize;
    match kind {
        Kind::Requant => (0..layout.requant_rows.len()).collect(),
        Kind::Max => (0..layout.maxima.rows.len()).collect(),
        Kind::Tree => layout.trees.positions[..layout.trees.used_rows()].to_vec(),
        Kind::Feature => (0..layout.trees.features.len()).collect(),
        Kind::Product => (0..layout.products.rows.len()).collect(),
        Kind::Embedding => (0..layout.embeddings.lookups.len()).collect(),
        Kind::InputPort => (0..prover.key().input_words() as usize).collect(),
        Kind::OutputPort => (0..prover.key().output_words() as usize).collect(),
        Kind::Sponge => {
            let key = prover.key();
            let tensors = [key.inputs, key.outputs].into_iter();
            let blocks = tensors.map(|values| (values as usize * BATCH).div_ceil(8));
            (0..blocks.sum()).collect()
        }
        Kind::Relay
        | Kind::Linear
        | Kind::Range
        | Kind::Activation
        | Kind::Node
        | Kind::Vocabulary => all.collect(),
    }
}

#[test]
fn a_changed_cell_of_the_witness_is_refused() {
    let mut random = Random::new(3);
    let mut refused = 0;
    for model in models() {
        let (prover, input) = setup(model);
        for (kind, _) in prover.key().components() {
            let rows = used_rows(&prover, kind);
            for _ in 0..12 {
                let (row, by) = (
                    rows[random.below(rows.len())],
                    1 + random.below(1000) as u32,
                );
                let column = random.below(1000);
                let unread = Cell::new(false);
                let witness = |witness: &mut Witness| {
                    let columns = columns(witness, kind);
                    let column = column % columns.len();
                    // The value column of a row that reads a leaf is read by nobody.
                    unread.set(kind == Kind::Tree && column / BATCH == 3);
                    bump(&mut columns[column], row, by);
                };
                let cheat = Cheat {
                    witness: &witness,
                    ..HONEST
                };
                let outcome = outcome(&prover, &input, &cheat);
                assert!(outcome.is_err() || unread.get(), "{kind:?} row {row}");
                refused += usize::from(outcome.is_err());
            }
        }
    }
    println!("{refused} changed cells refused");
    assert!(refused > 150);
}

#[test]
fn a_false_output_is_refused() {
    let mut random = Random::new(4);
    for model in models() {
        let (prover, input) = setup(model);
        for _ in 0..20 {
            let at = random.below(BATCH * prover.model().outputs());
            let by = 1 + random.below(1000) as i32;
            let output = |output: &mut Vec<i32>| output[at] += by;
            let cheat = Cheat {
                output: &output,
                ..HONEST
            };
            assert_eq!(outcome(&prover, &input, &cheat), Err(VerifyError::Sum));
        }
    }
}

#[test]
fn a_walk_that_takes_the_other_side_is_refused() {
    // A whole false walk, consistent with the table of nodes: only the comparison stands in the way.
    let (prover, input) = setup(forest(0));
    let layout = &prover.layout;
    let Op::Trees(trees) = &prover.model().nodes[0].op else {
        unreachable!("the forest has trees")
    };
    let tree = &trees.trees[1];
    let plan = &layout.trees.trees[1];
    let TreeNode::Branch {
        input: feature,
        threshold,
        ..
    } = &tree.nodes[0]
    else {
        unreachable!("the second tree has one branch")
    };
    let goes_low = input[*feature as usize] <= *threshold;
    let first = layout.trees.trees[0].depth + trees.trees[0].outputs.len();
    let TreeNode::Leaf(false_values) = &tree.nodes[1 + usize::from(goes_low)] else {
        unreachable!("its children are leaves")
    };
    let TreeNode::Leaf(true_values) = &tree.nodes[2 - usize::from(goes_low)] else {
        unreachable!("its children are leaves")
    };
    let false_leaf = plan.first_node + 1 + u32::from(goes_low);
    let bound = match goes_low {
        true => -i32::from(*threshold) - 1,
        false => i32::from(*threshold),
    };
    let value = i32::from(input[*feature as usize]) * if goes_low { -1 } else { 1 };
    let name = crate::layout::feature_name(*feature as usize) + i32::from(goes_low);
    let witness = |witness: &mut Witness| {
        let mut set = |row: usize, cells: [i32; 5]| {
            let at = layout.trees.positions[row];
            let columns = columns(witness, Kind::Tree);
            for (part, cell) in cells.into_iter().enumerate() {
                columns[part * BATCH].set(at, signed(cell));
            }
        };
        set(
            first,
            [
                plan.first_node as i32,
                name,
                bound,
                value,
                false_leaf as i32,
            ],
        );
        for (slot, leaf_value) in false_values.iter().enumerate() {
            set(
                first + 1 + slot,
                [false_leaf as i32, 0, *leaf_value, 0, false_leaf as i32],
            );
        }
        let node = &mut columns(witness, Kind::Node)[0];
        let mut count = |entry: usize, by: i32| node.set(entry, node.at(entry) + signed(by));
        count(plan.entries[0] + usize::from(!goes_low), -1);
        count(plan.entries[0] + usize::from(goes_low), 1);
        for slot in 1..=false_values.len() {
            count(plan.entries[2 - usize::from(goes_low)] + slot, -1);
            count(plan.entries[1 + usize::from(goes_low)] + slot, 1);
        }
        let features = columns(witness, Kind::Feature);
        let mut count = |side: usize, by: i32| {
            let reads = &mut features[(1 + side) * BATCH];
            let row = *feature as usize;
            reads.set(row, reads.at(row) + signed(by));
        };
        count(usize::from(!goes_low), -1);
        count(usize::from(goes_low), 1);
    };
    let output = |output: &mut Vec<i32>| {
        for ((at, true_value), false_value) in
            tree.outputs.iter().zip(true_values).zip(false_values)
        {
            output[*at as usize] += false_value - true_value;
        }
    };
    let cheat = Cheat {
        output: &output,
        witness: &witness,
        ..HONEST
    };
    assert_eq!(outcome(&prover, &input, &cheat), Err(VerifyError::Sum));
}

#[test]
fn the_smaller_of_two_values_is_refused_as_their_maximum() {
    let (prover, input) = setup(convolutional(0));
    let differs = |columns: &[BaseColumn]| {
        (0..prover.layout.maxima.rows.len())
            .find(|row| columns[0].at(*row) != columns[BATCH].at(*row))
            .unwrap()
    };
    let witness = |witness: &mut Witness| {
        let columns = columns(witness, Kind::Max);
        let row = differs(columns);
        let (x, y, larger) = (
            columns[0].at(row),
            columns[BATCH].at(row),
            columns[2 * BATCH].at(row),
        );
        columns[2 * BATCH].set(row, x + y - larger);
    };
    let cheat = Cheat {
        witness: &witness,
        ..HONEST
    };
    assert_eq!(outcome(&prover, &input, &cheat), Err(VerifyError::Sum));
}

#[test]
fn a_quotient_moved_into_its_remainder_is_refused() {
    // q·2^S + r stays the same, so only the range check stands in the way.
    let (prover, input) = setup(perceptron());
    let witness = |witness: &mut Witness| {
        let columns = columns(witness, Kind::Requant);
        let quotient = columns[0].at(0) - BaseField::one();
        columns[0].set(0, quotient);
        bump(&mut columns[BATCH], 0, 1 << ciro_zkml_air::SHIFT);
    };
    let cheat = Cheat {
        witness: &witness,
        ..HONEST
    };
    assert_eq!(outcome(&prover, &input, &cheat), Err(VerifyError::Sum));
}

#[test]
fn two_samples_that_swap_an_activation_are_refused() {
    let (prover, input) = setup(perceptron());
    let witness = |witness: &mut Witness| {
        let columns = columns(witness, Kind::Requant);
        let row = (0..prover.layout.requant_rows.len())
            .find(|row| columns[2 * BATCH].at(*row) != columns[2 * BATCH + 1].at(*row))
            .unwrap();
        for part in 0..3 {
            let (left, right) = (part * BATCH, part * BATCH + 1);
            let (a, b) = (columns[left].at(row), columns[right].at(row));
            columns[left].set(row, b);
            columns[right].set(row, a);
        }
    };
    let cheat = Cheat {
        witness: &witness,
        ..HONEST
    };
    assert_eq!(outcome(&prover, &input, &cheat), Err(VerifyError::Sum));
}

#[test]
fn a_changed_running_sum_or_claim_is_refused() {
    let mut random = Random::new(5);
    let provers = models().map(setup);
    for round in 0..60 {
        let (prover, input) = &provers[round % provers.len()];
        let (column, row, part) = (
            random.below(1000),
            random.below(1 << 20),
            random.below(1000),
        );
        let move_sum = |sums: &mut Evaluations, _: &mut ClaimedSums| {
            let column = column % sums.len();
            let values = &mut sums[column].values;
            let row = row % values.len();
            bump(values, row, 1);
        };
        let move_claim = |_: &mut Evaluations, claimed: &mut ClaimedSums| {
            let part = part % claimed.len();
            claimed[part] += SecureField::one();
        };
        // The total stays zero, and only the components' constraints can tell.
        let shift_claim = |_: &mut Evaluations, claimed: &mut ClaimedSums| {
            let parts = claimed.len();
            claimed[part % parts] += SecureField::one();
            claimed[(part + 1) % parts] -= SecureField::one();
        };
        for sums in [
            &move_sum as &dyn Fn(&mut Evaluations, &mut ClaimedSums),
            &move_claim,
            &shift_claim,
        ] {
            let cheat = Cheat { sums, ..HONEST };
            assert!(outcome(prover, input, &cheat).is_err());
        }
    }
}

#[test]
fn another_scale_or_label_makes_another_model() {
    let mut model = perceptron();
    let prover = Prover::new(&model).unwrap();
    model.output.scale = 2.0;
    let other = Prover::new(&model).unwrap();
    assert_eq!(other.key().root, prover.key().root);
    assert_ne!(other.key().id(), prover.key().id());
}

#[test]
fn a_proof_with_another_weight_is_refused_under_the_models_key() {
    let mut random = Random::new(6);
    for honest in models() {
        let (prover, input) = setup(honest.clone());
        for _ in 0..4 {
            let mut model = honest.clone();
            let parameter = random.below(1 << 20);
            match &mut model.nodes[random.below(honest.nodes.len())].op {
                Op::Linear(linear) => match &mut linear.maps[0] {
                    Map::Dense(weights) | Map::Scale(weights) => {
                        let at = parameter % weights.len();
                        weights[at] ^= 1;
                    }
                    Map::Conv(conv) => {
                        let at = parameter % conv.weights.len();
                        conv.weights[at] ^= 1;
                    }
                },
                Op::Trees(trees) => {
                    let tree = parameter % trees.trees.len();
                    let nodes = &mut trees.trees[tree].nodes;
                    match &mut nodes[parameter % (2 * tree + 1).min(3)] {
                        TreeNode::Branch { threshold, .. } => *threshold ^= 1,
                        TreeNode::Leaf(values) => values[0] ^= 1,
                    }
                }
                Op::MaxPool(_) | Op::Max => continue,
                Op::Select(elements) if prover.key().log_positions == 0 => elements.swap(0, 1),
                // A swap might need words that the prover does not make.
                Op::Select(_) => continue,
                Op::Product(product) => product.requant.multipliers[0] ^= 2,
                Op::Constant(values) => {
                    let at = parameter % values.len();
                    values[at] ^= 1;
                }
                Op::Embedding(embedding) => {
                    let at = parameter % embedding.table.len();
                    embedding.table[at] ^= 1;
                }
            }
            let other = Prover::new(&model).unwrap();
            assert_ne!(other.key().id(), prover.key().id());
            let mut receipt = other.prove(b"", &input).unwrap();
            assert_eq!(receipt.verify(other.key()), Ok(()));
            receipt.model = prover.key().id();
            assert!(receipt.verify(prover.key()).is_err());
        }
    }
}
