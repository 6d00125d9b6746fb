use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::random::cond;
use crate::eval::tests::random::{self, Random, RowKind};
use crate::live::dependencies::{Dependencies, Dependency};
use crate::plan::{Moment, Root};

fn dependencies(cond: &serde_json::Value) -> Dependencies {
    let root = json!({"name": "s", "cond": cond, "among": null});
    Dependencies::of(&Root::parse(root.to_string().as_bytes()).unwrap())
}

#[test]
fn a_sliding_count_depends_on_events_and_both_window_ends() {
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
    assert_eq!(found.inputs, expected.into());
    assert!(!found.ranks);
}

#[test]
fn recency_depends_on_event_age_and_not_on_time() {
    let events = json!({"steps": [{"type": "order", "where": null}], "from": null, "to": {"ago": 0}});
    let latest = json!({"op": "aggregate", "fn": "latest", "events": events, "value": null, "day_starts": null});
    let cond = |right| json!({"op": "compare", "cmp": ">", "left": {"op": "elapsed", "of": latest}, "right": right});
    let found = dependencies(&cond(json!({"op": "literal", "value": {"duration": 7}})));
    assert!(found.inputs.contains(&Dependency::EventAge {
        event_type: "order".into(),
        age_ms: 7
    }));
    assert!(!found.inputs.contains(&Dependency::Time));
    // The elapsed time of another attribute differs per person, so the comparison depends on time.
    let attribute = json!({"op": "elapsed", "of": {"op": "attribute", "name": "joined", "key": null}});
    assert!(dependencies(&cond(attribute)).inputs.contains(&Dependency::Time));
}

/// Derives the same facts from the JSON of the plan, object by object.
#[derive(Debug, Default, PartialEq)]
struct Read {
    types: BTreeSet<String>,
    attributes: BTreeSet<String>,
    ages_ms: BTreeSet<i64>,
    durations_ms: BTreeSet<i64>,
    channels: bool,
    past_ms: i64,
    ranks: bool,
    items_in_windows: bool,
}

impl Read {
    /// Visits a node; `back` is the distance of its as-of from that of the plan, in ms.
    fn read(&mut self, json: &Json, mut back: i64) {
        let Json::Object(fields) = json else {
            return json
                .as_array()
                .into_iter()
                .flatten()
                .for_each(|item| self.read(item, back));
        };
        let text = |name: &str| fields.get(name).and_then(Json::as_str).unwrap_or_default();
        let number = |name: &str| fields.get(name).and_then(Json::as_i64);
        if fields.contains_key("type") && fields.contains_key("where") {
            self.types.insert(text("type").into());
        }
        self.ages_ms.extend(number("ago"));
        self.durations_ms.extend(number("duration"));
        match text("op") {
            "attribute" => {
                self.attributes.insert(text("name").into());
                self.past_ms = self.past_ms.max(back);
            }
            "channels" => self.channels = true,
            "rank" | "tile" => self.ranks = true,
            "within" => {
                let moves = fields["from"].is_object() || fields["to"].is_object();
                self.items_in_windows |= moves && fields["expr"].to_string().contains("\"lookup\"");
            }
            "at" => back = fields["as_of"]["ago"].as_i64().unwrap_or(0),
            _ => {}
        }
        fields.values().for_each(|field| self.read(field, back));
    }
}

fn check(cond: &Json) -> Result<(), TestCaseError> {
    let found = dependencies(cond);
    let named = |name: &dyn Fn(&Dependency) -> Option<&String>| found.inputs.iter().filter_map(name).cloned().collect();
    let mut read = Read::default();
    read.ages_ms.insert(0);
    read.read(cond, 0);
    let told = Read {
        types: named(&|one| match one {
            Dependency::Events(name) => Some(name),
            _ => None,
        }),
        attributes: named(&|one| match one {
            Dependency::Attribute(name) => Some(name),
            _ => None,
        }),
        channels: found.inputs.iter().any(|one| matches!(one, Dependency::Channels(_))),
        ages_ms: found.ages_ms,
        durations_ms: found.durations_ms,
        past_ms: found.past_ms,
        ranks: found.ranks,
        items_in_windows: found.items_in_windows,
    };
    prop_assert_eq!(told, read, "{}", cond);
    Ok(())
}

proptest! {
    #![proptest_config(crate::testing::cases(256))]

    #[test]
    fn all_names_of_a_moving_condition_are_dependencies(cond in cond()) {
        check(&cond)?;
    }

    #[test]
    fn all_names_of_a_condition_are_dependencies(seed in any::<u64>()) {
        check(&random::cond(&mut Random(seed), RowKind::People, 3))?;
    }
}

#[test]
fn an_item_instant_in_a_moving_window_is_a_dependency() {
    let lookup = json!({"op": "lookup", "catalog": "goods", "key": {"op": "attribute", "name": "favourite", "key": null}, "attribute": "launched"});
    let within = |from: Json| json!({"op": "within", "expr": lookup, "from": from, "to": null});
    assert!(dependencies(&within(json!({"ago": 5}))).items_in_windows);
    assert!(!dependencies(&within(json!(5))).items_in_windows);
}
