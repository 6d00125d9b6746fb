//! Aggregates over the values of one person.

use std::collections::{BTreeMap, BTreeSet};

use super::value::{Fraction, V};
use crate::plan::Function;

/// `known`: time and value of each event of a known value, in order.
pub fn aggregate(function: Function, known: &[(i64, V)], day_starts: Option<&[i64]>) -> Option<V> {
    let numbers = known.iter().map(|(_, value)| match value {
        V::Num(number) => *number,
        _ => Fraction(0, 1),
    });
    let total = numbers
        .clone()
        .fold(Fraction(0, 1), |a, b| Fraction::new(a.0 * b.1 + b.0 * a.1, a.1 * b.1));
    let largest = |a: &&V, b: &&V| a.partial_cmp(b).unwrap();
    match function {
        Function::Count => Some(V::Num(Fraction::whole(known.len()))),
        Function::Sum => Some(V::Num(total)),
        Function::Avg if known.is_empty() => None,
        Function::Avg => Some(V::Num(Fraction::new(total.0, total.1 * known.len() as i128))),
        Function::Min => known.iter().map(|(_, value)| value).min_by(largest).cloned(),
        Function::Max => known.iter().map(|(_, value)| value).max_by(largest).cloned(),
        Function::Median => {
            let mut sorted: Vec<Fraction> = numbers.collect();
            sorted.sort();
            let (low, high) = (*sorted.get(sorted.len().checked_sub(1)? / 2)?, sorted[sorted.len() / 2]);
            Some(V::Num(Fraction::new(
                low.0 * high.1 + high.0 * low.1,
                2 * low.1 * high.1,
            )))
        }
        Function::Distinct => {
            let different: BTreeSet<String> = known.iter().map(|(_, value)| format!("{value:?}")).collect();
            Some(V::Num(Fraction::whole(different.len())))
        }
        Function::Days => {
            let starts = day_starts?;
            let day = |time: i64| starts.windows(2).position(|day| day[0] <= time && time < day[1]);
            let days: BTreeSet<usize> = known.iter().filter_map(|&(time, _)| day(time)).collect();
            Some(V::Num(Fraction::whole(days.len())))
        }
        Function::Earliest => known.first().map(|(_, value)| value.clone()),
        Function::Latest => known.last().map(|(_, value)| value.clone()),
        Function::Most => {
            let mut seen: BTreeMap<String, (usize, usize)> = BTreeMap::new();
            for (place, (_, value)) in known.iter().enumerate() {
                let entry = seen.entry(format!("{value:?}")).or_default();
                *entry = (entry.0 + 1, place);
            }
            let (_, place) = seen.into_values().max()?;
            Some(known[place].1.clone())
        }
    }
}
