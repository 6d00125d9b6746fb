//! Logs in any state: a follower returns frames or reports damage, and a writer rejects the log or continues it.

#![no_main]

use std::fs;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use quanyu_core::error::{Error, Result};
use quanyu_core::log::LocalLog;

/// The bytes of the header of a segment and of a frame.
const HEADER: usize = 16;

fuzz_target!(|bytes: &[u8]| {
    // The input selects the durable offset, whether checksums are fixed, and the start of a second segment.
    let Some((&[end, seal, cut, first], bytes)) = bytes.split_first_chunk::<4>() else {
        return;
    };
    let folder = quanyu_fuzz::new_folder();
    let (before, after) = bytes.split_at(usize::from(cut).min(bytes.len()));
    put(folder.path(), 0, before, seal & 1 == 1);
    if !after.is_empty() {
        put(folder.path(), u64::from(first).wrapping_sub(1), after, seal & 2 == 2);
    }
    put_marker(
        folder.path(),
        u64::from(end),
        if seal & 4 == 4 { u64::from(first) } else { 0 },
    );
    let followed = LocalLog::follow(folder.path());
    let before = read(&followed);
    let Some(log) = allowed(LocalLog::create(folder.path())) else {
        return;
    };
    let offset = log.append(b"more").expect("room for a frame");
    assert_eq!(log.end().expect("its own end"), offset + 1);
    assert_eq!(
        log.read(offset, 1).expect("the frame just written"),
        [(offset, b"more".to_vec())]
    );
    if let (Some(before), Some(after)) = (before, read(&followed)) {
        assert!(before.iter().zip(&after).all(|(before, after)| before == after));
    }
});

fn read(log: &LocalLog) -> Option<Vec<(u64, Vec<u8>)>> {
    let _ = allowed(log.read(log.end().expect("a marker or none") / 2, 100));
    allowed(log.read(0, usize::MAX))
}

fn allowed<T>(outcome: Result<T>) -> Option<T> {
    match outcome {
        Ok(value) => Some(value),
        Err(Error::Corrupt { .. } | Error::Unsupported(_)) => None,
        Err(error) => panic!("{error}"),
    }
}

fn put(folder: &Path, first: u64, bytes: &[u8], seal: bool) {
    let mut bytes = bytes.to_vec();
    let mut at = HEADER;
    while seal && at + HEADER <= bytes.len() {
        let length = u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]) as usize;
        let Some(payload) = bytes.get(at + HEADER..at + HEADER + length) else {
            break;
        };
        let sealed = [&bytes[at..at + 4], &bytes[at + 8..at + HEADER], payload].concat();
        bytes[at + 4..at + 8].copy_from_slice(&crc32fast::hash(&sealed).to_le_bytes());
        at += HEADER + length;
    }
    fs::write(folder.join(format!("{first:020}.log")), bytes).expect("a segment");
}

fn put_marker(folder: &Path, end: u64, segment: u64) {
    let mut bytes = [end, segment, HEADER as u64].map(u64::to_le_bytes).concat();
    bytes.extend(u64::from(crc32fast::hash(&bytes)).to_le_bytes());
    fs::write(folder.join("COMMITTED"), bytes).expect("a marker");
}
