//! Merges the nodes of a float network that one integer node can compute.
//!
//! Scalings, shifts and functions come out of the graph as nodes of their own. Each is merged into the linear node
//! before it or, failing that, into the one after it, so that values are rounded to 8 bits as rarely as possible.

use crate::{
    function::Function,
    network::{Linear, Map, Network, Node, Op},
};

/// Merges what can be merged and drops what the last node does not need.
pub(crate) fn fold(network: &mut Network) {
    drop_unused(network);
    // Every change removes a node or moves one towards the input.
    loop {
        let uses = uses(network);
        if !(0..network.nodes.len()).any(|at| fold_node(network, &uses, at)) {
            return;
        }
        drop_unused(network);
    }
}

/// How many times every tensor is read.
fn uses(network: &Network) -> Vec<usize> {
    let mut uses = vec![0; network.nodes.len() + 1];
    for source in network.nodes.iter().flat_map(|node| &node.sources) {
        if let Some(count) = uses.get_mut(*source) {
            *count += 1;
        }
    }
    uses
}

/// Merges node `at` with a node that it alone reads; false if nothing can be merged.
fn fold_node(network: &mut Network, uses: &[usize], at: usize) -> bool {
    let Some(Op::Linear(linear)) = network.nodes.get(at).map(|node| &node.op) else {
        return false;
    };
    (0..linear.maps.len()).any(|map| {
        if let Some(gains) = gains_of_norm(network, at, map) {
            return into_later(network, at, map, gains);
        }
        let Some(before) = only_reader(network, uses, at, map) else {
            return false;
        };
        into_earlier(network, at, before)
            || into_later(network, at, map, before)
            || through_one_value(network, at, before)
            || into_sum(network, at, map, before)
            || before_pool(network, uses, at, before)
    })
}

/// The node that makes source `map` of node `at`, if no other node reads it.
fn only_reader(network: &Network, uses: &[usize], at: usize, map: usize) -> Option<usize> {
    let tensor = *network.nodes.get(at)?.sources.get(map)?;
    tensor
        .checked_sub(1)
        .filter(|_| uses.get(tensor) == Some(&1))
}

/// The node that makes source `map` of node `at`, if it scales what a norm makes: every reader may do that itself.
fn gains_of_norm(network: &Network, at: usize, map: usize) -> Option<usize> {
    let before = network.nodes.get(at)?.sources.get(map)?.checked_sub(1)?;
    network.linear(before + 1)?.only_scale()?;
    let source = *network.nodes.get(before)?.sources.first()?;
    let maker = network.nodes.get(source.checked_sub(1)?)?;
    matches!(maker.op, Op::Norm(_)).then_some(before)
}

/// The linear nodes `before` and `at`, if the first has no function.
fn linear_pair(network: &Network, at: usize, before: usize) -> Option<(&Linear, &Linear)> {
    match (&network.nodes.get(before)?.op, &network.nodes.get(at)?.op) {
        (Op::Linear(first), Op::Linear(second)) if first.function.is_identity() => {
            Some((first, second))
        }
        _ => None,
    }
}

/// A node that only scales: the linear node before it takes over its factors and function.
fn into_earlier(network: &mut Network, at: usize, before: usize) -> bool {
    let merged = linear_pair(network, at, before).and_then(|(first, second)| {
        let factors = second.only_scale()?;
        let same_shape = network.tensor_shape(before + 1) == network.tensor_shape(at + 1);
        let alike = first.axis == second.axis && first.bias.len() == factors.len();
        if !same_shape || !(alike || second.is_uniform()) {
            return None;
        }
        let per_channel = |values: &[f32]| -> Vec<f32> {
            let uniform = values.first().copied().unwrap_or(0.0);
            if alike {
                values.to_vec()
            } else {
                vec![uniform; first.bias.len()]
            }
        };
        let (factors, offsets) = (per_channel(factors), per_channel(&second.bias));
        let mut merged = first.clone();
        merged
            .maps
            .iter_mut()
            .for_each(|map| map.scale_outputs(&factors));
        for ((bias, factor), offset) in merged.bias.iter_mut().zip(&factors).zip(&offsets) {
            *bias = *bias * factor + offset;
        }
        (merged.function, merged.range) = (second.function.clone(), second.range);
        Some(merged)
    });
    let sources = network.nodes.get(before).map(|node| node.sources.clone());
    replace(network, at, merged.zip(sources))
}

