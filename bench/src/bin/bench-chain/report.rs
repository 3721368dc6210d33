//! The figures, and the page that shows them.

use std::collections::BTreeMap;

use ciro_runtime::constants::SLOT_MILLISECONDS;
use serde::{Deserialize, Serialize};

/// What was measured with so many nodes and so many jobs to a proof. Shares are of what normal transactions may take of a
/// block.
#[derive(Clone, Serialize, Deserialize)]
pub struct Row {
    pub nodes: usize,
    pub together: usize,
    /// Seconds that were measured, and the load of the machine before.
    pub seconds: u64,
    pub load_before: f64,
    pub cores: usize,
    pub jobs: usize,
    pub blocks: usize,
    pub missed: usize,
    pub most_in_block: usize,
    /// Mean and highest.
    pub length: [f64; 2],
    pub weight: [f64; 2],
    /// Seconds, the median and the 95th percentile: from the job's submission to its payment being final, and from the
    /// result's.
    pub submission_to_payment: [f64; 2],
    pub result_to_payment: [f64; 2],
    /// Blocks from the best to the finalised one: mean and highest.
    pub lag: [f64; 2],
    /// Blocks from the best one to the last that BEEFY signed, at the end.
    pub beefy_lag: u64,
    /// Highest of a node, and the sum of all nodes, in bytes.
    pub memory: [u64; 2],
    /// Processors that were busy with the nodes, with the benchmark, and with other programs.
    pub nodes_cores: f64,
    pub own_cores: f64,
    pub others_cores: f64,
    /// Mean time to build a block, in milliseconds, and why blocks were ended.
    pub build_ms: f64,
    pub ends: BTreeMap<String, u64>,
    /// Transactions that a pool did not take, that failed in a block, and proofs that were refused.
    pub not_taken: u32,
    pub failed: usize,
    pub refused: usize,
    /// What a job weighs, in picoseconds: submission, claim, and its part of a result.
    pub weights: [u64; 3],
    /// Bytes of a transaction with a result, and time to make its proof on one core, in milliseconds.
    pub result_bytes: f64,
    pub prove_ms: f64,
}

impl Row {
    pub fn jobs_per_second(&self) -> f64 {
        self.jobs as f64 / self.seconds as f64
    }

    pub fn jobs_per_hour(&self) -> f64 {
        self.jobs_per_second() * 3_600.0
    }

    /// Cores that would have to prove for as many jobs.
    pub fn proving_cores(&self) -> f64 {
        self.jobs_per_second() / self.together as f64 * self.prove_ms / 1e3
    }

    /// Jobs an hour if every slot had a block and every block were full: by its length, and by its weight.
    pub fn bounds(&self) -> [f64; 2] {
        let a_block = self.jobs as f64 / self.blocks.max(1) as f64;
        [self.length[0], self.weight[0]].map(|share| a_block / share * SLOTS_AN_HOUR)
    }

    /// What kept the chain from paying more jobs, as the measurement shows it.
    pub fn limit(&self) -> String {
        let slots = (self.blocks + self.missed) as f64;
        let ends: u64 = self.ends.values().sum();
        let share = |reasons: &[&str]| {
            let count: u64 = reasons
                .iter()
                .filter_map(|reason| self.ends.get(*reason))
                .sum();
            count as f64 / ends.max(1) as f64
        };
        let busy = self.nodes_cores + self.own_cores + self.others_cores;
        let [length, weight] = [self.length[0], self.weight[0]];
        if self.missed as f64 > slots / 20.0 {
            "processors: slots went by without a block".into()
        } else if share(&["hit_deadline"]) > 0.2 {
            "processors: blocks were ended by the clock".into()
        } else if share(FULL) > 0.5 && weight > length {
            "block weight".into()
        } else if share(FULL) > 0.5 {
            "block length".into()
        } else if busy > 0.9 * self.cores as f64 {
            "processors: blocks were not filled in time".into()
        } else {
            "client and pool: blocks were not filled".into()
        }
    }
}

/// Blocks an hour, if none is missed.
const SLOTS_AN_HOUR: f64 = 3_600_000.0 / SLOT_MILLISECONDS as f64;
/// How a node names the end of a block that can take no more: one name for weight and length.
const FULL: &[&str] = &["hit_block_weight_limit", "hit_block_size_limit"];

