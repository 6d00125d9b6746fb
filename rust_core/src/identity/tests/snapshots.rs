//! Snapshot files: which are kept and opened, and which are rejected.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::TempDir;
use xxhash_rust::xxh3::xxh3_64;

use super::properties::resolver;
use super::world::{TestRecord, fold, fold_one, low_limits, world};
use crate::error::Error;
use crate::identity::{PARTITION, Policy, Resolver};
use crate::log::tests::new_folder;

/// Returns the paths of the snapshots, oldest first.
fn snapshots(folder: &TempDir) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    found.sort();
    found
}

#[test]
fn the_newest_two_snapshots_are_kept_and_the_newest_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let first = resolver(&folder, low_limits());
    for n in 1..5 {
        fold_one(&first, n, &[TestRecord::of("r", &[("card", &n.to_string())])]);
        first.snapshot().unwrap();
    }
    let names: Vec<_> = snapshots(&folder)
        .iter()
        .map(|path| path.file_name().unwrap().to_owned())
        .collect();
    assert_eq!(
        names,
        ["00000000000000000003.identity", "00000000000000000004.identity"]
    );
    assert_eq!(resolver(&folder, low_limits()).offset(), 4);
    fs::remove_file(&snapshots(&folder)[1]).unwrap();
    assert_eq!(resolver(&folder, low_limits()).offset(), 3);
}

#[test]
fn a_snapshot_with_another_policy_or_version_is_rejected() {
    let folder = tempfile::tempdir().unwrap();
    resolver(&folder, low_limits()).snapshot().unwrap();
    let path = snapshots(&folder).remove(0);
    let assert_rejected = |error: Option<Error>| match error {
        Some(Error::Unsupported(message)) => assert!(message.contains(&path.display().to_string()), "{message}"),
        other => panic!("{other:?}"),
    };
    assert_rejected(Resolver::open(folder.path(), Policy::default(), 3).err());
    assert_rejected(Resolver::open(folder.path(), low_limits(), PARTITION).err());
    let mut bytes = fs::read(&path).unwrap();
    bytes[7] += 1;
    fs::write(&path, &bytes).unwrap();
    assert_rejected(Resolver::open(folder.path(), low_limits(), 3).err());
}

#[test]
fn a_temporary_file_left_by_a_crash_is_ignored() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("snapshot.draft"), b"half").unwrap();
    assert_eq!(resolver(&folder, low_limits()).offset(), 0);
}

#[test]
fn an_unwritable_folder_is_reported_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, b"").unwrap();
    let error = Resolver::open(&file.join("state"), low_limits(), 3).err().unwrap();
    assert!(
        matches!(&error, Error::Io { path, .. } if path.starts_with(&file)),
        "{error}"
    );
}

proptest! {
    // Each case damages every byte of a snapshot.
    #![proptest_config(crate::testing::cases(8))]

    #[test]
    fn damage_at_any_byte_is_detected_and_reported(world in world(), bit in 0u8..8) {
        let folder = new_folder();
        let state = resolver(&folder, low_limits());
        fold(&state, &world[..world.len().min(5)]);
        state.snapshot().unwrap();
        let path = snapshots(&folder).remove(0);
        let whole = fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        for at in 0..whole.len() {
            flipped[at] ^= 1 << bit;
            for damaged in [&whole[..at], &flipped] {
                fs::write(&path, damaged).unwrap();
                match Resolver::open(folder.path(), low_limits(), 3).err() {
                    Some(Error::Corrupt { path: named, .. }) => prop_assert_eq!(&named, &path),
                    Some(Error::Unsupported(_)) => prop_assert_eq!(at, 7),
                    other => panic!("{other:?}"),
                }
            }
            flipped[at] = whole[at];
        }
    }

}

proptest! {
    #![proptest_config(crate::testing::cases(100))]

    #[test]
    fn a_damaged_snapshot_with_a_valid_checksum_never_panics(world in world(), hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let folder = tempfile::tempdir().unwrap();
        let state = resolver(&folder, low_limits());
        fold(&state, &world);
        state.snapshot().unwrap();
        let path = snapshots(&folder).remove(0);
        let mut bytes = fs::read(&path).unwrap();
        let end = bytes.len() - 8;
        for (at, byte) in hits {
            bytes[8 + at.index(end - 8)] = byte;
        }
        let digest = xxh3_64(&bytes[..end]);
        bytes[end..].copy_from_slice(&digest.to_le_bytes());
        fs::write(&path, &bytes).unwrap();
        if let Ok(state) = Resolver::open(folder.path(), low_limits(), 3) {
            for (namespace, value) in world.iter().flat_map(|frame| &frame.records).flat_map(|record| &record.identifiers) {
                let person = state.resolve((namespace, value));
                state.person(person);
                state.explain((namespace, value), ("phone", "13912345671"));
            }
            fold(&state, &world[..1]);
        }
    }
}
