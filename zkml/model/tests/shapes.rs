//! Every disagreement of sizes is refused.

mod common;

use ciro_zkml_model::{
    Activation, Curve, Encoding, Head, Map, Model, ModelError, Node, Op, MAX_ELEMENTS, MAX_NODES,
    MAX_PARAMETERS, MAX_VALUES,
};
use common::{
    linear, linear_of, node, of, plain,
    refusal::{attention, dense, forest, image, refused, shape, tokens, too_large},
    requant,
};

#[test]
fn layers() {
    let good = dense();
    shape(&good, "the weight matrix", |m| m.input.shape = vec![3]);
    shape(&good, "the output shape", |m| m.output.shape = vec![1, 2]);
    for count in [0, 2] {
        let labels = vec![7; count];
        shape(&good, "the list of labels", |m| {
            m.output.head = Head::ArgMax {
                labels: labels.clone(),
            }
        });
    }
    shape(&good, "the bias", |m| m.nodes[0].shape = vec![2]);
    shape(&good, "the bias", |m| linear_of(m, 0).bias.clear());
    shape(&good, "the list of maps", |m| linear_of(m, 0).maps.clear());
    shape(&good, "the list of maps", |m| {
        linear_of(m, 0).maps.push(Map::Dense(vec![0; 2]))
    });
    shape(&good, "the list of maps", |m| m.nodes[0].sources.push(0));
    for (node, count) in [(0, 0), (0, 1), (0, 3), (1, 2)] {
        shape(&good, "the weight matrix", |m| {
            linear_of(m, node).maps[0] = Map::Dense(vec![0; count])
        });
    }
    for count in [0, 2] {
        shape(&good, "the list of multipliers", |m| {
            linear_of(m, 0).requant = requant(vec![1; count], Activation::RELU)
        });
    }

    assert_eq!(refused(&good, |m| m.nodes.clear()), ModelError::NoNodes);
    let zero = ModelError::ZeroMultiplier {
        node: 0,
        channel: 0,
    };
    let mut model = good.clone();
    linear_of(&mut model, 0).requant = requant(vec![0], Activation::RELU);
    assert_eq!(model.validate(), Err(zero));
    for bad in [0.0, -1.0, 1e-40, f32::INFINITY, f32::NAN] {
        let encoding = Encoding::Affine {
            scale: bad,
            zero_point: 0,
        };
        let mut model = good.clone();
        model.input.encoding = encoding;
        let of = |what| matches!(model.validate(), Err(ModelError::Scale { what: found, .. }) if found == what);
        assert!(of("input"));
        let mut model = good.clone();
        model.output.scale = bad;
        let of = |what| matches!(model.validate(), Err(ModelError::Scale { what: found, .. }) if found == what);
        assert!(of("output"));
    }
}

#[test]
fn the_end_is_at_the_end() {
    let misplaced = |node| ModelError::MisplacedEnd { node };
    let good = dense();
    assert_eq!(
        refused(&good, |m| linear_of(m, 0).requant = None),
        misplaced(0)
    );
    assert_eq!(refused(&good, |m| drop(m.nodes.pop())), misplaced(0));
    let (image, forest) = (image(), forest());
    assert_eq!(refused(&image, |m| drop(m.nodes.pop())), misplaced(1));
    // A constant, the largest along an axis, a product, an embedding.
    for end in [4, 3, 2] {
        let cut = |m: &mut Model| m.nodes.truncate(end + 1);
        assert_eq!(refused(&attention(), cut), misplaced(end));
    }
    assert_eq!(refused(&tokens(), |m| drop(m.nodes.pop())), misplaced(0));
    assert_eq!(refused(&forest, |m| drop(m.nodes.pop())), misplaced(0));
    let again = |m: &mut Model| m.nodes.push(node(&[2], &[2], Op::Select(vec![0, 1])));
    assert_eq!(refused(&forest, again), misplaced(1));
}

