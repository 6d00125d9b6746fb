//! Sequences: the oracle that tries every choice of events, and random ones.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::naive::{Naive, V};
use super::random::{AS_OF, Random, expr, instant, steps, world};
use super::world::{Event, Person, World};
use crate::eval::evaluate;
use crate::index::view::DAY_MS;
use crate::plan::{Cond, EventFilter, Expr, Plan, SequenceStep};

/// A sequence over one person's events.
pub struct Steps<'s, 'w> {
    pub naive: &'s Naive<'w>,
    pub person: &'s Person,
    pub steps: &'s [SequenceStep],
    pub by: Option<&'s Expr>,
    pub window: (Option<i64>, i64),
}

impl<'s> Steps<'s, '_> {
    pub fn happened(&self) -> bool {
        self.from(0, None, None)
    }

    fn matching(&self, of: &'s [EventFilter]) -> Vec<&'s Event> {
        self.naive.matching(of, self.window, self.person)
    }

    fn value(&self, event: &'s Event) -> Option<V> {
        self.by.and_then(|by| self.naive.value_of_event(by, self.person, event))
    }

    /// Whether the steps from this number on can be chosen, after the event chosen for the one before.
    fn from(&self, number: usize, before: Option<&'s Event>, value: Option<&V>) -> bool {
        let Some(step) = self.steps.get(number) else {
            return before.is_some_and(|last| !self.broken(number - 1, last, i64::MAX, value));
        };
        self.matching(&step.events).into_iter().any(|event| {
            let own = self.value(event);
            if self.by.is_some() && (own.is_none() || value.is_some_and(|value| own.as_ref() != Some(value))) {
                return false;
            }
            before.is_none_or(|before| {
                let gap = event.time - before.time;
                gap > 0
                    && step.after.is_none_or(|after| gap >= after as i64)
                    && step.within.is_none_or(|within| gap <= within as i64)
                    && !self.broken(number - 1, before, event.time, value)
            }) && self.from(number + 1, Some(event), own.as_ref())
        })
    }

    fn broken(&self, number: usize, after: &Event, until: i64, value: Option<&V>) -> bool {
        self.matching(&self.steps[number].without).into_iter().any(|event| {
            let alike = self.by.is_none() || self.value(event).as_ref() == value;
            alike && after.time < event.time && event.time < until
        })
    }
}

/// A random sequence.
pub fn sequence(random: &mut Random, depth: usize) -> Json {
    let gap = |random: &mut Random| random.of(&[Json::Null, json!(0), json!(1), json!(DAY_MS), json!(5 * DAY_MS)]);
    let count = 1 + random.below(4);
    let one = |number: usize, random: &mut Random| {
        let (after, within) = if number == 0 {
            (Json::Null, Json::Null)
        } else {
            (gap(random), gap(random))
        };
        let events = steps(random, depth);
        let without = if random.chance(25) {
            steps(random, depth)
        } else {
            Vec::new()
        };
        json!({"events": events, "after": after, "within": within, "without": without})
    };
    let of: Vec<Json> = (0..count).map(|number| one(number, random)).collect();
    let by = if random.chance(30) {
        let kind = random.of(&["text", "num", "bool"]);
        expr(random, kind, super::random::RowKind::Events, depth.min(1))
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

pub fn plan_of(cond: &Json) -> Json {
    json!({"as_of": AS_OF, "roots": [{"name": "r", "cond": cond, "among": null}]})
}

/// Returns the number of people for whom the condition is true, and checks it against the oracle.
pub fn members(world: &World, cond: &Json) -> (Vec<u64>, Vec<u64>) {
    let json = plan_of(cond).to_string();
    let plan = Plan::parse(json.as_bytes()).unwrap();
    let answer = evaluate(&world.version(), json.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{json}"));
    assert_eq!(answer.roots[0].unknown, 0);
    let expected = Naive::root(world, &plan, &plan.roots[0]);
    (answer.roots[0].members().iter().collect(), expected.matched)
}

proptest! {
    #![proptest_config(crate::testing::cases(256))]

    #[test]
    fn sequences_equal_a_search_over_all_assignments(seed in any::<u64>()) {
        let (world, of) = (world(seed), sequence(&mut Random(seed), 1));
        let (found, expected) = members(&world, &of);
        prop_assert_eq!(found, expected, "{}", of);
    }

    #[test]
    fn a_two_step_funnel_equals_the_general_sequence(seed in any::<u64>()) {
        let mut of = sequence(&mut Random(seed), 1);
        let mut steps: Vec<Json> = of["steps"].as_array().unwrap().iter().take(2).cloned().collect();
        steps.resize(2, json!({"events": [{"type": "scan", "where": null}], "after": null, "within": DAY_MS, "without": []}));
        steps.iter_mut().for_each(|step| step["without"] = json!([]));
        (of["steps"], of["by"]) = (json!(steps), Json::Null);
        let (found, expected) = members(&world(seed), &of);
        prop_assert_eq!(found, expected, "{}", of);
    }
}

/// A world in which each person's events are many and lie within a few milliseconds.
pub fn crowd(seed: u64) -> World {
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

/// A sequence of such events, without filters.
pub fn crowded(seed: u64) -> Json {
    let random = &mut Random(seed);
    let events = |random: &mut Random| random.of(&[json!(["scan"]), json!(["order"]), json!(["order", "scan"])]);
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
    let count = random.of(&[1, 2, 3, 3, 4]);
    let steps: Vec<Json> = (0..count).map(|number| one(number, random)).collect();
    let by = random.of(&[
        Json::Null,
        json!({"op": "property", "name": "product"}),
        json!({"op": "event_channel"}),
    ]);
    let (from, to) = (random.below(4), 9 + random.below(6));
    json!({"op": "sequence", "steps": steps, "by": by, "from": from, "to": to})
}

proptest! {
    #![proptest_config(crate::testing::cases(512))]

    #[test]
    fn sequences_of_crowded_events_equal_a_search_over_all_assignments(seed in any::<u64>()) {
        let of = crowded(seed);
        let (found, expected) = members(&crowd(seed), &of);
        prop_assert_eq!(found, expected, "{}", of);
    }
}

/// Random sequences that nobody fits, or everybody, would prove little.
#[test]
fn random_sequences_match_some_people_and_not_others() {
    let divides = |world: World, of: Json| {
        let (found, _) = members(&world, &of);
        usize::from(!found.is_empty() && found.len() < world.people.len())
    };
    let seeds = 0..400;
    let apart: usize = seeds
        .clone()
        .map(|seed| divides(world(seed), sequence(&mut Random(seed), 1)))
        .sum();
    let near: usize = seeds.map(|seed| divides(crowd(seed), crowded(seed))).sum();
    assert!(apart > 90 && near > 150, "{apart} {near}");
}

impl Naive<'_> {
    pub fn in_order(&self, cond: &Cond, person: &Person) -> bool {
        let Cond::Sequence { steps, by, from, to } = cond else {
            return false;
        };
        let steps = Steps {
            naive: self,
            person,
            steps,
            by: by.as_ref(),
            window: self.window(*from, *to),
        };
        steps.happened()
    }
}
