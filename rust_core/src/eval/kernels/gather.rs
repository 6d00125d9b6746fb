//! Gathers the rows of several columns into one.

use super::bits::Bits;
use super::column::{Column, Data, Datum, View};
use super::ratio::Ratio;
use super::sets::Sets;
use crate::error::Result;

/// Gathers a column: for each row, `pick` returns (source, row of the source), or `None` for unknown.
pub fn gather<'a>(
    len: usize,
    sources: &[&Column<'_>],
    pick: impl Fn(usize) -> Option<(usize, usize)>,
) -> Result<Column<'a>> {
    let known = Bits::from_fn(len, |row| {
        pick(row).is_some_and(|(source, row)| sources[source].known.get(row))
    });
    let typed = |column: &&&Column| !matches!(column.data, Data::One(Datum::Nothing));
    let Some(sample) = sources.iter().find(typed) else {
        return Ok(Column {
            known,
            data: Data::One(Datum::Nothing),
        });
    };
    let exact = |column: &&Column| matches!(column.data, Data::Ratio(_));
    let data = match &sample.data {
        Data::Bool(_) | Data::One(Datum::Bool(_)) => {
            Data::Bool(picked(len, views(sources, Column::bools)?, pick).into())
        }
        Data::Code(_) | Data::One(Datum::Code(_)) => {
            Data::Code(picked(len, views(sources, Column::codes)?, pick).into())
        }
        Data::Point(_) | Data::One(Datum::Point(_)) => {
            Data::Point(picked(len, views(sources, Column::points)?, pick).into())
        }
        Data::Set(_) => {
            let sets = sources.iter().map(|column| column.sets()).collect::<Result<Vec<_>>>()?;
            Data::Set(Sets::gather(len, &sets, |row| pick(row).filter(|_| known.get(row))))
        }
        _ if sources.iter().any(exact) => {
            let numbers = sources
                .iter()
                .map(|column| column.numbers())
                .collect::<Result<Vec<_>>>()?;
            let number = |row| {
                pick(row).map_or(Ratio::millionths(0), |(source, row): (usize, usize)| {
                    numbers[source].get(row)
                })
            };
            Data::Ratio((0..len).map(number).collect())
        }
        _ => Data::Int(picked(len, views(sources, Column::ints)?, pick).into()),
    };
    Ok(Column { known, data })
}

fn views<'c, 'a, T>(
    sources: &'c [&Column<'a>],
    view: impl Fn(&'c Column<'a>) -> Result<View<'c, T>>,
) -> Result<Vec<View<'c, T>>> {
    sources.iter().map(|column| view(column)).collect()
}

fn picked<T: Copy + Default>(
    len: usize,
    views: Vec<View<'_, T>>,
    pick: impl Fn(usize) -> Option<(usize, usize)>,
) -> Vec<T> {
    let value = |row| pick(row).map_or_else(T::default, |(source, row)| views[source].get(row));
    (0..len).map(value).collect()
}
