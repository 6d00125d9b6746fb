//! Random plans: conditions and expressions of every kind, inside one another.

use serde_json::{Value as Json, json};

use super::draw::{AS_OF, DAYS, POINTS, Random, instant, number};
use crate::eval::tests::instants::at;
use crate::eval::tests::sequences::sequence;
use crate::index::view::DAY_MS;

fn decimal(millionths: i64) -> String {
    let sign = if millionths < 0 { "-" } else { "" };
    format!(
        "{sign}{}.{:06}",
        millionths.abs() / 1_000_000,
        millionths.abs() % 1_000_000
    )
}

fn literal(random: &mut Random, kind: &str) -> Json {
    let value = match kind {
        "num" => json!({"num": decimal(number(random))}),
        "text" => {
            json!({"text": random.of(&["pos", "app", "coffee", "tea", "上海", "ｔｅａ", "nowhere", "p1", "p2", "p5"])})
        }
        "bool" => json!({"bool": random.chance(50)}),
        "instant" => json!({"instant": instant(random)}),
        "date" => json!({"date": random.below(1500) as i64 - 700}),
        "month_day" => json!({"month_day": random.of(&DAYS)}),
        "duration" => json!({"duration": random.below(20) as i64 * DAY_MS}),
        _ => json!({"point": random.of(&POINTS)}),
    };
    json!({"op": "literal", "value": value})
}

const KINDS: [&str; 7] = ["num", "text", "bool", "instant", "date", "month_day", "duration"];

#[derive(Clone, Copy, PartialEq)]
pub enum RowKind {
    People,
    Events,
}

/// An expression of a kind.
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
                return json!({"op": "arith", "fn": random.of(&["+", "-", "*", "/"]), "left": left, "right": right});
            }
            _ => {}
        }
    }
    match row_kind {
        RowKind::People => of_person(random, kind, depth),
        RowKind::Events => of_event(random, kind, depth),
    }
}

