//! Snapshots: what was folded survives, and damage is said.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use tempfile::tempdir;

use super::equivalence::{asked, fold, told};
use super::random_history::{Step, decide, frames, steps};
use crate::error::Error;
use crate::eval::evaluate;
use crate::index::Index;
use crate::index::view::{DAY_MS, person_of};
use crate::log::tests::new_folder;

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

/// Flips a bit of the byte, or cuts the file before it.
fn damage(path: &Path, whole: &[u8], at: usize, flip: Option<u8>) {
    // As a new file, since the old one may be mapped.
    fs::remove_file(path).unwrap();
    let mut bytes = whole.to_vec();
    match flip {
        Some(bit) => bytes[at] ^= 1 << bit,
        None => bytes.truncate(at),
    }
    fs::write(path, bytes).unwrap();
}

/// Damage to a file is said when the folder is opened, the rest of the log is folded or everything is asked; or else nothing of the
/// file was needed. Whether it was said.
fn is_said(folder: &Path, damaged: &Path, told: &BTreeMap<String, String>, rest: &[Vec<u8>]) -> bool {
    let read = Index::open(folder).and_then(|index| {
        for (offset, frame) in (index.offset()..).zip(rest) {
            index.fold(&[(offset, frame)])?;
        }
        let version = index.version();
        let answers = asked(&version)?;
        assert!(&answers == told, "{} is damaged: other answers", damaged.display());
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

/// Events and attributes, through all kinds of columns.
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

/// Other contents of a file, and their checksum in the manifest.
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
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_snapshot_and_the_rest_of_the_log_are_as_good_as_no_restart(
        steps in steps(), size in 1..9usize, cuts in prop::collection::vec(any::<prop::sample::Index>(), 1..4)
    ) {
        let frames = frames(&decide(&steps), size);
        let folders = (tempdir().unwrap(), tempdir().unwrap());
        let uninterrupted = Index::open(folders.0.path()).unwrap();
        fold(&uninterrupted, &frames, 2);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(frames.len() + 1)).collect();
        cuts.sort_unstable();
        for (i, &cut) in cuts.iter().enumerate() {
            let index = Index::open(folders.1.path()).unwrap();
            prop_assert_eq!(index.offset(), if i == 0 { 0 } else { cuts[i - 1] as u64 });
            fold(&index, &frames[index.offset() as usize..cut], 2);
            let before = told(&index.version());
            index.snapshot().unwrap();
            prop_assert_eq!(&told(&index.version()), &before);
            let reopened = Index::open(folders.1.path()).unwrap();
            prop_assert_eq!(told(&reopened.version()), before);
            prop_assert_eq!(reopened.version().epoch, index.version().epoch);
        }
        let index = Index::open(folders.1.path()).unwrap();
        fold(&index, &frames[index.offset() as usize..], 2);
        prop_assert_eq!(told(&index.version()), told(&uninterrupted.version()));
    }

    /// Folds and snapshots of two threads, in whatever order they come.
    #[test]
    fn snapshots_go_on_while_frames_are_folded(steps in steps(), size in 1..9usize) {
        let frames = frames(&decide(&steps), size);
        let folders = (tempdir().unwrap(), tempdir().unwrap());
        let uninterrupted = Index::open(folders.0.path()).unwrap();
        fold(&uninterrupted, &frames, 1);
        let index = Index::open(folders.1.path()).unwrap();
        std::thread::scope(|scope| {
            let folding = scope.spawn(|| fold(&index, &frames, 1));
            while !folding.is_finished() {
                index.snapshot().unwrap();
            }
        });
        index.snapshot().unwrap();
        prop_assert_eq!(told(&index.version()), told(&uninterrupted.version()));
        prop_assert_eq!(told(&Index::open(folders.1.path()).unwrap().version()), told(&uninterrupted.version()));
    }

    #[test]
    fn damage_is_said_and_names_the_file(
        steps in steps(), file in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), flip in prop::option::of(0..8u8)
    ) {
        let frames = frames(&decide(&steps), 5);
        let (half, folder) = (frames.len().div_ceil(2), tempdir().unwrap());
        let index = Index::open(folder.path()).unwrap();
        fold(&index, &frames[..half], 2);
        index.snapshot().unwrap();
        let files = files(folder.path());
        let path = &files[file.index(files.len())];
        let whole = fs::read(path).unwrap();
        let before = told(&index.version());
        fold(&index, &frames[half..], 1);
        damage(path, &whole, at.index(whole.len()), flip);
        is_said(folder.path(), path, &before, &[]);
        is_said(folder.path(), path, &told(&index.version()), &frames[half..]);
    }

    /// Damage under a right checksum: whatever the numbers say, opening it, asking it and folding into it does not panic.
    #[test]
    fn no_contents_make_it_panic(
        steps in steps(), file in any::<prop::sample::Index>(), hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)
    ) {
        let frames = frames(&decide(&steps), 5);
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

    #[test]
    fn a_snapshot_torn_at_any_point_leaves_the_former(steps in steps(), kept in any::<prop::sample::Index>()) {
        let frames = frames(&decide(&steps), 5);
        let (folder, later) = (tempdir().unwrap(), tempdir().unwrap());
        let index = Index::open(folder.path()).unwrap();
        let half = frames.len().div_ceil(2);
        fold(&index, &frames[..half], 1);
        index.snapshot().unwrap();
        let (before, offset) = (told(&index.version()), index.offset());
        for file in files(folder.path()) {
            fs::copy(&file, later.path().join(file.file_name().unwrap())).unwrap();
        }
        let former = files(folder.path());
        fold(&index, &frames[half..], 1);
        index.snapshot().unwrap();
        // The files of the later snapshot arrive, the last of them in part, and the manifest under its torn name.
        let new: Vec<_> = files(folder.path()).into_iter().filter(|file| !former.contains(file)).collect();
        for file in &new {
            let bytes = fs::read(file).unwrap();
            let kept = kept.index(bytes.len() + 1);
            fs::write(later.path().join(file.file_name().unwrap()), &bytes[..kept]).unwrap();
        }
        fs::write(later.path().join("manifest.torn"), "{").unwrap();
        let reopened = Index::open(later.path()).unwrap();
        prop_assert_eq!((told(&reopened.version()), reopened.offset()), (before, offset));
        prop_assert_eq!(files(later.path()).len(), former.len());
        // With its manifest it is whole, and the former one's files go.
        for file in new.iter().chain([&folder.path().join("manifest")]) {
            fs::copy(file, later.path().join(file.file_name().unwrap())).unwrap();
        }
        let reopened = Index::open(later.path()).unwrap();
        prop_assert_eq!((told(&reopened.version()), reopened.offset()), (told(&index.version()), index.offset()));
        let names = |folder| files(folder).iter().map(|file| file.file_name().unwrap().to_owned()).collect::<Vec<_>>();
        prop_assert_eq!(names(later.path()), names(folder.path()));
    }
}