/// Scales before a linear node: the map that reads them takes over the factors.
fn into_later(network: &mut Network, at: usize, map: usize, before: usize) -> bool {
    let merged = linear_pair(network, at, before).and_then(|(first, second)| {
        let factors = first.only_scale()?;
        let source = *network.nodes.get(before)?.sources.first()?;
        let shape = network.tensor_shape(before + 1);
        let mut merged = second.clone();
        let own_channels = first.axis == second.axis && shape == network.tensor_shape(at + 1);
        let Linear { maps, bias, .. } = &mut merged;
        let fits = match maps.get(map)? {
            Map::Dense(_) => first.axis + 1 == shape.len(),
            Map::Conv(_) => first.axis == 0,
            Map::Scale(_) => own_channels,
        };
        // The positions that a convolution adds around its image stay 0: no offset may move them.
        let bare = match maps.get(map)? {
            Map::Conv(conv) => {
                conv.window.pads == [0; 4] || first.bias.iter().all(|offset| *offset == 0.0)
            }
            Map::Dense(_) | Map::Scale(_) => true,
        };
        let reads_alike =
            matches!(maps.get(map)?, Map::Scale(_)) || network.tensor_shape(source) == shape;
        if !reads_alike || !bare || !(fits || first.is_uniform()) {
            return None;
        }
        let inputs = match maps.get(map)? {
            Map::Dense(weights) => weights.len().checked_div(bias.len())?,
            Map::Conv(_) => *shape.first()?,
            Map::Scale(own) => own.len(),
        };
        let per_input = |values: &[f32]| -> Vec<f32> {
            let uniform = values.first().copied().unwrap_or(0.0);
            if fits {
                values.to_vec()
            } else {
                vec![uniform; inputs]
            }
        };
        maps.get_mut(map)?
            .absorb(&per_input(factors), &per_input(&first.bias), bias);
        let mut sources = network.nodes.get(at)?.sources.clone();
        *sources.get_mut(map)? = source;
        Some((merged, sources))
    });
    replace(network, at, merged)
}

/// A matrix that reads a single value made by another matrix: one matrix does both.
fn through_one_value(network: &mut Network, at: usize, before: usize) -> bool {
    let merged = linear_pair(network, at, before).and_then(|(first, second)| {
        let ([Map::Dense(columns)], [Map::Dense(row)]) =
            (first.maps.as_slice(), second.maps.as_slice())
        else {
            return None;
        };
        let ([one], [bias]) = (network.tensor_shape(before + 1), first.bias.as_slice()) else {
            return None;
        };
        let mut merged = second.clone();
        merged
            .bias
            .iter_mut()
            .zip(row)
            .for_each(|(own, weight)| *own += bias * weight);
        let products = columns
            .iter()
            .flat_map(|weight| row.iter().map(move |factor| weight * factor));
        merged.maps = vec![Map::Dense(products.collect())];
        (*one == 1).then_some(merged)
    });
    let sources = network.nodes.get(before).map(|node| node.sources.clone());
    replace(network, at, merged.zip(sources))
}

/// A matrix product that is a term of a sum of tensors: the sum takes over its maps, so that nothing is rounded between. The
/// last node's channels share one scale, which suits no sum of such different weights.
fn into_sum(network: &mut Network, at: usize, map: usize, before: usize) -> bool {
    let is_last = at + 1 == network.nodes.len();
    let merged = linear_pair(network, at, before).and_then(|(first, second)| {
        let dense = first.maps.iter().any(|map| matches!(map, Map::Dense(_)));
        let same_shape = network.tensor_shape(before + 1) == network.tensor_shape(at + 1);
        let alike = first.axis == second.axis && same_shape;
        let Map::Scale(factors) = second.maps.get(map)? else {
            return None;
        };
        if is_last || !dense || !alike || second.maps.len() < 2 {
            return None;
        }
        let mut merged = second.clone();
        let mut maps = first.maps.clone();
        maps.iter_mut().for_each(|map| map.scale_outputs(factors));
        merged.maps.splice(map..=map, maps);
        for ((bias, factor), offset) in merged.bias.iter_mut().zip(factors).zip(&first.bias) {
            *bias += factor * offset;
        }
        let mut sources = network.nodes.get(at)?.sources.clone();
        let own = network.nodes.get(before)?.sources.clone();
        sources.splice(map..=map, own);
        Some((merged, sources))
    });
    replace(network, at, merged)
}

/// A scaling and function that keep the order of values may as well come before the pool that they follow, where a
/// linear node can take them over.
fn before_pool(network: &mut Network, uses: &[usize], at: usize, before: usize) -> bool {
    let swapped = || {
        let (pool, node) = (network.nodes.get(before)?, network.nodes.get(at)?);
        let (Op::MaxPool(window), Op::Linear(linear)) = (&pool.op, &node.op) else {
            return None;
        };
        let image = network.tensor_shape(*pool.sources.first()?).to_vec();
        let rises = linear.only_scale()?.iter().all(|factor| *factor > 0.0)
            && linear.function.is_monotone();
        // Only where it can go on into a linear node.
        let tensor = *pool.sources.first()?;
        let alone = at + 1 < network.nodes.len() && only_reader(network, uses, before, 0).is_some();
        let earlier = network
            .linear(tensor)
            .is_some_and(|linear| linear.function.is_identity());
        if !rises || !alone || !earlier || linear.axis != 0 || node.shape != pool.shape {
            return None;
        }
        let first = Node {
            sources: pool.sources.clone(),
            shape: image,
            op: Op::Linear(linear.clone()),
        };
        let second = Node {
            sources: vec![before + 1],
            shape: node.shape.clone(),
            op: Op::MaxPool(window.clone()),
        };
        Some((first, second))
    };
    let Some((first, second)) = swapped() else {
        return false;
    };
    for (place, node) in [(before, first), (at, second)] {
        if let Some(slot) = network.nodes.get_mut(place) {
            *slot = node;
        }
    }
    true
}

