//! The events that a condition rests on, and the values that it compares, against the oracle.

use std::sync::atomic::Ordering;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::naive::{Fraction, Naive, V};
use super::random::{AS_OF, Random, RowKind, cond, events, expr, plan, world};
use super::sequences::{crowd, crowded, plan_of, sequence};
use super::world::{Event, Person, World};
use crate::error::Error;
use crate::eval::{Event as Told, Limits, Value, Witnesses, values, witnesses};
use crate::index::view::Version;
use crate::number::to_decimal;
use crate::plan::{Cond, EventFilter, Expr, Expressions, Function, Plan, SequenceStep};

fn naive(world: &World) -> Naive<'_> {
    Naive {
        world,
        as_of: AS_OF,
        asked_at: AS_OF,
    }
}

fn parsed(json: &Json) -> Plan {
    Plan::parse(json.to_string().as_bytes()).unwrap()
}

fn found(version: &Version, json: &Json, person: &Person, newest: usize) -> Vec<Witnesses> {
    let json = json.to_string();
    let found = witnesses(version, json.as_bytes(), person.id(), newest, &Limits::none());
    found.unwrap_or_else(|error| panic!("{error}\n{json}"))
}

/// The key of an event, unique among the events of its person.
fn key(event: &Event) -> (i64, String, String, String) {
    (event.time, event.source.into(), event.id.clone(), event.kind.into())
}

fn keys<'t>(told: impl IntoIterator<Item = &'t Told>) -> Vec<(i64, String, String, String)> {
    let key = |told: &Told| {
        (
            told.occurred_at,
            told.source.clone(),
            told.id.clone(),
            told.event_type.clone(),
        )
    };
    told.into_iter().map(key).collect()
}

/// Returns the keys of a person's events in order.
fn in_universe<'w>(naive: &Naive<'w>, person: &Person) -> bool {
    naive.universe().any(|other| other.id() == person.id())
}

/// Returns the events of an aggregate with a known value; only the first or last for `earliest` and `latest`.
fn counted<'p>(naive: &Naive, aggregate: &Expr, person: &'p Person) -> Vec<&'p Event> {
    let Expr::Aggregate {
        function,
        events,
        value,
        ..
    } = aggregate
    else {
        panic!("not an aggregate")
    };
    let window = naive.window(events.from, events.to);
    let mut counted = naive.matching(&events.steps, window, person);
    if let Some(value) = value {
        counted.retain(|event| naive.value_of_event(value, person, event).is_some());
    }
    let last = counted.len().saturating_sub(1);
    match function {
        Function::Earliest => counted.truncate(1),
        Function::Latest => drop(counted.drain(..last)),
        _ => {}
    }
    counted
}

/// The first steps of a sequence, over the events of one person.
struct First<'s, 'w> {
    naive: &'s Naive<'w>,
    person: &'s Person,
    steps: &'s [SequenceStep],
    by: Option<&'s Expr>,
    window: (Option<i64>, i64),
    size: usize,
}

