//! Which word holds which value of which tensor.
//!
//! A word has a value for each of some neighbouring positions of a sequence (and for each sample, which is the same for
//! all words). Nodes that do the same at every position are proved for all positions of a word at once; where a sum runs
//! over positions, a product needs its second factor turned: a word a position, with neighbouring channels in it.

use std::collections::{BTreeSet, HashMap};

use ciro_zkml_air::{CONSTANT_ADDRESS, INPUT_ADDRESS, SHIFT};
use ciro_zkml_model::{Encoding, Model, Node, Op};

use crate::ProverError;

mod linear;
mod product;

/// Most positions of a word.
const MAX_POSITIONS: usize = 16;

/// No element, in a list of elements by position.
pub(crate) const NONE: u32 = u32::MAX;

/// Where an element of a tensor is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// At one position of a word.
    At { address: u32, position: u32 },
    /// At every position of a word.
    Whole(u32),
    /// In no word.
    Constant(i16),
}

impl Place {
    /// The word; that of the constant one for constants.
    pub fn address(self) -> u32 {
        match self {
            Self::At { address, .. } | Self::Whole(address) => address,
            Self::Constant(_) => CONSTANT_ADDRESS,
        }
    }
}

/// Outputs of a node that share a pole.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// The elements, `[lanes][positions]`; [`NONE`] where there is none.
    pub elements: Vec<u32>,
    /// Address of the first word: a word is a lane, or a position if the block is turned.
    pub address: u32,
    pub turned: bool,
}

/// A sum of products of words, and what it makes.
#[derive(Clone, Debug)]
pub(crate) struct ProductBlock {
    pub factors: Vec<(u32, u32)>,
    pub outer: bool,
    pub block: Block,
}

/// The words of which another is the largest.
#[derive(Clone, Debug)]
pub(crate) struct Largest {
    pub of: Vec<u32>,
    pub address: u32,
}

/// A token's row of the vocabulary, or a block of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lookup {
    pub token: usize,
    pub upper: u32,
    pub lower: u32,
    pub block: u32,
    pub address: u32,
}

/// How the words of a node are made.
#[derive(Clone, Debug)]
pub(crate) enum Plan {
    Linear(Vec<Block>),
    Product(Vec<ProductBlock>),
    Max(Vec<Largest>),
    Embedding(Vec<Lookup>),
    /// Without words of its own.
    Nothing,
}

/// The words of a model.
pub(crate) struct Words {
    /// Positions of a word.
    pub positions: usize,
    /// Values of a row of the vocabulary.
    pub block: usize,
    /// Words of the public input.
    pub inputs: usize,
    /// Where each element of each tensor is.
    pub places: Vec<Vec<Place>>,
    /// How each node's words are made.
    pub plans: Vec<Plan>,
    /// Values of a position of the input and of the output; all of them where there is no sequence.
    pub input_width: usize,
    pub output_width: usize,
    /// Addresses in use.
    pub addresses: u32,
}

/// Why a node cannot be laid out: what it reads must be turned, or it never can.
enum Obstacle {
    Turn(usize),
    Never(&'static str),
}

impl Words {
    /// The words of a valid model whose rows of weights have `lanes` lanes.
    pub fn new(model: &Model, lanes: usize) -> Result<Self, ProverError> {
        let mut turned = BTreeSet::new();
        loop {
            let mut packing = Packing::new(model, lanes, &turned);
            let mut nodes = model.nodes.iter().enumerate();
            let added = nodes.try_for_each(|(index, node)| {
                packing
                    .add(index, node)
                    .map_err(|obstacle| (index, obstacle))
            });
            match added {
                Ok(()) => return Ok(packing.words),
                Err((_, Obstacle::Turn(node))) => turned.insert(node),
                Err((node, Obstacle::Never(what))) => {
                    return Err(ProverError::Layout { node, what })
                }
            };
        }
    }

    /// The address of the public word that is one at `position` and zero elsewhere; of the constant if words have one.
    pub fn unit(&self, position: usize) -> u32 {
        match self.positions {
            1 => CONSTANT_ADDRESS,
            _ => self.first_inner() + (self.inputs + position) as u32,
        }
    }

    /// Public words besides the constant: the input's, and the units.
    pub fn public(&self) -> usize {
        self.inputs
            + if self.positions > 1 {
                self.positions
            } else {
                0
            }
    }

