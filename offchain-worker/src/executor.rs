//! The models that a worker serves, and proving runs of them.

use crate::{
    blob::{fetch, BlobSource, FetchError, Wanted},
    journal::Answer,
};
use anyhow::{anyhow, bail, ensure, Context, Result};
use ciro_client::types::{Job, MAX_INPUT, MAX_OUTPUT, MAX_PROOF};
use ciro_primitives::{JobsBinding, ModelId};
use ciro_zkml_model::Model;
use ciro_zkml_prover::Prover;
use ciro_zkml_verifier::Receipt;
use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};
use tracing::{info, warn};

/// How often an input is asked for before the job is given back.
const ATTEMPTS: u32 = 6;

/// Pause after the first attempt; it doubles each time, so that all attempts take half a minute.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// A model that is ready to be proved.
pub struct Served {
    prover: Prover,
    /// The longest proof so far took this.
    slowest: Mutex<Duration>,
}

impl Served {
    /// What a proof is expected to take.
    pub fn estimate(&self) -> Duration {
        *locked(&self.slowest)
    }

    /// Length of a batch's input in bytes.
    pub fn input_length(&self, batch: u32) -> usize {
        batch as usize * self.prover.model().inputs()
    }

    /// Whether such a batch can be proved, and the chain would take its result.
    pub fn fits(&self, batch: u32) -> bool {
        batch <= self.prover.key().max_batch()
            && self.input_length(batch) <= MAX_INPUT
            && batch as usize * self.prover.model().outputs() <= MAX_OUTPUT
    }
}

/// A file as it was when it was read.
#[derive(Clone, PartialEq)]
struct Seen {
    modified: Option<SystemTime>,
    length: u64,
    /// What was in it; nothing if it is no usable model.
    model: Option<ModelId>,
}

/// Why a job was not answered.
#[derive(Debug)]
pub enum Failure {
    /// Its input could not be had.
    Input(FetchError),
    /// The output could not be computed.
    Run(anyhow::Error),
    /// The proof could not be made.
    Proof(anyhow::Error),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Input(error) => error.fmt(f),
            Self::Run(error) => write!(f, "the model cannot be run: {error:#}"),
            Self::Proof(error) => write!(f, "the run cannot be proved: {error:#}"),
        }
    }
}

/// Runs and proves jobs.
pub struct Executor {
    folder: PathBuf,
    source: Box<dyn BlobSource>,
    served: Mutex<HashMap<ModelId, Arc<Served>>>,
    seen: Mutex<HashMap<PathBuf, Seen>>,
    first_pause: Duration,
}

impl Executor {
    /// An executor of the models in a folder; [`Self::rescan`] reads them.
    pub fn new(folder: PathBuf, source: Box<dyn BlobSource>) -> Self {
        Self {
            folder,
            source,
            served: Mutex::default(),
            seen: Mutex::default(),
            first_pause: FIRST_PAUSE,
        }
    }

    /// A model, if it is served.
    pub fn model(&self, id: ModelId) -> Option<Arc<Served>> {
        locked(&self.served).get(&id).cloned()
    }

    /// Looks for model files that are new, changed or gone. Takes seconds where there are some, so it blocks. Gives
    /// whether other models are served now.
    pub fn rescan(&self) -> Result<bool> {
        let unreadable = || format!("cannot read the models folder {}", self.folder.display());
        let before = locked(&self.seen).clone();
        let mut now = HashMap::new();
        for entry in fs::read_dir(&self.folder).with_context(unreadable)? {
            let path = entry.with_context(unreadable)?.path();
            if path.extension().is_none_or(|extension| extension != "ciro") {
                continue;
            }
            let Ok(metadata) = fs::metadata(&path) else {
                continue;
            };
            let mut seen = Seen {
                modified: metadata.modified().ok(),
                length: metadata.len(),
                model: None,
            };
            seen.model = match before.get(&path) {
                Some(old) if (old.modified, old.length) == (seen.modified, seen.length) => {
                    old.model
                }
                _ => self.load(&path),
            };
            now.insert(path, seen);
        }
        let mut served = locked(&self.served);
        served.retain(|id, _| now.values().any(|seen| seen.model == Some(*id)));
        let models = |seen: &HashMap<PathBuf, Seen>| {
            let mut models: Vec<_> = seen.values().filter_map(|seen| seen.model).collect();
            models.sort();
            models.dedup();
            models
        };
        let changed = models(&before) != models(&now);
        *locked(&self.seen) = now;
        Ok(changed)
    }

    fn load(&self, path: &Path) -> Option<ModelId> {
        let read = || -> Result<(ModelId, Served)> {
            let model = Model::decode_file(&fs::read(path)?)?;
            let prover = Prover::new(&model)?;
            let slowest = Mutex::new(Duration::ZERO);
            Ok((ModelId(prover.key().id()), Served { prover, slowest }))
        };
        match read() {
            Ok((id, served)) => {
                info!(model = %id, file = %path.display(), "serving a model");
                locked(&self.served)
                    .entry(id)
                    .or_insert_with(|| Arc::new(served));
                Some(id)
            }
            Err(error) => {
                warn!(file = %path.display(), "not a model that can be served: {error:#}");
                None
            }
        }
    }

