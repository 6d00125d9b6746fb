//! The first and the last UTC day of each person's events of one type. They answer whether a person has events before or since an
//! instant without reading the events.

use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::index::partitioning::{BLOCK, EventKey, day_of};
use crate::storage::buffer::Buffer;

/// Spans by block. People beyond the last block have no events.
#[derive(Clone, Default)]
pub struct Spans {
    blocks: Vec<Arc<BlockSpans>>,
}

/// The spans of the people of a block.
#[derive(Clone)]
pub struct BlockSpans {
    days: Arc<Days>,
    /// People whose days changed since `days` was written, ascending by row. They are few, so that an event does not copy all days.
    changed: Vec<ChangedDays>,
    /// The instants of the first and the last event of the block, in ms since the epoch.
    pub from: i64,
    pub to: i64,
}

/// Days by ordinal within the block, as codes in order. The lowest and the highest code stand for all days beyond them.
#[derive(Clone, Default)]
pub struct Days {
    /// The first day; `NO_FIRST` without events.
    pub firsts: Buffer<u16>,
    /// The last day; `NO_LAST` without events.
    pub lasts: Buffer<u16>,
}

/// The current first and last day of a person.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChangedDays {
    pub row: u16,
    pub first: u16,
    pub last: u16,
}

/// The number of changed people above which the changes are written into the days.
const MAX_CHANGED: usize = if cfg!(test) { 3 } else { 1 << 10 };

/// The code of the first day of a person without events.
pub const NO_FIRST: u16 = u16::MAX;
/// The code of the last day of a person without events.
pub const NO_LAST: u16 = 0;
const LOWEST: u16 = 1;
const HIGHEST: u16 = u16::MAX - 1;
/// The UTC day 1880-04-15; a day's code is its distance from this day.
const BASE: i32 = -32_767;

/// Returns the code of a UTC day.
pub fn code_of(day: i32) -> u16 {
    day.saturating_sub(BASE).clamp(LOWEST.into(), HIGHEST.into()) as u16
}

/// Returns the range of UTC days that a code stands for.
pub fn days_of(code: u16) -> RangeInclusive<i32> {
    let day = BASE + i32::from(code);
    match code {
        ..=LOWEST => i32::MIN..=day,
        HIGHEST.. => day..=i32::MAX,
        _ => day..=day,
    }
}

impl Default for BlockSpans {
    fn default() -> Self {
        BlockSpans::of(Days::default(), i64::MAX, i64::MIN)
    }
}

impl BlockSpans {
    /// Builds the spans of a block.
    pub fn of(days: Days, from: i64, to: i64) -> BlockSpans {
        BlockSpans {
            days: Arc::new(days),
            changed: Vec::new(),
            from,
            to,
        }
    }

    /// Returns the written days, and the people whose days have changed since.
    pub fn days(&self) -> (&Days, &[ChangedDays]) {
        (&self.days, &self.changed)
    }

    /// Returns the codes of a person's first and last day.
    pub fn of_row(&self, row: usize) -> (u16, u16) {
        match self.changed_position(row) {
            Ok(at) => (self.changed[at].first, self.changed[at].last),
            Err(_) => self.days.of_row(row),
        }
    }

    fn changed_position(&self, row: usize) -> Result<usize, usize> {
        self.changed.binary_search_by_key(&row, |changed| changed.row.into())
    }

    /// Returns the days with all changes applied.
    pub fn merged_days(&self) -> Arc<Days> {
        let mut days = self.days.clone();
        if !self.changed.is_empty() {
            Arc::make_mut(&mut days).change(&self.changed);
        }
        days
    }

    /// Returns whether the span of a person includes an event already.
    fn covers(&self, row: usize, code: u16, time: i64) -> bool {
        let (first, last) = self.of_row(row);
        first <= code && code <= last && self.from <= time && time <= self.to
    }

    /// Extends the span of a person by an event.
    fn widen(&mut self, row: usize, code: u16, time: i64) {
        let (first, last) = self.of_row(row);
        let changed = ChangedDays {
            row: row as u16,
            first: code.min(first),
            last: code.max(last),
        };
        match self.changed_position(row) {
            Ok(at) => self.changed[at] = changed,
            Err(at) => self.changed.insert(at, changed),
        }
        if self.changed.len() > MAX_CHANGED {
            Arc::make_mut(&mut self.days).change(&self.changed);
            self.changed.clear();
        }
        (self.from, self.to) = (time.min(self.from), time.max(self.to));
    }
}

impl Days {
    fn of_row(&self, row: usize) -> (u16, u16) {
        let days = self.firsts.get(row).zip(self.lasts.get(row));
        days.map_or((NO_FIRST, NO_LAST), |(&first, &last)| (first, last))
    }

