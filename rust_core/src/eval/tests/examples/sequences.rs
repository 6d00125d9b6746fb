//! Examples of sequences.

use serde_json::{Value as Json, json};

use crate::eval::tests::queries::rejection;
use crate::eval::tests::random::{AS_OF, world};
use crate::eval::tests::sequences::members;
use crate::eval::tests::world::{Event, Person, Val, World};

/// Returns one person with events of (type, time, product); an empty product is unknown.
fn person_with(events: &[(&'static str, i64, &str)]) -> World {
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

/// A step as (type, after, within, without); `without` is an event type.
type Step<'t> = (&'t str, Option<u64>, Option<u64>, Option<&'t str>);

/// Returns whether a sequence holds, after a check against the oracle; with `by`, all events share their product.
fn holds(world: &World, steps: &[Step], by: bool) -> bool {
    let events = |kind: &str| json!([{"type": kind, "where": null}]);
    let steps: Vec<Json> = steps
        .iter()
        .map(|&(kind, after, within, without)| {
            json!({"events": events(kind), "after": after, "within": within, "without": without.map_or(json!([]), events)})
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

const SCAN: Step = ("scan", None, None, None);
const ORDER: Step = ("order", None, None, None);

#[test]
fn q1_each_step_is_strictly_later() {
    assert!(holds(
        &person_with(&[("scan", 5, ""), ("order", 6, "")]),
        &[SCAN, ORDER],
        false
    ));
    assert!(!holds(
        &person_with(&[("scan", 5, ""), ("order", 5, "")]),
        &[SCAN, ORDER],
        false
    ));
    assert!(!holds(&person_with(&[("order", 5, "")]), &[ORDER, ORDER], false));
}

#[test]
fn q2_q3_q12_gaps_include_their_bounds() {
    let world = person_with(&[("scan", 5, ""), ("order", 15, "")]);
    let order_follows = |after, within| holds(&world, &[SCAN, ("order", after, within, None)], false);
    assert!(order_follows(None, Some(10)) && !order_follows(None, Some(9)));
    assert!(order_follows(Some(10), None) && !order_follows(Some(11), None));
    assert!(order_follows(Some(10), Some(10)) && !order_follows(Some(11), Some(10)));
}

#[test]
fn q4_a_forbidden_event_counts_only_between_its_steps() {
    let steps = [("scan", None, None, Some("order")), SCAN];
    for (time, expected) in [(4, true), (5, true), (6, false), (9, false), (10, true), (11, true)] {
        let world = person_with(&[("scan", 5, ""), ("order", time, ""), ("scan", 10, "")]);
        assert_eq!(holds(&world, &steps, false), expected, "{time}");
    }
}

#[test]
fn q5_no_forbidden_event_follows_the_last_step_in_the_window() {
    let steps = [SCAN, ("scan", None, None, Some("order"))];
    let world = |time| person_with(&[("scan", 5, ""), ("scan", 10, ""), ("order", time, "")]);
    for (time, expected) in [(7, true), (10, true), (11, false), (AS_OF - 1, false), (AS_OF, true)] {
        assert_eq!(holds(&world(time), &steps, false), expected, "{time}");
    }
    assert!(!holds(&world(12), &[("scan", None, None, Some("order"))], false));
}

#[test]
fn q6_q7_all_events_share_one_value() {
    let pair = |a, b| person_with(&[("scan", 5, a), ("order", 6, b)]);
    assert!(holds(&pair("p1", "p1"), &[SCAN, ORDER], true));
    assert!(!holds(&pair("p1", "p2"), &[SCAN, ORDER], true));
    assert!(!holds(&pair("", ""), &[SCAN, ORDER], true));
    let steps = [("scan", None, None, Some("order")), SCAN];
    let scans_around_order = |forbidden| person_with(&[("scan", 5, "p1"), ("order", 6, forbidden), ("scan", 7, "p1")]);
    assert!(!holds(&scans_around_order("p1"), &steps, true));
    assert!(holds(&scans_around_order("p2"), &steps, true));
    assert!(holds(&scans_around_order(""), &steps, true));
}

#[test]
fn q10_a_sequence_holds_if_any_assignment_fits_not_only_the_nearest() {
    // The order is too close to the second scan, but not to the first.
    let world = person_with(&[("scan", 0, ""), ("scan", 9, ""), ("order", 10, "")]);
    assert!(holds(&world, &[SCAN, ("order", Some(5), None, None)], false));
    // Only the first scan is followed by an order within the gap.
    let world = person_with(&[
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
    let any_type = json!([{"type": "scan", "where": null}, {"type": "order", "where": null}]);
    let step = |events: &Json| json!({"events": events, "after": null, "within": null, "without": []});
    let of = json!({"op": "sequence", "steps": [step(&any_type), step(&json!([any_type[1]]))], "by": null, "from": null, "to": AS_OF});
    for (orders, count) in [
        (vec![("order", 1, ""), ("order", 2, "")], 1),
        (vec![("order", 1, "")], 0),
    ] {
        let (found, expected) = members(&person_with(&orders), &of);
        assert_eq!((found.len(), &found), (count, &expected));
    }
}

#[test]
fn invalid_sequences_are_rejected_with_the_path_of_the_node() {
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
        let sequence = json!({"op": "sequence", "steps": steps, "by": by, "from": null, "to": to});
        let rejection = rejection(&world(1), &sequence);
        assert!(
            rejection.starts_with(&format!("plan.roots[0].cond{message}")),
            "{rejection}"
        );
    }
}