/// The page.
pub fn page(rows: &[Row]) -> String {
    let table = |head: &str, cells: fn(&Row) -> String| {
        let lines = rows.iter().map(|row| {
            let nodes = match row.nodes {
                1 => "one node".into(),
                count => format!("{count} validators"),
            };
            format!("| {nodes} | {} | {} |\n", row.together, cells(row))
        });
        lines.fold(head.to_owned(), |page, line| page + &line)
    };
    [
        table(HEAD, throughput),
        table(TIMES, times),
        table(MACHINE, machine),
        table(BLOCKS, blocks),
    ]
    .concat()
}

fn throughput(row: &Row) -> String {
    let [by_length, by_weight] = row.bounds();
    format!(
        "{:.1} | {} | {} of {} | {} | {} / {}",
        row.jobs_per_second(),
        thousands(row.jobs_per_hour()),
        row.missed,
        row.blocks + row.missed,
        row.limit(),
        thousands(by_length),
        thousands(by_weight),
    )
}

fn times(row: &Row) -> String {
    let seconds = |[median, most]: [f64; 2]| format!("{median:.1} / {most:.1} s");
    format!(
        "{} | {} | {:.1} / {:.0} | {}",
        seconds(row.submission_to_payment),
        seconds(row.result_to_payment),
        row.lag[0],
        row.lag[1],
        row.beefy_lag,
    )
}

fn machine(row: &Row) -> String {
    format!(
        "{:.2} | {:.1} ms | {:.2} | {:.2} of {} | {:.0} / {:.0} MB | {:.0} ms | {:.1} | {} s | {:.1}",
        row.nodes_cores,
        row.nodes_cores / row.jobs_per_second() * 1e3,
        row.own_cores,
        row.others_cores,
        row.cores,
        row.memory[0] as f64 / 1e6,
        row.memory[1] as f64 / 1e6,
        row.prove_ms,
        row.proving_cores(),
        row.seconds,
        row.load_before,
    )
}

fn blocks(row: &Row) -> String {
    let percent = |[mean, most]: [f64; 2]| format!("{:.0} / {:.0} %", mean * 1e2, most * 1e2);
    let ends = row.ends.iter();
    let ends: Vec<String> = ends
        .map(|(reason, count)| format!("{reason} {count}"))
        .collect();
    format!(
        "{:.1} / {} | {} | {} | {} ms | {:.0} ms | {} | {:.1} kB | {} / {} / {}",
        row.jobs as f64 / row.blocks.max(1) as f64,
        row.most_in_block,
        percent(row.length),
        percent(row.weight),
        row.weights
            .map(|weight| format!("{:.2}", weight as f64 / 1e9))
            .join(" / "),
        row.build_ms,
        ends.join(", "),
        row.result_bytes / 1e3,
        row.not_taken,
        row.failed,
        row.refused,
    )
}

fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

const HEAD: &str = "# Throughput of the chain

`make bench-chain` measures this and writes this page. How many jobs does a chain verify and pay for when it is given all
that it takes? *One node* is the chain `dev`, *4 validators* are those of `local`, each a process, all on the one machine.

The model is the smallest that is of use, the perceptron of 64-32-10 that reads digits, under the preset `chain`. A job is
one sample: asked for, claimed and paid for by itself. A worker proves each job by a proof of its own (`submit_result`), or
32 jobs by one (`submit_results`).

* Proofs are made before the measurement, so that proving takes no processor from the nodes. That is possible because a
  development chain's genesis and the numbers of its jobs are known beforehand. What they would take is below.
* Everything else is real: prices on hold, stake and collateral, claims after the head start, results as transactions that
  eight workers sign and send through public RPC, each over a connection of its own, verification in the WebAssembly
  runtime, payment.
* What counts is the payments (`PaymentReleased`) in finalised blocks of a stretch of slots. A slot without a block is
  missed, and counts as time.
* Jobs, claims and results are sent as fast as blocks take them up, so that the times below are those of a chain with a
  queue.

*Full blocks* are the jobs an hour if no slot were missed and every block full, by the bytes and by the weight that a job
takes here, claim and submission included: normal transactions may take three quarters of 5 MiB, and of one second.

