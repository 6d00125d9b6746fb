//! Witnesses (the events that a condition counts) and values of requested people: the engine against the oracle.

use std::sync::atomic::Ordering;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::oracle::{Fraction, Oracle, OracleValue};
use super::queries::{parse, plan_of};
use super::random::{
    AS_OF, Random, RowKind, cond, crowded_sequence, crowded_world, events, expr, plan, sequence, world,
};
use super::world::{Event, Person, World};
use crate::error::Error;
use crate::eval::{Event as Witness, Limits, Value, Witnesses, values, witnesses};
use crate::index::view::Version;
use crate::number::to_decimal;
use crate::plan::{Cond, Expr, Expressions, Function};

/// Returns the witnesses of each root of a plan for a person, with at most `newest` of the newest events.
fn find(version: &Version, json: &Json, person: &Person, newest: usize) -> Vec<Witnesses> {
    let json = json.to_string();
    let found = witnesses(version, json.as_bytes(), person.id(), newest, &Limits::none());
    found.unwrap_or_else(|error| panic!("{error}\n{json}"))
}

/// The key of an event, unique among the events of its person.
fn key(event: &Event) -> (i64, String, String, String) {
    (event.time, event.source.into(), event.id.clone(), event.kind.into())
}

fn keys<'e>(events: impl IntoIterator<Item = &'e Witness>) -> Vec<(i64, String, String, String)> {
    let key = |event: &Witness| {
        (
            event.occurred_at,
            event.source.clone(),
            event.id.clone(),
            event.event_type.clone(),
        )
    };
    events.into_iter().map(key).collect()
}

/// Returns the events that an aggregate counts: those with a known value, and for `earliest` and `latest` only the first or last of them.
fn counted_events<'p>(oracle: &Oracle, aggregate: &Expr, person: &'p Person) -> Vec<&'p Event> {
    let Expr::Aggregate {
        function,
        events,
        value,
        ..
    } = aggregate
    else {
        panic!("the expression is not an aggregate")
    };
    let mut counted = oracle.events(events, person);
    if let Some(value) = value {
        counted.retain(|event| oracle.value_of_event(value, person, event).is_some());
    }
    let last = counted.len().saturating_sub(1);
    match function {
        Function::Earliest => counted.truncate(1),
        Function::Latest => drop(counted.drain(..last)),
        _ => {}
    }
    counted
}

fn check_sequence(world: &World, sequence: &Json) -> Result<(), TestCaseError> {
    let (version, json) = (world.version(), plan_of(sequence));
    let (plan, oracle) = (parse(&json), Oracle::new(world));
    for person in oracle.universe() {
        let found = find(&version, &json, person, 0).remove(0);
        let expected: Vec<_> = oracle
            .longest_assignment(&plan.roots[0].cond, person)
            .into_iter()
            .map(key)
            .collect();
        prop_assert_eq!(found.sequences[0].steps, expected.len(), "{}", sequence);
        prop_assert_eq!(keys(&found.sequences[0].events), expected, "{}", sequence);
    }
    Ok(())
}

/// Checks that the value of the engine equals that of the oracle; numbers are cut to millionths.
fn check_value(found: Option<&Value>, expected: Option<&OracleValue>) -> Result<(), TestCaseError> {
    let Some((found, expected)) = found.zip(expected) else {
        prop_assert_eq!(found.is_none(), expected.is_none(), "{:?} {:?}", found, expected);
        return Ok(());
    };
    let found = match found {
        Value::Number(decimal) => {
            let OracleValue::Num(Fraction(num, den)) = expected else {
                panic!("{expected:?} is not a number")
            };
            let millionths = (num * 1_000_000).div_euclid(*den);
            prop_assert_eq!(&decimal.text, &to_decimal(millionths as i64));
            prop_assert_eq!(decimal.is_truncated, num * 1_000_000 % den != 0);
            return Ok(());
        }
        Value::Bool(flag) => OracleValue::Bool(*flag),
        Value::Text(text) => OracleValue::Text(text.clone()),
        Value::Instant(ms) | Value::Duration(ms) => OracleValue::Int(*ms),
        Value::Date(days) => OracleValue::Int((*days).into()),
        Value::MonthDay(day) => OracleValue::Int((*day).into()),
        Value::Set(items) => OracleValue::Set(items.clone()),
        Value::Point(point) => OracleValue::Point(*point),
        Value::Map(_) => OracleValue::Map,
    };
    prop_assert_eq!(&found, expected);
    Ok(())
}

