//! The integer weights of a linear node.

use crate::{
    measure::Measured,
    network::{Linear, Map},
};

/// Largest magnitude of a quantised weight.
const WEIGHT_MAX: f64 = 127.0;
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

    /// The integer weights of every map and the biases, or `None` if a bias leaves 32 bits. A bias also makes up for what
    /// the rounded weights change in the mean.
    pub fn quantise(&self, scales: &[f64]) -> Option<(Vec<Vec<i8>>, Vec<i32>)> {
        let outputs = self.linear.bias.len();
        let mut maps: Vec<Vec<i8>> = self
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
                    let quantised = weight_steps(term.weight, *scale);
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
        let maps = self
            .linear
            .maps
            .iter()
            .zip(&self.sources)
            .zip(&self.measured.inputs);
        for ((map, &(scale, zero_point)), moments) in maps {
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
        let cover = columns
            .iter()
            .map(|terms| largest(terms))
            .fold(0.0, f64::max)
            / WEIGHT_MAX;
        let bias = self
            .linear
            .bias
            .iter()
            .fold(0.0_f64, |max, bias| max.max(bias.abs().into()));
        match (cover > 0.0, bias > 0.0) {
            (false, true) => return bias / WEIGHT_MAX,
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
    let cover = largest(terms) / WEIGHT_MAX / step;
    // The cast saturates; `validate` refuses what is then too large.
    let whole = |multiplier: f64| multiplier.ceil().max(1.0) as u32;
    let mut multipliers: Vec<u32> = candidates(&all, cover).into_iter().map(whole).collect();
    multipliers.dedup();
    least(multipliers.into_iter(), |m| {
        output_error(terms, f64::from(m) * step)
    })
    .unwrap_or(1)
}

fn largest(terms: &[Term]) -> f64 {
    terms
        .iter()
        .fold(0.0, |max, term| term.weight.abs().max(max))
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
    let error = |term: &Term| term.weight - scale * f64::from(weight_steps(term.weight, scale));
    terms
        .iter()
        .map(|term| term.variance * error(term).powi(2))
        .sum()
}

/// A weight in steps of `scale`, clipped.
fn weight_steps(weight: f64, scale: f64) -> i8 {
    (weight / scale).round().clamp(-WEIGHT_MAX, WEIGHT_MAX) as i8
}
