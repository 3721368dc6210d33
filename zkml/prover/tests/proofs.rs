//! Proofs as their users meet them: honest ones hold, whatever happens to their bytes.

#[path = "../src/testing/mod.rs"]
mod testing;

use ciro_zkml_prover::{max_batch, Prover, ProverError};
use ciro_zkml_verifier::{
    commitment, verify, Commitment, Committed, Receipt, Tensor, VerifyError, MAX_BINDING,
};
use testing::{convolutional, forest, input, model, pooled, transformer, Random};

#[test]
fn an_honest_proof_verifies_and_its_output_is_the_interpreters() {
    for widths in [&[5, 3][..], &[64, 32, 10], &[20, 70, 9, 130, 4]] {
        for preset in [0, 1, 2] {
            for batch in [1, 3] {
                let model = model(widths, preset);
                let prover = Prover::new(&model).unwrap();
                let input = input(&model, batch);
                let receipt = prover.prove(b"binding", &input).unwrap();
                assert_eq!(receipt.output, Tensor::Public(model.run(&input).unwrap()));
                assert_eq!(
                    receipt.verify(prover.key()),
                    Ok(()),
                    "{widths:?} {preset} {batch}"
                );
            }
        }
    }
}

#[test]
fn every_kind_of_node_is_proved() {
    for build in [convolutional, forest, transformer, pooled] {
        for preset in [0, 1] {
            let model = build(preset);
            let prover = Prover::new(&model).unwrap();
            for batch in [1, max_batch(&model).min(5)] {
                let input = input(&model, batch);
                let receipt = prover.prove(b"", &input).unwrap();
                assert_eq!(receipt.output, Tensor::Public(model.run(&input).unwrap()));
                assert_eq!(
                    receipt.verify(prover.key()),
                    Ok(()),
                    "{} {preset} {batch}",
                    model.name
                );
            }
        }
    }
}

/// The ways to state an input and an output that are not both public.
const COMMITTED: [Committed; 3] = [
    Committed {
        input: true,
        output: false,
    },
    Committed {
        input: false,
        output: true,
    },
    Committed {
        input: true,
        output: true,
    },
];

#[test]
fn what_a_statement_commits_to_is_the_input_and_the_interpreters_output() {
    for build in [convolutional, forest, transformer, pooled] {
        let model = build(0);
        let prover = Prover::new(&model).unwrap();
        for batch in [1, max_batch(&model).min(3)] {
            let input = input(&model, batch);
            let output = model.run(&input).unwrap();
            for committed in COMMITTED {
                let (receipt, given) = prover.prove_committed(b"", &input, committed).unwrap();
                assert_eq!(given, output);
                assert_eq!(receipt.statement().form().committed, committed);
                assert!(receipt.input.is_of(&input) && receipt.output.is_of(&output));
                assert_eq!(
                    receipt.verify(prover.key()),
                    Ok(()),
                    "{} {batch} {committed:?}",
                    model.name
                );
            }
        }
    }
}

#[test]
fn the_largest_batch_verifies_and_a_larger_one_is_refused() {
    for (model, most) in [
        (model(&[12, 8, 3], 0), 64),
        (pooled(0), 8),
        (transformer(0), 4),
    ] {
        let prover = Prover::new(&model).unwrap();
        let receipt = prover.prove(b"", &input(&model, most)).unwrap();
        assert_eq!(receipt.verify(prover.key()), Ok(()));
        let error = prover.prove(b"", &input(&model, most + 1)).err();
        let Some(ProverError::Batch { found, limit }) = error else {
            panic!("{error:?}")
        };
        assert_eq!((found, limit), (most + 1, most));
    }
}

/// Proofs of both presets and all kinds of nodes, of public and of committed tensors, to be tampered with.
fn receipts() -> Vec<(Prover, Receipt)> {
    let perceptron = |preset| model(&[16, 24, 4], preset);
    let models = [
        perceptron(0),
        perceptron(1),
        convolutional(1),
        forest(1),
        pooled(1),
    ];
    let committed = [(perceptron(1), COMMITTED[2]), (pooled(0), COMMITTED[1])];
    models
        .into_iter()
        .map(|model| (model, Committed::default()))
        .chain(committed)
        .map(|(model, committed)| {
            let prover = Prover::new(&model).unwrap();
            let input = input(&model, 2);
            let (receipt, _) = prover.prove_committed(b"payee", &input, committed).unwrap();
            (prover, receipt)
        })
        .collect()
}

fn accepts(prover: &Prover, file: &[u8]) -> bool {
    Receipt::decode_file(file).is_ok_and(|receipt| receipt.verify(prover.key()).is_ok())
}

#[test]
fn a_proof_file_with_any_flipped_byte_is_refused() {
    let mut random = Random::new(7);
    for (prover, receipt) in receipts() {
        let mut file = receipt.encode_file();
        assert!(accepts(&prover, &file));
        let statement = file.len() - receipt.proof.len();
        let random_places = (0..2000)
            .map(|_| random.below(file.len()))
            .collect::<Vec<_>>();
        for at in (0..statement).chain(random_places) {
            let flip = 1u8 << random.below(8);
            file[at] ^= flip;
            assert!(
                !accepts(&prover, &file),
                "byte {at} of {} flipped by {flip}",
                file.len()
            );
            file[at] ^= flip;
        }
    }
}

