//! The real values that integers stand for.

use ciro_zkml_model::Activation;

use crate::{
    measure::Measured,
    network::{Linear, Map, Network, Op},
    ImportError,
};

use super::{activation::curve, keeps_sign};

/// The scale of every tensor. Pools and movements keep the scale of what they read, and tensors that one movement joins
/// share theirs.
pub(super) struct Scales {
    input: (f32, i8),
    /// For each tensor, the first of those with which it shares its scale.
    groups: Vec<usize>,
    /// For each tensor, the scale of its group, at the group's place.
    scales: Vec<f64>,
    /// For each tensor, whether it has no values below 0.
    positive: Vec<bool>,
    /// For each node, how much coarser than planned its requantised values are.
    coarser: Vec<f64>,
}

impl Scales {
    pub fn new(
        network: &Network,
        measured: &[Measured],
        calibration: &[f32],
    ) -> Result<Self, ImportError> {
        let groups = groups(network);
        let input = input(network, &groups, calibration)?;
        let mut scales = Self {
            input,
            scales: vec![0.0; groups.len()],
            positive: vec![input.1 == i8::MIN],
            coarser: vec![1.0; network.nodes.len()],
            groups,
        };
        for (node, measured) in network.nodes.iter().zip(measured) {
            let mut positive = node
                .sources
                .iter()
                .all(|source| scales.positive.get(*source) == Some(&true));
            let tensor = scales.positive.len();
            if let Op::Linear(linear) = &node.op {
                let (low, high) = linear
                    .range
                    .map_or(measured.values, |(low, high)| (low.into(), high.into()));
                positive = match &linear.function {
                    function if function.is_relu() => true,
                    function if function.is_identity() => positive && keeps_sign(linear),
                    _ => low >= 0.0,
                };
                let scale = match (positive, linear.function.is_identity()) {
                    (true, _) => high / 255.0,
                    (false, true) => high.max(-low) / 127.0,
                    (false, false) => (high / 255.0).max(-low / 128.0),
                };
                let group = scales
                    .groups
                    .get(tensor)
                    .and_then(|group| scales.scales.get_mut(*group));
                if let Some(planned) = group {
                    *planned = planned.max(scale);
                }
            }
            scales.positive.push(positive);
        }
        // What never fires needs some scale.
        scales
            .scales
            .iter_mut()
            .filter(|scale| !scale.is_normal())
            .for_each(|scale| *scale = 1.0);
        Ok(scales)
    }

    /// Scale and zero point of the input.
    pub fn input(&self) -> (f32, i8) {
        self.input
    }

    /// Scale and zero point of a tensor.
    pub fn tensor(&self, tensor: usize) -> (f64, i64) {
        match self.groups.get(tensor) {
            Some(0) => (self.input.0.into(), self.input.1.into()),
            Some(group) => (self.scales.get(*group).copied().unwrap_or(1.0), 0),
            None => (1.0, 0),
        }
    }

    /// Scale of a hidden linear node's requantised values, and its activation.
    pub fn node(&self, node: usize, linear: &Linear, measured: &Measured) -> (f64, Activation) {
        let (scale, _) = self.tensor(node + 1);
        let positive = self.positive.get(node + 1) == Some(&true);
        match (linear.function.is_curve(), positive) {
            (false, false) => (scale, Activation::Identity),
            (false, true) => (scale, Activation::Relu),
            (true, _) => {
                let coarser = self.coarser.get(node).copied().unwrap_or(1.0);
                let low = if positive { 0 } else { -128 };
                curve(&linear.function, measured.sums, scale, low, coarser)
            }
        }
    }

    /// Makes the steps of a node's requantised values larger: those of a table's arguments, or of the tensor.
    pub fn coarsen(&mut self, node: usize, curved: bool, factor: f64) {
        let group = self.groups.get(node + 1).copied().unwrap_or(0);
        let slot = if curved {
            self.coarser.get_mut(node)
        } else {
            self.scales.get_mut(group)
        };
        if let Some(scale) = slot {
            *scale *= factor;
        }
    }
}

/// For each tensor, the first of those that share its scale.
fn groups(network: &Network) -> Vec<usize> {
    let mut groups: Vec<usize> = (0..=network.nodes.len()).collect();
    for (index, node) in network.nodes.iter().enumerate() {
        if let Op::MaxPool(_) | Op::Select(_) = node.op {
            let tensors = || node.sources.iter().chain([&index]).enumerate();
            // The node's own tensor comes after its index.
            let of = |(at, tensor): (usize, &usize)| {
                groups
                    .get(tensor + usize::from(at == node.sources.len()))
                    .copied()
            };
            let joined: Vec<usize> = tensors().filter_map(of).collect();
            let first = joined.iter().copied().min().unwrap_or(0);
            groups
                .iter_mut()
                .filter(|group| joined.contains(group))
                .for_each(|group| *group = first);
        }
    }
    groups
}

/// The input's scale and zero point: those that the file states, or the calibration range, widened to contain 0, over the
/// 256 values of 8 bits. Where a convolution adds zeros around the input, the integer 0 must stand for them.
fn input(
    network: &Network,
    groups: &[usize],
    calibration: &[f32],
) -> Result<(f32, i8), ImportError> {
    let padded = network.nodes.iter().any(|node| match &node.op {
        Op::Linear(linear) => linear.maps.iter().zip(&node.sources).any(|(map, source)| {
            let pads = matches!(map, Map::Conv(conv) if conv.window.pads != [0; 4]);
            pads && groups.get(*source) == Some(&0)
        }),
        Op::MaxPool(_) | Op::Select(_) => false,
    });
    if let Some((scale, zero_point)) = network
        .input
        .filter(|(_, zero_point)| !padded || *zero_point == 0)
    {
        return Ok((scale, zero_point));
    }
    let low = calibration
        .iter()
        .fold(0.0_f64, |low, &x| low.min(x.into()));
    let high = calibration
        .iter()
        .fold(0.0_f64, |high, &x| high.max(x.into()));
    let scale = match (high > low, padded) {
        (true, true) => (high.max(-low) / 127.0) as f32,
        (true, false) => ((high - low) / 255.0) as f32,
        (false, _) => 1.0,
    };
    if !scale.is_normal() {
        return Err(ImportError::Calibration(format!(
            "its range {low}..{high} cannot be quantised; rescale the inputs"
        )));
    }
    // The cast saturates.
    let zero_point = if padded {
        0
    } else {
        (-128.0 - low / f64::from(scale)).round() as i8
    };
    Ok((scale, zero_point))
}
