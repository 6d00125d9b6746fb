//! The numbered points of semantics.md, one by one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::random::AS_OF;
use super::world::{Event, Person, Val, World};
use crate::error::Error;
use crate::eval::evaluate;
use crate::index::view::DAY_MS;

/// People 0, 1, 2 ... of partition 1, known since always.
fn people(count: u32) -> World {
    let person = |ordinal| Person {
        partition: 1,
        ordinal,
        first_record: i64::MIN,
        changes: BTreeMap::new(),
        events: Vec::new(),
    };
    World {
        people: (0..count).map(person).collect(),
        products: BTreeMap::new(),
    }
}

fn of_values(name: &'static str, values: Vec<Option<Val>>) -> World {
    let mut world = people(values.len() as u32);
    for (person, value) in world.people.iter_mut().zip(values) {
        person.changes.insert(name, vec![(i64::MIN, value)]);
    }
    world
}

fn balances(millionths: &[Option<i64>]) -> World {
    of_values("balance", millionths.iter().map(|value| value.map(Val::Num)).collect())
}

fn order(time: i64, amount: Option<i64>) -> Event {
    let properties = amount.map(|amount| ("amount", Val::Num(amount)));
    Event {
        kind: "order",
        time,
        source: "web",
        id: format!("{time}"),
        channel: None,
        properties: properties.into_iter().collect(),
        run: 0,
    }
}

/// One person with orders of these amounts, a day apart.
fn orders(millionths: &[Option<i64>]) -> World {
    let mut world = people(1);
    let days = millionths.iter().enumerate();
    world.people[0].events = days.map(|(day, amount)| order(day as i64 * DAY_MS, *amount)).collect();
    world
}

/// The ordinals in T and |U|.
fn ask(world: &World, cond: Json) -> (Vec<u64>, u64) {
    ask_among(world, cond, Json::Null)
}

fn ask_among(world: &World, cond: Json, among: Json) -> (Vec<u64>, u64) {
    let plan = json!({"as_of": AS_OF, "roots": [{"name": "r", "cond": cond, "among": among}]});
    let answer = evaluate(&world.version(), plan.to_string().as_bytes()).unwrap();
    let members = answer.roots[0].matched.iter().map(|person| person & 0xffff_ffff);
    (members.collect(), answer.roots[0].unknown)
}

fn refused(world: &World, cond: Json) -> String {
    let plan = json!({"as_of": AS_OF, "roots": [{"name": "r", "cond": cond, "among": null}]});
    match evaluate(&world.version(), plan.to_string().as_bytes()) {
        Err(Error::Invalid(message)) => message,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("answered"),
    }
}

fn attribute(name: &str) -> Json {
    json!({"op": "attribute", "name": name, "key": null})
}

fn number(text: &str) -> Json {
    json!({"op": "literal", "value": {"num": text}})
}

fn text(text: &str) -> Json {
    json!({"op": "literal", "value": {"text": text}})
}

fn compare(left: Json, cmp: &str, right: Json) -> Json {
    json!({"op": "compare", "cmp": cmp, "left": left, "right": right})
}

fn known(expr: Json) -> Json {
    json!({"op": "known", "expr": expr})
}

fn any_order(filter: Json) -> Json {
    json!({"steps": [{"type": "order", "where": filter}], "from": null, "to": AS_OF})
}

fn aggregate(function: &str, value: &str, filter: Json) -> Json {
    let value = if value.is_empty() {
        Json::Null
    } else {
        json!({"op": "property", "name": value})
    };
    let days: Json = if function == "days" {
        (0..30).map(|day| day * DAY_MS).collect()
    } else {
        Json::Null
    };
    json!({"op": "aggregate", "fn": function, "events": any_order(filter), "value": value, "day_starts": days})
}

fn rank(side: &str, percent: Json, count: Json) -> Json {
    json!({"op": "rank", "expr": attribute("balance"), "side": side, "percent": percent, "count": count, "population": null})
}

