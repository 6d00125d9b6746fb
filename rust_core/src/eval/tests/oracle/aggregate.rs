//! Aggregates over the values of one person.

use std::collections::{BTreeMap, BTreeSet};

use super::value::{Fraction, OracleValue};
use crate::plan::Function;

/// Aggregates `known`, the time and value of each event with a known value, in order of the events.
///
/// Returns `None` if the result is unknown. `day_starts` are the starts of the local days for `Days`.
pub fn aggregate(function: Function, known: &[(i64, OracleValue)], day_starts: Option<&[i64]>) -> Option<OracleValue> {
    let numbers = known.iter().map(|(_, value)| match value {
        OracleValue::Num(number) => *number,
        _ => Fraction(0, 1),
    });
    let total = numbers.clone().fold(Fraction(0, 1), Fraction::plus);
    let order = |a: &&OracleValue, b: &&OracleValue| a.partial_cmp(b).unwrap();
    match function {
        Function::Count => Some(OracleValue::Num(Fraction::whole(known.len()))),
        Function::Sum => Some(OracleValue::Num(total)),
        Function::Avg if known.is_empty() => None,
        Function::Avg => Some(OracleValue::Num(Fraction::new(total.0, total.1 * known.len() as i128))),
        Function::Min => known.iter().map(|(_, value)| value).min_by(order).cloned(),
        Function::Max => known.iter().map(|(_, value)| value).max_by(order).cloned(),
        Function::Median => {
            let mut sorted: Vec<Fraction> = numbers.collect();
            sorted.sort();
            let (low, high) = (*sorted.get(sorted.len().checked_sub(1)? / 2)?, sorted[sorted.len() / 2]);
            let sum = low.plus(high);
            Some(OracleValue::Num(Fraction::new(sum.0, 2 * sum.1)))
        }
        Function::Distinct => {
            let distinct: BTreeSet<String> = known.iter().map(|(_, value)| format!("{value:?}")).collect();
            Some(OracleValue::Num(Fraction::whole(distinct.len())))
        }
        Function::Days => {
            let starts = day_starts?;
            let day = |time: i64| starts.windows(2).position(|day| day[0] <= time && time < day[1]);
            let days: BTreeSet<usize> = known.iter().filter_map(|&(time, _)| day(time)).collect();
            Some(OracleValue::Num(Fraction::whole(days.len())))
        }
        Function::Earliest => known.first().map(|(_, value)| value.clone()),
        Function::Latest => known.last().map(|(_, value)| value.clone()),
        Function::Most => {
            // The count and the last position of each value.
            let mut occurrences: BTreeMap<String, (usize, usize)> = BTreeMap::new();
            for (position, (_, value)) in known.iter().enumerate() {
                let entry = occurrences.entry(format!("{value:?}")).or_default();
                *entry = (entry.0 + 1, position);
            }
            let (_, position) = occurrences.into_values().max()?;
            Some(known[position].1.clone())
        }
    }
}
