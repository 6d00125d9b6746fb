//! A partition as files: one with all that changes, and one for each large run, which is written once and never again.

use std::collections::HashMap;
use std::sync::Arc;

use super::bytes::{In, Out, Read};
use super::codec::Stored;
use crate::index::view::{Events, Partition, Run};

/// From so many events on a run has a file of its own; in tests, where there are few events, earlier.
const LARGE: usize = if cfg!(test) { 4 } else { 1 << 16 };

/// A partition whose large runs are still to be put in their places: of which event type each is, and where it stands.
pub struct Head {
    pub partition: Partition,
    pub large: Vec<(String, usize)>,
}

/// All but the large runs.
pub fn put(partition: &Partition, out: &mut Out) {
    out.one(partition.number);
    out.one(partition.people);
    partition.first_record.put(out);
    partition.attributes.put(out);
    out.one(partition.channels.len() as u64);
    for (&channel, firsts) in &partition.channels {
        out.one(channel);
        firsts.put(out);
    }
    out.one(partition.events.len() as u64);
    for (event_type, events) in in_order(partition) {
        out.text(event_type);
        out.one(events.left_behind as u64);
        events.spans.put(out);
        out.one(events.runs.len() as u64);
        for run in &events.runs {
            out.one(u8::from(is_large(run)));
            if !is_large(run) {
                run.put(out);
            }
        }
    }
}

pub fn get(input: &mut In<'_>) -> Read<Head> {
    let mut partition = Partition {
        number: input.one()?,
        people: input.one()?,
        first_record: Stored::get(input)?,
        attributes: Stored::get(input)?,
        channels: input
            .list(|input| Ok((input.one()?, Stored::get(input)?)))?
            .into_iter()
            .collect(),
        events: HashMap::new(),
    };
    let mut large = Vec::new();
    for _ in 0..input.length()? {
        let event_type = input.text()?;
        let mut events = Events {
            left_behind: input.length()?,
            spans: Stored::get(input)?,
            runs: Vec::new(),
        };
        for at in 0..input.length()? {
            match input.one::<u8>()? {
                0 => events.runs.push(Stored::get(input)?),
                _ => large.push((event_type.clone(), at)),
            }
        }
        partition.events.insert(event_type, Arc::new(events));
    }
    Ok(Head { partition, large })
}

/// The large runs, in the order of `Head::large`.
pub fn large_runs(partition: &Partition) -> impl Iterator<Item = &Arc<Run>> {
    let runs = in_order(partition).into_iter().flat_map(|(_, events)| &events.runs);
    runs.filter(|run| is_large(run))
}

impl Head {
    /// With its large runs.
    pub fn complete(mut self, runs: Vec<Arc<Run>>) -> Partition {
        for ((event_type, at), run) in self.large.into_iter().zip(runs) {
            if let Some(events) = self.partition.events.get_mut(&event_type) {
                Arc::make_mut(events).runs.insert(at, run);
            }
        }
        self.partition
    }
}

fn is_large(run: &Run) -> bool {
    run.len() >= LARGE
}

/// By event type, so that equal contents give equal bytes.
fn in_order(partition: &Partition) -> Vec<(&String, &Arc<Events>)> {
    let mut events: Vec<_> = partition.events.iter().collect();
    events.sort_unstable_by_key(|&(event_type, _)| event_type);
    events
}
