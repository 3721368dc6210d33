//! A prover that cheats in one place is refused, for every kind of place.

use ciro_zkml_air::{transcript, ClaimedSums};
use ciro_zkml_model::Model;
use ciro_zkml_verifier::{Receipt, VerifyError};
use num_traits::One;
use stwo::core::fields::m31::BaseField;
use stwo::core::fields::qm31::SecureField;
use stwo::prover::backend::simd::column::BaseColumn;
use stwo::prover::backend::Column;

use crate::interaction::{self, Evaluations};
use crate::prover::Session;
use crate::testing::{input, model, Random};
use crate::witness::Witness;
use crate::{Prover, ProverError};

const BATCH: usize = 2;

/// What a cheating prover changes, at each step of the protocol.
struct Cheat<'a> {
    output: &'a dyn Fn(&mut Vec<i32>),
    witness: &'a dyn Fn(&mut Witness),
    sums: &'a dyn Fn(&mut Evaluations, &mut ClaimedSums),
}

const HONEST: Cheat = Cheat {
    output: &|_| (),
    witness: &|_| (),
    sums: &|_, _| (),
};

/// Runs the protocol with the changes. `Err` if stwo's prover notices that its own constraints fail.
fn prove(prover: &Prover, input: &[i8], cheat: &Cheat) -> Result<Receipt, ProverError> {
    let key = prover.key();
    let mut trace = prover.model().trace(input)?;
    let mut witness = Witness::new(&prover.layout, BATCH, input, &trace);
    let mut output = trace.pop().unwrap().acc;
    (cheat.output)(&mut output);
    (cheat.witness)(&mut witness);

    let channel = transcript::begin(key, b"", BATCH as u32, input, &output);
    let mut session = Session::new(prover, BATCH as u32, channel);
    session.commit_witness(&witness);
    let challenges = session.draw_challenges()?;
    let (mut sums, mut claimed) =
        interaction::generate(key, &prover.preprocessed, &witness, &challenges);
    (cheat.sums)(&mut sums, &mut claimed);
    let proof = session.finish(&challenges, sums, &claimed)?;
    Ok(Receipt {
        model: key.id(),
        binding: Vec::new(),
        batch: BATCH as u32,
        input: input.to_vec(),
        output,
        proof,
    })
}

/// What becomes of the cheat: the verifier's refusal, or the prover's if its constraints cannot be met at all.
fn outcome(prover: &Prover, input: &[i8], cheat: &Cheat) -> Result<(), VerifyError> {
    match prove(prover, input, cheat) {
        Ok(receipt) => receipt.verify(prover.key()),
        Err(ProverError::Constraints) => Err(VerifyError::Constraints),
        Err(error) => panic!("{error}"),
    }
}

fn setup() -> (Model, Prover, Vec<i8>) {
    let model = model(&[20, 30, 12, 4], 0);
    let prover = Prover::new(&model).unwrap();
    let input = input(&model, BATCH);
    (model, prover, input)
}

fn bump(column: &mut BaseColumn, row: usize, by: u32) {
    column.set(row, column.at(row) + BaseField::from(by));
}

#[test]
fn the_honest_protocol_is_accepted() {
    let (_, prover, input) = setup();
    assert_eq!(outcome(&prover, &input, &HONEST), Ok(()));
}

#[test]
fn a_changed_cell_of_the_witness_is_refused() {
    let (_, prover, input) = setup();
    let mut random = Random::new(3);
    let key = prover.key();
    let (dense_rows, requant_rows) = (1 << key.dense_log_size, prover.layout.requant_rows.len());
    for _ in 0..120 {
        let by = 1 + random.below(1000) as u32;
        let dense_row = random.below(dense_rows);
        let requant_row = random.below(requant_rows);
        let range_row = random.below(1 << ciro_zkml_air::SHIFT);
        let activation_row = random.below(1 << key.activation_log_size);
        let (sample, part) = (random.below(BATCH), random.below(3));
        let cheats: [&dyn Fn(&mut Witness); 4] = [
            &|witness| bump(&mut witness.dense[sample], dense_row, by),
            &|witness| bump(&mut witness.requant[3 * sample + part], requant_row, by),
            &|witness| bump(&mut witness.range, range_row, by),
            &|witness| bump(&mut witness.activation, activation_row, by),
        ];
        let witness = cheats[random.below(4)];
        let cheat = Cheat { witness, ..HONEST };
        assert_eq!(outcome(&prover, &input, &cheat), Err(VerifyError::Sum));
    }
}

