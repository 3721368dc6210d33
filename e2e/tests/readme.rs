//! The commands of the README's walk-through, as they stand there.

use anyhow::{ensure, Context, Result};
use ciro_e2e::{binary, repository, Devnet, Process};
use std::{
    env, fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{process::Command, time::timeout};

/// How long one block of commands may take.
const LIMIT: Duration = Duration::from_secs(120);

/// The blocks of shell commands in the walk-through.
fn blocks(readme: &str) -> Result<Vec<String>> {
    let (_, walk) = readme
        .split_once("\n## Walk-through\n")
        .context("the README has no walk-through")?;
    let walk = walk.split("\n## ").next().unwrap_or(walk);
    let fenced = walk.split("```").skip(1).step_by(2);
    Ok(fenced
        .filter_map(|block| block.strip_prefix("sh\n"))
        .map(str::to_owned)
        .collect())
}

/// What a person has set up in each terminal: the programs in the path, the node, and the repository's folder.
fn prepared(commands: &str, node: &str, folder: &Path) -> Result<String> {
    let mut paths = vec![binary("ciro")?
        .parent()
        .map(PathBuf::from)
        .unwrap_or_default()];
    paths.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    let path = env::join_paths(paths)?;
    Ok(format!(
        "set -e; cd '{}'; export PATH='{}' CIRO_NODE='{node}' XDG_DATA_HOME=\"$PWD/data\"\n{commands}",
        folder.display(),
        path.to_string_lossy(),
    ))
}

async fn walk(devnet: &Devnet) -> Result<()> {
    let (url, folder) = (devnet.first().url(), devnet.folder().join("walk"));
    fs::create_dir(&folder)?;
    symlink(
        fs::canonicalize(repository("models"))?,
        folder.join("models"),
    )?;
    let mut worker = None;
    let mut run = 0;
    for block in blocks(&fs::read_to_string(repository("README.md"))?)? {
        // What is built, and the chain, are there already; the worker goes on in another terminal.
        if block.contains("make build") || block.starts_with("ciro-node") {
            continue;
        }
        let script = prepared(
            &block.replace("\nciro-worker", "\nexec ciro-worker"),
            &url,
            &folder,
        )?;
        if block.contains("ciro-worker") {
            worker = Some(Process::start(
                "worker",
                devnet.folder(),
                Path::new("/bin/sh"),
                ["-c", &script],
            )?);
            continue;
        }
        let running = Command::new("sh")
            .args(["-c", &script])
            .kill_on_drop(true)
            .output();
        let output = timeout(LIMIT, running)
            .await
            .with_context(|| format!("too slow:\n{block}"))??;
        let said = String::from_utf8_lossy(&output.stdout);
        let erred = String::from_utf8_lossy(&output.stderr);
        println!("{block}{said}");
        ensure!(
            output.status.success(),
            "these commands failed:\n{block}\n{said}\n{erred}"
        );
        run += 1;
    }
    ensure!(
        run >= 3 && worker.is_some(),
        "the walk-through has lost its commands"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_walk_through_works() {
    let devnet = Devnet::dev().await.unwrap();
    walk(&devnet).await.unwrap();
}
