use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;

use super::marker::Mark;
use super::segment::HEADER;
use super::*;

const SMALL: u64 = 512;
/// Longer than any busy machine takes.
const PATIENCE: Duration = Duration::from_secs(600);

/// Creates a folder, in memory if possible, because these tests sync thousands of frames.
pub fn new_folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

pub fn open(folder: &Path) -> LocalLog {
    LocalLog::create_sized(folder, SMALL).unwrap()
}

pub fn all(log: &LocalLog) -> Result<Vec<Vec<u8>>> {
    let frames = log.read(0, usize::MAX)?;
    assert!(frames.iter().enumerate().all(|(at, (offset, _))| at as u64 == *offset));
    Ok(frames.into_iter().map(|(_, frame)| frame).collect())
}

/// Returns a frame that differs from every other.
fn frame(at: usize, length: usize) -> Vec<u8> {
    let mut frame = (at as u32).to_le_bytes().to_vec();
    frame.resize(4 + length, at as u8);
    frame
}

#[derive(Clone, Debug)]
enum Step {
    Append(usize),
    Reopen,
    Read(u64, usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..900usize).prop_map(Step::Append),
        1 => Just(Step::Reopen),
        2 => (0..40u64, 0..4000usize).prop_map(|(offset, max)| Step::Read(offset, max)),
    ];
    prop::collection::vec(step, 1..40)
}

proptest! {
    #![proptest_config(crate::testing::cases(48))]

    #[test]
    fn a_log_behaves_like_a_list(steps in steps()) {
        let folder = new_folder();
        let mut log = open(folder.path());
        let follower = LocalLog::follow(folder.path());
        let mut model: Vec<Vec<u8>> = Vec::new();
        for step in steps {
            match step {
                Step::Append(length) => {
                    let frame = frame(model.len(), length);
                    prop_assert_eq!(log.append(&frame).unwrap(), model.len() as u64);
                    model.push(frame);
                }
                Step::Reopen => {
                    drop(log);
                    log = open(folder.path());
                }
                Step::Read(offset, max_bytes) => {
                    for reader in [&log, &follower] {
                        let frames = reader.read(offset, max_bytes).unwrap();
                        let bytes: usize = frames.iter().map(|(_, frame)| frame.len()).sum();
                        prop_assert!(frames.len() <= 1 || bytes <= max_bytes);
                        prop_assert_eq!(frames.is_empty(), offset >= model.len() as u64);
                        for (at, (found, frame)) in frames.iter().enumerate() {
                            prop_assert_eq!(*found, offset + at as u64);
                            prop_assert_eq!(frame, &model[*found as usize]);
                        }
                    }
                }
            }
        }
        prop_assert_eq!(follower.end().unwrap(), model.len() as u64);
        prop_assert_eq!(&all(&follower).unwrap(), &model);
        prop_assert_eq!(all(&log).unwrap(), model);
    }
}

/// Fills a log with several segments; returns its frames and the path of the last segment.
fn filled(folder: &Path) -> (Vec<Vec<u8>>, PathBuf) {
    let log = open(folder);
    let frames: Vec<Vec<u8>> = (0..27).map(|at| frame(at, 37 * at % 100)).collect();
    for frame in &frames {
        log.append(frame).unwrap();
    }
    let firsts = segment::list(folder).unwrap();
    assert!(firsts.len() > 2);
    (frames, segment::path(folder, firsts[firsts.len() - 1]))
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// Removes the marker too, which is not synced and may be lost in a power cut.
#[test]
fn a_cut_anywhere_in_the_last_segment_recovers_a_prefix() {
    let origin = new_folder();
    let (frames, last) = filled(origin.path());
    let name = last.file_name().unwrap();
    let whole = std::fs::read(&last).unwrap();
    let mut recovered = BTreeSet::new();
    for length in 0..=whole.len() {
        let folder = new_folder();
        copy(origin.path(), folder.path());
        std::fs::write(folder.path().join(name), &whole[..length]).unwrap();
        std::fs::remove_file(marker::path(folder.path())).unwrap();
        let log = open(folder.path());
        let found = all(&log).unwrap();
        assert_eq!(found, frames[..found.len()]);
        recovered.insert(found.len());
        assert_eq!(log.append(b"next").unwrap(), found.len() as u64);
        drop(log);
        assert_eq!(open(folder.path()).end().unwrap(), found.len() as u64 + 1);
    }
    assert_eq!(recovered.last(), Some(&frames.len()));
    assert!(recovered.len() > 2);
}

#[test]
fn truncated_durable_frames_are_reported_and_left_unchanged() {
    let folder = new_folder();
    let (_, last) = filled(folder.path());
    let whole = std::fs::read(&last).unwrap();
    for length in 0..whole.len() {
        std::fs::write(&last, &whole[..length]).unwrap();
        let refused = LocalLog::create_sized(folder.path(), SMALL).map(|log| log.end());
        let message = refused.expect_err("acknowledged frames are missing").to_string();
        assert!(message.contains(last.to_str().unwrap()), "{message}");
        assert_eq!(std::fs::read(&last).unwrap(), whole[..length]);
    }
    std::fs::remove_file(&last).unwrap();
    assert!(LocalLog::create_sized(folder.path(), SMALL).is_err());
    std::fs::write(&last, &whole).unwrap();
    assert!(LocalLog::create_sized(folder.path(), SMALL).is_ok());
}

/// Flips each byte of each segment: the result is an error that names the file, or a prefix of the frames.
#[test]
fn a_flipped_byte_never_yields_a_wrong_frame() {
    let origin = new_folder();
    let (frames, last) = filled(origin.path());
    for first in segment::list(origin.path()).unwrap() {
        let path = segment::path(origin.path(), first);
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            std::fs::write(&path, &bytes).unwrap();
            // The writer checks the last segment when it opens; the others are checked when they are read.
            let outcome = match path == last {
                true => LocalLog::create_sized(origin.path(), SMALL).and_then(|log| all(&log)),
                false => all(&LocalLog::follow(origin.path())),
            };
            let message = outcome.expect_err("damage to a durable frame is an error").to_string();
            assert!(message.contains(path.to_str().unwrap()), "{message}");
            std::fs::write(&path, &whole).unwrap();
        }
    }
    // Without the marker, the end of the last segment may not have been durable, so everything after the damage is cut.
    let whole = std::fs::read(&last).unwrap();
    for at in HEADER as usize..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        std::fs::write(&last, &bytes).unwrap();
        std::fs::remove_file(marker::path(origin.path())).unwrap();
        let found = all(&open(origin.path())).unwrap();
        assert_eq!(found, frames[..found.len()]);
        assert!(found.len() < frames.len());
        std::fs::write(&last, &whole).unwrap();
    }
}