#[test]
fn a_false_output_is_refused() {
    let (_, prover, input) = setup();
    let mut random = Random::new(4);
    for _ in 0..40 {
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

#[test]
fn a_quotient_moved_into_its_remainder_is_refused() {
    // q·2^S + r stays the same, so only the range check stands in the way.
    let (_, prover, input) = setup();
    let witness = |witness: &mut Witness| {
        let minus_one = -BaseField::one();
        let quotient = witness.requant[0].at(0) + minus_one;
        witness.requant[0].set(0, quotient);
        bump(&mut witness.requant[1], 0, 1 << ciro_zkml_air::SHIFT);
    };
    let cheat = Cheat {
        witness: &witness,
        ..HONEST
    };
    assert_eq!(outcome(&prover, &input, &cheat), Err(VerifyError::Sum));
}

#[test]
fn two_samples_that_swap_an_activation_are_refused() {
    let (_, prover, input) = setup();
    let differs = |witness: &Witness| {
        (0..prover.layout.requant_rows.len())
            .find(|row| witness.requant[2].at(*row) != witness.requant[5].at(*row))
            .unwrap()
    };
    let witness = |witness: &mut Witness| {
        let row = differs(witness);
        for (left, right) in [(0, 3), (1, 4), (2, 5)] {
            let (a, b) = (
                witness.requant[left].at(row),
                witness.requant[right].at(row),
            );
            witness.requant[left].set(row, b);
            witness.requant[right].set(row, a);
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
    let (_, prover, input) = setup();
    let mut random = Random::new(5);
    for _ in 0..40 {
        let (column, row, part) = (random.below(1000), random.below(1 << 20), random.below(4));
        let move_sum = |sums: &mut Evaluations, _: &mut ClaimedSums| {
            let column = column % sums.len();
            let values = &mut sums[column].values;
            let row = row % values.len();
            bump(values, row, 1);
        };
        let move_claim = |_: &mut Evaluations, claimed: &mut ClaimedSums| {
            claimed[part] += SecureField::one();
        };
        // The total stays zero, and only the components' constraints can tell.
        let shift_claim = |_: &mut Evaluations, claimed: &mut ClaimedSums| {
            claimed[part] += SecureField::one();
            claimed[(part + 1) % 4] -= SecureField::one();
        };
        for sums in [
            &move_sum as &dyn Fn(&mut Evaluations, &mut ClaimedSums),
            &move_claim,
            &shift_claim,
        ] {
            let cheat = Cheat { sums, ..HONEST };
            assert!(outcome(&prover, &input, &cheat).is_err());
        }
    }
}

#[test]
fn another_scale_or_label_makes_another_model() {
    let (mut model, prover, _) = setup();
    model.output.scale = 2.0;
    let other = Prover::new(&model).unwrap();
    assert_eq!(other.key().root, prover.key().root);
    assert_ne!(other.key().id(), prover.key().id());
}

#[test]
fn a_proof_with_another_weight_is_refused_under_the_models_key() {
    let (honest, prover, input) = setup();
    let mut random = Random::new(6);
    for _ in 0..10 {
        let mut model = honest.clone();
        let layer = &mut model.layers[random.below(3)];
        let at = random.below(layer.weights.len());
        layer.weights[at] ^= 1;
        let other = Prover::new(&model).unwrap();
        assert_ne!(other.key().id(), prover.key().id());
        let mut receipt = other.prove(b"", &input).unwrap();
        assert_eq!(receipt.verify(other.key()), Ok(()));
        receipt.model = prover.key().id();
        assert!(receipt.verify(prover.key()).is_err());
    }
}
