//! `make demo`: a chain, a worker, and the test sets of a perceptron, a convolutional network and a forest of trees
//! classified by them, each answer proved, verified by the chain's runtime and paid for. Then answers without proofs: one
//! by vote, one disputed. Then a worker cheats.
//!
//! It shows what it measures and checks what it shows: it succeeds only if everything held.

mod cheat;
mod exhibit;
mod jobs;
mod levels;
mod stage;

use anyhow::{bail, ensure, Context, Result};
use std::{
    process::ExitCode,
    time::{Duration, Instant},
};
use tokio::signal::unix::{signal, SignalKind};

use exhibit::{accuracy, Exhibit};
use jobs::PaidJob;
use stage::{Funds, Stage};

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
    let before = Funds::read(stage).await?;
    stage.register().await?;
    let paid = jobs::run(stage).await?;

    println!(
        "\nThe first image:\n\n{}",
        stage.exhibits[0].tests.drawing()
    );
    jobs::print(&paid, &stage.exhibits);
    println!();
    for (index, exhibit) in stage.exhibits.iter().enumerate() {
        compare(exhibit, paid.iter().filter(|job| job.exhibit == index))?;
    }
    println!("Every output on the chain is the integer model's, bit for bit.");

    levels::run(stage).await?;
    cheat::run(stage).await?;

    let after = Funds::read(stage).await?;
    after.check(&before, stage).await?;
    println!(
        "\nFunds: nothing is left on hold but stake and deposits. The treasury has {} CIRO more than before, and all \
         together {} less: a part of the fees, and what the cheat had burned.",
        stage::ciro(after.treasury_since(&before)),
        stage::ciro(before.total() - after.total())
    );
    Ok(())
}

/// Checks what the chain stores of a model's jobs against the model itself, and how much quantisation costs.
fn compare<'a>(exhibit: &Exhibit, paid: impl Iterator<Item = &'a PaidJob>) -> Result<()> {
    let Exhibit {
        source,
        model,
        tests,
        reference,
        ..
    } = exhibit;
    let proved: Vec<i32> = paid.flat_map(|job| job.output.iter().copied()).collect();
    ensure!(
        proved == *reference,
        "{}: an output on the chain is not what the integer model gives",
        source.name
    );
    let own = accuracy(&model.classes(reference), &tests.labels);
    let on_chain = accuracy(&model.classes(&proved), &tests.labels);
    let float = accuracy(&tests.float_classes, &tests.labels);
    println!(
        "Accuracy of the {} on {} {}s: {on_chain:.2} % proved on chain, {own:.2} % by the integer model itself, \
         {float:.2} % by the float model.",
        source.name,
        tests.labels.len(),
        source.noun
    );
    ensure!(
        on_chain == own,
        "the accuracy on the chain is not the integer model's own"
    );
    ensure!(
        (own - float).abs() <= TOLERANCE,
        "quantisation costs more than {TOLERANCE} percentage points"
    );
    Ok(())
}
