//! The first and the last UTC day of each person's events of one type, so that whether there is one before or since an instant is
//! answered without the events.

use std::ops::RangeInclusive;
use std::sync::Arc;

use super::buffer::Buffer;
use super::place::{BLOCK, Key, day_of};

/// Block by block; a person beyond them has no events.
#[derive(Clone, Default)]
pub struct Spans {
    blocks: Vec<Arc<Span>>,
}

/// By person of a block, as far as there are any: days as codes, in order. The lowest and the highest code take all days beyond them.
#[derive(Clone)]
pub struct Span {
    /// `NO_FIRST` without events.
    pub firsts: Buffer<u16>,
    /// `NO_LAST` without events.
    pub lasts: Buffer<u16>,
    /// Instants of the first and the last event of all.
    pub from: i64,
    pub to: i64,
}

pub const NO_FIRST: u16 = u16::MAX;
pub const NO_LAST: u16 = 0;
const LOWEST: u16 = 1;
const HIGHEST: u16 = u16::MAX - 1;
/// The day that is one more than the lowest code: 1880-04-15.
const BASE: i32 = -32_767;

/// The code of a day.
pub fn code_of(day: i32) -> u16 {
    day.saturating_sub(BASE).clamp(LOWEST.into(), HIGHEST.into()) as u16
}

/// The days of a code.
pub fn days_of(code: u16) -> RangeInclusive<i32> {
    let day = BASE + i32::from(code);
    match code {
        ..=LOWEST => i32::MIN..=day,
        HIGHEST.. => day..=i32::MAX,
        _ => day..=day,
    }
}

impl Default for Span {
    fn default() -> Self {
        Span {
            firsts: Buffer::default(),
            lasts: Buffer::default(),
            from: i64::MAX,
            to: i64::MIN,
        }
    }
}

impl Span {
    /// Whether it is as wide already as an event makes it.
    fn holds(&self, row: usize, code: u16, time: i64) -> bool {
        let (first, last) = (self.firsts.get(row), self.lasts.get(row));
        let has_day = first.is_some_and(|&first| first <= code) && last.is_some_and(|&last| code <= last);
        has_day && self.from <= time && time <= self.to
    }
}

impl Spans {
    pub fn of(blocks: Vec<Arc<Span>>) -> Spans {
        Spans { blocks }
    }

    pub fn blocks(&self) -> &[Arc<Span>] {
        &self.blocks
    }

    pub fn of_block(&self, block: u32) -> Option<&Span> {
        self.blocks.get(block as usize).map(AsRef::as_ref)
    }

    /// The days between a person's first and last event; none without events.
    pub fn of_person(&self, ordinal: u32) -> Option<RangeInclusive<i32>> {
        let (span, row) = (self.of_block(ordinal / BLOCK)?, (ordinal % BLOCK) as usize);
        let (first, last) = (*span.firsts.get(row)?, *span.lasts.get(row)?);
        (first <= last).then(|| *days_of(first).start()..=*days_of(last).end())
    }

    /// Nobody of a block has events any more.
    pub fn forget(&mut self, block: u32) {
        if let Some(span) = self.blocks.get_mut(block as usize) {
            *span = Arc::default();
        }
    }

    /// The instant of the first event.
    pub fn earliest(&self) -> Option<i64> {
        let events = self.blocks.iter().filter(|span| span.from <= span.to);
        events.map(|span| span.from).min()
    }

    pub fn widen(&mut self, key: Key) {
        let (ordinal, time) = (key.ordinal(), key.time());
        let (block, row) = ((ordinal / BLOCK) as usize, (ordinal % BLOCK) as usize);
        if self.blocks.len() <= block {
            self.blocks.resize_with(block + 1, Arc::default);
        }
        let code = code_of(day_of(time));
        if self.blocks[block].holds(row, code, time) {
            return;
        }
        let span = Arc::make_mut(&mut self.blocks[block]);
        let (firsts, lasts) = (span.firsts.to_mut(), span.lasts.to_mut());
        if firsts.len() <= row {
            firsts.resize(row + 1, NO_FIRST);
            lasts.resize(row + 1, NO_LAST);
        }
        (firsts[row], lasts[row]) = (code.min(firsts[row]), code.max(lasts[row]));
        (span.from, span.to) = (time.min(span.from), time.max(span.to));
    }

    pub fn bytes_in_memory(&self) -> usize {
        let blocks = self.blocks.iter();
        blocks
            .map(|span| span.firsts.bytes_in_memory() + span.lasts.bytes_in_memory())
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_day_is_among_the_days_of_its_code_and_codes_are_in_order(day in any::<i32>(), near in -40_000..40_000i32, other in any::<i32>()) {
            for day in [day, near] {
                prop_assert!(days_of(code_of(day)).contains(&day));
                prop_assert!((LOWEST..=HIGHEST).contains(&code_of(day)));
                prop_assert!((day <= other) <= (code_of(day) <= code_of(other)));
            }
        }
    }
}
