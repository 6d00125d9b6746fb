//! An event of a run, and its description.

use crate::eval::operators::batch::Batch;
use crate::index::person::TimelineKey;
use crate::index::view::{EventRun, Version};

/// The description of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Milliseconds since 1970 UTC.
    pub occurred_at: i64,
    pub source: String,
    pub id: String,
    pub event_type: String,
    /// An encoded `quanyu.api.tagging.v1.TimelineEvent`.
    pub message: Vec<u8>,
}

/// An event as a row of a run.
#[derive(Clone, Copy)]
pub struct FoundEvent<'a> {
    key: TimelineKey<'a>,
    run: &'a EventRun,
    row: usize,
}

impl<'a> FoundEvent<'a> {
    pub fn of(batch: &Batch<'a>, row: usize, time: i64, event_type: &'a str, version: &'a Version) -> FoundEvent<'a> {
        let (run, row) = batch.row_of_run(row);
        let origins = &run.details.origins;
        let source = version.texts.get(origins.sources.get(row) as u32);
        let id = std::str::from_utf8(origins.ids.get(row)).unwrap_or_default();
        FoundEvent {
            key: (time, source, id, event_type),
            run,
            row,
        }
    }

    /// Returns the position in the timeline, which is unique among the events of the person.
    pub fn key(&self) -> TimelineKey<'a> {
        self.key
    }

    pub fn time(&self) -> i64 {
        self.key.0
    }

    /// Returns the description.
    pub fn event(&self, version: &Version) -> Event {
        let (occurred_at, source, id, event_type) = self.key;
        Event {
            occurred_at,
            source: source.into(),
            id: id.into(),
            event_type: event_type.into(),
            message: version.timeline_event(self.key, self.run, self.row),
        }
    }
}
