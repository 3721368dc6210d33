//! Importers: any bytes give a valid model or an error, without a panic.

use std::path::PathBuf;

use ciro_zkml_fuzz::{damage, target, Damage, Executions, MOST, TEST_TIME};
use ciro_zkml_import::{import, Options};

fn file(name: &str) -> Vec<u8> {
    let models = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../models");
    let path = models.join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn samples(name: &str, values: usize) -> Vec<f32> {
    let bytes = file(name);
    let mut samples: Vec<f32> = npyz::NpyFile::new(&bytes[..]).unwrap().into_vec().unwrap();
    samples.truncate(values);
    samples
}

fn import_is_total(bytes: &[u8], calibration: &[f32]) {
    let options = Options {
        name: "fuzz".into(),
        preset: 0,
    };
    if let Ok((model, _)) = import(bytes, calibration, &options) {
        assert!(model.validate().is_ok());
    }
}

#[test]
fn damaged_files_are_refused_or_read() {
    let digits = samples("digits-calibration.npy", 4 * 64);
    let files = [
        (file("trees/xgboost-diabetes.json"), &[][..]),
        (file("trees/xgboost-missing.ubj"), &[]),
        (file("trees/lightgbm-zero.txt"), &[]),
        (file("trees/tree-iris.onnx"), &[]),
        (file("networks/logistic.onnx"), &digits),
        (file("networks/conv1d.onnx"), &digits),
        (file("networks/lenet-tanh.onnx"), &digits),
        (file("digits-pipeline.onnx"), &digits),
    ];
    target!((u8, Vec<Damage>), |(which, changes)| {
        let (good, calibration) = &files[usize::from(*which) % files.len()];
        let mut bytes = good.clone();
        damage(&mut bytes, changes);
        import_is_total(&bytes, calibration);
    });
}

#[test]
fn arbitrary_bytes_are_refused_or_read() {
    let executions = Executions::count();
    bolero::check!()
        .with_test_time(TEST_TIME)
        .with_iterations(MOST)
        .for_each(|bytes: &[u8]| {
            executions.one();
            import_is_total(bytes, &[0.5; 8]);
        });
}
