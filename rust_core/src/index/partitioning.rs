//! Where things lie: people in partitions and blocks, events on days, and the order of a run.

use std::ops::RangeInclusive;

/// Ordinals of a block: the unit of execution.
pub const BLOCK: u32 = 1 << 16;
/// Most people of a partition.
pub const PARTITION: u32 = 1 << 22;

/// Milliseconds of a UTC day, by which runs are filed. Local days are the evaluator's business.
pub const DAY_MS: i64 = 86_400_000;

/// The partition that a person is in.
pub fn partition_of(person: u64) -> u32 {
    (person >> 32) as u32
}

/// A person's place in the partition.
pub fn ordinal_of(person: u64) -> u32 {
    person as u32
}

pub fn person_of(partition: u32, ordinal: u32) -> u64 {
    u64::from(partition) << 32 | u64::from(ordinal)
}

/// The UTC days that hold instants from `from_ms` to before `to_ms`; none if there are no such instants.
pub fn days_between(from_ms: i64, to_ms: i64) -> RangeInclusive<i32> {
    // Of no instants the last is before the first.
    let last = to_ms.saturating_sub(1);
    day_of(from_ms)..=if from_ms < to_ms { day_of(last) } else { i32::MIN }
}

/// The UTC day of an instant.
pub fn day_of(ms: i64) -> i32 {
    ms.div_euclid(DAY_MS).clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}

/// Where an event lies in a run: sorts by (block, day, person, time in the day).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventKey(u128);

impl EventKey {
    pub fn new(ordinal: u32, time: i64) -> EventKey {
        let day = day_of(time);
        EventKey::in_cell(
            ordinal / BLOCK,
            day,
            ordinal % BLOCK,
            (time - i64::from(day) * DAY_MS) as u32,
        )
    }

    pub fn in_cell(block: u32, day: i32, person: u32, time: u32) -> EventKey {
        // Days flip their sign bit, so that they sort as unsigned.
        let parts = [block, day as u32 ^ 1 << 31, person, time];
        EventKey(parts.iter().fold(0, |key, &part| key << 32 | u128::from(part)))
    }

    /// Milliseconds of the UTC day.
    pub fn time_of_day(self) -> u32 {
        self.0 as u32
    }

    pub fn ordinal(self) -> u32 {
        self.block() * BLOCK + u32::from(self.person())
    }

    pub fn time(self) -> i64 {
        i64::from(self.day()) * DAY_MS + i64::from(self.time_of_day())
    }

    pub fn day(self) -> i32 {
        ((self.0 >> 64) as u32 ^ 1 << 31) as i32
    }

    pub fn block(self) -> u32 {
        (self.0 >> 96) as u32
    }

    pub fn person(self) -> u16 {
        (self.0 >> 32) as u16
    }
}