proptest! {
    #![proptest_config(crate::testing::cases(256))]

    #[test]
    fn values_of_requested_people_equal_the_oracle(seed in any::<u64>()) {
        let (world, mut random) = (world(seed), Random(seed));
        let (version, oracle) = (world.version(), Oracle::new(&world));
        let kinds = ["num", "num", "num", "text", "bool", "instant", "date", "month_day", "duration", "set", "point"];
        let mut exprs: Vec<Json> = kinds.iter().map(|kind| expr(&mut random, kind, RowKind::People, 2)).collect();
        exprs.extend([Json::Null, json!("q1"), json!("nothing")].map(|key| json!({"op": "attribute", "name": "survey", "key": key})));
        let json = json!({"as_of": AS_OF, "exprs": exprs}).to_string();
        let expressions = Expressions::parse(json.as_bytes()).unwrap();
        // Some people occur twice, in another order than in the index, and the last one is not in the index.
        let people: Vec<&Person> = world.people.iter().rev().chain(&world.people).filter(|_| random.chance(70)).collect();
        let persons: Vec<u64> = people.iter().map(|person| person.id()).chain([9 << 32 | 1]).collect();
        let found = values(&version, json.as_bytes(), &persons, &Limits::none()).unwrap();
        for (found, expr) in found.iter().zip(&expressions.exprs) {
            for (value, person) in found.iter().zip(&people) {
                let expected = oracle.value(expr, person).filter(|_| oracle.is_in_universe(person));
                check_value(value.as_ref(), expected.as_ref())?;
            }
            prop_assert_eq!(found.len(), persons.len());
            prop_assert_eq!(found.last(), Some(&None));
        }
    }

    #[test]
    fn witnesses_of_an_aggregate_are_the_events_that_it_counts(seed in any::<u64>(), newest in 0..4usize) {
        let (world, mut random) = (world(seed), Random(seed));
        let (version, oracle) = (world.version(), Oracle::new(&world));
        let function = random.pick(&["count", "distinct", "earliest", "latest", "most"]);
        let value = match function {
            "count" if random.chance(50) => Json::Null,
            "earliest" | "latest" if random.chance(50) => Json::Null,
            _ => expr(&mut random, "text", RowKind::Events, 1),
        };
        let of = json!({"op": "aggregate", "fn": function, "events": events(&mut random, 1), "value": value, "day_starts": null});
        // The events of `set` nodes and of populations are not witnesses.
        let other = json!({"op": "happened", "events": events(&mut random, 0), "min": 1, "max": null});
        let set = json!({"op": "set", "of": other, "among": null});
        let json = json!({"as_of": AS_OF, "roots": [
            {"name": "r", "cond": {"op": "any", "of": [{"op": "unknown", "expr": of}, set]}, "among": other},
            {"name": "s", "cond": other, "among": null},
        ]});
        let plan = parse(&json);
        let (Cond::Any { of: parts }, Cond::Happened { events, .. }) = (&plan.roots[0].cond, &plan.roots[1].cond) else {
            panic!("the plan has another form")
        };
        let Cond::Unknown { expr: aggregate } = &parts[0] else { panic!("the plan has another form") };
        // Values of the person inside filters and values can count other events, which are witnesses too.
        prop_assume!(!json["roots"][0]["cond"]["of"][0].to_string().contains("person"));
        for person in &world.people {
            let found = find(&version, &json, person, newest);
            let is_in_universe = oracle.is_in_universe(person);
            let happened = oracle.events(events, person);
            for (found, mut expected) in found.iter().zip([counted_events(&oracle, aggregate, person), happened]) {
                expected.retain(|_| is_in_universe);
                let expected: Vec<_> = expected.into_iter().rev().map(key).collect();
                prop_assert_eq!(found.count, expected.len(), "{}", json);
                prop_assert_eq!(keys(&found.newest), &expected[..newest.min(expected.len())]);
                prop_assert_eq!(keys(&found.oldest), expected.last().cloned().into_iter().collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn witnesses_are_events_of_the_person(seed in any::<u64>()) {
        let (world, json) = (world(seed), plan(seed));
        let version = world.version();
        for person in &world.people {
            let own: Vec<_> = person.events.iter().map(key).collect();
            for found in find(&version, &json, person, usize::MAX) {
                let newest = keys(&found.newest);
                prop_assert!(newest.iter().all(|event| own.contains(event)));
                prop_assert!(newest.is_sorted_by(|newer, older| newer > older));
                prop_assert_eq!(found.count, newest.len());
                let oldest = keys(&found.oldest);
                prop_assert_eq!(oldest.first(), newest.last());
                for sequence in &found.sequences {
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
        check_sequence(&crowded_world(seed), &crowded_sequence(seed))?;
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
        let result = values(&version, exprs.as_bytes(), &[person], &limits);
        prop_assert!(matches!(result, Err(Error::Cancelled)));
        let result = witnesses(&version, plan.as_bytes(), person, 1, &limits);
        prop_assert!(matches!(result, Err(Error::Cancelled)));
    }

    #[test]
    fn values_within_the_memory_limit_equal_the_unlimited_values(seed in any::<u64>(), bytes in 0..2_000u64) {
        let world = world(seed);
        let (version, persons) = (world.version(), world.people.iter().map(Person::id).collect::<Vec<u64>>());
        let of = expr(&mut Random(seed), "num", RowKind::People, 2);
        let json = json!({"as_of": AS_OF, "exprs": [of]}).to_string();
        let values_with = |bytes| values(&version, json.as_bytes(), &persons, &Limits { bytes, ..Limits::none() });
        match values_with(bytes) {
            Err(Error::OverBudget { budget }) => prop_assert_eq!(budget, bytes),
            found => prop_assert_eq!(found.unwrap(), values_with(u64::MAX).unwrap()),
        }
    }
}

/// Guards against random sequences that can never be assigned.
#[test]
fn random_sequences_have_complete_and_partial_assignments() {
    let (mut complete, mut partial) = (0, 0);
    for seed in 0..60 {
        let (world, json) = (crowded_world(seed), plan_of(&crowded_sequence(seed)));
        let version = world.version();
        let steps = json["roots"][0]["cond"]["steps"].as_array().unwrap().len();
        for person in &world.people {
            let found = find(&version, &json, person, 0).remove(0);
            let assigned = found.sequences.first().map_or(0, |sequence| sequence.steps);
            complete += usize::from(assigned == steps);
            partial += usize::from((1..steps).contains(&assigned));
        }
    }
    assert!(complete > 100 && partial > 100, "{complete} {partial}");
}

#[test]
fn errors_contain_the_path_of_the_expression_or_condition() {
    let (world, limits) = (world(1), Limits::none());
    let version = world.version();
    let attribute = json!({"op": "attribute", "name": "gone", "key": null});
    let exprs = json!({"as_of": AS_OF, "exprs": [{"op": "channels"}, attribute]}).to_string();
    let result = values(&version, exprs.as_bytes(), &[], &limits).unwrap_err();
    assert_eq!(result.to_string(), "plan.exprs[1]: attribute `gone` is not declared");
    let events = json!({"steps": [{"type": "gone", "where": null}], "from": null, "to": AS_OF});
    let plan = plan_of(&json!({"op": "happened", "events": events, "min": 1, "max": null})).to_string();
    let result = witnesses(&version, plan.as_bytes(), 1, 1, &limits).unwrap_err();
    assert_eq!(
        result.to_string(),
        "plan.roots[0].cond.events.steps[0]: event type `gone` is not declared"
    );
}
