use serde_json::json;

use crate::live::dependencies::{Sense, Senses};
use crate::plan::{Moment, Root};

fn senses(cond: &serde_json::Value) -> Senses {
    let root = json!({"name": "s", "cond": cond, "among": null});
    Senses::of(&Root::parse(root.to_string().as_bytes()).unwrap())
}

#[test]
fn a_count_in_a_moving_window_senses_its_events_and_both_ends() {
    let events = json!({"steps": [{"type": "order", "where": null}], "from": {"ago": 5}, "to": {"ago": 0}});
    let found = senses(&json!({"op": "happened", "events": events, "min": 2, "max": null}));
    let passing = |ago| Sense::Passing {
        event_type: "order".into(),
        ago,
    };
    let expected = [
        Sense::People(Moment::NOW),
        Sense::Events("order".into()),
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
    let found = senses(&cond(json!({"op": "literal", "value": {"duration": 7}})));
    assert!(found.of.contains(&Sense::Passing {
        event_type: "order".into(),
        ago: 7
    }));
    assert!(!found.of.contains(&Sense::Time));
    // Beside a time that is another for everybody it is another at every as-of.
    let attribute = json!({"op": "elapsed", "of": {"op": "attribute", "name": "joined", "key": null}});
    assert!(senses(&cond(attribute)).of.contains(&Sense::Time));
}
