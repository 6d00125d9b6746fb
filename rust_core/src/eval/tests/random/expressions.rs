//! Random expressions and event queries.

use serde_json::{Value as Json, json};

use super::conditions::cond;
use super::draw::{AS_OF, MONTH_DAYS, POINTS, Random, instant, number};
use crate::index::view::DAY_MS;

/// Writes millionths as decimal text.
fn decimal(millionths: i64) -> String {
    let sign = if millionths < 0 { "-" } else { "" };
    format!(
        "{sign}{}.{:06}",
        millionths.abs() / 1_000_000,
        millionths.abs() % 1_000_000
    )
}

/// Draws a `literal` node of a kind.
pub(super) fn literal(random: &mut Random, kind: &str) -> Json {
    let value = match kind {
        "num" => json!({"num": decimal(number(random))}),
        "text" => {
            json!({"text": random.pick(&["pos", "app", "coffee", "tea", "上海", "ｔｅａ", "nowhere", "p1", "p2", "p5"])})
        }
        "bool" => json!({"bool": random.chance(50)}),
        "instant" => json!({"instant": instant(random)}),
        "date" => json!({"date": random.below(1500) as i64 - 700}),
        "month_day" => json!({"month_day": random.pick(&MONTH_DAYS)}),
        "duration" => json!({"duration": random.below(20) as i64 * DAY_MS}),
        _ => json!({"point": random.pick(&POINTS)}),
    };
    json!({"op": "literal", "value": value})
}

pub(super) const KINDS: [&str; 7] = ["num", "text", "bool", "instant", "date", "month_day", "duration"];

/// The scope of a condition or an expression: people, or the events of a person.
#[derive(Clone, Copy, PartialEq)]
pub enum RowKind {
    People,
    Events,
}

/// Draws an expression of a kind; `depth` bounds its nesting.
pub fn expr(random: &mut Random, kind: &str, row_kind: RowKind, depth: usize) -> Json {
    if random.chance(15) && kind != "set" {
        return literal(random, kind);
    }
    if depth > 0 && random.chance(35) {
        match random.below(4) {
            0 if kind != "set" && kind != "point" => {
                let tiers: Vec<Json> = (0..1 + random.below(2))
                    .map(
                        |_| json!({"when": cond(random, row_kind, depth - 1), "value": literal(random, kind)["value"]}),
                    )
                    .collect();
                let otherwise = if random.chance(50) {
                    literal(random, kind)["value"].clone()
                } else {
                    Json::Null
                };
                return json!({"op": "case", "tiers": tiers, "otherwise": otherwise});
            }
            1 if kind != "set" => {
                let (of, otherwise) = (expr(random, kind, row_kind, depth - 1), literal(random, kind));
                return json!({"op": "default", "expr": of, "otherwise": otherwise});
            }
            2 if kind == "num" => {
                let (left, right) = (
                    expr(random, kind, row_kind, depth - 1),
                    expr(random, kind, row_kind, depth - 1),
                );
                return json!({"op": "arith", "fn": random.pick(&["+", "-", "*", "/"]), "left": left, "right": right});
            }
            _ => {}
        }
    }
    match row_kind {
        RowKind::People => person_expr(random, kind, depth),
        RowKind::Events => event_expr(random, kind, depth),
    }
}

fn person_expr(random: &mut Random, kind: &str, depth: usize) -> Json {
    let attribute = |name: &str| json!({"op": "attribute", "name": name, "key": null});
    let is_aggregate = depth > 0 && random.chance(65);
    match kind {
        "num" if is_aggregate && random.chance(15) => {
            let population = if random.chance(50) {
                cond(random, RowKind::People, depth - 1)
            } else {
                Json::Null
            };
            let (k, of) = (
                random.pick(&[5, 10, 3]),
                expr(random, "num", RowKind::People, depth - 1),
            );
            json!({"op": "tile", "k": k, "expr": of, "population": population})
        }
        "num" if is_aggregate => {
            let function = random.pick(&["count", "sum", "avg", "min", "max", "median", "distinct", "days"]);
            aggregate(random, function, "num", depth)
        }
        "num" => attribute("balance"),
        "text" | "bool" | "date" | "instant" if is_aggregate => {
            let function = random.pick(&["earliest", "latest", "most"]);
            aggregate(random, function, kind, depth)
        }
        "text" => attribute("city"),
        "bool" => attribute("vip"),
        "instant" => attribute("signup"),
        "date" => attribute("born"),
        "month_day" => attribute("birthday"),
        "duration" => {
            let of = expr(random, "instant", RowKind::People, depth.saturating_sub(1));
            json!({"op": "elapsed", "of": of})
        }
        "point" => attribute("home"),
        _ if random.chance(30) => json!({"op": "channels"}),
        _ if is_aggregate => {
            let function = random.pick(&["earliest", "latest"]);
            aggregate(random, function, "set", depth)
        }
        _ => attribute("tags"),
    }
}

