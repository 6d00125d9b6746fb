//! Snapshots: checksummed files in a folder, and a manifest that names those that make up the newest one. The manifest is swapped by
//! an atomic rename after its files are durable, so the former snapshot stands until the new one is whole.

mod bytes;
mod codec;
mod columns;
mod history;
mod partition;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use self::bytes::{In, Out};
use self::codec::Stored;
use super::view::{Epoch, Partition, Run, Version};
use crate::error::{Error, Result};
use crate::schema::Schema;

const MANIFEST: &str = "manifest";
/// Ending of the manifest while it is written.
const TORN: &str = "manifest.torn";
/// Ending of the files that a manifest names.
const ENDING: &str = "index";
const FORMAT: u32 = 4;
/// How often a follower begins anew.
const TRIES: u32 = 10;

/// The snapshots of one folder.
pub struct Snapshots {
    folder: PathBuf,
    /// Of the newest snapshot.
    state: State,
    /// Partitions and their large runs as last written, to write none twice. Weak, so that what they shared with newer versions
    /// can go.
    written: BTreeMap<u32, Written>,
}

/// Resolved offset, and how often something was purged: what a version is the outcome of.
#[derive(Clone, Copy, Default, PartialEq)]
struct State {
    offset: u64,
    purges: u64,
}

/// As the names of its files have it.
impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.offset, self.purges)
    }
}

struct Written {
    partition: Weak<Partition>,
    runs: Vec<(Weak<Run>, Entry)>,
    files: Files,
}

/// Its JSON stands behind its CRC-32 in hexadecimal and a line break.
#[derive(Serialize, Deserialize)]
struct Manifest {
    format: u32,
    /// Resolved offset of the next frame to fold.
    offset: u64,
    raw_offset: u64,
    received_at_ms: i64,
    earliest_ms: Option<i64>,
    /// Texts, schema, catalogs, history and who is erased.
    workspace: Entry,
    partitions: BTreeMap<u32, Files>,
}

/// Of a partition.
#[derive(Clone, Serialize, Deserialize)]
struct Files {
    head: Entry,
    /// In the order that the head expects.
    runs: Vec<Entry>,
}

/// A file that a manifest names.
#[derive(Clone, Serialize, Deserialize)]
struct Entry {
    name: String,
    bytes: u64,
    crc32: u32,
}

impl Snapshots {
    /// The snapshot in a folder (made if missing) and its offset; an empty version if there is none.
    pub fn open(folder: &Path) -> Result<(Snapshots, Version, u64)> {
        fs::create_dir_all(folder).map_err(Error::io(folder))?;
        let (snapshots, version, names) = Snapshots::newest(folder)?;
        snapshots.remove_all_but(&names.iter().map(String::as_str).collect::<Vec<_>>())?;
        let offset = snapshots.state.offset;
        Ok((snapshots, version, offset))
    }

    /// The snapshot in a folder that another process may be writing, and its offset; nothing is changed there.
    pub fn follow(folder: &Path) -> Result<(Version, u64)> {
        let mut tries = 0;
        loop {
            match Snapshots::newest(folder) {
                // The next snapshot may have taken the files' place while they were being read.
                Err(Error::Corrupt { .. }) if tries < TRIES => tries += 1,
                newest => return newest.map(|(snapshots, version, _)| (version, snapshots.state.offset)),
            }
        }
    }

