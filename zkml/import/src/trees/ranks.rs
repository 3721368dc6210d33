//! From thresholds to ranks: the integers that say where a column's value stands among the numbers it is compared with.

use std::collections::BTreeMap;

use ciro_zkml_model::{Missing, Ranks};

/// Most thresholds of a ranked input; a rank has 8 bits.
const CHUNK: usize = 255;
/// Above every finite `f32`, and itself finite: only an infinite value reaches it.
const ABOVE_FLOATS: f64 = (1_u128 << 127) as f64 * 2.0;

/// Which values of a column go low. Values are `f32`, widened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cut {
    /// None.
    Never,
    /// Those below a finite number.
    Below(f64),
    /// All.
    Always,
}

impl Cut {
    /// `x < bound`, unless that is not a number.
    pub fn below(bound: f64) -> Option<Self> {
        match bound {
            bound if bound.is_nan() => None,
            f64::NEG_INFINITY => Some(Cut::Never),
            f64::INFINITY => Some(Cut::Below(ABOVE_FLOATS)),
            // The sum turns -0.0 into 0.0, which it equals.
            bound => Some(Cut::Below(bound + 0.0)),
        }
    }

    /// `x <= bound`, unless that is not a number.
    pub fn at_most(bound: f64) -> Option<Self> {
        match bound {
            f64::INFINITY => Some(Cut::Always),
            bound => Self::below(bound.next_up()),
        }
    }

    /// The cut of `x` where this is one of `map(x)`, and whether low and high change sides.
    ///
    /// `map` is monotone, and maps infinities to infinities.
    pub fn before(self, map: impl Fn(f32) -> f32) -> (Self, bool) {
        let Cut::Below(bound) = self else {
            return (self, false);
        };
        let falls = map(f32::INFINITY) < map(f32::NEG_INFINITY);
        // From here on upwards values go high, or low if `map` falls.
        let first = first_float(|x| (f64::from(map(x)) < bound) == falls);
        let cut = Self::below(first.into()).unwrap_or(Cut::Never);
        (cut, falls)
    }
}

/// The smallest float for which `holds`, which once true stays true as floats grow; infinity if there is none.
fn first_float(holds: impl Fn(f32) -> bool) -> f32 {
    let (mut low, mut high) = (place(f32::NEG_INFINITY), place(f32::INFINITY));
    while low < high {
        let middle = low + (high - low) / 2;
        match holds(float(middle)) {
            true => high = middle,
            false => low = middle + 1,
        }
    }
    float(low)
}

/// The place of a float among all of them in ascending order, by its bits.
fn place(x: f32) -> u32 {
    match x.to_bits() {
        bits if x.is_sign_negative() => !bits,
        bits => bits | 1 << 31,
    }
}

/// The float at a place.
fn float(place: u32) -> f32 {
    match place >> 31 {
        0 => f32::from_bits(!place),
        _ => f32::from_bits(place & !(1 << 31)),
    }
}

/// All thresholds of a forest, and the ranked inputs that they make.
#[derive(Default)]
pub(super) struct Ranking {
    /// For each column, and whether missing values of it are high: its thresholds and the first of its inputs.
    groups: BTreeMap<(u32, bool), Group>,
}

#[derive(Default)]
struct Group {
    thresholds: Vec<f64>,
    first: usize,
}

impl Ranking {
    /// Collects the finite thresholds that columns are compared with.
    pub fn new(branches: impl Iterator<Item = (u32, Missing, f64)>) -> Self {
        let mut ranking = Self::default();
        for (column, missing, threshold) in branches {
            let group = ranking.groups.entry((column, missing == Missing::High));
            group.or_default().thresholds.push(threshold);
        }
        let mut first = 0;
        for group in ranking.groups.values_mut() {
            group.thresholds.sort_unstable_by(f64::total_cmp);
            group.thresholds.dedup();
            group.first = first;
            first += group.thresholds.len().div_ceil(CHUNK);
        }
        ranking
    }

    /// The input that tells whether a column is below a threshold, and the largest rank for which it is.
    pub fn find(&self, column: u32, missing: Missing, threshold: f64) -> Option<(u32, i8)> {
        let group = self.groups.get(&(column, missing == Missing::High))?;
        let by_value = |probe: &f64| probe.total_cmp(&threshold);
        let place = group.thresholds.binary_search_by(by_value).ok()?;
        let input = u32::try_from(group.first + place / CHUNK).ok()?;
        // A value below threshold `j` of a chunk has at most `j` of them at or below it: its rank is at most `j - 128`.
        let rank = i8::try_from((place % CHUNK) as i64 - 128).ok()?;
        Some((input, rank))
    }

    /// The ranked inputs; at least one, even if no tree asks anything.
    pub fn into_inputs(self) -> Vec<Ranks> {
        let missing = |high| match high {
            true => Missing::High,
            false => Missing::Low,
        };
        let inputs = self.groups.iter().flat_map(|(&(column, high), group)| {
            group.thresholds.chunks(CHUNK).map(move |chunk| Ranks {
                column,
                thresholds: chunk.to_vec(),
                missing: Some(missing(high)),
            })
        });
        let inputs: Vec<Ranks> = inputs.collect();
        match inputs.is_empty() {
            false => inputs,
            true => vec![Ranks {
                column: 0,
                thresholds: vec![],
                missing: Some(Missing::Low),
            }],
        }
    }
}
