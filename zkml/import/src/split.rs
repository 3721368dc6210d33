//! Divides a matrix whose products are used in parts, such as queries, keys and values, so that each part has a scale of
//! its own.

use std::ops::Range;

use crate::network::{Linear, Map, Network, Node, Op};

/// Divides what can be divided.
pub(crate) fn split(network: &mut Network) {
    let mut at = 0;
    while at < network.nodes.len() {
        let parts = parts(network, at);
        if parts.len() > 1 {
            divide(network, at, &parts);
        }
        at += parts.len().max(1);
    }
}

/// The matrix of a node and its number of columns, if that is all the node has.
fn matrix(node: &Node) -> Option<(&Linear, &[f32])> {
    match &node.op {
        Op::Linear(linear) => match linear.maps.as_slice() {
            [Map::Dense(weights)] => Some((linear, weights)),
            _ => None,
        },
        _ => None,
    }
}

/// The ranges of columns that the readers of node `at` select, if they do not overlap.
fn parts(network: &Network, at: usize) -> Vec<Range<usize>> {
    let Some((linear, _)) = network.nodes.get(at).and_then(matrix) else {
        return vec![];
    };
    let columns = linear.bias.len().max(1);
    let mut parts: Vec<Range<usize>> = Vec::new();
    for node in network
        .nodes
        .iter()
        .filter(|node| node.sources.contains(&(at + 1)))
    {
        let (Op::Select(indices), [_]) = (&node.op, node.sources.as_slice()) else {
            return vec![];
        };
        let read = || indices.iter().map(|index| *index as usize % columns);
        let (Some(first), Some(last)) = (read().min(), read().max()) else {
            return vec![];
        };
        if !parts.contains(&(first..last + 1)) {
            parts.push(first..last + 1);
        }
    }
    parts.sort_by_key(|part| part.start);
    let apart = parts
        .iter()
        .zip(parts.iter().skip(1))
        .all(|(a, b)| a.end <= b.start);
    if apart {
        parts
    } else {
        vec![]
    }
}

/// Puts a node for each part in the place of node `at`.
fn divide(network: &mut Network, at: usize, parts: &[Range<usize>]) {
    let Some(whole) = network.nodes.get(at).cloned() else {
        return;
    };
    let Some((linear, weights)) = matrix(&whole) else {
        return;
    };
    let columns = linear.bias.len().max(1);
    let part = |range: &Range<usize>| {
        let own = |values: &[f32]| values.get(range.clone()).unwrap_or(&[]).to_vec();
        let mut shape = whole.shape.clone();
        if let Some(size) = shape.last_mut() {
            *size = range.len();
        }
        let linear = Linear {
            maps: vec![Map::Dense(weights.chunks(columns).flat_map(own).collect())],
            bias: own(&linear.bias),
            ..linear.clone()
        };
        Node {
            sources: whole.sources.clone(),
            shape,
            op: Op::Linear(linear),
        }
    };
    let nodes: Vec<Node> = parts.iter().map(part).collect();
    network.nodes.splice(at..at + 1, nodes);
    for node in network.nodes.iter_mut().skip(at + parts.len()) {
        redirect(node, at + 1, columns, parts);
    }
}

/// Makes a node that reads part of the `columns` of `tensor` read the part's own tensor, those of later nodes following.
fn redirect(node: &mut Node, tensor: usize, columns: usize, parts: &[Range<usize>]) {
    if let (Op::Select(indices), true) = (&mut node.op, node.sources == [tensor]) {
        let column = |index: u32| index as usize % columns;
        let first = indices.first().map_or(0, |index| column(*index));
        let read = parts
            .iter()
            .enumerate()
            .find(|(_, part)| part.contains(&first));
        let (place, part) = read.map_or((0, 0..columns), |(place, part)| (place, part.clone()));
        for index in indices {
            let row = *index as usize / columns;
            *index = (row * part.len() + column(*index) - part.start) as u32;
        }
        node.sources = vec![tensor + place];
        return;
    }
    for source in node.sources.iter_mut().filter(|source| **source > tensor) {
        *source += parts.len() - 1;
    }
}