/// Puts a merged linear node in the place of node `at`.
fn replace(network: &mut Network, at: usize, merged: Option<(Linear, Vec<usize>)>) -> bool {
    match (merged, network.nodes.get_mut(at)) {
        (Some((linear, sources)), Some(node)) => {
            (node.op, node.sources) = (Op::Linear(linear), sources);
            true
        }
        _ => false,
    }
}

impl Map {
    /// Multiplies the map's results, by channel.
    fn scale_outputs(&mut self, factors: &[f32]) {
        let outputs = factors.len().max(1);
        match self {
            Map::Dense(weights) | Map::Scale(weights) => {
                for row in weights.chunks_exact_mut(outputs) {
                    row.iter_mut()
                        .zip(factors)
                        .for_each(|(weight, factor)| *weight *= factor);
                }
            }
            Map::Conv(conv) => {
                let kernel = (conv.weights.len() / outputs).max(1);
                for (weights, factor) in conv.weights.chunks_exact_mut(kernel).zip(factors) {
                    weights.iter_mut().for_each(|weight| *weight *= factor);
                }
            }
        }
    }

    /// Makes the map that first multiplies its inputs by `factors` and adds `offsets`.
    fn absorb(&mut self, factors: &[f32], offsets: &[f32], bias: &mut [f32]) {
        let inputs = || factors.iter().zip(offsets);
        let outputs = bias.len().max(1);
        match self {
            Map::Dense(weights) => {
                for (row, (factor, offset)) in weights.chunks_exact_mut(outputs).zip(inputs()) {
                    for (weight, bias) in row.iter_mut().zip(bias.iter_mut()) {
                        *bias += offset * *weight;
                        *weight *= factor;
                    }
                }
            }
            Map::Conv(conv) => {
                let (kernel, groups) = (conv.kernel(), conv.groups.max(1));
                let (per_group, outputs_per_group) =
                    (factors.len() / groups, (outputs / groups).max(1));
                let kernels = conv.weights.chunks_exact_mut((per_group * kernel).max(1));
                for (output, (weights, bias)) in kernels.zip(bias.iter_mut()).enumerate() {
                    let channels = inputs().skip(output / outputs_per_group * per_group);
                    for (taps, (factor, offset)) in weights.chunks_exact_mut(kernel).zip(channels) {
                        for weight in taps {
                            *bias += offset * *weight;
                            *weight *= factor;
                        }
                    }
                }
            }
            Map::Scale(weights) => {
                for ((weight, bias), (factor, offset)) in
                    weights.iter_mut().zip(bias.iter_mut()).zip(inputs())
                {
                    *bias += offset * *weight;
                    *weight *= factor;
                }
            }
        }
    }
}

/// Removes the nodes that the last one does not depend on.
fn drop_unused(network: &mut Network) {
    let mut needed = vec![false; network.nodes.len()];
    if let Some(last) = needed.last_mut() {
        *last = true;
    }
    for (index, node) in network.nodes.iter().enumerate().rev() {
        if needed.get(index) == Some(&true) {
            for source in &node.sources {
                if let Some(slot) = source.checked_sub(1).and_then(|node| needed.get_mut(node)) {
                    *slot = true;
                }
            }
        }
    }
    let mut places = vec![0];
    let mut kept = 0;
    for needed in &needed {
        kept += usize::from(*needed);
        places.push(kept);
    }
    let mut keep = needed.into_iter();
    network.nodes.retain(|_| keep.next().unwrap_or(false));
    for source in network.nodes.iter_mut().flat_map(|node| &mut node.sources) {
        *source = places.get(*source).copied().unwrap_or(0);
    }
}

/// Appends a node that hands the last tensor on, so that its accumulators can be the output.
pub(crate) fn end_linear(network: &mut Network) {
    let tensor = network.nodes.len();
    let shape = network.tensor_shape(tensor).to_vec();
    let axis = if shape.len() == 3 {
        0
    } else {
        shape.len().saturating_sub(1)
    };
    let channels = shape.get(axis).copied().unwrap_or(1);
    let linear = Linear::scale(
        axis,
        vec![1.0; channels],
        vec![0.0; channels],
        Function::identity(),
    );
    network.nodes.push(Node {
        sources: vec![tensor],
        shape,
        op: Op::Linear(linear),
    });
}