    fn change(&mut self, changed: &[ChangedDays]) {
        let (firsts, lasts) = (self.firsts.to_mut(), self.lasts.to_mut());
        for &ChangedDays { row, first, last } in changed {
            let row = usize::from(row);
            if firsts.len() <= row {
                firsts.resize(row + 1, NO_FIRST);
                lasts.resize(row + 1, NO_LAST);
            }
            (firsts[row], lasts[row]) = (first, last);
        }
    }
}

impl Spans {
    /// Builds the table from its blocks.
    pub fn of(blocks: Vec<Arc<BlockSpans>>) -> Spans {
        Spans { blocks }
    }

    /// Returns the blocks.
    pub fn blocks(&self) -> &[Arc<BlockSpans>] {
        &self.blocks
    }

    /// Returns the spans of a block, if it has any.
    pub fn of_block(&self, block: u32) -> Option<&BlockSpans> {
        self.blocks.get(block as usize).map(AsRef::as_ref)
    }

    /// Returns the range from a person's first to last event day; `None` without events.
    pub fn of_person(&self, ordinal: u32) -> Option<RangeInclusive<i32>> {
        let (first, last) = self.of_block(ordinal / BLOCK)?.of_row((ordinal % BLOCK) as usize);
        (first <= last).then(|| *days_of(first).start()..=*days_of(last).end())
    }

    /// Clears the spans of a block.
    pub fn clear_block(&mut self, block: u32) {
        if let Some(span) = self.blocks.get_mut(block as usize) {
            *span = Arc::default();
        }
    }

    /// Returns the instant of the first event.
    pub fn earliest(&self) -> Option<i64> {
        let events = self.blocks.iter().filter(|span| span.from <= span.to);
        events.map(|span| span.from).min()
    }

    /// Extends a person's span by an event.
    pub fn widen(&mut self, key: EventKey) {
        let (ordinal, time) = (key.ordinal(), key.time());
        let (block, row) = ((ordinal / BLOCK) as usize, (ordinal % BLOCK) as usize);
        if self.blocks.len() <= block {
            self.blocks.resize_with(block + 1, Arc::default);
        }
        let code = code_of(day_of(time));
        if !self.blocks[block].covers(row, code, time) {
            Arc::make_mut(&mut self.blocks[block]).widen(row, code, time);
        }
    }

    pub fn bytes_in_memory(&self) -> usize {
        let blocks = self.blocks.iter();
        blocks
            .map(|span| {
                let (days, changed) = span.days();
                days.firsts.bytes_in_memory() + days.lasts.bytes_in_memory() + size_of_val(changed)
            })
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::index::partitioning::DAY_MS;

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        #[test]
        fn spans_cover_the_first_and_last_event_days(
            events in prop::collection::vec((0..12u32, -5..5i64), 0..40), kept in 0..40usize
        ) {
            let (mut spans, mut expected) = (Spans::default(), BTreeMap::new());
            // Somebody reads the spans as they were then.
            let mut read = None;
            for (number, &(person, day)) in events.iter().enumerate() {
                if number == kept {
                    read = Some((spans.clone(), expected.clone()));
                }
                let ordinal = person * 20_000;
                spans.widen(EventKey::new(ordinal, day * DAY_MS + 7));
                let days = expected.entry(ordinal).or_insert(day..=day);
                *days = day.min(*days.start())..=day.max(*days.end());
            }
            for (spans, expected) in read.into_iter().chain([(spans, expected)]) {
                for ordinal in (0..12).map(|person| person * 20_000) {
                    let days = expected.get(&ordinal).map(|days| *days.start() as i32..=*days.end() as i32);
                    prop_assert_eq!(spans.of_person(ordinal), days.clone());
                    let span = spans.of_block(ordinal / BLOCK);
                    let merged_days = span.map(|span| span.merged_days().of_row((ordinal % BLOCK) as usize));
                    let codes = days.map(|days| (code_of(*days.start()), code_of(*days.end())));
                    prop_assert_eq!(merged_days.unwrap_or((NO_FIRST, NO_LAST)), codes.unwrap_or((NO_FIRST, NO_LAST)));
                }
            }
        }

        #[test]
        fn day_codes_contain_their_day_and_preserve_order(day in any::<i32>(), near in -40_000..40_000i32, other in any::<i32>()) {
            for day in [day, near] {
                prop_assert!(days_of(code_of(day)).contains(&day));
                prop_assert!((LOWEST..=HIGHEST).contains(&code_of(day)));
                prop_assert!((day <= other) <= (code_of(day) <= code_of(other)));
            }
        }
    }
}
