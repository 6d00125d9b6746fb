//! The profile and the timeline of one person, encoded as messages of `quanyu.api.tagging.v1`.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::ops::Range;

use super::columns::cells::{Cell, date_of};
use super::columns::texts::Texts;
use super::summaries::firsts::{FirstInstants, NEVER};
use super::view::{BLOCK, EventRun, Partition, Scalar, Version, day_of, days_between, ordinal_of, partition_of};
use crate::error::{Error, Result};
use crate::number::to_decimal;
use crate::proto::value::{
    put_date, put_decimal, put_entry, put_flag, put_instant, put_map, put_month_day, put_point, put_set,
    put_text_value, put_timestamp,
};
use crate::proto::wire::{put_bytes, put_fixed64, put_text};

/// The sort key of an event in a timeline: (occurred_at, source, id, type).
pub type TimelineKey<'a> = (i64, &'a str, &'a str, &'a str);
/// An event of a timeline: its key, its run, and its row there.
type TimelineRow<'a> = (TimelineKey<'a>, &'a EventRun, usize);

impl Version {
    /// Returns a GetProfileResponse (without tags and basis) at an as-of; empty if the person is unknown.
    ///
    /// Returns Corrupt if a file is damaged.
    pub fn profile(&self, person: u64, as_of_ms: i64) -> Result<Vec<u8>> {
        let Some((partition, ordinal)) = self.find(person) else {
            return Ok(Vec::new());
        };
        let mut out = Vec::new();
        put_fixed64(&mut out, 1, person);
        let mut names: Vec<&String> = partition.attributes.keys().collect();
        names.sort_unstable();
        for name in names {
            let cell = partition.attributes[name].as_of(ordinal, as_of_ms, &self.texts)?;
            put_cell(&mut out, 2, name, &cell, &self.texts);
        }
        let is_in = |firsts: &FirstInstants| firsts.get(ordinal) < as_of_ms;
        let channels = partition.channels.iter().filter(|(_, firsts)| is_in(firsts));
        let channels: BTreeSet<&str> = channels.map(|(&channel, _)| self.texts.get(channel)).collect();
        channels
            .into_iter()
            .for_each(|channel| put_bytes(&mut out, 3, channel.as_bytes()));
        if let Some((first, last)) = self.first_and_last_seen(partition, ordinal, as_of_ms)? {
            put_timestamp(&mut out, 5, first);
            put_timestamp(&mut out, 6, last);
        }
        Ok(out)
    }

    /// Returns a ListTimelineResponse (without epoch): up to `limit` events, newest first.
    ///
    /// `before` is the next_page_token of the previous page, or empty for the first page. Returns Invalid if it is not such a token,
    /// and Corrupt if a file is damaged.
    pub fn timeline(&self, person: u64, before: &[u8], limit: usize) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        let Some((partition, ordinal)) = self.find(person) else {
            return Ok(out);
        };
        let token: Option<(i64, String, String, String)> = match before {
            [] => None,
            token => Some(serde_json::from_slice(token).map_err(|_| {
                Error::Invalid(
                    "page token: invalid; pass the token of the previous page, or leave it empty for the first page"
                        .into(),
                )
            })?),
        };
        let before = token
            .as_ref()
            .map(|(time, source, id, kind)| (*time, &source[..], &id[..], &kind[..]));
        let mut remaining = limit.max(1);
        let mut last = None;
        for day in partition.days_until(ordinal, before.map(|key| key.0)) {
            let mut events = self.events_on_day(partition, ordinal, day)?;
            events.retain(|(key, ..)| before.is_none_or(|before| *key < before));
            for (key, run, row) in events {
                if remaining == 0 {
                    put_text(&mut out, 2, &serde_json::json!(last).to_string());
                    return Ok(out);
                }
                put_bytes(&mut out, 1, &self.timeline_event(key, run, row));
                remaining -= 1;
                last = Some(key);
            }
        }
        Ok(out)
    }

    /// Returns the instant of a person's first record in ms since the epoch; `None` if the person is unknown.
    ///
    /// `i64::MIN` stands for people who have been known since always.
    pub fn first_record(&self, person: u64) -> Option<i64> {
        let (partition, ordinal) = self.find(person)?;
        Some(partition.first_record.get(ordinal))
    }

    /// Returns the instants of `window`, ascending, at which one of the attributes changes its value. Returns Corrupt if a file is damaged.
    pub fn attribute_changes(&self, person: u64, names: &[String], window: Range<i64>) -> Result<Vec<i64>> {
        let Some((partition, ordinal)) = self.find(person) else {
            return Ok(Vec::new());
        };
        let mut changes = BTreeSet::new();
        for attribute in names.iter().filter_map(|name| partition.attributes.get(name)) {
            for at in attribute.times(ordinal, &window)? {
                let before = attribute.as_of(ordinal, at, &self.texts)?;
                if before != attribute.as_of(ordinal, at.saturating_add(1), &self.texts)? {
                    changes.insert(at);
                }
            }
        }
        Ok(changes.into_iter().collect())
    }

    /// Finds a known person's partition and ordinal.
    fn find(&self, person: u64) -> Option<(&Partition, u32)> {
        let (partition, ordinal) = (self.partitions.get(&partition_of(person))?, ordinal_of(person));
        (partition.first_record.get(ordinal) != NEVER).then_some((partition, ordinal))
    }

    /// Returns the first and the last instant before `as_of_ms` of the person's events whose type counts as seen.
    fn first_and_last_seen(&self, partition: &Partition, ordinal: u32, as_of_ms: i64) -> Result<Option<(i64, i64)>> {
        let mut times = Vec::new();
        for (kind, events) in &partition.events {
            if self
                .schema
                .event_types
                .get(kind)
                .is_some_and(|kind| kind.counts_as_seen)
            {
                let days = days_between(partition.first_record.get(ordinal), as_of_ms);
                for run in &events.runs {
                    let of_person = run.of_person(ordinal, days.clone())?.map(|(_, time)| time);
                    times.extend(of_person.filter(|&time| time < as_of_ms));
                }
            }
        }
        Ok(times.iter().min().copied().zip(times.iter().max().copied()))
    }

    /// Returns a person's events of one UTC day, newest first.
    fn events_on_day<'a>(&'a self, partition: &'a Partition, ordinal: u32, day: i32) -> Result<Vec<TimelineRow<'a>>> {
        let mut found = Vec::new();
        for (kind, events) in &partition.events {
            for run in &events.runs {
                for (row, time) in run.of_person(ordinal, day..=day)? {
                    let source = self.texts.get(run.details.origins.sources.get(row) as u32);
                    let id = std::str::from_utf8(run.details.origins.ids.get(row)).unwrap_or_default();
                    found.push(((time, source, id, &kind[..]), &**run, row));
                }
            }
        }
        found.sort_unstable_by_key(|&(key, ..)| Reverse(key));
        Ok(found)
    }

    /// Encodes a row of a run as a TimelineEvent.
    pub fn timeline_event(&self, (time, _, _, kind): TimelineKey<'_>, run: &EventRun, row: usize) -> Vec<u8> {
        let mut out = Vec::new();
        put_text(&mut out, 1, kind);
        put_timestamp(&mut out, 2, time);
        if let Some(channel) = run.details.channel(row) {
            put_text(&mut out, 3, self.texts.get(channel));
        }
        let properties = &run.details.properties;
        let mut names: Vec<&String> = properties.keys().collect();
        names.sort_unstable();
        for name in names {
            put_cell(&mut out, 4, name, &properties[name].cell(row), &self.texts);
        }
        out
    }
}

