//! `at` nodes, which evaluate a condition at a past instant.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::queries::{answer, rejection};
use super::random::{AS_OF, Random, RowKind, cond, past_set, world};
use super::world::{Person, Val, World};
use crate::eval::Answer;

fn answer_at(world: &World, as_of: i64, cond: &Json) -> Answer {
    let plan = json!({"as_of": as_of, "roots": [{"name": "r", "cond": cond, "among": null}]});
    answer(&world.version(), &plan)
}

proptest! {
    #![proptest_config(crate::testing::cases(256))]

    #[test]
    fn at_equals_a_query_at_that_instant(seed in any::<u64>()) {
        let (world, of) = (world(seed), past_set(&mut Random(seed), 2));
        let now = answer_at(&world, AS_OF, &of);
        let then = answer_at(&world, of["as_of"].as_i64().unwrap(), &json!({"op": "set", "of": of["of"], "among": of["among"]}));
        prop_assert_eq!(now.roots[0].members(), then.roots[0].members());
        prop_assert_eq!(now.roots[0].unknown, 0);
    }

    #[test]
    fn at_with_the_as_of_of_the_plan_equals_set(seed in any::<u64>()) {
        let (world, of) = (world(seed), cond(&mut Random(seed), RowKind::People, 2));
        let set = answer_at(&world, AS_OF, &json!({"op": "set", "of": of, "among": null}));
        let at = answer_at(&world, AS_OF, &json!({"op": "at", "as_of": AS_OF, "of": of, "among": null}));
        prop_assert_eq!(set.roots[0].members(), at.roots[0].members());
    }
}

#[test]
fn instants_later_than_the_enclosing_as_of_are_rejected() {
    let rejection = |cond: Json| rejection(&world(1), &cond);
    let at = |as_of: i64, of: Json| json!({"op": "at", "as_of": as_of, "of": of, "among": null});
    let happened = |to: i64| {
        let events = json!({"steps": [{"type": "order", "where": null}], "from": null, "to": to});
        json!({"op": "happened", "events": events, "min": 1, "max": null})
    };
    assert_eq!(
        rejection(at(5, at(6, happened(5)))),
        "plan.roots[0].cond.of.as_of: later than the `as_of` of the node that contains it"
    );
    assert_eq!(
        rejection(at(5, happened(6))),
        "plan.roots[0].cond.of.events.to: later than the `as_of` of the plan, or of the `at` that contains it"
    );
    let filter = json!({"steps": [{"type": "order", "where": at(5, happened(5))}], "from": null, "to": AS_OF});
    let nested = json!({"op": "happened", "events": filter, "min": 1, "max": null});
    assert!(rejection(nested).contains("a filter of events cannot contain it"));
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
    let upper_half =
        json!({"op": "compare", "cmp": "=", "left": tile, "right": {"op": "literal", "value": {"num": "2"}}});
    let members = |cond: &Json| -> Vec<u64> {
        let answer = answer_at(&world, AS_OF, cond);
        answer.roots[0].members().iter().map(|person| person & 0xffff).collect()
    };
    let past_members = |of: &Json| members(&json!({"op": "at", "as_of": 10, "of": of, "among": null}));
    assert_eq!((members(&top), past_members(&top)), (vec![2], vec![1]));
    assert_eq!((members(&upper_half), past_members(&upper_half)), (vec![1, 2], vec![1]));
}
