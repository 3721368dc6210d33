//! Model files: whatever decodes is valid, runs without a panic, and encodes to the same bytes.

#[path = "../../prover/src/testing.rs"]
#[allow(dead_code)]
mod testing;

use blake2::{Blake2s256, Digest};
use ciro_zkml_fuzz::{damage, target, Damage};
use ciro_zkml_model::Model;
use testing::{convolutional, forest, input, model};

/// Bytes of the checksum at the end of a file.
const CHECKSUM: usize = 32;

#[test]
fn damaged_model_files_are_refused_or_valid() {
    let files =
        [model(&[5, 4, 3], 0), convolutional(0), forest(1)].map(|model| model.encode_file());
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
        if model.inputs() <= 1 << 12 {
            let bounds = model.validate().unwrap();
            let output = model.run(&input(&model, 1)).unwrap();
            assert!(output
                .iter()
                .all(|value| value.unsigned_abs() <= bounds.output()));
        }
    });
}
