//! Conditions and expressions of all kinds (docs/plan.md), and mutations of plans.

use std::sync::LazyLock;

use quanyu_core::index::view::DAY_MS;
use serde_json::{Value as Json, json};

use crate::random::Random;

/// The as-of: 2025-06-19 UTC.
pub const START: i64 = 20_258 * DAY_MS;
pub const AS_OF: i64 = START + 20 * DAY_MS;

static FILTERS: LazyLock<Vec<Json>> = LazyLock::new(filters);
static EXPRS: LazyLock<Vec<Json>> = LazyLock::new(exprs);
static CONDS: LazyLock<Vec<Json>> = LazyLock::new(conds);

fn attribute(name: &str) -> Json {
    json!({"op": "attribute", "name": name, "key": null})
}

fn property(name: &str) -> Json {
    json!({"op": "property", "name": name})
}

fn literal(kind: &str, value: Json) -> Json {
    json!({"op": "literal", "value": {kind: value}})
}

fn compare(left: Json, cmp: &str, right: Json) -> Json {
    json!({"op": "compare", "cmp": cmp, "left": left, "right": right})
}

fn events(from: Json, filter: Json) -> Json {
    json!({"steps": [{"type": "order", "where": filter}, {"type": "scan", "where": null}], "from": from, "to": AS_OF})
}

fn aggregate(function: &str, value: Json) -> Json {
    let day_starts = match function {
        "days" => json!((0..22).map(|day| START + day * DAY_MS).collect::<Vec<_>>()),
        _ => Json::Null,
    };
    json!({"op": "aggregate", "fn": function, "events": events(Json::Null, Json::Null), "value": value, "day_starts": day_starts})
}

fn lookup(attribute: &str) -> Json {
    json!({"op": "lookup", "catalog": "product", "key": property("product"), "attribute": attribute})
}

/// Returns conditions on events.
fn filters() -> Vec<Json> {
    let by_type = json!({"op": "by_type", "of": [{"type": "order", "value": property("amount")}]});
    vec![
        compare(property("amount"), ">", literal("num", json!("1"))),
        compare(by_type, "<=", literal("num", json!("12.5"))),
        compare(lookup("category"), "=", literal("text", json!("coffee"))),
        compare(lookup("price"), "<", property("amount")),
        compare(property("gift"), "=", literal("bool", json!(true))),
        json!({"op": "in", "expr": {"op": "event_channel"}, "items": [literal("text", json!("pos"))]}),
        json!({"op": "has", "mode": "all", "expr": property("labels"), "items": [literal("text", json!("a"))]}),
        json!({"op": "within", "expr": property("due"), "from": START, "to": {"ago": 0}}),
        json!({"op": "within", "expr": property("day"), "from": 20_000, "to": 20_259}),
        json!({"op": "text", "test": "matches", "expr": property("product"), "value": "^p[0-9]$"}),
        compare(
            json!({"op": "person", "expr": attribute("city")}),
            "!=",
            literal("text", json!("tea")),
        ),
        json!({"op": "unknown", "expr": lookup("price")}),
    ]
}

/// Returns conditions on people.
fn exprs() -> Vec<Json> {
    let amount = || property("amount");
    let numbers = [
        "sum", "avg", "min", "max", "median", "distinct", "earliest", "latest", "most",
    ];
    let mut exprs: Vec<Json> = numbers.map(|function| aggregate(function, amount())).into();
    exprs.extend(["count", "days", "earliest", "latest"].map(|function| aggregate(function, Json::Null)));
    exprs.extend(["city", "balance", "signup", "born", "tags", "home"].map(attribute));
    exprs.extend([
        json!({"op": "channels"}),
        json!({"op": "attribute", "name": "survey", "key": "q"}),
        json!({"op": "elapsed", "of": attribute("signup")}),
        json!({"op": "arith", "fn": "/", "left": attribute("balance"), "right": aggregate("count", Json::Null)}),
        json!({"op": "default", "expr": attribute("balance"), "otherwise": literal("num", json!("0"))}),
        json!({"op": "tile", "k": 4, "expr": attribute("balance"), "population": null}),
        json!({"op": "case", "tiers": [{"when": {"op": "constant", "value": true}, "value": {"num": "1"}}], "otherwise": {"num": "2"}}),
    ]);
    exprs
}

