//! Erased people are in no answer and, once the logs are redacted, in no file. Nothing changes for other people, even if the logs
//! are folded again while they are partly redacted.

use std::collections::BTreeSet;
use std::path::Path;

use proptest::prelude::*;

use super::properties::resolver;
use super::world::{Key, TestFrame, TestRecord, TestSplit, low_limits, world_with_splits};
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

/// The data of an erased person just before the erasure.
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

/// Makes every record id and identifier a distinct text, so that a byte search finds it and nothing else.
fn with_distinct_texts(world: &[TestFrame]) -> Vec<TestFrame> {
    let mut world = world.to_vec();
    for frame in &mut world {
        frame
            .records
            .iter_mut()
            .for_each(|record| record.id = format!("<{}>", record.id));
        let of_records = frame.records.iter_mut().flat_map(|record| &mut record.identifiers);
        let of_split = frame.split.iter_mut().flat_map(|split| &mut split.identifiers);
        for (namespace, value) in of_records.chain(of_split) {
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

/// Folds a world; erases a person after each frame for which `chosen` has one.
fn fold_with_erasures(
    resolver: &Resolver,
    world: &[TestFrame],
    chosen: &[Option<prop::sample::Index>],
) -> (Logs, Vec<Erased>) {
    let mut logs = Logs {
        raw: Vec::new(),
        resolved: Vec::new(),
    };
    let (mut created, mut erased): (Vec<u64>, Vec<Erased>) = (Vec::new(), Vec::new());
    let fold_frame = |logs: &mut Logs, frame: Vec<u8>| {
        let resolved = resolver.fold(resolver.offset(), &frame).unwrap();
        let changes = ResolvedFrame::decode(&resolved).unwrap().changes;
        logs.raw.push(frame);
        logs.resolved.push(resolved);
        changes
    };
    for (at, frame) in world.iter().enumerate() {
        for change in fold_frame(&mut logs, frame.encode_for(resolver)) {
            if let Change::Created { person } = change.change {
                created.push(person);
            }
        }
        let index = chosen.get(at).copied().flatten().filter(|_| !created.is_empty());
        let Some(person) = index.map(|index| created[index.index(created.len())]) else {
            continue;
        };
        let known = before_erasure(resolver, person, &created);
        if !fold_frame(&mut logs, erase(person, &at.to_string())).is_empty() {
            erased.push(Erased {
                raw_offset: logs.raw.len() - 1,
                ..known
            });
        }
    }
    (logs, erased)
}

/// Returns what is known about a person, for an erasure that follows.
fn before_erasure(resolver: &Resolver, person: u64, created: &[u64]) -> Erased {
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
        let replacements = [
            (&mut logs.raw[at], redacted.raw),
            (&mut logs.resolved[at], redacted.resolved),
        ];
        for (logged, frame) in replacements {
            let Some(frame) = frame else { continue };
            if steps == 0 {
                return false;
            }
            steps -= 1;
            *logged = frame;
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
fn query_all(resolver: &Resolver, world: &[TestFrame], logs: &Logs) -> Vec<Vec<u8>> {
    let mut answers = vec![
        resolver.violations(0, 1000),
        format!("{:?}", resolver.statistics()).into(),
    ];
    let records = world.iter().flat_map(|frame| &frame.records);
    let keys: BTreeSet<&Key> = records.flat_map(|record| &record.identifiers).collect();
    for (namespace, value) in &keys {
        answers.push(resolver.resolve((namespace, value)).to_le_bytes().to_vec());
        let explained = keys.iter().map(|(n, v)| resolver.explain((namespace, value), (n, v)));
        answers.extend(explained);
    }
    for frame in &logs.resolved {
        for change in ResolvedFrame::decode(frame).unwrap().changes {
            if let Change::Created { person } = change.change {
                answers.push(resolver.person(person));
            }
        }
    }
    answers
}

fn contains_text(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|found| found == text.as_bytes())
}

/// Returns the bytes of all files in a folder.
fn file_bytes(folder: &Path) -> Vec<u8> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| std::fs::read(path).unwrap()).collect()
}

/// Folds resolved frames into an index, purges it, and returns the digest of its contents.
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

/// Returns the normalised identifier; `None` if its value is a placeholder.
fn normalised((namespace, value): &Key) -> Option<Key> {
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
        let normalised =
            |&(namespace, value): &Identifier| Some(normalise_in_namespace(namespace, value, "86")?.into_owned());
        texts.extend(record.identifiers().iter().filter_map(normalised));
        if let Record::Event(Event { id, .. }) | Record::Profile(Profile { id, .. }) = record {
            texts.insert(id.to_owned());
        }
    }
    texts.remove("");
    texts
}

/// Asserts that no later frame and no answer contains the erased person.
fn assert_not_in_answers(resolver: &Resolver, world: &[TestFrame], after: &Logs, erased: &Erased) {
    for frame in &after.resolved[erased.raw_offset..] {
        let persons = ResolvedFrame::decode(frame).unwrap().persons;
        assert!(persons.iter().all(|person| !erased.persons.contains(person)));
    }
    for person in &erased.persons {
        assert_eq!(resolver.person(*person), b"");
    }
    for (namespace, value) in world
        .iter()
        .flat_map(|frame| &frame.records)
        .flat_map(|record| &record.identifiers)
    {
        assert!(!erased.persons.contains(&resolver.resolve((namespace, value))));
    }
}

/// Asserts that earlier frames contain no record id of the erased person and no identifier that only they had.
fn assert_not_in_earlier_frames(world: &[TestFrame], before: &Logs, after: &Logs, erased: &Erased) {
    let (mut theirs, mut others): (BTreeSet<Key>, BTreeSet<Key>) = (erased.members.clone(), erased.others.clone());
    let mut frames = world.iter();
    for at in 0..erased.raw_offset {
        if is_erasure(&before.raw[at]) {
            continue;
        }
        let nodes = ResolvedFrame::decode(&before.resolved[at]).unwrap().nodes;
        for (record, node) in frames.next().unwrap().records.iter().zip(nodes) {
            let keys: Vec<Key> = record.identifiers.iter().filter_map(normalised).collect();
            // A device that was observed only with other devices has no known owner.
            let is_known = keys
                .iter()
                .any(|(namespace, _)| !["device", "cookie"].contains(&namespace.as_str()));
            if erased.nodes.contains(&node) {
                assert!(!contains_text(&after.raw[at], &record.id) && !contains_text(&after.resolved[at], &record.id));
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
            assert!(!contains_text(&after.raw[at], value), "{value} is in raw frame {at}");
            assert!(
                !contains_text(&after.resolved[at], value),
                "{value} is in resolved frame {at}"
            );
        }
    }
}

#[test]
fn a_split_that_names_an_erased_identifier_is_redacted_unless_the_identifier_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let resolver = resolver(&folder, low_limits());
    let (one, card) = (("member", "<member 1>"), ("card", "<card 7>"));
    let record = |id: &str, identifiers: &[(&str, &str)]| {
        let records = vec![TestRecord::of(id, identifiers)];
        TestFrame {
            records,
            ..TestFrame::default()
        }
        .encode()
    };
    // All splits after the first are void, because they repeat its key.
    let split = |identifiers: &[(&str, &str)]| {
        let identifiers = identifiers
            .iter()
            .map(|&(namespace, value)| (namespace.into(), value.into()));
        let split = TestSplit {
            key: "k0".into(),
            identifiers: identifiers.collect(),
        };
        TestFrame {
            split: Some(split),
            ..TestFrame::default()
        }
        .encode_for(&resolver)
    };
    let mut logs = Logs {
        raw: Vec::new(),
        resolved: Vec::new(),
    };
    let mut fold = |frame: Vec<u8>| {
        logs.resolved.push(resolver.fold(resolver.offset(), &frame).unwrap());
        logs.raw.push(frame);
    };
    fold(record("r1", &[one, card]));
    fold(split(&[card]));
    fold(erase(resolver.resolve(card), "e1"));
    fold(split(&[one, card]));
    fold(record("r2", &[card]));
    fold(split(&[one, card]));
    fold(erase(resolver.resolve(one), "e2"));
    assert!(redact(&resolver, &mut logs, usize::MAX));
    let named: Vec<bool> = logs.raw.iter().map(|frame| contains_text(frame, card.1)).collect();
    assert_eq!(named, [false, false, false, false, true, true, false]);
}

proptest! {
    #![proptest_config(crate::testing::cases(150))]

    #[test]
    fn redaction_removes_erased_people_and_changes_nothing_else(
        world in world_with_splits(), chosen in prop::collection::vec(prop::option::weighted(0.3, any::<prop::sample::Index>()), 22),
        steps in 0usize..60
    ) {
        let world = with_distinct_texts(&world);
        let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
        let [original, crashed, refolded] = folders.each_ref().map(|folder| resolver(folder, low_limits()));
        let (before, erased) = fold_with_erasures(&original, &world, &chosen);
        let expected = query_all(&original, &world, &before);
        original.snapshot().unwrap();
        let mut logs = Logs { raw: before.raw.clone(), resolved: before.resolved.clone() };
        // The process is killed during the redaction and loses its state.
        if !redact(&original, &mut logs, steps) {
            logs.resolved = fold(&crashed, &logs.raw);
            prop_assert_eq!(query_all(&crashed, &world, &before), expected.clone());
            prop_assert!(redact(&crashed, &mut logs, usize::MAX));
        }
        let reopened = Resolver::open(folders[0].path(), low_limits(), 3).unwrap();
        redact(&reopened, &mut logs, usize::MAX);
        prop_assert!(reopened.redactor().is_none());
        prop_assert_eq!(query_all(&reopened, &world, &before), expected.clone());
        for erased in &erased {
            assert_not_in_answers(&reopened, &world, &logs, erased);
            assert_not_in_earlier_frames(&world, &before, &logs, erased);
        }
        let resolved = fold(&refolded, &logs.raw);
        prop_assert_eq!(query_all(&refolded, &world, &before), expected);
        prop_assert_eq!(&resolved, &logs.resolved);
        prop_assert_eq!(digest(&resolved), digest(&before.resolved));
        for (redacted, before) in resolved.iter().zip(&before.resolved) {
            let (redacted, before) = (ResolvedFrame::decode(redacted).unwrap(), ResolvedFrame::decode(before).unwrap());
            prop_assert_eq!(redacted.changes, before.changes);
        }
        let logged = texts(&logs.raw);
        for text in texts(&before.raw).difference(&logged) {
            prop_assert!(!contains_text(&file_bytes(folders[0].path()), text), "{} is in a snapshot", text);
        }
    }
}
