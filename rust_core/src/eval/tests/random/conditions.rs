//! Random conditions and plans.

use serde_json::{Value as Json, json};

use super::draw::{AS_OF, MONTH_DAYS, Random, instant};
use super::expressions::{KINDS, RowKind, events, expr, item, literal};
use super::past_sets::past_set;
use super::sequences::sequence;

/// Draws a condition of any operator; `depth` bounds its nesting.
pub fn cond(random: &mut Random, row_kind: RowKind, depth: usize) -> Json {
    if depth > 0 && random.chance(35) {
        let op = random.pick(&["all", "any", "not", "or_unknown"]);
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
        return person_cond(random, depth);
    }
    let lower = depth.saturating_sub(1);
    match random.below(11) {
        0 => json!({"op": "constant", "value": random.chance(50)}),
        1 | 2 => {
            let kind = random.pick(&KINDS);
            let cmp = match kind {
                "text" | "bool" => random.pick(&["=", "!="]),
                _ => random.pick(&["<", "<=", ">", ">=", "=", "!="]),
            };
            let (left, right) = (expr(random, kind, row_kind, depth), expr(random, kind, row_kind, lower));
            json!({"op": "compare", "cmp": cmp, "left": left, "right": right})
        }
        3 => {
            let kind = random.pick(&["num", "text", "instant", "date", "bool", "set"]);
            let item_kind = if kind == "set" { "text" } else { kind };
            let items: Vec<Json> = (0..1 + random.below(10))
                .map(|_| item(random, item_kind, row_kind, lower))
                .collect();
            json!({"op": "in", "expr": expr(random, kind, row_kind, depth), "items": items})
        }
        4 => {
            let items: Vec<Json> = (0..random.below(4))
                .map(|_| item(random, "text", row_kind, lower))
                .collect();
            let mode = random.pick(&["any", "all", "none"]);
            json!({"op": "has", "mode": mode, "expr": expr(random, "set", row_kind, depth), "items": items})
        }
        5 => {
            let (test, value) = random.pick(&[
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
            let kind = random.pick(&KINDS);
            json!({"op": random.pick(&["known", "unknown"]), "expr": expr(random, kind, row_kind, depth)})
        }
        7 => {
            let kind = random.pick(&["instant", "date"]);
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
                .map(|_| json!({"year": 1967 + random.below(8), "month_days": [random.pick(&MONTH_DAYS), random.pick(&MONTH_DAYS), 1 + 100 * (1 + random.below(12))]}))
                .collect();
            let of = if random.chance(50) { "born" } else { "birthday" };
            json!({"op": "anniversary", "expr": {"op": "attribute", "name": of, "key": null}, "years": years})
        }
        9 => {
            let (of, point) = (expr(random, "point", row_kind, 0), literal(random, "point"));
            json!({"op": "near", "expr": of, "point": point, "metres": random.pick(&[0.0, 1_200.0, 1e8])})
        }
        _ if row_kind == RowKind::People => {
            let kind = random.pick(&["num", "text", "bool"]);
            let entry = json!({"op": "attribute", "name": "survey", "key": random.pick(&["q1", "q2", "nothing"])});
            let (left, right) = if random.chance(50) {
                (entry, literal(random, kind))
            } else {
                (literal(random, kind), entry)
            };
            json!({"op": "compare", "cmp": random.pick(&["=", "!="]), "left": left, "right": right})
        }
        _ => {
            json!({"op": "compare", "cmp": "=", "left": expr(random, "text", row_kind, 0), "right": literal(random, "text")})
        }
    }
}

/// Draws a condition of an operator that only people have.
fn person_cond(random: &mut Random, depth: usize) -> Json {
    let lower = depth.saturating_sub(1);
    let among = |random: &mut Random| {
        if random.chance(50) {
            cond(random, RowKind::People, lower)
        } else {
            Json::Null
        }
    };
    match random.below(6) {
        4 if depth > 0 => past_set(random, lower),
        5 => sequence(random, depth),
        0 if depth > 0 => json!({"op": "set", "of": cond(random, RowKind::People, lower), "among": among(random)}),
        1 if depth > 0 => {
            let kind = random.pick(&["num", "num", "instant"]);
            let by_percent = random.chance(50);
            let percent = if by_percent {
                json!(random.pick(&["0", "0.1", "0.5", "0.333333", "1"]))
            } else {
                Json::Null
            };
            let count = if by_percent { Json::Null } else { json!(random.below(6)) };
            let (of, population) = (expr(random, kind, RowKind::People, lower), among(random));
            json!({"op": "rank", "expr": of, "side": random.pick(&["top", "bottom"]), "percent": percent, "count": count, "population": population})
        }
        2 => {
            let below = random.pick(&[
                "0",
                "9223372036854775808",
                "1844674407370955161.6",
                "18446744073709551616",
            ]);
            json!({"op": "sample", "seed": random.pick(&["a", "b"]), "below": below})
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

/// Draws a plan of two roots.
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
