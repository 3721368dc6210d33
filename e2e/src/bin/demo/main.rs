//! `make demo`: a chain, a worker, and every image of a test set classified by a neural network, each answer proved,
//! verified by the chain's runtime and paid for. Then a worker cheats.
//!
//! It shows what it measures and checks what it shows: it succeeds only if everything held.

mod cheat;
mod jobs;
mod stage;
mod test_set;

use anyhow::{bail, ensure, Context, Result};
use std::{
    process::ExitCode,
    time::{Duration, Instant},
};
use tokio::signal::unix::{signal, SignalKind};

use stage::{Funds, Stage};
use test_set::{accuracy, classes, TestSet};

/// How long the whole demo may take.
const LIMIT: Duration = Duration::from_secs(600);

/// Percentage points that quantisation may cost.
const TOLERANCE: f64 = 1.0;

#[tokio::main]
async fn main() -> ExitCode {
    let start = Instant::now();
    let outcome = tokio::select! {
        outcome = tokio::time::timeout(LIMIT, demo()) => outcome.context("the demo took too long").flatten(),
        interrupted = interrupted() => interrupted,
    };
    match outcome {
        Ok(()) => {
            println!(
                "\nEverything held. The demo took {:.0} s.",
                start.elapsed().as_secs_f64()
            );
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("\nThe demo failed: {problem:#}");
            ExitCode::FAILURE
        }
    }
}

/// An error at SIGINT or SIGTERM; what was started ends as the demo is dropped.
async fn interrupted() -> Result<()> {
    let (mut interrupt, mut terminate) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    bail!("interrupted")
}

async fn demo() -> Result<()> {
    let mut stage = Stage::set().await?;
    let outcome = play(&mut stage).await;
    if outcome.is_err() {
        eprint!("\n{}", stage.tails());
    }
    outcome
}

async fn play(stage: &mut Stage) -> Result<()> {
    let tests = TestSet::read()?;
    // What the integer model says of every test image: the reference interpreter, no proof.
    let inputs = stage.model.quantise(&tests.images)?;
    let reference = stage.model.run(&inputs)?;
    let before = Funds::read(stage).await?;

    stage.register().await?;
    let paid = jobs::run(stage, &tests, &inputs).await?;

    println!("\nThe first image:\n\n{}", tests.drawing(0));
    jobs::print(&paid, &tests, &stage.model);

    let proved: Vec<i32> = paid
        .iter()
        .flat_map(|job| job.output.iter().copied())
        .collect();
    ensure!(
        proved == reference,
        "an output on the chain is not what the integer model gives"
    );
    let own = accuracy(&classes(&stage.model, &reference)?, &tests.labels);
    let on_chain = accuracy(&classes(&stage.model, &proved)?, &tests.labels);
    let float = accuracy(&tests.float_classes, &tests.labels);
    println!(
        "\nAccuracy on {} images: {on_chain:.2} % proved on chain, {own:.2} % by the integer model itself, \
         {float:.2} % by the float model.\nEvery output on the chain is the integer model's, bit for bit.",
        tests.labels.len()
    );
    ensure!(
        on_chain == own,
        "the accuracy on the chain is not the integer model's own"
    );
    ensure!(
        (own - float).abs() <= TOLERANCE,
        "quantisation costs more than {TOLERANCE} percentage points"
    );

    let cheat = cheat::run(stage, &tests, &inputs, &reference).await?;

    let after = Funds::read(stage).await?;
    after.check(&before, &paid, &cheat)?;
    println!(
        "\nFunds: nothing is left on hold but deposits, and all accounts together have {} CIRO less than before: \
         what the cheat had burned.",
        stage::ciro(before.total() - after.total())
    );
    Ok(())
}