    /// Fetches the input of a job before it is claimed, or finds that it is not to be had right now, or never to be proved.
    pub async fn look_for(&self, job: &Job, served: &Served) -> Result<Vec<i8>, FetchError> {
        let input = fetch(self.source.as_ref(), &wanted(job, served)).await?;
        match served.prover.model().check_input(&input) {
            Ok(()) => Ok(input),
            Err(error) => Err(FetchError::Unusable(error.to_string())),
        }
    }

    /// Fetches the input of a job, trying for a while.
    pub async fn fetch(&self, job: &Job, served: &Served) -> Result<Vec<i8>, FetchError> {
        let wanted = wanted(job, served);
        let mut pause = self.first_pause;
        for _ in 1..ATTEMPTS {
            match fetch(self.source.as_ref(), &wanted).await {
                Err(error) => warn!(
                    locator = wanted.locator,
                    "{error}; trying again in {pause:?}"
                ),
                fetched => return fetched,
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        fetch(self.source.as_ref(), &wanted).await
    }

    /// Runs and proves a batch, and gives the time that it took. The proof is verified before it is given out: a wrong
    /// one would cost collateral.
    pub async fn execute(
        &self,
        served: Arc<Served>,
        binding: Vec<u8>,
        input: Vec<i8>,
    ) -> Result<(Receipt, Duration), Failure> {
        let proved = tokio::task::spawn_blocking(move || prove(&served, &binding, &input)).await;
        proved
            .unwrap_or_else(|panic| bail!("the prover crashed: {panic}"))
            .map_err(Failure::Proof)
    }
}

/// Runs a job without proving it.
pub async fn run(served: Arc<Served>, input: Vec<i8>) -> Result<Answer, Failure> {
    let answered = tokio::task::spawn_blocking(move || {
        let output = served.prover.model().run(&input)?;
        let mut salt = [0; 32];
        getrandom_02::getrandom(&mut salt)
            .map_err(|error| anyhow!("no randomness for a commitment: {error}"))?;
        Ok(Answer {
            input,
            output,
            salt,
        })
    });
    answered
        .await
        .unwrap_or_else(|panic| bail!("the run crashed: {panic}"))
        .map_err(Failure::Run)
}

fn wanted(job: &Job, served: &Served) -> Wanted {
    Wanted {
        locator: String::from_utf8_lossy(&job.locator).into_owned(),
        commitment: job.input_commitment,
        batch: job.batch,
        length: served.input_length(job.batch),
    }
}

fn prove(served: &Served, binding: &[u8], input: &[i8]) -> Result<(Receipt, Duration)> {
    let start = Instant::now();
    let receipt = served.prover.prove(binding, input)?;
    let milliseconds = start.elapsed().as_secs_f64() * 1e3;
    let jobs = JobsBinding::decode_any(binding).map(|binding| binding.jobs);
    info!(
        jobs = ?jobs.unwrap_or_default(),
        milliseconds,
        bytes = receipt.proof.len(),
        "proved"
    );
    receipt.verify(served.prover.key())?;
    ensure!(
        receipt.proof.len() <= MAX_PROOF,
        "the proof has {} bytes and the chain takes {MAX_PROOF}: import the model with --preset chain",
        receipt.proof.len()
    );
    let took = start.elapsed();
    let mut slowest = locked(&served.slowest);
    *slowest = took.max(*slowest);
    Ok((receipt, took))
}

/// The data behind a mutex, which stays consistent even if a thread panicked while it held it.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use async_trait::async_trait;
    use ciro_client::{
        calls,
        types::{Auction, JobState, Priority, Requirements, Verification},
        AccountId,
    };
    use ciro_primitives::input_commitment;
    use ciro_zkml_model::{Embedding, Encoding, Head, Input, Linear, Map, Node, Op, Output};
    use ciro_zkml_verifier::Tensor;

    /// A source that has one input.
    pub(crate) struct Fixed(pub(crate) Vec<i8>);

    #[async_trait]
    impl BlobSource for Fixed {
        async fn get(&self, _: &Wanted) -> Result<Vec<u8>, FetchError> {
            Ok(calls::bytes(&self.0))
        }
    }

    /// A model of two inputs and one output.
    pub(crate) fn model(weight: i8) -> Model {
        Model {
            name: "twice".into(),
            preset: 0,
            input: Input {
                shape: vec![2],
                encoding: Encoding::Affine {
                    scale: 1.0,
                    zero_point: 0,
                },
            },
            nodes: vec![Node {
                sources: vec![0],
                shape: vec![1],
                op: Op::Linear(Linear {
                    maps: vec![Map::Dense(vec![weight, 1])],
                    channel_axis: 0,
                    bias: vec![3],
                    requant: None,
                }),
            }],
            output: Output {
                shape: vec![1],
                scale: 1.0,
                head: Head::Values,
            },
        }
    }

    /// A job of one sample.
    pub(crate) fn job(model: ModelId, input: &[i8]) -> Job {
        Job {
            requester: AccountId([1; 32]),
            model: model.0,
            batch: 1,
            input_commitment: input_commitment(1, input),
            locator: b"http://127.0.0.1:1".to_vec(),
            price: Auction::fixed(0),
            bounty: 0,
            royalty: 0,
            deposit: 0,
            opened: 0,
            deadline: 100,
            verification: Verification::ZkMl,
            priority: Priority::Normal,
            requirements: Requirements::default(),
            state: JobState::Submitted,
        }
    }

    #[test]
    fn models_come_change_and_go() {
        let folder = tempfile::tempdir().unwrap();
        let executor = Executor::new(folder.path().to_owned(), Box::new(Fixed(vec![])));
        assert!(!executor.rescan().unwrap());
        let (one, two) = (folder.path().join("1.ciro"), folder.path().join("2.ciro"));
        fs::write(&one, model(2).encode_file()).unwrap();
        fs::write(&two, b"no model").unwrap();
        fs::write(folder.path().join("notes.txt"), b"").unwrap();
        assert!(executor.rescan().unwrap());
        assert!(!executor.rescan().unwrap());
        let first = ModelId(Prover::new(&model(2)).unwrap().key().id());
        assert!(executor.model(first).is_some());
        // Another length, so that it is a change even where times are coarse.
        let other = Model {
            name: "thrice".into(),
            ..model(3)
        };
        fs::write(&one, other.encode_file()).unwrap();
        assert!(executor.rescan().unwrap());
        assert!(executor.model(first).is_none());
        fs::remove_file(&one).unwrap();
        assert!(executor.rescan().unwrap());
        assert!(locked(&executor.served).is_empty());
        drop(folder);
        assert!(executor.rescan().is_err());
    }

    #[tokio::test]
    async fn runs_the_job_and_proves_it_under_its_binding() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("1.ciro"), model(2).encode_file()).unwrap();
        let executor = Executor::new(folder.path().to_owned(), Box::new(Fixed(vec![5, -6])));
        executor.rescan().unwrap();
        let id = ModelId(Prover::new(&model(2)).unwrap().key().id());
        let served = executor.model(id).unwrap();
        let binding = vec![7; 82];
        let input = executor.fetch(&job(id, &[5, -6]), &served).await.unwrap();
        let answer = run(served.clone(), input.clone()).await.unwrap();
        assert_eq!(
            (&answer.input, answer.output),
            (&input, vec![2 * 5 - 6 + 3])
        );
        let again = run(served.clone(), input.clone()).await.unwrap();
        assert_ne!(again.salt, answer.salt);
        let (receipt, took) = executor
            .execute(served.clone(), binding.clone(), input)
            .await
            .unwrap();
        assert_eq!(receipt.output, Tensor::Public(vec![2 * 5 - 6 + 3]));
        assert_eq!(receipt.binding, binding);
        assert!(took > Duration::ZERO);
        assert_eq!(served.estimate(), took);
    }

    #[tokio::test]
    async fn gives_up_on_an_input_that_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("1.ciro"), model(2).encode_file()).unwrap();
        let source = Box::new(Fixed(vec![5, 6]));
        let executor = Executor {
            first_pause: Duration::ZERO,
            ..Executor::new(folder.path().to_owned(), source)
        };
        executor.rescan().unwrap();
        let id = ModelId(Prover::new(&model(2)).unwrap().key().id());
        let served = executor.model(id).unwrap();
        let fetched = executor.fetch(&job(id, &[5, -6]), &served).await;
        assert_eq!(fetched, Err(FetchError::WrongBytes));
    }

    #[tokio::test]
    async fn refuses_tokens_that_the_vocabulary_lacks_before_it_claims_the_job() {
        let folder = tempfile::tempdir().unwrap();
        let mut model = model(2);
        model.input = Input {
            shape: vec![2],
            encoding: Encoding::Tokens { vocabulary: 3 },
        };
        let embedding = Embedding {
            table: vec![5, 6, 7],
        };
        let embed = Node {
            sources: vec![0],
            shape: vec![2, 1],
            op: Op::Embedding(embedding),
        };
        let flatten = Node {
            sources: vec![1],
            shape: vec![2],
            op: Op::Select(vec![0, 1]),
        };
        model.nodes[0].sources = vec![2];
        model.nodes.splice(0..0, [embed, flatten]);
        fs::write(folder.path().join("1.ciro"), model.encode_file()).unwrap();
        let id = ModelId(Prover::new(&model).unwrap().key().id());
        for (last, known) in [(2.0, true), (3.0, false)] {
            model.input.encoding = Encoding::Tokens { vocabulary: 9 };
            let input = model.quantise(&[1.0, last]).unwrap();
            let source = Box::new(Fixed(input.clone()));
            let executor = Executor::new(folder.path().to_owned(), source);
            executor.rescan().unwrap();
            let served = executor.model(id).unwrap();
            let found = executor.look_for(&job(id, &input), &served).await;
            assert_eq!(found.is_ok(), known);
            assert!(known || matches!(found, Err(FetchError::Unusable(_))));
        }
    }
}
