//! Erased people are in no answer and, once the logs are redacted, in no file. Nothing changes for other people, even if the logs
//! are folded again while they are partly redacted.

use std::collections::BTreeSet;
use std::path::Path;

use proptest::prelude::*;

use super::properties::resolver;
use super::world::{Delivery, Key, tight, world_with_splits};
use crate::identity::Resolver;
use crate::identity::normalise::normalise_in_namespace;
use crate::index::Index;
use crate::proto::decision::tests::encode;
use crate::proto::decision::{Decision, Kind};
use crate::proto::frame::{Change, RawFrame, ResolvedFrame};
use crate::proto::record::{Event, Identifier, Profile, Record};
use crate::proto::schema::tests::{Declared, declared};

/// Raw frames and their resolved frames, including erasures.
struct Logs {
    raw: Vec<Vec<u8>>,
    resolved: Vec<Vec<u8>>,
}

/// What was known about an erased person just before the erasure.
struct Erased {
    raw_offset: usize,
    /// The person and all aliases.
    persons: BTreeSet<u64>,
    members: BTreeSet<Key>,
    /// The numbers of the members plus one.
    nodes: BTreeSet<u32>,
    /// The identifiers of all other people.
    others: BTreeSet<Key>,
}

/// Makes names distinct substrings, so that a byte search finds them.
fn told_apart(world: &[Delivery]) -> Vec<Delivery> {
    let mut world = world.to_vec();
    for delivery in &mut world {
        delivery
            .deeds
            .iter_mut()
            .for_each(|deed| deed.id = format!("<{}>", deed.id));
        let of_deeds = delivery.deeds.iter_mut().flat_map(|deed| &mut deed.identifiers);
        let of_split = delivery.split.iter_mut().flat_map(|split| &mut split.identifiers);
        for (namespace, value) in of_deeds.chain(of_split) {
            match (namespace.as_str(), value.as_str()) {
                ("phone" | "email", _) | (_, "null") => {}
                _ => *value = format!("<{namespace} {}>", value.trim()),
            }
        }
    }
    world
}

fn erase(person: u64, key: &str) -> Vec<u8> {
    let decision = Decision {
        kind: Kind::Erase { person },
        by: "zoe".into(),
        why: "asked to".into(),
        key: key.into(),
        contents: 0,
    };
    RawFrame {
        received_at_ms: 0,
        decision: Some(&encode(&decision)),
        ..RawFrame::default()
    }
    .encode()
}

fn is_erasure(frame: &[u8]) -> bool {
    let decision = RawFrame::decode(frame).unwrap().decision;
    decision.is_some_and(|decision| matches!(Decision::decode(decision).unwrap().kind, Kind::Erase { .. }))
}

/// Folds a world; erases a person after each frame for which one is chosen.
fn live(resolver: &Resolver, world: &[Delivery], chosen: &[Option<prop::sample::Index>]) -> (Logs, Vec<Erased>) {
    let mut logs = Logs {
        raw: Vec::new(),
        resolved: Vec::new(),
    };
    let (mut created, mut erased): (Vec<u64>, Vec<Erased>) = (Vec::new(), Vec::new());
    let take = |logs: &mut Logs, frame: Vec<u8>| {
        let resolved = resolver.fold(resolver.offset(), &frame).unwrap();
        let changes = ResolvedFrame::decode(&resolved).unwrap().changes;
        logs.raw.push(frame);
        logs.resolved.push(resolved);
        changes
    };
    for (at, delivery) in world.iter().enumerate() {
        for change in take(&mut logs, delivery.seen_by(resolver)) {
            if let Change::Created { person } = change.change {
                created.push(person);
            }
        }
        let index = chosen.get(at).copied().flatten().filter(|_| !created.is_empty());
        let Some(person) = index.map(|index| created[index.index(created.len())]) else {
            continue;
        };
        let known = whole(resolver, person, &created);
        if !take(&mut logs, erase(person, &at.to_string())).is_empty() {
            erased.push(Erased {
                raw_offset: logs.raw.len() - 1,
                ..known
            });
        }
    }
    (logs, erased)
}

