//! Evaluates expressions for requested people.

mod value;

use std::rc::Rc;

pub use value::{Decimal, Value};

use super::bind::bind_expressions;
use super::blocks::for_each_block;
use super::evaluator::Evaluator;
use super::kernels::column::{Column, Kind};
use super::limits::Limits;
use super::people::People;
use super::program::{Expr, ExprId};
use super::requested_people::RequestedPeople;
use crate::error::Result;
use crate::index::columns::cells::Cell;
use crate::index::view::Version;
use crate::plan::Expressions;

/// Returns the value of each expression of the message (docs/plan.md) for each person, in the order of the request; `None` is unknown.
///
/// All values of people who are not in the universe are unknown. Returns `Error::Invalid` with the path of a wrong node, and
/// `Error::OverBudget` or `Error::Cancelled` beyond the limits.
pub fn values(version: &Version, plan: &[u8], persons: &[u64], limits: &Limits) -> Result<Vec<Vec<Option<Value>>>> {
    let plan = Expressions::parse(plan)?;
    let (program, exprs) = bind_expressions(version, &plan)?;
    let requested = RequestedPeople::of(version, persons);
    let found = for_each_block(version, &program, requested.blocks(), limits, |_, people| {
        exprs
            .iter()
            .map(|&expr| values_of_block(&people, expr))
            .collect::<Result<Vec<_>>>()
    })?;
    let value = |number: usize, person: u64| {
        let (block, row) = requested.position(person)?;
        found[block][number][row].clone()
    };
    let of_expr = |number| persons.iter().map(move |&person| value(number, person)).collect();
    Ok((0..exprs.len()).map(of_expr).collect())
}

/// Returns the value of an expression for each requested person of a block.
fn values_of_block<'a>(people: &Evaluator<'a, People<'a>>, (id, kind): (ExprId, Kind)) -> Result<Vec<Option<Value>>> {
    let column = match kind {
        Kind::Any => None,
        _ => Some(people.expr(id)?),
    };
    let value = |row: usize| match &column {
        _ if !people.scope.universe.get(row) => Ok(None),
        Some(column) => value_of_row(people, column, kind, row),
        None => map_value(people, &people.query.program.exprs[id], row),
    };
    (0..people.rows()).map(value).collect()
}

/// Returns the value of a row of a column.
fn value_of_row<'a>(
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

/// Returns the map of an attribute, or an entry of it, whose type is that of the stored value. Other expressions without a kind are unknown.
fn map_value<'a>(people: &Evaluator<'a, People<'a>>, expr: &Expr, row: usize) -> Result<Option<Value>> {
    let (name, key, as_of) = match expr {
        Expr::Attribute { name, as_of } => (name, None, *as_of),
        Expr::Entry { name, key, as_of, .. } => (name, Some(*key), *as_of),
        _ => return Ok(None),
    };
    let (task, texts) = (people.scope.task, &people.query.version.texts);
    let Some(attribute) = task.partition.attributes.get(name) else {
        return Ok(None);
    };
    let Cell::Map(entries) = attribute.as_of(task.ordinal(row), as_of, texts)? else {
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
