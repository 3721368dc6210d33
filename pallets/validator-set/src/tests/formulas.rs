use crate::{
    formulas::{efficiency, emission, emission_rate, rank, scaling, seats, weighted, Supply},
    mock::{CAP, DAY, INITIAL, UNIT, YEAR},
    Capacity,
};
use proptest::prelude::*;
use sp_runtime::Perbill;

const ALWAYS: Perbill = Perbill::one();

#[test]
fn the_set_has_the_largest_3f_plus_1_seats_that_candidates_can_fill() {
    for candidates in 0..=70u32 {
        let expected = (1..=21)
            .map(|f| 3 * f + 1)
            .filter(|seats| *seats <= candidates)
            .max();
        assert_eq!(seats(candidates, 64), expected, "{candidates}");
    }
    assert_eq!(seats(u32::MAX, u32::MAX), Some(u32::MAX - 2));
}

#[test]
fn a_rank_is_stake_times_reputation_times_uptime() {
    assert_eq!(rank(1_000 * UNIT, 1_000, ALWAYS, false), 1_000 * UNIT);
    assert_eq!(rank(1_000 * UNIT, 500, ALWAYS, false), 500 * UNIT);
    let half = Perbill::from_percent(50);
    assert_eq!(rank(1_000 * UNIT, 500, half, false), 250 * UNIT);
    assert_eq!(rank(1_000 * UNIT, 0, ALWAYS, false), 0);
    assert_eq!(rank(1_000 * UNIT, 500, Perbill::zero(), false), 0);
}

#[test]
fn probation_halves_the_rank() {
    assert_eq!(rank(1_000 * UNIT, 800, ALWAYS, true), 400 * UNIT);
}

#[test]
fn a_score_above_the_best_counts_as_the_best() {
    assert_eq!(rank(1_000 * UNIT, u16::MAX, ALWAYS, false), 1_000 * UNIT);
}

#[test]
fn the_emission_falls_from_eight_percent_to_one() {
    let rates: Vec<_> = (0..6).map(emission_rate).collect();
    assert_eq!(rates, [8, 5, 3, 1, 1, 1].map(Perbill::from_percent));
    assert_eq!(emission_rate(u32::MAX), Perbill::from_percent(1));
}

#[test]
fn a_years_emission_is_its_rate_of_the_issuance_at_its_start() {
    let of_year = emission(0, INITIAL, YEAR, YEAR, CAP);
    assert_eq!(of_year, INITIAL * 8 / 100);
    let of_day = emission(0, INITIAL, DAY, YEAR, CAP);
    assert_eq!(of_day, INITIAL * 8 / 100 / 365);
    assert_eq!(emission(0, INITIAL, 0u64, YEAR, CAP), 0);
    assert_eq!(emission(0, INITIAL, DAY, 0u64, CAP), 0);
}

#[test]
fn the_emission_stops_at_the_cap() {
    assert_eq!(emission(0, CAP, YEAR, YEAR, 7), 7);
    assert_eq!(emission(0, CAP, YEAR, YEAR, 0), 0);
}

#[test]
fn scaling_reports_what_is_at_stake_and_whether_enough_validators_are_there() {
    let rate = Perbill::from_percent(30);
    let stakes = [1_000 * UNIT; 7];
    for (faults, tolerates) in [
        (0, true),
        (1, true),
        (2, true),
        (3, false),
        (u32::MAX, false),
    ] {
        let scaling = scaling(stakes.into_iter(), faults, rate);
        assert_eq!(scaling.at_stake, 2_100 * UNIT);
        assert_eq!(scaling.tolerates, tolerates, "{faults}");
        assert_eq!(scaling.normalised.is_zero(), !tolerates);
    }
    let nobody = scaling([].into_iter(), 0, rate);
    assert!(!nobody.tolerates && nobody.normalised.is_zero());
}

#[test]
fn the_normalised_scaling_is_one_minus_e_to_the_minus_a_thousandth_of_the_tokens() {
    for tokens in [
        0,
        1,
        10,
        693,
        1_000,
        2_100,
        10_000,
        20_000,
        21_000,
        1_000_000_000u128,
    ] {
        let found = scaling([tokens * UNIT].into_iter(), 0, ALWAYS).normalised;
        let expected = 1.0 - (-(tokens as f64) / 1_000.0).exp();
        let found = f64::from(found.deconstruct()) / 1e9;
        assert!(
            (found - expected).abs() < 3e-9,
            "{tokens}: {found} {expected}"
        );
    }
}

fn supply(gflops: u32, peak_to_rated: u32, score: u16, uptime: u32) -> Supply {
    Supply {
        capacity: Capacity {
            gflops,
            peak_to_rated,
        },
        uptime: Perbill::from_percent(uptime),
        score,
    }
}

#[test]
fn efficiency_is_reliable_capacity_over_peak_capacity() {
    assert_eq!(efficiency([].into_iter()), 0);
    assert_eq!(
        efficiency([supply(0, 1_000_000, 1_000, 100)].into_iter()),
        0
    );
    let perfect = supply(5_000, 1_000_000, 1_000, 100);
    assert_eq!(efficiency([perfect].into_iter()), 1_000_000);
    // (1000 · 0.5 · 0.8 + 3000 · 1 · 1) / (1000 · 2 + 3000 · 1)
    let mixed = [
        supply(1_000, 2_000_000, 800, 50),
        supply(3_000, 1_000_000, 1_000, 100),
    ];
    assert_eq!(efficiency(mixed.into_iter()), 680_000);
}

#[test]
fn efficiency_is_a_number_even_of_the_largest_machines() {
    let largest = supply(u32::MAX, 1_000_000, 1_000, 100);
    assert_eq!(efficiency([largest; 1_000].into_iter()), 1_000_000);
    let none = supply(u32::MAX, u32::MAX, 1, 1);
    assert_eq!(efficiency([none; 1_000].into_iter()), 0);
}

proptest! {
    #[test]
    fn no_factor_makes_a_rank_larger_than_the_stake(
        stake in any::<u128>(),
        score in 0..=1_000u16,
        uptime in 0..=1_000_000_000u32,
    ) {
        let uptime = Perbill::from_parts(uptime);
        let good = rank(stake, score, uptime, false);
        prop_assert!(good <= stake);
        prop_assert_eq!(good, weighted(stake, score, uptime));
        prop_assert_eq!(rank(stake, score, uptime, true), good / 2);
    }

    #[test]
    fn no_emission_exceeds_its_year_or_the_cap(
        year in any::<u32>(),
        base in 0..=CAP,
        blocks in 0..=YEAR,
        room in 0..=CAP,
    ) {
        let emitted = emission(year, base, blocks, YEAR, room);
        prop_assert!(emitted <= room && emitted <= emission_rate(year) * base);
    }

    #[test]
    fn more_at_stake_never_scales_worse(a in 0..=CAP, b in 0..=CAP) {
        let of = |stake| scaling([stake].into_iter(), 0, ALWAYS).normalised;
        prop_assert!(of(a.max(b)) >= of(a.min(b)));
    }
}
