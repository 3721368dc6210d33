//! The words of linear nodes.

use std::collections::BTreeMap;

use ciro_zkml_model::{Linear, Map, Node};

use super::{first_positions, Block, Group, Groups, Obstacle, Packing, NONE};
use crate::layout::linear::conv_blocks;

impl Packing<'_> {
    /// The blocks of a linear node.
    pub(super) fn linear(
        &mut self,
        index: usize,
        node: &Node,
        linear: &Linear,
    ) -> Result<Vec<Block>, Obstacle> {
        let last = index + 1 == self.model.nodes.len();
        let positions = self.words.positions;
        if positions == 1 {
            let blocks = match linear.maps.as_slice() {
                [Map::Conv(conv)] if !last => conv_blocks(node, conv, self.lanes),
                _ => vec![(0..node.elements() as u32).collect()],
            };
            let words = |block: &[u32]| {
                block
                    .iter()
                    .map(|element| vec![*element])
                    .collect::<Vec<_>>()
            };
            return Ok(blocks
                .iter()
                .flat_map(|block| self.blocks(&words(block), self.lanes))
                .collect());
        }
        let is_dense = linear.maps.iter().any(|map| matches!(map, Map::Dense(_)));
        let width = if is_dense {
            node.shape.last().map_or(1, |axis| *axis as usize)
        } else {
            1
        };
        let groups = self.linear_groups(node, linear, width)?;
        if self.turned.contains(&index) {
            if is_dense {
                return Err(Obstacle::Never(
                    "what it makes must be turned, and it is not a sum of scaled tensors",
                ));
            }
            return self.turned_blocks(node, linear, &groups);
        }
        let words_of = |group: &Group| -> Vec<Vec<u32>> {
            let word = |column: u32| {
                group
                    .units
                    .iter()
                    .map(|unit| unit * width as u32 + column)
                    .collect()
            };
            (0..width as u32).map(word).collect()
        };
        let words: Vec<Vec<u32>> = groups.iter().flat_map(words_of).collect();
        let same = |word: &Vec<u32>| same_channel(node, linear, word);
        match (words.iter().all(same), is_dense) {
            (true, _) => {}
            // Its positions are channels, as those of an embedding are.
            (false, false) => return Err(Obstacle::Turn(index)),
            (false, true) => return Err(Obstacle::Never("its weights differ between positions")),
        }
        match last || !is_dense {
            true => Ok(self.blocks(&words, self.lanes)),
            false => Ok(words
                .chunks(width)
                .flat_map(|words| self.blocks(words, self.lanes))
                .collect()),
        }
    }

    /// The rows of a node's outputs, of `width` columns, that are computed from the same words.
    fn linear_groups(
        &self,
        node: &Node,
        linear: &Linear,
        width: usize,
    ) -> Result<Vec<Group>, Obstacle> {
        let mut groups = Groups::default();
        for unit in 0..node.elements() / width {
            let (mut words, mut at) = (Vec::new(), None);
            for (map, source) in linear.maps.iter().zip(&node.sources) {
                let own = match map {
                    Map::Scale(_) => width,
                    Map::Dense(weights) => weights.len() / width,
                    Map::Conv(_) => return Err(Obstacle::Never("it convolves a sequence")),
                };
                let (of_source, position) = self.line(*source, unit * own..(unit + 1) * own)?;
                if matches!(map, Map::Dense(_)) && of_source.len() != own {
                    return Err(Obstacle::Never("it multiplies constants by weights"));
                }
                if at.is_some() && position.is_some() && at != position {
                    return Err(Obstacle::Never("it adds values of different positions"));
                }
                at = at.or(position);
                words.extend(of_source);
            }
            groups.add(words, at, unit as u32, self.words.positions);
        }
        groups.complete()
    }

    /// Blocks whose words have neighbouring rows, or columns, for positions, where the sources have the others.
    fn turned_blocks(
        &mut self,
        node: &Node,
        linear: &Linear,
        groups: &[Group],
    ) -> Result<Vec<Block>, Obstacle> {
        let positions = self.words.positions;
        let columns = node.shape.last().map_or(1, |axis| *axis as usize);
        let mut bundles: BTreeMap<(usize, usize), Vec<u32>> = BTreeMap::new();
        for group in groups {
            if group.whole || !same_channel_weights(node, linear, &group.units) {
                return Err(Obstacle::Never(
                    "its weights differ between channels, and it must be turned",
                ));
            }
            let first = group.units[0] as usize;
            let (row, column) = (first / columns, first % columns);
            let along_columns = group.units[1] == group.units[0] + 1;
            let lane = if along_columns { row } else { column } % positions;
            let bundle = bundles
                .entry((row / positions, column / positions))
                .or_insert_with(|| vec![NONE; positions * positions]);
            bundle[lane * positions..(lane + 1) * positions].copy_from_slice(&group.units);
        }
        let blocks = bundles.into_values().map(|mut elements| {
            let lanes = elements
                .chunks(positions)
                .filter(|lane| lane[0] != NONE)
                .count();
            elements.truncate(lanes * positions);
            Block {
                address: self.allocate(positions, first_positions(lanes)),
                elements,
                turned: true,
            }
        });
        let blocks: Vec<Block> = blocks.collect();
        match blocks.iter().all(|block| !block.elements.contains(&NONE)) {
            true => Ok(blocks),
            false => Err(Obstacle::Never("its positions do not fill whole words")),
        }
    }

    /// The output's words are in the order in which the verifier states them.
    pub(super) fn check_output(&mut self, node: &Node, blocks: &[Block]) -> Result<(), Obstacle> {
        let positions = self.words.positions;
        let words: Vec<&[u32]> = blocks
            .iter()
            .flat_map(|block| block.elements.chunks(positions))
            .collect();
        if words.len() == node.elements() {
            return Ok(());
        }
        let width = node.shape.last().map_or(1, |axis| *axis as usize);
        self.words.output_width = width;
        let in_order = |(word, elements): (usize, &&[u32])| {
            let (block, column) = (word / width, word % width);
            let expected = |position| (block * positions + position) * width + column;
            (0..positions)
                .map(expected)
                .eq(elements.iter().map(|element| *element as usize))
        };
        match words.iter().enumerate().all(in_order) {
            true => Ok(()),
            false => Err(Obstacle::Never("the output's positions are out of order")),
        }
    }
}

/// Whether all elements are of one channel.
fn same_channel(node: &Node, linear: &Linear, elements: &[u32]) -> bool {
    let channel = linear.channels(&node.shape);
    let first = elements.first().map(|element| channel(*element as usize));
    let mut channels = elements.iter().map(|element| channel(*element as usize));
    channels.all(|channel| Some(channel) == first)
}

/// Whether all elements are scaled alike; their biases may differ.
fn same_channel_weights(node: &Node, linear: &Linear, elements: &[u32]) -> bool {
    let channel = linear.channels(&node.shape);
    let weights = |element: &u32| {
        let channel = channel(*element as usize);
        let of_maps = linear.maps.iter().map(move |map| map.weights()[channel]);
        let multiplier = linear
            .requant
            .as_ref()
            .map(|requant| requant.multipliers[channel]);
        (of_maps.collect::<Vec<_>>(), multiplier)
    };
    let first = elements.first().map(weights);
    elements
        .iter()
        .all(|element| Some(weights(element)) == first)
}
