//! The formulas of the validator set, as pure functions in integers.
//!
//! The seed of this design states some of them in a way that cannot be computed. What is meant, and done here:
//!
//! * *N ≥ 3f + 1* is how many validators there must be for f of them to cheat without harm. The quorum that signs is
//!   2f + 1 of them; a majority of honest ones would not do.
//! * *S(n, f) = min(Σ Stake · SlashRate, \[n ≥ 3f + 1\])* compares an amount with a truth value, so that it is 1 at most
//!   whatever is staked. [`Scaling`] reports both terms, and the amount as a number from 0 to 1 only if the other holds.
//! * *η = Σ C·U·R / Σ C·P*: for η to be a ratio, P must be one too: the peak of a machine over what it is rated at.

use crate::{Balance, Capacity, Scaling};
use pallet_reputation::{Score, MAX_SCORE};
use sp_arithmetic::{helpers_128bit::multiply_by_rational_with_rounding, Rounding};
use sp_runtime::{
    traits::{UniqueSaturatedInto, Zero},
    Perbill,
};

/// The fewest validators that bear one that cheats.
pub const FEWEST: u32 = 4;
/// Plancks in a billionth of a whole token, times a thousand: dividing an amount by it gives λ S in billionths, with
/// λ = 0.001 for each token.
const LAMBDA: Balance = 1_000_000_000_000;
const BILLION: u128 = 1_000_000_000;

/// `amount` · `numerator` / `denominator`, rounded down; 0 if that is not a number, the largest amount if it is too large.
pub fn share(amount: Balance, numerator: u128, denominator: u128) -> Balance {
    if denominator.is_zero() {
        return 0;
    }
    multiply_by_rational_with_rounding(amount, numerator, denominator, Rounding::Down)
        .unwrap_or(Balance::MAX)
}

/// How many of the candidates become validators: the largest 3f + 1 with f ≥ 1 that neither their number nor `most`
/// exceeds. `None` for fewer than four.
pub fn seats(candidates: u32, most: u32) -> Option<u32> {
    let limit = candidates.min(most);
    let cheaters = limit.checked_sub(1)?.checked_div(3)?;
    let seats = cheaters.checked_mul(3)?.checked_add(1)?;
    (seats >= FEWEST).then_some(seats)
}

/// Stake · Reputation · Uptime, in plancks: what an operator's stake is worth to the chain's security.
pub fn weighted(stake: Balance, score: Score, uptime: Perbill) -> Balance {
    let score = score.min(MAX_SCORE);
    uptime.mul_floor(share(stake, score.into(), MAX_SCORE.into()))
}

/// What candidates are ranked by, in plancks: [`weighted`], or half of it on probation.
pub fn rank(stake: Balance, score: Score, uptime: Perbill, on_probation: bool) -> Balance {
    let worth = weighted(stake, score, uptime);
    if on_probation {
        share(worth, 1, 2)
    } else {
        worth
    }
}

/// The share of the supply that is emitted in a year, counted from 0 at genesis.
pub fn emission_rate(year: u32) -> Perbill {
    Perbill::from_percent(match year {
        0 => 8,
        1 => 5,
        2 => 3,
        _ => 1,
    })
}

/// What is emitted in `blocks` of a year of `year_blocks`, in plancks: that part of [`emission_rate`] of `base`, the
/// supply at the year's start, and never more than `room`, what the cap leaves.
pub fn emission(
    year: u32,
    base: Balance,
    blocks: impl UniqueSaturatedInto<u128>,
    year_blocks: impl UniqueSaturatedInto<u128>,
    room: Balance,
) -> Balance {
    let of_year = emission_rate(year).mul_floor(base);
    let (blocks, year_blocks) = (
        blocks.unique_saturated_into(),
        year_blocks.unique_saturated_into(),
    );
    share(of_year, blocks, year_blocks).min(room)
}

/// Both terms of S(n, f), and what they make together. `stakes` are those of the n validators, in plancks.
pub fn scaling(
    stakes: impl ExactSizeIterator<Item = Balance>,
    faults: u32,
    slash_rate: Perbill,
) -> Scaling {
    let needed = u64::from(faults).saturating_mul(3).saturating_add(1);
    let tolerates = stakes.len() as u64 >= needed;
    let at_stake = stakes
        .map(|stake| slash_rate.mul_floor(stake))
        .fold(0, Balance::saturating_add);
    let counted = if tolerates { at_stake } else { 0 };
    Scaling {
        at_stake,
        tolerates,
        normalised: saturation(share(counted, 1, LAMBDA)),
    }
}

/// 1 − e^(−x) for x in billionths.
fn saturation(x: u128) -> Perbill {
    // Beyond this the result is nearer to 1 than a billionth.
    const LARGEST: u128 = 21 * BILLION;
    let x = x.min(LARGEST);
    // All terms of e^x are positive, so that nothing cancels; from the 128th on they are below a billionth.
    let mut term = BILLION;
    let mut power = 0u128;
    for k in 1..128u128 {
        power = power.saturating_add(term);
        term = share(term, x, k.saturating_mul(BILLION));
    }
    let inverse = share(BILLION, BILLION, power);
    Perbill::from_parts(BILLION.saturating_sub(inverse).unique_saturated_into())
}

/// What a worker brings to [`efficiency`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Supply {
    /// The machine.
    pub capacity: Capacity,
    /// The share of its heartbeats that came.
    pub uptime: Perbill,
    /// Its operator's reputation.
    pub score: Score,
}

/// η = Σ C·U·R / Σ C·P in parts per million: what the workers' machines can be relied on for, over what they could do at
/// their peak. 0 without machines.
pub fn efficiency(workers: impl Iterator<Item = Supply>) -> u32 {
    let (mut reliable, mut peak) = (0u128, 0u128);
    for worker in workers {
        let capacity = u128::from(worker.capacity.gflops);
        reliable = reliable.saturating_add(weighted(
            capacity.saturating_mul(BILLION),
            worker.score,
            worker.uptime,
        ));
        peak = peak.saturating_add(capacity.saturating_mul(worker.capacity.peak_to_rated.into()));
    }
    // The one sum is in billionths, the other in millionths.
    share(reliable, BILLION, peak.saturating_mul(1_000_000)).unique_saturated_into()
}
