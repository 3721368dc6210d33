//! Trees that do not end, and ranks that are none, are refused.

mod common;

use ciro_zkml_model::{Encoding, Model, ModelError, Op, Ranks, Tree, TreeNode, Trees, MAX_DEPTH};
use common::{
    branch,
    refusal::{forest, refused, shape},
};

fn trees_of(model: &mut Model) -> &mut Trees {
    match &mut model.nodes[1].op {
        Op::Trees(trees) => trees,
        _ => panic!("no trees"),
    }
}

fn ranks_of(model: &mut Model) -> &mut Vec<Ranks> {
    match &mut model.input.encoding {
        Encoding::Ranks(ranks) => ranks,
        _ => panic!("not ranked"),
    }
}

#[test]
fn trees() {
    let good = forest();
    let bad = |change: &dyn Fn(&mut Trees)| {
        let error = refused(&good, |m| change(trees_of(m)));
        assert_eq!(error, ModelError::Trees { node: 1 });
    };
    bad(&|trees| trees.trees.clear());
    bad(&|trees| trees.trees[1].nodes.clear());
    // Children: the node itself, an earlier one, none.
    for child in [0, 2, 5, u32::MAX] {
        bad(&|trees| trees.trees[1].nodes[2] = branch(0, 0, child, 4));
        bad(&|trees| trees.trees[1].nodes[2] = branch(0, 0, 4, child));
    }
    bad(&|trees| trees.trees[0].nodes[0] = branch(0, 0, 0, 0));
    bad(&|trees| drop(trees.trees[0].nodes.pop()));
    for input in [3, u32::MAX] {
        bad(&|trees| trees.trees[1].nodes[2] = branch(input, 0, 3, 4));
    }
    for output in [2, u32::MAX] {
        bad(&|trees| trees.trees[1].outputs[0] = output);
    }
    // Leaves have a value for each output.
    bad(&|trees| trees.trees[1].outputs.push(0));
    bad(&|trees| trees.trees[1].outputs.clear());
    bad(&|trees| trees.trees[1].nodes[3] = TreeNode::Leaf(vec![1]));
    bad(&|trees| {
        let leaf = TreeNode::Leaf(vec![]);
        let (outputs, nodes) = (vec![], vec![leaf]);
        trees.trees[1] = Tree { outputs, nodes };
    });
    shape(&good, "the base", |m| trees_of(m).base.push(0));
    shape(&good, "the base", |m| trees_of(m).base.clear());
    shape(&good, "the base", |m| m.nodes[1].shape = vec![1]);
}

#[test]
fn trees_of_any_form_are_measured() {
    let chain = |depth: usize| {
        let index = |at: usize| at as u32;
        let mut nodes: Vec<TreeNode> = (0..depth)
            .map(|at| branch(0, 0, index(at + 1), index(depth)))
            .collect();
        nodes.push(TreeNode::Leaf(vec![1, 2]));
        let outputs = vec![0, 1];
        Tree { outputs, nodes }
    };
    let with = |tree: Tree| {
        let mut model = forest();
        trees_of(&mut model).trees = vec![tree];
        model.validate().map(drop)
    };
    assert_eq!(chain(MAX_DEPTH).depth(), MAX_DEPTH);
    assert_eq!(with(chain(MAX_DEPTH)), Ok(()));
    assert_eq!(
        with(chain(MAX_DEPTH + 1)),
        Err(ModelError::Trees { node: 1 })
    );
    // The longest of several ways to a leaf counts, wherever the others come from.
    let mut tree = chain(4);
    for (at, low, high) in [(0, 1, 3), (1, 2, 2), (2, 4, 4), (3, 4, 4)] {
        tree.nodes[at] = branch(0, 0, low, high);
    }
    assert_eq!(tree.depth(), 3);
    // Whatever the nodes say, measuring ends.
    let mut tree = chain(3);
    for (at, child) in [(0, 0), (1, 0), (2, u32::MAX)] {
        tree.nodes[at] = branch(0, 0, child, child);
        assert!(tree.depth() <= 4);
        assert_eq!(with(tree.clone()), Err(ModelError::Trees { node: 1 }));
    }
}

#[test]
fn ranked_inputs() {
    let good = forest();
    let with = |change: &dyn Fn(&mut Ranks)| {
        let mut model = good.clone();
        change(&mut ranks_of(&mut model)[1]);
        model.validate().map(drop)
    };
    for count in [0, 1, 255] {
        let thresholds: Vec<f64> = (0..count).map(f64::from).collect();
        assert_eq!(with(&|ranks| ranks.thresholds = thresholds.clone()), Ok(()));
    }
    let bad_ranks = Err(ModelError::Ranks);
    let many: Vec<f64> = (0..256).map(f64::from).collect();
    assert_eq!(with(&|ranks| ranks.thresholds = many.clone()), bad_ranks);
    for bad in [
        [1.0, 0.0],
        [1.0, 1.0],
        [-0.0, 0.0],
        [0.0, f64::NAN],
        [f64::NAN, 0.0],
        [0.0, f64::INFINITY],
        [f64::NEG_INFINITY, 0.0],
    ] {
        assert_eq!(
            with(&|ranks| ranks.thresholds = bad.to_vec()),
            bad_ranks,
            "{bad:?}"
        );
    }
    for column in [2, u32::MAX] {
        assert_eq!(with(&|ranks| ranks.column = column), bad_ranks);
    }
    assert_eq!(refused(&good, |m| ranks_of(m).clear()), ModelError::Ranks);
}