/// Products run along the last axis, for each row before it.
#[test]
fn rows() {
    let end = |source: &[u32], shape: &[u32], axis| {
        let outputs = shape[axis as usize];
        let inputs = source[source.len() - 1];
        let maps = vec![Map::Dense(vec![1; (inputs * outputs) as usize])];
        let op = linear(maps, axis, vec![0; outputs as usize], None);
        of(plain(source), vec![node(&[0], shape, op)])
    };
    for (source, shape, axis) in [
        (&[2, 3, 4][..], &[2, 3, 5][..], 2),
        (&[2, 3, 4], &[6, 5], 1),
        (&[6, 4], &[3, 2, 5], 2),
        (&[4], &[1, 5], 1),
        // A single output may have axes behind it that are no axes.
        (&[3, 4], &[3, 1, 1], 1),
    ] {
        let good = end(source, shape, axis);
        assert_eq!(good.validate().map(drop), Ok(()), "{shape:?}");
        assert!(good.run(&vec![1; good.inputs()]).is_ok());
    }
    let good = end(&[3, 4], &[3, 5], 1);
    shape(&good, "the list of rows", |m| m.nodes[0].shape = vec![2, 5]);
    shape(&good, "the list of axes", |m| m.nodes[0].shape = vec![5]);
    shape(&good, "the list of rows", |m| {
        m.nodes[0].shape = vec![5];
        linear_of(m, 0).channel_axis = 0;
    });
    // Channels along another axis than the last, of another size or the same.
    shape(&good, "the channel axis", |m| {
        let linear = linear_of(m, 0);
        (linear.channel_axis, linear.bias) = (0, vec![0; 3]);
    });
    shape(
        &end(&[5, 4], &[5, 5], 1),
        "the axes after the channels",
        |m| linear_of(m, 0).channel_axis = 0,
    );
}

#[test]
fn a_channel_axis_exists() {
    // Without channels a node has no biases, weights or multipliers that could disagree.
    let good = of(
        plain(&[2]),
        vec![node(
            &[0],
            &[2],
            linear(vec![Map::Scale(vec![1; 2])], 0, vec![0; 2], None),
        )],
    );
    for axis in [1, u32::MAX] {
        shape(&good, "the list of axes", |m| {
            let linear = linear_of(m, 0);
            linear.channel_axis = axis;
            linear.bias.clear();
            linear.maps[0] = Map::Scale(vec![]);
        });
    }
    // Nor has a number without axes.
    let empty = linear(vec![Map::Scale(vec![])], 0, vec![], None);
    let number = of(plain(&[]), vec![node(&[0], &[], empty)]);
    assert!(matches!(number.validate(), Err(ModelError::Shape { .. })));
    let product = linear(vec![Map::Dense(vec![1])], 0, vec![0], None);
    let number = of(plain(&[]), vec![node(&[0], &[1], product)]);
    assert!(matches!(number.validate(), Err(ModelError::Shape { .. })));
    // It can be scaled, though.
    let scale = linear(vec![Map::Scale(vec![3])], 0, vec![0], None);
    let number = of(plain(&[]), vec![node(&[0], &[1], scale)]);
    assert_eq!(number.validate().map(drop), Ok(()));
    assert_eq!(number.run(&[5]), Ok(vec![15]));
}

#[test]
fn sources() {
    let source = |node| ModelError::Source { node };
    for good in [dense(), image(), forest(), attention(), tokens()] {
        // None, its own tensor, a later one, one that does not exist.
        for sources in [vec![], vec![2], vec![3], vec![u32::MAX]] {
            assert_eq!(
                refused(&good, |m| m.nodes[1].sources = sources.clone()),
                source(1)
            );
        }
        assert_eq!(refused(&good, |m| m.nodes[0].sources[0] = 1), source(0));
    }
    // Pools and trees read one tensor.
    shape(&image(), "the list of sources", |m| {
        m.nodes[1].sources.push(0)
    });
    shape(&forest(), "the list of sources", |m| {
        m.nodes[1].sources.push(0)
    });
    too_large(&image(), |m| {
        m.nodes[2].sources = vec![0; MAX_NODES as usize + 1]
    });
}

#[test]
fn selections() {
    let select = |indices: &[u32]| {
        let indices = indices.to_vec();
        move |m: &mut Model| m.nodes[0].op = Op::Select(indices.clone())
    };
    let good = forest();
    for indices in [[0, 1, 3], [u32::MAX, 0, 0]] {
        assert_eq!(
            refused(&good, select(&indices)),
            ModelError::Source { node: 0 }
        );
    }
    shape(&good, "the list of elements", select(&[0, 1]));
    shape(&good, "the list of elements", select(&[0, 1, 2, 0]));
    // The elements of all sources, end to end.
    let mut twice = good.clone();
    twice.nodes[0].sources = vec![0, 0];
    select(&[3, 4, 5])(&mut twice);
    assert_eq!(twice.validate().map(drop), Ok(()));
    assert_eq!(
        refused(&twice, select(&[3, 4, 6])),
        ModelError::Source { node: 0 }
    );
}

