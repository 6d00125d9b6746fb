//! The graph in one file: what cannot be derived, as numbers and texts in order, and a checksum over all of it. Tables, chains and
//! ids are built again on the way in by the same code that built them first.
//!
//! Layout: magic (7 bytes), version (1), body, XXH3-64 of all before (8, little-endian). Numbers are varints, texts have their length first.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::State;
use super::edges::Sighting;
use super::graph::{Graph, SignIn};
use super::nodes::NONE;
use super::policy::Policy;
use super::violations::{KEPT, Reason, Violation, Violations};
use crate::error::{Error, Result};
use crate::wire::put_varint;

const MAGIC: &[u8; 7] = b"QYIDENT";
const VERSION: u8 = 1;
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
    let draft = folder.join("snapshot.draft");
    let path = folder.join(format!("{:020}.{EXTENSION}", state.offset));
    let file = File::create(&draft).map_err(Error::io(&draft))?;
    let mut writer = Writer {
        file,
        digest: Xxh3::new(),
        buffer: Vec::new(),
    };
    write(&mut writer, state, capacity).map_err(Error::io(&draft))?;
    writer.file.sync_all().map_err(Error::io(&draft))?;
    fs::rename(&draft, &path).map_err(Error::io(&path))?;
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(Error::io(folder))?;
    for old in generations(folder)?.iter().skip(GENERATIONS) {
        fs::remove_file(old).map_err(Error::io(old))?;
    }
    Ok(())
}

/// What else the result of a fold depends on; a snapshot is only good under the same.
fn terms(policy: &Policy, capacity: u32) -> u64 {
    xxh3_64(format!("{policy:?} {capacity}").as_bytes())
}

struct Writer {
    file: File,
    digest: Xxh3,
    buffer: Vec<u8>,
}

impl Writer {
    fn number(&mut self, value: u64) {
        put_varint(&mut self.buffer, value);
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.buffer.extend_from_slice(text.as_bytes());
    }

    fn texts(&mut self, texts: &[Box<str>]) {
        self.number(texts.len() as u64);
        texts.iter().for_each(|text| self.text(text));
    }

