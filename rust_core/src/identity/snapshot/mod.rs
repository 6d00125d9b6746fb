//! The graph in one file: what cannot be derived, as numbers and texts in order, and a checksum over all of it. Tables, chains and
//! ids are built again on the way in by the same code that built them first.
//!
//! Layout: magic (7 bytes), version (1), body, XXH3-64 of all before (8, little-endian). Numbers are varints, texts have their length first.

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

/// Snapshots kept: the newest, and the one before it to fall back on by hand.
const GENERATIONS: usize = 2;

/// Snapshots in a folder, the newest first.
fn generations(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::io(folder))? {
        let path = entry.map_err(Error::io(folder))?.path();
        if path.extension().is_some_and(|extension| extension == EXTENSION) {
            found.push(path);
        }
    }
    // Names are offsets of fixed width.
    found.sort_unstable_by(|a, b| b.cmp(a));
    Ok(found)
}

/// The newest snapshot, if there is any. Corrupt or Unsupported, naming the file, if it cannot be used.
pub fn load(folder: &Path, policy: &Policy, capacity: u32) -> Result<Option<State>> {
    let Some(path) = generations(folder)?.into_iter().next() else {
        return Ok(None);
    };
    let bytes = fs::read(&path).map_err(Error::io(&path))?;
    read(&path, &bytes, policy, capacity).map(Some)
}

/// Writes a snapshot beside the older ones, and once it is durable lets the oldest go.
pub fn save(folder: &Path, state: &State, capacity: u32) -> Result<()> {
    save_and_keep(folder, state, capacity, GENERATIONS)
}

/// The same, but lets all others go.
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

/// What else the result of a fold depends on; a snapshot is only good under the same.
fn terms(policy: &Policy, capacity: u32) -> u64 {
    xxh3_64(format!("{policy:?} {capacity}").as_bytes())
}

fn write(mut out: Writer<'_>, state: &State, capacity: u32) -> io::Result<()> {
    out.bytes(MAGIC);
    out.bytes(&[VERSION]);
    out.number(terms(&state.graph.policy, capacity));
    write_state(&mut out, state)?;
    out.finish()
}

/// A snapshot's bytes as a state, if they are whole and of this version and policy.
fn read(path: &Path, bytes: &[u8], policy: &Policy, capacity: u32) -> Result<State> {
    let advice = "remove it to go back to the snapshot before it, or without any to fold the log again";
    let corrupt = |detail: &str| Error::Corrupt {
        path: path.into(),
        detail: format!("{detail}; {advice}"),
    };
    let unsupported = |detail: &str| Error::Unsupported(format!("{}: {detail}; {advice}", path.display()));
    let rest = bytes
        .strip_prefix(MAGIC)
        .ok_or_else(|| corrupt("not an identity snapshot"))?;
    let &version = rest.first().ok_or_else(|| corrupt("cut short"))?;
    if version != VERSION {
        return Err(unsupported(&format!(
            "written by another version (format {version}, this one reads {VERSION})"
        )));
    }
    let checked = verified(bytes).ok_or_else(|| corrupt("the checksum does not match"))?;
    let body = checked.get(MAGIC.len() + 1..).ok_or_else(|| corrupt("cut short"))?;
    let mut cursor = Cursor { rest: body };
    if cursor.number().map_err(corrupt)? != terms(policy, capacity) {
        return Err(unsupported("written under another identity policy"));
    }
    let state = read_state(&mut cursor, policy, capacity).map_err(corrupt)?;
    match cursor.rest {
        [] => Ok(state),
        _ => Err(corrupt("bytes after the end")),
    }
}
