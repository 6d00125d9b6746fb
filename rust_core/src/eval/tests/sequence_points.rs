//! Examples of sequences, one for each point of the semantics.

use serde_json::{Value as Json, json};

use super::random::{AS_OF, world};
use super::sequences::{members, plan_of};
use super::world::{Event, Person, Val, World};
use crate::eval::evaluate;

/// One person with events of (type, time, product).
fn told(events: &[(&'static str, i64, &str)]) -> World {
    let event = |(number, &(kind, time, product)): (usize, &(&'static str, i64, &str))| Event {
        kind,
        time,
        source: "web",
        id: number.to_string(),
        channel: None,
        properties: [("product", Val::Text(product.to_string()))]
            .into_iter()
            .filter(|_| !product.is_empty())
            .collect(),
        run: 0,
    };
    let person = Person {
        partition: 1,
        ordinal: 0,
        first_record: i64::MIN,
        changes: Default::default(),
        events: events.iter().enumerate().map(event).collect(),
    };
    World {
        people: vec![person],
        ..World::default()
    }
}

/// `(type, after, within, without)` of each step.
type Told<'t> = (&'t str, Option<u64>, Option<u64>, Option<&'t str>);

fn holds(world: &World, steps: &[Told], by: bool) -> bool {
    let of = |kind: &str| json!([{"type": kind, "where": null}]);
    let steps: Vec<Json> = steps
        .iter()
        .map(|&(kind, after, within, without)| {
            json!({"events": of(kind), "after": after, "within": within, "without": without.map_or(json!([]), of)})
        })
        .collect();
    let by = if by {
        json!({"op": "property", "name": "product"})
    } else {
        Json::Null
    };
    let (found, expected) = members(
        world,
        &json!({"op": "sequence", "steps": steps, "by": by, "from": 0, "to": AS_OF}),
    );
    assert_eq!(found, expected);
    !found.is_empty()
}

const SCAN: Told = ("scan", None, None, None);
const ORDER: Told = ("order", None, None, None);

#[test]
fn q1_each_step_is_strictly_later() {
    assert!(holds(
        &told(&[("scan", 5, ""), ("order", 6, "")]),
        &[SCAN, ORDER],
        false
    ));
    assert!(!holds(
        &told(&[("scan", 5, ""), ("order", 5, "")]),
        &[SCAN, ORDER],
        false
    ));
    assert!(!holds(&told(&[("order", 5, "")]), &[ORDER, ORDER], false));
}

#[test]
fn q2_q3_q12_gaps_include_their_bounds() {
    let world = told(&[("scan", 5, ""), ("order", 15, "")]);
    let then = |after, within| holds(&world, &[SCAN, ("order", after, within, None)], false);
    assert!(then(None, Some(10)) && !then(None, Some(9)));
    assert!(then(Some(10), None) && !then(Some(11), None));
    assert!(then(Some(10), Some(10)) && !then(Some(11), Some(10)));
}

#[test]
fn q4_a_forbidden_event_counts_only_between_its_steps() {
    let steps = [("scan", None, None, Some("order")), SCAN];
    for (time, whole) in [(4, true), (5, true), (6, false), (9, false), (10, true), (11, true)] {
        let world = told(&[("scan", 5, ""), ("order", time, ""), ("scan", 10, "")]);
        assert_eq!(holds(&world, &steps, false), whole, "{time}");
    }
}

#[test]
fn q5_no_forbidden_event_follows_the_last_step_in_the_window() {
    let steps = [SCAN, ("scan", None, None, Some("order"))];
    let world = |time| told(&[("scan", 5, ""), ("scan", 10, ""), ("order", time, "")]);
    for (time, whole) in [(7, true), (10, true), (11, false), (AS_OF - 1, false), (AS_OF, true)] {
        assert_eq!(holds(&world(time), &steps, false), whole, "{time}");
    }
    assert!(!holds(&world(12), &[("scan", None, None, Some("order"))], false));
}

#[test]
fn q6_q7_all_events_share_one_value() {
    let two = |a, b| told(&[("scan", 5, a), ("order", 6, b)]);
    assert!(holds(&two("p1", "p1"), &[SCAN, ORDER], true));
    assert!(!holds(&two("p1", "p2"), &[SCAN, ORDER], true));
    assert!(!holds(&two("", ""), &[SCAN, ORDER], true));
    let steps = [("scan", None, None, Some("order")), SCAN];
    let three = |forbidden| told(&[("scan", 5, "p1"), ("order", 6, forbidden), ("scan", 7, "p1")]);
    assert!(!holds(&three("p1"), &steps, true));
    assert!(holds(&three("p2"), &steps, true));
    assert!(holds(&three(""), &steps, true));
}

#[test]
fn q10_any_assignment_matches_not_only_the_nearest() {
    // The second scan is too near, the first far enough.
    let world = told(&[("scan", 0, ""), ("scan", 9, ""), ("order", 10, "")]);
    assert!(holds(&world, &[SCAN, ("order", Some(5), None, None)], false));
    // The first scan is followed by an order within the gap; the second is not.
    let world = told(&[
        ("scan", 0, ""),
        ("order", 4, ""),
        ("scan", 5, ""),
        ("order", 30, ""),
        ("scan", 8, ""),
    ]);
    let steps = [SCAN, ("order", None, Some(5), None), ("scan", Some(4), Some(4), None)];
    assert!(holds(&world, &steps, false));
}

#[test]
fn q11_steps_can_share_event_types() {
    let touch = json!([{"type": "scan", "where": null}, {"type": "order", "where": null}]);
    let step = |events: &Json| json!({"events": events, "after": null, "within": null, "without": []});
    let of = json!({"op": "sequence", "steps": [step(&touch), step(&json!([touch[1]]))], "by": null, "from": null, "to": AS_OF});
    for (events, held) in [
        (vec![("order", 1, ""), ("order", 2, "")], 1),
        (vec![("order", 1, "")], 0),
    ] {
        let (found, expected) = members(&told(&events), &of);
        assert_eq!((found.len(), &found), (held, &expected));
    }
}

#[test]
fn invalid_sequences_are_rejected_with_the_node() {
    let refused = |steps: Json, by: Json, to: i64| {
        let of = json!({"op": "sequence", "steps": steps, "by": by, "from": null, "to": to});
        match evaluate(&world(1).version(), plan_of(&of).to_string().as_bytes()) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("answered"),
        }
    };
    let step = |kind: &str, after: Option<u64>| json!({"events": [{"type": kind, "where": null}], "after": after, "within": null, "without": []});
    let labels = json!({"op": "property", "name": "labels"});
    let mixed = json!({"op": "by_type", "of": [
        {"type": "order", "value": {"op": "property", "name": "amount"}},
        {"type": "scan", "value": {"op": "property", "name": "product"}},
    ]});
    for (steps, by, to, message) in [
        (
            json!([]),
            Json::Null,
            AS_OF,
            ".steps: a sequence has from 1 to 32 steps",
        ),
        (
            json!(vec![step("scan", None); 33]),
            Json::Null,
            AS_OF,
            ".steps: a sequence has from 1 to 32 steps",
        ),
        (
            json!([step("scan", Some(1))]),
            Json::Null,
            AS_OF,
            ".steps[0]: the first step",
        ),
        (
            json!([step("gone", None)]),
            Json::Null,
            AS_OF,
            ".steps[0].events[0]: event type `gone`",
        ),
        (json!([step("scan", None)]), Json::Null, AS_OF + 1, ".to: later than"),
        (
            json!([step("scan", None)]),
            labels,
            AS_OF,
            ".by: a set is not one value",
        ),
        (
            json!([step("scan", None)]),
            mixed,
            AS_OF,
            ".by.of[1]: a text has another type than the other values",
        ),
    ] {
        let refusal = refused(steps, by, to);
        assert!(
            refusal.starts_with(&format!("plan.roots[0].cond{message}")),
            "{refusal}"
        );
    }
}