    /// Called between elements, so that the buffer stays small.
    fn spill(&mut self, room: usize) -> io::Result<()> {
        if self.buffer.len() > room {
            self.digest.update(&self.buffer);
            self.file.write_all(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }
}

const ROOM: usize = 1 << 20;

fn write(out: &mut Writer, state: &State, capacity: u32) -> io::Result<()> {
    let graph = &state.graph;
    out.buffer.extend_from_slice(MAGIC);
    out.buffer.push(VERSION);
    for number in [
        terms(&graph.policy, capacity),
        state.offset,
        state.received_at_ms as u64,
    ] {
        out.number(number);
    }
    out.texts(graph.namespaces.names.texts());
    out.texts(graph.sources.texts());
    write_persons_and_nodes(out, graph)?;
    write_edges(out, graph)?;
    write_sign_ins(out, graph)?;
    write_violations(out, graph)?;
    out.spill(0)?;
    let digest = out.digest.digest();
    out.file.write_all(&digest.to_le_bytes())
}

fn write_persons_and_nodes(out: &mut Writer, graph: &Graph) -> io::Result<()> {
    out.number(graph.persons.len() as u64);
    for person in 0..graph.persons.len() as u32 {
        out.number(graph.persons.root(person).into());
        out.spill(ROOM)?;
    }
    out.number(graph.nodes.len() as u64);
    for index in 0..graph.nodes.len() as u32 {
        let node = graph.nodes.get(index);
        out.number(node.namespace.into());
        out.number(node.person.wrapping_add(1).into());
        out.number(graph.nodes.origin(index));
        out.text(graph.nodes.value(index));
        out.spill(ROOM)?;
    }
    Ok(())
}

fn write_edges(out: &mut Writer, graph: &Graph) -> io::Result<()> {
    out.number(graph.edges.len() as u64);
    for index in 0..graph.edges.len() as u32 {
        let edge = graph.edges.get(index);
        for number in [edge.a, edge.b, edge.source, edge.count(), edge.glues().into()] {
            out.number(number.into());
        }
        out.number(edge.first_seen_ms as u64);
        out.number(edge.last_seen_ms as u64);
        out.number(graph.edges.origin(index));
        out.text(graph.edges.record_id(index));
        out.spill(ROOM)?;
    }
    Ok(())
}

fn write_sign_ins(out: &mut Writer, graph: &Graph) -> io::Result<()> {
    let mut sign_ins: Vec<_> = graph.sign_ins.iter().collect();
    sign_ins.sort_unstable_by_key(|&(&device, _)| device);
    out.number(sign_ins.len() as u64);
    for (&device, sign_in) in sign_ins {
        out.number(device.into());
        // The person as it is now: the way there may have been shortened or not.
        out.number(graph.persons.root(sign_in.person).into());
        out.number(sign_in.at_ms as u64);
        out.spill(ROOM)?;
    }
    Ok(())
}

fn write_violations(out: &mut Writer, graph: &Graph) -> io::Result<()> {
    out.number(graph.violations.total());
    out.number(graph.violations.kept().len() as u64);
    for violation in graph.violations.kept() {
        out.number(violation.raw_offset);
        out.number(violation.reason as u64);
        for text in [
            &violation.namespace,
            &violation.value,
            &violation.source,
            &violation.record_id,
        ] {
            out.text(text);
        }
        out.spill(ROOM)?;
    }
    Ok(())
}

/// A snapshot's bytes as a state. Every number is checked before it is used.
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
    let (&version, rest) = rest.split_first().ok_or_else(|| corrupt("cut short"))?;
    if version != VERSION {
        return Err(unsupported(&format!(
            "written by another version (format {version}, this one reads {VERSION})"
        )));
    }
    let (body, digest) = rest.split_last_chunk::<8>().ok_or_else(|| corrupt("cut short"))?;
    if xxh3_64(&bytes[..bytes.len() - 8]) != u64::from_le_bytes(*digest) {
        return Err(corrupt("the checksum does not match"));
    }
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

type Read<T> = std::result::Result<T, &'static str>;

struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn number(&mut self) -> Read<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.rest.split_first().ok_or("cut short")?;
            self.rest = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("a number is too long")
    }

    fn small(&mut self) -> Read<u32> {
        u32::try_from(self.number()?).map_err(|_| "a number is too large")
    }

    /// A number below `end`.
    fn index(&mut self, end: usize) -> Read<u32> {
        self.small().and_then(|index| {
            if (index as usize) < end {
                Ok(index)
            } else {
                Err("a reference leads nowhere")
            }
        })
    }

    fn text(&mut self) -> Read<&'a str> {
        let length = self.number()?;
        if length > self.rest.len() as u64 {
            return Err("cut short");
        }
        let (text, rest) = self.rest.split_at(length as usize);
        self.rest = rest;
        std::str::from_utf8(text).map_err(|_| "a text is not valid UTF-8")
    }
}

fn read_state(cursor: &mut Cursor, policy: &Policy, capacity: u32) -> Read<State> {
    let (offset, received_at_ms) = (cursor.number()?, cursor.number()? as i64);
    if offset == u64::MAX {
        return Err("the offset is out of range");
    }
    let mut graph = Graph::new(policy.clone(), capacity);
    for code in 0..cursor.small()? {
        if graph.namespaces.intern(cursor.text()?, policy) != code {
            return Err("a namespace stands twice");
        }
    }
    for code in 0..cursor.small()? {
        if graph.sources.intern(cursor.text()?) != code {
            return Err("a source stands twice");
        }
    }
    read_persons(cursor, &mut graph)?;
    read_nodes(cursor, &mut graph, offset)?;
    read_edges(cursor, &mut graph, offset)?;
    read_sign_ins(cursor, &mut graph)?;
    read_violations(cursor, &mut graph)?;
    Ok(State {
        graph,
        offset,
        received_at_ms,
    })
}

