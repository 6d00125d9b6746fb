//! Examples of unknown values.

use serde_json::{Value as Json, json};

use super::fixtures::{
    ONE, aggregate, attribute, balances, compare, evaluate_among, evaluate_cond, known, number, orders, people,
    people_with, set, text,
};
use crate::eval::tests::random::AS_OF;
use crate::eval::tests::world::Val;

#[test]
fn u2_a_comparison_with_an_unknown_is_unknown() {
    let world = balances(&[Some(ONE), None]);
    assert_eq!(
        evaluate_cond(&world, compare(attribute("balance"), "!=", number("5"))),
        (vec![0], 1)
    );
    assert_eq!(
        evaluate_cond(&world, compare(attribute("balance"), "=", attribute("balance"))),
        (vec![0], 1)
    );
}

#[test]
fn u3_an_unknown_item_is_ignored_only_if_another_item_matches() {
    let world = people_with(
        "city",
        vec![Some(Val::Text("a".into())), Some(Val::Text("b".into())), None],
    );
    let unknown = aggregate("latest", "product", Json::Null);
    let items = [text("a"), unknown.clone()];
    assert_eq!(
        evaluate_cond(&world, json!({"op": "in", "expr": attribute("city"), "items": items})),
        (vec![0], 2)
    );
    let world = people_with("tags", vec![set(&["a"]), set(&[]), None]);
    let has = |mode| json!({"op": "has", "mode": mode, "expr": attribute("tags"), "items": items});
    assert_eq!(evaluate_cond(&world, has("any")), (vec![0], 2));
    // `all` is false for people without 'a', whatever the unknown item is; `none` is false for people with it.
    assert_eq!(evaluate_cond(&world, has("all")), (vec![], 2));
    assert_eq!(evaluate_cond(&world, has("none")), (vec![], 2));
}

#[test]
fn u5_people_without_a_record_before_the_as_of_are_in_no_answer() {
    let mut world = people(3);
    world.people[1].first_record = AS_OF;
    world.people[2].first_record = AS_OF - 1;
    assert_eq!(
        evaluate_cond(&world, json!({"op": "constant", "value": true})),
        (vec![0, 2], 0)
    );
}

#[test]
fn u6_an_event_whose_filter_is_unknown_does_not_count() {
    let world = orders(&[Some(ONE), None]);
    let small = compare(json!({"op": "property", "name": "amount"}), "<", number("2"));
    let count = |filter: Json, count: &str| compare(aggregate("count", "", filter), "=", number(count));
    assert_eq!(evaluate_cond(&world, count(small.clone(), "1")), (vec![0], 0));
    assert_eq!(
        evaluate_cond(&world, count(json!({"op": "not", "of": small}), "0")),
        (vec![0], 0)
    );
    assert_eq!(
        evaluate_cond(&world, count(json!({"op": "or_unknown", "of": small}), "2")),
        (vec![0], 0)
    );
}

#[test]
fn u8_people_outside_the_population_are_neither_true_nor_unknown() {
    let world = balances(&[Some(ONE), Some(2 * ONE), None]);
    let small = compare(attribute("balance"), "<", number("2"));
    let large = json!({"op": "not", "of": small});
    assert_eq!(evaluate_among(&world, large.clone(), small.clone()), (vec![], 0));
    // A segment is a set of people: people for whom the condition is unknown are not in it.
    let segment = json!({"op": "set", "of": large, "among": null});
    assert_eq!(
        evaluate_cond(&world, json!({"op": "not", "of": segment})),
        (vec![0, 2], 0)
    );
}

#[test]
fn u10_without_events_counts_and_sums_are_0_and_other_aggregates_are_unknown() {
    let world = orders(&[]);
    for function in ["count", "sum", "distinct", "days"] {
        let value = if ["sum", "distinct"].contains(&function) {
            "amount"
        } else {
            ""
        };
        let zero = compare(aggregate(function, value, Json::Null), "=", number("0"));
        assert_eq!(evaluate_cond(&world, zero), (vec![0], 0), "{function}");
    }
    for function in ["avg", "min", "max", "median", "earliest", "latest", "most"] {
        assert_eq!(
            evaluate_cond(&world, known(aggregate(function, "amount", Json::Null))),
            (vec![], 0),
            "{function}"
        );
    }
    let quotient = |left: Json| json!({"op": "arith", "fn": "/", "left": left, "right": number("0")});
    assert_eq!(evaluate_cond(&world, known(quotient(number("1")))), (vec![], 0));
    assert_eq!(evaluate_cond(&world, known(quotient(number("0")))), (vec![], 0));
}
