//! Accounts on other chains, for calls of one's own: by what the relayer calls contracts with.

use ciro_bridge::config::{Destination, Kind};
use ciro_bridge_primitives::Word;
use std::{fs, io, os::unix::fs::PermissionsExt, path::Path};

/// A chain as the relayer's configuration describes it. `client` is the light client there; `account` is needed on
/// Starknet. The secret goes into a file of `folder` with that name.
pub(crate) fn described(
    folder: &Path,
    name: String,
    kind: Kind,
    node: String,
    secret: &str,
    account: Option<Word>,
    client: Word,
) -> io::Result<Destination> {
    let key_file = folder.join(format!("{name}.key"));
    fs::write(&key_file, secret)?;
    fs::set_permissions(&key_file, fs::Permissions::from_mode(0o600))?;
    Ok(Destination {
        name,
        kind,
        node,
        key_file,
        account,
        client,
        contracts: vec![],
        from_block: 0,
        confirmations: Some(0),
        max_lag: None,
        max_fee: 1_000.0,
    })
}
