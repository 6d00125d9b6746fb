//! Snapshots of the graph in one file with a checksum. Hash tables, chains and ids are rebuilt on load by the code that builds them.
//!
//! Layout: magic (7 bytes), version (1), body, XXH3-64 of all before (8, little-endian). Numbers are varints; texts are prefixed by
//! their length.

mod read;
mod write;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

use self::read::read_state;
use self::write::write_state;
use super::policy::Policy;
use super::state::State;
use crate::error::{Error, Result};
use crate::storage::checksum::verified;
use crate::storage::durable::replace_file;
use crate::storage::varints::{Cursor, Writer};

const MAGIC: &[u8; 7] = b"QYIDENT";
const VERSION: u8 = 3;
const EXTENSION: &str = "identity";

/// The number of snapshots that are kept: the newest, and the previous one as a manual fallback.
const GENERATIONS: usize = 2;

/// Returns the snapshots in a folder, newest first.
fn generations(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::io(folder))? {
        let path = entry.map_err(Error::io(folder))?.path();
        if path.extension().is_some_and(|extension| extension == EXTENSION) {
            found.push(path);
        }
    }
    // File names are offsets of fixed width.
    found.sort_unstable_by(|a, b| b.cmp(a));
    Ok(found)
}

/// Loads the newest snapshot; returns `None` if there is none, `Error::Corrupt` or `Error::Unsupported` if it cannot be used.
pub fn load(folder: &Path, policy: &Policy, capacity: u32) -> Result<Option<State>> {
    let Some(path) = generations(folder)?.into_iter().next() else {
        return Ok(None);
    };
    let bytes = fs::read(&path).map_err(Error::io(&path))?;
    read(&path, &bytes, policy, capacity).map(Some)
}

/// Writes a snapshot; removes the oldest ones once it is durable.
pub fn save(folder: &Path, state: &State, capacity: u32) -> Result<()> {
    save_and_keep(folder, state, capacity, GENERATIONS)
}

/// Writes a snapshot; removes all others once it is durable.
pub fn save_only(folder: &Path, state: &State, capacity: u32) -> Result<()> {
    save_and_keep(folder, state, capacity, 1)
}

fn save_and_keep(folder: &Path, state: &State, capacity: u32, kept: usize) -> Result<()> {
    let draft = folder.join("snapshot.draft");
    let path = folder.join(format!("{:020}.{EXTENSION}", state.offset));
    replace_file(&path, &draft, |file| {
        write(Writer::new(file), state, capacity).map_err(Error::io(&draft))
    })?;
    for old in generations(folder)?.iter().skip(kept) {
        fs::remove_file(old).map_err(Error::io(old))?;
    }
    Ok(())
}

/// Returns a fingerprint of the settings that a fold depends on. A snapshot is only valid under the same settings.
fn settings_fingerprint(policy: &Policy, capacity: u32) -> u64 {
    xxh3_64(format!("{policy:?} {capacity}").as_bytes())
}

fn write(mut out: Writer<'_>, state: &State, capacity: u32) -> io::Result<()> {
    out.bytes(MAGIC);
    out.bytes(&[VERSION]);
    out.number(settings_fingerprint(&state.graph.policy, capacity));
    write_state(&mut out, state)?;
    out.finish()
}

/// Decodes a snapshot if it is complete and has this version and policy.
fn read(path: &Path, bytes: &[u8], policy: &Policy, capacity: u32) -> Result<State> {
    let advice = "remove it to use the previous snapshot, or, if there is none, to fold the log again";
    let corrupt = |detail: &str| Error::Corrupt {
        path: path.into(),
        detail: format!("{detail}; {advice}"),
    };
    let unsupported = |detail: &str| Error::Unsupported(format!("{}: {detail}; {advice}", path.display()));
    let rest = bytes
        .strip_prefix(MAGIC)
        .ok_or_else(|| corrupt("not an identity snapshot"))?;
    let &version = rest.first().ok_or_else(|| corrupt("truncated"))?;
    if version != VERSION {
        return Err(unsupported(&format!(
            "written by another version (format {version}, this one reads {VERSION})"
        )));
    }
    let checked = verified(bytes).ok_or_else(|| corrupt("the checksum does not match"))?;
    let body = checked.get(MAGIC.len() + 1..).ok_or_else(|| corrupt("truncated"))?;
    let mut cursor = Cursor { rest: body };
    if cursor.number().map_err(corrupt)? != settings_fingerprint(policy, capacity) {
        return Err(unsupported("written under another identity policy"));
    }
    let state = read_state(&mut cursor, policy, capacity).map_err(corrupt)?;
    match cursor.rest {
        [] => Ok(state),
        _ => Err(corrupt("bytes after the end")),
    }
}
