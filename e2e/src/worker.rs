//! A worker that can be killed and started again.

use crate::{binary, Process};
use anyhow::{Context, Result};
use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

/// What a worker stakes, in CIRO: enough for the highest tier, so that it need not wait long for its turn.
const STAKE: &str = "500000";

/// Files by name.
pub type Entries = Vec<(String, Vec<u8>)>;

/// A worker with a folder of models and a folder of state, running or not.
pub struct Worker {
    name: String,
    folder: PathBuf,
    node: String,
    secret: String,
    process: Option<Process>,
}

impl Worker {
    /// Starts a worker for a development account (`//Charlie`, say) on a node. Everything it writes is in `folder`; the
    /// models that it serves are those in [`Self::models`].
    pub fn start(name: &str, folder: &Path, node: &str, secret: &str) -> Result<Self> {
        let mut worker = Self {
            name: name.to_owned(),
            folder: folder.to_owned(),
            node: node.to_owned(),
            secret: secret.to_owned(),
            process: None,
        };
        for folder in [worker.models(), worker.state()] {
            fs::create_dir_all(&folder)
                .with_context(|| format!("cannot make {}", folder.display()))?;
        }
        worker.restart()?;
        Ok(worker)
    }

    /// Folder of the models of the worker with this name, for files that are to be there before it starts.
    pub fn models_of(name: &str, folder: &Path) -> PathBuf {
        folder.join(format!("{name}.models"))
    }

    /// Gives a worker that is not started yet the models of another one.
    pub fn share_models(from: &str, to: &str, folder: &Path) -> Result<()> {
        let (from, to) = (Self::models_of(from, folder), Self::models_of(to, folder));
        fs::create_dir_all(&to).with_context(|| format!("cannot make {}", to.display()))?;
        for (name, path) in files(&from)? {
            let target = to.join(name);
            fs::copy(&path, &target)
                .with_context(|| format!("cannot write {}", target.display()))?;
        }
        Ok(())
    }

    /// Folder of the models that it serves.
    pub fn models(&self) -> PathBuf {
        Self::models_of(&self.name, &self.folder)
    }

    fn state(&self) -> PathBuf {
        self.folder.join(format!("{}.state", self.name))
    }

    /// Starts it again with the state it left; its log goes on.
    pub fn restart(&mut self) -> Result<()> {
        self.process = None;
        let arguments: [OsString; 10] = [
            "--node".into(),
            self.node.clone().into(),
            "--models".into(),
            self.models().into(),
            "--state".into(),
            self.state().into(),
            "--max-jobs".into(),
            "64".into(),
            "--stake".into(),
            STAKE.into(),
        ];
        let program = binary("ciro-worker")?;
        let secret = [OsString::from("--suri"), self.secret.clone().into()];
        let all = arguments.into_iter().chain(secret);
        self.process = Some(Process::start(&self.name, &self.folder, &program, all)?);
        Ok(())
    }

    /// Kills it as SIGKILL does: it has no time for anything.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Everything it has said, over all its lives.
    pub fn log(&self) -> Result<String> {
        let path = self.folder.join(format!("{}.log", self.name));
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    /// An error with the end of its log if it ended by itself.
    pub fn check(&mut self) -> Result<()> {
        self.process.as_mut().map_or(Ok(()), Process::check)
    }

    /// What it said last.
    pub fn tail(&self) -> String {
        self.process.as_ref().map(Process::tail).unwrap_or_default()
    }

    /// The files of its journal about a job: `proof`, `transaction`, `shunned`.
    pub fn journal(&self, job: u64) -> Result<Entries> {
        let mut entries = Vec::new();
        for (name, path) in files(&self.state())? {
            if let Some(kind) = name.strip_prefix(&format!("{job}.")) {
                // Gone between the look at the folder and this one, or still being written: not an entry.
                if let (false, Ok(bytes)) = (kind.contains('.'), fs::read(&path)) {
                    entries.push((kind.to_owned(), bytes));
                }
            }
        }
        Ok(entries)
    }
}

/// The files in a folder and below it.
fn files(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for entry in
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?
    {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else if let Some(name) = path.file_name() {
            found.push((name.to_string_lossy().into_owned(), path));
        }
    }
    Ok(found)
}
