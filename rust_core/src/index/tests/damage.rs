//! Damaged snapshot files are reported, or were not needed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use tempfile::tempdir;

use super::durability::files;
use super::fixtures::answers::{answers, try_answers};
use super::fixtures::folding::fold;
use super::fixtures::random_history::{Step, frames, history_with_large_runs, plan_operations, steps};
use crate::error::Error;
use crate::eval::evaluate;
use crate::index::Index;
use crate::index::view::{DAY_MS, person_of};
use crate::log::tests::new_folder;

/// Flips a bit of byte `at`, or truncates the file before it.
fn damage(path: &Path, whole: &[u8], at: usize, flip: Option<u8>) {
    // Written as a new file, because the old one may be mapped.
    fs::remove_file(path).unwrap();
    let mut bytes = whole.to_vec();
    match flip {
        Some(bit) => bytes[at] ^= 1 << bit,
        None => bytes.truncate(at),
    }
    fs::write(path, bytes).unwrap();
}

/// Opens the folder, folds the rest of the log and reads everything; returns whether the damage was reported.
///
/// If it was not reported, the damaged file was not needed and all answers are right.
fn reports_damage(folder: &Path, damaged: &Path, expected: &BTreeMap<String, String>, rest: &[Vec<u8>]) -> bool {
    let read = Index::open(folder).and_then(|index| {
        for (offset, frame) in (index.offset()..).zip(rest) {
            index.fold(&[(offset, frame)])?;
        }
        let version = index.version();
        let answers = try_answers(&version)?;
        assert!(&answers == expected, "{} is damaged: other answers", damaged.display());
        version.known_at(1)?.digest()?;
        version.digest()
    });
    match read {
        Err(Error::Corrupt { path, .. }) => assert_eq!(path, damaged),
        Err(other) => panic!("{} is damaged: {other}", damaged.display()),
        Ok(_) => return false,
    }
    true
}

/// A plan that reads events and attributes through all kinds of columns.
const PLAN: &str = r#"{"as_of": 3000000000, "roots": [
    {"name": "events", "among": null, "cond": {"op": "any", "of": [
        {"op": "happened", "min": 2, "max": null, "events": {"from": null, "to": 3000000000, "steps": [
            {"type": "visit", "where": null},
            {"type": "order", "where": {"op": "any", "of": [
                {"op": "compare", "cmp": ">", "left": {"op": "property", "name": "amount"}, "right": {"op": "literal", "value": {"num": "1"}}},
                {"op": "compare", "cmp": "=", "left": {"op": "property", "name": "item"}, "right": {"op": "literal", "value": {"text": "tea"}}},
                {"op": "compare", "cmp": "=", "left": {"op": "property", "name": "gift"}, "right": {"op": "literal", "value": {"bool": true}}},
                {"op": "has", "mode": "any", "expr": {"op": "property", "name": "tags"}, "items": [{"op": "literal", "value": {"text": "a"}}]}
            ]}}
        ]}},
        {"op": "happened", "min": 1, "max": null, "events": {"from": 100, "to": 3000000000, "steps": [{"type": "order", "where": null}]}}
    ]}},
    {"name": "attributes", "among": null, "cond": {"op": "at", "as_of": 86400000, "among": null, "of": {"op": "any", "of": [
        {"op": "has", "mode": "any", "expr": {"op": "attribute", "name": "likes", "key": null}, "items": [{"op": "literal", "value": {"text": "tea"}}]},
        {"op": "in", "expr": {"op": "channels"}, "items": [{"op": "literal", "value": {"text": "pos"}}]},
        {"op": "known", "expr": {"op": "attribute", "name": "city", "key": null}}
    ]}}}
]}"#;

