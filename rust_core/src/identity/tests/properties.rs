//! Properties of identity resolution in random worlds.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use proptest::prelude::*;
use tempfile::TempDir;

use super::model::{Model, ModelEdge};
use super::world::{Key, TestFrame, TestRecord, fold, low_limits, world, world_with_splits};
use crate::identity::violations::Reason;
use crate::identity::{Policy, Resolver};
use crate::proto::frame::{Change, ResolvedFrame, Split};

pub fn resolver(folder: &TempDir, policy: Policy) -> Resolver {
    Resolver::open(folder.path(), policy, 3).unwrap()
}

/// Returns each edge of the graph by its identifiers.
fn edges(resolver: &Resolver) -> BTreeMap<(Key, Key), ModelEdge> {
    let graph = &resolver.state.read().graph;
    let key = |node: u32| {
        let namespace = graph.namespaces.names.text(graph.nodes.get(node).namespace);
        (namespace.to_owned(), graph.nodes.value(node).to_owned())
    };
    let edge = |index: u32| {
        let edge = graph.edges.get(index);
        let (a, b) = (key(edge.a), key(edge.b));
        let seen = ModelEdge {
            first_ms: edge.first_seen_ms,
            last_ms: edge.last_seen_ms,
            count: edge.count(),
            glues: edge.glues(),
            record: graph.edges.record_id(index).to_owned(),
        };
        (if a < b { (a, b) } else { (b, a) }, seen)
    };
    (0..graph.edges.len() as u32).map(edge).collect()
}

/// Returns the identifiers of a person or an alias.
fn members(resolver: &Resolver, id: u64) -> BTreeSet<Key> {
    let graph = &resolver.state.read().graph;
    let person = graph.persons.with_id(id).unwrap();
    let key = |node: u32| {
        let namespace = graph.namespaces.names.text(graph.nodes.get(node).namespace);
        (namespace.to_owned(), graph.nodes.value(node).to_owned())
    };
    graph.members(graph.persons.root(person)).map(key).collect()
}

fn violations(resolver: &Resolver) -> Vec<(Reason, Key, String)> {
    let graph = &resolver.state.read().graph;
    let violation = |violation: &crate::identity::violations::Violation| {
        let key = (violation.namespace.to_string(), violation.value.to_string());
        (violation.reason, key, violation.record_id.to_string())
    };
    graph.violations.kept().map(violation).collect()
}

/// Asserts that the path from one identifier to another consists of connected gluing edges.
fn assert_connected(resolver: &Resolver, from: &Key, to: &Key) {
    let graph = &resolver.state.read().graph;
    let node = |(namespace, value): &Key| {
        let namespace = graph.namespaces.names.code(namespace).unwrap();
        graph
            .nodes
            .find(graph.nodes.hash(namespace, value), namespace, value)
            .unwrap()
    };
    let (mut at, end) = (node(from), node(to));
    for edge in graph.path(at, end) {
        let edge = graph.edges.get(edge);
        assert!(edge.glues() && [edge.a, edge.b].contains(&at));
        at = edge.other(at);
    }
    assert_eq!(at, end, "the path from {from:?} ends at {to:?}");
}

/// Folds a world and asserts that changes, frames and state equal those of the model.
fn check_against_model(world: &[TestFrame], policy: Policy) {
    let folder = tempfile::tempdir().unwrap();
    let resolver = resolver(&folder, policy.clone());
    let mut model = Model::new(policy);
    let (mut ids, mut sequence): (Vec<u64>, u64) = (Vec::new(), 0);
    for frame in world {
        let before = model.changes.len();
        if let Some(leaving) = &frame.split {
            let (namespace, value) = &leaving.identifiers[0];
            let person = resolver.resolve((namespace, value));
            let person = ids.iter().position(|&id| id == person);
            model.split(leaving, person, frame.received_at_ms);
        }
        let keys: Vec<_> = frame
            .records
            .iter()
            .map(|record| model.apply(record, frame.received_at_ms))
            .collect();
        let bytes = fold(&resolver, std::slice::from_ref(frame)).remove(0);
        let resolved = ResolvedFrame::decode(&bytes).unwrap();
        assert_eq!(resolved.changes.len(), model.changes.len() - before);
        for (change, expected) in resolved.changes.iter().zip(&model.changes[before..]) {
            sequence += 1;
            assert_eq!(change.sequence, sequence);
            match (&change.change, expected) {
                (Change::Created { person }, Change::Created { .. }) => ids.push(*person),
                (
                    Change::Merged { winner, loser },
                    Change::Merged {
                        winner: expected_winner,
                        loser: expected_loser,
                    },
                ) => {
                    assert_eq!(*winner, ids[*expected_winner as usize]);
                    assert_eq!(*loser, ids[*expected_loser as usize]);
                }
                (Change::Split(split), Change::Split(expected)) => {
                    let id = |person: &u64| ids[*person as usize];
                    let expected = Split {
                        from: id(&expected.from),
                        to: id(&expected.to),
                        nodes: expected.nodes.clone(),
                        aliases: expected.aliases.iter().map(id).collect(),
                    };
                    assert_eq!(*split, expected);
                }
                (found, expected) => panic!("found {found:?}, expected {expected:?}"),
            }
        }
        let person = |key: &Key| ids[model.owner(key).unwrap()];
        let expected = keys.iter().map(|key| key.as_ref().map_or(0, person));
        assert_eq!(resolved.persons, expected.collect::<Vec<_>>());
        let node = |key: &Key| model.known.iter().position(|known| known == key).unwrap() as u32 + 1;
        let expected = keys.iter().map(|key| key.as_ref().map_or(0, node));
        assert_eq!(resolved.nodes, expected.collect::<Vec<_>>());
        for (one, other) in &model.separated {
            let [one, other] = [one, other].map(|(namespace, value)| resolver.resolve((namespace, value)));
            assert_ne!(one, other, "separated identifiers were merged again");
        }
    }
    let distinct: BTreeSet<u64> = ids.iter().copied().collect();
    assert_eq!(distinct.len(), ids.len(), "an id was used twice");
    assert_eq!(edges(&resolver), model.edges);
    assert_eq!(violations(&resolver), model.violations);
    for (person, &id) in ids.iter().enumerate() {
        assert_eq!(
            members(&resolver, id),
            model.members[model.current(person)],
            "the members of person {person}"
        );
    }
    let now = resolver.received_at_ms();
    for key in &model.known {
        let fresh = model
            .sign_ins
            .get(key)
            .filter(|(_, at_ms)| now - at_ms <= 30 * super::world::DAY);
        let expected = model.owner(fresh.map_or(key, |(by, _)| by));
        let expected = expected.map_or(0, |person| ids[person]);
        assert_eq!(resolver.resolve((&key.0, &key.1)), expected, "{key:?}");
    }
    for group in &model.members {
        for from in group {
            group.iter().for_each(|to| assert_connected(&resolver, from, to));
        }
    }
    let statistics = resolver.statistics();
    let merges = model.winner.len() as u64;
    assert_eq!(statistics.persons + statistics.merges, ids.len() as u64);
    assert_eq!(statistics.merges, merges);
    assert_eq!(statistics.identifiers, model.known.len() as u64);
}

