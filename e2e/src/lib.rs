//! Ciro as a whole: starts real nodes, workers and commands on free ports with folders of their own, for the demo and
//! for the tests, and ends whatever it started, however the program that uses it ends.
//!
//! Everything waits by looking at the chain, at files or at logs, never by sleeping for a guessed time, and every wait
//! has a limit. If a test panics, the last lines of every process's log are printed.

pub mod anvil;
mod binaries;
mod cli;
mod destination;
mod devnet;
mod forgery;
mod genesis;
mod lanes;
mod npy;
mod process;
mod relayer;
mod requester;
mod rpc;
mod script;
mod spec;
mod starknet;
mod watch;
mod worker;

pub use anvil::{Anvil, Contracts};
pub use binaries::binary;
pub use cli::{Answer, Ciro};
pub use devnet::{Devnet, Node};
pub use forgery::{Forged, Task};
pub use genesis::Genesis;
pub use lanes::{open_lane, register_token};
pub use npy::{write_floats, Array};
pub use process::Process;
pub use relayer::{Relayer, Target};
pub use requester::{claimable, paid, BlobServer, Requester, Submitted};
pub use rpc::{get, rpc};
pub use script::run_script;
pub use spec::{Member, Network};
pub use starknet::{halves, Market, StarknetAccount, StarknetDevnet};
pub use watch::{all_advance, all_reach, becomes, eventually};
pub use worker::{Entries, Worker};

use anyhow::{bail, Result};
use ciro_client::{account, keypair, AccountId};
use std::{
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    time::{Duration, Instant},
};

/// Account of the treasury, as the runtime derives it: `modl`, then `ciro/trs`.
pub const TREASURY: AccountId = AccountId(*b"modlciro/trs\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");

/// Pause between two looks at a file or a log.
const LOOK: Duration = Duration::from_millis(2);

/// Looks again and again until there is something to see; an error once `limit` is over.
pub async fn until<T>(
    what: &str,
    limit: Duration,
    mut look: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let start = Instant::now();
    loop {
        if let Some(seen) = look().await? {
            return Ok(seen);
        }
        if start.elapsed() > limit {
            bail!("waited {} s in vain: {what}", limit.as_secs());
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// A port of this machine that nobody uses now.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

/// Account of a development secret (`//Alice`, say).
pub fn who(secret: &str) -> Result<AccountId> {
    Ok(account(&keypair(secret)?))
}

/// A file of the repository, by its path from the root.
pub fn repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(path)
}