#[test]
fn curves() {
    let good = dense();
    let with = |first, values: Vec<i16>| {
        let curve = Activation::Curve(Curve { first, values });
        let mut model = good.clone();
        linear_of(&mut model, 0).requant = requant(vec![1], curve);
        model.validate().map(drop)
    };
    let refused = Err(ModelError::Activation { node: 0 });
    for (first, values) in [
        (0, vec![0]),
        (-2, vec![i16::MIN + 1, 0, i16::MAX]),
        (-1, vec![3; 1 << 16]),
    ] {
        assert_eq!(with(first, values), Ok(()));
    }
    assert_eq!(with(-65_535, vec![0; 1 << 16]), Ok(()));
    // None at all, above 0, not up to 0, too many, too far.
    for (first, count) in [
        (0, 0),
        (1, 4),
        (i32::MAX, 1),
        (-2, 2),
        (-1, 1),
        (-1, (1 << 16) + 1),
        (-65_536, 1 << 16),
        (i32::MIN, 1 << 16),
        (i32::MIN, 0),
    ] {
        assert_eq!(with(first, vec![0; count]), refused, "{first} {count}");
    }
    assert_eq!(with(-1, vec![0, i16::MIN]), refused);
}

#[test]
fn clamps() {
    let good = dense();
    let with = |low, high| {
        let mut model = good.clone();
        linear_of(&mut model, 0).requant = requant(vec![1], Activation::Clamp { low, high });
        model.validate().map(drop)
    };
    for (low, high) in [(0, 0), (-1, 0), (0, 1), (i16::MIN + 1, i16::MAX)] {
        assert_eq!(with(low, high), Ok(()));
    }
    let refused = Err(ModelError::Activation { node: 0 });
    for (low, high) in [(1, 2), (-2, -1), (1, -1), (i16::MIN, 0)] {
        assert_eq!(with(low, high), refused);
    }
}

#[test]
fn axes() {
    for good in [dense(), image(), forest(), attention(), tokens()] {
        let empty = ModelError::EmptyTensor;
        assert_eq!(refused(&good, |m| m.input.shape.push(0)), empty);
        assert_eq!(refused(&good, |m| m.output.shape.push(0)), empty);
        for node in 0..good.nodes.len() {
            assert_eq!(refused(&good, |m| m.nodes[node].shape[0] = 0), empty);
            too_large(&good, |m| m.nodes[node].shape = vec![1; 9]);
            too_large(&good, |m| m.nodes[node].shape = vec![u32::MAX; 8]);
            too_large(&good, |m| {
                m.nodes[node].shape = vec![MAX_ELEMENTS as u32 + 1]
            });
        }
        too_large(&good, |m| m.input.shape = vec![1; 9]);
        too_large(&good, |m| m.input.shape = vec![u32::MAX; 8]);
        too_large(&good, |m| m.output.shape = vec![1; 9]);
        too_large(&good, |m| m.name = "x".repeat(65));
    }
}

/// Nodes that take all the memory there is are refused before anything is made of them.
#[test]
fn sizes_of_the_whole() {
    let good = dense();
    too_large(&good, |m| {
        m.nodes = vec![m.nodes[0].clone(); MAX_NODES as usize + 1];
    });
    too_large(&good, |m| {
        let weights = vec![0; MAX_PARAMETERS as usize + 1];
        linear_of(m, 0).maps[0] = Map::Dense(weights);
    });
    // A node that copies its source, with the largest tensors that are accepted.
    let copy = |source: &[u32], last: bool| {
        let maps = source.iter().map(|_| Map::Scale(vec![0])).collect();
        let requant = requant(vec![1], Activation::IDENTITY);
        let op = linear(maps, 0, vec![0], requant.filter(|_| !last));
        node(source, &[1, MAX_ELEMENTS as u32], op)
    };
    let chain = |count: u32| {
        let nodes: Vec<Node> = (0..count).map(|at| copy(&[at], at + 1 == count)).collect();
        of(plain(&[1, MAX_ELEMENTS as u32]), nodes)
    };
    let most = (MAX_VALUES / MAX_ELEMENTS) as u32;
    assert_eq!(chain(most).validate().map(drop), Ok(()));
    let refused = |model: Model| matches!(model.validate(), Err(ModelError::TooLarge { .. }));
    assert!(refused(chain(most + 1)));
    let mut twice = chain(1);
    twice.nodes[0] = copy(&[0, 0], true);
    assert!(refused(twice));
    let mut select = chain(2);
    select.nodes[0] = node(&[0, 0], &[1], Op::Select(vec![0]));
    assert!(refused(select));
}