pub fn conds() -> Vec<Json> {
    let zero = || literal("num", json!("0"));
    let city = || compare(attribute("city"), "=", literal("text", json!("上海")));
    let step = |kind: &str| json!([{"type": kind, "where": null}]);
    let mut conds: Vec<Json> = filters()
        .into_iter()
        .map(|filter| json!({"op": "happened", "events": events(json!(START), filter), "min": 1, "max": null}))
        .collect();
    conds.extend(
        ["sum", "avg", "min", "max", "median", "distinct"]
            .map(|function| compare(aggregate(function, property("amount")), ">", zero())),
    );
    conds.extend(
        ["count", "days"].map(|function| compare(aggregate(function, Json::Null), ">=", literal("num", json!("2")))),
    );
    conds.extend(["earliest", "latest"].map(|function| {
        json!({"op": "within", "expr": aggregate(function, Json::Null), "from": null, "to": {"ago": 3 * DAY_MS}})
    }));
    conds.extend([
        city(),
        json!({"op": "all", "of": [city(), {"op": "known", "expr": attribute("vip")}]}),
        json!({"op": "any", "of": [{"op": "not", "of": city()}, {"op": "or_unknown", "of": city()}]}),
        json!({"op": "set", "of": city(), "among": {"op": "known", "expr": attribute("tags")}}),
        json!({"op": "at", "as_of": START + DAY_MS, "of": city(), "among": null}),
        json!({"op": "in", "expr": {"op": "channels"}, "items": [literal("text", json!("app"))]}),
        json!({"op": "has", "mode": "none", "expr": attribute("tags"), "items": [literal("text", json!("x"))]}),
        json!({"op": "text", "test": "contains", "expr": attribute("city"), "value": "er"}),
        json!({"op": "anniversary", "expr": attribute("born"), "years": [{"year": 2025, "month_days": [228, 301]}]}),
        json!({"op": "anniversary", "expr": attribute("birthday"), "years": [{"year": 2024, "month_days": [229]}]}),
        json!({"op": "near", "expr": attribute("home"), "point": literal("point", json!([31.0, 121.0])), "metres": 1e5}),
        json!({"op": "happened", "events": events(json!({"ago": 5 * DAY_MS}), Json::Null), "min": 0, "max": 2}),
        json!({"op": "sequence", "by": property("product"), "from": null, "to": AS_OF, "steps": [
            {"events": step("order"), "after": null, "within": null, "without": []},
            {"events": step("scan"), "after": 1, "within": 9 * DAY_MS, "without": step("order")},
        ]}),
        json!({"op": "rank", "expr": attribute("balance"), "side": "top", "percent": "0.1", "count": null, "population": null}),
        json!({"op": "rank", "expr": aggregate("count", Json::Null), "side": "bottom", "percent": null, "count": 3, "population": city()}),
        json!({"op": "sample", "seed": "s", "below": "9223372036854775808"}),
        compare(json!({"op": "tile", "k": 4, "expr": attribute("balance"), "population": city()}), "=", literal("num", json!("1"))),
        compare(json!({"op": "elapsed", "of": attribute("signup")}), ">", literal("duration", json!({"ago": AS_OF - START}))),
    ]);
    conds
}

fn root(cond: Json) -> Json {
    json!({"name": "r", "cond": cond, "among": null})
}

/// Returns a plan with these conditions as roots.
pub fn plan(conds: Vec<Json>) -> Json {
    json!({"as_of": AS_OF, "roots": conds.into_iter().map(root).collect::<Vec<_>>()})
}

/// Returns the rules of live segments, in which all instants are relative.
pub fn roots() -> Vec<Json> {
    let ago = |days: i64| json!({"ago": days * DAY_MS});
    let events = json!({"steps": [{"type": "order", "where": null}], "from": ago(15), "to": ago(0)});
    let conds = [
        json!({"op": "happened", "events": events, "min": 1, "max": null}),
        compare(attribute("vip"), "=", literal("bool", json!(true))),
    ];
    conds.map(root).into()
}

/// Returns a plan with all conditions.
pub fn all() -> &'static str {
    static ALL: LazyLock<String> = LazyLock::new(|| plan(conds()).to_string());
    &ALL
}

/// For `fuzz_mutator!`: replaces one part of a plan; returns the new size.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut random = Random::new(seed);
    let parsed: Option<Json> = serde_json::from_slice(&data[..size]).ok();
    let Some(mut plan) = parsed.filter(|_| random.below(20) > 0) else {
        return libfuzzer_sys::fuzzer_mutate(data, size, max_size);
    };
    let place = random.below(count(&plan));
    let other = random.below(count(&plan));
    let other = part(&mut plan, other).clone();
    let part = part(&mut plan, place);
    *part = changed(part, other, &mut random);
    let text = plan.to_string();
    if text.len() > max_size {
        return size;
    }
    data[..text.len()].copy_from_slice(text.as_bytes());
    text.len()
}

