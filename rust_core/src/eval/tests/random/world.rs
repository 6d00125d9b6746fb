//! Random people, events and products.

use std::collections::BTreeMap;

use super::draw::{AS_OF, CHANNELS, PRODUCTS, Random, instant, val};
use crate::eval::tests::world::{ATTRIBUTES, Event, ITEM, PROPERTIES, Person, TYPES, Val, World};
use crate::index::view::DAY_MS;

/// Draws an event; `number` makes its id unique.
fn event(random: &mut Random, number: usize) -> Event {
    let mut properties = BTreeMap::new();
    for (name, kind) in PROPERTIES {
        if random.chance(75) {
            let value = val(random, kind);
            properties.insert(
                name,
                if name == "product" {
                    Val::Text(random.pick(&PRODUCTS).into())
                } else {
                    value
                },
            );
        }
    }
    Event {
        kind: random.pick(&TYPES),
        time: instant(random),
        source: random.pick(&["web", "app", "till"]),
        id: format!("{}-{number}", random.below(10)),
        channel: if random.chance(80) {
            Some(random.pick(&CHANNELS))
        } else {
            None
        },
        properties,
        run: random.below(3),
    }
}

/// Draws a person; about one in five is known only from `AS_OF` on. Increases `event_count` by the number of their events.
fn person(random: &mut Random, partition: u32, ordinal: u32, event_count: &mut usize) -> Person {
    let mut changes = BTreeMap::new();
    for (name, kind) in ATTRIBUTES {
        let mut changes_of_attribute: Vec<(i64, Option<Val>)> = Vec::new();
        for _ in 0..random.below(4) {
            let at = if random.chance(30) { i64::MIN } else { instant(random) };
            changes_of_attribute.push((
                at,
                if random.chance(80) {
                    Some(val(random, kind))
                } else {
                    None
                },
            ));
        }
        changes_of_attribute.sort_by_key(|(at, _)| *at);
        changes.insert(name, changes_of_attribute);
    }
    let events = (0..random.below(8)).map(|_| {
        *event_count += 1;
        event(random, *event_count)
    });
    let events = events.collect();
    let first_record = if random.chance(80) {
        random.pick(&[i64::MIN, 0, DAY_MS])
    } else {
        random.pick(&[AS_OF, i64::MAX])
    };
    Person {
        partition,
        ordinal,
        first_record,
        changes,
        events,
    }
}

/// Draws a world of up to 24 people in three partitions.
pub fn world(seed: u64) -> World {
    let mut random = Random(seed);
    let mut world = World::default();
    let mut event_count = 0;
    for partition in [1, 2, 7] {
        let mut ordinal = random.below(3) as u32;
        for _ in 0..random.below(9) {
            world
                .people
                .push(person(&mut random, partition, ordinal, &mut event_count));
            ordinal += 1 + random.below(2) as u32;
        }
    }
    for key in PRODUCTS.iter().take(4) {
        let mut item = BTreeMap::new();
        for (name, kind) in ITEM {
            if random.chance(70) {
                item.insert(name, val(&mut random, kind));
            }
        }
        world.products.insert(key, item);
    }
    world
}
