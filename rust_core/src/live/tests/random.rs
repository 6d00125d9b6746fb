//! Random conditions over the histories of the index tests.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::index::view::DAY_MS;

fn moment() -> impl Strategy<Value = Json> {
    let moving = prop::sample::select(vec![0, 1, DAY_MS, 2 * DAY_MS, 9 * DAY_MS, 29 * DAY_MS]);
    let fixed = prop::sample::select(vec![-DAY_MS, 0, DAY_MS, 3 * DAY_MS]);
    prop_oneof![3 => moving.prop_map(|ms| json!({"ago": ms})), 1 => fixed.prop_map(|ms| json!(ms))]
}

fn events() -> impl Strategy<Value = Json> {
    let types = prop::sample::select(vec!["order", "visit"]);
    let large = json!({"op": "compare", "cmp": ">", "left": {"op": "property", "name": "amount"}, "right": {"op": "literal", "value": {"num": "5"}}});
    let brand = json!({"op": "known", "expr": {"op": "lookup", "catalog": "goods", "key": {"op": "property", "name": "item"}, "attribute": "brand"}});
    let filter = prop::sample::select(vec![Json::Null, Json::Null, large, brand]);
    let from = prop::option::of(moment());
    (types, filter, from).prop_map(|(kind, filter, from)| {
        let steps = json!([{"type": kind, "where": filter}]);
        json!({"steps": steps, "from": from, "to": {"ago": 0}})
    })
}

fn aggregate(function: &str, events: Json) -> Json {
    json!({"op": "aggregate", "fn": function, "events": events, "value": null, "day_starts": null})
}

fn leaf() -> impl Strategy<Value = Json> {
    let attribute = |name: &str| json!({"op": "attribute", "name": name, "key": null});
    let duration = |ms: i64| json!({"op": "literal", "value": {"duration": ms}});
    let number = |number: u32| json!({"op": "literal", "value": {"num": number.to_string()}});
    let cmp = || prop::sample::select(vec!["<", "<=", ">", ">="]);
    let days = || (0..30i64).prop_map(|days| days * DAY_MS);
    let names = prop::sample::select(vec!["active", "city", "points", "likes", "joined"]);
    prop_oneof![
        2 => (events(), 0..3u64).prop_map(|(events, min)| json!({"op": "happened", "events": events, "min": min, "max": null})),
        1 => (events(), cmp(), 0..3u32).prop_map(move |(events, cmp, than)| {
            json!({"op": "compare", "cmp": cmp, "left": aggregate("count", events), "right": number(than)})
        }),
        1 => (events(), cmp(), days(), any::<bool>()).prop_map(move |(events, cmp, ms, first)| {
            let moment = aggregate(if first { "earliest" } else { "latest" }, events);
            json!({"op": "compare", "cmp": cmp, "left": {"op": "elapsed", "of": moment}, "right": duration(ms)})
        }),
        1 => (cmp(), days()).prop_map(move |(cmp, ms)| {
            json!({"op": "compare", "cmp": cmp, "left": {"op": "elapsed", "of": attribute("joined")}, "right": duration(ms)})
        }),
        3 => names.prop_map(move |name| json!({"op": "known", "expr": attribute(name)})),
        1 => (moment(), prop::option::of(moment())).prop_map(move |(from, to)| {
            json!({"op": "within", "expr": attribute("joined"), "from": from, "to": to})
        }),
        1 => (events(), moment()).prop_map(move |(events, from)| {
            json!({"op": "within", "expr": aggregate("latest", events), "from": from, "to": null})
        }),
        1 => Just(json!({"op": "has", "mode": "any", "expr": {"op": "channels"}, "items": [{"op": "literal", "value": {"text": "pos"}}]})),
        1 => (1..4u64).prop_map(move |count| {
            json!({"op": "rank", "expr": attribute("points"), "side": "top", "percent": null, "count": count, "population": null})
        }),
        1 => (events(), events()).prop_map(|(first, then)| {
            let step = |events: &Json| json!({"events": events["steps"], "after": null, "within": 2 * DAY_MS, "without": []});
            let mut steps = json!([step(&first), step(&then)]);
            steps[0]["within"] = Json::Null;
            json!({"op": "sequence", "steps": steps, "by": null, "from": first["from"], "to": {"ago": 0}})
        }),
    ]
}

pub fn cond() -> impl Strategy<Value = Json> {
    leaf().prop_recursive(2, 6, 3, |inner| {
        let some = || prop::collection::vec(inner.clone(), 1..3);
        prop_oneof![
            some().prop_map(|of| json!({"op": "all", "of": of})),
            some().prop_map(|of| json!({"op": "any", "of": of})),
            inner.clone().prop_map(|of| json!({"op": "not", "of": of})),
            (inner.clone(), 0..9 * DAY_MS)
                .prop_map(|(of, ago)| json!({"op": "at", "as_of": {"ago": ago}, "of": inside(of, ago), "among": null})),
        ]
    })
}

/// Shifts all relative instants by `ago`, because nothing inside an `at` node may lie after its as-of.
fn inside(mut json: Json, ago: i64) -> Json {
    match &mut json {
        Json::Object(fields) => {
            if let Some(before) = fields.get_mut("ago") {
                *before = json!(before.as_i64().unwrap() + ago);
            }
            fields.values_mut().for_each(|field| *field = inside(field.take(), ago));
        }
        Json::Array(items) => items.iter_mut().for_each(|item| *item = inside(item.take(), ago)),
        _ => {}
    }
    json
}
