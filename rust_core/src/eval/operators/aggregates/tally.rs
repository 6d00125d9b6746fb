//! The state of a measure while a scan runs, and the resulting column.

use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use super::distinct::{Distinct, PersonValues};
use super::pick_event::{FirstOrLast, MostFrequent};
use super::sums::Sums;
use crate::error::Result;
use crate::eval::kernels::bits::{Bits, Tri};
use crate::eval::kernels::column::{Column, Data, Numbers, View};
use crate::eval::kernels::groups::Groups;
use crate::eval::kernels::range_masks::mask;
use crate::eval::kernels::ratio::{Ratio, UNIT};
use crate::eval::operators::batch::Batch;
use crate::eval::program::Measure;
use crate::index::columns::ints::Ints;
use crate::index::columns::texts::Texts;
use crate::index::summaries::counts::EventCounts;
use crate::plan::{Arith, Function};

/// The state of one measure for all people of a block.
pub enum Tally<'a> {
    Count(EventCounts),
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
        /// Pairs of person and local day.
        seen: PersonValues,
        starts: Arc<[i64]>,
        people: usize,
    },
    Distinct {
        distinct: Distinct,
        people: usize,
    },
    FirstOrLast(FirstOrLast<'a>),
    MostFrequent(MostFrequent<'a>),
}

impl<'a> Tally<'a> {
    pub fn new(measure: &Measure, people: usize, texts: &'a Texts) -> Tally<'a> {
        let last = matches!(measure.function, Function::Max | Function::Latest);
        match measure.function {
            Function::Count => Tally::Count(EventCounts::new(people)),
            Function::Sum | Function::Avg => Tally::Sum {
                sums: Sums::new(people),
                counts: vec![0; if measure.function == Function::Avg { people } else { 0 }],
                exact: Vec::new(),
                average: measure.function == Function::Avg,
            },
            Function::Median => Tally::Median {
                whole: Vec::new(),
                exact: Vec::new(),
                people,
            },
            Function::Distinct => Tally::Distinct {
                distinct: Distinct::default(),
                people,
            },
            Function::Days => {
                let starts = measure.day_starts.clone().unwrap_or_else(|| Arc::new([]));
                Tally::Days {
                    seen: PersonValues::default(),
                    starts,
                    people,
                }
            }
            Function::Most => Tally::MostFrequent(MostFrequent::new(people, texts)),
            Function::Earliest | Function::Latest if measure.value.is_some() => {
                Tally::FirstOrLast(FirstOrLast::new(last, people, texts))
            }
            Function::Min | Function::Max | Function::Earliest | Function::Latest => Tally::Extreme {
                largest: last,
                best: vec![0; people],
                known: Bits::none(people),
                exact: Vec::new(),
            },
        }
    }

    /// Adds the events of a batch in the mask; `None` selects all. `value` is the value of the measure, known for these events.
    pub fn add(&mut self, batch: &Rc<Batch<'a>>, mask: Option<&Bits>, value: Option<&Column<'a>>) -> Result<()> {
        match (self, value) {
            (Tally::Count(counts), _) => counts.count_batch(batch, mask),
            (
                Tally::Sum {
                    sums,
                    counts,
                    exact,
                    average,
                },
                Some(value),
            ) => {
                match value.numbers()? {
                    Numbers::Whole(View::Many(values)) => {
                        let largest = values.iter().map(|value| value.unsigned_abs()).max().unwrap_or(0);
                        sums.add_all(batch, mask, largest, |row| values[row]);
                    }
                    Numbers::Whole(View::One(value)) => sums.add_all(batch, mask, value.unsigned_abs(), |_| value),
                    Numbers::Exact(values) => {
                        batch.each(mask, |row, person| exact.push((person as u32, values[row])));
                    }
                };
                if *average {
                    batch.each(mask, |_, person| counts[person] += 1);
                }
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
                let mut update = |person: usize, value: i64| {
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
                        batch.each(mask, |row, person| update(person, times[row]));
                    }
                    Some(Numbers::Whole(values)) => batch.each(mask, |row, person| update(person, values.get(row))),
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
                let mut day = (0, 0..0);
                let times = batch.times();
                batch.each(mask, |row, person| {
                    if !day.1.contains(&times[row]) {
                        day = day_of(starts, times[row]);
                    }
                    if !day.1.is_empty() && seen.last() != Some((person, day.0)) {
                        seen.push(person, day.0);
                    }
                });
            }
            (Tally::Distinct { distinct, .. }, Some(value)) => distinct.add(batch, mask, value)?,
            (Tally::FirstOrLast(picked), Some(value)) => picked.add(batch, mask, value),
            (Tally::MostFrequent(most), Some(value)) => most.add(batch, mask, value)?,
            // The binder gives a value to all measures that need one.
            (_, None) => {}
        }
        Ok(())
    }

    /// Adds the encoded numbers of a stored column; returns false if the measure needs decoded values.
    pub fn add_stored(&mut self, batch: &Batch, mask: Option<&Bits>, ints: &Ints, rows: Range<usize>) -> bool {
        match self {
            Tally::Sum {
                sums, average: false, ..
            } => {
                sums.add_stored(batch, mask, ints, rows);
                true
            }
            _ => false,
        }
    }

    /// Adds totals of all people, or of the selected people.
    pub fn add_block_total(&mut self, totals: BlockTotal, selected: Option<&[u16]>) {
        match (self, totals) {
            (Tally::Count(counts), BlockTotal::Counts(totals)) => match selected {
                None => counts.add(totals),
                Some(people) => counts.add(&totals.pick(people)),
            },
            (Tally::Sum { sums, .. }, BlockTotal::Sums(totals)) => sums.add_totals(totals, selected),
            // A measure only receives totals of its own kind.
            _ => {}
        }
    }

    /// Returns the memory that the tally owns.
    pub fn bytes(&self) -> usize {
        match self {
            Tally::Count(counts) => counts.bytes_in_memory(),
            Tally::Sum {
                sums, counts, exact, ..
            } => sums.bytes() + size_of_val(&counts[..]) + size_of_val(&exact[..]),
            Tally::Extreme { best, known, exact, .. } => {
                size_of_val(&best[..]) + known.bytes() + size_of_val(&exact[..])
            }
            Tally::Median { whole, exact, .. } => size_of_val(&whole[..]) + size_of_val(&exact[..]),
            Tally::Days { seen, .. } => seen.bytes(),
            Tally::Distinct { distinct, .. } => distinct.bytes(),
            Tally::FirstOrLast(picked) => picked.bytes(),
            Tally::MostFrequent(most) => most.bytes(),
        }
    }

    /// Returns the result of the measure.
    pub fn finish(self) -> Result<Measured<'a>> {
        let column = match self {
            Tally::Count(counts) => return Ok(Measured::Counts(counts)),
            Tally::Days { seen, people, .. } => return Ok(Measured::Counts(seen.distinct(people))),
            Tally::Distinct { distinct, people } => return Ok(Measured::Counts(distinct.finish(people))),
            Tally::Sum {
                sums,
                counts,
                exact,
                average,
            } => sum(sums, &counts, &exact, average)?,
            Tally::Extreme {
                largest,
                best,
                known,
                exact,
            } => extreme(largest, best, known, &exact),
            Tally::Median { whole, exact, people } => median(whole, exact, people)?,
            Tally::FirstOrLast(picked) => picked.finish()?,
            Tally::MostFrequent(most) => most.finish()?,
        };
        Ok(Measured::Column(Rc::new(column)))
    }
}

/// Precomputed totals of a block that a measure can use.
#[derive(Clone, Copy)]
pub enum BlockTotal<'a> {
    Counts(&'a EventCounts),
    Sums(&'a Ints),
}

/// The result of a measure.
pub enum Measured<'a> {
    /// The counts of all people. They are decoded to millionths only on demand.
    Counts(EventCounts),
    Column(Rc<Column<'a>>),
}

impl<'a> Measured<'a> {
    pub fn column(&self) -> Rc<Column<'a>> {
        match self {
            Measured::Counts(counts) => Rc::new(numbered(&counts.all())),
            Measured::Column(column) => column.clone(),
        }
    }

    /// Returns the people whose result is in an inclusive range; `None` if the results are not integers.
    pub fn between(&self, low: i64, high: i64) -> Option<Tri> {
        match self {
            Measured::Counts(counts) => {
                let low = low.div_euclid(UNIT) + i64::from(low % UNIT != 0);
                Some(Tri::known(counts.between(low, high.div_euclid(UNIT))))
            }
            Measured::Column(column) => match column.numbers() {
                Ok(Numbers::Whole(View::Many(values))) => {
                    let holds = mask(values, values.len(), |value| (low <= value) & (value <= high));
                    Some(Tri::of(holds, &column.known))
                }
                _ => None,
            },
        }
    }
}

/// Returns the number and the bounds of the local day that contains an instant; an empty range if there is none.
fn day_of(starts: &[i64], time: i64) -> (u32, std::ops::Range<i64>) {
    let after = starts.partition_point(|&start| start <= time);
    match (after.checked_sub(1), starts.get(after)) {
        (Some(day), Some(&end)) => (day as u32, starts[day]..end),
        _ => (0, 0..0),
    }
}

/// Returns counts as a column of millionths.
fn numbered<'a>(counts: &[u32]) -> Column<'a> {
    Column::int(
        Bits::all(counts.len()),
        counts.iter().map(|&count| i64::from(count) * UNIT).collect(),
    )
}

/// Returns the sum or average of each person's values.
fn sum<'a>(mut sums: Sums, counts: &[u32], exact: &[(u32, Ratio)], average: bool) -> Result<Column<'a>> {
    let people = sums.len();
    if exact.is_empty() && !average {
        match sums.into_narrow() {
            Ok(sums) => return Ok(Column::int(Bits::all(people), sums)),
            Err(wide) => sums = wide,
        }
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
        totals[person] = total.divided_by(counts[person].into())?;
    }
    Ok(Column {
        known,
        data: Data::Ratio(totals),
    })
}

/// Returns the minimum or maximum of each person's values.
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

/// Returns the median of each person's values; for an even number of values, the exact mean of the middle two.
fn median<'a>(whole: Vec<(u32, i64)>, mut exact: Vec<(u32, Ratio)>, people: usize) -> Result<Column<'a>> {
    if exact.is_empty() {
        let mean = |a: i64, b: i64| Ok(Ratio::new(i128::from(a) + i128::from(b), 2 * i128::from(UNIT)));
        return medians_of(&whole, people, mean);
    }
    exact.extend(
        whole
            .into_iter()
            .map(|(person, value)| (person, Ratio::millionths(value.into()))),
    );
    medians_of(&exact, people, |a, b| {
        a.combine(Arith::Add, b)?.unwrap_or(a).divided_by(2)
    })
}

fn medians_of<'a, T: Ord + Copy>(
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
