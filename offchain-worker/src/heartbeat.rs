//! Heartbeats: in every window the worker tells the chain that it is there.

use anyhow::{anyhow, Context, Result};
use ciro_client::{
    calls, file::TEMPORARY, keypair_from_file, types::Worker, AccountId, Client, Error, Keypair,
    State,
};
use ciro_primitives::heartbeat_payload;
use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};
use tracing::debug;

/// File of the key's seed.
const FILE: &str = "heartbeat.key";

/// Blocks after which a heartbeat that the chain has not heard is sent again.
const RETRY: u64 = 5;

/// What sends heartbeats for one account on one chain.
pub struct Heart {
    key: Keypair,
    genesis: [u8; 32],
    me: AccountId,
    /// The last window in which the chain heard it.
    heard: Option<u64>,
    /// The block at which a heartbeat was last sent.
    sent: Option<u64>,
}

impl Heart {
    /// With the key that is kept in `folder`; a new one if there is none.
    pub fn open(folder: &Path, genesis: [u8; 32], me: AccountId) -> Result<Self> {
        let path = folder.join(FILE);
        if !path.exists() {
            let mut seed = [0; 32];
            getrandom_02::getrandom(&mut seed)
                .map_err(|error| anyhow!("no randomness for a heartbeat key: {error}"))?;
            write_private(&path, &format!("0x{}\n", hex::encode(seed)))
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(Self {
            key: keypair_from_file(&path)?,
            genesis,
            me,
            heard: None,
            sent: None,
        })
    }

    /// Public key of its heartbeats.
    pub fn key(&self) -> [u8; 32] {
        self.key.public_key().0
    }

    /// Sends the heartbeat that is due, if one is.
    pub async fn beat(&mut self, client: &Client, state: &State) -> Result<()> {
        let period = u64::from(state.heartbeat_period()?.max(1));
        let now = state.number();
        let window = now / period;
        if self.heard == Some(window) || self.sent.is_some_and(|sent| now < sent + RETRY) {
            return Ok(());
        }
        if state
            .worker(&self.me)
            .await?
            .is_none_or(|worker| is_heard(&worker, window, period))
        {
            self.heard = Some(window);
            return Ok(());
        }
        self.sent = Some(now);
        let Ok(window) = u32::try_from(window) else {
            return Ok(());
        };
        let payload = heartbeat_payload(&self.genesis, &self.me.0, window);
        let call = calls::heartbeat(self.me, window, self.key.sign(&payload).0);
        match client.submit_authorised(&call).await {
            Ok(_) => debug!(window, "heartbeat sent"),
            // The window may be over by now in the best block, or the one sent before is in the pool still.
            Err(Error::Rejected(reason)) => debug!(window, "heartbeat not taken: {reason}"),
            Err(problem) => return Err(problem.into()),
        }
        Ok(())
    }
}

/// Whether no heartbeat is due: one was heard in the window or later, or the worker is away.
fn is_heard(worker: &Worker, window: u64, period: u64) -> bool {
    worker.presence.inactive_since.is_some() || u64::from(worker.presence.heard) / period >= window
}

/// Writes a file that only its owner may read, at any moment, whole or not at all.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(TEMPORARY);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ciro_client::types::{Capabilities, Presence, Region};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_key_is_private_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Heart::open(folder.path(), [1; 32], AccountId([2; 32])).unwrap();
        let key = open().key();
        assert_eq!(open().key(), key);
        let mode = fs::metadata(folder.path().join(FILE))
            .unwrap()
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
        let other = tempfile::tempdir().unwrap();
        let other = Heart::open(other.path(), [1; 32], AccountId([2; 32])).unwrap();
        assert_ne!(other.key(), key);
    }

    #[test]
    fn a_heartbeat_is_due_once_a_window_and_never_while_away() {
        let heard = |heard, inactive_since| Worker {
            capabilities: Capabilities {
                gpu_model: vec![],
                memory: 0,
                gflops: 0,
                region: Region::Other,
                peer_address: vec![],
            },
            heartbeat_key: [0; 32],
            deposit: 0,
            presence: Presence {
                registered: 0,
                heard,
                inactive_since,
            },
        };
        assert!(!is_heard(&heard(149, None), 1, 150));
        assert!(is_heard(&heard(150, None), 1, 150));
        assert!(is_heard(&heard(149, Some(160)), 1, 150));
    }
}
