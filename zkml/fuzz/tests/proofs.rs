//! Proofs and their files: hostile bytes are refused, without a panic.

#[path = "../../prover/src/testing/mod.rs"]
#[allow(dead_code, unused_imports)]
mod testing;

use std::sync::LazyLock;

use ciro_zkml_fuzz::{damage, target, Damage};
use ciro_zkml_prover::Prover;
use ciro_zkml_verifier::{verify, Committed, Receipt, VerifyingKey};
use testing::{convolutional, forest, input, model, transformer};

/// An honest proof of each kind of model and each preset, of public tensors and of committed ones.
static HONEST: LazyLock<Vec<(VerifyingKey, Receipt)>> = LazyLock::new(|| {
    let perceptron = |preset| model(&[16, 24, 4], preset);
    let models = [0, 1].map(|preset| {
        [
            perceptron(preset),
            convolutional(preset),
            forest(preset),
            transformer(preset),
        ]
    });
    let prove = |model: &_| {
        let prover = Prover::new(model).unwrap();
        [false, true].map(|both| {
            let committed = Committed {
                input: both,
                output: both,
            };
            let input = input(model, 2);
            let (receipt, _) = prover.prove_committed(b"fuzz", &input, committed).unwrap();
            (prover.key().clone(), receipt)
        })
    };
    models.iter().flatten().flat_map(prove).collect()
});

fn honest(which: u8) -> &'static (VerifyingKey, Receipt) {
    &HONEST[usize::from(which) % HONEST.len()]
}

#[test]
fn damaged_proofs_are_refused() {
    target!((u8, Vec<Damage>), |(which, changes)| {
        let (key, receipt) = honest(*which);
        let mut damaged = receipt.clone();
        damage(&mut damaged.proof, changes);
        let accepted = damaged.verify(key).is_ok();
        assert_eq!(accepted, damaged.proof == receipt.proof);
    });
}

#[test]
fn arbitrary_bytes_are_no_proof() {
    target!((u8, Vec<u8>), |(which, proof)| {
        let (key, receipt) = honest(*which);
        assert!(verify(key, &receipt.statement(), proof).is_err());
    });
}

#[test]
fn damaged_proof_files_are_refused() {
    target!((u8, Vec<Damage>), |(which, changes)| {
        let (key, receipt) = honest(*which);
        let honest = receipt.encode_file();
        let mut file = honest.clone();
        damage(&mut file, changes);
        if let Ok(decoded) = Receipt::decode_file(&file) {
            assert_eq!(decoded.encode_file(), file);
            assert_eq!(decoded.verify(key).is_ok(), file == honest);
        }
    });
}

#[test]
fn proofs_under_damaged_keys_are_refused() {
    use codec::{Decode, Encode};
    target!((u8, Vec<Damage>), |(which, changes)| {
        let (key, receipt) = honest(*which);
        let mut bytes = key.encode();
        damage(&mut bytes, changes);
        if let Ok(damaged) = VerifyingKey::decode(&mut &bytes[..]) {
            let mut receipt = receipt.clone();
            receipt.model = damaged.id();
            assert_eq!(receipt.verify(&damaged).is_ok(), damaged == *key);
        }
    });
}
