//! The `.ciro` file: round trip, and refusal of everything else.

mod common;

use blake2::{Blake2s256, Digest};
use ciro_zkml_model::{Model, ModelError, FORMAT_VERSION};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

/// Replaces the checksum by the right one for the changed contents.
fn seal(file: &mut Vec<u8>) {
    file.truncate(file.len() - 32);
    let checksum = Blake2s256::digest(&file);
    file.extend(checksum);
}

/// One valid model.
fn example() -> Model {
    common::model()
        .new_tree(&mut TestRunner::deterministic())
        .unwrap()
        .current()
}

proptest! {
    #[test]
    fn round_trip(model in common::model()) {
        prop_assert_eq!(Model::decode_file(&model.encode_file()), Ok(model));
    }

    #[test]
    fn any_changed_byte_is_refused(
        model in common::model(), at in any::<prop::sample::Index>(), change in 1..=u8::MAX,
    ) {
        let mut file = model.encode_file();
        let at = at.index(file.len());
        file[at] ^= change;
        prop_assert!(Model::decode_file(&file).is_err());
    }

    #[test]
    fn any_cut_or_extension_is_refused(
        model in common::model(), at in any::<prop::sample::Index>(), tail in proptest::collection::vec(any::<u8>(), 1..40),
    ) {
        let file = model.encode_file();
        prop_assert!(Model::decode_file(&file[..at.index(file.len())]).is_err());
        prop_assert!(Model::decode_file(&[file, tail].concat()).is_err());
    }

    /// Behind a valid checksum the decoder still takes only what the encoder writes for a valid model.
    #[test]
    fn resealed_changes_decode_canonically_or_not_at_all(
        model in common::model(), at in any::<prop::sample::Index>(), change in 1..=u8::MAX,
    ) {
        let mut file = model.encode_file();
        let at = 6 + at.index(file.len() - 6 - 32);
        file[at] ^= change;
        seal(&mut file);
        if let Ok(other) = Model::decode_file(&file) {
            prop_assert!(other.validate().is_ok());
            prop_assert_eq!(other.encode_file(), file);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(payload in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut file = [b"CIRO".as_slice(), &FORMAT_VERSION.to_le_bytes(), &payload, &[0; 32]].concat();
        seal(&mut file);
        let _ = Model::decode_file(&file);
        let _ = Model::decode_file(&payload);
    }
}

#[test]
fn errors_say_what_is_wrong() {
    let file = example().encode_file();
    assert_eq!(Model::decode_file(b""), Err(ModelError::NotAModelFile));
    assert_eq!(
        Model::decode_file(b"GGUF...."),
        Err(ModelError::NotAModelFile)
    );
    assert_eq!(Model::decode_file(b"CIRO\x01"), Err(ModelError::Checksum));
    assert_eq!(
        Model::decode_file(&file[..file.len() - 1]),
        Err(ModelError::Checksum)
    );

    let mut newer = file.clone();
    newer[4] = 2;
    seal(&mut newer);
    assert_eq!(
        Model::decode_file(&newer),
        Err(ModelError::Version {
            found: 2,
            supported: FORMAT_VERSION
        })
    );

    let mut longer = file.clone();
    longer.insert(file.len() - 32, 0);
    seal(&mut longer);
    assert!(matches!(
        Model::decode_file(&longer),
        Err(ModelError::Malformed(_))
    ));

    let mut invalid = example();
    invalid.output.scale = 0.0;
    assert!(matches!(
        Model::decode_file(&invalid.encode_file()),
        Err(ModelError::Scale { .. })
    ));
}
