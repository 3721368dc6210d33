//! The words of products of matrices.

use ciro_zkml_air::CONSTANT_ADDRESS;
use ciro_zkml_model::Node;

use super::{Block, Groups, Obstacle, Packing, Place, ProductBlock, NONE};

/// A row of the first factor, or a column of the second.
struct Line {
    /// The words of its elements; [`NONE`] for a constant 0.
    words: Vec<u32>,
    /// The position of all of them.
    position: Option<u32>,
}

impl Packing<'_> {
    /// The blocks of a product: a sum over the same positions of two words where the two matrices lie along an axis that
    /// they share, and over all pairs of positions where each has positions of its own.
    pub(super) fn product(&mut self, node: &Node) -> Result<Vec<ProductBlock>, Obstacle> {
        let (first, second) = (node.sources[0], node.sources[1]);
        let (rows, columns) = match node.shape.as_slice() {
            [.., rows, columns] => (*rows as usize, *columns as usize),
            _ => unreachable!("a validated product has rows and columns"),
        };
        let matrices = node.elements() / (rows * columns);
        let inner = self.places(first).len() / (matrices * rows);
        let mut same = Groups::default();
        let mut blocks = Vec::new();
        for matrix in 0..matrices {
            let row = |row| (0..inner).map(move |k| (matrix * rows + row) * inner + k);
            let column = |column| (0..inner).map(move |k| (matrix * inner + k) * columns + column);
            let lines_of = |tensor, lines: Vec<Vec<usize>>| -> Result<Vec<Line>, Obstacle> {
                lines
                    .into_iter()
                    .map(|line| self.factor(tensor, line))
                    .collect()
            };
            let left = lines_of(first, (0..rows).map(|at| row(at).collect()).collect())?;
            let right = lines_of(
                second,
                (0..columns).map(|at| column(at).collect()).collect(),
            )?;
            let element =
                |row: u32, column: u32| ((matrix * rows) as u32 + row) * columns as u32 + column;
            let mut positions = left.iter().chain(&right).filter_map(|line| line.position);
            let position = positions.next();
            if positions.all(|other| Some(other) == position) {
                for (m, left) in (0..).zip(&left) {
                    for (n, right) in (0..).zip(&right) {
                        let words = [left.words.as_slice(), &right.words].concat();
                        same.add(words, position, element(m, n), self.words.positions);
                    }
                }
            } else {
                let (left, right) = (self.grouped(&left), self.grouped(&right));
                for left in &left {
                    for right in &right {
                        blocks.push(self.outer(left, right, element)?);
                    }
                }
            }
        }
        let all = self.all();
        for group in same.complete()? {
            let (left, right) = group.words.split_at(inner);
            let block = Block {
                elements: group.units,
                address: self.allocate(1, all),
                turned: false,
            };
            blocks.push(ProductBlock {
                factors: factors(left, right),
                outer: false,
                block,
            });
        }
        Ok(blocks)
    }

    fn factor(&self, tensor: u32, elements: Vec<usize>) -> Result<Line, Obstacle> {
        let word = |element: &usize| match self.places(tensor)[*element] {
            Place::Whole(address) | Place::At { address, .. } => Ok(address),
            Place::Constant(0) => Ok(NONE),
            Place::Constant(1) => Ok(CONSTANT_ADDRESS),
            Place::Constant(_) => Err(Obstacle::Never(
                "it multiplies by constants that are not 0 or 1",
            )),
        };
        let words = elements.iter().map(word).collect::<Result<_, _>>()?;
        let (_, position) = self.line(tensor, elements.into_iter())?;
        Ok(Line { words, position })
    }

    /// Lines by position that lie in the same words.
    fn grouped(&self, lines: &[Line]) -> Vec<super::Group> {
        let mut groups = Groups::default();
        for (unit, line) in (0..).zip(lines) {
            groups.add(
                line.words.clone(),
                line.position,
                unit,
                self.words.positions,
            );
        }
        groups.groups
    }

    /// All pairs of a row of `left` and a column of `right`.
    fn outer(
        &mut self,
        left: &super::Group,
        right: &super::Group,
        element: impl Fn(u32, u32) -> u32,
    ) -> Result<ProductBlock, Obstacle> {
        let held = |group: &super::Group| {
            let at = (0..).zip(&group.units).filter(|(_, unit)| **unit != NONE);
            at.fold(0u32, |bits, (position, _)| bits | 1 << position)
        };
        // What else a word holds would be multiplied, too.
        let alone = |group: &super::Group| {
            let mut words = group.words.iter().filter(|word| **word != NONE);
            words.all(|word| self.used[*word as usize] == held(group))
        };
        let whole = held(left) == self.all();
        if right.whole || !whole || !(left.whole || alone(left)) || !alone(right) {
            return Err(Obstacle::Never(
                "its factors share words with other tensors",
            ));
        }
        let lanes = right.units.iter().take_while(|unit| **unit != NONE);
        let elements: Vec<u32> = lanes
            .flat_map(|column| {
                left.units
                    .iter()
                    .map(|row| element(*row, *column))
                    .collect::<Vec<_>>()
            })
            .collect();
        let (words, all) = (elements.len() / self.words.positions, self.all());
        Ok(ProductBlock {
            factors: factors(&left.words, &right.words),
            outer: true,
            block: Block {
                elements,
                address: self.allocate(words, all),
                turned: false,
            },
        })
    }
}

/// The pairs of words whose products are summed.
fn factors(left: &[u32], right: &[u32]) -> Vec<(u32, u32)> {
    let pairs = left.iter().copied().zip(right.iter().copied());
    pairs
        .filter(|(left, right)| *left != NONE && *right != NONE)
        .collect()
}
