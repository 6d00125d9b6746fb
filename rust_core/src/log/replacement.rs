//! Replaces frames of sealed segments.
//!
//! A segment is rewritten to a new file, which is synced and renamed over the old one; after an interruption, one of the two is in
//! place. Readers with the old file open continue in it and open the new file for the next read.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::segment::{self, FRAME_HEADER, Found, HEADER, Window, corrupt};
use crate::error::{Error, Result};
use crate::storage::durable::replace_file;

/// The extension of a segment file while it is written.
const UNFINISHED: &str = "unfinished";

/// Removes the files of an interrupted replacement.
pub fn sweep(folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir(folder).map_err(Error::io(folder))? {
        let path = entry.map_err(Error::io(folder))?.path();
        if path.extension().is_some_and(|ending| ending == UNFINISHED) {
            std::fs::remove_file(&path).map_err(Error::io(&path))?;
        }
    }
    Ok(())
}

/// Replaces frames, given with ascending offsets in sealed segments. Each segment changes as a whole.
///
/// Returns Corrupt, naming file and byte, if a segment is damaged.
pub fn replace(folder: &Path, frames: &[(u64, &[u8])]) -> Result<()> {
    let firsts = segment::list(folder)?;
    let segment_of = |offset: u64| firsts.partition_point(|&first| first <= offset);
    for frames in frames.chunk_by(|one, other| segment_of(one.0) == segment_of(other.0)) {
        let Some(&first) = segment_of(frames[0].0).checked_sub(1).and_then(|at| firsts.get(at)) else {
            let path = segment::path(folder, frames[0].0);
            return Err(corrupt(&path, "the file with this frame is missing".into()));
        };
        let path = segment::path(folder, first);
        let draft = path.with_extension(UNFINISHED);
        replace_file(&path, &draft, |file| rewrite(&path, file, &draft, first, frames))
            .inspect_err(|_| drop(std::fs::remove_file(&draft)))?;
    }
    Ok(())
}

/// Copies a segment to `copy`, whose path is `draft`, with the given frames in the place of the old ones.
fn rewrite(path: &PathBuf, copy: &mut File, draft: &PathBuf, first: u64, frames: &[(u64, &[u8])]) -> Result<()> {
    let source = File::open(path).map_err(Error::io(path))?;
    let mut window = Window::new(&source, path);
    segment::check_header(window.bytes(0, HEADER as usize)?, first, path)?;
    let mut out = BufWriter::with_capacity(1 << 20, copy);
    let mut put = |bytes: &[u8]| out.write_all(bytes).map_err(Error::io(draft));
    put(&segment::header(first))?;
    let mut replaced = frames.iter().peekable();
    let end = source.metadata().map_err(Error::io(path))?.len();
    let (mut offset, mut position) = (first, HEADER);
    while position < end {
        let found = match window.frame(position, offset)? {
            Found::Frame(payload) => payload,
            Found::Torn => return Err(damaged(path, offset, position, "the file ends before it")),
            Found::Damaged(why) => return Err(damaged(path, offset, position, why)),
        };
        position += FRAME_HEADER + found.len() as u64;
        let payload = replaced
            .next_if(|(at, _)| *at == offset)
            .map_or(found, |(_, frame)| *frame);
        put(&segment::frame_header(offset, payload))?;
        put(payload)?;
        offset += 1;
    }
    out.flush().map_err(Error::io(draft))
}

