//! How records lie in storage. A new slot costs as much as some four thousand steps, so that small numbers share one.

use ciro::types::{ComputeSpec, JobStatus, Progress, SlashCase, Unbonding, WorkerInfo};
use core::integer::u128_safe_divmod;
use starknet::storage_access::StorePacking;

const TWO_POW_8: u128 = 0x100;
const TWO_POW_32: u128 = 0x100000000;
const TWO_POW_64: u128 = 0x10000000000000000;
const TWO_POW_128: felt252 = 0x100000000000000000000000000000000;

/// In one slot: payment (128); memory (32), gflops (32), duration (32), gpu (1).
pub impl ComputeSpecPacking of StorePacking<ComputeSpec, felt252> {
    fn pack(value: ComputeSpec) -> felt252 {
        let machine = join(value.memory.into(), value.gflops.into(), TWO_POW_32);
        let rest = join(value.duration.into(), bit(value.gpu), TWO_POW_32);
        to_slot(value.max_payment.try_into().unwrap(), join(machine, rest, TWO_POW_64))
    }

    fn unpack(value: felt252) -> ComputeSpec {
        let (max_payment, limits) = from_slot(value);
        let (machine, rest) = split(limits, TWO_POW_64);
        let (memory, gflops) = split(machine, TWO_POW_32);
        let (duration, gpu) = split(rest, TWO_POW_32);
        ComputeSpec {
            gpu: gpu == 1,
            memory: memory.try_into().unwrap(),
            gflops: gflops.try_into().unwrap(),
            duration: duration.try_into().unwrap(),
            max_payment: max_payment.into()
        }
    }
}

/// In one slot: deadline (64), end of the claim (64); claims (8), status.
pub impl ProgressPacking of StorePacking<Progress, felt252> {
    fn pack(value: Progress) -> felt252 {
        let times = join(value.deadline.into(), value.claimed_until.into(), TWO_POW_64);
        to_slot(times, join(value.claims.into(), status_number(value.status), TWO_POW_8))
    }

    fn unpack(value: felt252) -> Progress {
        let (times, rest) = from_slot(value);
        let (claims, status) = split(rest, TWO_POW_8);
        let (deadline, claimed_until) = split(times, TWO_POW_64);
        Progress {
            status: numbered_status(status),
            claims: claims.try_into().unwrap(),
            deadline: deadline.try_into().unwrap(),
            claimed_until: claimed_until.try_into().unwrap()
        }
    }
}

/// In one slot: committed (128), completed (32), lapsed (32).
pub impl WorkerInfoPacking of StorePacking<WorkerInfo, felt252> {
    fn pack(value: WorkerInfo) -> felt252 {
        let counts = join(value.completed.into(), value.lapsed.into(), TWO_POW_32);
        to_slot(value.committed.try_into().unwrap(), counts)
    }

    fn unpack(value: felt252) -> WorkerInfo {
        let (committed, counts) = from_slot(value);
        let (completed, lapsed) = split(counts, TWO_POW_32);
        WorkerInfo {
            committed: committed.into(),
            completed: completed.try_into().unwrap(),
            lapsed: lapsed.try_into().unwrap()
        }
    }
}

/// In one slot: shares (128), ready (64).
pub impl UnbondingPacking of StorePacking<Unbonding, felt252> {
    fn pack(value: Unbonding) -> felt252 {
        to_slot(value.shares.try_into().unwrap(), value.ready.into())
    }

    fn unpack(value: felt252) -> Unbonding {
        let (shares, ready) = from_slot(value);
        Unbonding { shares: shares.into(), ready: ready.try_into().unwrap() }
    }
}

/// In one slot: number (64), share (32).
pub impl SlashCasePacking of StorePacking<SlashCase, felt252> {
    fn pack(value: SlashCase) -> felt252 {
        to_slot(value.number.into(), value.share.into())
    }

    fn unpack(value: felt252) -> SlashCase {
        let (number, share) = from_slot(value);
        SlashCase { number: number.try_into().unwrap(), share: share.try_into().unwrap() }
    }
}

fn bit(flag: bool) -> u128 {
    if flag {
        1
    } else {
        0
    }
}

fn status_number(status: JobStatus) -> u128 {
    match status {
        JobStatus::Unknown => 0,
        JobStatus::Open => 1,
        JobStatus::Completed => 2,
        JobStatus::Refunded => 3,
    }
}

fn numbered_status(number: u128) -> JobStatus {
    if number == 1 {
        JobStatus::Open
    } else if number == 2 {
        JobStatus::Completed
    } else if number == 3 {
        JobStatus::Refunded
    } else {
        JobStatus::Unknown
    }
}

/// One number below `base` and one above it.
fn join(low: u128, high: u128, base: u128) -> u128 {
    low + high * base
}

/// The two numbers that `join` made one of.
fn split(joined: u128, base: u128) -> (u128, u128) {
    let (high, low) = u128_safe_divmod(joined, base.try_into().unwrap());
    (low, high)
}

/// One slot of two numbers, the higher one below 2^123.
fn to_slot(low: u128, high: u128) -> felt252 {
    low.into() + high.into() * TWO_POW_128
}

fn from_slot(slot: felt252) -> (u128, u128) {
    let u256 { low, high } = slot.into();
    (low, high)
}
