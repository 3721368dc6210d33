//! The agreement of a model's sizes.

use crate::graph::{
    elements, Encoding, MAX_ELEMENTS, MAX_NAME_BYTES, MAX_NODES, MAX_PARAMETERS, MAX_RANK,
    MAX_VALUES,
};
use crate::trees::MAX_DEPTH;
use crate::{
    Activation, Conv, Head, Linear, Map, Model, ModelError, Node, Op, Product, Ranks, Requant,
    Tree, TreeNode, Trees, Window,
};

/// Most tokens of a vocabulary: as many as two bytes tell apart.
const MAX_VOCABULARY: u32 = 1 << 16;

impl Model {
    /// Checks that all sizes agree, in time that does not depend on the number of weights.
    pub(crate) fn check_shapes(&self) -> Result<(), ModelError> {
        let last = self.nodes.len().checked_sub(1).ok_or(ModelError::NoNodes)?;
        at_most(
            "the length of the name in bytes",
            self.name.len() as u64,
            MAX_NAME_BYTES as u64,
        )?;
        at_most("the number of nodes", self.nodes.len() as u64, MAX_NODES)?;
        at_most(
            "the number of parameters",
            self.parameters() as u64,
            MAX_PARAMETERS,
        )?;
        positive("output", self.output.scale)?;
        self.check_encoding()?;
        for (index, node) in self.nodes.iter().enumerate() {
            self.check_node(index, node)?;
            let ends = match &node.op {
                Op::Linear(linear) => linear.requant.is_none(),
                Op::Trees(_) => true,
                _ => false,
            };
            if ends != (index == last) {
                return Err(ModelError::MisplacedEnd { node: index });
            }
        }
        let made = self.nodes.iter().map(|node| &node.shape);
        at_most(
            "the number of values of all tensors",
            total(made),
            MAX_VALUES,
        )?;
        check_axes(&self.output.shape)?;
        let at = At { node: last };
        let outputs = self.outputs() as u64;
        at.same("the output shape", outputs, elements(&self.output.shape))?;
        match &self.output.head {
            Head::ArgMax { labels } => at.same("the list of labels", outputs, labels.len() as u64),
            Head::Values | Head::Relu => Ok(()),
        }
    }

    /// Checks a node against the tensors that it reads.
    fn check_node(&self, index: usize, node: &Node) -> Result<(), ModelError> {
        let at = At { node: index };
        check_axes(&node.shape)?;
        at_most(
            "the number of sources of a node",
            node.sources.len() as u64,
            MAX_NODES,
        )?;
        let reads_nothing = node.sources.is_empty() && !matches!(node.op, Op::Constant(_));
        if reads_nothing || node.sources.iter().any(|source| *source as usize > index) {
            return Err(ModelError::Source { node: index });
        }
        let sources: Vec<Vec<u32>> = node
            .sources
            .iter()
            .filter_map(|source| self.tensor_shape(*source as usize))
            .collect();
        at_most(
            "the number of values that a node reads",
            total(&sources),
            MAX_ELEMENTS,
        )?;
        self.check_embedding(at, node)?;
        node.check(at, &sources)
    }

    /// Embeddings read the tokens, nothing else does, and they have a row for each.
    fn check_embedding(&self, at: At, node: &Node) -> Result<(), ModelError> {
        let vocabulary = match self.input.encoding {
            Encoding::Tokens { vocabulary } if node.sources.contains(&0) => Some(vocabulary),
            _ => None,
        };
        match (&node.op, vocabulary) {
            (Op::Embedding(embedding), Some(vocabulary)) => {
                let width = node.shape.last().copied().unwrap_or(0);
                let values = u64::from(vocabulary).saturating_mul(width.into());
                at.same("the table", values, embedding.table.len() as u64)
            }
            (Op::Embedding(_), None) | (_, Some(_)) => Err(ModelError::Embedding { node: at.node }),
            (_, None) => Ok(()),
        }
    }

