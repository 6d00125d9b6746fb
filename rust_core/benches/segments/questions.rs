//! The measured conditions.

use serde_json::{Value as Json, json};

use crate::world::{AS_OF, DAY_MS, DAYS};

pub fn happened(types: &[&str], days: u64, min: u64) -> Json {
    let steps: Vec<Json> = types.iter().map(|name| json!({"type": name, "where": null})).collect();
    let events = json!({"steps": steps, "from": AS_OF - days * DAY_MS, "to": AS_OF});
    json!({"op": "happened", "events": events, "min": min, "max": null})
}

pub fn aggregate(function: &str, value: Option<&str>, types: &[&str], days: u64, channel: Option<&str>) -> Json {
    let text = |text: &str| json!({"op": "literal", "value": {"text": text}});
    let filter = channel.map(|channel| json!({"op": "in", "expr": {"op": "event_channel"}, "items": [text(channel)]}));
    let steps: Vec<Json> = types
        .iter()
        .map(|name| json!({"type": name, "where": filter}))
        .collect();
    let value = value.map(|name| json!({"op": "property", "name": name}));
    let events = json!({"steps": steps, "from": AS_OF - days * DAY_MS, "to": AS_OF});
    json!({"op": "aggregate", "fn": function, "events": events, "value": value, "day_starts": null})
}

pub fn more(left: Json, number: &str) -> Json {
    json!({"op": "compare", "cmp": ">", "left": left, "right": {"op": "literal", "value": {"num": number}}})
}

pub fn among(attribute: &str, texts: &[&str]) -> Json {
    let items: Vec<Json> = texts
        .iter()
        .map(|text| json!({"op": "literal", "value": {"text": text}}))
        .collect();
    json!({"op": "in", "expr": {"op": "attribute", "name": attribute, "key": null}, "items": items})
}

/// Returns the condition that a set contains one of these texts.
fn has_any(attribute: &str, texts: &[&str]) -> Json {
    let mut cond = among(attribute, texts);
    cond["op"] = json!("has");
    cond["mode"] = json!("any");
    cond
}

/// Returns the condition of at least `min` events of a type that pass the filter.
fn happened_where(name: &str, filter: Json, days: u64, min: u64) -> Json {
    let mut cond = happened(&[name], days, min);
    cond["events"]["steps"][0]["where"] = filter;
    cond
}

fn property_among(name: &str, texts: &[&str]) -> Json {
    let mut cond = among(name, texts);
    cond["expr"] = json!({"op": "property", "name": name});
    cond
}

/// Returns the condition that the second event follows the first within some days.
fn funnel(first: &str, second: &str, within_days: u64) -> Json {
    let step = |name: &str, within: Option<u64>| json!({"events": [{"type": name, "where": null}], "after": null, "within": within, "without": []});
    let steps = [step(first, None), step(second, Some(within_days * DAY_MS))];
    json!({"op": "sequence", "steps": steps, "by": null, "from": null, "to": AS_OF})
}

pub fn recency(types: &[&str], days: u64) -> Json {
    let elapsed = json!({"op": "elapsed", "of": aggregate("latest", None, types, DAYS, None)});
    json!({"op": "compare", "cmp": ">", "left": elapsed, "right": {"op": "literal", "value": {"duration": days * DAY_MS}}})
}

pub fn channels(names: &[&str]) -> Json {
    let items: Vec<Json> = names
        .iter()
        .map(|text| json!({"op": "literal", "value": {"text": text}}))
        .collect();
    json!({"op": "in", "expr": {"op": "channels"}, "items": items})
}

pub fn all(of: Vec<Json>) -> Json {
    json!({"op": "all", "of": of})
}

const ANY: [&str; 5] = ["browse", "order", "scan", "review", "refund"];

pub fn questions() -> Vec<(&'static str, Json)> {
    let five = vec![
        channels(&["pos", "miniapp"]),
        among("city", &["city 1", "city 5"]),
        among("level", &["gold", "black"]),
        more(json!({"op": "attribute", "name": "score", "key": null}), "500"),
        json!({"op": "within", "expr": {"op": "attribute", "name": "birthday", "key": null}, "from": 3650, "to": 7300}),
    ];
    let touch = ["order", "scan"];
    let full = vec![
        recency(&touch, 30),
        channels(&["pos", "miniapp"]),
        among("city", &["city 1", "city 5"]),
        happened(&["browse"], 30, 2),
    ];
    let profile = vec![
        among("city", &["city 1", "city 2", "city 3", "city 4"]),
        among("level", &["silver", "gold", "black"]),
        has_any("tastes", &["spicy", "vegan"]),
        more(json!({"op": "attribute", "name": "score", "key": null}), "400"),
    ];
    let favourite = json!({
        "op": "in", "expr": aggregate("most", Some("store"), &["order"], 90, None),
        "items": [{"op": "literal", "value": {"text": "store 1"}}],
    });
    vec![
        ("nobody", json!({"op": "constant", "value": false})),
        ("attributes", all(five)),
        ("attributes and a set", all(profile)),
        (
            "recency and channel",
            all(vec![recency(&touch, 30), channels(&["pos", "miniapp"])]),
        ),
        ("two orders in 30d", happened(&["order"], 30, 2)),
        ("two events in 30d", happened(&ANY, 30, 2)),
        (
            "browsed, not ordered",
            all(vec![
                happened(&["browse"], 30, 1),
                json!({"op": "not", "of": happened(&["order"], 30, 1)}),
            ]),
        ),
        (
            "sum by channel in 90d",
            more(aggregate("sum", Some("amount"), &["order"], 90, Some("pos")), "300"),
        ),
        (
            "orders ever",
            more(aggregate("count", None, &["order"], DAYS, None), "3"),
        ),
        (
            "spend ever",
            more(aggregate("sum", Some("amount"), &["order"], DAYS, None), "500"),
        ),
        (
            "top tenth by spend",
            json!({
                "op": "rank", "expr": aggregate("sum", Some("amount"), &["order"], DAYS, None),
                "side": "top", "percent": "0.1", "count": null, "population": null,
            }),
        ),
        (
            "distinct stores in 90d",
            more(aggregate("distinct", Some("store"), &["order"], 90, None), "2"),
        ),
        (
            "two orders at 3 stores",
            happened_where(
                "order",
                property_among("store", &["store 1", "store 2", "store 3"]),
                90,
                2,
            ),
        ),
        ("favourite store in 90d", favourite),
        ("browse, then order", funnel("browse", "order", 7)),
        ("the full rule", all(full)),
    ]
}

pub fn plan(roots: &[(&str, &Json)]) -> String {
    let root = |(name, cond): &(&str, &Json)| json!({"name": name, "cond": cond, "among": null});
    json!({"as_of": AS_OF, "roots": roots.iter().map(root).collect::<Vec<_>>()}).to_string()
}
