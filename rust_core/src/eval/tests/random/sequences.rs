//! Random sequences, and worlds in which their events are close together.

use serde_json::{Value as Json, json};

use super::draw::{AS_OF, Random, instant};
use super::expressions::{RowKind, event_steps, expr};
use super::world::world;
use crate::eval::tests::world::{Event, World};
use crate::index::view::DAY_MS;

/// Draws a sequence of one to four steps.
pub fn sequence(random: &mut Random, depth: usize) -> Json {
    let gap = |random: &mut Random| random.pick(&[Json::Null, json!(0), json!(1), json!(DAY_MS), json!(5 * DAY_MS)]);
    let count = 1 + random.below(4);
    let one = |number: usize, random: &mut Random| {
        let (after, within) = if number == 0 {
            (Json::Null, Json::Null)
        } else {
            (gap(random), gap(random))
        };
        let events = event_steps(random, depth);
        let without = if random.chance(25) {
            event_steps(random, depth)
        } else {
            Vec::new()
        };
        json!({"events": events, "after": after, "within": within, "without": without})
    };
    let of: Vec<Json> = (0..count).map(|number| one(number, random)).collect();
    let by = if random.chance(30) {
        let kind = random.pick(&["text", "num", "bool"]);
        expr(random, kind, RowKind::Events, depth.min(1))
    } else {
        Json::Null
    };
    let from = if random.chance(30) {
        json!(instant(random))
    } else {
        Json::Null
    };
    let to = if random.chance(70) {
        AS_OF
    } else {
        instant(random).min(AS_OF)
    };
    json!({"op": "sequence", "steps": of, "by": by, "from": from, "to": to})
}

/// Returns a random world in which each person with events has 12 of them within 14 milliseconds.
pub fn crowded_world(seed: u64) -> World {
    let (mut world, mut random) = (world(seed), Random(!seed));
    for person in &mut world.people {
        let more: Vec<Event> = person.events.iter().cycle().take(12).cloned().collect();
        person.events = more;
        for (number, event) in person.events.iter_mut().enumerate() {
            (event.time, event.id) = (random.below(14) as i64, number.to_string());
        }
    }
    world
}

/// Draws a sequence for a crowded world: its windows and gaps are a few milliseconds, and its events have no filters.
pub fn crowded_sequence(seed: u64) -> Json {
    let random = &mut Random(seed);
    let events = |random: &mut Random| random.pick(&[json!(["scan"]), json!(["order"]), json!(["order", "scan"])]);
    let all = |types: Json| -> Vec<Json> {
        let types = types.as_array().unwrap().iter();
        types.map(|of| json!({"type": of, "where": null})).collect()
    };
    let one = |number: usize, random: &mut Random| {
        let mut gap = || {
            if number > 0 && random.chance(40) {
                json!(random.below(6))
            } else {
                Json::Null
            }
        };
        let (after, within) = (gap(), gap());
        let without = if random.chance(40) {
            all(events(random))
        } else {
            Vec::new()
        };
        json!({"events": all(events(random)), "after": after, "within": within, "without": without})
    };
    let count = random.pick(&[1, 2, 3, 3, 4]);
    let steps: Vec<Json> = (0..count).map(|number| one(number, random)).collect();
    let by = random.pick(&[
        Json::Null,
        json!({"op": "property", "name": "product"}),
        json!({"op": "event_channel"}),
    ]);
    let (from, to) = (random.below(4), 9 + random.below(6));
    json!({"op": "sequence", "steps": steps, "by": by, "from": from, "to": to})
}
