//! Random people, events and products.

use std::collections::BTreeMap;

use super::draw::{AS_OF, CHANNELS, PRODUCTS, Random, instant, val};
use crate::eval::tests::world::{ATTRIBUTES, Event, ITEM, PROPERTIES, Person, TYPES, Val, World};
use crate::index::view::DAY_MS;

fn event(random: &mut Random, number: usize) -> Event {
    let mut properties = BTreeMap::new();
    for (name, kind) in PROPERTIES {
        if random.chance(75) {
            let of = val(random, kind);
            properties.insert(
                name,
                if name == "product" {
                    Val::Text(random.of(&PRODUCTS).into())
                } else {
                    of
                },
            );
        }
    }
    Event {
        kind: random.of(&TYPES),
        time: instant(random),
        source: random.of(&["web", "app", "till"]),
        id: format!("{}-{number}", random.below(10)),
        channel: if random.chance(80) {
            Some(random.of(&CHANNELS))
        } else {
            None
        },
        properties,
        run: random.below(3),
    }
}

fn person(random: &mut Random, partition: u32, ordinal: u32, events: &mut usize) -> Person {
    let mut changes = BTreeMap::new();
    for (name, kind) in ATTRIBUTES {
        let mut of: Vec<(i64, Option<Val>)> = Vec::new();
        for _ in 0..random.below(4) {
            let at = if random.chance(30) { i64::MIN } else { instant(random) };
            of.push((
                at,
                if random.chance(80) {
                    Some(val(random, kind))
                } else {
                    None
                },
            ));
        }
        of.sort_by_key(|(at, _)| *at);
        changes.insert(name, of);
    }
    let happened = (0..random.below(8)).map(|_| {
        *events += 1;
        event(random, *events)
    });
    let events = happened.collect();
    let first_record = if random.chance(80) {
        random.of(&[i64::MIN, 0, DAY_MS])
    } else {
        random.of(&[AS_OF, i64::MAX])
    };
    Person {
        partition,
        ordinal,
        first_record,
        changes,
        events,
    }
}

/// A few people in three partitions.
pub fn world(seed: u64) -> World {
    let mut random = Random(seed);
    let mut world = World::default();
    let mut events = 0;
    for partition in [1, 2, 7] {
        let mut ordinal = random.below(3) as u32;
        for _ in 0..random.below(9) {
            world.people.push(person(&mut random, partition, ordinal, &mut events));
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
