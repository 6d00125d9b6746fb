//! A partition as files: one with all that changes, and one for each large run, which is written once and never again.

use std::collections::HashMap;
use std::sync::Arc;

use super::bytes::{In, Out, Read};
use super::codec::Stored;
use crate::index::view::{Attribute, Changes, Events, Partition, Run};

/// From so many rows on a run has a file of its own; in tests, where there are few, earlier.
const LARGE: usize = if cfg!(test) { 4 } else { 1 << 16 };

/// A partition whose large runs are still to be put in their places.
pub struct Head {
    partition: Partition,
    pub events: Vec<Place>,
    pub changes: Vec<Place>,
}

/// Where a large run stands: of which event type or attribute it is, and which of its runs.
type Place = (String, usize);

/// A run of events or changes.
pub trait Rows: Stored {
    fn rows(&self) -> usize;
}

impl Rows for Run {
    fn rows(&self) -> usize {
        self.len()
    }
}

impl Rows for Changes {
    fn rows(&self) -> usize {
        self.len()
    }
}

/// All but the large runs.
pub fn put(partition: &Partition, out: &mut Out) {
    out.one(partition.number);
    out.one(partition.people);
    partition.first_record.put(out);
    out.one(partition.attributes.len() as u64);
    for (name, attribute) in in_order(&partition.attributes) {
        out.text(name);
        out.list(&attribute.latest);
        put_small(&attribute.runs, out);
    }
    out.one(partition.channels.len() as u64);
    for (&channel, firsts) in &partition.channels {
        out.one(channel);
        firsts.put(out);
    }
    out.one(partition.events.len() as u64);
    for (event_type, events) in in_order(&partition.events) {
        out.text(event_type);
        out.one(events.left_behind as u64);
        events.spans.put(out);
        put_small(&events.runs, out);
    }
}

pub fn get(input: &mut In<'_>) -> Read<Head> {
    let (number, people) = (input.one()?, input.one()?);
    let first_record = Stored::get(input)?;
    let (mut events, mut changes) = (Vec::new(), Vec::new());
    let attributes = input.list(|input| {
        let name = input.text()?;
        let latest = input.list(Stored::get)?;
        let runs = get_small(input, &name, &mut changes)?;
        Ok((name, Arc::new(Attribute { latest, runs })))
    })?;
    let channels = input.list(|input| Ok((input.one()?, Stored::get(input)?)))?;
    let kinds = input.list(|input| {
        let event_type = input.text()?;
        let (left_behind, spans) = (input.length()?, Stored::get(input)?);
        let runs = get_small(input, &event_type, &mut events)?;
        let of_type = Events {
            runs,
            left_behind,
            spans,
        };
        Ok((event_type, Arc::new(of_type)))
    })?;
    let partition = Partition {
        number,
        people,
        first_record,
        attributes: attributes.into_iter().collect(),
        channels: channels.into_iter().collect(),
        events: kinds.into_iter().collect(),
    };
    Ok(Head {
        partition,
        events,
        changes,
    })
}

fn put_small<R: Rows>(runs: &[Arc<R>], out: &mut Out) {
    out.one(runs.len() as u64);
    for run in runs {
        out.one(u8::from(is_large(run)));
        if !is_large(run) {
            run.put(out);
        }
    }
}

/// The small runs of a type or attribute, and where large ones are missing among them.
fn get_small<R: Rows>(input: &mut In<'_>, name: &str, large: &mut Vec<Place>) -> Read<Vec<Arc<R>>> {
    let mut runs = Vec::new();
    for at in 0..input.length()? {
        match input.one::<u8>()? {
            0 => runs.push(Stored::get(input)?),
            _ => large.push((name.to_owned(), at)),
        }
    }
    Ok(runs)
}

/// The large runs of events, in the order of `Head::events`.
pub fn large_events(partition: &Partition) -> impl Iterator<Item = &Arc<Run>> {
    let runs = in_order(&partition.events)
        .into_iter()
        .flat_map(|(_, events)| &events.runs);
    runs.filter(|run| is_large(run))
}

/// The large runs of changes, in the order of `Head::changes`.
pub fn large_changes(partition: &Partition) -> impl Iterator<Item = &Arc<Changes>> {
    let attributes = in_order(&partition.attributes).into_iter();
    let runs = attributes.flat_map(|(_, attribute)| &attribute.runs);
    runs.filter(|run| is_large(run))
}

impl Head {
    /// With its large runs.
    pub fn complete(mut self, events: Vec<Arc<Run>>, changes: Vec<Arc<Changes>>) -> Partition {
        for ((event_type, at), run) in self.events.into_iter().zip(events) {
            if let Some(events) = self.partition.events.get_mut(&event_type) {
                Arc::make_mut(events).runs.insert(at, run);
            }
        }
        for ((name, at), run) in self.changes.into_iter().zip(changes) {
            if let Some(attribute) = self.partition.attributes.get_mut(&name) {
                Arc::make_mut(attribute).runs.insert(at, run);
            }
        }
        self.partition
    }
}

fn is_large<R: Rows>(run: &Arc<R>) -> bool {
    run.rows() >= LARGE
}

/// By name, so that equal contents give equal bytes.
fn in_order<V>(named: &HashMap<String, V>) -> Vec<(&String, &V)> {
    let mut named: Vec<_> = named.iter().collect();
    named.sort_unstable_by_key(|&(name, _)| name);
    named
}