#[test]
fn a_snapshot_of_another_format_is_refused() {
    let folder = tempdir().unwrap();
    let json = r#"{"format": 1, "what": "ever"}"#;
    let sealed = format!("{:08x}\n{json}", crc32fast::hash(json.as_bytes()));
    fs::write(folder.path().join("manifest"), sealed).unwrap();
    match Index::open(folder.path()) {
        Err(Error::Unsupported(said)) => assert!(said.contains("format 1, but this version reads format 7"), "{said}"),
        other => panic!("{:?}", other.err()),
    }
}

#[test]
fn a_snapshot_after_the_last_offset_is_damage() {
    let folder = tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap();
    fold(&index, &frames(&decide(&[]), 1), 1);
    index.snapshot().unwrap();
    let manifest = folder.path().join("manifest");
    let sealed = fs::read_to_string(&manifest).unwrap();
    let json = sealed[9..].replace("\"offset\": 1,", &format!("\"offset\": {},", u64::MAX));
    assert_ne!(json, sealed[9..]);
    fs::write(&manifest, format!("{:08x}\n{json}", crc32fast::hash(json.as_bytes()))).unwrap();
    assert!(matches!(Index::open(folder.path()), Err(Error::Corrupt { path, .. }) if path == manifest));
}

#[test]
fn damage_at_any_byte_is_found() {
    let folder = new_folder();
    let index = Index::open(folder.path()).unwrap();
    // Nobody is merged into another, so that everybody's events are asked for.
    let steps: Vec<Step> = eventful(12)
        .into_iter()
        .filter(|step| !matches!(step, Step::Merge(..)))
        .collect();
    fold(&index, &frames(&decide(&steps), 5), 2);
    index.snapshot().unwrap();
    let (files, told) = (files(folder.path()), told(&index.version()));
    let kinds = ["manifest", "workspace", "partition", "events", "changes"];
    assert!(
        kinds
            .iter()
            .all(|kind| files.iter().any(|file| file.to_str().unwrap().contains(kind)))
    );
    for path in files {
        let whole = fs::read(&path).unwrap();
        let mut said = 0;
        for at in 0..whole.len() {
            for flip in [None, Some(at as u8 % 8)] {
                damage(&path, &whole, at, flip);
                said += usize::from(is_said(folder.path(), &path, &told, &[]));
            }
        }
        fs::write(&path, &whole).unwrap();
        assert_eq!(said, 2 * whole.len(), "{}", path.display());
    }
}

