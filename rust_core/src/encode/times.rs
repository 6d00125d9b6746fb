//! Converts wall times and time texts to instants.

use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, Duration, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone};
use chrono_tz::Tz;

/// The format of an instant that is not a timestamp.
#[derive(Clone, Debug, PartialEq)]
pub enum TimeFormat {
    /// Integers since 1970-01-01 UTC, with this many units in a second.
    Count(i64),
    /// A strftime pattern.
    Pattern(String),
}

impl TimeFormat {
    pub fn parse(text: &str) -> Result<TimeFormat, String> {
        match text {
            "s" => Ok(TimeFormat::Count(1)),
            "ms" => Ok(TimeFormat::Count(1_000)),
            "us" => Ok(TimeFormat::Count(1_000_000)),
            "ns" => Ok(TimeFormat::Count(1_000_000_000)),
            _ if !text.contains('%') || StrftimeItems::new(text).any(|item| matches!(item, Item::Error)) => Err(
                format!("{text:?} is neither a strftime pattern such as %Y-%m-%d %H:%M nor s, ms, us or ns"),
            ),
            _ => Ok(TimeFormat::Pattern(text.to_owned())),
        }
    }
}

/// Converts a count since 1970-01-01 UTC to milliseconds, rounded down.
pub fn count_ms(count: i64, per_second: i64) -> Option<i64> {
    match per_second {
        1 => count.checked_mul(1000),
        _ => Some(count.div_euclid(per_second / 1000)),
    }
}

/// Converts a wall time to an instant. A skipped wall time moves forward by the skipped time; a repeated one takes the first instant.
pub fn wall_ms(wall: NaiveDateTime, zone: Tz) -> i64 {
    if zone == Tz::UTC {
        return wall.and_utc().timestamp_millis();
    }
    match zone.from_local_datetime(&wall) {
        MappedLocalTime::Single(instant) | MappedLocalTime::Ambiguous(instant, _) => instant.timestamp_millis(),
        // Uses the offset before the skipped time; no zone has skipped more than a day.
        MappedLocalTime::None => {
            let before = (1..=25).find_map(|hours| {
                let earlier = wall.checked_sub_signed(Duration::hours(hours))?;
                zone.from_local_datetime(&earlier).latest()
            });
            let offset = before.map_or(0, |before| before.offset().fix().local_minus_utc());
            wall.and_utc().timestamp_millis() - i64::from(offset) * 1000
        }
    }
}

/// Converts a wall time, in ms as if it were UTC, to an instant.
pub fn wall_count_ms(ms: i64, zone: Tz) -> Option<i64> {
    Some(wall_ms(DateTime::from_timestamp_millis(ms)?.naive_utc(), zone))
}

/// Returns the date of an instant in the zone.
pub fn date_of(ms: i64, zone: Tz) -> Option<NaiveDate> {
    Some(
        zone.from_utc_datetime(&DateTime::from_timestamp_millis(ms)?.naive_utc())
            .date_naive(),
    )
}

/// Returns the first instant of a date.
pub fn start_of(date: NaiveDate, zone: Tz) -> i64 {
    wall_ms(date.and_time(NaiveTime::MIN), zone)
}

/// Parses an instant in RFC 3339, or a wall time such as `2026-11-22 08:30:00`.
pub fn parse(text: &str, zone: Tz) -> Option<i64> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Some(instant.timestamp_millis());
    }
    let wall = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f")
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f"));
    Some(wall_ms(wall.ok()?, zone))
}

/// Parses an instant with a pattern: with a zone, as a wall time, or as a date (its first instant).
pub fn parse_as(text: &str, pattern: &str, zone: Tz) -> Option<i64> {
    if let Ok(instant) = DateTime::parse_from_str(text, pattern) {
        return Some(instant.timestamp_millis());
    }
    if let Ok(wall) = NaiveDateTime::parse_from_str(text, pattern) {
        return Some(wall_ms(wall, zone));
    }
    NaiveDate::parse_from_str(text, pattern)
        .ok()
        .map(|date| start_of(date, zone))
}
