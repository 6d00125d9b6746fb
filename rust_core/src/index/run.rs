//! Runs made of other runs: gathered, merged, searched.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use super::column::{Pick, gather_fixed};
use super::texts::{TextColumn, Texts};
use super::view::{Events, Run, Values};

/// As many runs of like size are merged at once.
const FAN_IN: usize = 4;

impl Run {
    /// The picked rows, in the order given, about `persons` (one a row).
    pub fn gather(runs: &[&Run], persons: Vec<u32>, picks: &[Pick]) -> Run {
        let run = |source: u32| runs.get(source as usize);
        let ids: Vec<&TextColumn> = runs.iter().map(|run| &run.ids).collect();
        Run {
            persons,
            times: gather_fixed(picks, |source| run(source).map(|run| &run.times[..])),
            channels: gather_fixed(picks, |source| run(source).map(|run| &run.channels[..])),
            sources: gather_fixed(picks, |source| run(source).map(|run| &run.sources[..])),
            ids: TextColumn::gather(&ids, picks),
            properties: gather_properties(runs, picks),
        }
    }

    /// All events of some runs of one type and day. No event may be in two.
    pub fn merge(runs: &[Arc<Run>], texts: &Texts) -> Run {
        let total = runs.iter().map(|run| run.len()).sum();
        let (mut persons, mut picks) = (Vec::with_capacity(total), Vec::with_capacity(total));
        let mut heads = vec![0; runs.len()];
        while picks.len() < total {
            let unread = (0..runs.len()).filter(|&i| heads[i] < runs[i].len());
            let first = unread.min_by(|&i, &j| runs[i].order(heads[i], &runs[j], heads[j], texts));
            let Some(i) = first else { break };
            persons.push(runs[i].persons[heads[i]]);
            picks.push((i as u32, heads[i] as u32));
            heads[i] += 1;
        }
        let runs: Vec<&Run> = runs.iter().map(|run| &**run).collect();
        Run::gather(&runs, persons, &picks)
    }

    /// By (person, time, source, id).
    pub fn order(&self, row: usize, other: &Run, at: usize, texts: &Texts) -> Ordering {
        let key = (self.persons[row], self.times[row]);
        key.cmp(&(other.persons[at], other.times[at]))
            .then_with(|| self.key_order(row, other, at, texts))
    }

    /// By (source, id), as texts.
    pub fn key_order(&self, row: usize, other: &Run, at: usize, texts: &Texts) -> Ordering {
        let sources = (self.sources[row], other.sources[at]);
        let by_source = match sources.0 == sources.1 {
            true => Ordering::Equal,
            false => texts.get(sources.0).cmp(texts.get(sources.1)),
        };
        by_source.then_with(|| self.ids.get(row).cmp(other.ids.get(at)))
    }

    /// Whether it holds an event of this person with the time, source and id of `other`'s row.
    pub fn holds(&self, person: u32, other: &Run, at: usize, texts: &Texts) -> bool {
        let key = (person, other.times[at]);
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = (low + high) / 2;
            let order = (self.persons[middle], self.times[middle]).cmp(&key);
            match order.then_with(|| self.key_order(middle, other, at, texts)) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return true,
            }
        }
        false
    }

    pub fn bytes_in_memory(&self) -> usize {
        let fixed = 4 * self.persons.capacity() + 8 * self.times.capacity();
        let coded = 4 * (self.channels.capacity() + self.sources.capacity());
        let ids = self.ids.bytes.capacity() + 4 * self.ids.ends.capacity();
        fixed + coded + ids + self.properties.values().map(Values::bytes_in_memory).sum::<usize>()
    }
}

fn gather_properties(runs: &[&Run], picks: &[Pick]) -> HashMap<String, Values> {
    let mut properties = HashMap::with_capacity(runs.first().map_or(0, |run| run.properties.len()));
    let mut columns = Vec::with_capacity(runs.len());
    for (at, name) in runs
        .iter()
        .enumerate()
        .flat_map(|(at, run)| run.properties.keys().map(move |name| (at, name)))
    {
        if at > 0 && properties.contains_key(name) {
            continue;
        }
        columns.clear();
        columns.extend(runs.iter().map(|run| run.properties.get(name)));
        properties.insert(name.clone(), Values::gather(&columns, picks));
    }
    properties.retain(|_, values| values.any_known());
    properties
}

impl Events {
    /// Adds a run of new events, and merges so that a day has few runs and each event is copied a logarithmic number of times.
    pub fn add(&mut self, day: i32, run: Run, texts: &Texts) {
        let last = self.days.last_key_value().map(|(&last, _)| last);
        if let Some(over) = last.filter(|&last| last < day) {
            self.compact(over, texts);
        }
        let runs = self.days.entry(day).or_default();
        runs.push(Arc::new(run));
        let (mut from, mut total) = (runs.len() - 1, runs[runs.len() - 1].len());
        while from > 0 && runs[from - 1].len() <= total {
            from -= 1;
            total += runs[from].len();
        }
        if runs.len() - from >= FAN_IN {
            let merged = Run::merge(&runs[from..], texts);
            runs.truncate(from);
            runs.push(Arc::new(merged));
        }
    }

    /// Leaves a day with one run.
    fn compact(&mut self, day: i32, texts: &Texts) {
        if let Some(runs) = self.days.get_mut(&day)
            && runs.len() > 1
        {
            *runs = vec![Arc::new(Run::merge(runs, texts))];
        }
    }

    pub fn compact_all(&mut self, texts: &Texts) {
        let days: Vec<i32> = self.days.keys().copied().collect();
        days.into_iter().for_each(|day| self.compact(day, texts));
    }

    pub fn runs(&self) -> impl Iterator<Item = &Arc<Run>> {
        self.days.values().flatten()
    }
}