#[test]
fn concurrent_appends_get_distinct_offsets() {
    let folder = new_folder();
    let log = open(folder.path());
    let mut placed: Vec<(u64, Vec<u8>)> = std::thread::scope(|scope| {
        let append = |writer: usize| {
            let log = &log;
            move || {
                let frames = (0..50).map(|at| frame(writer * 1000 + at, at * 3));
                frames
                    .map(|frame| (log.append(&frame).unwrap(), frame))
                    .collect::<Vec<_>>()
            }
        };
        let threads: Vec<_> = (0..4).map(|writer| scope.spawn(append(writer))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    placed.sort();
    drop(log);
    let log = open(folder.path());
    assert_eq!(log.read(0, usize::MAX).unwrap(), placed);
    assert_eq!(placed.len(), 200);
}

#[test]
fn a_follower_waits_for_durable_frames() {
    let folder = new_folder();
    let follower = LocalLog::follow(&folder.path().join("later"));
    assert_eq!(follower.end().unwrap(), 0);
    assert!(follower.read(0, 100).unwrap().is_empty());
    assert!(!follower.wait(0, Duration::from_millis(5)).unwrap());
    assert!(matches!(follower.append(b"x"), Err(Error::Invalid(_))));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| follower.wait(0, PATIENCE).unwrap());
        open(&folder.path().join("later")).append(b"x").unwrap();
        assert!(waiting.join().unwrap());
    });
    assert_eq!(follower.read(0, 0).unwrap(), [(0, b"x".to_vec())]);
}

#[test]
fn appends_and_close_wake_waiting_readers() {
    let folder = new_folder();
    let log = open(folder.path());
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| log.wait(0, PATIENCE).unwrap());
        log.append(b"x").unwrap();
        assert!(waiting.join().unwrap());
        let waiting = scope.spawn(|| log.wait(1, PATIENCE).unwrap());
        log.close();
        assert!(!waiting.join().unwrap());
    });
}

#[test]
fn a_second_writer_is_locked_out() {
    let folder = new_folder();
    let log = open(folder.path());
    assert!(matches!(LocalLog::create(folder.path()), Err(Error::Locked { .. })));
    log.close();
    assert!(matches!(log.append(b"x"), Err(Error::Invalid(_))));
    LocalLog::create(folder.path()).unwrap().append(b"x").unwrap();
}

#[test]
fn an_empty_frame_is_rejected() {
    let folder = new_folder();
    assert!(matches!(open(folder.path()).append(b""), Err(Error::Invalid(_))));
}

#[test]
fn files_of_another_version_are_unsupported() {
    let folder = new_folder();
    let (_, last) = filled(folder.path());
    let mut bytes = std::fs::read(&last).unwrap();
    bytes[7] = 9;
    std::fs::write(&last, bytes).unwrap();
    assert!(matches!(LocalLog::create(folder.path()), Err(Error::Unsupported(_))));
}

#[test]
fn a_missing_segment_is_reported() {
    let folder = new_folder();
    let (_, last) = filled(folder.path());
    std::fs::remove_file(&last).unwrap();
    let error = LocalLog::create(folder.path()).err().unwrap().to_string();
    assert!(error.contains(last.to_str().unwrap()), "{error}");
    let folder = new_folder();
    filled(folder.path());
    let firsts = segment::list(folder.path()).unwrap();
    std::fs::remove_file(segment::path(folder.path(), firsts[1])).unwrap();
    assert!(matches!(all(&open(folder.path())), Err(Error::Corrupt { .. })));
}

#[test]
fn a_segment_with_an_impossible_offset_is_reported() {
    let folder = new_folder();
    let path = segment::path(folder.path(), u64::MAX);
    std::fs::write(&path, segment::header(u64::MAX)).unwrap();
    let assert_corrupt =
        |error: Option<Error>| assert!(matches!(error, Some(Error::Corrupt { path: named, .. }) if named == path));
    assert_corrupt(LocalLog::create(folder.path()).err());
    // A marker that claims one frame.
    let mark = Mark {
        end: 1,
        segment: 0,
        position: HEADER,
    };
    mark.write(&std::fs::File::create(marker::path(folder.path())).unwrap())
        .unwrap();
    assert_corrupt(LocalLog::follow(folder.path()).read(0, 1).err());
}
