//! Random histories, and the frames they travel in.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::encoded;
use super::model::{declared, event_of, item_of, profile_of};
use crate::index::view::person_of;
use crate::proto::frame::{Change, IdentityChange, Split};

/// One thing that happens. People are numbers into those still there; a key decides everything else an event or update says, so
/// that equal keys are copies.
#[derive(Clone, Debug)]
pub enum Step {
    Create(u32),
    Merge(usize, usize),
    Event(usize, u32),
    Profile(usize, u32),
    Item(u32),
    /// Declares whether visits count as seen.
    Declare(bool),
    /// A person, which of its nodes and aliases leave, and whom they are then.
    Split(usize, u32, usize),
}

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let split = any::<(usize, u32, usize)>().prop_map(|(person, leave, to)| Step::Split(person, leave, to));
    prop::collection::vec(prop_oneof![25 => step(), 3 => split], 1..150)
}

pub fn steps_without_splits() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..150)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1..4u32).prop_map(Step::Create),
        2 => any::<(usize, usize)>().prop_map(|(winner, loser)| Step::Merge(winner, loser)),
        12 => (any::<usize>(), 0..60u32).prop_map(|(person, key)| Step::Event(person, key)),
        6 => (any::<usize>(), 0..40u32).prop_map(|(person, key)| Step::Profile(person, key)),
        3 => (0..30u32).prop_map(Step::Item),
        1 => any::<bool>().prop_map(Step::Declare),
    ]
}

/// Steps with their people decided.
#[derive(Clone, Debug)]
pub enum Deed {
    Change(Change),
    /// Person, key, node.
    Event(u64, u32, u32),
    Profile(u64, u32, u32),
    Item(u32),
    Declare(bool),
}

/// Somebody who is there, by which nodes, and who was merged into them.
#[derive(Default)]
struct Known {
    id: u64,
    nodes: Vec<u32>,
    aliases: Vec<u64>,
}

#[derive(Default)]
struct Deciding {
    people: Vec<Known>,
    created: BTreeMap<u32, u32>,
    nodes: u32,
    deeds: Vec<Deed>,
}

pub fn decide(steps: &[Step]) -> Vec<Deed> {
    let mut deciding = Deciding::default();
    deciding.deeds.push(Deed::Declare(true));
    for step in steps {
        match *step {
            Step::Create(partition) => {
                let nodes = vec![deciding.nodes + 1, deciding.nodes + 2];
                deciding.nodes += 2;
                let id = deciding.create(partition);
                let aliases = Vec::new();
                deciding.people.push(Known { id, nodes, aliases });
            }
            Step::Merge(winner, loser) if deciding.people.len() > 1 => deciding.merge(winner, loser),
            Step::Split(person, leave, to) if !deciding.people.is_empty() => deciding.split(person, leave, to),
            Step::Event(person, key) if !deciding.people.is_empty() => {
                let (person, node) = deciding.by(person, key);
                deciding.deeds.push(Deed::Event(person, key, node));
            }
            Step::Profile(person, key) if !deciding.people.is_empty() => {
                let (person, node) = deciding.by(person, key);
                deciding.deeds.push(Deed::Profile(person, key, node));
            }
            Step::Item(key) => deciding.deeds.push(Deed::Item(key)),
            Step::Declare(seen) => deciding.deeds.push(Deed::Declare(seen)),
            _ => {}
        }
    }
    deciding.deeds
}

impl Deciding {
    fn create(&mut self, partition: u32) -> u64 {
        let ordinal = self.created.entry(partition).or_default();
        let person = person_of(partition, *ordinal);
        *ordinal += 1;
        self.deeds.push(Deed::Change(Change::Created { person }));
        person
    }

    /// A person, and by which node something comes to it.
    fn by(&self, person: usize, key: u32) -> (u64, u32) {
        let known = &self.people[person % self.people.len()];
        (known.id, known.nodes[key as usize / 2 % known.nodes.len()])
    }

    fn merge(&mut self, winner: usize, loser: usize) {
        let lost = self.people.remove(loser % self.people.len());
        let at = winner % self.people.len();
        let known = &mut self.people[at];
        known.nodes.extend(lost.nodes);
        known.aliases.push(lost.id);
        known.aliases.extend(lost.aliases);
        self.deeds.push(Deed::Change(Change::Merged {
            winner: known.id,
            loser: lost.id,
        }));
    }