fn read_persons(cursor: &mut Cursor, graph: &mut Graph) -> Read<()> {
    let count = cursor.small()?;
    let mut roots = Vec::new();
    for _ in 0..count {
        roots.push(cursor.index(count as usize)?);
        graph.persons.create();
    }
    for (person, &root) in roots.iter().enumerate() {
        if roots[root as usize] != root {
            return Err("an alias of an alias");
        }
        if root as usize != person {
            graph.persons.redirect(person as u32, root);
        }
    }
    Ok(())
}

fn read_nodes(cursor: &mut Cursor, graph: &mut Graph, end: u64) -> Read<()> {
    let mut newest = 0;
    for index in 0..cursor.small()? {
        let namespace = cursor.index(graph.namespaces.names.texts().len())?;
        let person = cursor.index(graph.persons.len() + 1)?.wrapping_sub(1);
        let origin = cursor.number()?;
        if origin < newest || origin >= end {
            return Err("identifiers out of order");
        }
        newest = origin;
        let value = cursor.text()?;
        let hash = graph.nodes.hash(namespace, value);
        if graph.nodes.find_or_add(hash, namespace, value, origin) != index {
            return Err("an identifier stands twice");
        }
        if person != NONE {
            graph.nodes.get_mut(index).person = person;
            graph.append(graph.persons.root(person), index, index, 1, index);
        }
    }
    Ok(())
}

fn read_edges(cursor: &mut Cursor, graph: &mut Graph, end: u64) -> Read<()> {
    let mut newest = 0;
    for _ in 0..cursor.small()? {
        let b_end = graph.nodes.len();
        let (a, b) = (cursor.index(b_end)?, cursor.index(b_end)?);
        let source = cursor.index(graph.sources.texts().len())?;
        let (count, glues) = (cursor.small()?, cursor.index(2)? == 1);
        let (first_ms, last_ms) = (cursor.number()? as i64, cursor.number()? as i64);
        let raw_offset = cursor.number()?;
        let record_id = cursor.text()?;
        let sighting = Sighting {
            source,
            record_id,
            first_ms,
            last_ms,
            count,
            glues,
            raw_offset,
        };
        if a >= b || raw_offset < newest || raw_offset >= end || !graph.edges.see(&mut graph.nodes, a, b, &sighting) {
            return Err("edges out of order");
        }
        newest = raw_offset;
    }
    Ok(())
}

fn read_sign_ins(cursor: &mut Cursor, graph: &mut Graph) -> Read<()> {
    for _ in 0..cursor.small()? {
        let device = cursor.index(graph.nodes.len())?;
        let person = cursor.index(graph.persons.len())?;
        let at_ms = cursor.number()? as i64;
        graph.sign_ins.insert(device, SignIn { person, at_ms });
    }
    Ok(())
}

fn read_violations(cursor: &mut Cursor, graph: &mut Graph) -> Read<()> {
    let (total, count) = (cursor.number()?, cursor.number()?);
    if count > total || count > KEPT as u64 || total == u64::MAX {
        return Err("too many violations");
    }
    let mut kept = VecDeque::new();
    for _ in 0..count {
        let raw_offset = cursor.number()?;
        let reason = Reason::ALL[cursor.index(Reason::ALL.len())? as usize];
        let [namespace, value, source, record_id] =
            [cursor.text()?, cursor.text()?, cursor.text()?, cursor.text()?].map(Box::from);
        kept.push_back(Violation {
            raw_offset,
            reason,
            namespace,
            value,
            source,
            record_id,
        });
    }
    graph.violations = Violations::restore(kept, total);
    Ok(())
}