#[test]
fn a_proof_of_any_other_length_is_refused() {
    let mut random = Random::new(8);
    for (prover, receipt) in receipts() {
        let file = receipt.encode_file();
        for _ in 0..1000 {
            assert!(!accepts(&prover, &file[..random.below(file.len())]));
        }
        let statement = receipt.statement();
        for _ in 0..1000 {
            let cut = &receipt.proof[..random.below(receipt.proof.len())];
            assert_eq!(
                verify(prover.key(), &statement, cut),
                Err(VerifyError::Encoding)
            );
        }
        let longer = [&receipt.proof[..], &[0]].concat();
        assert_eq!(
            verify(prover.key(), &statement, &longer),
            Err(VerifyError::Encoding)
        );
    }
}

#[test]
fn random_bytes_in_a_proof_never_panic() {
    let mut random = Random::new(9);
    for (prover, receipt) in receipts() {
        for _ in 0..500 {
            let mut receipt = receipt.clone();
            let from = random.below(receipt.proof.len());
            let to = receipt.proof.len().min(from + 1 + random.below(256));
            // The first byte becomes another one, so that the proof is never the same.
            receipt.proof[from] ^= 1 + random.below(255) as u8;
            receipt.proof[from + 1..to]
                .iter_mut()
                .for_each(|byte| *byte = random.below(256) as u8);
            assert!(receipt.verify(prover.key()).is_err());
        }
    }
}

#[test]
fn a_proof_holds_for_its_statement_alone() {
    let (prover, receipt) = receipts().remove(0);
    let refused = |change: &dyn Fn(&mut Receipt)| {
        let mut receipt = receipt.clone();
        change(&mut receipt);
        receipt.verify(prover.key()).unwrap_err()
    };
    assert_eq!(
        refused(&|receipt| receipt.binding = b"thief".to_vec()),
        VerifyError::Sum
    );
    assert_eq!(
        refused(&|receipt| receipt.input.public_mut().unwrap()[0] ^= 1),
        VerifyError::Sum
    );
    assert_eq!(
        refused(&|receipt| receipt.output.public_mut().unwrap()[3] += 1),
        VerifyError::Sum
    );
    assert_eq!(
        refused(&|receipt| receipt.output.public_mut().unwrap()[3] = 1 << 30),
        VerifyError::OutputRange
    );
    assert_eq!(
        refused(&|receipt| receipt.batch = 1),
        VerifyError::Statement
    );
    assert_eq!(refused(&|receipt| receipt.model[0] ^= 1), VerifyError::Sum);
    assert_eq!(
        refused(&|receipt| receipt.binding = vec![0; MAX_BINDING + 1]),
        VerifyError::Statement
    );
}

#[test]
fn a_proof_of_commitments_holds_for_them_alone() {
    let model = model(&[16, 24, 4], 0);
    let prover = Prover::new(&model).unwrap();
    let input = input(&model, 2);
    let committed = Committed {
        input: true,
        output: true,
    };
    let (receipt, output) = prover.prove_committed(b"", &input, committed).unwrap();
    let refused = |change: &dyn Fn(&mut Receipt)| {
        let mut receipt = receipt.clone();
        change(&mut receipt);
        receipt.verify(prover.key()).unwrap_err()
    };
    let other = Tensor::Committed(commitment(&[&input[..], &[0]].concat()));
    assert_eq!(
        refused(&|receipt| receipt.input = other.clone()),
        VerifyError::Sum
    );
    let other = Tensor::Committed(commitment(&output[1..]));
    assert_eq!(
        refused(&|receipt| receipt.output = other.clone()),
        VerifyError::Sum
    );
    // Elements of a commitment are below the modulus.
    let other = Tensor::Committed(Commitment([255; 32]));
    assert_eq!(
        refused(&|receipt| receipt.output = other.clone()),
        VerifyError::Statement
    );
    // A proof of commitments has another shape than one of values, so its bytes are read as something else.
    let [of_input, of_output] = [true, false].map(|of_input| {
        refused(&|receipt| match of_input {
            true => receipt.input = Tensor::Public(input.clone()),
            false => receipt.output = Tensor::Public(output.clone()),
        })
    });
    for error in [of_input, of_output] {
        assert!(matches!(error, VerifyError::Encoding | VerifyError::Sum));
    }
}

#[test]
fn commitments_that_take_more_rows_than_the_model_has_are_refused() {
    // 64 samples of 600 inputs are 4800 permutations, and the tallest component is the table of 4096 remainders.
    let model = model(&[600, 3], 0);
    let prover = Prover::new(&model).unwrap();
    let committed = COMMITTED[0];
    let (receipt, _) = prover
        .prove_committed(b"", &input(&model, 8), committed)
        .unwrap();
    assert_eq!(receipt.verify(prover.key()), Ok(()));
    let error = prover
        .prove_committed(b"", &input(&model, 64), committed)
        .err();
    assert!(matches!(error, Some(ProverError::Commitment)), "{error:?}");
    let receipt = Receipt {
        batch: 64,
        output: Tensor::Public(vec![0; 64 * 3]),
        ..receipt
    };
    assert_eq!(receipt.verify(prover.key()), Err(VerifyError::Statement));
}

#[test]
fn a_proof_is_refused_under_any_changed_key() {
    let (prover, receipt) = receipts().remove(0);
    let other = receipts().remove(1).0;
    assert!(receipt.verify(other.key()).is_err());
    let bytes = codec::Encode::encode(prover.key());
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1 << bit;
            let Ok(key) = codec::Decode::decode(&mut &bytes[..]) else {
                continue;
            };
            let mut receipt = receipt.clone();
            receipt.model = ciro_zkml_verifier::VerifyingKey::id(&key);
            assert!(receipt.verify(&key).is_err(), "bit {bit} of byte {at}");
        }
    }
}