/// Replaces the contents of a file and its checksum in the manifest.
fn reseal(folder: &Path, path: &Path, bytes: &[u8]) {
    let manifest = folder.join("manifest");
    let sealed = fs::read_to_string(&manifest).unwrap();
    let (old, new) = (crc32fast::hash(&fs::read(path).unwrap()), crc32fast::hash(bytes));
    let json = sealed[9..].replace(&format!("\"crc32\": {old}"), &format!("\"crc32\": {new}"));
    fs::write(manifest, format!("{:08x}\n{json}", crc32fast::hash(json.as_bytes()))).unwrap();
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

proptest! {
    #![proptest_config(crate::testing::cases(60))]

    #[test]
    fn damage_is_reported_with_the_name_of_the_file(
        steps in steps(), file in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), flip in prop::option::of(0..8u8)
    ) {
        let frames = frames(&plan_operations(&steps), 5);
        let (half, folder) = (frames.len().div_ceil(2), tempdir().unwrap());
        let index = Index::open(folder.path()).unwrap();
        fold(&index, &frames[..half], 2);
        index.snapshot().unwrap();
        let files = files(folder.path());
        let path = &files[file.index(files.len())];
        let whole = fs::read(path).unwrap();
        let before = answers(&index.version());
        fold(&index, &frames[half..], 1);
        damage(path, &whole, at.index(whole.len()), flip);
        reports_damage(folder.path(), path, &before, &[]);
        reports_damage(folder.path(), path, &answers(&index.version()), &frames[half..]);
    }

    /// Decoding, evaluating and folding inconsistent contents fails without a panic.
    #[test]
    fn damaged_contents_with_valid_checksums_never_panic(
        steps in steps(), file in any::<prop::sample::Index>(), hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)
    ) {
        let frames = frames(&plan_operations(&steps), 5);
        let (half, folder) = (frames.len().div_ceil(2), tempdir().unwrap());
        let index = Index::open(folder.path()).unwrap();
        fold(&index, &frames[..half], 2);
        index.snapshot().unwrap();
        evaluate(&index.version(), PLAN.as_bytes()).unwrap();
        let files: Vec<_> = files(folder.path()).into_iter().filter(|file| file.extension().is_some()).collect();
        let path = &files[file.index(files.len())];
        let mut bytes = fs::read(path).unwrap();
        for (at, byte) in hits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        reseal(folder.path(), path, &bytes);
        let Ok(index) = Index::open(folder.path()) else { return Ok(()) };
        let version = index.version();
        for (&number, partition) in &version.partitions {
            for ordinal in 0..partition.people.min(30) {
                let person = person_of(number, ordinal);
                let _ = version.timeline(person, b"", 50);
                for as_of in [0, DAY_MS, i64::MAX] {
                    let _ = version.profile(person, as_of);
                }
            }
        }
        if let Err(error) = evaluate(&version, PLAN.as_bytes()) {
            prop_assert!(matches!(error, Error::Corrupt { .. } | Error::Invalid(_)), "{error}");
        }
        for (offset, frame) in (index.offset()..).zip(&frames[half..]) {
            if index.fold(&[(offset, frame)]).is_err() {
                break;
            }
        }
    }
}

#[test]
fn a_snapshot_of_another_format_is_rejected() {
    let folder = tempdir().unwrap();
    let json = r#"{"format": 1, "what": "ever"}"#;
    let sealed = format!("{:08x}\n{json}", crc32fast::hash(json.as_bytes()));
    fs::write(folder.path().join("manifest"), sealed).unwrap();
    match Index::open(folder.path()) {
        Err(Error::Unsupported(reported)) => assert!(
            reported.contains("format 1, but this version reads format 7"),
            "{reported}"
        ),
        other => panic!("{:?}", other.err()),
    }
}

#[test]
fn an_impossible_snapshot_offset_is_reported_as_damage() {
    let folder = tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap();
    fold(&index, &frames(&plan_operations(&[]), 1), 1);
    index.snapshot().unwrap();
    let manifest = folder.path().join("manifest");
    let sealed = fs::read_to_string(&manifest).unwrap();
    let json = sealed[9..].replace("\"offset\": 1,", &format!("\"offset\": {},", u64::MAX));
    assert_ne!(json, sealed[9..]);
    fs::write(&manifest, format!("{:08x}\n{json}", crc32fast::hash(json.as_bytes()))).unwrap();
    assert!(matches!(Index::open(folder.path()), Err(Error::Corrupt { path, .. }) if path == manifest));
}

#[test]
fn damage_at_any_byte_is_detected() {
    let folder = new_folder();
    let index = Index::open(folder.path()).unwrap();
    // Without merges, the answers read the events of all people.
    let steps: Vec<Step> = history_with_large_runs(12)
        .into_iter()
        .filter(|step| !matches!(step, Step::Merge(..)))
        .collect();
    fold(&index, &frames(&plan_operations(&steps), 5), 2);
    index.snapshot().unwrap();
    let (files, answers) = (files(folder.path()), answers(&index.version()));
    let kinds = ["manifest", "workspace", "partition", "events", "changes"];
    assert!(
        kinds
            .iter()
            .all(|kind| files.iter().any(|file| file.to_str().unwrap().contains(kind)))
    );
    for path in files {
        let whole = fs::read(&path).unwrap();
        let mut reported = 0;
        for at in 0..whole.len() {
            for flip in [None, Some(at as u8 % 8)] {
                damage(&path, &whole, at, flip);
                reported += usize::from(reports_damage(folder.path(), &path, &answers, &[]));
            }
        }
        fs::write(&path, &whole).unwrap();
        assert_eq!(reported, 2 * whole.len(), "{}", path.display());
    }
}

#[test]
fn a_missing_file_is_reported_as_damage() {
    let folder = tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap();
    fold(&index, &frames(&plan_operations(&[]), 1), 1);
    index.snapshot().unwrap();
    fs::remove_file(folder.path().join("workspace-1-0.index")).unwrap();
    assert!(matches!(Index::open(folder.path()), Err(Error::Corrupt { .. })));
}
