//! Examples of ranks, tiles and samples.

use serde_json::{Value as Json, json};

use super::fixtures::{ONE, attribute, balances, compare, evaluate_cond, number, people, rank, tile};
use crate::eval::evaluate;
use crate::eval::tests::random::AS_OF;
use crate::eval::tests::world::World;

#[test]
fn r1_an_unknown_value_is_not_ranked_and_not_counted() {
    let world = balances(&[Some(ONE), Some(2 * ONE), None, None]);
    assert_eq!(
        evaluate_cond(&world, rank("top", json!("0.5"), Json::Null)),
        (vec![1], 2)
    );
}

#[test]
fn r2_ties_are_kept_and_shares_round_up() {
    let world = balances(&[Some(ONE), Some(3 * ONE), Some(3 * ONE), Some(2 * ONE), Some(0)]);
    // 0.1 · 5 is half a person and selects one; two people share the first rank.
    assert_eq!(
        evaluate_cond(&world, rank("top", json!("0.1"), Json::Null)),
        (vec![1, 2], 0)
    );
    assert_eq!(evaluate_cond(&world, rank("top", json!("0"), Json::Null)), (vec![], 0));
    assert_eq!(
        evaluate_cond(&world, rank("top", json!("1"), Json::Null)),
        (vec![0, 1, 2, 3, 4], 0)
    );
    assert_eq!(
        evaluate_cond(&world, rank("top", json!("0.4"), Json::Null)),
        (vec![1, 2], 0)
    );
    assert_eq!(
        evaluate_cond(&world, rank("top", json!("0.400001"), Json::Null)),
        (vec![1, 2, 3], 0)
    );
}

#[test]
fn r3_equal_values_share_the_higher_tile_and_one_person_is_in_the_highest() {
    let tiles = |world: &World, tile_number: &str| {
        evaluate_cond(world, compare(tile(5, Json::Null), "=", number(tile_number))).0
    };
    let world = balances(&[Some(0), Some(ONE), Some(ONE), Some(3 * ONE), Some(4 * ONE)]);
    assert_eq!(
        [tiles(&world, "1"), tiles(&world, "2"), tiles(&world, "3")],
        [vec![0], vec![], vec![1, 2]]
    );
    assert_eq!(tiles(&balances(&[Some(7)]), "5"), vec![0]);
    // `quintile = 5` is `top 20%`.
    assert_eq!(
        tiles(&world, "5"),
        evaluate_cond(&world, rank("top", json!("0.2"), Json::Null)).0
    );
}

#[test]
fn r4_outside_the_population_top_is_false_and_tile_is_unknown() {
    let world = balances(&[Some(ONE), Some(2 * ONE), None]);
    let small = compare(attribute("balance"), "<", number("2"));
    let mut top = rank("top", json!("1"), Json::Null);
    top["population"] = small.clone();
    assert_eq!(evaluate_cond(&world, top.clone()), (vec![0], 0));
    assert_eq!(evaluate_cond(&world, json!({"op": "not", "of": top})), (vec![1, 2], 0));
    assert_eq!(
        evaluate_cond(&world, compare(tile(5, small), "=", number("5"))),
        (vec![0], 2)
    );
}

#[test]
fn r7_ties_can_exceed_the_count_of_top() {
    let world = balances(&[Some(ONE), Some(ONE), Some(2 * ONE)]);
    assert_eq!(
        evaluate_cond(&world, rank("top", Json::Null, json!(2))),
        (vec![0, 1, 2], 0)
    );
    assert_eq!(evaluate_cond(&world, rank("top", Json::Null, json!(0))), (vec![], 0));
    assert_eq!(
        evaluate_cond(&world, rank("top", Json::Null, json!(u64::MAX))),
        (vec![0, 1, 2], 0)
    );
}

#[test]
fn r8_bottom_mirrors_top() {
    let world = balances(&[Some(ONE), Some(ONE), Some(2 * ONE), Some(3 * ONE), Some(4 * ONE)]);
    assert_eq!(
        evaluate_cond(&world, rank("bottom", json!("0.2"), Json::Null)),
        (vec![0, 1], 0)
    );
    // With ties the lowest quintile contains fewer people.
    assert_eq!(
        evaluate_cond(&world, compare(tile(5, Json::Null), "=", number("1"))),
        (vec![], 0)
    );
}

#[test]
fn a_rank_can_depend_on_another_rank() {
    let world = balances(&[Some(ONE), Some(2 * ONE), Some(3 * ONE), Some(4 * ONE)]);
    let mut inner = rank("bottom", json!("0.5"), Json::Null);
    for expected in [vec![1], vec![]] {
        let mut outer = rank("top", Json::Null, json!(1));
        outer["population"] = inner.clone();
        assert_eq!(evaluate_cond(&world, outer).0, expected);
        inner = json!({"op": "constant", "value": false});
    }
}

#[test]
fn s1_a_sample_hashes_the_seed_a_nul_and_the_one_id() {
    let mut world = people(5);
    world.people[4].partition = 3;
    let hash = |person: u64| xxhash_rust::xxh3::xxh3_64(&[b"wave 1\0", person.to_le_bytes().as_slice()].concat());
    let person = (3u64 << 32) | 4;
    for (below, count) in [(hash(person), 0), (hash(person) + 1, 1)] {
        let sample = json!({"op": "sample", "seed": "wave 1", "below": below.to_string()});
        let members = evaluate_cond(&world, sample).0;
        assert_eq!(members.iter().filter(|&&ordinal| ordinal == 4).count(), count);
    }
    let all = json!({"op": "sample", "seed": "", "below": "18446744073709551616"});
    assert_eq!(evaluate_cond(&world, all).0.len(), 5);
}

#[test]
fn a_plan_can_contain_many_ranks() {
    let world = balances(&(0..30).map(|person| Some(person * ONE)).collect::<Vec<_>>());
    let roots = (0..20).map(|count| {
        let name = count.to_string();
        json!({"name": name, "cond": rank("top", Json::Null, json!(count)), "among": null})
    });
    let plan = json!({"as_of": AS_OF, "roots": roots.collect::<Vec<_>>()});
    let answer = evaluate(&world.version(), plan.to_string().as_bytes()).unwrap();
    let sizes: Vec<u64> = answer.roots.iter().map(|root| root.matched).collect();
    assert_eq!(sizes, (0..20).collect::<Vec<_>>());
}
