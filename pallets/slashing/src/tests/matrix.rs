use crate::{
    matrix::{sentence, Sentence, LONGEST_SUSPENSION, SHORTEST_SUSPENSION},
    OffenceKind::{self, *},
};
use sp_runtime::Perbill;

const KINDS: [OffenceKind; 4] = [DoubleSigning, Downtime, InvalidCompute, CoordinatedAttack];

fn row(kind: OffenceKind, nth: u32) -> (Perbill, Option<u32>) {
    let Sentence { fraction, days } = sentence(kind, nth);
    (fraction, days)
}

#[test]
fn each_offence_costs_its_row_of_the_matrix() {
    assert_eq!(row(DoubleSigning, 1), (Perbill::from_percent(30), Some(90)));
    assert_eq!(row(Downtime, 1), (Perbill::from_percent(5), Some(30)));
    assert_eq!(
        row(InvalidCompute, 1),
        (Perbill::from_percent(50), Some(180))
    );
    assert_eq!(row(CoordinatedAttack, 1), (Perbill::one(), None));
}

#[test]
fn a_second_offence_costs_twice_and_a_third_and_later_one_three_times() {
    assert_eq!(row(Downtime, 2), (Perbill::from_percent(10), Some(60)));
    assert_eq!(
        row(DoubleSigning, 2),
        (Perbill::from_percent(60), Some(180))
    );
    for nth in [3, 4, 1_000, u32::MAX] {
        assert_eq!(row(Downtime, nth), (Perbill::from_percent(15), Some(90)));
        assert_eq!(
            row(DoubleSigning, nth),
            (Perbill::from_percent(90), Some(270))
        );
    }
}

#[test]
fn no_offence_costs_more_than_everything() {
    for nth in 2..5 {
        assert_eq!(row(InvalidCompute, nth).0, Perbill::one());
        assert_eq!(row(CoordinatedAttack, nth), (Perbill::one(), None));
    }
}

#[test]
fn the_shortest_and_the_longest_suspension_are_those_of_the_matrix() {
    let days = || {
        (0..5)
            .flat_map(|nth| KINDS.map(|kind| sentence(kind, nth).days))
            .flatten()
    };
    assert_eq!(days().max(), Some(LONGEST_SUSPENSION));
    assert_eq!(days().min(), Some(SHORTEST_SUSPENSION));
}
