//! Worlds of few people, short constructors of plan nodes, and their evaluation.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use crate::eval::tests::queries::{answer, plan_among};
use crate::eval::tests::random::AS_OF;
use crate::eval::tests::world::{Event, Person, Val, World};
use crate::index::view::DAY_MS;

/// The number 1 in millionths.
pub const ONE: i64 = 1_000_000;

/// Returns people with ordinals from 0 in partition 1, known at every instant, without attributes or events.
pub fn people(count: u32) -> World {
    let person = |ordinal| Person {
        partition: 1,
        ordinal,
        first_record: i64::MIN,
        changes: BTreeMap::new(),
        events: Vec::new(),
    };
    World {
        people: (0..count).map(person).collect(),
        products: BTreeMap::new(),
    }
}

/// Returns one person for each value of an attribute; `None` is unknown.
pub fn people_with(name: &'static str, values: Vec<Option<Val>>) -> World {
    let mut world = people(values.len() as u32);
    for (person, value) in world.people.iter_mut().zip(values) {
        person.changes.insert(name, vec![(i64::MIN, value)]);
    }
    world
}

/// Returns one person for each `balance`.
pub fn balances(millionths: &[Option<i64>]) -> World {
    people_with("balance", millionths.iter().map(|value| value.map(Val::Num)).collect())
}

/// Returns an order with an `amount` in millionths.
pub fn order(time: i64, amount: Option<i64>) -> Event {
    let properties = amount.map(|amount| ("amount", Val::Num(amount)));
    Event {
        kind: "order",
        time,
        source: "web",
        id: format!("{time}"),
        channel: None,
        properties: properties.into_iter().collect(),
        run: 0,
    }
}

/// Returns one person with orders of these amounts, a day apart.
pub fn orders(millionths: &[Option<i64>]) -> World {
    let mut world = people(1);
    let amounts = millionths.iter().enumerate();
    world.people[0].events = amounts
        .map(|(day, amount)| order(day as i64 * DAY_MS, *amount))
        .collect();
    world
}

/// Returns the ordinals of the people for whom a condition is true, and the number of people for whom it is unknown.
pub fn evaluate_cond(world: &World, cond: Json) -> (Vec<u64>, u64) {
    evaluate_among(world, cond, Json::Null)
}

/// Like `evaluate_cond`, for a population.
pub fn evaluate_among(world: &World, cond: Json, among: Json) -> (Vec<u64>, u64) {
    let answer = answer(&world.version(), &plan_among(&cond, &among));
    let members = answer.roots[0].members();
    let members = members.iter().map(|person| person & 0xffff_ffff);
    (members.collect(), answer.roots[0].unknown)
}

pub fn attribute(name: &str) -> Json {
    json!({"op": "attribute", "name": name, "key": null})
}

pub fn number(text: &str) -> Json {
    json!({"op": "literal", "value": {"num": text}})
}

pub fn text(text: &str) -> Json {
    json!({"op": "literal", "value": {"text": text}})
}

pub fn compare(left: Json, cmp: &str, right: Json) -> Json {
    json!({"op": "compare", "cmp": cmp, "left": left, "right": right})
}

pub fn known(expr: Json) -> Json {
    json!({"op": "known", "expr": expr})
}

/// Returns an event query over all orders before `AS_OF`.
pub fn any_order(filter: Json) -> Json {
    json!({"steps": [{"type": "order", "where": filter}], "from": null, "to": AS_OF})
}

/// Returns an aggregate over orders; `value` is a property, or empty.
pub fn aggregate(function: &str, value: &str, filter: Json) -> Json {
    let value = if value.is_empty() {
        Json::Null
    } else {
        json!({"op": "property", "name": value})
    };
    let days: Json = if function == "days" {
        (0..30).map(|day| day * DAY_MS).collect()
    } else {
        Json::Null
    };
    json!({"op": "aggregate", "fn": function, "events": any_order(filter), "value": value, "day_starts": days})
}

/// Returns a rank of people by their balance.
pub fn rank(side: &str, percent: Json, count: Json) -> Json {
    json!({"op": "rank", "expr": attribute("balance"), "side": side, "percent": percent, "count": count, "population": null})
}

/// Returns the number of a person's tile, of `k`, by their balance.
pub fn tile(k: u32, population: Json) -> Json {
    json!({"op": "tile", "k": k, "expr": attribute("balance"), "population": population})
}

pub fn set(texts: &[&str]) -> Option<Val> {
    Some(Val::Set(
        texts.iter().map(|text| text.to_string()).collect::<BTreeSet<_>>(),
    ))
}