    /// With the names of its files.
    fn newest(folder: &Path) -> Result<(Snapshots, Version, Vec<String>)> {
        let mut snapshots = Snapshots {
            folder: folder.to_owned(),
            state: State::default(),
            written: BTreeMap::new(),
        };
        let Some(manifest) = snapshots.manifest()? else {
            return Ok((snapshots, Version::default(), Vec::new()));
        };
        let mut version = snapshots.read(&manifest.workspace, |input| {
            let (texts, schema, catalogs) = (Stored::get(input)?, input.many()?, Stored::get(input)?);
            let (learned, history, erased) = (Stored::get(input)?, Stored::get(input)?, Stored::get(input)?);
            let schema = Schema::decode(&schema).map_err(|error| error.to_string())?;
            Ok(Version {
                texts,
                schema: Arc::new(schema),
                catalogs,
                learned,
                history,
                erased,
                ..Version::default()
            })
        })?;
        snapshots.state = State {
            offset: manifest.offset,
            purges: version.erased.purges,
        };
        let partitions: Vec<Result<Arc<Partition>>> = manifest
            .partitions
            .par_iter()
            .map(|(_, files)| snapshots.partition(files).map(Arc::new))
            .collect();
        for (partition, files) in partitions.into_iter().zip(manifest.partitions.values()) {
            let partition = partition?;
            let written = Written::new(&partition, files.clone());
            snapshots.written.insert(partition.number, written);
            version.partitions.insert(partition.number, partition);
        }
        version.epoch = Epoch {
            raw_offset: manifest.raw_offset,
            received_at_ms: manifest.received_at_ms,
        };
        version.earliest_ms = manifest.earliest_ms;
        let names = manifest.names().iter().map(ToString::to_string).collect();
        Ok((snapshots, version, names))
    }

    pub fn write(&mut self, version: &Version, offset: u64) -> Result<()> {
        let state = State {
            offset,
            purges: version.erased.purges,
        };
        // Written again, files would take the place of those the manifest names.
        if state == self.state {
            return Ok(());
        }
        let mut partitions = BTreeMap::new();
        for (&number, partition) in &version.partitions {
            partitions.insert(number, self.save_partition(partition, state)?);
        }
        let workspace = self.save(&format!("workspace-{state}"), |out| {
            version.texts.put(out);
            out.many(&version.schema.encode());
            version.catalogs.put(out);
            version.learned.put(out);
            version.history.put(out);
            version.erased.put(out);
        })?;
        let Epoch {
            raw_offset,
            received_at_ms,
        } = version.epoch;
        let earliest_ms = version.earliest_ms;
        let manifest = Manifest {
            format: FORMAT,
            offset,
            raw_offset,
            received_at_ms,
            earliest_ms,
            workspace,
            partitions,
        };
        self.swap(&manifest)?;
        let written = version.partitions.values().zip(manifest.partitions.values());
        let written = written.map(|(partition, files)| (partition.number, Written::new(partition, files.clone())));
        self.written = written.collect();
        self.state = state;
        self.remove_all_but(&manifest.names())
    }

    fn partition(&self, files: &Files) -> Result<Partition> {
        let head = self.read(&files.head, partition::get)?;
        if head.large.len() != files.runs.len() {
            let path = self.folder.join(&files.head.name);
            return Err(damaged(&path, "it and the manifest disagree about its runs"));
        }
        let runs: Vec<Result<Arc<Run>>> = files.runs.par_iter().map(|run| self.read(run, Stored::get)).collect();
        Ok(head.complete(runs.into_iter().collect::<Result<_>>()?))
    }

    /// Only what is not written yet.
    fn save_partition(&self, partition: &Arc<Partition>, state: State) -> Result<Files> {
        let number = partition.number;
        let written = self.written.get(&number);
        if let Some(written) = written.filter(|written| written.partition.as_ptr() == Arc::as_ptr(partition)) {
            return Ok(written.files.clone());
        }
        let mut runs = Vec::new();
        for (at, run) in partition::large_runs(partition).enumerate() {
            let same = |(held, _): &&(Weak<Run>, Entry)| held.as_ptr() == Arc::as_ptr(run);
            runs.push(match written.and_then(|written| written.runs.iter().find(same)) {
                Some((_, entry)) => entry.clone(),
                None => self.save(&format!("run-{number}-{state}-{at}"), |out| run.put(out))?,
            });
        }
        let head = self.save(&format!("partition-{number}-{state}"), |out| {
            partition::put(partition, out)
        })?;
        Ok(Files { head, runs })
    }