fn event_expr(random: &mut Random, kind: &str, depth: usize) -> Json {
    let property = |name: &str| json!({"op": "property", "name": name});
    let lookup =
        |name: &str| json!({"op": "lookup", "catalog": "product", "key": property("product"), "attribute": name});
    let person = |random: &mut Random| {
        let of = expr(random, kind, RowKind::People, depth.min(1));
        json!({"op": "person", "expr": of})
    };
    match kind {
        _ if random.chance(20) => person(random),
        _ if depth > 0 && random.chance(15) => {
            let types: &[&str] = random.pick(&[&["order"], &["order", "scan"]]);
            let values = types
                .iter()
                .map(|of| json!({"type": of, "value": event_expr(random, kind, depth - 1)}));
            json!({"op": "by_type", "of": values.collect::<Vec<_>>()})
        }
        "num" if random.chance(40) => lookup("price"),
        "num" => property("amount"),
        "text" => match random.below(3) {
            0 => lookup("category"),
            1 => property("product"),
            _ => json!({"op": "event_channel"}),
        },
        "bool" => property("gift"),
        "instant" => property("due"),
        "date" if random.chance(40) => lookup("launched"),
        "date" => property("day"),
        "duration" => json!({"op": "elapsed", "of": property("due")}),
        "set" if random.chance(40) => lookup("labels"),
        "set" => property("labels"),
        _ => person(random),
    }
}

/// Draws an `aggregate` node whose result has a kind.
fn aggregate(random: &mut Random, function: &str, kind: &str, depth: usize) -> Json {
    let value = match function {
        "count" | "days" if random.chance(60) => Json::Null,
        "earliest" | "latest" if kind == "instant" && random.chance(60) => Json::Null,
        "distinct" | "count" | "days" => {
            let of = random.pick(&KINDS[..5]);
            expr(random, of, RowKind::Events, depth.min(1))
        }
        _ => expr(random, kind, RowKind::Events, depth.min(1)),
    };
    let day_starts: Json = match function {
        // Local days that begin two hours after those of UTC; one of them is an hour shorter.
        "days" => (0..24)
            .map(|day| day * DAY_MS + 7_200_000 - i64::from(day > 10) * 3_600_000)
            .collect(),
        _ => Json::Null,
    };
    json!({"op": "aggregate", "fn": function, "events": events(random, depth - 1), "value": value, "day_starts": day_starts})
}

/// Draws the event types that a query or a sequence step reads, some with a filter.
pub fn event_steps(random: &mut Random, depth: usize) -> Vec<Json> {
    let types = random.pick(&[
        vec!["order"],
        vec!["scan"],
        vec!["order", "scan"],
        vec!["scan", "order"],
    ]);
    let mut steps = Vec::new();
    for kind in types {
        let filter = if random.chance(50) {
            cond(random, RowKind::Events, depth.min(1))
        } else {
            Json::Null
        };
        steps.push(json!({"type": kind, "where": filter}));
    }
    steps
}

/// Draws an event query whose window ends at `AS_OF` or earlier.
pub fn events(random: &mut Random, depth: usize) -> Json {
    let steps = event_steps(random, depth);
    let from = if random.chance(60) {
        json!(instant(random))
    } else {
        Json::Null
    };
    let to = if random.chance(50) {
        AS_OF
    } else {
        instant(random).min(AS_OF)
    };
    json!({"steps": steps, "from": from, "to": to})
}

/// Draws an item of a list: a literal or an expression.
pub(super) fn item(random: &mut Random, kind: &str, row_kind: RowKind, depth: usize) -> Json {
    if random.chance(80) {
        literal(random, kind)
    } else {
        expr(random, kind, row_kind, depth)
    }
}