    /// The first address of the public words as the model reads them.
    pub fn first_inner(&self) -> u32 {
        INPUT_ADDRESS + self.public() as u32
    }
}

/// As many positions as share a word: a power of two that divides the sequence. Only products of matrices look across
/// positions, and other models gain nothing.
pub(super) fn positions(model: &Model) -> usize {
    let looks_across = |node: &Node| matches!(node.op, Op::Product(_));
    if !model.nodes.iter().any(looks_across) {
        return 1;
    }
    let length = model.input.shape.first().copied().unwrap_or(1);
    1 << length.trailing_zeros().min(MAX_POSITIONS.ilog2())
}

/// As few values to a row of the vocabulary as keep it no taller than the range table, which every model has: columns are
/// what a verifier pays for.
fn block(model: &Model, positions: usize, lanes: usize) -> usize {
    let rows = |block: usize| {
        let rows = model.nodes.iter().map(|node| match &node.op {
            Op::Embedding(embedding) => {
                let width = node.shape.last().map_or(1, |axis| *axis as usize);
                embedding.table.len() / width * width.div_ceil(block)
            }
            _ => 0,
        });
        rows.sum::<usize>()
    };
    let mut block = positions;
    while block < lanes && rows(block) > 1 << SHIFT {
        block *= 2;
    }
    block
}

/// The first `count` positions of a word, as bits.
fn first_positions(count: usize) -> u32 {
    u32::MAX.checked_shr(u32::BITS - count as u32).unwrap_or(0)
}

struct Packing<'a> {
    model: &'a Model,
    lanes: usize,
    turned: &'a BTreeSet<usize>,
    words: Words,
    /// The positions of each word that hold something, as bits.
    used: Vec<u32>,
}

/// Elements, or rows of them, by position, that are computed from the same words.
struct Group {
    words: Vec<u32>,
    units: Vec<u32>,
    whole: bool,
}

/// Collects units into groups, in the order of their first.
#[derive(Default)]
struct Groups {
    groups: Vec<Group>,
    open: HashMap<Vec<u32>, usize>,
}

impl Groups {
    /// Adds a unit that is computed from `words` at one position, or at all.
    fn add(&mut self, words: Vec<u32>, position: Option<u32>, unit: u32, positions: usize) {
        let Some(position) = position else {
            let units = vec![unit; positions];
            self.groups.push(Group {
                words,
                units,
                whole: true,
            });
            return;
        };
        let free = |group: &Group| group.units[position as usize] == NONE;
        let known = self.open.get(&words).copied();
        let at = match known.filter(|at| free(&self.groups[*at])) {
            Some(at) => at,
            None => {
                self.open.insert(words.clone(), self.groups.len());
                self.groups.push(Group {
                    words,
                    units: vec![NONE; positions],
                    whole: false,
                });
                self.groups.len() - 1
            }
        };
        self.groups[at].units[position as usize] = unit;
    }

    /// The groups, each with a unit at every position.
    fn complete(self) -> Result<Vec<Group>, Obstacle> {
        let complete = |group: &Group| !group.units.contains(&NONE);
        match self.groups.iter().all(complete) {
            true => Ok(self.groups),
            false => Err(Obstacle::Never("its positions do not fill whole words")),
        }
    }
}

impl<'a> Packing<'a> {
    fn new(model: &'a Model, lanes: usize, turned: &'a BTreeSet<usize>) -> Self {
        let positions = positions(model);
        let inputs = model.inputs();
        let sequence = positions > 1 && !matches!(model.input.encoding, Encoding::Tokens { .. });
        let width = match sequence {
            true => {
                inputs
                    / model
                        .input
                        .shape
                        .first()
                        .map_or(1, |length| *length as usize)
            }
            false => inputs,
        };
        let mut packing = Self {
            model,
            lanes,
            turned,
            words: Words {
                positions,
                block: block(model, positions, lanes),
                inputs: if sequence { inputs / positions } else { inputs },
                places: Vec::new(),
                plans: Vec::new(),
                input_width: width,
                output_width: model.outputs(),
                addresses: 0,
            },
            used: Vec::new(),
        };
        let first = packing.words.first_inner();
        let (count, all) = (first as usize + packing.words.public(), packing.all());
        packing.allocate(count, all);
        let place = |element: usize| {
            if !sequence {
                return Place::Whole(first + element as u32);
            }
            let (at, channel) = (element / width, element % width);
            Place::At {
                address: first + (at / positions * width + channel) as u32,
                position: (at % positions) as u32,
            }
        };
        packing.words.places.push((0..inputs).map(place).collect());
        packing
    }

