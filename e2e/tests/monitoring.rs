//! `monitoring/` against the programs that it watches: every metric that the dashboard and the alerts name exists.

use anyhow::{ensure, Context, Result};
use ciro_e2e::{binary, get, repository, until, Devnet, Process};
use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs,
    net::{Ipv4Addr, TcpListener},
    time::Duration,
};

/// Longest wait for a block, or for the worker to answer.
const LIMIT: Duration = Duration::from_secs(60);

/// The metrics of nodes and workers that a text names.
fn named(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':')
        .filter(|word| word.starts_with("substrate_") || word.starts_with("ciro_"))
        .collect()
}

/// The metrics that a program tells.
fn told(exposition: &str) -> BTreeSet<&str> {
    exposition
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(['{', ' ']).next())
        .collect()
}

/// A worker with nothing to do, and its metrics.
async fn worker_metrics(devnet: &Devnet) -> Result<String> {
    let models = devnet.folder().join("models");
    fs::create_dir(&models)?;
    // Freed at once for the worker.
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let arguments: [OsString; 10] = [
        "--suri=//Charlie".into(),
        "--stake=100".into(),
        "--node".into(),
        devnet.first().url().into(),
        "--models".into(),
        models.into(),
        "--state".into(),
        devnet.folder().join("state").into(),
        "--metrics".into(),
        address.to_string().into(),
    ];
    let mut worker = Process::start(
        "worker",
        devnet.folder(),
        &binary("ciro-worker")?,
        arguments,
    )?;
    until("the worker tells its metrics", LIMIT, async || {
        worker.check()?;
        Ok(get(address, "/metrics").await.ok())
    })
    .await
}

async fn every_metric_exists(devnet: &Devnet) -> Result<()> {
    // Some metrics of the SDK appear with the first block only.
    until("a block is final", LIMIT, async || {
        Ok((devnet.first().finalised().await? > 0).then_some(()))
    })
    .await?;
    let (node, worker) = (
        devnet.first().metrics().await?,
        worker_metrics(devnet).await?,
    );
    let told: BTreeSet<_> = told(&node).union(&told(&worker)).copied().collect();
    for file in ["monitoring/grafana.json", "monitoring/alerts.yml"] {
        let text = fs::read_to_string(repository(file)).context(file)?;
        let named = named(&text);
        ensure!(named.len() > 5, "{file} names too few metrics: {named:?}");
        let missing: Vec<_> = named.difference(&told).collect();
        ensure!(
            missing.is_empty(),
            "{file} names what nobody tells: {missing:?}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn dashboard_and_alerts_name_only_metrics_that_exist() {
    let devnet = Devnet::dev().await.unwrap();
    every_metric_exists(&devnet).await.unwrap();
}

#[test]
fn metrics_are_found_by_their_names() {
    let expression = r#"rate(ciro_jobs_total{event="paid"}[5m]) - ciro:finality_lag:blocks > 2"#;
    assert_eq!(named(expression), BTreeSet::from(["ciro_jobs_total"]));
    let exposition = "# HELP a ciro_b\nciro_jobs_total{event=\"paid\"} 3\nup 1\n";
    assert_eq!(told(exposition), BTreeSet::from(["ciro_jobs_total", "up"]));
}
