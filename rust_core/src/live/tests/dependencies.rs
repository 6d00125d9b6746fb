use serde_json::json;

use crate::live::dependencies::{Dependencies, Dependency};
use crate::plan::{Moment, Root};

fn dependencies(cond: &serde_json::Value) -> Dependencies {
    let root = json!({"name": "s", "cond": cond, "among": null});
    Dependencies::of(&Root::parse(root.to_string().as_bytes()).unwrap())
}

#[test]
fn a_count_in_a_moving_window_senses_its_events_and_both_ends() {
    let events = json!({"steps": [{"type": "order", "where": null}], "from": {"ago": 5}, "to": {"ago": 0}});
    let found = dependencies(&json!({"op": "happened", "events": events, "min": 2, "max": null}));
    let passing = |ago| Dependency::EventAge {
        event_type: "order".into(),
        age_ms: ago,
    };
    let expected = [
        Dependency::People(Moment::NOW),
        Dependency::Events("order".into()),
        passing(0),
        passing(5),
    ];
    assert_eq!(found.of, expected.into());
    assert!(!found.ranks);
}

#[test]
fn a_recency_senses_what_passes_its_border_and_not_the_time() {
    let events = json!({"steps": [{"type": "order", "where": null}], "from": null, "to": {"ago": 0}});
    let latest = json!({"op": "aggregate", "fn": "latest", "events": events, "value": null, "day_starts": null});
    let cond = |right| json!({"op": "compare", "cmp": ">", "left": {"op": "elapsed", "of": latest}, "right": right});
    let found = dependencies(&cond(json!({"op": "literal", "value": {"duration": 7}})));
    assert!(found.of.contains(&Dependency::EventAge {
        event_type: "order".into(),
        age_ms: 7
    }));
    assert!(!found.of.contains(&Dependency::Time));
    // Beside a time that is another for everybody it is another at every as-of.
    let attribute = json!({"op": "elapsed", "of": {"op": "attribute", "name": "joined", "key": null}});
    assert!(dependencies(&cond(attribute)).of.contains(&Dependency::Time));
}
