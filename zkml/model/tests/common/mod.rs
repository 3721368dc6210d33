//! Models for the tests: random ones, and short ways to write them by hand.
#![allow(dead_code)] // each test file uses a part

pub mod definition;
mod random;
pub mod refusal;

use ciro_zkml_model::{
    Activation, Encoding, Head, Input, Linear, Map, Model, Node, Op, Output, Product, Requant,
    TreeNode,
};
use proptest::prelude::*;

/// Small valid models with operations of every kind.
pub fn model() -> impl Strategy<Value = Model> {
    (0..6_usize).prop_perturb(random::model)
}

/// A model and a batch of one to five samples for it.
pub fn model_and_input() -> impl Strategy<Value = (Model, Vec<i8>)> {
    (model(), 1..6_usize).prop_flat_map(|(model, batch)| {
        let input = proptest::collection::vec(any::<i8>(), batch * model.inputs());
        let encoding = model.input.encoding.clone();
        let input = input.prop_map(move |mut input| {
            if let Encoding::Tokens { vocabulary } = encoding {
                for bytes in input.chunks_mut(2) {
                    let any = u16::from_ne_bytes([bytes[0] as u8, bytes[1] as u8]);
                    bytes.copy_from_slice(&token(u32::from(any) % vocabulary));
                }
            }
            input
        });
        (Just(model), input)
    })
}

/// The bytes that stand for a token.
pub fn token(id: u32) -> [i8; 2] {
    [id / 256, id % 256].map(|byte| (byte as i32 - 128) as i8)
}

/// An input whose integers stand for themselves.
pub fn plain(shape: &[u32]) -> Input {
    let (scale, zero_point) = (1.0, 0);
    Input {
        shape: shape.to_vec(),
        encoding: Encoding::Affine { scale, zero_point },
    }
}

/// A model of the given nodes.
pub fn of(input: Input, nodes: Vec<Node>) -> Model {
    Model {
        name: String::new(),
        preset: 1,
        input,
        output: Output {
            shape: nodes.last().map_or(vec![], |node| node.shape.clone()),
            scale: 1.0,
            head: Head::Values,
        },
        nodes,
    }
}

pub fn node(sources: &[u32], shape: &[u32], op: Op) -> Node {
    Node {
        sources: sources.to_vec(),
        shape: shape.to_vec(),
        op,
    }
}

pub fn linear(maps: Vec<Map>, channel_axis: u32, bias: Vec<i32>, requant: Option<Requant>) -> Op {
    Op::Linear(Linear {
        maps,
        channel_axis,
        bias,
        requant,
    })
}

pub fn product(bias: Vec<i32>, multiplier: u32, activation: Activation) -> Op {
    let multipliers = vec![multiplier];
    let requant = Requant {
        multipliers,
        activation,
    };
    Op::Product(Product { bias, requant })
}

pub fn requant(multipliers: Vec<u32>, activation: Activation) -> Option<Requant> {
    Some(Requant {
        multipliers,
        activation,
    })
}

pub fn branch(input: u32, threshold: i8, low: u32, high: u32) -> TreeNode {
    TreeNode::Branch {
        input,
        threshold,
        low,
        high,
    }
}

/// The linear map of a node that has one.
pub fn linear_of(model: &mut Model, node: usize) -> &mut Linear {
    match &mut model.nodes[node].op {
        Op::Linear(linear) => linear,
        _ => panic!("node {node} is not linear"),
    }
}

/// 2-2-2, small enough for computing by hand.
pub fn perceptron() -> Model {
    let first = linear(
        vec![Map::Dense(vec![1, -1, 2, 3])],
        0,
        vec![0, 5],
        requant(vec![4096, 2048], Activation::RELU),
    );
    let second = linear(vec![Map::Dense(vec![1, 0, 0, 1])], 0, vec![0, -1], None);
    let mut model = of(
        plain(&[2]),
        vec![node(&[0], &[2], first), node(&[1], &[2], second)],
    );
    let (scale, zero_point) = (0.5, 0);
    model.input.encoding = Encoding::Affine { scale, zero_point };
    model.output.scale = 0.25;
    model
}