/// Returns the number of parts of a plan, including itself.
fn count(plan: &Json) -> usize {
    1 + match plan {
        Json::Object(fields) => fields.values().map(count).sum(),
        Json::Array(items) => items.iter().map(count).sum(),
        _ => 0,
    }
}

fn part(plan: &mut Json, mut number: usize) -> &mut Json {
    if number == 0 {
        return plan;
    }
    number -= 1;
    let parts: Vec<&mut Json> = match plan {
        Json::Object(fields) => fields.values_mut().collect(),
        Json::Array(items) => items.iter_mut().collect(),
        _ => unreachable!("it has no parts"),
    };
    for inner in parts {
        let parts = count(inner);
        if number < parts {
            return part(inner, number);
        }
        number -= parts;
    }
    unreachable!("the number is less than the count")
}

fn changed(part: &Json, other: Json, random: &mut Random) -> Json {
    let is_node = part.get("op").is_some();
    let is_cond = part["op"]
        .as_str()
        .is_some_and(|op| CONDS.iter().any(|cond| cond["op"] == op));
    match part {
        Json::Array(items) if random.below(2) == 0 => {
            let mut items = items.clone();
            match random.below(2) {
                0 => items.extend(items.first().cloned()),
                _ => drop(items.pop()),
            }
            items.into()
        }
        Json::Number(number) => changed_number(number.as_i64().unwrap_or_default(), random),
        Json::String(text) => changed_text(text, random),
        Json::Bool(value) => (!value).into(),
        Json::Null => match random.below(3) {
            0 => random.of(&CONDS),
            1 => other,
            _ => random.of(&[json!(AS_OF), json!(START), json!(1), json!("q")]),
        },
        _ if is_cond => match random.below(8) {
            0 => json!({"op": "not", "of": part}),
            1 => json!({"op": "all", "of": [part, random.of(&CONDS)]}),
            2 => json!({"op": "any", "of": [random.of(&CONDS), part]}),
            3 => json!({"op": "at", "as_of": START + 7 * DAY_MS, "of": part, "among": null}),
            4 => random.of(&FILTERS),
            5 => other,
            _ => random.of(&CONDS),
        },
        _ if is_node => match random.below(4) {
            0 => json!({"op": "default", "expr": part, "otherwise": random.of(&EXPRS)}),
            1 => other,
            2 => random.of(&[property("amount"), property("day"), lookup("labels"), lookup("price")]),
            _ => random.of(&EXPRS),
        },
        _ => random.of(&[other, Json::Null, part.clone()]),
    }
}

fn changed_number(before: i64, random: &mut Random) -> Json {
    let near = before.wrapping_add(random.below(3) as i64 - 1);
    let [ago, day] = [DAY_MS, before.wrapping_add(DAY_MS)];
    match random.below(6) {
        0 => json!({"ago": random.of(&[0, ago, i64::MAX, i64::MIN, near])}),
        1 => json!(random.of(&[i64::MIN, i64::MAX, i64::MIN + 1, i64::MIN + DAY_MS])),
        2 => json!(random.of(&[0, 1, -1, 2, 64, 229, 1301, i64::from(u32::MAX)])),
        3 => json!(random.of(&[f64::MAX, -0.0, 1e-300, 90.0])),
        4 => json!(random.of(&[AS_OF, START, day])),
        _ => json!(near),
    }
}

/// Returns a text that is mostly valid in this position.
fn changed_text(before: &str, random: &mut Random) -> Json {
    const KINDS: [&[&str]; 8] = [
        &["<", "<=", ">", ">=", "=", "!="],
        &["+", "-", "*", "/"],
        &[
            "vip", "balance", "city", "signup", "born", "birthday", "tags", "survey", "home",
        ],
        &["amount", "product", "gift", "due", "day", "labels", "category", "price"],
        &[
            "count", "sum", "avg", "min", "max", "median", "distinct", "days", "earliest", "latest", "most",
        ],
        &["any", "all", "none"],
        &["contains", "starts_with", "ends_with", "matches"],
        &["order", "scan"],
    ];
    const OTHERS: [&str; 10] = [
        "",
        "top",
        "bottom",
        "-9000000000000",
        "9000000000000",
        "0.000001",
        "18446744073709551616",
        "(a|b)*c{2,9}",
        "ＴＥＡ",
        "p1",
    ];
    match KINDS.iter().find(|texts| texts.contains(&before)) {
        Some(alike) if random.below(8) > 0 => random.of(alike).into(),
        _ => random.of(&OTHERS).into(),
    }
}