    /// All positions, as bits.
    fn all(&self) -> u32 {
        first_positions(self.words.positions)
    }

    /// The first of `count` new words.
    fn allocate(&mut self, count: usize, used: u32) -> u32 {
        let first = self.words.addresses;
        self.words.addresses += count as u32;
        self.used.resize(self.words.addresses as usize, used);
        first
    }

    fn add(&mut self, index: usize, node: &Node) -> Result<(), Obstacle> {
        let last = index + 1 == self.model.nodes.len();
        let (plan, places) = match &node.op {
            Op::Linear(linear) => {
                let blocks = self.linear(index, node, linear)?;
                let places = self.make(node, &blocks);
                if last {
                    self.check_output(node, &blocks)?;
                }
                (Plan::Linear(blocks), places)
            }
            Op::Product(_) => {
                let products = self.product(node)?;
                let places = self.make(node, products.iter().map(|product| &product.block));
                (Plan::Product(products), places)
            }
            Op::Max => self.max(node)?,
            Op::MaxPool(window) => self.pool(node, window)?,
            Op::Select(elements) => {
                let sources = node.sources.iter();
                let all: Vec<Place> = sources
                    .flat_map(|source| self.places(*source))
                    .copied()
                    .collect();
                let places = elements.iter().map(|element| all[*element as usize]);
                (Plan::Nothing, places.collect())
            }
            Op::Constant(values) => {
                let places = values.iter().copied().map(Place::Constant);
                (Plan::Nothing, places.collect())
            }
            Op::Embedding(_) => self.embedding(node)?,
            Op::Trees(_) => (Plan::Nothing, Vec::new()),
        };
        self.words.plans.push(plan);
        self.words.places.push(places);
        Ok(())
    }

    fn places(&self, tensor: u32) -> &[Place] {
        &self.words.places[tensor as usize]
    }

    /// The words, and the one position, at which the elements of `tensor` are. Constants are in none.
    fn line(
        &self,
        tensor: u32,
        elements: impl Iterator<Item = usize>,
    ) -> Result<(Vec<u32>, Option<u32>), Obstacle> {
        let (mut words, mut at) = (Vec::new(), None);
        for element in elements {
            match self.places(tensor)[element] {
                Place::Whole(address) => words.push(address),
                Place::At { address, position } => {
                    if at.is_some_and(|at| at != position) {
                        return Err(self.turn(tensor, element));
                    }
                    at = Some(position);
                    words.push(address);
                }
                Place::Constant(_) => {}
            }
        }
        Ok((words, at))
    }

    /// What must be turned so that the elements around `element` of `tensor` are at one position.
    fn turn(&self, tensor: u32, element: usize) -> Obstacle {
        let made = (tensor as usize).checked_sub(1);
        let Some((index, node)) = made.map(|index| (index, &self.model.nodes[index])) else {
            return Obstacle::Never("it sums over the positions of the input");
        };
        match &node.op {
            Op::Linear(_) if !self.turned.contains(&index) => Obstacle::Turn(index),
            Op::Select(elements) => {
                let mut element = elements[element] as usize;
                for source in &node.sources {
                    let len = self.places(*source).len();
                    if element < len {
                        return self.turn(*source, element);
                    }
                    element -= len;
                }
                Obstacle::Never("it reads an element that does not exist")
            }
            _ => Obstacle::Never("it sums over positions of what no linear node makes"),
        }
    }