fn whole(resolver: &Resolver, person: u64, created: &[u64]) -> Erased {
    let graph = &resolver.state.read().graph;
    let root = |id: u64| graph.persons.root(graph.persons.with_id(id).unwrap());
    let key = |node: u32| {
        let namespace = graph.namespaces.names.text(graph.nodes.get(node).namespace);
        (namespace.to_owned(), graph.nodes.value(node).to_owned())
    };
    Erased {
        raw_offset: 0,
        persons: created.iter().copied().filter(|&id| root(id) == root(person)).collect(),
        members: graph.members(root(person)).map(key).collect(),
        nodes: graph.members(root(person)).map(|node| node + 1).collect(),
        others: (0..graph.nodes.len() as u32)
            .filter(|&node| graph.owner(node).is_some_and(|owner| owner != root(person)))
            .map(key)
            .collect(),
    }
}

/// Redacts up to `steps` frames, newest first; returns whether all are redacted.
fn redact(resolver: &Resolver, logs: &mut Logs, mut steps: usize) -> bool {
    let Some(redactor) = resolver.redactor() else {
        return true;
    };
    for offset in redactor.raw_offsets().rev() {
        let at = offset as usize;
        let redacted = redactor.redact(offset, &logs.raw[at], &logs.resolved[at]).unwrap();
        let places = [
            (&mut logs.raw[at], redacted.raw),
            (&mut logs.resolved[at], redacted.resolved),
        ];
        for (place, frame) in places {
            let Some(frame) = frame else { continue };
            if steps == 0 {
                return false;
            }
            steps -= 1;
            *place = frame;
        }
    }
    resolver.forget(redactor.raw_offsets().end).unwrap();
    true
}

fn fold(resolver: &Resolver, raw: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let fold = |(offset, frame): (usize, &Vec<u8>)| resolver.fold(offset as u64, frame).unwrap();
    raw.iter().enumerate().map(fold).collect()
}

/// Returns the answers to all queries.
fn told(resolver: &Resolver, world: &[Delivery], logs: &Logs) -> Vec<Vec<u8>> {
    let mut told = vec![
        resolver.violations(0, 1000),
        format!("{:?}", resolver.statistics()).into(),
    ];
    let deeds = world.iter().flat_map(|delivery| &delivery.deeds);
    let keys: BTreeSet<&Key> = deeds.flat_map(|deed| &deed.identifiers).collect();
    for (namespace, value) in &keys {
        told.push(resolver.resolve((namespace, value)).to_le_bytes().to_vec());
        let explained = keys.iter().map(|(n, v)| resolver.explain((namespace, value), (n, v)));
        told.extend(explained);
    }
    for frame in &logs.resolved {
        for change in ResolvedFrame::decode(frame).unwrap().changes {
            if let Change::Created { person } = change.change {
                told.push(resolver.person(person));
            }
        }
    }
    told
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|found| found == text.as_bytes())
}

fn files(folder: &Path) -> Vec<u8> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| std::fs::read(path).unwrap()).collect()
}

/// Folds resolved frames into an index, purges it and returns its contents.
fn digest(resolved: &[Vec<u8>]) -> u128 {
    let folder = tempfile::tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap();
    let schema = ResolvedFrame {
        schema: Some(&declared(&[Declared::Event("order", &[])]).encode()),
        ..ResolvedFrame::default()
    }
    .encode();
    for (offset, frame) in std::iter::once(&schema).chain(resolved).enumerate() {
        index.fold(&[(offset as u64, frame)]).unwrap();
    }
    while index.purge().unwrap() {}
    index.version().digest().unwrap()
}

/// Returns the person of a normalised identifier.
fn spelled((namespace, value): &Key) -> Option<Key> {
    Some((
        namespace.clone(),
        normalise_in_namespace(namespace, value, "86")?.into_owned(),
    ))
}

/// Returns the record ids and the normalised identifiers in raw frames.
fn texts(raw: &[Vec<u8>]) -> BTreeSet<String> {
    let mut texts = BTreeSet::new();
    for record in raw.iter().flat_map(|frame| RawFrame::decode(frame).unwrap().records) {
        let record = Record::decode(record).unwrap();
        let own = |&(namespace, value): &Identifier| Some(normalise_in_namespace(namespace, value, "86")?.into_owned());
        texts.extend(record.identifiers().iter().filter_map(own));
        if let Record::Event(Event { id, .. }) | Record::Profile(Profile { id, .. }) = record {
            texts.insert(id.to_owned());
        }
    }
    texts.remove("");
    texts
}

