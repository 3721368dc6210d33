//! Products, largest values along an axis, constants and tokens whose sizes disagree are refused.

mod common;

use ciro_zkml_model::{Activation, Encoding, Model, ModelError, Op, Product};
use common::{
    node, plain,
    refusal::{attention, refused, shape, tokens, too_large},
};

fn product_of(model: &mut Model) -> &mut Product {
    match &mut model.nodes[2].op {
        Op::Product(product) => product,
        _ => panic!("no product"),
    }
}

#[test]
fn products() {
    let good = attention();
    for sources in [vec![1], vec![1, 2, 2]] {
        shape(&good, "the list of sources", |m| {
            m.nodes[2].sources = sources.clone()
        });
    }
    // The second factor: other leading axes, other terms, more axes.
    for axes in [vec![2, 2, 3], vec![1, 3, 2], vec![1, 6, 1]] {
        let count: u32 = axes.iter().product();
        shape(&good, "an axis of the second factor", |m| {
            m.nodes[1] = node(&[0], &axes, Op::Select(vec![0; count as usize]))
        });
    }
    for axes in [&[2, 3][..], &[1, 1, 2, 3]] {
        shape(&good, "the list of axes", |m| {
            m.nodes[1].shape = axes.to_vec()
        });
    }
    for (factor, axes) in [(0, &[6][..]), (1, &[6])] {
        shape(&good, "the list of a factor's axes", |m| {
            m.nodes[factor].shape = axes.to_vec()
        });
    }
    // What it makes.
    for axes in [[1, 3, 4], [1, 4, 3], [3, 3, 1], [3, 1, 3]] {
        shape(&good, "an axis", |m| m.nodes[2].shape = axes.to_vec());
    }
    for axes in [&[9][..], &[3, 3], &[1, 1, 3, 3]] {
        shape(&good, "the list of axes", |m| {
            m.nodes[2].shape = axes.to_vec()
        });
    }
    for count in [1, 3, 8, 10] {
        shape(&good, "the bias", |m| product_of(m).bias = vec![0; count]);
    }
    for count in [0, 2, 3, 9] {
        shape(&good, "the list of multipliers", |m| {
            product_of(m).requant.multipliers = vec![1; count]
        });
    }
    let mut plain = good.clone();
    product_of(&mut plain).bias.clear();
    assert_eq!(plain.validate().map(drop), Ok(()));
}

#[test]
fn an_activation_of_products_reaches_zero() {
    let (low, high) = (1, 2);
    let error = refused(&attention(), |m| {
        product_of(m).requant.activation = Activation::Clamp { low, high }
    });
    assert_eq!(error, ModelError::Activation { node: 2 });
}

#[test]
fn largest_along_an_axis() {
    let good = attention();
    for axes in [[1, 3, 3], [1, 1, 1], [3, 1, 1]] {
        shape(&good, "an axis", |m| m.nodes[3].shape = axes.to_vec());
    }
    shape(&good, "the list of axes", |m| m.nodes[3].shape = vec![1, 3]);
    shape(&good, "the list of sources", |m| m.nodes[3].sources.push(1));
    // A number has no axis.
    shape(&good, "the list of the source's axes", |m| {
        m.nodes[2] = node(&[0], &[], Op::Select(vec![0]));
        m.nodes[3].shape = vec![1];
    });
}

#[test]
fn constants() {
    let good = attention();
    for count in [0, 2, 4] {
        shape(&good, "the constant", |m| {
            m.nodes[4].op = Op::Constant(vec![1; count])
        });
    }
    shape(&good, "the list of sources", |m| m.nodes[4].sources.push(0));
}

#[test]
fn embeddings() {
    let good = tokens();
    shape(&good, "the table", |m| m.nodes[0].shape = vec![2, 4]);
    shape(&good, "the table", |m| m.nodes[0].shape = vec![]);
    for vocabulary in [1, 299, 301] {
        shape(&good, "the table", |m| {
            m.input.encoding = Encoding::Tokens { vocabulary }
        });
    }
    shape(&good, "an axis", |m| m.nodes[0].shape = vec![3, 3]);
    shape(&good, "the list of axes", |m| m.nodes[0].shape = vec![3]);
    shape(&good, "the list of axes", |m| {
        m.nodes[0].shape = vec![2, 1, 3]
    });
    shape(&good, "the list of sources", |m| m.nodes[0].sources.push(0));
}

/// Bytes of tokens are no values, and values are no bytes of tokens.
#[test]
fn embeddings_and_tokens_go_together() {
    let good = tokens();
    let alone = |node| ModelError::Embedding { node };
    let select = |sources: &[u32]| node(sources, &[2, 3], Op::Select(vec![0; 6]));
    for sources in [&[0][..], &[0, 0]] {
        let error = refused(&good, |m| m.nodes[0] = select(sources));
        assert_eq!(error, alone(0));
    }
    let error = refused(&good, |m| m.nodes.insert(1, select(&[1, 0])));
    assert_eq!(error, alone(1));
    let error = refused(&good, |m| {
        m.nodes.insert(1, m.nodes[0].clone());
        m.nodes[1].sources = vec![1];
    });
    assert_eq!(error, alone(1));
    assert_eq!(refused(&good, |m| m.input = plain(&[2, 2])), alone(0));
}

#[test]
fn vocabularies() {
    let good = tokens();
    for found in [0, (1 << 16) + 1, u32::MAX] {
        let encoding = Encoding::Tokens { vocabulary: found };
        let error = refused(&good, |m| m.input.encoding = encoding.clone());
        assert_eq!(error, ModelError::Vocabulary { found });
    }
    // A tensor of tokens has an axis more than the input.
    too_large(&good, |m| m.input.shape = vec![1; 8]);
}
