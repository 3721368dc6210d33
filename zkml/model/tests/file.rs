//! The `.ciro` file: round trip, and refusal of everything else.

mod common;

use blake2::{Blake2s256, Digest};
use ciro_zkml_model::{Model, ModelError, Op, Tree, TreeNode, Trees, FORMAT_VERSION};
use codec::{Compact, Decode, Encode};
use common::{branch, node, of, plain};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

/// Replaces the checksum by the right one for the changed contents.
fn seal(file: &mut Vec<u8>) {
    file.truncate(file.len() - 32);
    let checksum = Blake2s256::digest(&file);
    file.extend(checksum);
}

/// A file with the right checksum.
fn file_of(payload: &[u8]) -> Vec<u8> {
    let mut file = [
        b"CIRO".as_slice(),
        &FORMAT_VERSION.to_le_bytes(),
        payload,
        &[0; 32],
    ]
    .concat();
    seal(&mut file);
    file
}

/// One valid model.
fn example() -> Model {
    common::model()
        .new_tree(&mut TestRunner::deterministic())
        .unwrap()
        .current()
}

/// Some bytes, set to something else.
fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    let byte = prop_oneof![0..4_u8, any::<u8>()];
    proptest::collection::vec((any::<prop::sample::Index>(), byte), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

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

    /// What a changed file says is either refused or runs, on tokens that there are; without the validation it still does
    /// not panic.
    #[test]
    fn changed_models_run_or_are_refused(model in common::model(), changes in changes(), x in any::<i8>()) {
        let mut payload = model.encode();
        for (at, byte) in changes {
            let at = at.index(payload.len());
            payload[at] = byte;
        }
        if let Ok(other) = Model::decode(&mut payload.as_slice()) {
            let input = vec![x; other.inputs().min(1 << 16)];
            let made = other.run(&input);
            let unknown = matches!(made, Err(ModelError::Token { .. }));
            if other.validate().is_ok() && input.len() == other.inputs() && !unknown {
                let outputs = made.unwrap();
                prop_assert_eq!(outputs.len(), other.outputs());
                other.dequantise(&outputs);
            }
            let _ = other.quantise(&vec![1.5; other.columns().min(1 << 16)]);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(payload in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Model::decode_file(&file_of(&payload));
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
    assert_eq!(Model::decode_file(b"CIRO\x02"), Err(ModelError::Checksum));
    assert_eq!(
        Model::decode_file(&file[..file.len() - 1]),
        Err(ModelError::Checksum)
    );

    for version in [FORMAT_VERSION - 1, FORMAT_VERSION + 1] {
        let mut other = file.clone();
        other[4..6].copy_from_slice(&version.to_le_bytes());
        seal(&mut other);
        assert_eq!(
            Model::decode_file(&other),
            Err(ModelError::Version {
                found: version,
                supported: FORMAT_VERSION
            })
        );
    }

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

/// Lists that say they are long, and lists of things that take far more room than their bytes.
#[test]
fn a_file_cannot_ask_for_all_memory() {
    let input = plain(&[1]).encode();
    let start = [vec![0, 0], input].concat();
    let endless = [start.clone(), Compact(u32::MAX).encode(), vec![0; 100]].concat();
    // Nodes without sources and axes that select nothing: 4 bytes each.
    let count = 4_000_000_u32;
    let nodes = [Compact(count).encode(), [0, 0, 2, 0].repeat(count as usize)].concat();
    let many = [start, nodes, of(plain(&[1]), vec![]).output.encode()].concat();
    for payload in [endless, many] {
        assert!(matches!(
            Model::decode_file(&file_of(&payload)),
            Err(ModelError::Malformed(_))
        ));
    }
}

/// Models that are legal but odd are read in time: a tree with as many outputs as nodes.
#[test]
fn a_wide_tree_is_read_in_time() {
    let (branches, outputs) = (1 << 17, 1 << 20);
    let mut nodes = vec![branch(0, 0, branches, branches); branches as usize];
    nodes.push(TreeNode::Leaf(vec![1; outputs]));
    let outputs = vec![0; outputs];
    let tree = Tree { outputs, nodes };
    let (base, trees) = (vec![0], vec![tree]);
    let op = Op::Trees(Trees { base, trees });
    let model = of(plain(&[1]), vec![node(&[0], &[1], op)]);
    assert_eq!(Model::decode_file(&model.encode_file()), Ok(model));
}
