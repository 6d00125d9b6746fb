//! Examples of events, counts and aggregates.

use serde_json::{Value as Json, json};

use super::fixtures::{ONE, aggregate, compare, evaluate_cond, number, order, orders, people, text};
use crate::eval::tests::random::AS_OF;
use crate::eval::tests::world::{Event, Val};
use crate::index::view::DAY_MS;

#[test]
fn t3_a_window_includes_its_start_and_excludes_its_end() {
    let mut world = people(1);
    world.people[0].events = vec![order(DAY_MS + 5, None), order(3 * DAY_MS, None)];
    let happened = |from: i64, to: i64| {
        let events = json!({"steps": [{"type": "order", "where": null}], "from": from, "to": to});
        evaluate_cond(
            &world,
            json!({"op": "happened", "events": events, "min": 1, "max": null}),
        )
        .0
        .len()
    };
    assert_eq!(
        (happened(DAY_MS + 5, 2 * DAY_MS), happened(DAY_MS + 6, 3 * DAY_MS)),
        (1, 0)
    );
    assert_eq!(happened(DAY_MS + 6, 3 * DAY_MS + 1), 1);
    let age_of_last_order = json!({"op": "literal", "value": {"duration": AS_OF - 3 * DAY_MS}});
    let recency = json!({"op": "elapsed", "of": aggregate("latest", "", Json::Null)});
    assert_eq!(
        evaluate_cond(&world, compare(recency.clone(), ">", age_of_last_order.clone())),
        (vec![], 0)
    );
    assert_eq!(
        evaluate_cond(&world, compare(recency, ">=", age_of_last_order)),
        (vec![0], 0)
    );
}

#[test]
fn k3_events_of_one_instant_are_ordered_by_source_and_id() {
    let mut world = people(2);
    let at = |source, id: &str, amount, run| Event {
        source,
        id: id.into(),
        run,
        ..order(5, Some(amount))
    };
    // 'web' has the lower code, but 'app' is the lower text. Within a source, the order is that of the ids.
    world.people[0].events = vec![at("web", "1", ONE, 0), at("app", "9", 2 * ONE, 1)];
    world.people[1].events = vec![at("web", "10", ONE, 1), at("web", "9", 3 * ONE, 0)];
    let last = |amount| compare(aggregate("latest", "amount", Json::Null), "=", number(amount));
    assert_eq!(evaluate_cond(&world, last("1")), (vec![0], 0));
    assert_eq!(evaluate_cond(&world, last("3")), (vec![1], 0));
    let first = compare(aggregate("earliest", "amount", Json::Null), "=", number("2"));
    assert_eq!(evaluate_cond(&world, first), (vec![0], 0));
}

#[test]
fn n7_attributes_of_an_unlisted_key_are_unknown() {
    let mut world = orders(&[Some(ONE), Some(ONE), Some(ONE)]);
    world
        .products
        .insert("p1", [("category", Val::Text("coffee".into()))].into());
    for (event, product) in world.people[0].events.iter_mut().zip(["p1", "p2"]) {
        event.properties.insert("product", Val::Text(product.into()));
    }
    let category = json!({"op": "lookup", "catalog": "product", "key": {"op": "property", "name": "product"}, "attribute": "category"});
    let count = |filter: Json, count: &str| {
        evaluate_cond(&world, compare(aggregate("count", "", filter), "=", number(count)))
            .0
            .len()
    };
    let coffee = compare(category.clone(), "=", text("coffee"));
    assert_eq!(count(coffee.clone(), "1"), 1);
    assert_eq!(count(json!({"op": "not", "of": coffee}), "0"), 1);
    assert_eq!(count(json!({"op": "unknown", "expr": category}), "2"), 1);
}

