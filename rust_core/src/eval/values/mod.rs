//! The values of expressions for some people.

mod value;

use std::rc::Rc;

pub use value::{Decimal, Value};

use super::asked_people::AskedPeople;
use super::bind::bind_expressions;
use super::blocks::over_blocks;
use super::evaluator::Evaluator;
use super::kernels::column::{Column, Kind};
use super::limits::Limits;
use super::people::People;
use super::program::{Expr, ExprId};
use crate::error::Result;
use crate::index::columns::cells::Cell;
use crate::index::view::Version;
use crate::plan::Expressions;

/// By expression of the message (docs/plan.md), then by person in the order asked: `None` is unknown. Everything of those who are not in
/// the universe is unknown.
///
/// `Error::Invalid` names the node of the message that is wrong; `Error::OverBudget` and `Error::Cancelled` beyond the limits.
pub fn values(version: &Version, plan: &[u8], persons: &[u64], limits: &Limits) -> Result<Vec<Vec<Option<Value>>>> {
    let plan = Expressions::parse(plan)?;
    let (program, exprs) = bind_expressions(version, &plan)?;
    let asked = AskedPeople::of(version, persons);
    let found = over_blocks(version, &program, asked.blocks(), limits, |_, people| {
        exprs
            .iter()
            .map(|&expr| of_block(&people, expr))
            .collect::<Result<Vec<_>>>()
    })?;
    let value = |number: usize, person: u64| {
        let (block, asked) = asked.place(person)?;
        found[block][number][asked].clone()
    };
    let of_expr = |number| persons.iter().map(move |&person| value(number, person)).collect();
    Ok((0..exprs.len()).map(of_expr).collect())
}

/// By person who is asked.
fn of_block<'a>(people: &Evaluator<'a, People<'a>>, (id, kind): (ExprId, Kind)) -> Result<Vec<Option<Value>>> {
    let column = match kind {
        Kind::Any => None,
        _ => Some(people.expr(id)?),
    };
    let value = |asked: usize| match &column {
        _ if !people.scope.universe.get(asked) => Ok(None),
        Some(column) => of_row(people, column, kind, asked),
        None => of_map(people, &people.query.program.exprs[id], asked),
    };
    (0..people.rows()).map(value).collect()
}

fn of_row<'a>(
    people: &Evaluator<'a, People<'a>>,
    column: &Rc<Column<'a>>,
    kind: Kind,
    row: usize,
) -> Result<Option<Value>> {
    if !column.known.get(row) {
        return Ok(None);
    }
    let text = |code| people.query.text(code).to_owned();
    Ok(Some(match kind {
        Kind::Bool => Value::Bool(column.bools()?.get(row)),
        Kind::Number => Value::Number(Decimal::of(column.numbers()?.get(row))),
        Kind::Text => Value::Text(text(column.codes()?.get(row))),
        Kind::Instant => Value::Instant(column.ints()?.get(row)),
        Kind::Date => Value::Date(column.ints()?.get(row) as i32),
        Kind::MonthDay => Value::MonthDay(column.ints()?.get(row) as u16),
        Kind::Duration => Value::Duration(column.ints()?.get(row)),
        Kind::Point => Value::Point(column.points()?.get(row)),
        Kind::Set => {
            let codes = column.sets()?.map(|sets| sets.of_row(row)).unwrap_or_default();
            Value::set(codes.into_iter().map(text))
        }
        Kind::Any => return Ok(None),
    }))
}

/// The map of an attribute, or an entry of it, whose kinds only the values themselves say. Other expressions of no kind are unknown.
fn of_map<'a>(people: &Evaluator<'a, People<'a>>, expr: &Expr, asked: usize) -> Result<Option<Value>> {
    let (name, key, as_of) = match expr {
        Expr::Attribute { name, as_of } => (name, None, *as_of),
        Expr::Entry { name, key, as_of, .. } => (name, Some(*key), *as_of),
        _ => return Ok(None),
    };
    let (task, texts) = (people.scope.task, &people.query.version.texts);
    let Some(attribute) = task.partition.attributes.get(name) else {
        return Ok(None);
    };
    let Cell::Map(entries) = attribute.as_of(task.ordinal(asked), as_of, texts)? else {
        return Ok(None);
    };
    let value = |scalar| Value::of_scalar(scalar, texts);
    Ok(match key {
        Some(key) => entries.iter().find(|entry| entry.0 == key).map(|entry| value(entry.1)),
        None => {
            let entry = |&(key, scalar): &(u32, _)| (texts.get(key).to_owned(), value(scalar));
            Some(Value::Map(entries.iter().map(entry).collect()))
        }
    })
}