    fn check_encoding(&self) -> Result<(), ModelError> {
        check_axes(&self.input.shape)?;
        match &self.input.encoding {
            Encoding::Affine { scale, .. } => positive("input", *scale),
            Encoding::Ranks(ranks) => {
                at_most(
                    "the number of ranked inputs",
                    ranks.len() as u64,
                    MAX_ELEMENTS,
                )?;
                let columns = self.columns();
                let valid = |ranks: &Ranks| {
                    let ascending = ranks.thresholds.iter().zip(ranks.thresholds.iter().skip(1));
                    (ranks.column as usize) < columns
                        && ranks.thresholds.len() <= 255
                        && ranks
                            .thresholds
                            .iter()
                            .all(|threshold| threshold.is_finite())
                        && ascending.into_iter().all(|(low, high)| low < high)
                };
                match !ranks.is_empty() && ranks.iter().all(valid) {
                    true => Ok(()),
                    false => Err(ModelError::Ranks),
                }
            }
            Encoding::Tokens { vocabulary } => {
                check_axes(&self.tensor_shape(0).unwrap_or_default())?;
                match (1..=MAX_VOCABULARY).contains(vocabulary) {
                    true => Ok(()),
                    false => Err(ModelError::Vocabulary { found: *vocabulary }),
                }
            }
        }
    }
}

/// Where an error is.
#[derive(Clone, Copy)]
struct At {
    node: usize,
}

impl At {
    fn same(self, what: &'static str, expected: u64, found: u64) -> Result<(), ModelError> {
        match expected == found {
            true => Ok(()),
            false => Err(ModelError::Shape {
                node: self.node,
                what,
                expected,
                found,
            }),
        }
    }

    /// Every axis has its size.
    fn axes(self, what: &'static str, expected: &[u32], found: &[u32]) -> Result<(), ModelError> {
        self.same(
            "the list of axes",
            expected.len() as u64,
            found.len() as u64,
        )?;
        let mut axes = expected.iter().zip(found);
        axes.try_for_each(|(&expected, &found)| self.same(what, expected.into(), found.into()))
    }

    fn image(self, shape: &[u32]) -> Result<[u32; 3], ModelError> {
        shape.try_into().map_err(|_| ModelError::Shape {
            node: self.node,
            what: "the list of an image's axes",
            expected: 3,
            found: shape.len() as u64,
        })
    }
}

impl Node {
    fn check(&self, at: At, sources: &[Vec<u32>]) -> Result<(), ModelError> {
        let one_source = || match sources {
            [source] => Ok(source.as_slice()),
            _ => Err(ModelError::Shape {
                node: at.node,
                what: "the list of sources",
                expected: 1,
                found: sources.len() as u64,
            }),
        };
        match &self.op {
            Op::Linear(linear) => linear.check(at, &self.shape, sources),
            Op::MaxPool(window) => {
                let [channels, height, width] = at.image(one_source()?)?;
                window.check(at, [height, width], at.image(&self.shape)?)?;
                at.same(
                    "the channel axis",
                    channels.into(),
                    at.image(&self.shape)?[0].into(),
                )
            }
            Op::Select(indices) => {
                at.same(
                    "the list of elements",
                    elements(&self.shape),
                    indices.len() as u64,
                )?;
                let available = total(sources);
                match indices.iter().all(|index| u64::from(*index) < available) {
                    true => Ok(()),
                    false => Err(ModelError::Source { node: at.node }),
                }
            }
            Op::Trees(trees) => {
                at.same("the base", elements(&self.shape), trees.base.len() as u64)?;
                trees.check(at, elements(one_source()?))
            }
            Op::Product(product) => product.check(at, &self.shape, sources),
            Op::Max => {
                let mut expected = one_source()?.to_vec();
                let Some(axis) = expected.last_mut() else {
                    return at.same("the list of the source's axes", 1, 0);
                };
                *axis = 1;
                at.axes("an axis", &expected, &self.shape)
            }
            Op::Constant(values) => {
                at.same("the list of sources", 0, sources.len() as u64)?;
                at.same("the constant", elements(&self.shape), values.len() as u64)
            }
            Op::Embedding(_) => {
                let mut expected = one_source()?.to_vec();
                if let (Some(bytes), Some(width)) = (expected.last_mut(), self.shape.last()) {
                    *bytes = *width;
                }
                at.axes("an axis", &expected, &self.shape)
            }
        }
    }
}