impl<'s> First<'s, '_> {
    fn value(&self, event: &Event) -> Option<V> {
        self.by.and_then(|by| self.naive.value_of_event(by, self.person, event))
    }

    /// Returns the events with the shared value, if one is required; oldest first.
    fn fitting(&self, of: &'s [EventFilter]) -> Vec<&'s Event> {
        let mut fitting = self.naive.matching(of, self.window, self.person);
        fitting.retain(|event| self.by.is_none() || self.value(event).is_some());
        fitting
    }

    fn is_broken(&self, step: usize, one: &Event, until: i64) -> bool {
        let forbidden = self.fitting(&self.steps[step].without);
        let breaks =
            |other: &&Event| one.time < other.time && other.time < until && self.value(other) == self.value(one);
        forbidden.iter().any(breaks)
    }

    fn follows(&self, step: usize, one: &Event, next: &Event) -> bool {
        let (gap, asked) = (next.time - one.time, &self.steps[step + 1]);
        gap >= 1.max(asked.after.unwrap_or(0) as i64)
            && asked.within.is_none_or(|within| gap <= within as i64)
            && self.value(one) == self.value(next)
            && !self.is_broken(step, one, next.time)
    }

    /// Events from this one, of a step, to the last: each time the oldest that can go on.
    fn chain(&self, step: usize, one: &'s Event) -> Option<Vec<&'s Event>> {
        if step + 1 == self.size {
            let is_whole = self.size == self.steps.len();
            return (!is_whole || !self.is_broken(step, one, i64::MAX)).then(|| vec![one]);
        }
        let next = self.fitting(&self.steps[step + 1].events).into_iter();
        let mut chains = next
            .filter(|next| self.follows(step, one, next))
            .filter_map(|next| self.chain(step + 1, next));
        chains.next().map(|chain| [vec![one], chain].concat())
    }

    /// Starts from the newest first step that can be continued.
    fn choice(&self) -> Option<Vec<&'s Event>> {
        let firsts = self.fitting(&self.steps[0].events).into_iter().rev();
        firsts.filter_map(|one| self.chain(0, one)).next()
    }
}

fn check_sequence(world: &World, of: &Json) -> Result<(), TestCaseError> {
    let (version, json) = (world.version(), plan_of(of));
    let (plan, naive) = (parsed(&json), naive(world));
    let Cond::Sequence { steps, by, from, to } = &plan.roots[0].cond else {
        panic!("not a sequence")
    };
    for person in naive.universe() {
        let told = found(&version, &json, person, 0).remove(0);
        let window = naive.window(*from, *to);
        let first = |size| First {
            naive: &naive,
            person,
            steps,
            by: by.as_ref(),
            window,
            size,
        };
        let choices = (1..=steps.len()).rev().map(|size| (size, first(size)));
        let longest = choices
            .filter_map(|(size, first)| Some((size, first.choice()?.into_iter().map(key).collect())))
            .next();
        let (size, events): (usize, Vec<_>) = longest.unwrap_or_default();
        prop_assert_eq!(told.sequences[0].steps, size, "{}", of);
        prop_assert_eq!(keys(&told.sequences[0].events), events, "{}", of);
    }
    Ok(())
}

/// A value of the engine beside one of the oracle.
fn check_value(told: Option<&Value>, expected: Option<&V>) -> Result<(), TestCaseError> {
    let Some((told, expected)) = told.zip(expected) else {
        prop_assert_eq!(told.is_none(), expected.is_none(), "{:?} {:?}", told, expected);
        return Ok(());
    };
    let told = match told {
        Value::Number(decimal) => {
            let V::Num(Fraction(num, den)) = expected else {
                panic!("{expected:?} is not a number")
            };
            let millionths = (num * 1_000_000).div_euclid(*den);
            prop_assert_eq!(&decimal.text, &to_decimal(millionths as i64));
            prop_assert_eq!(decimal.is_truncated, num * 1_000_000 % den != 0);
            return Ok(());
        }
        Value::Bool(flag) => V::Bool(*flag),
        Value::Text(text) => V::Text(text.clone()),
        Value::Instant(ms) | Value::Duration(ms) => V::Int(*ms),
        Value::Date(days) => V::Int((*days).into()),
        Value::MonthDay(day) => V::Int((*day).into()),
        Value::Set(items) => V::Set(items.clone()),
        Value::Point(point) => V::Point(*point),
        Value::Map(_) => V::Map,
    };
    prop_assert_eq!(&told, expected);
    Ok(())
}

