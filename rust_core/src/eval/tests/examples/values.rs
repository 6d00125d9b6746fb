//! Examples of people's values and their comparison.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::fixtures::{ONE, attribute, compare, evaluate_cond, known, number, people, people_with, set, text};
use crate::eval::tests::queries::rejection;
use crate::eval::tests::random::AS_OF;
use crate::eval::tests::world::Val;

#[test]
fn k4_a_change_applies_at_every_later_as_of() {
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
        evaluate_cond(&world, compare(attribute("balance"), "=", number("1"))),
        (vec![0], 1)
    );
    assert_eq!(
        evaluate_cond(&world, compare(attribute("balance"), "=", number("2"))),
        (vec![1], 1)
    );
}

#[test]
fn c7_texts_are_compared_after_nfkc() {
    let world = people_with(
        "city",
        vec![Some(Val::Text("ＡＢ".into())), Some(Val::Text("ab".into()))],
    );
    assert_eq!(
        evaluate_cond(&world, compare(attribute("city"), "=", text("AB"))),
        (vec![0], 0)
    );
    assert_eq!(
        evaluate_cond(&world, compare(attribute("city"), "=", text("ＡＢ"))),
        (vec![0], 0)
    );
    let test = |test: &str, value: &str| json!({"op": "text", "test": test, "expr": attribute("city"), "value": value});
    assert_eq!(evaluate_cond(&world, test("contains", "")), (vec![0, 1], 0));
    assert_eq!(evaluate_cond(&world, test("starts_with", "Ａ")), (vec![0], 0));
    assert_eq!(evaluate_cond(&world, test("matches", "B")), (vec![0], 0));
    assert_eq!(evaluate_cond(&world, test("matches", "^(?i)AB$")), (vec![0, 1], 0));
    assert!(rejection(&world, &test("matches", "(")).starts_with("plan.roots[0].cond.value: "));
    assert!(rejection(&world, &test("matches", "(a{1000}){1000}")).contains("exceeds size limit"));
}

#[test]
fn c8_in_compares_a_value_or_any_member_of_a_set() {
    let world = people_with("tags", vec![set(&["a", "b"]), set(&[]), None, set(&["c"])]);
    let is_in = json!({"op": "in", "expr": attribute("tags"), "items": [text("b"), text("c"), text("never seen")]});
    assert_eq!(evaluate_cond(&world, is_in.clone()), (vec![0, 3], 1));
    assert_eq!(evaluate_cond(&world, json!({"op": "not", "of": is_in})), (vec![1], 1));
}

#[test]
fn c9_has_is_unknown_for_an_unknown_set() {
    let world = people_with("tags", vec![set(&["a", "b"]), set(&[]), None]);
    let has = |mode: &str, items: Json| json!({"op": "has", "mode": mode, "expr": attribute("tags"), "items": items});
    assert_eq!(
        evaluate_cond(&world, has("all", json!([text("a"), text("b")]))),
        (vec![0], 1)
    );
    assert_eq!(evaluate_cond(&world, has("none", json!([text("a")]))), (vec![1], 1));
    assert_eq!(evaluate_cond(&world, has("none", json!([]))), (vec![0, 1], 1));
}

#[test]
fn n10_a_map_entry_takes_the_type_of_the_other_operand() {
    let entry = |value| Some(Val::Map([("q".to_string(), value)].into()));
    let world = people_with(
        "survey",
        vec![
            entry(Val::Num(ONE)),
            entry(Val::Text("1".into())),
            Some(Val::Map(BTreeMap::new())),
        ],
    );
    let key = || json!({"op": "attribute", "name": "survey", "key": "q"});
    assert_eq!(evaluate_cond(&world, compare(key(), "=", number("1"))), (vec![0], 2));
    assert_eq!(evaluate_cond(&world, compare(text("1"), "=", key())), (vec![1], 2));
    assert_eq!(evaluate_cond(&world, known(key())), (vec![0, 1], 0));
    let other = json!({"op": "attribute", "name": "survey", "key": "other"});
    let with_default = json!({"op": "default", "expr": other, "otherwise": key()});
    assert_eq!(
        evaluate_cond(&world, compare(with_default.clone(), "=", number("1"))),
        (vec![0], 2)
    );
    assert_eq!(
        evaluate_cond(&world, compare(text("1"), "=", with_default)),
        (vec![1], 2)
    );
    let message = rejection(&world, &json!({"op": "in", "expr": key(), "items": [other]}));
    assert!(message.contains("type of the map entries is unknown"), "{message}");
}

#[test]
fn p1_near_includes_the_distance_and_is_unknown_for_an_unknown_point() {
    let world = people_with(
        "home",
        vec![Some(Val::Point([0.0, 0.0])), Some(Val::Point([0.0, 1.0])), None],
    );
    let distance = crate::eval::kernels::compare::distance([0.0, 1.0], [0.0, 0.0]);
    let near = |metres: f64| {
        let point = json!({"op": "literal", "value": {"point": [0.0, 0.0]}});
        json!({"op": "near", "expr": attribute("home"), "point": point, "metres": metres})
    };
    assert_eq!(evaluate_cond(&world, near(distance)), (vec![0, 1], 1));
    assert_eq!(evaluate_cond(&world, near(distance - 1e-6)), (vec![0], 1));
}