#[test]
fn what_a_snapshot_has_written_needs_no_memory() {
    let folder = tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap();
    fold(&index, &frames(&decide(&eventful(40)), 5), 2);
    let (before, bytes) = (told(&index.version()), index.version().statistics()["bytes"]);
    index.snapshot().unwrap();
    let mapped = index.version().statistics()["bytes"];
    assert!(mapped < bytes, "{mapped} {bytes}");
    assert_eq!(told(&index.version()), before);
    // Nothing was written twice.
    let written = files(folder.path());
    index.snapshot().unwrap();
    assert_eq!(files(folder.path()), written);
    let reopened = Index::open(folder.path()).unwrap();
    assert!(reopened.version().statistics()["bytes"] < mapped);
}

#[test]
fn a_manifest_that_cannot_be_written_leaves_the_former() {
    let folder = tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap();
    let frames = frames(&decide(&eventful(20)), 5);
    fold(&index, &frames[..9], 2);
    index.snapshot().unwrap();
    let before = told(&index.version());
    fold(&index, &frames[9..], 2);
    let obstacle = folder.path().join("manifest.torn");
    fs::create_dir(&obstacle).unwrap();
    assert!(matches!(index.snapshot(), Err(Error::Io { path, .. }) if path == obstacle));
    assert_eq!(told(&Index::follow(folder.path()).unwrap().version()), before);
    fs::remove_dir(&obstacle).unwrap();
    index.snapshot().unwrap();
    assert_eq!(
        told(&Index::open(folder.path()).unwrap().version()),
        told(&index.version())
    );
}

#[test]
fn a_missing_file_is_damage() {
    let folder = tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap();
    fold(&index, &frames(&decide(&[]), 1), 1);
    index.snapshot().unwrap();
    fs::remove_file(folder.path().join("workspace-1-0.index")).unwrap();
    assert!(matches!(Index::open(folder.path()), Err(Error::Corrupt { .. })));
}

/// A history with runs large enough for files of their own.
pub fn eventful(people: usize) -> Vec<Step> {
    use super::random_history::{Step::Create, Step::Event, Step::Item, Step::Merge, Step::Profile};
    (0..people)
        .flat_map(|i| {
            let merge = if i % 5 == 4 { Merge(i, i * 7) } else { Item(i as u32) };
            [
                Create(1 + i as u32 % 3),
                Event(i, i as u32),
                Event(i * 3, i as u32 + 20),
                Profile(i, i as u32),
                merge,
            ]
        })
        .collect()
}

#[test]
fn readers_keep_their_version_while_the_writer_goes_on() {
    let frames = frames(&decide(&eventful(40)), 4);
    let folder = tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut versions = vec![];
                    while !done.load(Ordering::Acquire) {
                        let version = index.version();
                        let schema = version.learned_schema();
                        let pages: Vec<_> = (0..9)
                            .map(|i| version.timeline(1 << 32 | i, b"", 99).unwrap())
                            .collect();
                        versions.push((version, schema, pages));
                        versions.truncate(200);
                    }
                    versions
                })
            })
            .collect();
        fold(&index, &frames, 1);
        done.store(true, Ordering::Release);
        for reader in readers {
            for (version, schema, pages) in reader.join().unwrap() {
                assert_eq!(version.learned_schema(), schema);
                let again: Vec<_> = (0..9)
                    .map(|i| version.timeline(1 << 32 | i, b"", 99).unwrap())
                    .collect();
                assert_eq!(again, pages);
            }
        }
    });
}

#[test]
fn a_follower_reads_what_is_there_and_changes_nothing() {
    let folder = tempdir().unwrap();
    let missing = folder.path().join("none");
    assert_eq!(Index::follow(&missing).unwrap().offset(), 0);
    assert!(!missing.exists());

    let index = Index::open(folder.path()).unwrap();
    let step = steps().new_tree(&mut proptest::test_runner::TestRunner::deterministic());
    fold(&index, &frames(&decide(&step.unwrap().current()), 5), 2);
    index.snapshot().unwrap();
    // What a snapshot under way has written, and no manifest names yet.
    fs::write(folder.path().join("partition-1-99.index"), b"new").unwrap();
    let before = files(folder.path());
    let follower = Index::follow(folder.path()).unwrap();
    assert_eq!(told(&follower.version()), told(&index.version()));
    assert!(matches!(follower.snapshot(), Err(Error::Invalid(_))));
    assert_eq!(files(folder.path()), before);
}
