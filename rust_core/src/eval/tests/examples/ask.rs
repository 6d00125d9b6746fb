//! Worlds of few people, conditions in short, and who fits.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use crate::error::Error;
use crate::eval::evaluate;
use crate::eval::tests::random::AS_OF;
use crate::eval::tests::world::{Event, Person, Val, World};
use crate::index::view::DAY_MS;

/// A number in millionths.
pub const ONE: i64 = 1_000_000;

/// People 0, 1, 2 ... of partition 1, known since always.
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

pub fn of_values(name: &'static str, values: Vec<Option<Val>>) -> World {
    let mut world = people(values.len() as u32);
    for (person, value) in world.people.iter_mut().zip(values) {
        person.changes.insert(name, vec![(i64::MIN, value)]);
    }
    world
}

pub fn balances(millionths: &[Option<i64>]) -> World {
    of_values("balance", millionths.iter().map(|value| value.map(Val::Num)).collect())
}

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

/// One person with orders of these amounts, a day apart.
pub fn orders(millionths: &[Option<i64>]) -> World {
    let mut world = people(1);
    let days = millionths.iter().enumerate();
    world.people[0].events = days.map(|(day, amount)| order(day as i64 * DAY_MS, *amount)).collect();
    world
}

/// The ordinals in T and |U|.
pub fn ask(world: &World, cond: Json) -> (Vec<u64>, u64) {
    ask_among(world, cond, Json::Null)
}

pub fn ask_among(world: &World, cond: Json, among: Json) -> (Vec<u64>, u64) {
    let plan = json!({"as_of": AS_OF, "roots": [{"name": "r", "cond": cond, "among": among}]});
    let answer = evaluate(&world.version(), plan.to_string().as_bytes()).unwrap();
    let members = answer.roots[0].members();
    let members = members.iter().map(|person| person & 0xffff_ffff);
    (members.collect(), answer.roots[0].unknown)
}

pub fn refused(world: &World, cond: Json) -> String {
    let plan = json!({"as_of": AS_OF, "roots": [{"name": "r", "cond": cond, "among": null}]});
    match evaluate(&world.version(), plan.to_string().as_bytes()) {
        Err(Error::Invalid(message)) => message,
        Err(error @ Error::InvalidPattern { .. }) => error.to_string(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("answered"),
    }
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

pub fn any_order(filter: Json) -> Json {
    json!({"steps": [{"type": "order", "where": filter}], "from": null, "to": AS_OF})
}

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

pub fn rank(side: &str, percent: Json, count: Json) -> Json {
    json!({"op": "rank", "expr": attribute("balance"), "side": side, "percent": percent, "count": count, "population": null})
}

pub fn tile(k: u32, population: Json) -> Json {
    json!({"op": "tile", "k": k, "expr": attribute("balance"), "population": population})
}

pub fn set(of: &[&str]) -> Option<Val> {
    Some(Val::Set(
        of.iter().map(|text| text.to_string()).collect::<BTreeSet<_>>(),
    ))
}
