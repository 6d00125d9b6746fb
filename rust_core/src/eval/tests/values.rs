//! Values of expressions: the engine against the oracle.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::oracle::{Fraction, Oracle, OracleValue};
use super::queries::{parse, plan_of};
use super::random::{Random, RowKind, cond, events, expr, world};
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
use crate::plan;

/// Converts a value of a column to a value of the oracle.
fn value(column: &Column, row: usize, kind: &str, version: &Version, program: &Program) -> Option<OracleValue> {
    if !column.known.get(row) {
        return None;
    }
    let text = |code: u32| match code.checked_sub(program.first_plan_code) {
        Some(index) => program.plan_texts[index as usize].clone(),
        None => version.texts.get(code).to_string(),
    };
    Some(match kind {
        "num" => {
            let (num, den) = column.numbers().unwrap().get(row).parts();
            OracleValue::Num(Fraction::new(num, den))
        }
        "text" => OracleValue::Text(text(column.codes().unwrap().get(row))),
        "bool" => OracleValue::Bool(column.bools().unwrap().get(row)),
        "point" => OracleValue::Point(column.points().unwrap().get(row)),
        "set" => {
            let Data::Set(sets) = &column.data else {
                panic!("the column does not contain sets")
            };
            let holds = |code: &u32| sets.rows_containing_any(column.len(), &[*code]).get(row);
            OracleValue::Set((0..program.first_plan_code).filter(holds).map(text).collect())
        }
        _ => OracleValue::Int(column.ints().unwrap().get(row)),
    })
}

/// Checks that the engine and the oracle give the same value for every person.
fn check_expr(world: &World, version: &Version, kind: &str, expr: &Json) -> Result<(), TestCaseError> {
    let known = json!({"op": "known", "expr": expr});
    let plan = parse(&plan_of(&known));
    let plan::Cond::Known { expr: plan_expr } = &plan.roots[0].cond else {
        panic!("the root is not `known`")
    };
    let program = bind(version, &plan).unwrap_or_else(|error| panic!("{error} {expr}"));
    let Cond::Known(id) = program.conds[program.roots[0].cond] else {
        panic!("the bound root is not `known`")
    };
    let limits = Limits::none();
    let mut query = Query::new(version, &program, &limits);
    query.item_verdicts = item_filter::evaluate_item_filters(&query).unwrap();
    evaluate_rankings(&mut query, &tasks(version)).unwrap();
    let oracle = Oracle::new(world);
    for task in tasks(version) {
        let people = People::of(&query, task);
        let column = people.expr(id).unwrap();
        for person in oracle.universe() {
            if person.partition == task.partition.number && task.ordinals().contains(&person.ordinal) {
                let row = (person.ordinal - task.first) as usize;
                let found = value(&column, row, kind, version, &program);
                prop_assert_eq!(found, oracle.value(plan_expr, person), "{}", expr);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(crate::testing::cases(256))]

    #[test]
    fn values_of_expressions_equal_the_oracle(seed in any::<u64>()) {
        let (world, mut random) = (world(seed), Random(seed));
        let version = world.version();
        for kind in ["num", "num", "num", "num", "text", "bool", "instant", "date", "month_day", "duration", "set", "point"] {
            check_expr(&world, &version, kind, &expr(&mut random, kind, RowKind::People, 2))?;
        }
    }

    #[test]
    fn filtered_counts_equal_the_oracle(seed in any::<u64>()) {
        let (world, mut random) = (world(seed), Random(seed));
        let version = world.version();
        for _ in 0..6 {
            let of = cond(&mut random, RowKind::Events, 1);
            let mut query = events(&mut random, 0);
            for filter in [of.clone(), json!({"op": "not", "of": of}), json!({"op": "or_unknown", "of": of})] {
                query["steps"][0]["where"] = filter;
                check_expr(&world, &version, "num", &json!({"op": "aggregate", "fn": "count", "events": query, "value": null, "day_starts": null}))?;
            }
        }
    }
}

#[test]
fn an_event_value_can_read_the_persons_count_of_the_same_events() {
    let world = world(7);
    let of = events(&mut Random(7), 0);
    let count = json!({"op": "aggregate", "fn": "count", "events": of, "value": null, "day_starts": null});
    let count_of_person = json!({"op": "person", "expr": count});
    let sum = json!({"op": "aggregate", "fn": "sum", "events": of, "value": count_of_person, "day_starts": null});
    check_expr(&world, &world.version(), "num", &sum).unwrap();
}
