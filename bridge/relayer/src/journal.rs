//! How far the relayer has looked.
//!
//! The chains are the truth about every message. What is kept here only saves looking at the same blocks again, so a file
//! that is missing or damaged costs time and nothing else. Each is written whole or not at all.

use anyhow::{bail, Context, Result};
use ciro_bridge_primitives::{Hash, LaneId};
use ciro_client::file;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};
use tracing::warn;

/// What is known of one lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// All messages of Ciro with a nonce below this one were delivered.
    pub delivered: u64,
    /// All blocks of the other chain below this one have been looked at, and what they sent was attested.
    pub scanned: u64,
}

/// The folder of one chain of Ciro.
pub struct Journal {
    folder: PathBuf,
    writing: Mutex<()>,
    /// Held as long as the relayer runs.
    _lock: File,
}

impl Journal {
    /// Opens the journal of a chain of Ciro, by the hash of its genesis block, under `root`. Only one relayer may have it
    /// open.
    ///
    /// # Errors
    /// The folder cannot be written, or another relayer has it open.
    pub fn open(root: &Path, genesis: &Hash) -> Result<Self> {
        let folder = root.join(hex::encode(genesis));
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make the state folder {}", folder.display()))?;
        let path = folder.join("lock");
        let lock =
            File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                folder,
                writing: Mutex::default(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => {
                bail!(
                    "another relayer runs with the state folder {}",
                    root.display()
                )
            }
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock {}", path.display()))
            }
        }
    }

    /// What is known of a lane; nothing if there is no file that makes sense.
    pub fn progress(&self, lane: LaneId) -> Progress {
        let path = self.path(lane);
        let Ok(bytes) = fs::read(&path) else {
            return Progress::default();
        };
        serde_json::from_slice(&bytes).unwrap_or_else(|_| {
            warn!("{} is damaged: looking at everything again", path.display());
            Progress::default()
        })
    }

    /// Keeps what is known of a lane. Its two numbers are kept by two tasks, so each changes its own.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn note(&self, lane: LaneId, change: impl FnOnce(&mut Progress)) -> Result<()> {
        let _guard = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.progress(lane);
        let mut progress = known;
        change(&mut progress);
        if progress == known {
            return Ok(());
        }
        let path = self.path(lane);
        file::write_atomically(&path, &serde_json::to_vec(&progress)?)
            .with_context(|| format!("cannot write {}", path.display()))
    }

    fn path(&self, lane: LaneId) -> PathBuf {
        self.folder.join(format!("{}.json", hex::encode(lane.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LANE: LaneId = LaneId([1; 32]);

    fn open(root: &Path) -> Result<Journal> {
        Journal::open(root, &[7; 32])
    }

    #[test]
    fn progress_outlives_the_relayer_and_lanes_are_apart() {
        let root = tempfile::tempdir().unwrap();
        let journal = open(root.path()).unwrap();
        journal
            .note(LANE, |progress| progress.delivered = 3)
            .unwrap();
        journal.note(LANE, |progress| progress.scanned = 5).unwrap();
        drop(journal);
        let journal = open(root.path()).unwrap();
        let expected = Progress {
            delivered: 3,
            scanned: 5,
        };
        assert_eq!(journal.progress(LANE), expected);
        assert_eq!(journal.progress(LaneId([2; 32])), Progress::default());
    }

    #[test]
    fn a_damaged_file_means_to_look_again() {
        let root = tempfile::tempdir().unwrap();
        let journal = open(root.path()).unwrap();
        journal.note(LANE, |progress| progress.scanned = 5).unwrap();
        let bytes = fs::read(journal.path(LANE)).unwrap();
        fs::write(journal.path(LANE), &bytes[1..]).unwrap();
        assert_eq!(journal.progress(LANE), Progress::default());
        journal.note(LANE, |progress| progress.scanned = 6).unwrap();
        assert_eq!(journal.progress(LANE).scanned, 6);
    }

    #[test]
    fn one_relayer_at_a_time_and_chains_apart() {
        let root = tempfile::tempdir().unwrap();
        let journal = open(root.path()).unwrap();
        let again = open(root.path()).err().unwrap();
        assert!(again.to_string().contains("another relayer"));
        journal.note(LANE, |progress| progress.scanned = 5).unwrap();
        let other = Journal::open(root.path(), &[9; 32]).unwrap();
        assert_eq!(other.progress(LANE), Progress::default());
    }
}