impl Linear {
    fn check(&self, at: At, shape: &[u32], sources: &[Vec<u32>]) -> Result<(), ModelError> {
        let Some(&channels) = shape.get(self.channel_axis as usize) else {
            let needed = u64::from(self.channel_axis).saturating_add(1);
            return at.same("the list of axes", needed, shape.len() as u64);
        };
        at.same(
            "the list of maps",
            sources.len() as u64,
            self.maps.len() as u64,
        )?;
        at.same("the bias", channels.into(), self.bias.len() as u64)?;
        if let Some(requant) = &self.requant {
            requant.check(at, channels)?;
        }
        for (map, source) in self.maps.iter().zip(sources) {
            match map {
                Map::Dense(weights) => {
                    let Some((inputs, rows)) = source.split_last() else {
                        return at.same("the list of the source's axes", 1, 0);
                    };
                    let (outputs, own_rows) = shape.split_last().unwrap_or((&1, &[]));
                    let matrix = u64::from(*inputs).saturating_mul((*outputs).into());
                    at.same("the weight matrix", matrix, weights.len() as u64)?;
                    at.same("the list of rows", elements(rows), elements(own_rows))?;
                    at.same("the channel axis", channels.into(), (*outputs).into())?;
                    at.same(
                        "the axes after the channels",
                        1,
                        elements(after(shape, self.channel_axis)),
                    )?;
                }
                Map::Conv(conv) => {
                    at.same(
                        "the position of the channel axis",
                        0,
                        self.channel_axis.into(),
                    )?;
                    conv.check(at, at.image(shape)?, at.image(source)?)?;
                }
                Map::Scale(weights) => {
                    at.same("the list of weights", channels.into(), weights.len() as u64)?;
                    at.same("the source", elements(shape), elements(source))?;
                }
            }
        }
        Ok(())
    }
}

impl Requant {
    fn check(&self, at: At, channels: u32) -> Result<(), ModelError> {
        at.same(
            "the list of multipliers",
            channels.into(),
            self.multipliers.len() as u64,
        )?;
        let valid = match &self.activation {
            Activation::Clamp { low, high } => *low <= 0 && *high >= 0 && *low > i16::MIN,
            Activation::Curve(curve) => {
                let span = curve.first.unsigned_abs() as usize;
                curve.first <= 0
                    && (span.saturating_add(1)..=1 << 16).contains(&curve.values.len())
                    && !curve.values.contains(&i16::MIN)
            }
        };
        match valid {
            true => Ok(()),
            false => Err(ModelError::Activation { node: at.node }),
        }
    }
}

impl Product {
    fn check(&self, at: At, shape: &[u32], sources: &[Vec<u32>]) -> Result<(), ModelError> {
        let [left, right] = sources else {
            return at.same("the list of sources", 2, sources.len() as u64);
        };
        let (Some((leading, &[rows, inner])), Some(&[_, columns])) =
            (left.split_last_chunk(), right.last_chunk())
        else {
            let axes = left.len().min(right.len());
            return at.same("the list of a factor's axes", 2, axes as u64);
        };
        let axes = |last: [u32; 2]| [leading, &last].concat();
        at.axes(
            "an axis of the second factor",
            &axes([inner, columns]),
            right,
        )?;
        at.axes("an axis", &axes([rows, columns]), shape)?;
        if !self.bias.is_empty() {
            let matrix = u64::from(rows).saturating_mul(columns.into());
            at.same("the bias", matrix, self.bias.len() as u64)?;
        }
        self.requant.check(at, 1)
    }
}

fn after(shape: &[u32], axis: u32) -> &[u32] {
    shape
        .get(axis as usize..)
        .and_then(|rest| rest.get(1..))
        .unwrap_or(&[])
}

