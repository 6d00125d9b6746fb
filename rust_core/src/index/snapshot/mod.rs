//! Snapshots: checksummed files in a folder, and a manifest that names the files of the newest one.
//!
//! The manifest is replaced by an atomic rename after its files are durable, so the previous snapshot stays in place until the new
//! one is complete.

mod codec;
mod columns;
mod history;
mod manifest;
mod partition;
pub(super) mod validation;
mod written_files;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use serde::Deserialize;

use self::manifest::{FileEntry, Files, Manifest, SnapshotState};
use self::partition::{StoredRun, large_changes, large_events};
pub use self::written_files::Mapped;
use self::written_files::WrittenFiles;
use super::view::{ChangeRun, Epoch, EventRun, Partition, Version};
use crate::error::{Error, Result};
use crate::proto::schema::Schema;
use crate::storage::buffer::MappedFile;
use crate::storage::durable::{replace_file, sync_folder};
use crate::storage::file_check::{FileCheck, damaged};
use crate::storage::sections;
use crate::storage::sections::{SectionReader, SectionWriter, Stored, length_and_crc};

const MANIFEST: &str = "manifest";
/// The name of the manifest while it is written.
const UNFINISHED_MANIFEST: &str = "manifest.torn";
/// The extension of the files that a manifest names.
const EXTENSION: &str = "index";
/// The version of the format.
const FORMAT: u32 = 7;
/// How often a follower tries again if files are replaced while it reads them.
const TRIES: u32 = 10;

/// The snapshots of one folder.
pub struct Snapshots {
    folder: PathBuf,
    /// The state of the newest snapshot.
    state: SnapshotState,
    written: WrittenFiles,
}

impl Snapshots {
    /// Opens the snapshot in a folder, which is created if missing; returns an empty version if there is none.
    ///
    /// Also returns the resolved offset of the snapshot.
    pub fn open(folder: &Path) -> Result<(Snapshots, Version, u64)> {
        fs::create_dir_all(folder).map_err(Error::io(folder))?;
        let (snapshots, version, names) = Snapshots::newest(folder)?;
        snapshots.remove_all_but(&names.iter().map(String::as_str).collect::<Vec<_>>())?;
        let offset = snapshots.state.offset;
        Ok((snapshots, version, offset))
    }

    /// Reads the snapshot in a folder that another process may be writing, and its resolved offset. Nothing is changed there.
    pub fn follow(folder: &Path) -> Result<(Version, u64)> {
        let mut tries = 0;
        loop {
            match Snapshots::newest(folder) {
                // The next snapshot may have replaced the files while they were being read.
                Err(Error::Corrupt { .. }) if tries < TRIES => tries += 1,
                newest => return newest.map(|(snapshots, version, _)| (version, snapshots.state.offset)),
            }
        }
    }

