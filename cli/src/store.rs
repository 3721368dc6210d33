//! The folder in which a requester keeps the inputs of its jobs, each under the hash that the chain knows it by.

use anyhow::{bail, Context, Result};
use ciro_client::{calls, file::write_atomically};
use ciro_primitives::{input_commitment, MAX_BATCH};
use std::{env, fs, io::ErrorKind, path::PathBuf};

/// A folder of blobs.
#[derive(Clone, Debug)]
pub struct BlobStore {
    folder: PathBuf,
}

impl BlobStore {
    /// The folder given, or `$XDG_DATA_HOME/ciro/blobs`, or `~/.local/share/ciro/blobs`; made if it is missing.
    pub fn open(folder: Option<PathBuf>) -> Result<Self> {
        let data = || {
            let set = |name| {
                env::var_os(name)
                    .filter(|value| !value.is_empty())
                    .map(PathBuf::from)
            };
            set("XDG_DATA_HOME").or_else(|| set("HOME").map(|home| home.join(".local/share")))
        };
        let folder = folder
            .or_else(|| data().map(|data| data.join("ciro/blobs")))
            .context("neither XDG_DATA_HOME nor HOME is set: name a folder with --store")?;
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make the blob store {}", folder.display()))?;
        Ok(Self { folder })
    }

    /// Keeps a quantised input and gives the hash it is found by.
    pub fn put(&self, batch: u32, input: &[i8]) -> Result<[u8; 32]> {
        let hash = input_commitment(batch, input);
        let path = self.path(&hash);
        write_atomically(&path, &calls::bytes(input))
            .with_context(|| format!("cannot store {}", path.display()))?;
        Ok(hash)
    }

    /// The bytes that hash to this; `None` if there are none. Bytes that do not are refused.
    pub fn get(&self, hash: &[u8; 32]) -> Result<Option<Vec<u8>>> {
        let path = self.path(hash);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()))
            }
        };
        // The hash covers the number of samples, which the file does not say: one of the few must fit.
        let values = calls::values(&bytes);
        if !(1..=MAX_BATCH)
            .filter(|batch| values.len().is_multiple_of(*batch as usize))
            .any(|batch| input_commitment(batch, &values) == *hash)
        {
            bail!(
                "{} is damaged: its bytes do not hash to its name",
                path.display()
            );
        }
        Ok(Some(bytes))
    }

    /// Leaves word for `job submit` that this store is served at an address.
    pub fn announce(&self, url: &str) -> Result<Announcement> {
        let path = self.folder.join(SERVER);
        write_atomically(&path, url.as_bytes())
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Announcement(path))
    }

    /// The address that [`Self::announce`] left, if its server has not withdrawn it.
    pub fn server(&self) -> Option<String> {
        fs::read_to_string(self.folder.join(SERVER)).ok()
    }

    fn path(&self, hash: &[u8; 32]) -> PathBuf {
        self.folder.join(hex::encode(hash))
    }
}

/// File with the address of the server, no name of a blob.
const SERVER: &str = "server";

/// Word of a server, withdrawn when dropped.
pub struct Announcement(PathBuf);

impl Drop for Announcement {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_hashes_to_its_name_and_refuses_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let store = BlobStore::open(Some(folder.path().join("blobs"))).unwrap();
        let hash = store.put(2, &[1, -2, 3, -4]).unwrap();
        assert_eq!(store.get(&hash).unwrap(), Some(vec![1, 254, 3, 252]));
        assert_eq!(store.get(&[0; 32]).unwrap(), None);
        fs::write(store.path(&hash), [1, 254, 3, 253]).unwrap();
        assert!(store
            .get(&hash)
            .unwrap_err()
            .to_string()
            .contains("damaged"));
    }

    #[test]
    fn a_server_is_announced_while_it_runs() {
        let folder = tempfile::tempdir().unwrap();
        let store = BlobStore::open(Some(folder.path().to_owned())).unwrap();
        assert_eq!(store.server(), None);
        let word = store.announce("http://127.0.0.1:1").unwrap();
        assert_eq!(store.server().as_deref(), Some("http://127.0.0.1:1"));
        drop(word);
        assert_eq!(store.server(), None);
    }
}
