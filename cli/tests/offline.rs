//! Import, run, prove and verify through the program itself, on the committed digits model; no chain.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};
use tempfile::TempDir;

/// A folder with the digits model and a batch of its test set.
struct Bench {
    folder: TempDir,
}

const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
const BOB: &str = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";

impl Bench {
    fn new(samples: usize) -> Self {
        let bench = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let x = fs::read(models().join("digits-test-x.npy")).unwrap();
        fs::write(bench.path("x.npy"), first_rows(&x, samples)).unwrap();
        let (onnx, calibration) = (
            models().join("digits.onnx"),
            models().join("digits-calibration.npy"),
        );
        let import = [
            "model",
            "import",
            text(&onnx),
            "--calibrate",
            text(&calibration),
            "-o",
            "m.ciro",
            "--preset",
            "fast",
        ];
        assert_eq!(bench.code(&import), 0);
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn ciro(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_ciro"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("CIRO_SURI")
            .env_remove("CIRO_KEY_FILE")
            .env_remove("CIRO_NODE")
            .output()
            .unwrap()
    }

    fn code(&self, arguments: &[&str]) -> i32 {
        let output = self.ciro(arguments);
        let (out, err) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        println!("{arguments:?}\n{out}{err}");
        output.status.code().unwrap()
    }

    fn prove(&self) {
        let prove = [
            "prove", "m.ciro", "--input", "x.npy", "--output", "y.npy", "-o", "p.proof", "--payee",
            ALICE,
        ];
        assert_eq!(self.code(&prove), 0);
    }

    fn verify(&self, expectations: &[&str]) -> i32 {
        self.code(&[&["verify", "m.ciro", "p.proof"], expectations].concat())
    }

    /// Names of the files in the folder.
    fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models")
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The first rows of a two-dimensional float32 file.
fn first_rows(file: &[u8], rows: usize) -> Vec<u8> {
    let array = npyz::NpyFile::new(file).unwrap();
    let columns = array.shape()[1] as usize;
    let values: Vec<f32> = array.into_vec().unwrap();
    write(&[rows as u64, columns as u64], &values[..rows * columns])
}

fn write(shape: &[u64], values: &[f32]) -> Vec<u8> {
    use npyz::WriterBuilder;
    let mut bytes = Vec::new();
    let options = npyz::WriteOptions::new().default_dtype().shape(shape);
    let mut writer = options.writer(&mut bytes).begin_nd().unwrap();
    writer.extend(values.iter().copied()).unwrap();
    writer.finish().unwrap();
    bytes
}

fn labels(file: &[u8]) -> Vec<i64> {
    npyz::NpyFile::new(file).unwrap().into_vec().unwrap()
}

#[test]
fn files_may_be_about_a_part_of_the_samples() {
    let bench = Bench::new(4);
    bench.prove();
    let x = fs::read(bench.path("x.npy")).unwrap();
    let array = npyz::NpyFile::new(&x[..]).unwrap();
    let columns = array.shape()[1] as usize;
    let values: Vec<f32> = array.into_vec().unwrap();
    let part = write(&[2, columns as u64], &values[columns..3 * columns]);
    fs::write(bench.path("part.npy"), part).unwrap();
    let run = [
        "run",
        "m.ciro",
        "--input",
        "part.npy",
        "--output",
        "part-y.npy",
    ];
    assert_eq!(bench.code(&run), 0);
    let about = |samples| {
        bench.verify(&[
            "--samples",
            samples,
            "--input",
            "part.npy",
            "--output",
            "part-y.npy",
        ])
    };
    assert_eq!(about("2..3"), 0);
    assert_eq!(about("1..2"), 1);
    assert_eq!(bench.verify(&["--input", "part.npy"]), 1);
    for wrong in ["0..1", "3..5", "3..2", "2"] {
        assert_eq!(about(wrong), 2, "{wrong}");
    }
}

#[test]
fn a_run_is_proved_and_verified() {
    let bench = Bench::new(16);
    assert_eq!(
        bench.code(&["run", "m.ciro", "--input", "x.npy", "--output", "run.npy"]),
        0
    );
    bench.prove();
    let y = fs::read(bench.path("y.npy")).unwrap();
    assert_eq!(fs::read(bench.path("run.npy")).unwrap(), y);
    let truth = labels(&fs::read(models().join("digits-test-y.npy")).unwrap());
    let right = labels(&y)
        .iter()
        .zip(&truth)
        .filter(|(a, b)| a == b)
        .count();
    assert!(right >= 14, "{right} of 16 are right");

    assert_eq!(bench.verify(&[]), 0);
    assert_eq!(
        bench.verify(&["--payee", ALICE, "--input", "x.npy", "--output", "y.npy"]),
        0
    );
    assert_eq!(bench.verify(&["--payee", BOB]), 1);
    assert_eq!(bench.verify(&["--job", "1"]), 1);
}

#[test]
fn a_run_is_proved_of_commitments_alone() {
    let bench = Bench::new(3);
    let prove = [
        "--json",
        "prove",
        "m.ciro",
        "--input",
        "x.npy",
        "-o",
        "p.proof",
        "--commit-input",
        "--commit-output",
        "--accumulators",
        "a.npy",
        "--output",
        "y.npy",
    ];
    let proved = bench.ciro(&prove);
    let proved: serde_json::Value = serde_json::from_slice(&proved.stdout).unwrap();
    let of = |name: &str| proved[name].as_str().unwrap().to_owned();
    let (input, output) = (of("input_commitment"), of("output_commitment"));

    let stated = ["--commit-input", &input, "--commit-output", &output];
    assert_eq!(bench.verify(&stated), 0);
    assert_eq!(
        bench.verify(&["--input", "x.npy", "--accumulators", "a.npy"]),
        0
    );
    assert_eq!(bench.verify(&["--commit-input", &output]), 1);
    assert_eq!(bench.verify(&["--commit-output", &input]), 1);
    // Labels and real values are not what the commitment is to.
    assert_eq!(bench.verify(&["--output", "y.npy"]), 1);

    let x = fs::read(bench.path("x.npy")).unwrap();
    fs::write(bench.path("other.npy"), first_rows(&x, 2)).unwrap();
    assert_eq!(bench.verify(&["--input", "other.npy"]), 1);
    let mut accumulators = fs::read(bench.path("a.npy")).unwrap();
    *accumulators.last_mut().unwrap() ^= 1;
    fs::write(bench.path("other.npy"), accumulators).unwrap();
    assert_eq!(bench.verify(&["--accumulators", "other.npy"]), 1);

    // A proof of public tensors states no commitments.
    bench.prove();
    assert_eq!(bench.verify(&["--accumulators", "a.npy"]), 0);
    assert_eq!(bench.verify(&["--commit-input", &input]), 1);
}

#[test]
fn what_was_tampered_with_is_refused() {
    let bench = Bench::new(4);
    bench.prove();
    let proof = fs::read(bench.path("p.proof")).unwrap();
    // One bit at a time, all over the file: model, binding, input, output, and the proof itself.
    for position in (0..proof.len()).step_by(proof.len() / 40) {
        let mut tampered = proof.clone();
        tampered[position] ^= 1;
        fs::write(bench.path("p.proof"), tampered).unwrap();
        assert_eq!(bench.verify(&["--payee", ALICE]), 1, "byte {position}");
    }
    for cut in [0, 1, proof.len() / 2, proof.len() - 1] {
        fs::write(bench.path("p.proof"), &proof[..cut]).unwrap();
        assert_eq!(bench.verify(&[]), 1);
    }
    fs::write(bench.path("p.proof"), &proof).unwrap();

    let x = fs::read(bench.path("x.npy")).unwrap();
    let mut values: Vec<f32> = npyz::NpyFile::new(&x[..]).unwrap().into_vec().unwrap();
    values[10] += 5.0;
    fs::write(bench.path("other.npy"), write(&[4, 64], &values)).unwrap();
    assert_eq!(bench.verify(&["--input", "other.npy"]), 1);
    fs::write(bench.path("other.npy"), first_rows(&x, 3)).unwrap();
    assert_eq!(bench.verify(&["--input", "other.npy"]), 1);

    let mut y = fs::read(bench.path("y.npy")).unwrap();
    let last = y.len() - 8;
    y[last] ^= 1;
    fs::write(bench.path("other.npy"), y).unwrap();
    assert_eq!(bench.verify(&["--output", "other.npy"]), 1);

    // Another model, though of the same shape.
    let (onnx, calibration) = (
        models().join("digits-pipeline.onnx"),
        models().join("digits-calibration.npy"),
    );
    let import = [
        "model",
        "import",
        text(&onnx),
        "--calibrate",
        text(&calibration),
        "-o",
        "m.ciro",
        "--preset",
        "fast",
    ];
    assert_eq!(bench.code(&import), 0);
    assert_eq!(bench.verify(&[]), 1);
}

#[test]
fn bad_input_is_named_and_nothing_is_written() {
    let bench = Bench::new(65);
    fs::write(bench.path("wide.npy"), write(&[2, 65], &[0.0; 130])).unwrap();
    fs::write(bench.path("nan.npy"), write(&[1, 64], &[f32::NAN; 64])).unwrap();
    fs::write(bench.path("text.npy"), b"1,2,3").unwrap();
    let before = bench.files();
    let refused = |arguments: &[&str], words: &str| {
        let output = bench.ciro(arguments);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert!(error.contains(words), "{arguments:?}: {error}");
        assert_eq!(bench.files(), before);
    };
    refused(
        &["prove", "m.ciro", "--input", "x.npy", "-o", "p.proof"],
        "at most 64 samples",
    );
    for (input, words) in [
        ("wide.npy", "does not fit the model"),
        ("nan.npy", ""),
        ("text.npy", "not a .npy file"),
        ("none.npy", "none.npy"),
    ] {
        refused(
            &["run", "m.ciro", "--input", input, "--output", "y.npy"],
            words,
        );
    }
    refused(
        &["run", "x.npy", "--input", "x.npy", "--output", "y.npy"],
        "not a model",
    );
    refused(&["verify", "m.ciro", "p.proof"], "p.proof");
    refused(
        &[
            "prove", "m.ciro", "--input", "x.npy", "-o", "p.proof", "--job", "1",
        ],
        "--genesis",
    );
    refused(
        &[
            "run",
            "m.ciro",
            "--input",
            "x.npy",
            "--output",
            "none/y.npy",
        ],
        "none/y.npy",
    );
    refused(&["job", "cancel", "1"], "--suri");
    // A larger batch runs; only proofs are limited.
    assert_eq!(
        bench.code(&["run", "m.ciro", "--input", "x.npy", "--output", "y.npy"]),
        0
    );
}

#[test]
fn a_missing_node_is_a_network_error() {
    let bench = Bench::new(1);
    let output = bench.ciro(&["job", "status", "1", "--node", "ws://127.0.0.1:1"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8(output.stderr)
        .unwrap()
        .contains("no node answers at ws://127.0.0.1:1"));
    let output = bench.ciro(&["--json", "job", "status", "1", "--node", "ws://127.0.0.1:1"]);
    let error: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["code"], 3);
}

#[test]
fn answers_are_json_on_request() {
    let bench = Bench::new(2);
    let info = bench.ciro(&["model", "info", "m.ciro", "--json"]);
    let info: serde_json::Value = serde_json::from_slice(&info.stdout).unwrap();
    assert_eq!(info["input"]["shape"], serde_json::json!([64]));
    bench.prove();
    let verified = bench.ciro(&["verify", "m.ciro", "p.proof", "--json"]);
    let verified: serde_json::Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!(
        (&verified["valid"], &verified["model"]),
        (&true.into(), &info["id"])
    );
    assert_eq!(verified["payee"], ALICE);
}