    /// New words for the blocks; returns where the elements are.
    fn make<'b>(&self, node: &Node, blocks: impl IntoIterator<Item = &'b Block>) -> Vec<Place> {
        let positions = self.words.positions;
        let mut places = vec![Place::Constant(0); node.elements()];
        for block in blocks {
            for (lane, elements) in block.elements.chunks(positions).enumerate() {
                let whole = !block.turned && elements.iter().all(|element| *element == elements[0]);
                for (position, element) in elements.iter().enumerate() {
                    if *element == NONE {
                        continue;
                    }
                    let (word, at) = if block.turned {
                        (position, lane)
                    } else {
                        (lane, position)
                    };
                    let address = block.address + word as u32;
                    places[*element as usize] = match whole {
                        true => Place::Whole(address),
                        false => Place::At {
                            address,
                            position: at as u32,
                        },
                    };
                }
            }
        }
        places
    }

    /// Blocks of consecutive words.
    fn blocks(&mut self, words: &[Vec<u32>], lanes: usize) -> Vec<Block> {
        let all = self.all();
        let chunks = words.chunks(lanes.max(1));
        chunks
            .map(|words| Block {
                elements: words.concat(),
                address: self.allocate(words.len(), all),
                turned: false,
            })
            .collect()
    }

    fn max(&mut self, node: &Node) -> Result<(Plan, Vec<Place>), Obstacle> {
        let source = node.sources[0];
        let width = self.places(source).len() / node.elements();
        let mut groups = Groups::default();
        for unit in 0..node.elements() {
            let (words, at) = self.line(source, unit * width..(unit + 1) * width)?;
            groups.add(words, at, unit as u32, self.words.positions);
        }
        let groups = groups.complete()?;
        let mut plans = Vec::new();
        let blocks = groups.into_iter().map(|group| Block {
            address: self.largest(&mut plans, group.words),
            elements: group.units,
            turned: false,
        });
        let blocks: Vec<Block> = blocks.collect();
        Ok((Plan::Max(plans), self.make(node, &blocks)))
    }

    fn pool(
        &mut self,
        node: &Node,
        window: &ciro_zkml_model::Window,
    ) -> Result<(Plan, Vec<Place>), Obstacle> {
        let source = node.sources[0];
        let image = self.model.tensor_shape(source as usize).unwrap_or_default();
        let (&[channels, height, width], &[_, image_height, image_width]) =
            (node.shape.as_slice(), image.as_slice())
        else {
            unreachable!("a validated window reads and makes images")
        };
        let plane = (image_height * image_width) as usize;
        let (mut plans, mut places) = (Vec::new(), Vec::with_capacity(node.elements()));
        for channel in 0..channels as usize {
            for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
                let taps = window.taps([y, x], [image_height, image_width]);
                let pixels = taps.map(|(_, pixel)| channel * plane + pixel);
                let (words, at) = self.line(source, pixels)?;
                if at.is_some() {
                    return Err(Obstacle::Never("it pools a sequence"));
                }
                places.push(Place::Whole(self.largest(&mut plans, words)));
            }
        }
        Ok((Plan::Max(plans), places))
    }

    /// The word that is the largest of others.
    fn largest(&mut self, plans: &mut Vec<Largest>, of: Vec<u32>) -> u32 {
        if let [only] = of.as_slice() {
            return *only;
        }
        let all = self.all();
        let address = self.allocate(1, all);
        plans.push(Largest { of, address });
        address
    }

    fn embedding(&mut self, node: &Node) -> Result<(Plan, Vec<Place>), Obstacle> {
        let width = node.shape.last().map_or(1, |axis| *axis as usize);
        let (positions, block_values) = (self.words.positions, self.words.block);
        let (mut lookups, mut places) = (Vec::new(), Vec::with_capacity(node.elements()));
        for token in 0..node.elements() / width {
            let bytes = [2 * token, 2 * token + 1].map(|byte| self.places(node.sources[0])[byte]);
            let [Place::Whole(upper), Place::Whole(lower)] = bytes else {
                return Err(Obstacle::Never("its tokens are not the input's"));
            };
            for (block, from) in (0..).zip((0..width).step_by(block_values)) {
                let values = block_values.min(width - from);
                let address = self.words.addresses;
                for first in (0..block_values).step_by(positions) {
                    self.allocate(
                        1,
                        first_positions(values.saturating_sub(first).min(positions)),
                    );
                }
                lookups.push(Lookup {
                    token,
                    upper,
                    lower,
                    block,
                    address,
                });
                places.extend((0..values).map(|value| match positions {
                    1 => Place::Whole(address + value as u32),
                    _ => Place::At {
                        address: address + (value / positions) as u32,
                        position: (value % positions) as u32,
                    },
                }));
            }
        }
        Ok((Plan::Embedding(lookups), places))
    }
}