impl Partition {
    /// Returns the UTC days on which the person's block has events, newest first, starting with the day of `until_ms`.
    fn days_until(&self, ordinal: u32, until_ms: Option<i64>) -> impl Iterator<Item = i32> {
        let last = until_ms.map_or(i32::MAX, day_of);
        let runs = self.events.values().flat_map(|events| &events.runs);
        let days = runs.flat_map(|run| {
            let cells = run.cells_of(ordinal / BLOCK, i32::MIN..=last);
            run.cells[cells].iter().map(|cell| cell.day)
        });
        let days: BTreeSet<i32> = days.collect();
        days.into_iter().rev()
    }
}

/// Writes an entry of a map of values; writes nothing for an unknown value.
fn put_cell(out: &mut Vec<u8>, field: u32, name: &str, cell: &Cell, texts: &Texts) {
    let value = encode_value(cell, texts);
    if !value.is_empty() {
        put_entry(out, field, name, &value);
    }
}

/// Encodes a Value message; returns no bytes for an unknown value.
pub(crate) fn encode_value(cell: &Cell, texts: &Texts) -> Vec<u8> {
    let (mut out, mut inner) = (Vec::new(), Vec::new());
    match cell {
        Cell::Unknown => {}
        Cell::One(scalar) => put_scalar(&mut out, *scalar, texts),
        Cell::Set(codes) => {
            let mut items: Vec<&str> = codes.iter().map(|&code| texts.get(code)).collect();
            put_set(&mut out, &mut items);
        }
        Cell::Map(entries) => {
            let mut entries: Vec<(&str, Scalar)> =
                entries.iter().map(|&(key, value)| (texts.get(key), value)).collect();
            entries.sort_unstable_by_key(|&(key, _)| key);
            for (key, scalar) in entries {
                put_cell(&mut inner, 1, key, &Cell::One(scalar), texts);
            }
            put_map(&mut out, &inner);
        }
    }
    out
}

fn put_scalar(out: &mut Vec<u8>, scalar: Scalar, texts: &Texts) {
    match scalar {
        Scalar::Bool(flag) => put_flag(out, flag),
        Scalar::Number(millionths) => put_decimal(out, &to_decimal(millionths)),
        Scalar::Text(code) => put_text_value(out, texts.get(code)),
        Scalar::Instant(time) => put_instant(out, time),
        Scalar::Date(days) => put_date(out, date_of(days)),
        Scalar::MonthDay(day) => put_month_day(out, day),
        Scalar::Point(point) => put_point(out, point),
    }
}
