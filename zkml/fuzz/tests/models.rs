//! Model files: whatever decodes is valid, runs without a panic, and encodes to the same bytes.

#[path = "../../prover/src/testing/mod.rs"]
#[allow(dead_code, unused_imports)]
mod testing;

use blake2::{Blake2s256, Digest};
use ciro_zkml_fuzz::{damage, target, Damage};
use ciro_zkml_model::{Model, Node};
use ciro_zkml_prover::Prover;
use testing::{convolutional, forest, input, model, pooled, transformer};

/// Bytes of the checksum at the end of a file.
const CHECKSUM: usize = 32;

#[test]
fn damaged_model_files_are_refused_or_valid() {
    let models = [
        model(&[5, 4, 3], 0),
        convolutional(0),
        forest(1),
        transformer(0),
        pooled(1),
    ];
    let files = models.map(|model| model.encode_file());
    target!((u8, Vec<Damage>), |(which, changes)| {
        let mut file = files[usize::from(*which) % files.len()].clone();
        file.truncate(file.len() - CHECKSUM);
        damage(&mut file, changes);
        // With the right checksum, or nothing but the checksum would be tested.
        let checksum = Blake2s256::digest(&file);
        file.extend(checksum);
        let Ok(model) = Model::decode_file(&file) else {
            return;
        };
        assert_eq!(model.encode_file(), file);
        let values = model.nodes.iter().map(Node::elements).sum::<usize>();
        if model.inputs().max(values) <= 1 << 14 {
            let bounds = model.validate().unwrap();
            let output = model.run(&input(&model, 1)).unwrap();
            assert!(output
                .iter()
                .all(|value| value.unsigned_abs() <= bounds.output()));
            // Whether it can be proved or not, the prover says so without a panic.
            let _ = Prover::new(&model);
        }
    });
}
