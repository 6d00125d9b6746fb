//! What is kept of each person's events, and the column that it comes to.

use std::rc::Rc;
use std::sync::Arc;

use super::batch::Batch;
use super::bits::Bits;
use super::chosen::{Chosen, Distinct, Most, distinct};
use super::column::{Column, Data, Numbers, View};
use super::groups::Groups;
use super::program::Measure;
use super::ratio::{Ratio, UNIT};
use crate::error::Result;
use crate::index::texts::Texts;
use crate::plan::{Arith, Function};

pub enum Tally<'a> {
    Count(Vec<u32>),
    Sum {
        sums: Sums,
        counts: Vec<u32>,
        exact: Vec<(u32, Ratio)>,
        average: bool,
    },
    Extreme {
        largest: bool,
        best: Vec<i64>,
        known: Bits,
        exact: Vec<(u32, Ratio)>,
    },
    Median {
        whole: Vec<(u32, i64)>,
        exact: Vec<(u32, Ratio)>,
        people: usize,
    },
    Days {
        seen: Vec<(u32, u32)>,
        starts: Arc<[i64]>,
        people: usize,
    },
    Distinct(Distinct),
    Chosen(Chosen<'a>),
    Most(Most<'a>),
}

impl<'a> Tally<'a> {
    pub fn new(measure: &Measure, people: usize, texts: &'a Texts) -> Tally<'a> {
        let last = matches!(measure.function, Function::Max | Function::Latest);
        match measure.function {
            Function::Count => Tally::Count(vec![0; people]),
            Function::Sum | Function::Avg => Tally::Sum {
                sums: Sums::Narrow(vec![0; people]),
                counts: vec![0; people],
                exact: Vec::new(),
                average: measure.function == Function::Avg,
            },
            Function::Median => Tally::Median {
                whole: Vec::new(),
                exact: Vec::new(),
                people,
            },
            Function::Distinct => Tally::Distinct(Distinct::new(people)),
            Function::Days => {
                let starts = measure.day_starts.clone().unwrap_or_else(|| Arc::new([]));
                Tally::Days {
                    seen: Vec::new(),
                    starts,
                    people,
                }
            }
            Function::Most => Tally::Most(Most::new(people, texts)),
            Function::Earliest | Function::Latest if measure.value.is_some() => {
                Tally::Chosen(Chosen::new(last, people, texts))
            }
            Function::Min | Function::Max | Function::Earliest | Function::Latest => Tally::Extreme {
                largest: last,
                best: vec![0; people],
                known: Bits::none(people),
                exact: Vec::new(),
            },
        }
    }

    /// Takes the events of the mask (all without one); `value`, where the measure has one, is known for each of them.
    pub fn add(&mut self, batch: &Rc<Batch<'a>>, mask: Option<&Bits>, value: Option<&Column<'a>>) -> Result<()> {
        match (self, value) {
            (Tally::Count(counts), _) => batch.each(mask, |_, person| counts[person] += 1),
            (
                Tally::Sum {
                    sums, counts, exact, ..
                },
                Some(value),
            ) => {
                match value.numbers()? {
                    Numbers::Whole(View::Many(values)) => batch.each(mask, |row, person| {
                        sums.add(person, values[row]);
                        counts[person] += 1;
                    }),
                    Numbers::Whole(View::One(value)) => batch.each(mask, |_, person| {
                        sums.add(person, value);
                        counts[person] += 1;
                    }),
                    Numbers::Exact(values) => batch.each(mask, |row, person| {
                        exact.push((person as u32, values[row]));
                        counts[person] += 1;
                    }),
                };
            }
            (
                Tally::Extreme {
                    largest,
                    best,
                    known,
                    exact,
                },
                value,
            ) => {
                let mut take = |person: usize, value: i64| {
                    let better = if *largest {
                        value > best[person]
                    } else {
                        value < best[person]
                    };
                    if better || !known.get(person) {
                        best[person] = value;
                        known.set(person);
                    }
                };
                match value.map(Column::numbers).transpose()? {
                    None => {
                        let times = batch.times();
                        batch.each(mask, |row, person| take(person, times[row]));
                    }
                    Some(Numbers::Whole(values)) => batch.each(mask, |row, person| take(person, values.get(row))),
                    Some(Numbers::Exact(values)) => {
                        batch.each(mask, |row, person| exact.push((person as u32, values[row])));
                    }
                }
            }
            (Tally::Median { whole, exact, .. }, Some(value)) => match value.numbers()? {
                Numbers::Whole(values) => {
                    batch.each(mask, |row, person| whole.push((person as u32, values.get(row))));
                }
                Numbers::Exact(values) => {
                    batch.each(mask, |row, person| exact.push((person as u32, values[row])));
                }
            },
            (Tally::Days { seen, starts, .. }, _) => {
                let mut held = (0, 0..0);
                let times = batch.times();
                batch.each(mask, |row, person| {
                    if !held.1.contains(&times[row]) {
                        held = day_of(starts, times[row]);
                    }
                    if !held.1.is_empty() && seen.last() != Some(&(person as u32, held.0)) {
                        seen.push((person as u32, held.0));
                    }
                });
            }
            (Tally::Distinct(distinct), Some(value)) => distinct.add(batch, mask, value)?,
            (Tally::Chosen(chosen), Some(value)) => chosen.add(batch, mask, value),
            (Tally::Most(most), Some(value)) => most.add(batch, mask, value)?,
            // Only the arms above take a value, and the binder gives them one.
            (_, None) => {}
        }
        Ok(())
    }

    pub fn finish(self) -> Result<Column<'a>> {
        match self {
            Tally::Count(counts) => Ok(numbered(&counts)),
            Tally::Sum {
                sums,
                counts,
                exact,
                average,
            } => sum(sums, &counts, &exact, average),
            Tally::Extreme {
                largest,
                best,
                known,
                exact,
            } => Ok(extreme(largest, best, known, &exact)),
            Tally::Median { whole, exact, people } => median(whole, exact, people),
            Tally::Days { seen, people, .. } => Ok(numbered(&distinct(&seen, people))),
            Tally::Distinct(distinct) => Ok(numbered(&distinct.finish())),
            Tally::Chosen(chosen) => chosen.finish(),
            Tally::Most(most) => most.finish(),
        }
    }
}

/// The local day of an instant and its bounds; an empty range where it lies in none.
fn day_of(starts: &[i64], time: i64) -> (u32, std::ops::Range<i64>) {
    let after = starts.partition_point(|&start| start <= time);
    match (after.checked_sub(1), starts.get(after)) {
        (Some(day), Some(&end)) => (day as u32, starts[day]..end),
        _ => (0, 0..0),
    }
}

fn numbered<'a>(counts: &[u32]) -> Column<'a> {
    Column::int(
        Bits::all(counts.len()),
        counts.iter().map(|&count| i64::from(count) * UNIT).collect(),
    )
}

/// Sums that grow to 128 bits when they must.
pub enum Sums {
    Narrow(Vec<i64>),
    Wide(Vec<i128>),
}

impl Sums {
    #[inline]
    fn add(&mut self, person: usize, value: i64) {
        match self {
            Sums::Narrow(sums) => match sums[person].checked_add(value) {
                Some(sum) => sums[person] = sum,
                None => {
                    let mut wide: Vec<i128> = sums.iter().map(|&sum| sum.into()).collect();
                    wide[person] += i128::from(value);
                    *self = Sums::Wide(wide);
                }
            },
            // 2^63 events of 2^63 millionths do not fill it.
            Sums::Wide(sums) => sums[person] += i128::from(value),
        }
    }

    fn get(&self, person: usize) -> i128 {
        match self {
            Sums::Narrow(sums) => sums[person].into(),
            Sums::Wide(sums) => sums[person],
        }
    }
}

fn sum<'a>(sums: Sums, counts: &[u32], exact: &[(u32, Ratio)], average: bool) -> Result<Column<'a>> {
    let people = counts.len();
    if let (Sums::Narrow(sums), true, false) = (&sums, exact.is_empty(), average) {
        return Ok(Column::int(Bits::all(people), sums.clone()));
    }
    let mut totals: Vec<Ratio> = (0..people).map(|person| Ratio::millionths(sums.get(person))).collect();
    for &(person, value) in exact {
        let total = &mut totals[person as usize];
        *total = total.combine(Arith::Add, value)?.unwrap_or(*total);
    }
    if !average {
        return Ok(Column::exact(Bits::all(people), totals));
    }
    let known = Bits::from_fn(people, |person| counts[person] > 0);
    for person in known.rows() {
        let total = totals[person];
        totals[person] = total.over(counts[person].into())?;
    }
    Ok(Column {
        known,
        data: Data::Ratio(totals),
    })
}

fn extreme<'a>(largest: bool, best: Vec<i64>, mut known: Bits, exact: &[(u32, Ratio)]) -> Column<'a> {
    if exact.is_empty() {
        return Column::int(known, best);
    }
    let mut best: Vec<Ratio> = best.into_iter().map(|value| Ratio::millionths(value.into())).collect();
    for &(person, value) in exact {
        let person = person as usize;
        let better = if largest {
            value > best[person]
        } else {
            value < best[person]
        };
        if better || !known.get(person) {
            best[person] = value;
            known.set(person);
        }
    }
    Column::exact(known, best)
}

/// Of an even number the exact mean of the two in the middle.
fn median<'a>(whole: Vec<(u32, i64)>, mut exact: Vec<(u32, Ratio)>, people: usize) -> Result<Column<'a>> {
    if exact.is_empty() {
        let mean = |a: i64, b: i64| Ok(Ratio::new(i128::from(a) + i128::from(b), 2 * i128::from(UNIT)));
        return middles(&whole, people, mean);
    }
    exact.extend(
        whole
            .into_iter()
            .map(|(person, value)| (person, Ratio::millionths(value.into()))),
    );
    middles(&exact, people, |a, b| a.combine(Arith::Add, b)?.unwrap_or(a).over(2))
}

fn middles<'a, T: Ord + Copy>(
    values: &[(u32, T)],
    people: usize,
    mean: impl Fn(T, T) -> Result<Ratio>,
) -> Result<Column<'a>> {
    let mut known = Bits::none(people);
    let mut medians: Vec<Result<Ratio>> = Vec::new();
    Groups::of(values, people).each(|person, values| {
        known.set(person);
        values.sort_unstable();
        medians.push(mean(values[(values.len() - 1) / 2], values[values.len() / 2]));
    });
    let mut all = vec![Ratio::millionths(0); people];
    for (person, median) in known.rows().zip(medians) {
        all[person] = median?;
    }
    Ok(Column {
        known,
        data: Data::Ratio(all),
    })
}
