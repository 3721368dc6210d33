//! Where the programs under test are.

use crate::repository;
use anyhow::{Context, Result};
use std::{env, path::PathBuf};

/// A program of this build: beside this executable (or, for a test, one folder up), or else in `bin/`.
pub fn binary(name: &str) -> Result<PathBuf> {
    let own = env::current_exe().context("this program does not know where it is")?;
    let beside = own.parent().map(|folder| folder.join(name));
    let above = own.ancestors().nth(2).map(|folder| folder.join(name));
    let kept = repository("bin").join(name);
    [beside, above, Some(kept)]
        .into_iter()
        .flatten()
        .find(|path| path.is_file())
        .with_context(|| format!("there is no {name}: `make build` builds it"))
}