#[test]
fn a1_aggregates_ignore_events_with_an_unknown_value() {
    let world = orders(&[Some(ONE), None, Some(2 * ONE)]);
    for (function, value, result) in [
        ("count", "", "3"),
        ("count", "amount", "2"),
        ("avg", "amount", "1.5"),
        ("days", "amount", "2"),
    ] {
        let equal = compare(aggregate(function, value, Json::Null), "=", number(result));
        assert_eq!(evaluate_cond(&world, equal), (vec![0], 0), "{function}");
    }
    // A3: the sum of unknown amounts is 0.
    let world = orders(&[None]);
    assert_eq!(
        evaluate_cond(
            &world,
            compare(aggregate("sum", "amount", Json::Null), "=", number("0"))
        ),
        (vec![0], 0)
    );
}

#[test]
fn a5_the_median_of_an_even_count_is_the_exact_mean_of_the_middle_two() {
    let world = orders(&[Some(5), Some(1), Some(9 * ONE), Some(2)]);
    // (2 + 5) / 2 millionths: between 3 and 4.
    let median = || aggregate("median", "amount", Json::Null);
    assert_eq!(
        evaluate_cond(&world, compare(median(), ">", number("0.000003"))),
        (vec![0], 0)
    );
    assert_eq!(
        evaluate_cond(&world, compare(median(), "<", number("0.000004"))),
        (vec![0], 0)
    );
    let twice = json!({"op": "arith", "fn": "*", "left": median(), "right": number("2")});
    assert_eq!(
        evaluate_cond(&world, compare(twice, "=", number("0.000007"))),
        (vec![0], 0)
    );
}

#[test]
fn a6_most_breaks_ties_by_the_latest_event() {
    let world = orders(&[Some(ONE), Some(2 * ONE), Some(2 * ONE), Some(ONE), Some(3 * ONE)]);
    assert_eq!(
        evaluate_cond(
            &world,
            compare(aggregate("most", "amount", Json::Null), "=", number("1"))
        ),
        (vec![0], 0)
    );
}

#[test]
fn a7_averages_and_quotients_compare_exactly() {
    // 60.004 is the average of 60.01, 60.001, 60.001.
    let world = orders(&[Some(60_010_000), Some(60_001_000), Some(60_001_000)]);
    let average = || aggregate("avg", "amount", Json::Null);
    assert_eq!(
        evaluate_cond(&world, compare(average(), ">", number("60"))),
        (vec![0], 0)
    );
    assert_eq!(
        evaluate_cond(&world, compare(average(), "=", number("60.004"))),
        (vec![0], 0)
    );
    let third = || json!({"op": "arith", "fn": "/", "left": number("1"), "right": number("3")});
    assert_eq!(
        evaluate_cond(&world, compare(third(), ">", number("0.333"))),
        (vec![0], 0)
    );
    assert_eq!(
        evaluate_cond(&world, compare(third(), ">", number("0.333333"))),
        (vec![0], 0)
    );
    let whole = json!({"op": "arith", "fn": "*", "left": third(), "right": number("3")});
    assert_eq!(evaluate_cond(&world, compare(whole, "=", number("1"))), (vec![0], 0));
}

#[test]
fn a7_sums_beyond_64_bits_are_exact() {
    let largest = 9_000_000_000_000 * ONE;
    let world = orders(&[Some(largest), Some(largest), Some(largest), Some(1)]);
    let minus_largest = |of: Json| json!({"op": "arith", "fn": "-", "left": of, "right": number("9000000000000")});
    let rest = minus_largest(minus_largest(minus_largest(aggregate("sum", "amount", Json::Null))));
    assert_eq!(
        evaluate_cond(&world, compare(rest, "=", number("0.000001"))),
        (vec![0], 0)
    );
    let world = orders(&[Some(-largest), Some(-largest), Some(largest), Some(largest)]);
    assert_eq!(
        evaluate_cond(
            &world,
            compare(aggregate("sum", "amount", Json::Null), "=", number("0"))
        ),
        (vec![0], 0)
    );
}