fn tile(k: u32, population: Json) -> Json {
    json!({"op": "tile", "k": k, "expr": attribute("balance"), "population": population})
}

fn set(of: &[&str]) -> Option<Val> {
    Some(Val::Set(
        of.iter().map(|text| text.to_string()).collect::<BTreeSet<_>>(),
    ))
}

const ONE: i64 = 1_000_000;

#[test]
fn u2_a_comparison_with_an_unknown_is_unknown() {
    let world = balances(&[Some(ONE), None]);
    assert_eq!(
        ask(&world, compare(attribute("balance"), "!=", number("5"))),
        (vec![0], 1)
    );
    assert_eq!(
        ask(&world, compare(attribute("balance"), "=", attribute("balance"))),
        (vec![0], 1)
    );
}

#[test]
fn u3_an_unknown_item_is_passed_over_only_if_another_fits() {
    let world = of_values(
        "city",
        vec![Some(Val::Text("a".into())), Some(Val::Text("b".into())), None],
    );
    let unknown = aggregate("latest", "product", Json::Null);
    let items = [text("a"), unknown.clone()];
    assert_eq!(
        ask(&world, json!({"op": "in", "expr": attribute("city"), "items": items})),
        (vec![0], 2)
    );
    let world = of_values("tags", vec![set(&["a"]), set(&[]), None]);
    let has = |mode| json!({"op": "has", "mode": mode, "expr": attribute("tags"), "items": items});
    assert_eq!(ask(&world, has("any")), (vec![0], 2));
    // `all` is false for who lacks 'a', whatever the unknown item is; `none` is false for who has it.
    assert_eq!(ask(&world, has("all")), (vec![], 2));
    assert_eq!(ask(&world, has("none")), (vec![], 2));
}

#[test]
fn u5_who_has_no_record_before_the_as_of_is_in_no_answer() {
    let mut world = people(3);
    world.people[1].first_record = AS_OF;
    world.people[2].first_record = AS_OF - 1;
    assert_eq!(ask(&world, json!({"op": "constant", "value": true})), (vec![0, 2], 0));
}

#[test]
fn u8_outside_an_among_is_neither_true_nor_unknown() {
    let world = balances(&[Some(ONE), Some(2 * ONE), None]);
    let small = compare(attribute("balance"), "<", number("2"));
    let large = json!({"op": "not", "of": small});
    assert_eq!(ask_among(&world, large.clone(), small.clone()), (vec![], 0));
    // A segment is a set of people: not in it, also of whom nothing is known.
    let segment = json!({"op": "set", "of": large, "among": null});
    assert_eq!(ask(&world, json!({"op": "not", "of": segment})), (vec![0, 2], 0));
}

#[test]
fn u10_of_nothing_some_are_0_and_others_unknown() {
    let world = orders(&[]);
    for function in ["count", "sum", "distinct", "days"] {
        let value = if ["sum", "distinct"].contains(&function) {
            "amount"
        } else {
            ""
        };
        let zero = compare(aggregate(function, value, Json::Null), "=", number("0"));
        assert_eq!(ask(&world, zero), (vec![0], 0), "{function}");
    }
    for function in ["avg", "min", "max", "median", "earliest", "latest", "most"] {
        assert_eq!(
            ask(&world, known(aggregate(function, "amount", Json::Null))),
            (vec![], 0),
            "{function}"
        );
    }
    let quotient = |left: Json| json!({"op": "arith", "fn": "/", "left": left, "right": number("0")});
    assert_eq!(ask(&world, known(quotient(number("1")))), (vec![], 0));
    assert_eq!(ask(&world, known(quotient(number("0")))), (vec![], 0));
}

