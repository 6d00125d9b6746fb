//! The saved memberships: damage is reported, and readers do not wait for steps.

use std::fs;
use std::sync::mpsc;
use std::time::Duration;

use serde_json::json;
use tempfile::tempdir;
use xxhash_rust::xxh3::xxh3_64;

use super::followed_segments::{FollowedSegments, root};
use crate::error::Error;
use crate::index::Index;
use crate::index::tests::fixtures::random_history::{Step, frames, plan_operations};
use crate::index::view::DAY_MS;
use crate::live::Live;
use crate::proto::wire::put_number;

#[test]
fn a_damaged_file_and_a_frame_of_another_log_are_rejected() {
    let folder = tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap();
    for frame in frames(&plan_operations(&[Step::Create(1), Step::Event(0, 1)]), 9) {
        index.fold(&[(index.offset(), &frame)]).unwrap();
    }
    let mut followed = FollowedSegments::new();
    followed.put(&[root(&json!({"op": "constant", "value": true}))], 1);
    followed.step(&index.version(), 40 * DAY_MS, None).unwrap();
    followed.live.save().unwrap();
    let again = followed.live.fold(1, &followed.log[0]).unwrap_err().to_string();
    assert!(again.contains("another log"), "{again}");
    let file = followed.folder.path().join("memberships");
    let whole = fs::read(&file).unwrap();
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        for damaged in [&flipped[..], &whole[..at]] {
            fs::write(&file, damaged).unwrap();
            assert!(matches!(Live::open(followed.folder.path()), Err(Error::Corrupt { path, .. }) if path == file));
        }
    }
}

#[test]
fn an_impossible_membership_offset_is_reported_as_damage() {
    let folder = tempdir().unwrap();
    let mut bytes = Vec::new();
    put_number(&mut bytes, 1, u64::MAX);
    bytes.extend(xxh3_64(&bytes).to_le_bytes());
    fs::write(folder.path().join("memberships"), bytes).unwrap();
    assert!(matches!(Live::open(folder.path()), Err(Error::Corrupt { .. })));
}

#[test]
fn readers_do_not_wait_for_a_step() {
    let folder = tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap();
    for frame in frames(&plan_operations(&[Step::Create(1), Step::Event(0, 1)]), 9) {
        index.fold(&[(index.offset(), &frame)]).unwrap();
    }
    let mut followed = FollowedSegments::new();
    followed.put(&[root(&json!({"op": "constant", "value": true}))], 1);
    followed.step(&index.version(), 40 * DAY_MS, None).unwrap();
    let live = &followed.live;
    // The locks that a step holds.
    let (rules, memberships) = (live.rules.lock(), live.memberships.read());
    std::thread::scope(|scope| {
        let (tell, answers) = mpsc::channel();
        scope.spawn(move || {
            let answer = live.answer(&["s0".into()]).unwrap().0;
            tell.send((live.statuses()[0].count, answer.roots[0].matched))
        });
        let read = answers.recv_timeout(Duration::from_secs(600));
        // Unblocks a waiting reader, so that a failing test ends.
        drop((rules, memberships));
        assert_eq!(read, Ok((1, 1)));
    });
}
