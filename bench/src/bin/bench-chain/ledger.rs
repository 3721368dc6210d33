//! What the finalised chain holds of the load, and what follows from it.

use anyhow::{ensure, Result};
use ciro_primitives::JobId;
use ciro_runtime::{
    configs::system::{RuntimeBlockLength, RuntimeBlockWeights},
    Hash, RuntimeEvent,
};
use frame_support::dispatch::DispatchClass;
use std::ops::Range;

use crate::chain::{slot, Chain};
use crate::proofs::Jobs;

/// A finalised block, as far as it matters here.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Its height.
    pub number: u32,
    /// Shares of what normal transactions may take: bytes, and computation.
    pub length: f64,
    pub weight: f64,
    /// The jobs that it paid.
    pub paid: Vec<JobId>,
    /// Proofs that it refused, and transactions that failed.
    pub refused: usize,
    pub failed: usize,
}

/// Reads the finalised blocks of these slots, in order, where `last` is a finalised block after them.
///
/// # Errors
/// If the chain gave a job another number than the benchmark expected, or the node does not answer.
pub async fn read(
    chain: &Chain,
    jobs: &Jobs,
    slots: &Range<u64>,
    last: Hash,
) -> Result<Vec<Record>> {
    let mut records = Vec::new();
    let mut hash = last;
    loop {
        let block = chain.block(hash).await?;
        let slot = u64::from(slot(&block.header)?);
        if slot < slots.start {
            records.reverse();
            return Ok(records);
        }
        if slots.contains(&slot) {
            let mut record = Record {
                number: block.header.number,
                length: share_of_length(block.length),
                weight: share_of_weight(chain.weight(hash).await?.get(DispatchClass::Normal)),
                ..Record::default()
            };
            for event in chain.events(hash).await? {
                note(&mut record, jobs, event.event)?;
            }
            records.push(record);
        }
        hash = block.header.parent_hash;
    }
}

fn note(record: &mut Record, jobs: &Jobs, event: RuntimeEvent) -> Result<()> {
    use pallet_job_market::Event::{JobSubmitted, PaymentReleased, ResultRefused};
    match event {
        RuntimeEvent::JobMarket(PaymentReleased { job, .. }) => record.paid.push(job),
        RuntimeEvent::JobMarket(ResultRefused { .. }) => record.refused += 1,
        RuntimeEvent::JobMarket(JobSubmitted {
            job,
            input_commitment,
            ..
        }) => ensure!(
            input_commitment.0 == jobs.commitment(job),
            "the chain gave job {job} to another input than was expected"
        ),
        RuntimeEvent::System(frame_system::Event::ExtrinsicFailed { .. }) => record.failed += 1,
        _ => {}
    }
    Ok(())
}

/// The most bytes of normal transactions in a block.
pub fn length_limit() -> u32 {
    *RuntimeBlockLength::get().max.get(DispatchClass::Normal)
}

/// The most weight of normal transactions in a block, in picoseconds.
pub fn weight_limit() -> u64 {
    let limits = RuntimeBlockWeights::get();
    let limit = limits.get(DispatchClass::Normal).max_total;
    limit.map_or(u64::MAX, |limit| limit.ref_time())
}

fn share_of_length(bytes: usize) -> f64 {
    bytes as f64 / f64::from(length_limit())
}

fn share_of_weight(weight: &frame_support::weights::Weight) -> f64 {
    weight.ref_time() as f64 / weight_limit() as f64
}

/// What the records of a stretch of slots add up to.
#[derive(Debug, PartialEq)]
pub struct Sums {
    /// Jobs that were paid.
    pub paid: usize,
    /// Blocks, and slots without one.
    pub blocks: usize,
    pub missed: usize,
    /// Most jobs that one block paid.
    pub most_paid: usize,
    /// Mean and highest shares.
    pub length: [f64; 2],
    pub weight: [f64; 2],
    pub refused: usize,
    pub failed: usize,
}

/// Adds up the records of these slots, of one chain.
pub fn sums(records: &[Record], slots: &Range<u64>) -> Sums {
    let blocks = records.len();
    let shares = |share: fn(&Record) -> f64| {
        let shares = records.iter().map(share);
        let mean = shares.clone().sum::<f64>() / blocks.max(1) as f64;
        [mean, shares.fold(0.0, f64::max)]
    };
    Sums {
        paid: records.iter().map(|record| record.paid.len()).sum(),
        blocks,
        missed: ((slots.end - slots.start) as usize).saturating_sub(blocks),
        most_paid: records
            .iter()
            .map(|record| record.paid.len())
            .max()
            .unwrap_or_default(),
        length: shares(|record| record.length),
        weight: shares(|record| record.weight),
        refused: records.iter().map(|record| record.refused).sum(),
        failed: records.iter().map(|record| record.failed).sum(),
    }
}

/// Seconds from `since`, by job, until the block that paid a job was seen to be final: the median, and what 95 of a
/// hundred do not exceed. `seen` are the times at which blocks of these heights or below were seen to be final, in order.
pub fn latency(records: &[Record], since: &[f64], seen: &[(u32, f64)]) -> [f64; 2] {
    let mut times: Vec<f64> = records
        .iter()
        .filter_map(|record| {
            let at = seen.partition_point(|(number, _)| *number < record.number);
            Some((record, seen.get(at)?.1))
        })
        .flat_map(|(record, at)| {
            let begun = move |job: &JobId| since.get(*job as usize).map(|since| at - since);
            record.paid.iter().filter_map(begun)
        })
        .collect();
    times.sort_by(f64::total_cmp);
    [50, 95].map(|percent| {
        let index = (times.len() * percent).div_ceil(100);
        times
            .get(index.saturating_sub(1))
            .copied()
            .unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(number: u32, paid: &[JobId]) -> Record {
        Record {
            number,
            length: paid.len() as f64 / 4.0,
            weight: 0.5,
            paid: paid.to_vec(),
            ..Record::default()
        }
    }

    #[test]
    fn a_slot_without_a_block_is_missed_and_still_counts_as_time() {
        let records = [record(7, &[0, 1]), record(8, &[2, 3, 4, 5])];
        let sums = sums(&records, &(100..105));
        assert_eq!((sums.paid, sums.blocks, sums.missed), (6, 2, 3));
        assert_eq!(sums.most_paid, 4);
        assert_eq!((sums.length, sums.weight), ([0.75, 1.0], [0.5, 0.5]));
    }

    #[test]
    fn nothing_at_all_adds_up_to_nothing() {
        let sums = sums(&[], &(5..8));
        assert_eq!((sums.paid, sums.missed, sums.length), (0, 3, [0.0, 0.0]));
        assert_eq!(latency(&[], &[], &[]), [0.0, 0.0]);
    }

    #[test]
    fn a_payment_counts_from_its_submission_to_the_first_finalised_block_at_or_above_it() {
        let records = [record(7, &[0]), record(8, &[2, 1])];
        let since = [1.0, 2.0, 6.0];
        // Block 7 is seen to be final with block 8.
        let seen = [(6, 3.0), (8, 10.0), (9, 12.0)];
        assert_eq!(latency(&records, &since, &seen), [8.0, 9.0]);
    }

    #[test]
    fn nineteen_of_twenty_do_not_exceed_the_95th_percentile() {
        let jobs: Vec<JobId> = (0..20).collect();
        let since: Vec<f64> = (0..20).map(f64::from).collect();
        let latency = latency(&[record(1, &jobs)], &since, &[(1, 20.0)]);
        assert_eq!(latency, [10.0, 19.0]);
    }
}