    fn split(&mut self, person: usize, leave: u32, to: usize) {
        let at = person % self.people.len();
        let known = &mut self.people[at];
        let leaves = |at: usize| leave >> (at % 32) & 1 == 1;
        let part = |at: usize| leaves(at) != leaves(0);
        let (mut nodes, mut stays) = (Vec::new(), Vec::new());
        for (at, &node) in known.nodes.iter().enumerate() {
            if part(at) { &mut nodes } else { &mut stays }.push(node);
        }
        if nodes.is_empty() {
            return;
        }
        known.nodes = stays;
        nodes.sort_unstable();
        let from = known.id;
        let mut aliases = std::mem::take(&mut known.aliases);
        let revived = (to.is_multiple_of(4) || aliases.is_empty()).then_some(to / 4 % aliases.len().max(1));
        let id = match revived.filter(|_| !aliases.is_empty()) {
            Some(at) => aliases.remove(at),
            None => self.create(1 + to as u32 % 3),
        };
        let (mut moved, mut left) = (Vec::new(), Vec::new());
        for (at, alias) in aliases.into_iter().enumerate() {
            if leaves(at + 7) { &mut moved } else { &mut left }.push(alias);
        }
        self.people[at].aliases = left;
        self.deeds.push(Deed::Change(Change::Split(Split {
            from,
            to: id,
            nodes: nodes.clone(),
            aliases: moved.clone(),
        })));
        let aliases = moved;
        self.people.push(Known { id, nodes, aliases });
    }
}

/// The deeds of each frame: up to `size`; a split has one of its own.
pub fn grouped(deeds: &[Deed], size: usize) -> Vec<&[Deed]> {
    let is_split = |deed: &Deed| matches!(deed, Deed::Change(Change::Split(_)));
    let alone = deeds.chunk_by(|one, other| !is_split(one) && !is_split(other));
    alone.flat_map(|deeds| deeds.chunks(size)).collect()
}

/// The deeds as frames of up to `size` of them; what a frame is about is told as identity would: after all its changes.
pub fn frames(deeds: &[Deed], size: usize) -> Vec<Vec<u8>> {
    let mut aliases = BTreeMap::new();
    let mut frames = Vec::new();
    let mut sequence = 0;
    for deeds in grouped(deeds, size) {
        let mut changes = Vec::new();
        let mut schema = None;
        for deed in deeds {
            match deed {
                Deed::Change(change) => {
                    sequence += 1;
                    let change = change.clone();
                    note(&mut aliases, &change);
                    changes.push(IdentityChange { sequence, change });
                }
                Deed::Declare(seen) => schema = Some(declared(*seen).encode()),
                _ => {}
            }
        }
        let records: Vec<_> = deeds.iter().filter_map(|deed| record(deed, &aliases)).collect();
        frames.push(encoded::frame_by_nodes(
            frames.len() as u64,
            changes,
            &records,
            schema.as_deref(),
        ));
    }
    frames
}

/// Who was merged into whom, as far as those are concerned who are somebody's record's.
pub fn note(aliases: &mut BTreeMap<u64, u64>, change: &Change) {
    match change {
        Change::Merged { winner, loser } => drop(aliases.insert(*loser, *winner)),
        Change::Split(split) => drop(aliases.remove(&split.to)),
        _ => {}
    }
}

/// Person, node and bytes.
pub fn record(deed: &Deed, aliases: &BTreeMap<u64, u64>) -> Option<(u64, u32, Vec<u8>)> {
    match *deed {
        Deed::Event(person, key, node) => Some((resolve(aliases, person), node, encoded::event(&event_of(key).sent()))),
        Deed::Profile(person, key, node) => Some((
            resolve(aliases, person),
            node,
            encoded::profile(&profile_of(key).sent()),
        )),
        Deed::Item(key) => {
            let (item, values) = item_of(key);
            Some((0, 0, encoded::item("goods", item, &values)))
        }
        _ => None,
    }
}

pub fn resolve(aliases: &BTreeMap<u64, u64>, person: u64) -> u64 {
    aliases.get(&person).map_or(person, |&winner| resolve(aliases, winner))
}
