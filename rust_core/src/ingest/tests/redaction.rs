//! Deduplication and dead letters after a redaction of the logs.

use super::world::{NOW, Sample, World, value};
use crate::identity::redactor::Redacted;
use crate::identity::{PARTITION, Policy, Resolver};
use crate::proto::decision::tests::encode;
use crate::proto::decision::{Decision, Kind};
use crate::proto::frame::{RawFrame, RejectFrame};

fn sample(id: &str, note: &str, identifiers: &[(&str, &str)]) -> Vec<u8> {
    let identifiers = identifiers.iter().map(|&(name, value)| (name.into(), value.into()));
    Sample {
        id: id.into(),
        identifiers: identifiers.collect(),
        properties: vec![("note".into(), value(4, note))],
        ..Sample::default()
    }
    .record()
}

/// Folds the raw log, erases the person of an identifier and redacts the logs.
fn erase(world: &World, identifier: (&str, &str)) {
    let folder = tempfile::tempdir().unwrap();
    let resolver = Resolver::open(folder.path(), Policy::default(), PARTITION).unwrap();
    let (raw, rejects) = (&world.ingestor().raw, &world.ingestor().rejects);
    let mut resolved = Vec::new();
    let mut fold = || {
        for (offset, frame) in raw.read(resolver.offset(), usize::MAX).unwrap() {
            resolved.push(resolver.fold(offset, &frame).unwrap());
        }
    };
    fold();
    let decision = Decision {
        kind: Kind::Erase {
            person: resolver.resolve(identifier),
        },
        by: "zoe".into(),
        why: String::new(),
        key: "k".into(),
        contents: 0,
    };
    world.ingestor().record_decision(&encode(&decision), NOW).unwrap();
    fold();
    let redactor = resolver.redactor().unwrap();
    for offset in redactor.raw_offsets().rev() {
        let (_, frame) = raw.read(offset, 0).unwrap().remove(0);
        let Redacted { raw: redacted, .. } = redactor.redact(offset, &frame, &resolved[offset as usize]).unwrap();
        raw.replace(
            &redacted
                .iter()
                .map(|frame| (offset, frame.as_slice()))
                .collect::<Vec<_>>(),
        )
        .unwrap();
    }
    for (offset, frame) in rejects.read(0, usize::MAX).unwrap() {
        let redacted = redactor.redact_rejects(&frame).unwrap();
        rejects
            .replace(
                &redacted
                    .iter()
                    .map(|frame| (offset, frame.as_slice()))
                    .collect::<Vec<_>>(),
            )
            .unwrap();
    }
}

#[test]
fn redacted_records_are_still_recognised_as_duplicates() {
    for loses_keys in [false, true] {
        let mut world = World::new();
        let erased = sample("erased", "n", &[("unionid", "second"), ("card", "7")]);
        let naming = sample("naming", "n", &[("unionid", "first"), ("unionid", "second")]);
        let other = sample("other", "n", &[("card", "8")]);
        world.ingest(&[erased.clone(), naming.clone(), other.clone()]);
        erase(&world, ("card", "7"));
        let records = world.raw_records();
        assert!(
            records
                .iter()
                .all(|record| !record.windows(6).any(|found| found == b"second"))
        );
        assert_eq!(records[2], other);
        if loses_keys {
            std::fs::remove_dir_all(world.folder.path().join("keys")).unwrap();
        }
        world.reopen();
        let again = world.ingest(&[erased, naming, other]);
        assert_eq!((again.accepted, again.duplicates, again.rejects.len()), (0, 3, 0));
        // The contents of a redacted record are unknown, so that another record of its key is a duplicate.
        let changed = world.ingest(&[sample("erased", "changed", &[("card", "7")])]);
        assert_eq!((changed.accepted, changed.duplicates), (0, 1));
        assert_eq!(world.raw_records(), records);
        // A new record of the same identifier belongs to a new person.
        assert_eq!(world.ingest(&[sample("new", "n", &[("card", "7")])]).accepted, 1);
    }
}

#[test]
fn redacted_dead_letters_keep_only_their_reason() {
    let world = World::new();
    world.ingest(&[sample("erased", "n", &[("card", "card seven")])]);
    let unknown = Sample {
        kind: "nothing".into(),
        ..Sample::default()
    };
    let naming = Sample {
        identifiers: vec![("card".into(), " card seven ".into())],
        ..unknown.clone()
    };
    world.ingest(&[
        unknown.record(),
        naming.record(),
        b"\x0a\x20 malformed card seven".to_vec(),
    ]);
    erase(&world, ("card", "card seven"));
    let (_, frame) = world.ingestor().rejects.read(0, 0).unwrap().remove(0);
    let rejects = RejectFrame::decode(&frame).unwrap().rejects;
    assert_eq!(rejects[0].record, unknown.record());
    for (at, reason) in [(1, "UNKNOWN_TYPE"), (2, "MALFORMED")] {
        assert_eq!(
            (&*rejects[at].reason, &*rejects[at].message, rejects[at].record),
            (reason, "", &b""[..])
        );
    }
    assert!(
        RawFrame::decode(&world.ingestor().raw.read(1, 0).unwrap()[0].1)
            .unwrap()
            .redactions[0]
            .is_of_erased
    );
}