/// Divides records into frames of these sizes and one frame for the rest; all arrive at once.
fn in_frames(records: &[TestRecord], sizes: &[usize]) -> Vec<TestFrame> {
    let (mut rest, mut frames) = (records, Vec::new());
    for &size in sizes {
        let (head, tail) = rest.split_at(size.min(rest.len()));
        frames.push(TestFrame {
            received_at_ms: 0,
            records: head.to_vec(),
            split: None,
        });
        rest = tail;
    }
    frames.push(TestFrame {
        received_at_ms: 0,
        records: rest.to_vec(),
        split: None,
    });
    frames
}

/// Returns the identity changes of all frames and the number of their records.
fn changes_and_record_count(frames: &[Vec<u8>]) -> (Vec<Change>, usize) {
    let frames: Vec<_> = frames
        .iter()
        .map(|bytes| ResolvedFrame::decode(bytes).unwrap())
        .collect();
    let changes = frames
        .iter()
        .flat_map(|frame| frame.changes.iter().map(|change| change.change.clone()))
        .collect();
    (changes, frames.iter().map(|frame| frame.persons.len()).sum())
}

proptest! {
    #![proptest_config(crate::testing::cases(150))]

    #[test]
    fn the_resolver_equals_the_model(world in world_with_splits()) {
        check_against_model(&world, low_limits());
        check_against_model(&world, Policy::default());
    }

    #[test]
    fn folding_a_log_is_deterministic(world in world_with_splits()) {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [one, other] = folders.each_ref().map(|folder| fold(&resolver(folder, low_limits()), &world));
        prop_assert_eq!(one, other);
    }

    #[test]
    fn frame_boundaries_do_not_change_the_result(world in world(), sizes in prop::collection::vec(0usize..9, 0..9)) {
        let records: Vec<TestRecord> = world.iter().flat_map(|frame| frame.records.clone()).collect();
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [one, other] = folders.each_ref().map(|folder| resolver(folder, low_limits()));
        let whole = fold(&one, &in_frames(&records, &[]));
        let parts = fold(&other, &in_frames(&records, &sizes));
        prop_assert_eq!(changes_and_record_count(&whole), changes_and_record_count(&parts));
        prop_assert_eq!(edges(&one), edges(&other));
    }

    #[test]
    fn a_snapshot_plus_the_remaining_log_equals_the_whole_log(world in world_with_splits(), cut in 0usize..14) {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [continuous, stopped] = folders.each_ref().map(|folder| resolver(folder, low_limits()));
        let (before, after) = world.split_at(cut.min(world.len()));
        fold(&continuous, before);
        fold(&stopped, before);
        stopped.snapshot().unwrap();
        drop(stopped);
        let reopened = resolver(&folders[1], low_limits());
        prop_assert_eq!(reopened.offset(), before.len() as u64);
        prop_assert_eq!(reopened.received_at_ms(), continuous.received_at_ms());
        prop_assert_eq!(reopened.statistics(), continuous.statistics());
        prop_assert_eq!(fold(&reopened, after), fold(&continuous, after));
        prop_assert_eq!(reopened.violations(0, 1000), continuous.violations(0, 1000));
        let ids: HashMap<Key, u64> = world.iter().flat_map(|frame| &frame.records)
            .flat_map(|record| record.identifiers.clone())
            .map(|key| (key.clone(), continuous.resolve((&key.0, &key.1)))).collect();
        for ((namespace, value), id) in &ids {
            prop_assert_eq!(reopened.resolve((namespace, value)), *id);
            prop_assert_eq!(reopened.person(*id), continuous.person(*id));
            for (other_namespace, other_value) in ids.keys() {
                let (from, to) = ((namespace.as_str(), value.as_str()), (other_namespace.as_str(), other_value.as_str()));
                prop_assert_eq!(reopened.explain(from, to), continuous.explain(from, to));
            }
        }
        continuous.snapshot().unwrap();
        reopened.snapshot().unwrap();
        let name = format!("{:020}.identity", world.len());
        let [one, other] = folders.each_ref().map(|folder| std::fs::read(folder.path().join(&name)).unwrap());
        prop_assert_eq!(one, other);
    }
}
