//! What a worker must not forget when it is killed.
//!
//! The chain is the truth about every job. The journal only keeps what the chain does not know: proofs that are made
//! but not accepted yet, answers that have to be revealed or may have to be proved, transactions that were signed but are
//! in no finalised block yet, and jobs to keep away from.
//! Each is one file, written whole or not at all.

use anyhow::{bail, Context, Result};
use ciro_client::{file, AccountId, Hash, SignedTransaction};
use ciro_primitives::JobId;
use ciro_zkml_verifier::Receipt;
use codec::{Decode, DecodeAll, Encode};
use std::{
    collections::BTreeSet,
    fs::{self, File, TryLockError},
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// What a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Purpose {
    /// To claim a job.
    Claim,
    /// To answer it.
    Result,
    /// To give it back.
    Release,
    /// To settle it after its deadline.
    Expire,
    /// To take it over from a worker who is late.
    Rescue,
    /// To say what the output is, without a proof.
    Answer,
    /// To prove a disputed answer.
    Proof,
    /// To commit to an output.
    Commit,
    /// To reveal the output.
    Reveal,
    /// To settle it when its time has come.
    Finalise,
}

/// A run without a proof: what has to be said again the same way, or proved later.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Answer {
    /// The quantised input.
    pub input: Vec<i8>,
    /// Final accumulators.
    pub output: Vec<i32>,
    /// What hides the output in a commitment.
    pub salt: [u8; 32],
}

impl Purpose {
    /// Whether it says what a job's output is: a second time that may not go well.
    pub fn answers(self) -> bool {
        matches!(
            self,
            Self::Result | Self::Answer | Self::Proof | Self::Commit | Self::Reveal
        )
    }
}

/// A transaction that may be in flight.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Pending {
    /// What it is for.
    pub purpose: Purpose,
    /// The transaction.
    pub transaction: SignedTransaction,
}

/// The folder of one worker account on one chain.
pub struct Journal {
    folder: PathBuf,
    /// Held as long as the worker runs.
    _lock: File,
}

const PROOF: &str = "proof";
const ANSWER: &str = "answer";
const TRANSACTION: &str = "transaction";
const SHUNNED: &str = "shunned";

