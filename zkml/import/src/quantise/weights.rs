//! The integer weights of a linear node.

use crate::{
    measure::Measured,
    network::{Linear, Map},
};

/// Largest magnitude of a quantised weight.
const WEIGHT_MAX: i32 = 127;
/// How many maps a tensor may be read by that is added to the products of a matrix. Their weights add up: the matrix's
/// scale is so fine that a single one would be rounded much, and the sum's own values with it.
const MOST_MAPS: i32 = 64;
/// Number of weight scales tried: the one that covers all weights, and so on by factors of [`NARROWER`].
const CANDIDATES: i32 = 24;
/// Ratio between neighbouring candidates.
const NARROWER: f64 = 0.85;
/// The same for few weights, where some larger scale may meet all of them exactly.
const WIDER_CANDIDATES: i32 = 350;
const WIDER: f64 = 1.01;

/// A linear node about to be quantised.
pub(super) struct Weights<'a> {
    pub linear: &'a Linear,
    /// Scale and zero point of each source.
    pub sources: Vec<(f64, i64)>,
    pub measured: &'a Measured,
}

/// A weight of one channel with what is known of its input.
struct Term {
    /// What a step of the input adds to the sum.
    weight: f64,
    /// Variance of the input, in steps.
    variance: f64,
    /// Mean of the input, in steps from 0.0.
    mean: f64,
    /// The integer that stands for 0.0.
    zero_point: i64,
    /// Largest magnitude of the quantised weight.
    most: f64,
}

impl Weights<'_> {
    /// The accumulators' scale and the multiplier of every channel: `step` times a multiplier that is an integer, or one
    /// scale for all channels where there is no `step`.
    pub fn scales(&self, step: Option<f64>) -> (Vec<f64>, Vec<u32>) {
        let channels = 0..self.linear.bias.len();
        let Some(step) = step else {
            return (vec![self.common_scale(); channels.len()], vec![]);
        };
        let multipliers: Vec<u32> = channels
            .map(|channel| multiplier(&self.terms(channel), step))
            .collect();
        (
            multipliers
                .iter()
                .map(|&multiplier| f64::from(multiplier) * step)
                .collect(),
            multipliers,
        )
    }

    /// The integer weights of every map, see [`parts`], and the biases, or `None` if a bias leaves 32 bits. A bias also makes
    /// up for what the rounded weights change in the mean.
    pub fn quantise(&self, scales: &[f64]) -> Option<(Vec<Vec<i32>>, Vec<i32>)> {
        let outputs = self.linear.bias.len();
        let mut maps: Vec<Vec<i32>> = self
            .linear
            .maps
            .iter()
            .map(|map| vec![0; map.weights().len()])
            .collect();
        let mut biases = Vec::with_capacity(outputs);
        for (channel, (bias, scale)) in self.linear.bias.iter().zip(scales).enumerate() {
            let mut bias = f64::from(*bias);
            let mut shift = 0_i64;
            let mut terms = self.terms(channel).into_iter();
            for (map, weights) in self.linear.maps.iter().zip(&mut maps) {
                for (place, term) in places(map, outputs, channel).zip(terms.by_ref()) {
                    let quantised = term.steps(*scale);
                    *weights.get_mut(place)? = quantised;
                    bias += term.mean * (term.weight - scale * f64::from(quantised));
                    shift = shift.saturating_add(term.zero_point * i64::from(quantised));
                }
            }
            // The cast saturates.
            let steps = (bias / scale).round() as i64;
            biases.push(i32::try_from(steps.saturating_sub(shift)).ok()?);
        }
        Some((maps, biases))
    }

    /// The weights of a channel, map after map.
    fn terms(&self, channel: usize) -> Vec<Term> {
        let outputs = self.linear.bias.len();
        let mut terms = Vec::new();
        let dense = self
            .linear
            .maps
            .iter()
            .any(|map| matches!(map, Map::Dense(_)));
        let maps = self
            .linear
            .maps
            .iter()
            .zip(&self.sources)
            .zip(&self.measured.inputs);
        for ((map, &(scale, zero_point)), moments) in maps {
            let most = match map {
                Map::Scale(_) if dense => WEIGHT_MAX * MOST_MAPS,
                _ => WEIGHT_MAX,
            };
            for (order, place) in places(map, outputs, channel).enumerate() {
                let input = match map {
                    Map::Dense(_) => order,
                    Map::Scale(_) => channel,
                    Map::Conv(conv) => {
                        let per_group = places(map, outputs, channel).len() / conv.kernel();
                        let group = channel / (outputs / conv.groups.max(1)).max(1);
                        group * per_group + order / conv.kernel()
                    }
                };
                // An input that is constant in the calibration samples still varies by its rounding.
                let variance = (moments.variance(input) / (scale * scale)).max(1.0 / 12.0);
                let weight = map
                    .weights()
                    .get(place)
                    .map_or(0.0, |weight| f64::from(*weight) * scale);
                terms.push(Term {
                    weight,
                    variance,
                    mean: moments.mean(input) / scale,
                    zero_point,
                    most: most.into(),
                });
            }
        }
        terms
    }

    /// The one accumulator scale of the last node. Without any weight but 0 it serves the biases.
    fn common_scale(&self) -> f64 {
        let columns: Vec<Vec<Term>> = (0..self.linear.bias.len())
            .map(|channel| self.terms(channel))
            .collect();
        let cover = columns.iter().map(|terms| cover(terms)).fold(0.0, f64::max);
        let bias = self
            .linear
            .bias
            .iter()
            .fold(0.0_f64, |max, bias| max.max(bias.abs().into()));
        match (cover > 0.0, bias > 0.0) {
            (false, true) => return bias / f64::from(WEIGHT_MAX),
            (false, false) => return 1.0,
            (true, _) => {}
        }
        let error = |scale: f64| columns.iter().map(|terms| output_error(terms, scale)).sum();
        let all = columns.iter().flatten().collect::<Vec<_>>();
        least(candidates(&all, cover).into_iter(), error).unwrap_or(cover)
    }
}