fn damaged(path: &Path, offset: u64, position: u64, why: &str) -> Error {
    corrupt(path, format!("frame {offset} at byte {position}: {why}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::log::LocalLog;
    use crate::log::tests::{all, new_folder, open};

    /// Returns a payload that contains no other one.
    fn payload(number: usize, length: usize) -> Vec<u8> {
        let mut payload = format!("<frame {number}>").into_bytes();
        payload.resize(payload.len() + length, b'.');
        payload
    }

    fn fill(log: &LocalLog, count: usize) {
        for number in 0..count {
            log.append(&payload(number, 100)).unwrap();
        }
    }

    fn holds(folder: &Path, payload: &[u8]) -> bool {
        let files = std::fs::read_dir(folder).unwrap();
        files
            .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
            .any(|bytes| bytes.windows(payload.len()).any(|window| window == payload))
    }

    fn refs(frames: &BTreeMap<u64, Vec<u8>>) -> Vec<(u64, &[u8])> {
        frames
            .iter()
            .map(|(offset, frame)| (*offset, frame.as_slice()))
            .collect()
    }

    #[derive(Clone, Debug)]
    enum Step {
        Append(usize),
        Replace(Vec<(prop::sample::Index, usize)>),
        Reopen,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            8 => (0..300usize).prop_map(Step::Append),
            2 => prop::collection::vec((any::<prop::sample::Index>(), 0..400usize), 0..5).prop_map(Step::Replace),
            1 => Just(Step::Reopen),
        ]
    }

    proptest! {
        #![proptest_config(crate::testing::cases(16))]

        /// Checks the writer, a follower from before, and a new follower.
        #[test]
        fn a_log_with_replaced_frames_is_a_list_with_replaced_elements(steps in prop::collection::vec(step(), 1..40)) {
            let folder = new_folder();
            let (mut log, follower) = (open(folder.path()), LocalLog::follow(folder.path()));
            let (mut model, mut made): (Vec<Vec<u8>>, usize) = (Vec::new(), 0);
            let mut next = |length| { made += 1; payload(made, length) };
            for step in steps {
                match step {
                    Step::Append(length) => {
                        let frame = next(length);
                        log.append(&frame).unwrap();
                        model.push(frame);
                    }
                    Step::Replace(chosen) if !model.is_empty() => {
                        let frames: BTreeMap<u64, Vec<u8>> =
                            chosen.iter().map(|(at, length)| (at.index(model.len()) as u64, next(*length))).collect();
                        log.replace(&refs(&frames)).unwrap();
                        for (offset, frame) in frames {
                            let former = std::mem::replace(&mut model[offset as usize], frame);
                            prop_assert!(!holds(folder.path(), &former));
                        }
                    }
                    Step::Replace(_) => {}
                    Step::Reopen => {
                        drop(log);
                        log = open(folder.path());
                    }
                }
                for reader in [&log, &follower, &LocalLog::follow(folder.path())] {
                    prop_assert_eq!(&all(reader).unwrap(), &model);
                }
            }
        }
    }

    #[test]
    fn a_replacement_cut_anywhere_leaves_the_old_frames() {
        let (origin, written) = (new_folder(), new_folder());
        for folder in [&origin, &written] {
            let log = open(folder.path());
            fill(&log, 9);
        }
        open(written.path()).replace(&[(1, b"other"), (2, b"another")]).unwrap();
        let path = segment::path(origin.path(), 0);
        let whole = std::fs::read(segment::path(written.path(), 0)).unwrap();
        let former = all(&LocalLog::follow(origin.path())).unwrap();
        for length in 0..=whole.len() {
            let draft = path.with_extension(UNFINISHED);
            std::fs::write(&draft, &whole[..length]).unwrap();
            assert_eq!(all(&LocalLog::follow(origin.path())).unwrap(), former);
            assert_eq!(all(&open(origin.path())).unwrap(), former);
            assert!(!draft.exists());
        }
        std::fs::write(&path, &whole).unwrap();
        assert_eq!(all(&open(origin.path())).unwrap()[1], b"other");
    }

    #[test]
    fn a_damaged_segment_is_not_rewritten() {
        let folder = new_folder();
        let log = open(folder.path());
        fill(&log, 20);
        let path = segment::path(folder.path(), 0);
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            std::fs::write(&path, &bytes).unwrap();
            let error = log.replace(&[(0, b"other")]).unwrap_err();
            assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
            assert_eq!(std::fs::read(&path).unwrap(), bytes);
        }
    }

    #[test]
    fn invalid_replacements_are_rejected() {
        let folder = new_folder();
        let log = open(folder.path());
        log.append(b"one").unwrap();
        let refused = |log: &LocalLog, frames: &[(u64, &[u8])]| {
            assert!(matches!(log.replace(frames), Err(Error::Invalid(_))), "{frames:?}");
        };
        refused(&LocalLog::follow(folder.path()), &[(0, b"x")]);
        refused(&log, &[(1, b"x")]);
        refused(&log, &[(0, b"")]);
        refused(&log, &[(0, b"x"), (0, b"y")]);
        log.close();
        refused(&log, &[(0, b"x")]);
        assert_eq!(all(&log).unwrap(), [b"one".to_vec()]);
    }
}
