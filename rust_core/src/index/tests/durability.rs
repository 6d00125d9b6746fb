//! Snapshots preserve what was folded, across restarts, failures and concurrent readers.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use tempfile::tempdir;

use super::fixtures::answers::answers;
use super::fixtures::folding::fold;
use super::fixtures::random_history::{frames, history_with_large_runs, plan_operations, steps};
use crate::error::Error;
use crate::index::Index;

pub fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

proptest! {
    #![proptest_config(crate::testing::cases(60))]

    #[test]
    fn a_snapshot_plus_the_remaining_log_equals_no_restart(
        steps in steps(), size in 1..9usize, cuts in prop::collection::vec(any::<prop::sample::Index>(), 1..4)
    ) {
        let frames = frames(&plan_operations(&steps), size);
        let folders = (tempdir().unwrap(), tempdir().unwrap());
        let uninterrupted = Index::open(folders.0.path()).unwrap();
        fold(&uninterrupted, &frames, 2);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(frames.len() + 1)).collect();
        cuts.sort_unstable();
        for (i, &cut) in cuts.iter().enumerate() {
            let index = Index::open(folders.1.path()).unwrap();
            prop_assert_eq!(index.offset(), if i == 0 { 0 } else { cuts[i - 1] as u64 });
            fold(&index, &frames[index.offset() as usize..cut], 2);
            let before = answers(&index.version());
            index.snapshot().unwrap();
            prop_assert_eq!(&answers(&index.version()), &before);
            let reopened = Index::open(folders.1.path()).unwrap();
            prop_assert_eq!(answers(&reopened.version()), before);
            prop_assert_eq!(reopened.version().epoch, index.version().epoch);
        }
        let index = Index::open(folders.1.path()).unwrap();
        fold(&index, &frames[index.offset() as usize..], 2);
        prop_assert_eq!(answers(&index.version()), answers(&uninterrupted.version()));
    }

    /// One thread folds while another writes snapshots.
    #[test]
    fn snapshots_can_be_written_while_frames_are_folded(steps in steps(), size in 1..9usize) {
        let frames = frames(&plan_operations(&steps), size);
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
        prop_assert_eq!(answers(&index.version()), answers(&uninterrupted.version()));
        prop_assert_eq!(answers(&Index::open(folders.1.path()).unwrap().version()), answers(&uninterrupted.version()));
    }

    #[test]
    fn a_torn_snapshot_leaves_the_previous_one(steps in steps(), kept in any::<prop::sample::Index>()) {
        let frames = frames(&plan_operations(&steps), 5);
        let (folder, later) = (tempdir().unwrap(), tempdir().unwrap());
        let index = Index::open(folder.path()).unwrap();
        let half = frames.len().div_ceil(2);
        fold(&index, &frames[..half], 1);
        index.snapshot().unwrap();
        let (before, offset) = (answers(&index.version()), index.offset());
        for file in files(folder.path()) {
            fs::copy(&file, later.path().join(file.file_name().unwrap())).unwrap();
        }
        let former = files(folder.path());
        fold(&index, &frames[half..], 1);
        index.snapshot().unwrap();
        // The folder gets the files of the later snapshot, the last byte of each cut, and a torn manifest.
        let new: Vec<_> = files(folder.path()).into_iter().filter(|file| !former.contains(file)).collect();
        for file in &new {
            let bytes = fs::read(file).unwrap();
            let kept = kept.index(bytes.len() + 1);
            fs::write(later.path().join(file.file_name().unwrap()), &bytes[..kept]).unwrap();
        }
        fs::write(later.path().join("manifest.torn"), "{").unwrap();
        let reopened = Index::open(later.path()).unwrap();
        prop_assert_eq!((answers(&reopened.version()), reopened.offset()), (before, offset));
        prop_assert_eq!(files(later.path()).len(), former.len());
        // With its manifest, the later snapshot is complete and replaces the files of the earlier one.
        for file in new.iter().chain([&folder.path().join("manifest")]) {
            fs::copy(file, later.path().join(file.file_name().unwrap())).unwrap();
        }
        let reopened = Index::open(later.path()).unwrap();
        prop_assert_eq!((answers(&reopened.version()), reopened.offset()), (answers(&index.version()), index.offset()));
        let names = |folder| files(folder).iter().map(|file| file.file_name().unwrap().to_owned()).collect::<Vec<_>>();
        prop_assert_eq!(names(later.path()), names(folder.path()));
    }
}

#[test]
fn snapshots_release_the_memory_of_written_runs() {
    let folder = tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap();
    fold(&index, &frames(&plan_operations(&history_with_large_runs(40)), 5), 2);
    let (before, bytes) = (answers(&index.version()), index.version().statistics()["bytes"]);
    index.snapshot().unwrap();
    let mapped = index.version().statistics()["bytes"];
    assert!(mapped < bytes, "{mapped} {bytes}");
    assert_eq!(answers(&index.version()), before);
    // A second snapshot writes no files.
    let written = files(folder.path());
    index.snapshot().unwrap();
    assert_eq!(files(folder.path()), written);
    let reopened = Index::open(folder.path()).unwrap();
    assert!(reopened.version().statistics()["bytes"] < mapped);
}

#[test]
fn a_failed_manifest_write_keeps_the_previous_snapshot() {
    let folder = tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap();
    let frames = frames(&plan_operations(&history_with_large_runs(20)), 5);
    fold(&index, &frames[..9], 2);
    index.snapshot().unwrap();
    let before = answers(&index.version());
    fold(&index, &frames[9..], 2);
    let obstacle = folder.path().join("manifest.torn");
    fs::create_dir(&obstacle).unwrap();
    assert!(matches!(index.snapshot(), Err(Error::Io { path, .. }) if path == obstacle));
    assert_eq!(answers(&Index::follow(folder.path()).unwrap().version()), before);
    fs::remove_dir(&obstacle).unwrap();
    index.snapshot().unwrap();
    assert_eq!(
        answers(&Index::open(folder.path()).unwrap().version()),
        answers(&index.version())
    );
}

#[test]
fn readers_keep_their_version_while_the_writer_goes_on() {
    let frames = frames(&plan_operations(&history_with_large_runs(40)), 4);
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
fn a_follower_reads_the_snapshot_and_changes_nothing() {
    let folder = tempdir().unwrap();
    let missing = folder.path().join("none");
    assert_eq!(Index::follow(&missing).unwrap().offset(), 0);
    assert!(!missing.exists());

    let index = Index::open(folder.path()).unwrap();
    let step = steps().new_tree(&mut proptest::test_runner::TestRunner::deterministic());
    fold(&index, &frames(&plan_operations(&step.unwrap().current()), 5), 2);
    index.snapshot().unwrap();
    // A file of an unfinished snapshot, which no manifest names.
    fs::write(folder.path().join("partition-1-99.index"), b"new").unwrap();
    let before = files(folder.path());
    let follower = Index::follow(folder.path()).unwrap();
    assert_eq!(answers(&follower.version()), answers(&index.version()));
    assert!(matches!(follower.snapshot(), Err(Error::Invalid(_))));
    assert_eq!(files(folder.path()), before);
}