    /// Reads the newest snapshot and the names of its files.
    fn newest(folder: &Path) -> Result<(Snapshots, Version, Vec<String>)> {
        let mut snapshots = Snapshots {
            folder: folder.to_owned(),
            state: SnapshotState::default(),
            written: WrittenFiles::default(),
        };
        let Some(manifest) = snapshots.manifest()? else {
            return Ok((snapshots, Version::default(), Vec::new()));
        };
        let mut version = snapshots.read(&manifest.workspace, |input| {
            let (texts, schema, catalogs) = (Stored::get(input)?, input.many::<u8>()?, Stored::get(input)?);
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
        snapshots.state = SnapshotState {
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
            snapshots.written.add(&partition, files.clone());
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

    /// Writes a snapshot; returns the large runs that were written from memory, mapped from their files.
    pub fn write(&mut self, version: &Version, offset: u64) -> Result<Mapped> {
        let state = SnapshotState {
            offset,
            purges: version.erased.purges,
        };
        // Writing the same state again would overwrite files that the manifest names.
        if state == self.state {
            return Ok(Mapped::default());
        }
        let saved = self
            .save_version(version, state)
            .and_then(|manifest| self.swap(manifest));
        let manifest = saved.inspect_err(|_| self.sweep())?;
        let former = std::mem::take(&mut self.written);
        for (partition, files) in version.partitions.values().zip(manifest.partitions.values()) {
            self.written.add(partition, files.clone());
        }
        self.state = state;
        self.remove_all_but(&manifest.names())?;
        self.map_new(version, &manifest, &former)
    }

    /// Writes all files of a snapshot but the manifest.
    fn save_version(&self, version: &Version, state: SnapshotState) -> Result<Manifest> {
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
        Ok(Manifest {
            format: FORMAT,
            offset: state.offset,
            raw_offset,
            received_at_ms,
            earliest_ms: version.earliest_ms,
            workspace,
            partitions,
        })
    }

    /// Removes the files of a snapshot that could not be finished. If this fails too, the next snapshot removes them.
    fn sweep(&self) {
        if let Ok(manifest) = self.manifest() {
            let names = manifest.iter().flat_map(Manifest::names).collect::<Vec<_>>();
            let _ = self.remove_all_but(&names);
        }
    }

    /// Maps the large runs that are not in `former`, the files of the previous snapshot.
    fn map_new(&self, version: &Version, manifest: &Manifest, former: &WrittenFiles) -> Result<Mapped> {
        let mut mapped = Mapped::default();
        for (partition, files) in version.partitions.values().zip(manifest.partitions.values()) {
            let (number, people) = (partition.number, partition.people);
            for (run, entry) in large_events(partition).zip(&files.events) {
                if former.events(number, run).is_none() {
                    let mut mapped_run: EventRun = self.map(entry, people)?;
                    mapped_run.begin(run.cells.clone());
                    mapped.events.insert(Arc::as_ptr(run), Arc::new(mapped_run));
                }
            }
            for (run, entry) in large_changes(partition).zip(&files.changes) {
                if former.changes(number, run).is_none() {
                    let mut mapped_run: ChangeRun = self.map(entry, people)?;
                    mapped_run.begin(run.blocks.clone());
                    mapped.changes.insert(Arc::as_ptr(run), Arc::new(mapped_run));
                }
            }
        }
        Ok(mapped)
    }

    /// Returns a version that uses the mapped runs instead of those in memory.
    pub fn exchange(&mut self, version: &Version, mapped: &Mapped) -> Version {
        self.written.exchange(version, mapped)
    }

    /// Reads a partition.
    fn partition(&self, files: &Files) -> Result<Partition> {
        let head = self.read(&files.head, partition::get)?;
        if (head.events.len(), head.changes.len()) != (files.events.len(), files.changes.len()) {
            let path = self.folder.join(&files.head.name);
            return Err(damaged(&path, "it and the manifest disagree about its runs"));
        }
        let people = head.partition.people;
        let events = files.events.iter().map(|entry| self.map(entry, people));
        let changes = files.changes.iter().map(|entry| self.map(entry, people));
        let (events, changes) = (events.collect::<Result<_>>()?, changes.collect::<Result<_>>()?);
        let complete = head.complete(events, changes);
        complete.map_err(|detail| damaged(&self.folder.join(&files.head.name), detail))
    }

    /// Maps a large run; its checksum is verified when it is first read.
    fn map<R: StoredRun>(&self, entry: &FileEntry, people: u32) -> Result<R> {
        let path = self.folder.join(&entry.name);
        let file = open(&path)?;
        if file.metadata().map_err(Error::io(&path))?.len() != entry.bytes {
            return Err(damaged(&path, MISMATCH));
        }
        let file = MappedFile::of(&file).map_err(Error::io(&path))?;
        let mut run: R = decode(&path, &file, Stored::get)?;
        run.set_file_check(FileCheck::of(&path, &file, entry.crc32, people));
        Ok(run)
    }

    /// Writes the parts of a partition that are not in files yet.
    fn save_partition(&self, partition: &Arc<Partition>, state: SnapshotState) -> Result<Files> {
        let number = partition.number;
        if let Some(files) = self.written.files(partition) {
            return Ok(files.clone());
        }
        let events = self.save_new(&format!("events-{number}-{state}"), large_events(partition), |run| {
            self.written.events(number, run)
        })?;
        let changes = self.save_new(&format!("changes-{number}-{state}"), large_changes(partition), |run| {
            self.written.changes(number, run)
        })?;
        let head = self.save(&format!("partition-{number}-{state}"), |out| {
            partition::put(partition, out)
        })?;
        Ok(Files { head, events, changes })
    }

    /// Returns the files of runs, writing those that `written` does not know.
    fn save_new<'a, R: StoredRun + 'a>(
        &self,
        name: &str,
        runs: impl Iterator<Item = &'a Arc<R>>,
        written: impl Fn(&Arc<R>) -> Option<&'a FileEntry>,
    ) -> Result<Vec<FileEntry>> {
        let entry = |(at, run): (usize, &Arc<R>)| match written(run) {
            Some(entry) => Ok(entry.clone()),
            None => self.save(&format!("{name}-{at}"), |out| run.put(out)),
        };
        runs.enumerate().map(entry).collect()
    }

    /// Reads the manifest; `None` if there is none.
    fn manifest(&self) -> Result<Option<Manifest>> {
        let path = self.folder.join(MANIFEST);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            bytes => bytes.map_err(Error::io(&path))?,
        };
        let sealed = bytes
            .split_at_checked(9)
            .filter(|(checksum, json)| *checksum == format!("{:08x}\n", crc32fast::hash(json)).as_bytes());
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
        let manifest: Manifest = serde_json::from_slice(json).map_err(|error| damaged(&path, error))?;
        match manifest.offset {
            u64::MAX => Err(damaged(&path, "no log has so many frames")),
            _ => Ok(Some(manifest)),
        }
    }

    /// Replaces the manifest atomically.
    fn swap(&self, manifest: Manifest) -> Result<Manifest> {
        let (torn, path) = (self.folder.join(UNFINISHED_MANIFEST), self.folder.join(MANIFEST));
        let json = serde_json::to_vec_pretty(&manifest).map_err(|error| damaged(&path, error))?;
        let mut bytes = format!("{:08x}\n", crc32fast::hash(&json)).into_bytes();
        bytes.extend(json);
        // The names of the files must be durable before the manifest that names them, and the manifest before old files go.
        sync_folder(&self.folder)?;
        replace_file(&path, &torn, |file| file.write_all(&bytes).map_err(Error::io(&torn)))?;
        Ok(manifest)
    }

    /// Writes a file and returns its entry.
    fn save(&self, name: &str, put: impl FnOnce(&mut SectionWriter)) -> Result<FileEntry> {
        let name = format!("{name}.{EXTENSION}");
        let path = self.folder.join(&name);
        let write = || {
            let mut out = SectionWriter::create(&path)?;
            put(&mut out);
            out.finish()
        };
        let (bytes, crc32) = write().map_err(Error::io(&path))?;
        Ok(FileEntry { name, bytes, crc32 })
    }

    /// Reads a file and verifies its checksum.
    fn read<T>(
        &self,
        entry: &FileEntry,
        get: impl FnOnce(&mut SectionReader<'_>) -> sections::Decoded<T>,
    ) -> Result<T> {
        let path = self.folder.join(&entry.name);
        let file = open(&path)?;
        if length_and_crc(&file).map_err(Error::io(&path))? != (entry.bytes, entry.crc32) {
            return Err(damaged(&path, MISMATCH));
        }
        let file = MappedFile::of(&file).map_err(Error::io(&path))?;
        decode(&path, &file, get)
    }

    /// Removes files of previous or torn snapshots; files with other extensions stay.
    fn remove_all_but(&self, names: &[&str]) -> Result<()> {
        for file in fs::read_dir(&self.folder).map_err(Error::io(&self.folder))? {
            let path = file.map_err(Error::io(&self.folder))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let is_ours = name == UNFINISHED_MANIFEST || path.extension().is_some_and(|ending| ending == EXTENSION);
            if is_ours && !names.contains(&name) {
                fs::remove_file(&path).map_err(Error::io(&path))?;
            }
        }
        Ok(())
    }
}

const MISMATCH: &str = "its length or checksum does not fit the manifest";

/// Opens a file that the manifest names. Returns Corrupt if it is missing.
fn open(path: &Path) -> Result<File> {
    match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(damaged(path, "the manifest names it, but it is missing"))
        }
        file => file.map_err(Error::io(path)),
    }
}

/// Decodes a whole file.
fn decode<T>(
    path: &Path,
    file: &Arc<MappedFile>,
    get: impl FnOnce(&mut SectionReader<'_>) -> sections::Decoded<T>,
) -> Result<T> {
    let mut input = SectionReader::of(file);
    let value = get(&mut input).map_err(|detail| damaged(path, detail))?;
    match input.is_at_end() {
        true => Ok(value),
        false => Err(damaged(path, "it goes on after its end")),
    }
}
