//! Questions of past instants inside a question: random ones, and what they must come to.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::random::{AS_OF, Random, RowKind, cond, instant, world};
use super::world::{Person, Val, World};
use crate::eval::{Answer, evaluate};

/// A set of people at an instant; nothing in it is later.
pub fn at(random: &mut Random, depth: usize) -> Json {
    let as_of = instant(random).min(AS_OF);
    let (mut of, mut among) = (cond(random, RowKind::People, depth), Json::Null);
    if random.chance(40) {
        among = cond(random, RowKind::People, depth);
    }
    cut(&mut of, as_of);
    cut(&mut among, as_of);
    json!({"op": "at", "as_of": as_of, "of": of, "among": among})
}

/// Ends of windows over events, and instants inside, are never after the instant around them.
fn cut(node: &mut Json, as_of: i64) {
    match node {
        Json::Array(items) => items.iter_mut().for_each(|item| cut(item, as_of)),
        Json::Object(fields) => {
            let asks_of_events = fields.contains_key("steps");
            for (name, field) in fields {
                match field.as_i64() {
                    Some(ms) if name == "as_of" || (name == "to" && asks_of_events) => *field = json!(ms.min(as_of)),
                    _ => cut(field, as_of),
                }
            }
        }
        _ => {}
    }
}

fn ask(world: &World, as_of: i64, cond: &Json) -> Answer {
    let plan = json!({"as_of": as_of, "roots": [{"name": "r", "cond": cond, "among": null}]});
    evaluate(&world.version(), plan.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}\n{plan}"))
}

proptest! {
    #![proptest_config(crate::testing::cases(256))]

    /// The members equal those of a query at that instant, among the people known now.
    #[test]
    fn at_evaluates_as_a_query_at_that_instant(seed in any::<u64>()) {
        let (world, of) = (world(seed), at(&mut Random(seed), 2));
        let now = ask(&world, AS_OF, &of);
        let then = ask(&world, of["as_of"].as_i64().unwrap(), &json!({"op": "set", "of": of["of"], "among": of["among"]}));
        prop_assert_eq!(now.roots[0].members(), then.roots[0].members());
        prop_assert_eq!(now.roots[0].unknown, 0);
    }

    #[test]
    fn at_the_as_of_equals_set(seed in any::<u64>()) {
        let (world, of) = (world(seed), cond(&mut Random(seed), RowKind::People, 2));
        let set = ask(&world, AS_OF, &json!({"op": "set", "of": of, "among": null}));
        let at = ask(&world, AS_OF, &json!({"op": "at", "as_of": AS_OF, "of": of, "among": null}));
        prop_assert_eq!(set.roots[0].members(), at.roots[0].members());
    }
}

#[test]
fn instants_later_than_the_enclosing_as_of_are_rejected() {
    let refused = |cond: Json| {
        let plan = json!({"as_of": AS_OF, "roots": [{"name": "r", "cond": cond, "among": null}]});
        match evaluate(&world(1).version(), plan.to_string().as_bytes()) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("answered"),
        }
    };
    let at = |as_of: i64, of: Json| json!({"op": "at", "as_of": as_of, "of": of, "among": null});
    let happened = |to: i64| {
        let events = json!({"steps": [{"type": "order", "where": null}], "from": null, "to": to});
        json!({"op": "happened", "events": events, "min": 1, "max": null})
    };
    assert_eq!(
        refused(at(5, at(6, happened(5)))),
        "plan.roots[0].cond.of.as_of: later than the `as_of` of the node that contains it"
    );
    assert_eq!(
        refused(at(5, happened(6))),
        "plan.roots[0].cond.of.events.to: later than the `as_of` of the plan, or of the `at` that contains it"
    );
    let filter = json!({"steps": [{"type": "order", "where": at(5, happened(5))}], "from": null, "to": AS_OF});
    let inside = json!({"op": "happened", "events": filter, "min": 1, "max": null});
    assert!(refused(inside).contains("a filter of events cannot contain it"));
}

#[test]
fn u5_a_rank_at_a_past_instant_ranks_the_people_known_then() {
    let person = |ordinal: u32, first_record| Person {
        partition: 1,
        ordinal,
        first_record,
        changes: [("balance", vec![(i64::MIN, Some(Val::Num(i64::from(ordinal) + 1)))])].into(),
        events: Vec::new(),
    };
    let world = World {
        people: vec![person(0, 0), person(1, 0), person(2, 10)],
        ..World::default()
    };
    let balance = json!({"op": "attribute", "name": "balance", "key": null});
    let top = json!({"op": "rank", "expr": balance, "side": "top", "percent": null, "count": 1, "population": null});
    let tile = json!({"op": "tile", "k": 2, "expr": balance, "population": null});
    let upper = json!({"op": "compare", "cmp": "=", "left": tile, "right": {"op": "literal", "value": {"num": "2"}}});
    let members = |cond: &Json| -> Vec<u64> {
        let answer = ask(&world, AS_OF, cond);
        answer.roots[0].members().iter().map(|person| person & 0xffff).collect()
    };
    let then = |of: &Json| members(&json!({"op": "at", "as_of": 10, "of": of, "among": null}));
    assert_eq!((members(&top), then(&top)), (vec![2], vec![1]));
    assert_eq!((members(&upper), then(&upper)), (vec![1, 2], vec![1]));
}
