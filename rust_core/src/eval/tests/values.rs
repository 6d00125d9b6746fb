//! The values of expressions against the oracle, person by person.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::naive::{Fraction, Naive, V};
use super::random::{AS_OF, Random, RowKind, cond, events, expr, world};
use super::world::World;
use crate::eval::bind::bind;
use crate::eval::evaluate_rankings;
use crate::eval::kernels::column::{Column, Data};
use crate::eval::limits::Limits;
use crate::eval::operators::item_filter;
use crate::eval::people::People;
use crate::eval::program::{Cond, Program};
use crate::eval::query::Query;
use crate::eval::task::tasks;
use crate::index::view::Version;
use crate::plan::{self, Plan};

fn value(column: &Column, row: usize, kind: &str, version: &Version, program: &Program) -> Option<V> {
    if !column.known.get(row) {
        return None;
    }
    let text = |code: u32| match code.checked_sub(program.extra_from) {
        Some(extra) => program.extra[extra as usize].clone(),
        None => version.texts.get(code).to_string(),
    };
    Some(match kind {
        "num" => {
            let (num, den) = column.numbers().unwrap().get(row).parts();
            V::Num(Fraction::new(num, den))
        }
        "text" => V::Text(text(column.codes().unwrap().get(row))),
        "bool" => V::Bool(column.bools().unwrap().get(row)),
        "point" => V::Point(column.points().unwrap().get(row)),
        "set" => {
            let Data::Set(sets) = &column.data else {
                panic!("no sets")
            };
            let holds = |code: &u32| sets.rows_containing_any(column.len(), &[*code]).get(row);
            V::Set((0..program.extra_from).filter(holds).map(text).collect())
        }
        _ => V::Int(column.ints().unwrap().get(row)),
    })
}

/// Every person's value, from the engine and from the oracle.
fn compare(world: &World, version: &Version, kind: &str, expr: &Json) -> Result<(), TestCaseError> {
    let known = json!({"op": "known", "expr": expr});
    let json = json!({"as_of": AS_OF, "roots": [{"name": "r", "cond": known, "among": null}]});
    let plan = Plan::parse(json.to_string().as_bytes()).unwrap();
    let plan::Cond::Known { expr: naive_expr } = &plan.roots[0].cond else {
        panic!("not known")
    };
    let program = bind(version, &plan).unwrap_or_else(|error| panic!("{error} {expr}"));
    let Cond::Known(id) = program.conds[program.roots[0].cond] else {
        panic!("not known")
    };
    let limits = Limits::none();
    let mut query = Query::new(version, &program, &limits);
    query.item_verdicts = item_filter::evaluate_item_filters(&query).unwrap();
    evaluate_rankings(&mut query, &tasks(version)).unwrap();
    let naive = Naive {
        world,
        as_of: AS_OF,
        asked_at: AS_OF,
    };
    for task in tasks(version) {
        let people = People::of(&query, task);
        let column = people.expr(id).unwrap();
        for person in naive.universe() {
            if person.partition == task.partition.number && task.ordinals().contains(&person.ordinal) {
                let row = (person.ordinal - task.first) as usize;
                let got = value(&column, row, kind, version, &program);
                prop_assert_eq!(got, naive.value(naive_expr, person), "{}", expr);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(crate::testing::cases(256))]

    #[test]
    fn values_equal_the_oracle(seed in any::<u64>()) {
        let (world, mut random) = (world(seed), Random(seed));
        let version = world.version();
        for kind in ["num", "num", "num", "num", "text", "bool", "instant", "date", "month_day", "duration", "set", "point"] {
            compare(&world, &version, kind, &expr(&mut random, kind, RowKind::People, 2))?;
        }
    }

    #[test]
    fn filtered_counts_equal_the_oracle(seed in any::<u64>()) {
        let (world, mut random) = (world(seed), Random(seed));
        let version = world.version();
        for _ in 0..6 {
            let of = cond(&mut random, RowKind::Events, 1);
            let mut asked = events(&mut random, 0);
            for filter in [of.clone(), json!({"op": "not", "of": of}), json!({"op": "or_unknown", "of": of})] {
                asked["steps"][0]["where"] = filter;
                compare(&world, &version, "num", &json!({"op": "aggregate", "fn": "count", "events": asked, "value": null, "day_starts": null}))?;
            }
        }
    }
}

#[test]
fn an_event_value_can_read_the_persons_count_of_the_same_events() {
    let world = world(7);
    let of = events(&mut Random(7), 0);
    let count = json!({"op": "aggregate", "fn": "count", "events": of, "value": null, "day_starts": null});
    let each = json!({"op": "person", "expr": count});
    let sum = json!({"op": "aggregate", "fn": "sum", "events": of, "value": each, "day_starts": null});
    compare(&world, &world.version(), "num", &sum).unwrap();
}