    fn manifest(&self) -> Result<Option<Manifest>> {
        let path = self.folder.join(MANIFEST);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            bytes => bytes.map_err(Error::io(&path))?,
        };
        let sealed = bytes
            .split_at_checked(9)
            .filter(|(seal, json)| *seal == format!("{:08x}\n", crc32fast::hash(json)).as_bytes());
        let (_, json) = sealed.ok_or_else(|| damaged(&path, "its checksum does not fit"))?;
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let Format { format } = serde_json::from_slice(json).map_err(|error| damaged(&path, error))?;
        if format != FORMAT {
            return Err(Error::Unsupported(format!(
                "{}: format {format}, but this version reads format {FORMAT}; use the version that wrote it, or remove the \
                 folder to have it rebuilt from the log",
                path.display()
            )));
        }
        serde_json::from_slice(json)
            .map(Some)
            .map_err(|error| damaged(&path, error))
    }

    fn swap(&self, manifest: &Manifest) -> Result<()> {
        let (torn, path) = (self.folder.join(TORN), self.folder.join(MANIFEST));
        let json = serde_json::to_vec_pretty(manifest).map_err(|error| damaged(&path, error))?;
        let mut bytes = format!("{:08x}\n", crc32fast::hash(&json)).into_bytes();
        bytes.extend(json);
        write_durably(&torn, &bytes)?;
        // The files' names must be durable before the manifest that names them, and the swap before the old ones go.
        sync_folder(&self.folder)?;
        fs::rename(&torn, &path).map_err(Error::io(&path))?;
        sync_folder(&self.folder)
    }

    fn save(&self, name: &str, put: impl FnOnce(&mut Out)) -> Result<Entry> {
        let name = format!("{name}.{ENDING}");
        let path = self.folder.join(&name);
        let write = || {
            let mut out = Out::create(&path)?;
            put(&mut out);
            out.finish()
        };
        let (bytes, crc32) = write().map_err(Error::io(&path))?;
        Ok(Entry { name, bytes, crc32 })
    }

    fn read<T>(&self, entry: &Entry, get: impl FnOnce(&mut In<'_>) -> bytes::Read<T>) -> Result<T> {
        let path = self.folder.join(&entry.name);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(damaged(&path, "the manifest names it, but it is missing"));
            }
            bytes => bytes.map_err(Error::io(&path))?,
        };
        if bytes.len() as u64 != entry.bytes || crc32fast::hash(&bytes) != entry.crc32 {
            return Err(damaged(&path, "its length or checksum does not fit the manifest"));
        }
        let mut input = In(&bytes);
        let value = get(&mut input).map_err(|detail| damaged(&path, detail))?;
        if !input.0.is_empty() {
            return Err(damaged(&path, "it goes on after its end"));
        }
        Ok(value)
    }

    /// Removes what former or torn snapshots left; files that are not ours stay.
    fn remove_all_but(&self, names: &[&str]) -> Result<()> {
        for file in fs::read_dir(&self.folder).map_err(Error::io(&self.folder))? {
            let path = file.map_err(Error::io(&self.folder))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let is_ours = name == TORN || path.extension().is_some_and(|ending| ending == ENDING);
            if is_ours && !names.contains(&name) {
                fs::remove_file(&path).map_err(Error::io(&path))?;
            }
        }
        Ok(())
    }
}

impl Written {
    fn new(partition: &Arc<Partition>, files: Files) -> Written {
        let runs = partition::large_runs(partition).map(Arc::downgrade);
        Written {
            partition: Arc::downgrade(partition),
            runs: runs.zip(files.runs.iter().cloned()).collect(),
            files,
        }
    }
}

impl Manifest {
    fn names(&self) -> Vec<&str> {
        let files = self.partitions.values();
        let entries = files.flat_map(|files| files.runs.iter().chain([&files.head]));
        let entries = entries.chain([&self.workspace]);
        entries.map(|entry| entry.name.as_str()).collect()
    }
}

fn damaged(path: &Path, detail: impl ToString) -> Error {
    let detail = format!(
        "{}; remove the folder to have it rebuilt from the log",
        detail.to_string()
    );
    Error::Corrupt {
        path: path.to_owned(),
        detail,
    }
}

fn write_durably(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || {
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(Error::io(path))
}

fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(Error::io(folder))
}