#[test]
fn u6_an_event_whose_filter_is_unknown_does_not_count() {
    let world = orders(&[Some(ONE), None]);
    let small = compare(json!({"op": "property", "name": "amount"}), "<", number("2"));
    let count = |filter: Json, count: &str| compare(aggregate("count", "", filter), "=", number(count));
    assert_eq!(ask(&world, count(small.clone(), "1")), (vec![0], 0));
    assert_eq!(ask(&world, count(json!({"op": "not", "of": small}), "0")), (vec![0], 0));
    assert_eq!(
        ask(&world, count(json!({"op": "or_unknown", "of": small}), "2")),
        (vec![0], 0)
    );
}

#[test]
fn t3_an_event_exactly_at_the_start_is_in_and_at_the_end_is_not() {
    let mut world = people(1);
    world.people[0].events = vec![order(DAY_MS + 5, None), order(3 * DAY_MS, None)];
    let happened = |from: i64, to: i64| {
        let events = json!({"steps": [{"type": "order", "where": null}], "from": from, "to": to});
        ask(
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
    let thirty = json!({"op": "literal", "value": {"duration": AS_OF - 3 * DAY_MS}});
    let recency = json!({"op": "elapsed", "of": aggregate("latest", "", Json::Null)});
    assert_eq!(ask(&world, compare(recency.clone(), ">", thirty.clone())), (vec![], 0));
    assert_eq!(ask(&world, compare(recency, ">=", thirty)), (vec![0], 0));
}

#[test]
fn k3_the_last_of_one_instant_is_by_source_and_then_id() {
    let mut world = people(2);
    let at = |source, id: &str, amount, run| Event {
        source,
        id: id.into(),
        run,
        ..order(5, Some(amount))
    };
    // 'web' has the lower code, 'app' is the lower text; the id decides within a source.
    world.people[0].events = vec![at("web", "1", ONE, 0), at("app", "9", 2 * ONE, 1)];
    world.people[1].events = vec![at("web", "10", ONE, 1), at("web", "9", 3 * ONE, 0)];
    let last = |amount| compare(aggregate("latest", "amount", Json::Null), "=", number(amount));
    assert_eq!(ask(&world, last("1")), (vec![0], 0));
    assert_eq!(ask(&world, last("3")), (vec![1], 0));
    let first = compare(aggregate("earliest", "amount", Json::Null), "=", number("2"));
    assert_eq!(ask(&world, first), (vec![0], 0));
}

#[test]
fn k4_a_change_holds_at_every_as_of_after_it() {
    let mut world = people(3);
    let value = |amount| Some(Val::Num(amount));
    world.people[0]
        .changes
        .insert("balance", vec![(i64::MIN, value(ONE)), (AS_OF, value(2 * ONE))]);
    world.people[1]
        .changes
        .insert("balance", vec![(AS_OF - 1, value(2 * ONE))]);
    world.people[2]
        .changes
        .insert("balance", vec![(0, value(ONE)), (1, None)]);
    assert_eq!(
        ask(&world, compare(attribute("balance"), "=", number("1"))),
        (vec![0], 1)
    );
    assert_eq!(
        ask(&world, compare(attribute("balance"), "=", number("2"))),
        (vec![1], 1)
    );
}

#[test]
fn a1_events_of_an_unknown_value_take_no_part() {
    let world = orders(&[Some(ONE), None, Some(2 * ONE)]);
    for (function, value, result) in [
        ("count", "", "3"),
        ("count", "amount", "2"),
        ("avg", "amount", "1.5"),
        ("days", "amount", "2"),
    ] {
        let equal = compare(aggregate(function, value, Json::Null), "=", number(result));
        assert_eq!(ask(&world, equal), (vec![0], 0), "{function}");
    }
    // A3: a sum of unknown amounts only is 0.
    let world = orders(&[None]);
    assert_eq!(
        ask(
            &world,
            compare(aggregate("sum", "amount", Json::Null), "=", number("0"))
        ),
        (vec![0], 0)
    );
}

#[test]
fn a5_the_median_of_an_even_number_is_the_exact_mean_of_the_middle() {
    let world = orders(&[Some(5), Some(1), Some(9 * ONE), Some(2)]);
    // (2 + 5) / 2 millionths: between 3 and 4.
    let median = || aggregate("median", "amount", Json::Null);
    assert_eq!(ask(&world, compare(median(), ">", number("0.000003"))), (vec![0], 0));
    assert_eq!(ask(&world, compare(median(), "<", number("0.000004"))), (vec![0], 0));
    let twice = json!({"op": "arith", "fn": "*", "left": median(), "right": number("2")});
    assert_eq!(ask(&world, compare(twice, "=", number("0.000007"))), (vec![0], 0));
}

#[test]
fn a6_of_equally_frequent_values_most_is_the_one_seen_last() {
    let world = orders(&[Some(ONE), Some(2 * ONE), Some(2 * ONE), Some(ONE), Some(3 * ONE)]);
    assert_eq!(
        ask(
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
    assert_eq!(ask(&world, compare(average(), ">", number("60"))), (vec![0], 0));
    assert_eq!(ask(&world, compare(average(), "=", number("60.004"))), (vec![0], 0));
    let third = || json!({"op": "arith", "fn": "/", "left": number("1"), "right": number("3")});
    assert_eq!(ask(&world, compare(third(), ">", number("0.333"))), (vec![0], 0));
    assert_eq!(ask(&world, compare(third(), ">", number("0.333333"))), (vec![0], 0));
    let whole = json!({"op": "arith", "fn": "*", "left": third(), "right": number("3")});
    assert_eq!(ask(&world, compare(whole, "=", number("1"))), (vec![0], 0));
}

#[test]
fn a7_sums_beyond_64_bits_are_exact() {
    let largest = 9_000_000_000_000 * ONE;
    let world = orders(&[Some(largest), Some(largest), Some(largest), Some(1)]);
    let third = |of: Json| json!({"op": "arith", "fn": "-", "left": of, "right": number("9000000000000")});
    let rest = third(third(third(aggregate("sum", "amount", Json::Null))));
    assert_eq!(ask(&world, compare(rest, "=", number("0.000001"))), (vec![0], 0));
    let world = orders(&[Some(-largest), Some(-largest), Some(largest), Some(largest)]);
    assert_eq!(
        ask(
            &world,
            compare(aggregate("sum", "amount", Json::Null), "=", number("0"))
        ),
        (vec![0], 0)
    );
}

#[test]
fn c7_texts_are_compared_after_nfkc() {
    let world = of_values(
        "city",
        vec![Some(Val::Text("ＡＢ".into())), Some(Val::Text("ab".into()))],
    );
    assert_eq!(ask(&world, compare(attribute("city"), "=", text("AB"))), (vec![0], 0));
    assert_eq!(ask(&world, compare(attribute("city"), "=", text("ＡＢ"))), (vec![0], 0));
    let test = |test: &str, value: &str| json!({"op": "text", "test": test, "expr": attribute("city"), "value": value});
    assert_eq!(ask(&world, test("contains", "")), (vec![0, 1], 0));
    assert_eq!(ask(&world, test("starts_with", "Ａ")), (vec![0], 0));
    assert_eq!(ask(&world, test("matches", "B")), (vec![0], 0));
    assert_eq!(ask(&world, test("matches", "^(?i)AB$")), (vec![0, 1], 0));
    assert!(refused(&world, test("matches", "(")).starts_with("plan.roots[0].cond.value: "));
    assert!(refused(&world, test("matches", "(a{1000}){1000}")).contains("too large"));
}

#[test]
fn c8_in_is_equality_with_some_item_and_of_a_set_any_of_its_members() {
    let world = of_values("tags", vec![set(&["a", "b"]), set(&[]), None, set(&["c"])]);
    let within = json!({"op": "in", "expr": attribute("tags"), "items": [text("b"), text("c"), text("never seen")]});
    assert_eq!(ask(&world, within.clone()), (vec![0, 3], 1));
    assert_eq!(ask(&world, json!({"op": "not", "of": within})), (vec![1], 1));
}

#[test]
fn c9_of_an_unknown_set_has_is_unknown() {
    let world = of_values("tags", vec![set(&["a", "b"]), set(&[]), None]);
    let has = |mode: &str, items: Json| json!({"op": "has", "mode": mode, "expr": attribute("tags"), "items": items});
    assert_eq!(ask(&world, has("all", json!([text("a"), text("b")]))), (vec![0], 1));
    assert_eq!(ask(&world, has("none", json!([text("a")]))), (vec![1], 1));
    assert_eq!(ask(&world, has("none", json!([]))), (vec![0, 1], 1));
}

#[test]
fn n10_an_entry_of_a_map_takes_the_kind_of_what_stands_beside_it() {
    let entry = |value| Some(Val::Map([("q".to_string(), value)].into()));
    let world = of_values(
        "survey",
        vec![
            entry(Val::Num(ONE)),
            entry(Val::Text("1".into())),
            Some(Val::Map(BTreeMap::new())),
        ],
    );
    let key = || json!({"op": "attribute", "name": "survey", "key": "q"});
    assert_eq!(ask(&world, compare(key(), "=", number("1"))), (vec![0], 2));
    assert_eq!(ask(&world, compare(text("1"), "=", key())), (vec![1], 2));
    assert_eq!(ask(&world, known(key())), (vec![0, 1], 0));
}

#[test]
fn r1_an_unknown_value_is_not_ranked_and_not_counted() {
    let world = balances(&[Some(ONE), Some(2 * ONE), None, None]);
    assert_eq!(ask(&world, rank("top", json!("0.5"), Json::Null)), (vec![1], 2));
}

#[test]
fn r2_ties_are_kept_and_parts_round_up() {
    let world = balances(&[Some(ONE), Some(3 * ONE), Some(3 * ONE), Some(2 * ONE), Some(0)]);
    // 0.1 · 5 is half a person, so that one place is given; two people share it.
    assert_eq!(ask(&world, rank("top", json!("0.1"), Json::Null)), (vec![1, 2], 0));
    assert_eq!(ask(&world, rank("top", json!("0"), Json::Null)), (vec![], 0));
    assert_eq!(
        ask(&world, rank("top", json!("1"), Json::Null)),
        (vec![0, 1, 2, 3, 4], 0)
    );
    assert_eq!(ask(&world, rank("top", json!("0.4"), Json::Null)), (vec![1, 2], 0));
    assert_eq!(
        ask(&world, rank("top", json!("0.400001"), Json::Null)),
        (vec![1, 2, 3], 0)
    );
}

#[test]
fn r3_equals_share_the_higher_tile_and_a_lone_person_is_in_the_highest() {
    let tiles = |world: &World, number_text: &str| ask(world, compare(tile(5, Json::Null), "=", number(number_text))).0;
    let world = balances(&[Some(0), Some(ONE), Some(ONE), Some(3 * ONE), Some(4 * ONE)]);
    assert_eq!(
        [tiles(&world, "1"), tiles(&world, "2"), tiles(&world, "3")],
        [vec![0], vec![], vec![1, 2]]
    );
    assert_eq!(tiles(&balances(&[Some(7)]), "5"), vec![0]);
    // `quintile = 5` is `top 20%`.
    assert_eq!(tiles(&world, "5"), ask(&world, rank("top", json!("0.2"), Json::Null)).0);
}

#[test]
fn r4_outside_the_population_top_is_false_and_a_tile_unknown() {
    let world = balances(&[Some(ONE), Some(2 * ONE), None]);
    let small = compare(attribute("balance"), "<", number("2"));
    let mut top = rank("top", json!("1"), Json::Null);
    top["population"] = small.clone();
    assert_eq!(ask(&world, top.clone()), (vec![0], 0));
    assert_eq!(ask(&world, json!({"op": "not", "of": top})), (vec![1, 2], 0));
    assert_eq!(ask(&world, compare(tile(5, small), "=", number("5"))), (vec![0], 2));
}

#[test]
fn r7_ties_may_make_the_top_hundred_more() {
    let world = balances(&[Some(ONE), Some(ONE), Some(2 * ONE)]);
    assert_eq!(ask(&world, rank("top", Json::Null, json!(2))), (vec![0, 1, 2], 0));
    assert_eq!(ask(&world, rank("top", Json::Null, json!(0))), (vec![], 0));
    assert_eq!(
        ask(&world, rank("top", Json::Null, json!(u64::MAX))),
        (vec![0, 1, 2], 0)
    );
}

#[test]
fn r8_bottom_mirrors_top() {
    let world = balances(&[Some(ONE), Some(ONE), Some(2 * ONE), Some(3 * ONE), Some(4 * ONE)]);
    assert_eq!(ask(&world, rank("bottom", json!("0.2"), Json::Null)), (vec![0, 1], 0));
    // With ties the lowest quintile holds fewer.
    assert_eq!(ask(&world, compare(tile(5, Json::Null), "=", number("1"))), (vec![], 0));
}

#[test]
fn a_rank_may_rest_on_a_rank() {
    let world = balances(&[Some(ONE), Some(2 * ONE), Some(3 * ONE), Some(4 * ONE)]);
    let mut inner = rank("bottom", json!("0.5"), Json::Null);
    for expected in [vec![1], vec![]] {
        let mut outer = rank("top", Json::Null, json!(1));
        outer["population"] = inner.clone();
        assert_eq!(ask(&world, outer).0, expected);
        inner = json!({"op": "constant", "value": false});
    }
}

#[test]
fn s1_the_hash_is_of_the_seed_a_nul_and_the_one_id() {
    let mut world = people(5);
    world.people[4].partition = 3;
    let hash = |person: u64| xxhash_rust::xxh3::xxh3_64(&[b"wave 1\0", person.to_le_bytes().as_slice()].concat());
    let person = (3u64 << 32) | 4;
    for (below, count) in [(hash(person), 0), (hash(person) + 1, 1)] {
        let sample = json!({"op": "sample", "seed": "wave 1", "below": below.to_string()});
        let members = ask(&world, sample).0;
        assert_eq!(members.iter().filter(|&&ordinal| ordinal == 4).count(), count);
    }
    let all = json!({"op": "sample", "seed": "", "below": "18446744073709551616"});
    assert_eq!(ask(&world, all).0.len(), 5);
}

#[test]
fn p1_the_distance_itself_is_within_and_an_unknown_point_is_unknown() {
    let world = of_values(
        "home",
        vec![Some(Val::Point([0.0, 0.0])), Some(Val::Point([0.0, 1.0])), None],
    );
    let metres = crate::eval::compare::distance([0.0, 1.0], [0.0, 0.0]);
    let near = |metres: f64| {
        let point = json!({"op": "literal", "value": {"point": [0.0, 0.0]}});
        json!({"op": "near", "expr": attribute("home"), "point": point, "metres": metres})
    };
    assert_eq!(ask(&world, near(metres)), (vec![0, 1], 1));
    assert_eq!(ask(&world, near(metres - 1e-6)), (vec![0], 1));
}

#[test]
fn n7_a_key_that_a_catalog_lacks_has_unknown_attributes() {
    let mut world = orders(&[Some(ONE), Some(ONE), Some(ONE)]);
    world
        .products
        .insert("p1", [("category", Val::Text("coffee".into()))].into());
    for (event, product) in world.people[0].events.iter_mut().zip(["p1", "p2"]) {
        event.properties.insert("product", Val::Text(product.into()));
    }
    let category = json!({"op": "lookup", "catalog": "product", "key": {"op": "property", "name": "product"}, "attribute": "category"});
    let count = |filter: Json, count: &str| {
        ask(&world, compare(aggregate("count", "", filter), "=", number(count)))
            .0
            .len()
    };
    let coffee = compare(category.clone(), "=", text("coffee"));
    assert_eq!(count(coffee.clone(), "1"), 1);
    assert_eq!(count(json!({"op": "not", "of": coffee}), "0"), 1);
    assert_eq!(count(json!({"op": "unknown", "expr": category}), "2"), 1);
}

#[test]
fn clauses_are_counted_each_on_its_own() {
    let world = balances(&[Some(ONE), Some(2 * ONE), None]);
    let of = [
        compare(attribute("balance"), ">", number("1")),
        json!({"op": "constant", "value": false}),
    ];
    let plan = json!({"as_of": AS_OF, "roots": [{"name": "r", "cond": {"op": "all", "of": of}, "among": null}]});
    let answer = evaluate(&world.version(), plan.to_string().as_bytes()).unwrap();
    assert_eq!(answer.roots[0].clauses, [(1, 1), (0, 0)]);
    assert_eq!(
        (answer.roots[0].matched.len(), answer.roots[0].unknown, answer.universe),
        (0, 0, 3)
    );
    // Nobody at all is an answer too.
    let nobody = evaluate(&World::default().version(), plan.to_string().as_bytes()).unwrap();
    assert_eq!((nobody.roots[0].clauses.len(), nobody.universe), (2, 0));
}

#[test]
fn what_does_not_fit_is_refused_by_the_name_of_its_node() {
    let world = people(1);
    let property = json!({"op": "property", "name": "amount"});
    let events = |filter: Json| json!({"op": "happened", "events": any_order(filter), "min": 1, "max": null});
    let mut twice = events(Json::Null);
    twice["events"]["steps"] = json!([{"type": "order", "where": null}, {"type": "order", "where": null}]);
    let mut late = events(Json::Null);
    late["events"]["to"] = json!(AS_OF + 1);
    for (cond, message) in [
        (
            known(attribute("nose")),
            "plan.roots[0].cond.expr: attribute `nose` is not declared",
        ),
        (
            known(property.clone()),
            "plan.roots[0].cond.expr: this is about an event",
        ),
        (
            compare(attribute("city"), "<", text("a")),
            "plan.roots[0].cond: a text has no order",
        ),
        (
            compare(attribute("city"), "=", number("1")),
            "plan.roots[0].cond: a text stands beside a number",
        ),
        (
            events(events(Json::Null)),
            "plan.roots[0].cond.events.steps[0].where: this is about people",
        ),
        (
            events(known(attribute("city"))),
            "plan.roots[0].cond.events.steps[0].where.expr: this is about people",
        ),
        (
            twice,
            "plan.roots[0].cond.events.steps[1]: event type `order` stands twice",
        ),
        (late, "plan.roots[0].cond.events.to: after the plan's `as_of`"),
        (
            known(aggregate("sum", "", Json::Null)),
            "plan.roots[0].cond.expr: takes numbers, not nothing",
        ),
        (
            known(aggregate("sum", "product", Json::Null)),
            "plan.roots[0].cond.expr: takes numbers, not a text",
        ),
        (
            rank("top", json!("1.1"), Json::Null),
            "plan.roots[0].cond: `percent` is a fraction",
        ),
        (rank("top", Json::Null, Json::Null), "plan.roots[0].cond: give either"),
        (known(tile(0, Json::Null)), "plan.roots[0].cond.expr.k: from 1"),
    ] {
        let refusal = refused(&world, cond);
        assert!(refusal.starts_with(message), "{refusal}");
    }
}

#[test]
fn the_deepest_plan_that_is_read_is_answered() {
    let mut cond = json!({"op": "constant", "value": true});
    for _ in 0..122 {
        cond = json!({"op": "not", "of": cond});
    }
    assert_eq!(ask(&people(2), cond.clone()), (vec![0, 1], 0));
    for _ in 0..10 {
        cond = json!({"op": "not", "of": cond});
    }
    assert!(refused(&people(2), cond).contains("recursion limit"));
}
