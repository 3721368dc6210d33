use crate::{
    mock::*,
    tiers::{tier, TIERS},
};
use frame_support::assert_ok;
use sp_runtime::Percent;

const UNIT: u128 = 1_000_000_000_000_000_000;
const DOLLAR: u128 = 1_000_000;

#[test]
fn a_tier_is_reached_exactly_at_its_worth() {
    for expected in TIERS {
        let stake = u128::from(expected.usd) * UNIT;
        assert_eq!(tier(stake, DOLLAR), Some(expected));
        let below = tier(stake - 1, DOLLAR).map_or(0, |tier| tier.number);
        assert_eq!(below, expected.number - 1);
    }
}

#[test]
fn tiers_go_by_the_price() {
    assert_eq!(tier(1_000 * UNIT, DOLLAR / 10).unwrap().number, 1);
    assert_eq!(tier(1_000 * UNIT, DOLLAR / 10 - 1), None);
    assert_eq!(tier(1_000 * UNIT, 0), None);
    assert_eq!(tier(u128::MAX, u128::MAX).unwrap().number, 8);
}

#[test]
fn higher_tiers_have_more_of_everything() {
    for pair in TIERS.windows(2) {
        let (low, high) = (pair[0], pair[1]);
        assert_eq!(low.number + 1, high.number);
        assert!(low.usd < high.usd && low.priority < high.priority && low.bonus < high.bonus);
    }
    let (first, last) = (TIERS[0], TIERS[7]);
    assert_eq!((first.number, first.usd, last.usd), (1, 100, 500_000));
    assert_eq!((first.priority, last.priority), (10, 50));
    assert_eq!(
        (first.bonus, last.bonus),
        (Percent::from_percent(5), Percent::from_percent(50))
    );
}

#[test]
fn an_operators_tier_is_that_of_its_total_stake() {
    test(|| {
        assert_eq!(Pool::tier(operator()), None);
        assert_ok!(stake(operator(), 60_000));
        // A price at which a planck is worth a cent.
        Price::set(UNIT * DOLLAR / 100);
        assert_eq!(Pool::tier(operator()).unwrap().usd, 500);
        assert_ok!(stake_for(operator(), alice(), 99_000));
        assert_ok!(stake_for(operator(), bob(), 99_000));
        assert_eq!(Pool::tier(operator()).unwrap().usd, 2_500);
        Price::set(DOLLAR);
        assert_eq!(Pool::tier(operator()), None);
    });
}