| nodes | jobs to a proof | jobs a second | jobs an hour | slots missed | limit | full blocks: by length / by weight |
|---|---|---|---|---|---|---|
";

const TIMES: &str = "
## Time from submission to payment

The median and the 95th percentile, until the payment is seen to be final: from the job's submission, which includes the
head start of 8 seconds that workers of these stakes and no history wait for, and from the sending of the result. Lags are
in blocks behind the best one: the mean and the highest of GRANDPA's, and BEEFY's at the end, which signs every fourth.

| nodes | jobs to a proof | from the job | from the result | finality lag | BEEFY lag |
|---|---|---|---|---|---|
";

const MACHINE: &str = "
## What it takes of the machine

Processors that were busy with all nodes, also as time for each job, with the benchmark's client, and with other programs;
the most memory that a node ever held, and the sum over the nodes. *Proof* is the time that one core takes for one,
*provers* the cores that would have to prove for so many jobs.

| nodes | jobs to a proof | nodes | nodes, a job | client | others | memory | proof | provers | measured | load before |
|---|---|---|---|---|---|---|---|---|---|---|
";

const BLOCKS: &str = "
## Blocks

Jobs, and the shares of the length and of the weight that normal transactions may take: means and highest. *A job* is what
one weighs: its submission, its claim, and its part of a result. *Ended* is why the nodes ended blocks, in their own words:
`hit_block_weight_limit` is a block that is full by weight or by length.

| nodes | jobs to a proof | jobs | length | weight | a job: submission / claim / result | building | ended | a result | not taken / failed / refused |
|---|---|---|---|---|---|---|---|---|---|
";

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        Row {
            nodes: 1,
            together: 32,
            seconds: 60,
            load_before: 0.0,
            cores: 2,
            jobs: 1_200,
            blocks: 30,
            missed: 0,
            most_in_block: 50,
            length: [0.8, 1.0],
            weight: [0.5, 0.6],
            submission_to_payment: [1.0, 2.0],
            result_to_payment: [0.5, 1.0],
            lag: [2.0, 3.0],
            beefy_lag: 4,
            memory: [1, 1],
            nodes_cores: 0.5,
            own_cores: 0.1,
            others_cores: 0.0,
            build_ms: 100.0,
            ends: BTreeMap::from([("hit_block_weight_limit".into(), 30)]),
            not_taken: 0,
            failed: 0,
            refused: 0,
            weights: [250_000_000, 1_100_000_000, 900_000_000],
            result_bytes: 80_000.0,
            prove_ms: 1_600.0,
        }
    }

    #[test]
    fn an_hour_is_sixty_minutes_and_a_proof_many_jobs() {
        let row = row();
        assert_eq!(
            (row.jobs_per_second(), row.jobs_per_hour()),
            (20.0, 72_000.0)
        );
        assert_eq!(row.proving_cores(), 1.0);
        assert_eq!(row.bounds(), [90_000.0, 144_000.0]);
        let page = page(&[row]);
        assert!(page.contains("| one node | 32 | 20.0 | 72,000 | 0 of 30 |"));
        assert!(page.contains("| 0.25 / 1.10 / 0.90 ms |"));
    }

    #[test]
    fn the_limit_is_what_the_figures_show() {
        assert_eq!(row().limit(), "block length");
        let heavy = Row {
            weight: [0.9, 1.0],
            ..row()
        };
        assert_eq!(heavy.limit(), "block weight");
        let late = Row {
            blocks: 27,
            missed: 3,
            ..row()
        };
        assert!(late.limit().starts_with("processors: slots"));
        let ends = BTreeMap::from([("no_more_transactions".into(), 30)]);
        let hungry = Row { ends, ..row() };
        assert!(hungry.limit().starts_with("client"));
        let busy = Row {
            others_cores: 1.3,
            ..hungry
        };
        assert!(busy.limit().starts_with("processors: blocks were not"));
        let ends = BTreeMap::from([("hit_deadline".into(), 30)]);
        assert!(Row { ends, ..row() }.limit().ends_with("the clock"));
    }

    #[test]
    fn thousands_are_parted() {
        let parted = [0.0, 999.4, 1_000.0, 12_345_678.0].map(thousands);
        assert_eq!(parted, ["0", "999", "1,000", "12,345,678"]);
    }
}
