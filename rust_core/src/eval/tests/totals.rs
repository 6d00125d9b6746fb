//! Answers from totals are those of the events.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::properties::check;
use super::random::{self, AS_OF, Random, instant};
use super::world::World;
use crate::error::Error;
use crate::eval::{Answer, BlockSelection, Limits, evaluate, evaluate_blocks, evaluate_within, explain};
use crate::index::summaries::totals::Totals;
use crate::index::view::{Partition, Version};
use crate::plan::Plan;

/// A count or a sum over everything or from some instant on, of one type or both, mostly without a filter.
fn measure(random: &mut Random) -> Json {
    let types = random.of(&[&["order"][..], &["scan"], &["order", "scan"], &["order", "scan"]]);
    let filter = json!({"op": "known", "expr": {"op": "property", "name": "product"}});
    let filter = if random.chance(10) { filter } else { Json::Null };
    let steps: Vec<Json> = types
        .iter()
        .map(|kind| json!({"type": kind, "where": filter}))
        .collect();
    let from = if random.chance(20) {
        json!(instant(random))
    } else {
        Json::Null
    };
    let to = if random.chance(20) {
        instant(random).min(AS_OF)
    } else {
        AS_OF
    };
    let amount = json!({"op": "property", "name": "amount"});
    let by_type =
        json!({"op": "by_type", "of": [{"type": "scan", "value": amount}, {"type": "order", "value": amount}]});
    let (function, value) = match random.below(5) {
        0 | 1 => ("count", Json::Null),
        2 => ("avg", amount),
        3 if types.len() == 2 => ("sum", by_type),
        _ => ("sum", amount),
    };
    let events = json!({"steps": steps, "from": from, "to": to});
    json!({"op": "aggregate", "fn": function, "events": events, "value": value, "day_starts": null})
}

fn root(random: &mut Random) -> Json {
    let measure = measure(random);
    let cond = match random.below(3) {
        0 => {
            json!({"op": "rank", "expr": measure, "side": "top", "percent": null, "count": random.below(4), "population": null})
        }
        _ => {
            let number = random.of(&["-3", "0", "1", "2", "7.5", "100"]);
            let right = json!({"op": "literal", "value": {"num": number}});
            json!({"op": "compare", "cmp": random.of(&["<", "<=", ">", "="]), "left": measure, "right": right})
        }
    };
    json!({"name": "r", "cond": cond, "among": null})
}

fn plan(seed: u64) -> Json {
    let mut random = Random(seed);
    json!({"as_of": AS_OF, "roots": (0..3).map(|_| root(&mut random)).collect::<Vec<_>>()})
}

/// Returns a random plan, mostly without future events, which no window over all history contains.
fn world(seed: u64) -> World {
    let mut world = random::world(seed);
    if !seed.is_multiple_of(5) {
        let people = world.people.iter_mut();
        people.for_each(|person| person.events.retain(|event| event.time < AS_OF));
    }
    world
}

/// The version without any totals.
fn bare(world: &World) -> Version {
    let mut version = world.version();
    for partition in version.partitions.values_mut() {
        for events in Arc::make_mut(partition).events.values_mut() {
            Arc::make_mut(events).totals = Arc::default();
        }
    }
    version
}

/// With totals of all events.
fn summed(world: &World) -> Version {
    let mut version = world.version();
    for partition in version.partitions.values_mut() {
        for events in Arc::make_mut(partition).events.values_mut() {
            let events = Arc::make_mut(events);
            events.totals = Arc::new(Totals::default().extended(&events.runs).unwrap());
        }
    }
    version
}

proptest! {
    #![proptest_config(crate::testing::cases(256))]

    #[test]
    fn answers_from_totals_equal_the_oracle(seed in any::<u64>()) {
        let (world, json) = (world(seed), plan(seed));
        for version in [world.version(), summed(&world), bare(&world)] {
            check(&version, &world, &json)?;
        }
    }

    #[test]
    fn totals_of_selected_rows_equal_those_of_all_rows(seed in any::<u64>()) {
        let (world, json, mut random) = (world(seed), plan(seed), Random(seed));
        let plan = Plan::parse(json.to_string().as_bytes()).unwrap();
        let rows: Vec<u16> = (0..20).filter(|_| random.chance(40)).collect();
        let answers = [world.version(), summed(&world), bare(&world)].map(|version| {
            let of_partition = |(&partition, of): (&u32, &Arc<Partition>)| {
                let rows = rows.iter().copied().filter(|&row| u32::from(row) < of.people).collect();
                BlockSelection { partition, block: 0, rows: Some(rows) }
            };
            let wanted: Vec<BlockSelection> = version.partitions.iter().map(of_partition).collect();
            evaluate_blocks(&version, &plan, &wanted, &Limits::none(), |_, block| {
                let mut members = vec![Vec::new(); 3];
                for (root, words) in members.iter_mut().enumerate() {
                    block.members(root, words)?;
                }
                Ok(members)
            })
            .unwrap()
        });
        prop_assert_eq!(&answers[0], &answers[2]);
        prop_assert_eq!(&answers[1], &answers[2]);
    }

    #[test]
    fn totals_respect_limits_and_are_explained(seed in any::<u64>(), bytes in 0..300_000u64) {
        let (version, json) = (summed(&world(seed)), plan(seed).to_string());
        prop_assume!(!version.partitions.is_empty());
        let answer = evaluate(&version, json.as_bytes()).unwrap();
        let matched = |answer: &Answer| answer.roots.iter().map(|root| root.matched).collect::<Vec<_>>();
        match evaluate_within(&version, json.as_bytes(), &Limits { bytes, ..Limits::none() }) {
            Err(Error::OverBudget { budget }) => prop_assert_eq!(budget, bytes),
            within => prop_assert_eq!(matched(&within.unwrap()), matched(&answer)),
        }
        let (explained, _) = explain(&version, json.as_bytes(), &Limits::none()).unwrap();
        prop_assert_eq!(matched(&explained), matched(&answer));
    }
}

/// Bytes that an answer read, of worlds that have them.
#[test]
fn totals_reduce_the_bytes_read() {
    let count = json!({"steps": [{"type": "order", "where": null}], "from": null, "to": AS_OF});
    let cond = json!({"op": "happened", "events": count, "min": 2, "max": null});
    let plan = json!({"as_of": AS_OF, "roots": [{"name": "r", "cond": cond, "among": null}]}).to_string();
    let read = |version: &Version| explain(version, plan.as_bytes(), &Limits::none()).unwrap().1.bytes();
    let (mut count_less, mut some, mut none) = (0, 0, 0);
    for seed in 0..100 {
        let world = world(seed);
        let of_world = read(&world.version());
        count_less += usize::from(of_world < read(&bare(&world)));
        some += read(&summed(&world));
        none += read(&bare(&world));
    }
    assert!(count_less > 40, "{count_less}");
    assert!(some * 3 < none * 2, "{some} {none}");
}
