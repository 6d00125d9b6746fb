//! Files of the engine whose contents the fuzzer replaces.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use quanyu_core::error::Result;
use quanyu_core::eval::Limits;
use quanyu_core::identity::{PARTITION, Policy, Resolver};
use quanyu_core::index::Index;
use quanyu_core::index::view::Version;
use quanyu_core::live::Live;
use serde_json::Value as Json;

use crate::{plans, seal, world};

const MANIFEST: &str = "manifest";
/// The bytes before the JSON of a manifest.
const SEAL: usize = 9;
/// The bytes after the contents of the other two files.
const DIGEST: usize = 8;

/// The files of an index, an identity graph and live memberships.
pub struct Written {
    index: BTreeMap<String, Vec<u8>>,
    identity: (String, Vec<u8>),
    memberships: Vec<u8>,
}

impl Written {
    pub fn new() -> Result<Written> {
        let folder = crate::new_folder();
        let [index, identity, live] = ["index", "identity", "live"].map(|name| folder.path().join(name));
        save_index(&index)?;
        save_identity(&identity)?;
        save_live(&live)?;
        let files = |folder: &Path| -> BTreeMap<String, Vec<u8>> {
            let entries = fs::read_dir(folder)
                .expect("a folder")
                .map(|entry| entry.expect("an entry"));
            let file = |entry: fs::DirEntry| {
                let name = entry.file_name().into_string().expect("a plain name");
                (name, fs::read(entry.path()).expect("a file"))
            };
            entries.map(file).collect()
        };
        Ok(Written {
            index: files(&index),
            identity: files(&identity).pop_first().expect("a snapshot"),
            memberships: files(&live).pop_first().expect("memberships").1,
        })
    }

    /// Returns the contents that can be replaced, without their checksum, in the order of the numbers that `put` takes.
    pub fn contents(&self) -> Vec<&[u8]> {
        let index = self.index.iter().map(|(name, bytes)| match name.as_str() {
            MANIFEST => &bytes[SEAL..],
            _ => &bytes[..],
        });
        let others = [&self.identity.1, &self.memberships].map(|bytes| &bytes[..bytes.len() - DIGEST]);
        index.chain(others).collect()
    }

    /// Writes all files to folders in `folder`; the file with this number gets other contents and a valid checksum.
    pub fn put(&self, folder: &Path, number: usize, contents: &[u8]) {
        let [index, identity, live] = ["index", "identity", "live"].map(|name| {
            let folder = folder.join(name);
            fs::create_dir_all(&folder).expect("a folder");
            folder
        });
        let put = |path: &Path, bytes: &[u8]| fs::write(path, bytes).expect("a file");
        let mut manifest = self.index[MANIFEST][SEAL..].to_vec();
        for (at, (name, bytes)) in self.index.iter().enumerate() {
            match (at == number, name.as_str()) {
                (true, MANIFEST) => manifest = contents.to_vec(),
                (true, name) => {
                    let mut json: Json = serde_json::from_slice(&manifest).expect("a manifest");
                    seal::set_entry(&mut json, name, contents);
                    manifest = json.to_string().into_bytes();
                    put(&index.join(name), contents);
                }
                (false, MANIFEST) => {}
                (false, name) => put(&index.join(name), bytes),
            }
        }
        put(&index.join(MANIFEST), &seal::manifest(&manifest));
        let sealed = |at: usize, bytes: &[u8]| match at == number {
            true => seal::with_digest(contents),
            false => bytes.to_vec(),
        };
        put(
            &identity.join(&self.identity.0),
            &sealed(self.index.len(), &self.identity.1),
        );
        put(
            &live.join("memberships"),
            &sealed(self.index.len() + 1, &self.memberships),
        );
    }
}

fn save_index(folder: &Path) -> Result<()> {
    let index = Index::open(folder)?;
    world::fold(&index, &world::frames(world::FEW));
    // Totals are computed in the background, and a later fold installs them.
    while are_due(&index.version()) {
        std::thread::yield_now();
        index.fold(&[])?;
    }
    index.snapshot()
}

fn are_due(version: &Version) -> bool {
    let partitions = version.partitions.values();
    let mut events = partitions.flat_map(|partition| partition.events.values());
    events.any(|events| events.totals.due_runs(&events.runs, None).is_some())
}

fn save_identity(folder: &Path) -> Result<()> {
    let people = Resolver::open(folder, Policy::default(), PARTITION)?;
    for (offset, frame) in world::raw_frames().iter().enumerate() {
        people.fold(offset as u64, frame)?;
    }
    people.snapshot()
}

fn save_live(folder: &Path) -> Result<()> {
    let empty = crate::new_folder();
    let index = Index::follow(empty.path())?;
    world::fold(&index, &world::frames(world::FEW));
    let live = Live::open(folder)?;
    for (number, root) in plans::roots().iter().enumerate() {
        live.put(&format!("segment {number}"), 1, root.to_string().as_bytes())?;
    }
    for frame in live
        .step(Arc::clone(&index.version()), plans::AS_OF, &Limits::none())?
        .unwrap_or_default()
    {
        live.fold(live.offset(), &frame)?;
    }
    live.settle();
    live.save()
}
