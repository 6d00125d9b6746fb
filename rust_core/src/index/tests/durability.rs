//! Snapshots: what was folded survives, and damage is said.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use tempfile::tempdir;

use super::equivalence::{fold, told};
use super::model::{decide, frames, steps};
use crate::error::Error;
use crate::index::Index;

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
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

    #[test]
    fn damage_is_said_and_names_the_file(
        steps in steps(), file in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), flip in prop::option::of(0..8u8)
    ) {
        let folder = tempdir().unwrap();
        let index = Index::open(folder.path()).unwrap();
        fold(&index, &frames(&decide(&steps), 5), 2);
        index.snapshot().unwrap();
        let files = files(folder.path());
        let path = &files[file.index(files.len())];
        let mut bytes = fs::read(path).unwrap();
        let at = at.index(bytes.len());
        match flip {
            Some(bit) => bytes[at] ^= 1 << bit,
            None => bytes.truncate(at),
        }
        fs::write(path, bytes).unwrap();
        match Index::open(folder.path()) {
            Err(Error::Corrupt { path: named, .. }) => prop_assert_eq!(&named, path),
            other => prop_assert!(false, "opened: {:?}", other.err()),
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
    }
}

#[test]
fn a_snapshot_of_another_format_is_refused() {
    let folder = tempdir().unwrap();
    let json = r#"{"format": 1, "what": "ever"}"#;
    let sealed = format!("{:08x}\n{json}", crc32fast::hash(json.as_bytes()));
    fs::write(folder.path().join("manifest"), sealed).unwrap();
    match Index::open(folder.path()) {
        Err(Error::Unsupported(said)) => assert!(said.contains("format 1, but this version reads format 4"), "{said}"),
        other => panic!("{:?}", other.err()),
    }
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

#[test]
fn readers_keep_their_version_while_the_writer_goes_on() {
    let steps: Vec<_> = (0..40)
        .flat_map(|i| {
            use super::model::Step::{Create, Event, Item, Merge, Profile};
            let merge = if i % 5 == 4 { Merge(i, i * 7) } else { Item(i as u32) };
            [
                Create(1 + i as u32 % 3),
                Event(i, i as u32),
                Event(i * 3, i as u32 + 20),
                Profile(i, i as u32),
                merge,
            ]
        })
        .collect();
    let frames = frames(&decide(&steps), 4);
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
