//! The way in and out of integers.

mod common;

use ciro_zkml_model::{
    Embedding, Encoding, Head, Input, Map, Missing, Model, ModelError, Op, Ranks, Values,
};
use common::{linear, node, of, perceptron, plain, token};
use proptest::prelude::*;

/// Numbers around which comparisons go wrong, and any others.
fn number() -> impl Strategy<Value = f32> {
    let special = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.1,
        f32::MIN_POSITIVE,
        f32::from_bits(1),
        -f32::from_bits(1),
        f32::MAX,
        f32::MIN,
    ];
    prop_oneof![prop::sample::select(special.to_vec()), -2.0..2.0_f32]
}

/// Numbers, and those that are none.
fn any_number() -> impl Strategy<Value = f32> {
    let special = [f32::INFINITY, f32::NEG_INFINITY, f32::NAN, -f32::NAN];
    prop_oneof![3 => number(), 1 => prop::sample::select(special.to_vec())]
}

/// A threshold: a number or its neighbours, in the wider format.
fn threshold() -> impl Strategy<Value = f64> {
    (number(), 0..3).prop_map(|(x, side)| match (f64::from(x), side) {
        (x, 0) => x,
        (x, 1) => x.next_up(),
        (x, _) => x.next_down(),
    })
}

fn ranks(columns: u32) -> impl Strategy<Value = Ranks> {
    let missing = prop::sample::select(vec![None, Some(Missing::Low), Some(Missing::High)]);
    let thresholds = prop_oneof![
        4 => proptest::collection::vec(threshold(), 0..12),
        1 => proptest::collection::vec(-3.0..3.0, 255),
    ];
    (0..columns, thresholds, missing).prop_map(|(column, mut thresholds, missing)| {
        thresholds.sort_by(f64::total_cmp);
        // By value: of the two zeros one stays.
        thresholds.dedup();
        Ranks {
            column,
            thresholds,
            missing,
        }
    })
}