/// Asserts that no answer names the erased person.
fn assert_silent(resolver: &Resolver, world: &[Delivery], after: &Logs, erased: &Erased) {
    for frame in &after.resolved[erased.raw_offset..] {
        let persons = ResolvedFrame::decode(frame).unwrap().persons;
        assert!(persons.iter().all(|person| !erased.persons.contains(person)));
    }
    for person in &erased.persons {
        assert_eq!(resolver.person(*person), b"");
    }
    for (namespace, value) in world
        .iter()
        .flat_map(|delivery| &delivery.deeds)
        .flat_map(|deed| &deed.identifiers)
    {
        assert!(!erased.persons.contains(&resolver.resolve((namespace, value))));
    }
}

/// Asserts that earlier frames contain no record id of the erased person and no identifier that only they had.
fn assert_gone(world: &[Delivery], before: &Logs, after: &Logs, erased: &Erased) {
    let (mut theirs, mut others): (BTreeSet<Key>, BTreeSet<Key>) = (erased.members.clone(), erased.others.clone());
    let mut deliveries = world.iter();
    for at in 0..erased.raw_offset {
        if is_erasure(&before.raw[at]) {
            continue;
        }
        let nodes = ResolvedFrame::decode(&before.resolved[at]).unwrap().nodes;
        for (deed, node) in deliveries.next().unwrap().deeds.iter().zip(nodes) {
            let keys: Vec<Key> = deed.identifiers.iter().filter_map(spelled).collect();
            // A device that was observed only with other devices has no known owner.
            let is_known = keys
                .iter()
                .any(|(namespace, _)| !["device", "cookie"].contains(&namespace.as_str()));
            if erased.nodes.contains(&node) {
                assert!(!holds(&after.raw[at], &deed.id) && !holds(&after.resolved[at], &deed.id));
                if is_known {
                    theirs.extend(keys);
                    continue;
                }
            }
            others.extend(keys);
        }
    }
    for (_, value) in theirs
        .iter()
        .filter(|key| erased.members.contains(key) || !others.contains(key))
    {
        for at in 0..erased.raw_offset {
            assert!(!holds(&after.raw[at], value), "{value} in raw frame {at}");
            assert!(!holds(&after.resolved[at], value), "{value} in resolved frame {at}");
        }
    }
}

proptest! {
    #![proptest_config(crate::testing::cases(150))]

    #[test]
    fn redaction_removes_erased_people_and_preserves_all_else(
        world in world_with_splits(), chosen in prop::collection::vec(prop::option::weighted(0.3, any::<prop::sample::Index>()), 22),
        steps in 0usize..60
    ) {
        let world = told_apart(&world);
        let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
        let [original, halfway, anew] = folders.each_ref().map(|folder| resolver(folder, tight()));
        let (before, erased) = live(&original, &world, &chosen);
        let expected = told(&original, &world, &before);
        original.snapshot().unwrap();
        let mut logs = Logs { raw: before.raw.clone(), resolved: before.resolved.clone() };
        // Simulates a kill with all state lost.
        if !redact(&original, &mut logs, steps) {
            logs.resolved = fold(&halfway, &logs.raw);
            prop_assert_eq!(told(&halfway, &world, &before), expected.clone());
            prop_assert!(redact(&halfway, &mut logs, usize::MAX));
        }
        let again = Resolver::open(folders[0].path(), tight(), 3).unwrap();
        redact(&again, &mut logs, usize::MAX);
        prop_assert!(again.redactor().is_none());
        prop_assert_eq!(told(&again, &world, &before), expected.clone());
        for erased in &erased {
            assert_silent(&again, &world, &logs, erased);
            assert_gone(&world, &before, &logs, erased);
        }
        let resolved = fold(&anew, &logs.raw);
        prop_assert_eq!(told(&anew, &world, &before), expected);
        prop_assert_eq!(&resolved, &logs.resolved);
        prop_assert_eq!(digest(&resolved), digest(&before.resolved));
        for (redacted, before) in resolved.iter().zip(&before.resolved) {
            let (redacted, before) = (ResolvedFrame::decode(redacted).unwrap(), ResolvedFrame::decode(before).unwrap());
            prop_assert_eq!(redacted.changes, before.changes);
        }
        let logged = texts(&logs.raw);
        for text in texts(&before.raw).difference(&logged) {
            prop_assert!(!holds(&files(folders[0].path()), text), "{} in a snapshot", text);
        }
    }
}
