//! Models in a line, for people.

use std::fmt;

use crate::{Map, Model, Node, Op};

impl Model {
    /// The model in a line: its inputs and what each node makes, as `64 -> dense 32 -> dense 10`.
    pub fn outline(&self) -> String {
        let input = self.tensor_shape(0).unwrap_or_default();
        let parts = std::iter::once(shape(&input)).chain(self.nodes.iter().map(Node::to_string));
        parts.collect::<Vec<_>>().join(" -> ")
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match &self.op {
            Op::Linear(linear) => match linear.maps.as_slice() {
                [Map::Dense(_)] => "dense",
                [Map::Conv(_)] => "conv",
                [Map::Scale(_)] => "scale",
                _ => "sum",
            },
            Op::MaxPool(_) | Op::Max => "max",
            Op::Select(_) => "select",
            Op::Product(_) => "product",
            Op::Constant(_) => "constant",
            Op::Embedding(_) => "embedding",
            Op::Trees(trees) => {
                let depth = trees
                    .trees
                    .iter()
                    .map(|tree| tree.depth())
                    .max()
                    .unwrap_or(0);
                return write!(f, "{} trees of depth {depth}", trees.trees.len());
            }
        };
        write!(f, "{what} {}", shape(&self.shape))
    }
}

fn shape(axes: &[u32]) -> String {
    let axes: Vec<String> = axes.iter().map(u32::to_string).collect();
    axes.join("x")
}
