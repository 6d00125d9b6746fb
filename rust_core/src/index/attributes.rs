//! Filing changes of attributes into their histories, and moving those of people who were merged into others.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::batch::{Aliases, Changes};
use super::column::{NO_ROW, Pick, gather_fixed};
use super::texts::{TextColumn, Texts};
use super::view::{Attribute, Partition, Values, Version, ordinal_of, partition_of};

/// A change on its way into a history.
struct Entry {
    ordinal: u32,
    time: i64,
    source: u32,
    row: u32,
}

/// Files the changes of one attribute: new ones, and those of the losers of merges.
pub fn file(version: &mut Version, name: &str, new: Option<Changes>, aliases: &Aliases) {
    let mut sources = Vec::new();
    let mut entries: BTreeMap<u32, Vec<Entry>> = BTreeMap::new();
    let mut losers: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (number, merges) in aliases.by_partition() {
        let attribute = version
            .partitions
            .get(&number)
            .and_then(|partition| partition.attributes.get(name));
        let Some(attribute) = attribute else { continue };
        for (loser, winner) in merges {
            let rows = attribute.rows(loser);
            if rows.is_empty() {
                continue;
            }
            losers.entry(number).or_default().push(loser);
            let moved = rows.map(|row| Entry::new(winner, attribute, sources.len(), row));
            entries.entry(partition_of(winner)).or_default().extend(moved);
        }
        sources.push(attribute.clone());
    }
    if let Some(new) = new {
        let persons = new.persons.iter().map(|&person| aliases.resolve(person)).enumerate();
        for (row, person) in persons {
            let entry = Entry::new(person, &new.rows, sources.len(), row);
            entries.entry(partition_of(person)).or_default().push(entry);
        }
        sources.push(Arc::new(new.rows));
    }
    for &number in losers.keys() {
        entries.entry(number).or_default();
    }
    for (number, entries) in entries {
        if let Some(partition) = version.partitions.get_mut(&number) {
            let losers = losers.get(&number).map_or(&[][..], Vec::as_slice);
            Arc::make_mut(partition).change(name, entries, losers, sources.clone(), &version.texts);
        }
    }
}

impl Entry {
    fn new(person: u64, attribute: &Attribute, source: usize, row: usize) -> Entry {
        let time = attribute.history[row].1;
        Entry {
            ordinal: ordinal_of(person),
            time,
            source: source as u32,
            row: row as u32,
        }
    }

    /// By (ordinal, occurred_at, source, id).
    fn order(&self, other: &Entry, sources: &[Arc<Attribute>], texts: &Texts) -> Ordering {
        let by_time = (self.ordinal, self.time).cmp(&(other.ordinal, other.time));
        by_time.then_with(|| {
            let (a, b) = (&sources[self.source as usize], &sources[other.source as usize]);
            let (row, at) = (self.row as usize, other.row as usize);
            let by_source = texts.get(a.sources[row]).cmp(texts.get(b.sources[at]));
            by_source.then_with(|| a.ids.get(row).cmp(b.ids.get(at)))
        })
    }
}

impl Partition {
    /// Adds changes to an attribute and forgets its losers.
    fn change(
        &mut self,
        name: &str,
        mut entries: Vec<Entry>,
        losers: &[u32],
        mut sources: Vec<Arc<Attribute>>,
        texts: &Texts,
    ) {
        let kept = self.attributes.get(name).cloned();
        // Kept rows come first, and the sort is stable: of two copies of a change the one that came earlier stays.
        let mut all = Vec::new();
        if let Some(kept) = &kept {
            let rows = kept.history.iter().enumerate();
            let rows = rows.filter(|(_, (ordinal, _))| losers.binary_search(ordinal).is_err());
            all.extend(rows.map(|(row, &(ordinal, _))| Entry::new(u64::from(ordinal), kept, sources.len(), row)));
            sources.push(kept.clone());
        }
        let mut touched: Vec<u32> = entries
            .iter()
            .map(|entry| entry.ordinal)
            .chain(losers.iter().copied())
            .collect();
        touched.sort_unstable();
        touched.dedup();
        all.append(&mut entries);
        all.sort_by(|a, b| a.order(b, &sources, texts));
        all.dedup_by(|later, first| later.order(first, &sources, texts).is_eq());
        let latest = kept.as_ref().map(|kept| &kept.latest);
        let attribute = Attribute::gather(&sources, &all, latest, &touched);
        self.attributes.insert(name.to_owned(), Arc::new(attribute));
    }
}

impl Attribute {
    fn gather(sources: &[Arc<Attribute>], entries: &[Entry], latest: Option<&Arc<Values>>, touched: &[u32]) -> Self {
        let picks: Vec<Pick> = entries.iter().map(|entry| (entry.source, entry.row)).collect();
        let columns: Vec<Option<&Values>> = sources.iter().map(|source| Some(&*source.changes)).collect();
        let ids: Vec<&TextColumn> = sources.iter().map(|source| &*source.ids).collect();
        let changes = Values::gather(&columns, &picks);
        let mut attribute = Attribute {
            latest: latest.cloned().unwrap_or_else(|| Arc::new(changes.none())),
            changed_until_ms: entries.iter().map(|entry| entry.time).max().unwrap_or(i64::MIN),
            history: Arc::new(entries.iter().map(|entry| (entry.ordinal, entry.time)).collect()),
            changes: Arc::new(changes),
            sources: Arc::new(gather_fixed(&picks, |source| {
                sources.get(source as usize).map(|source| &source.sources[..])
            })),
            ids: Arc::new(TextColumn::gather(&ids, &picks)),
        };
        attribute.renew_latest(touched);
        attribute
    }

    fn renew_latest(&mut self, touched: &[u32]) {
        let last_row = |ordinal| self.rows(ordinal).last().map_or(NO_ROW, |row| row as u32);
        let picks: Vec<(u32, u32)> = touched.iter().map(|&ordinal| (ordinal, last_row(ordinal))).collect();
        let rows = touched.last().map_or(0, |&last| last as usize + 1);
        Arc::make_mut(&mut self.latest).patch(rows, &picks, &self.changes);
    }

    pub fn bytes_in_memory(&self) -> usize {
        let history = 16 * self.history.capacity() + 4 * self.sources.capacity();
        let ids = self.ids.bytes.capacity() + 4 * self.ids.ends.capacity();
        self.latest.bytes_in_memory() + self.changes.bytes_in_memory() + history + ids
    }
}
