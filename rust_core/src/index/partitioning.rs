//! How people map to partitions and blocks, events to UTC days, and the sort key of events.

use std::ops::RangeInclusive;

/// The number of people in a block, the unit of execution.
pub const BLOCK: u32 = 1 << 16;
/// The maximum number of people in a partition.
pub const PARTITION: u32 = 1 << 22;

/// Milliseconds of a UTC day, the unit by which runs are sorted. The evaluator maps local days to instants.
pub const DAY_MS: i64 = 86_400_000;

/// Returns the number of a person's partition.
pub fn partition_of(person: u64) -> u32 {
    (person >> 32) as u32
}

/// Returns a person's ordinal within the partition.
pub fn ordinal_of(person: u64) -> u32 {
    person as u32
}

/// Returns the person with an ordinal in a partition.
pub fn person_of(partition: u32, ordinal: u32) -> u64 {
    u64::from(partition) << 32 | u64::from(ordinal)
}

/// Returns the UTC days that contain instants from `from_ms` up to but not including `to_ms`; empty if there are none.
pub fn days_between(from_ms: i64, to_ms: i64) -> RangeInclusive<i32> {
    // An empty range ends before it starts.
    let last = to_ms.saturating_sub(1);
    day_of(from_ms)..=if from_ms < to_ms { day_of(last) } else { i32::MIN }
}

/// Returns the UTC day of an instant, in days since 1970-01-01.
pub fn day_of(ms: i64) -> i32 {
    ms.div_euclid(DAY_MS).clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}

/// The sort key of an event in a run: (block, day, person, time within the day).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventKey(u128);

impl EventKey {
    /// Builds the key of an event from the person's ordinal and the instant in ms since the epoch.
    pub fn new(ordinal: u32, time: i64) -> EventKey {
        let day = day_of(time);
        EventKey::in_cell(
            ordinal / BLOCK,
            day,
            ordinal % BLOCK,
            (time - i64::from(day) * DAY_MS) as u32,
        )
    }

    /// Builds a key from its parts: block, UTC day, ordinal within the block, and ms within the day.
    pub fn in_cell(block: u32, day: i32, person: u32, time: u32) -> EventKey {
        // The sign bit of the day is flipped, so that days sort as unsigned numbers.
        let parts = [block, day as u32 ^ 1 << 31, person, time];
        EventKey(parts.iter().fold(0, |key, &part| key << 32 | u128::from(part)))
    }

    /// Returns the milliseconds since the start of the UTC day.
    pub fn time_of_day(self) -> u32 {
        self.0 as u32
    }

    /// Returns the person's ordinal within the partition.
    pub fn ordinal(self) -> u32 {
        self.block() * BLOCK + u32::from(self.person())
    }

    /// Returns the instant in ms since the epoch.
    pub fn time(self) -> i64 {
        i64::from(self.day()) * DAY_MS + i64::from(self.time_of_day())
    }

    /// Returns the UTC day.
    pub fn day(self) -> i32 {
        ((self.0 >> 64) as u32 ^ 1 << 31) as i32
    }

    /// Returns the block.
    pub fn block(self) -> u32 {
        (self.0 >> 96) as u32
    }

    /// Returns the person's ordinal within the block.
    pub fn person(self) -> u16 {
        (self.0 >> 32) as u16
    }
}