fn of_person(random: &mut Random, kind: &str, depth: usize) -> Json {
    let attribute = |name: &str| json!({"op": "attribute", "name": name, "key": null});
    let measured = depth > 0 && random.chance(65);
    match kind {
        "num" if measured && random.chance(15) => {
            let population = if random.chance(50) {
                cond(random, RowKind::People, depth - 1)
            } else {
                Json::Null
            };
            let (k, of) = (random.of(&[5, 10, 3]), expr(random, "num", RowKind::People, depth - 1));
            json!({"op": "tile", "k": k, "expr": of, "population": population})
        }
        "num" if measured => {
            let function = random.of(&["count", "sum", "avg", "min", "max", "median", "distinct", "days"]);
            aggregate(random, function, "num", depth)
        }
        "num" => attribute("balance"),
        "text" | "bool" | "date" | "instant" if measured => {
            let function = random.of(&["earliest", "latest", "most"]);
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
        _ if measured => {
            let function = random.of(&["earliest", "latest"]);
            aggregate(random, function, "set", depth)
        }
        _ => attribute("tags"),
    }
}

fn of_event(random: &mut Random, kind: &str, depth: usize) -> Json {
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
            let types: &[&str] = random.of(&[&["order"], &["order", "scan"]]);
            let values = types
                .iter()
                .map(|of| json!({"type": of, "value": of_event(random, kind, depth - 1)}));
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

fn aggregate(random: &mut Random, function: &str, kind: &str, depth: usize) -> Json {
    let value = match function {
        "count" | "days" if random.chance(60) => Json::Null,
        "earliest" | "latest" if kind == "instant" && random.chance(60) => Json::Null,
        "distinct" | "count" | "days" => {
            let of = random.of(&KINDS[..5]);
            expr(random, of, RowKind::Events, depth.min(1))
        }
        _ => expr(random, kind, RowKind::Events, depth.min(1)),
    };
    let day_starts: Json = match function {
        // Local days that begin two hours after UTC's, one of them an hour short.
        "days" => (0..24)
            .map(|day| day * DAY_MS + 7_200_000 - i64::from(day > 10) * 3_600_000)
            .collect(),
        _ => Json::Null,
    };
    json!({"op": "aggregate", "fn": function, "events": events(random, depth - 1), "value": value, "day_starts": day_starts})
}

pub fn steps(random: &mut Random, depth: usize) -> Vec<Json> {
    let types = random.of(&[
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

pub fn events(random: &mut Random, depth: usize) -> Json {
    let steps = steps(random, depth);
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

pub fn cond(random: &mut Random, row_kind: RowKind, depth: usize) -> Json {
    if depth > 0 && random.chance(35) {
        let op = random.of(&["all", "any", "not", "or_unknown"]);
        return match op {
            "all" | "any" => {
                let of: Vec<Json> = (0..random.below(4))
                    .map(|_| cond(random, row_kind, depth - 1))
                    .collect();
                json!({"op": op, "of": of})
            }
            _ => json!({"op": op, "of": cond(random, row_kind, depth - 1)}),
        };
    }
    if row_kind == RowKind::People && random.chance(40) {
        return cond_of_people(random, depth);
    }
    let lower = depth.saturating_sub(1);
    match random.below(11) {
        0 => json!({"op": "constant", "value": random.chance(50)}),
        1 | 2 => {
            let kind = random.of(&KINDS);
            let cmp = match kind {
                "text" | "bool" => random.of(&["=", "!="]),
                _ => random.of(&["<", "<=", ">", ">=", "=", "!="]),
            };
            let (left, right) = (expr(random, kind, row_kind, depth), expr(random, kind, row_kind, lower));
            json!({"op": "compare", "cmp": cmp, "left": left, "right": right})
        }
        3 => {
            let kind = random.of(&["num", "text", "instant", "date", "bool", "set"]);
            let item = if kind == "set" { "text" } else { kind };
            let items: Vec<Json> = (0..1 + random.below(10))
                .map(|_| items(random, item, row_kind, lower))
                .collect();
            json!({"op": "in", "expr": expr(random, kind, row_kind, depth), "items": items})
        }
        4 => {
            let items: Vec<Json> = (0..random.below(4))
                .map(|_| items(random, "text", row_kind, lower))
                .collect();
            let mode = random.of(&["any", "all", "none"]);
            json!({"op": "has", "mode": mode, "expr": expr(random, "set", row_kind, depth), "items": items})
        }
        5 => {
            let (test, value) = random.of(&[
                ("contains", "e"),
                ("contains", ""),
                ("starts_with", "ｔ"),
                ("ends_with", "a"),
                ("matches", "^.ea$"),
                ("matches", "海"),
            ]);
            json!({"op": "text", "test": test, "expr": expr(random, "text", row_kind, depth), "value": value})
        }
        6 => {
            let kind = random.of(&KINDS);
            json!({"op": random.of(&["known", "unknown"]), "expr": expr(random, kind, row_kind, depth)})
        }
        7 => {
            let kind = random.of(&["instant", "date"]);
            let bound = |random: &mut Random| {
                if kind == "date" {
                    random.below(1500) as i64 - 700
                } else {
                    instant(random)
                }
            };
            let (from, to) = (bound(random), bound(random));
            let from = if random.chance(80) { json!(from) } else { Json::Null };
            let to = if random.chance(80) { json!(to) } else { Json::Null };
            json!({"op": "within", "expr": expr(random, kind, row_kind, depth), "from": from, "to": to})
        }
        8 if row_kind == RowKind::People => {
            let years: Vec<Json> = (0..1 + random.below(3))
                .map(|_| json!({"year": 1967 + random.below(8), "month_days": [random.of(&DAYS), random.of(&DAYS), 1 + 100 * (1 + random.below(12))]}))
                .collect();
            let of = if random.chance(50) { "born" } else { "birthday" };
            json!({"op": "anniversary", "expr": {"op": "attribute", "name": of, "key": null}, "years": years})
        }
        9 => {
            let (of, point) = (expr(random, "point", row_kind, 0), literal(random, "point"));
            json!({"op": "near", "expr": of, "point": point, "metres": random.of(&[0.0, 1_200.0, 1e8])})
        }
        _ if row_kind == RowKind::People => {
            let kind = random.of(&["num", "text", "bool"]);
            let entry = json!({"op": "attribute", "name": "survey", "key": random.of(&["q1", "q2", "nothing"])});
            let (left, right) = if random.chance(50) {
                (entry, literal(random, kind))
            } else {
                (literal(random, kind), entry)
            };
            json!({"op": "compare", "cmp": random.of(&["=", "!="]), "left": left, "right": right})
        }
        _ => {
            json!({"op": "compare", "cmp": "=", "left": expr(random, "text", row_kind, 0), "right": literal(random, "text")})
        }
    }
}

fn items(random: &mut Random, kind: &str, row_kind: RowKind, depth: usize) -> Json {
    if random.chance(80) {
        literal(random, kind)
    } else {
        expr(random, kind, row_kind, depth)
    }
}

fn cond_of_people(random: &mut Random, depth: usize) -> Json {
    let lower = depth.saturating_sub(1);
    let among = |random: &mut Random| {
        if random.chance(50) {
            cond(random, RowKind::People, lower)
        } else {
            Json::Null
        }
    };
    match random.below(6) {
        4 if depth > 0 => at(random, lower),
        5 => sequence(random, depth),
        0 if depth > 0 => json!({"op": "set", "of": cond(random, RowKind::People, lower), "among": among(random)}),
        1 if depth > 0 => {
            let kind = random.of(&["num", "num", "instant"]);
            let share = random.chance(50);
            let percent = if share {
                json!(random.of(&["0", "0.1", "0.5", "0.333333", "1"]))
            } else {
                Json::Null
            };
            let count = if share { Json::Null } else { json!(random.below(6)) };
            let (of, population) = (expr(random, kind, RowKind::People, lower), among(random));
            json!({"op": "rank", "expr": of, "side": random.of(&["top", "bottom"]), "percent": percent, "count": count, "population": population})
        }
        2 => {
            let below = random.of(&[
                "0",
                "9223372036854775808",
                "1844674407370955161.6",
                "18446744073709551616",
            ]);
            json!({"op": "sample", "seed": random.of(&["a", "b"]), "below": below})
        }
        _ => {
            let max = if random.chance(50) {
                Json::Null
            } else {
                json!(random.below(4))
            };
            json!({"op": "happened", "events": events(random, depth), "min": random.below(3), "max": max})
        }
    }
}

/// A plan of several roots that share what they can.
pub fn plan(seed: u64) -> Json {
    let mut random = Random(seed ^ 0xabcd);
    let mut roots = Vec::new();
    for name in ["first", "second"] {
        let among = if random.chance(40) {
            cond(&mut random, RowKind::People, 1)
        } else {
            Json::Null
        };
        roots.push(json!({"name": name, "cond": cond(&mut random, RowKind::People, 3), "among": among}));
    }
    json!({"as_of": AS_OF, "roots": roots})
}
