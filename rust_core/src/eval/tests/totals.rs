//! Answers from totals: the same as answers from the events, with fewer bytes read.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::properties::check_plan;
use super::queries::{parse, plan_of};
use super::random::{self, AS_OF, Random, instant};
use super::world::World;
use crate::error::Error;
use crate::eval::{Answer, BlockSelection, Limits, evaluate, evaluate_blocks, evaluate_within, explain};
use crate::index::summaries::totals::Totals;
use crate::index::view::{Partition, Version};

/// Draws a count, a sum or an average over one or both event types, mostly over all history and without a filter.
fn aggregate(random: &mut Random) -> Json {
    let types = random.pick(&[&["order"][..], &["scan"], &["order", "scan"], &["order", "scan"]]);
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

/// Draws a root that ranks or compares an aggregate.
fn root(random: &mut Random) -> Json {
    let aggregate = aggregate(random);
    let cond = match random.below(3) {
        0 => {
            json!({"op": "rank", "expr": aggregate, "side": "top", "percent": null, "count": random.below(4), "population": null})
        }
        _ => {
            let number = random.pick(&["-3", "0", "1", "2", "7.5", "100"]);
            let right = json!({"op": "literal", "value": {"num": number}});
            json!({"op": "compare", "cmp": random.pick(&["<", "<=", ">", "="]), "left": aggregate, "right": right})
        }
    };
    json!({"name": "r", "cond": cond, "among": null})
}

fn plan(seed: u64) -> Json {
    let mut random = Random(seed);
    json!({"as_of": AS_OF, "roots": (0..3).map(|_| root(&mut random)).collect::<Vec<_>>()})
}

/// Draws a world, mostly without events after `AS_OF`: an evaluation cannot use totals that cover such events.
fn world(seed: u64) -> World {
    let mut world = random::world(seed);
    if !seed.is_multiple_of(5) {
        let people = world.people.iter_mut();
        people.for_each(|person| person.events.retain(|event| event.time < AS_OF));
    }
    world
}

/// Returns a version without totals.
fn without_totals(world: &World) -> Version {
    let mut version = world.version();
    for partition in version.partitions.values_mut() {
        for events in Arc::make_mut(partition).events.values_mut() {
            Arc::make_mut(events).totals = Arc::default();
        }
    }
    version
}

/// Returns a version whose totals cover all events.
fn with_all_totals(world: &World) -> Version {
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
        for version in [world.version(), with_all_totals(&world), without_totals(&world)] {
            check_plan(&version, &world, &json)?;
        }
    }

    #[test]
    fn members_of_selected_rows_are_the_same_with_and_without_totals(seed in any::<u64>()) {
        let (world, json, mut random) = (world(seed), plan(seed), Random(seed));
        let plan = parse(&json);
        let rows: Vec<u16> = (0..20).filter(|_| random.chance(40)).collect();
        let answers = [world.version(), with_all_totals(&world), without_totals(&world)].map(|version| {
            let selection = |(&number, partition): (&u32, &Arc<Partition>)| {
                let rows = rows.iter().copied().filter(|&row| u32::from(row) < partition.people).collect();
                BlockSelection { partition: number, block: 0, rows: Some(rows) }
            };
            let selections: Vec<BlockSelection> = version.partitions.iter().map(selection).collect();
            evaluate_blocks(&version, &plan, &selections, &Limits::none(), |_, block| {
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
    fn evaluations_from_totals_respect_limits_and_can_be_explained(seed in any::<u64>(), bytes in 0..300_000u64) {
        let (version, json) = (with_all_totals(&world(seed)), plan(seed).to_string());
        prop_assume!(!version.partitions.is_empty());
        let answer = evaluate(&version, json.as_bytes()).unwrap();
        let matched = |answer: &Answer| answer.roots.iter().map(|root| root.matched).collect::<Vec<_>>();
        match evaluate_within(&version, json.as_bytes(), &Limits { bytes, ..Limits::none() }) {
            Err(Error::OverBudget { budget }) => prop_assert_eq!(budget, bytes),
            limited => prop_assert_eq!(matched(&limited.unwrap()), matched(&answer)),
        }
        let (explained, _) = explain(&version, json.as_bytes(), &Limits::none()).unwrap();
        prop_assert_eq!(matched(&explained), matched(&answer));
    }
}

#[test]
fn totals_reduce_the_bytes_read() {
    let events = json!({"steps": [{"type": "order", "where": null}], "from": null, "to": AS_OF});
    let cond = json!({"op": "happened", "events": events, "min": 2, "max": null});
    let plan = plan_of(&cond).to_string();
    let bytes_read = |version: &Version| explain(version, plan.as_bytes(), &Limits::none()).unwrap().1.bytes();
    let (mut worlds_with_fewer, mut with_all, mut without) = (0, 0, 0);
    for seed in 0..100 {
        let world = world(seed);
        let bytes_without = bytes_read(&without_totals(&world));
        worlds_with_fewer += usize::from(bytes_read(&world.version()) < bytes_without);
        with_all += bytes_read(&with_all_totals(&world));
        without += bytes_without;
    }
    assert!(worlds_with_fewer > 40, "{worlds_with_fewer}");
    assert!(with_all * 3 < without * 2, "{with_all} {without}");
}