impl Journal {
    /// Opens the journal of an account on a chain, under `root`. Only one worker may have it open.
    pub fn open(root: &Path, genesis: Hash, account: &AccountId) -> Result<Self> {
        let folder = root.join(hex::encode(genesis)).join(account.to_string());
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make the state folder {}", folder.display()))?;
        let path = folder.join("lock");
        let lock =
            File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!(
                    "another worker of {account} runs with the state folder {}",
                    root.display()
                )
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()))
            }
        }
        let journal = Self {
            folder,
            _lock: lock,
        };
        journal.remove_unfinished()?;
        Ok(journal)
    }

    /// Where files about the account itself belong.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Every job with an entry.
    pub fn jobs(&self) -> Result<BTreeSet<JobId>> {
        Ok(self
            .names()?
            .iter()
            .filter_map(|name| name.split_once('.')?.0.parse().ok())
            .collect())
    }

    /// The proof that was made for a job. A file that does not read as one counts as none: it can be made again.
    pub fn proof(&self, job: JobId) -> Result<Option<Receipt>> {
        Ok(self
            .read(job, PROOF)?
            .and_then(|bytes| Receipt::decode_file(&bytes).ok()))
    }

    /// Keeps a proof.
    pub fn keep_proof(&self, job: JobId, proof: &Receipt) -> Result<()> {
        self.write(job, PROOF, &proof.encode_file())
    }

    /// Drops a proof that is of no use.
    pub fn drop_proof(&self, job: JobId) -> Result<()> {
        self.remove(job, PROOF)
    }

    /// The answer that was worked out for a job.
    pub fn answer(&self, job: JobId) -> Result<Option<Answer>> {
        match self.read(job, ANSWER)? {
            None => Ok(None),
            // A commitment can only be revealed with the salt that it was made with.
            Some(bytes) => Answer::decode_all(&mut &bytes[..])
                .map(Some)
                .with_context(|| {
                    format!(
                        "{} is damaged: remove it if nothing was committed to for the job",
                        self.path(job, ANSWER).display()
                    )
                }),
        }
    }

    /// Keeps an answer; to be called before anything of it is said.
    pub fn keep_answer(&self, job: JobId, answer: &Answer) -> Result<()> {
        self.write(job, ANSWER, &answer.encode())
    }

    /// The transaction about a job that may be in flight.
    pub fn pending(&self, job: JobId) -> Result<Option<Pending>> {
        match self.read(job, TRANSACTION)? {
            None => Ok(None),
            // It was written whole, so bytes that do not read were damaged later. To go on without it could mean to
            // answer twice.
            Some(bytes) => Pending::decode_all(&mut &bytes[..])
                .map(Some)
                .with_context(|| {
                    format!(
                        "{} is damaged: remove it once the account has no transaction in flight",
                        self.path(job, TRANSACTION).display()
                    )
                }),
        }
    }

    /// Keeps a transaction; to be called before it is sent.
    pub fn keep_pending(&self, job: JobId, pending: &Pending) -> Result<()> {
        self.write(job, TRANSACTION, &pending.encode())
    }

    /// Drops a transaction that cannot be in flight any more.
    pub fn drop_pending(&self, job: JobId) -> Result<()> {
        self.remove(job, TRANSACTION)
    }

    /// Keeps away from a job for good.
    pub fn shun(&self, job: JobId, reason: &str) -> Result<()> {
        self.write(job, SHUNNED, reason.as_bytes())
    }

    /// Why to keep away from a job, if so.
    pub fn shunned(&self, job: JobId) -> Result<Option<String>> {
        let reason = self.read(job, SHUNNED)?;
        Ok(reason.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Drops everything about a job.
    pub fn forget(&self, job: JobId) -> Result<()> {
        [PROOF, ANSWER, TRANSACTION, SHUNNED]
            .iter()
            .try_for_each(|kind| self.remove(job, kind))
    }

    fn path(&self, job: JobId, kind: &str) -> PathBuf {
        self.folder.join(format!("{job}.{kind}"))
    }

    fn read(&self, job: JobId, kind: &str) -> Result<Option<Vec<u8>>> {
        let path = self.path(job, kind);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    fn write(&self, job: JobId, kind: &str, bytes: &[u8]) -> Result<()> {
        let path = self.path(job, kind);
        file::write_atomically(&path, bytes)
            .with_context(|| format!("cannot write {}", path.display()))
    }

    fn remove(&self, job: JobId, kind: &str) -> Result<()> {
        let path = self.path(job, kind);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", path.display()))
            }
            _ => Ok(()),
        }
    }

    fn names(&self) -> Result<Vec<String>> {
        let unreadable = || format!("cannot read {}", self.folder.display());
        fs::read_dir(&self.folder)
            .with_context(unreadable)?
            .map(|entry| {
                Ok(entry
                    .with_context(unreadable)?
                    .file_name()
                    .to_string_lossy()
                    .into_owned())
            })
            .collect()
    }

    /// Removes what a crash left half written.
    fn remove_unfinished(&self) -> Result<()> {
        for name in self.names()? {
            if name.ends_with(file::TEMPORARY) {
                fs::remove_file(self.folder.join(&name))
                    .with_context(|| format!("cannot remove {name}"))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ciro_zkml_verifier::Tensor;

    fn pending(nonce: u64) -> Pending {
        Pending {
            purpose: Purpose::Result,
            transaction: SignedTransaction {
                nonce,
                birth: 10,
                birth_hash: [1; 32],
                death: 74,
                bytes: vec![1, 2, 3],
            },
        }
    }

    fn receipt() -> Receipt {
        Receipt {
            model: [1; 32],
            binding: vec![2; 82],
            batch: 1,
            input: Tensor::Public(vec![-1, 2]),
            output: Tensor::Public(vec![3]),
            proof: vec![4; 100],
        }
    }

    fn answer() -> Answer {
        Answer {
            input: vec![-1, 2],
            output: vec![3],
            salt: [4; 32],
        }
    }

    fn open(root: &Path) -> Result<Journal> {
        Journal::open(root, Hash::from([7; 32]), &AccountId([8; 32]))
    }

    #[test]
    fn entries_outlive_the_worker() {
        let root = tempfile::tempdir().unwrap();
        let journal = open(root.path()).unwrap();
        journal.keep_pending(3, &pending(5)).unwrap();
        journal.keep_pending(3, &pending(6)).unwrap();
        journal.keep_proof(4, &receipt()).unwrap();
        journal.keep_answer(6, &answer()).unwrap();
        journal.shun(5, "the input cannot be fetched").unwrap();
        drop(journal);
        let journal = open(root.path()).unwrap();
        assert_eq!(journal.jobs().unwrap(), BTreeSet::from([3, 4, 5, 6]));
        assert_eq!(journal.pending(3).unwrap(), Some(pending(6)));
        assert_eq!(journal.proof(4).unwrap(), Some(receipt()));
        assert_eq!(journal.answer(6).unwrap(), Some(answer()));
        assert_eq!(
            journal.shunned(5).unwrap().as_deref(),
            Some("the input cannot be fetched")
        );
        assert_eq!(
            (journal.pending(4).unwrap(), journal.shunned(3).unwrap()),
            (None, None)
        );
        for job in 3..=6 {
            journal.forget(job).unwrap();
        }
        assert!(journal.jobs().unwrap().is_empty());
    }

    #[test]
    fn a_crash_while_writing_leaves_the_old_entry() {
        let root = tempfile::tempdir().unwrap();
        let journal = open(root.path()).unwrap();
        journal.keep_pending(3, &pending(5)).unwrap();
        // What a crash leaves before the rename.
        let unfinished = journal
            .folder
            .join(format!("3.transaction.1{}", file::TEMPORARY));
        fs::write(&unfinished, b"half").unwrap();
        drop(journal);
        let journal = open(root.path()).unwrap();
        assert_eq!(journal.pending(3).unwrap(), Some(pending(5)));
        assert!(!unfinished.exists());
    }

    #[test]
    fn damaged_proofs_are_made_again_but_other_damage_stops_the_worker() {
        let root = tempfile::tempdir().unwrap();
        let journal = open(root.path()).unwrap();
        journal.keep_proof(3, &receipt()).unwrap();
        journal.keep_pending(3, &pending(5)).unwrap();
        journal.keep_answer(3, &answer()).unwrap();
        for kind in [PROOF, TRANSACTION, ANSWER] {
            let path = journal.path(3, kind);
            let bytes = fs::read(&path).unwrap();
            fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        }
        assert_eq!(journal.proof(3).unwrap(), None);
        assert!(journal.pending(3).is_err());
        assert!(journal.answer(3).is_err());
    }

    #[test]
    fn one_worker_at_a_time_and_chains_apart() {
        let root = tempfile::tempdir().unwrap();
        let journal = open(root.path()).unwrap();
        assert!(open(root.path())
            .err()
            .unwrap()
            .to_string()
            .contains("another worker"));
        journal.shun(1, "x").unwrap();
        let other = Journal::open(root.path(), Hash::from([9; 32]), &AccountId([8; 32])).unwrap();
        assert_eq!(other.shunned(1).unwrap(), None);
    }
}