/// The number of thresholds at or below the value, less 128; `None` where it is missing and that is refused.
fn definition(ranks: &Ranks, value: f32) -> Option<i8> {
    let count = match ranks.missing {
        _ if !value.is_nan() => {
            let below = |threshold: &&f64| **threshold <= f64::from(value);
            ranks.thresholds.iter().filter(below).count()
        }
        None => return None,
        Some(Missing::Low) => 0,
        Some(Missing::High) => ranks.thresholds.len(),
    };
    Some((count as i32 - 128) as i8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_quantised_value_is_within_half_a_step(x in -100.0..100.0_f32) {
        let mut model = perceptron();
        model.input.encoding = Encoding::Affine { scale: 1.0, zero_point: -10 };
        let q = model.quantise(&[x, 0.0]).unwrap();
        prop_assert_eq!(q[1], -10);
        prop_assert!((f32::from(q[0]) + 10.0 - x).abs() <= 0.5 || q[0] == -128);
    }

    #[test]
    fn a_rank_counts_the_thresholds_at_or_below(ranks in ranks(1), x in any_number()) {
        prop_assert_eq!(ranks.rank(x), definition(&ranks, x));
        // Each threshold that is a value of 32 bits is met exactly by itself, and missed by the value below.
        for (index, &threshold) in ranks.thresholds.iter().enumerate() {
            let x = threshold as f32;
            if f64::from(x) == threshold {
                prop_assert_eq!(ranks.rank(x), Some((index as i32 + 1 - 128) as i8));
                let below = ranks.rank(x.next_down()).unwrap();
                prop_assert!(i32::from(below) <= index as i32 - 128);
            }
        }
    }

    /// Every sample gives its ranks in their order, each from its own column.
    #[test]
    fn ranked_inputs_are_in_order(
        all in proptest::collection::vec(ranks(3), 1..6), x in proptest::collection::vec(any_number(), 6),
    ) {
        let mut model = perceptron();
        model.input = Input { shape: vec![3, 1], encoding: Encoding::Ranks(all.clone()) };
        let mut expected = Ok(vec![]);
        for (index, ranks) in (0..2).flat_map(|sample| all.iter().map(move |ranks| (3 * sample, ranks))) {
            let index = index + ranks.column as usize;
            let rank = definition(ranks, x[index]).ok_or(ModelError::NotFinite { index });
            expected = expected.and_then(|mut before: Vec<i8>| {
                before.push(rank?);
                Ok(before)
            });
        }
        prop_assert_eq!(model.quantise(&x), expected);
        prop_assert_eq!((model.columns(), model.inputs()), (3, all.len()));
    }
}

/// Three tokens to their numbers, by an embedding; those from 30,000 start again at 0.
fn of_tokens(vocabulary: u32) -> Model {
    let table: Vec<i16> = (0..vocabulary).map(|id| (id % 30_000) as i16).collect();
    let end = linear(vec![Map::Scale(vec![1])], 1, vec![0], None);
    let embedding = Op::Embedding(Embedding { table });
    let nodes = vec![node(&[0], &[3, 1], embedding), node(&[1], &[3, 1], end)];
    let mut model = of(plain(&[3]), nodes);
    model.input.encoding = Encoding::Tokens { vocabulary };
    model
}

#[test]
fn tokens_become_their_bytes_and_then_their_rows() {
    let model = of_tokens(1 << 16);
    assert_eq!((model.columns(), model.inputs()), (3, 6));
    let bytes = model.quantise(&[0.0, 258.0, 65_535.0]).unwrap();
    assert_eq!(bytes, [-128, -128, -127, -126, 127, 127]);
    assert_eq!(model.run(&bytes), Ok(vec![0, 258, 5535]));
    let ids: Vec<f32> = (0..3 << 14).map(|id| id as f32).collect();
    let expected: Vec<i32> = (0..3 << 14).map(|id| id % 30_000).collect();
    let bytes = model.quantise(&ids).unwrap();
    assert_eq!(bytes, (0..3 << 14).flat_map(token).collect::<Vec<_>>());
    assert_eq!(model.run(&bytes), Ok(expected));
}

#[test]
fn what_names_no_token_is_refused() {
    let model = of_tokens(300);
    let refused = |index| ModelError::Token { index };
    for bad in [
        300.0,
        0.5,
        -1.0,
        -f32::from_bits(1),
        299.00003,
        65_536.0,
        1e30,
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
    ] {
        assert_eq!(
            model.quantise(&[299.0, bad, -0.0]),
            Err(refused(1)),
            "{bad}"
        );
    }
    assert!(model.quantise(&[299.0, 0.0, -0.0]).is_ok());
    // Of the second sample the last.
    let mut bytes: Vec<i8> = [0, 299, 7, 8, 9, 300].into_iter().flat_map(token).collect();
    assert_eq!(model.run(&bytes), Err(refused(5)));
    bytes[2] = 127;
    assert_eq!(model.run(&bytes), Err(refused(1)));
}

#[test]
fn ranks_by_hand() {
    let mut ranks = Ranks {
        column: 0,
        thresholds: vec![f64::from(f32::MIN), 0.0, 0.1, 7.0],
        missing: None,
    };
    let of = |x: f32| ranks.rank(x).map(|rank| i32::from(rank) + 128);
    assert_eq!(
        [of(f32::NEG_INFINITY), of(f32::MIN), of(-1.0)],
        [Some(0), Some(1), Some(1)]
    );
    // Both zeros are at the threshold 0.
    assert_eq!(
        [of(-0.0), of(0.0), of(-f32::from_bits(1))],
        [Some(2), Some(2), Some(1)]
    );
    // 0.1 in 32 bits is above 0.1 in 64, its neighbour is below.
    assert_eq!([of(0.1), of(0.1_f32.next_down())], [Some(3), Some(2)]);
    assert_eq!(
        [of(7.0), of(f32::INFINITY), of(f32::NAN)],
        [Some(4), Some(4), None]
    );
    ranks.missing = Some(Missing::Low);
    assert_eq!(ranks.rank(f32::NAN), Some(-128));
    ranks.missing = Some(Missing::High);
    assert_eq!(ranks.rank(f32::NAN), Some(-124));
    ranks.thresholds = (0..255).map(f64::from).collect();
    assert_eq!(
        [ranks.rank(f32::NAN), ranks.rank(254.0), ranks.rank(253.9)],
        [Some(127), Some(127), Some(126)]
    );
    assert_eq!(ranks.rank(-1.0), Some(-128));
    ranks.thresholds.clear();
    assert_eq!([ranks.rank(f32::NAN), ranks.rank(1.0)], [Some(-128); 2]);
}

#[test]
fn heads() {
    let with = |head| {
        let mut model = perceptron();
        model.output.head = head;
        model.dequantise(&[-4, 8, 3, 3])
    };
    assert_eq!(
        with(Head::Values),
        Values::Float(vec![-1.0, 2.0, 0.75, 0.75])
    );
    assert_eq!(with(Head::Relu), Values::Float(vec![0.0, 2.0, 0.75, 0.75]));
    // Of equal values the first wins.
    assert_eq!(
        with(Head::ArgMax {
            labels: vec![7, -9]
        }),
        Values::Class(vec![-9, 7])
    );
    // An incomplete last row says nothing, and neither does a model without nodes.
    assert_eq!(
        perceptron().dequantise(&[10, 7, 1]),
        Values::Float(vec![2.5, 1.75])
    );
    assert_eq!(of(plain(&[2]), vec![]).outputs(), 0);
}

/// With labels, what `dequantise` says; without, the index of the first largest accumulator.
#[test]
fn classes() {
    let out = [-4, 8, 3, 3, -1, -2, 9];
    let mut model = perceptron();
    for head in [Head::Values, Head::Relu] {
        model.output.head = head;
        assert_eq!(model.classes(&out), [1, 0, 0]);
    }
    let labels = vec![7, -9];
    model.output.head = Head::ArgMax { labels };
    assert_eq!(model.classes(&out), [-9, 7, 7]);
    assert_eq!(model.dequantise(&out), Values::Class(vec![-9, 7, 7]));
    assert_eq!(of(plain(&[2]), vec![]).classes(&[]), []);
    // Accumulators that are one real value of 32 bits are still told apart.
    model.output.head = Head::Values;
    assert_eq!(model.classes(&[1 << 29, (1 << 29) + 1]), [1]);
}

#[test]
fn quantisation_rounds_ties_to_even_and_saturates() {
    let model = perceptron();
    assert_eq!(
        model.quantise(&[0.25, 0.75, -0.25, 1e30]).unwrap(),
        [0, 2, 0, 127]
    );
    assert_eq!(model.quantise(&[f32::MIN, 0.0]).unwrap(), [-128, 0]);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        assert_eq!(
            model.quantise(&[0.0, bad]),
            Err(ModelError::NotFinite { index: 1 })
        );
    }
}

#[test]
fn an_input_is_whole_samples_and_its_tokens_are_known() {
    let mut model = of(plain(&[2]), vec![]);
    assert_eq!(model.check_input(&[1, 2, 3, 4]), Ok(()));
    assert!(model.check_input(&[1, 2, 3]).is_err());
    model.input.encoding = Encoding::Tokens { vocabulary: 300 };
    let known = model.quantise(&[299.0, 0.0]).unwrap();
    assert_eq!(model.check_input(&known), Ok(()));
    model.input.encoding = Encoding::Tokens { vocabulary: 299 };
    assert_eq!(
        model.check_input(&known),
        Err(ModelError::Token { index: 0 })
    );
}

#[test]
fn a_sequence_has_a_class_at_each_position_and_an_image_of_scores_one() {
    let of_shape = |shape: &[u32]| {
        let mut model = perceptron();
        model.output.shape = shape.to_vec();
        if let Some(last) = model.nodes.last_mut() {
            last.shape = shape.to_vec();
        }
        model.output.head = Head::Values;
        model.classes(&[1, 5, 2, 7, 0, 3])
    };
    assert_eq!(of_shape(&[2, 3]), [1, 0]);
    assert_eq!(of_shape(&[6, 1, 1]), [3]);
}