impl Conv {
    fn check(&self, at: At, shape: [u32; 3], image: [u32; 3]) -> Result<(), ModelError> {
        let ([outputs, ..], [channels, height, width]) = (shape, image);
        self.window.check(at, [height, width], shape)?;
        let divides = |count: u32| self.groups > 0 && count.is_multiple_of(self.groups);
        if !divides(outputs) || !divides(channels) {
            return Err(ModelError::Groups { node: at.node });
        }
        let per_output =
            u64::from(channels / self.groups).saturating_mul(elements(&self.window.kernel));
        let weights = per_output.saturating_mul(outputs.into());
        at.same("the kernel", weights, self.weights.len() as u64)
    }
}

impl Window {
    /// Every window must cover part of the image, so that its largest value exists.
    fn check(
        &self,
        at: At,
        image: [u32; 2],
        [_, height, width]: [u32; 3],
    ) -> Result<(), ModelError> {
        let [top, left, bottom, right] = self.pads;
        let [kernel_height, kernel_width] = self.kernel;
        let valid = self.output(image) == Some([height, width])
            && [self.strides, self.dilations]
                .iter()
                .flatten()
                .all(|step| (1..1 << 16).contains(step))
            && elements(&self.kernel) <= MAX_ELEMENTS
            && top.max(bottom) < kernel_height
            && left.max(right) < kernel_width
            && (self.dilations == [1, 1]
                || self.pads == [0; 4]
                || self.kernel.iter().all(|size| size % 2 == 1));
        match valid {
            true => Ok(()),
            false => Err(ModelError::Window { node: at.node }),
        }
    }
}

impl Trees {
    fn check(&self, at: At, inputs: u64) -> Result<(), ModelError> {
        let valid = |tree: &Tree| tree.is_valid(inputs, self.base.len() as u64);
        match !self.trees.is_empty() && self.trees.iter().all(valid) {
            true => Ok(()),
            false => Err(ModelError::Trees { node: at.node }),
        }
    }
}

impl Tree {
    fn is_valid(&self, inputs: u64, outputs: u64) -> bool {
        let later =
            |index: usize, child: u32| ((index + 1)..self.nodes.len()).contains(&(child as usize));
        let valid = |(index, node): (usize, &TreeNode)| match node {
            TreeNode::Branch {
                input, low, high, ..
            } => u64::from(*input) < inputs && later(index, *low) && later(index, *high),
            TreeNode::Leaf(values) => values.len() == self.outputs.len(),
        };
        !self.nodes.is_empty()
            && !self.outputs.is_empty()
            && self
                .outputs
                .iter()
                .all(|output| u64::from(*output) < outputs)
            && self.nodes.iter().enumerate().all(valid)
            && self.depth() <= MAX_DEPTH
    }
}

/// Number of elements of all shapes together; saturates.
fn total<'a>(shapes: impl IntoIterator<Item = &'a Vec<u32>>) -> u64 {
    let sizes = shapes.into_iter().map(|shape| elements(shape));
    sizes.fold(0, u64::saturating_add)
}

/// At least one value along every axis, and not too many in all.
fn check_axes(shape: &[u32]) -> Result<(), ModelError> {
    at_most(
        "the number of axes of a tensor",
        shape.len() as u64,
        MAX_RANK as u64,
    )?;
    at_most(
        "the number of values of a tensor",
        elements(shape),
        MAX_ELEMENTS,
    )?;
    match shape.contains(&0) {
        true => Err(ModelError::EmptyTensor),
        false => Ok(()),
    }
}

fn at_most(what: &'static str, found: u64, limit: u64) -> Result<(), ModelError> {
    match found <= limit {
        true => Ok(()),
        false => Err(ModelError::TooLarge { what, found, limit }),
    }
}

fn positive(what: &'static str, scale: f32) -> Result<(), ModelError> {
    match scale.is_normal() && scale > 0.0 {
        true => Ok(()),
        false => Err(ModelError::Scale { what, scale }),
    }
}