proptest! {
    #![proptest_config(crate::testing::cases(256))]

    #[test]
    fn values_of_requested_people_equal_the_oracle(seed in any::<u64>()) {
        let (world, mut random) = (world(seed), Random(seed));
        let (version, naive) = (world.version(), naive(&world));
        let kinds = ["num", "num", "num", "text", "bool", "instant", "date", "month_day", "duration", "set", "point"];
        let mut exprs: Vec<Json> = kinds.iter().map(|kind| expr(&mut random, kind, RowKind::People, 2)).collect();
        exprs.extend([Json::Null, json!("q1"), json!("nothing")].map(|key| json!({"op": "attribute", "name": "survey", "key": key})));
        let json = json!({"as_of": AS_OF, "exprs": exprs}).to_string();
        let parsed = Expressions::parse(json.as_bytes()).unwrap();
        // Shuffled, with duplicates and a person who is not in the index.
        let people: Vec<&Person> = world.people.iter().rev().chain(&world.people).filter(|_| random.chance(70)).collect();
        let persons: Vec<u64> = people.iter().map(|person| person.id()).chain([9 << 32 | 1]).collect();
        let told = values(&version, json.as_bytes(), &persons, &Limits::none()).unwrap();
        for (of_expr, expr) in told.iter().zip(&parsed.exprs) {
            for (value, person) in of_expr.iter().zip(&people) {
                let expected = naive.value(expr, person).filter(|_| in_universe(&naive, person));
                check_value(value.as_ref(), expected.as_ref())?;
            }
            prop_assert_eq!(of_expr.len(), persons.len());
            prop_assert_eq!(of_expr.last(), Some(&None));
        }
    }

    #[test]
    fn the_events_of_an_aggregate_are_its_witnesses(seed in any::<u64>(), newest in 0..4usize) {
        let (world, mut random) = (world(seed), Random(seed));
        let (version, naive) = (world.version(), naive(&world));
        let function = random.of(&["count", "distinct", "earliest", "latest", "most"]);
        let value = match function {
            "count" if random.chance(50) => Json::Null,
            "earliest" | "latest" if random.chance(50) => Json::Null,
            _ => expr(&mut random, "text", RowKind::Events, 1),
        };
        let of = json!({"op": "aggregate", "fn": function, "events": events(&mut random, 1), "value": value, "day_starts": null});
        // Segments, earlier instants and populations are left out.
        let other = json!({"op": "happened", "events": events(&mut random, 0), "min": 1, "max": null});
        let set = json!({"op": "set", "of": other, "among": null});
        let json = json!({"as_of": AS_OF, "roots": [
            {"name": "r", "cond": {"op": "any", "of": [{"op": "unknown", "expr": of}, set]}, "among": other},
            {"name": "s", "cond": other, "among": null},
        ]});
        let plan = parsed(&json);
        let (Cond::Any { of: parts }, Cond::Happened { events, .. }) = (&plan.roots[0].cond, &plan.roots[1].cond) else {
            panic!("another plan")
        };
        let Cond::Unknown { expr: aggregate } = &parts[0] else { panic!("another plan") };
        // Conditions on the person inside filters and values are included.
        prop_assume!(!json["roots"][0]["cond"]["of"][0].to_string().contains("person"));
        for person in &world.people {
            let told = found(&version, &json, person, newest);
            let is_in = in_universe(&naive, person);
            let window = naive.window(events.from, events.to);
            let happened = naive.matching(&events.steps, window, person);
            for (told, mut expected) in told.iter().zip([counted(&naive, aggregate, person), happened]) {
                expected.retain(|_| is_in);
                let expected: Vec<_> = expected.into_iter().rev().map(key).collect();
                prop_assert_eq!(told.count, expected.len(), "{}", json);
                prop_assert_eq!(keys(&told.newest), &expected[..newest.min(expected.len())]);
                prop_assert_eq!(keys(&told.oldest), expected.last().cloned().into_iter().collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn witnesses_are_events_of_the_person(seed in any::<u64>()) {
        let (world, json) = (world(seed), plan(seed));
        let version = world.version();
        for person in &world.people {
            let own: Vec<_> = person.events.iter().map(key).collect();
            for told in found(&version, &json, person, usize::MAX) {
                let newest = keys(&told.newest);
                prop_assert!(newest.iter().all(|event| own.contains(event)));
                prop_assert!(newest.is_sorted_by(|newer, older| newer > older));
                prop_assert_eq!(told.count, newest.len());
                let oldest = keys(&told.oldest);
                prop_assert_eq!(oldest.first(), newest.last());
                for sequence in &told.sequences {
                    prop_assert_eq!(sequence.events.len(), sequence.steps);
                }
            }
        }
    }

    #[test]
    fn sequence_assignments_equal_the_oracle(seed in any::<u64>()) {
        check_sequence(&world(seed), &sequence(&mut Random(seed), 1))?;
    }

    #[test]
    fn assignments_of_crowded_events_equal_the_oracle(seed in any::<u64>()) {
        check_sequence(&crowd(seed), &crowded(seed))?;
    }

    #[test]
    fn values_and_witnesses_can_be_cancelled(seed in any::<u64>()) {
        let world = world(seed);
        prop_assume!(!world.people.is_empty());
        let (version, person) = (world.version(), world.people[0].id());
        let plan = plan_of(&cond(&mut Random(seed), RowKind::People, 2)).to_string();
        let exprs = json!({"as_of": AS_OF, "exprs": [{"op": "channels"}]}).to_string();
        let limits = Limits::none();
        limits.cancelled.store(true, Ordering::Relaxed);
        let refused = values(&version, exprs.as_bytes(), &[person], &limits);
        prop_assert!(matches!(refused, Err(Error::Cancelled)));
        let refused = witnesses(&version, plan.as_bytes(), person, 1, &limits);
        prop_assert!(matches!(refused, Err(Error::Cancelled)));
    }

    #[test]
    fn values_within_the_memory_limit_equal_the_unlimited_values(seed in any::<u64>(), bytes in 0..2_000u64) {
        let world = world(seed);
        let (version, persons) = (world.version(), world.people.iter().map(Person::id).collect::<Vec<u64>>());
        let of = expr(&mut Random(seed), "num", RowKind::People, 2);
        let json = json!({"as_of": AS_OF, "exprs": [of]}).to_string();
        let within = |bytes| values(&version, json.as_bytes(), &persons, &Limits { bytes, ..Limits::none() });
        match within(bytes) {
            Err(Error::OverBudget { budget }) => prop_assert_eq!(budget, bytes),
            found => prop_assert_eq!(found.unwrap(), within(u64::MAX).unwrap()),
        }
    }
}

/// Guards against random sequences that never match.
#[test]
fn random_sequences_are_assigned_in_full_and_in_part() {
    let (mut whole, mut part) = (0, 0);
    for seed in 0..60 {
        let (world, json) = (crowd(seed), plan_of(&crowded(seed)));
        let version = world.version();
        let steps = json["roots"][0]["cond"]["steps"].as_array().unwrap().len();
        for person in &world.people {
            let told = found(&version, &json, person, 0).remove(0);
            let fitting = told.sequences.first().map_or(0, |sequence| sequence.steps);
            whole += usize::from(fitting == steps);
            part += usize::from((1..steps).contains(&fitting));
        }
    }
    assert!(whole > 100 && part > 100, "{whole} {part}");
}

#[test]
fn an_error_names_the_expression_or_the_condition() {
    let (world, limits) = (world(1), Limits::none());
    let version = world.version();
    let attribute = json!({"op": "attribute", "name": "gone", "key": null});
    let exprs = json!({"as_of": AS_OF, "exprs": [{"op": "channels"}, attribute]}).to_string();
    let refused = values(&version, exprs.as_bytes(), &[], &limits).unwrap_err();
    assert_eq!(refused.to_string(), "plan.exprs[1]: attribute `gone` is not declared");
    let events = json!({"steps": [{"type": "gone", "where": null}], "from": null, "to": AS_OF});
    let plan = plan_of(&json!({"op": "happened", "events": events, "min": 1, "max": null})).to_string();
    let refused = witnesses(&version, plan.as_bytes(), 1, 1, &limits).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "plan.roots[0].cond.events.steps[0]: event type `gone` is not declared"
    );
}