/// The places of a channel's weights in a map, in the order of the inputs.
fn places(map: &Map, outputs: usize, channel: usize) -> std::iter::StepBy<std::ops::Range<usize>> {
    let count = map.weights().len();
    match map {
        Map::Dense(_) => (channel..count).step_by(outputs.max(1)),
        Map::Scale(_) => (channel..channel + 1).step_by(1),
        Map::Conv(_) => {
            let own = count.checked_div(outputs).unwrap_or(0);
            (channel * own..(channel + 1) * own).step_by(1)
        }
    }
}

/// The multiplier of a channel: its accumulators' scale is that many times `step`.
fn multiplier(terms: &[Term], step: f64) -> u32 {
    let all = terms.iter().collect::<Vec<_>>();
    let cover = cover(terms) / step;
    // The cast saturates; `validate` refuses what is then too large.
    let whole = |multiplier: f64| multiplier.ceil().max(1.0) as u32;
    let mut multipliers: Vec<u32> = candidates(&all, cover).into_iter().map(whole).collect();
    // Where scales are powers of two, so are the multipliers that need no rounding of a few weights.
    let exact = whole(cover).checked_next_power_of_two().unwrap_or(1);
    multipliers.splice(0..0, (0..5).map(|power| exact.saturating_mul(1 << power)));
    multipliers.dedup();
    least(multipliers.into_iter(), |m| {
        output_error(terms, f64::from(m) * step)
    })
    .unwrap_or(1)
}

/// The smallest scale that clips no weight.
fn cover(terms: &[Term]) -> f64 {
    let scales = terms.iter().map(|term| term.weight.abs() / term.most);
    scales.fold(0.0, f64::max)
}

/// The candidates for a scale, the first one covering all weights: finer ones, which clip the largest weights, or for few
/// different weights coarser ones.
fn candidates(terms: &[&Term], cover: f64) -> Vec<f64> {
    let mut different: Vec<f64> = Vec::new();
    for term in terms {
        let weight = term.weight.abs();
        if weight > 0.0 && !different.contains(&weight) {
            different.push(weight);
        }
        if different.len() > 3 {
            return (0..CANDIDATES)
                .map(|power| cover * NARROWER.powi(power))
                .collect();
        }
    }
    (0..WIDER_CANDIDATES)
        .map(|power| cover * WIDER.powi(power))
        .collect()
}

/// The first candidate with the least error.
fn least<T: Copy>(candidates: impl Iterator<Item = T>, error: impl Fn(T) -> f64) -> Option<T> {
    candidates
        .map(|candidate| (candidate, error(candidate)))
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|best| best.0)
}

/// The variance that quantising the weights adds to a sum at `scale`, for independent inputs.
fn output_error(terms: &[Term], scale: f64) -> f64 {
    let error = |term: &Term| term.weight - scale * f64::from(term.steps(scale));
    terms
        .iter()
        .map(|term| term.variance * error(term).powi(2))
        .sum()
}

impl Term {
    /// The weight in steps of `scale`, clipped.
    fn steps(&self, scale: f64) -> i32 {
        (self.weight / scale).round().clamp(-self.most, self.most) as i32
    }
}

/// Weights of 8 bits that add up to the given ones: one list, or several if those are larger.
pub(super) fn parts(weights: &[i32]) -> Vec<Vec<i8>> {
    let largest = weights.iter().fold(0, |max, weight| weight.abs().max(max));
    let count = ((largest + WEIGHT_MAX - 1) / WEIGHT_MAX).max(1);
    // What is left of each weight is divided among the parts that are left.
    let part = |part: i32| {
        let upto = |weight: &i32, part: i32| weight * part / count;
        let own = |weight: &i32| (upto(weight, part + 1) - upto(weight, part)) as i8;
        weights.iter().map(own).collect()
    };
    (0..count).map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_to_the_weights() {
        let most = WEIGHT_MAX * MOST_MAPS;
        for weight in -most..=most {
            let parts = parts(&[weight, 5]);
            let sum = |at: usize| parts.iter().map(|part| i32::from(part[at])).sum::<i32>();
            assert_eq!([sum(0), sum(1)], [weight, 5]);
        }
    }
}
