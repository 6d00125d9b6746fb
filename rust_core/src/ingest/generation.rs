//! A sealed generation of keys: an immutable file of sorted (key, contents) pairs in checksummed pages.
//!
//! A Bloom filter and an index stay in memory (about 1.4 bytes for each key). The file records the raw offset that it covers and the
//! schema at this offset, so that the fold can continue from there.
//!
//! File: pages; the summary (a message: see `Summary`); its length and CRC32; the magic with the version.

use std::fs::File;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::bloom_filter::Filter;
use crate::error::{Error, Result};
use crate::proto::wire::{Reader, put_bytes, put_number};
use crate::storage::durable::replace_file;

/// A 128-bit hash of an idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub high: u64,
    pub low: u64,
}

impl From<[u64; 2]> for Key {
    fn from([high, low]: [u64; 2]) -> Self {
        Key { high, low }
    }
}

/// Hashes a key to its low word: keys are hashes already.
#[derive(Default)]
pub struct LowWord(u64);
pub type KeyHash = BuildHasherDefault<LowWord>;

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.low);
    }
}

impl Hasher for LowWord {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = word;
    }

    fn write(&mut self, _: &[u8]) {}
}

const MAGIC: [u8; 8] = *b"QYKEYS\0\x01";
const FOOTER: usize = 16;
const PAGE: usize = 4096;
const ENTRY: usize = 24;
/// The number of entries in a page. Zeros follow them; the last four bytes are the CRC-32 of all before.
const ENTRIES: usize = (PAGE - 4) / ENTRY;

/// An open generation.
pub struct Generation {
    path: PathBuf,
    file: File,
    pub summary: Summary,
    filter: Filter,
}

/// A key and the hash of its contents.
pub type Entry = (Key, u64);

/// The metadata of a generation, which is read without its pages.
#[derive(Default)]
pub struct Summary {
    /// The keys of all raw frames before this offset are in this generation or in earlier ones.
    pub covers: u64,
    /// When the newest key arrived, in ms since the epoch.
    pub newest_ms: i64,
    /// The encoded schema at `covers`.
    pub schema: Vec<u8>,
    /// The number of keys.
    pub count: u64,
    /// The high word of each page's first key.
    pub firsts: Vec<u64>,
}

impl Generation {
    /// Writes a new file atomically.
    ///
    /// `entries` are sorted, with unique keys, and at most `most`. `summary` tells what they cover.
    pub fn create(
        path: PathBuf,
        entries: impl Iterator<Item = Result<Entry>>,
        most: usize,
        summary: Summary,
    ) -> Result<Generation> {
        let unfinished = path.with_extension("new");
        let (summary, filter) = replace_file(&path, &unfinished, |file| {
            write(&unfinished, file, entries, most, summary)
        })?;
        let file = File::open(&path).map_err(Error::io(&path))?;
        Ok(Generation {
            path,
            file,
            summary,
            filter,
        })
    }

    /// Opens a file; returns `Error::Corrupt` if its summary is damaged. Pages are checked when they are read.
    pub fn open(path: PathBuf) -> Result<Generation> {
        let io = || Error::io(&path);
        let file = File::open(&path).map_err(io())?;
        let length = file.metadata().map_err(io())?.len();
        let damaged = |detail: &str| Error::Corrupt {
            path: path.clone(),
            detail: format!("{detail}; delete this folder to rebuild it from the raw log"),
        };
        let body = length
            .checked_sub(FOOTER as u64)
            .ok_or_else(|| damaged("it is too short"))?;
        let mut footer = [0; FOOTER];
        file.read_exact_at(&mut footer, body).map_err(io())?;
        if footer[8..] != MAGIC {
            return Err(damaged("it is not a file of keys of this version"));
        }
        let number = |at: usize| u32::from_le_bytes([footer[at], footer[at + 1], footer[at + 2], footer[at + 3]]);
        let start = body.checked_sub(u64::from(number(0)));
        let start = start.ok_or_else(|| damaged("its summary is truncated"))?;
        let mut bytes = vec![0; number(0) as usize];
        file.read_exact_at(&mut bytes, start).map_err(io())?;
        if crc32fast::hash(&bytes) != number(4) {
            return Err(damaged("its summary's checksum is wrong"));
        }
        let (summary, filter) = Summary::decode(&bytes)?;
        if start != (summary.firsts.len() * PAGE) as u64 {
            return Err(damaged("pages are missing"));
        }
        Ok(Generation {
            path,
            file,
            summary,
            filter,
        })
    }

    /// Returns whether the generation may contain the key; false is certain.
    pub fn may_contain(&self, key: Key) -> bool {
        self.filter.may_contain(key.high)
    }

    /// Returns the content hash of the key.
    pub fn find(&self, key: Key) -> Result<Option<u64>> {
        // Keys with the same high word can span pages.
        let firsts = &self.summary.firsts;
        let from = firsts.partition_point(|first| *first < key.high).saturating_sub(1);
        let to = firsts.partition_point(|first| *first <= key.high);
        for page in from..to {
            if let Some(contents) = self.find_in(page, key)? {
                return Ok(Some(contents));
            }
        }
        Ok(None)
    }

    fn find_in(&self, page: usize, key: Key) -> Result<Option<u64>> {
        let page = self.page(page)?;
        let found = page.entries().binary_search_by_key(&key, |entry| decode(entry).0);
        Ok(found.ok().map(|at| decode(&page.entries()[at]).1))
    }

    fn page(&self, number: usize) -> Result<Page> {
        let mut bytes = [0; PAGE];
        let read = self.file.read_exact_at(&mut bytes, (number * PAGE) as u64);
        read.map_err(Error::io(&self.path))?;
        let (held, check) = bytes.split_at(PAGE - 4);
        if crc32fast::hash(held).to_le_bytes() != *check {
            return Err(Error::Corrupt {
                path: self.path.clone(),
                detail: format!("page {number}'s checksum is wrong; delete this folder to rebuild it from the raw log"),
            });
        }
        let count = (self.summary.count as usize)
            .saturating_sub(number * ENTRIES)
            .min(ENTRIES);
        Ok(Page { bytes, count })
    }

    /// Returns all entries in order.
    pub fn entries(&self) -> impl Iterator<Item = Result<Entry>> {
        let pages = (0..self.summary.firsts.len()).map(|number| self.page(number));
        pages.flat_map(|page| match page {
            Ok(page) => page.entries().iter().map(|entry| Ok(decode(entry))).collect(),
            Err(error) => vec![Err(error)],
        })
    }

    pub fn remove(&self) -> Result<()> {
        std::fs::remove_file(&self.path).map_err(Error::io(&self.path))
    }
}

struct Page {
    bytes: [u8; PAGE],
    count: usize,
}

impl Page {
    fn entries(&self) -> &[[u8; ENTRY]] {
        let (entries, _) = self.bytes[..PAGE - 4].as_chunks::<ENTRY>();
        &entries[..self.count]
    }
}

fn decode(entry: &[u8; ENTRY]) -> (Key, u64) {
    let (words, _) = entry.as_chunks::<8>();
    let word = |at: usize| u64::from_le_bytes(words[at]);
    (
        Key {
            high: word(0),
            low: word(1),
        },
        word(2),
    )
}

/// Writes the file; returns the completed summary and the filter.
fn write(
    path: &Path,
    file: &mut File,
    entries: impl Iterator<Item = Result<Entry>>,
    most: usize,
    mut summary: Summary,
) -> Result<(Summary, Filter)> {
    let io = || Error::io(path);
    let mut filter = Filter::new(most);
    let mut out = BufWriter::with_capacity(1 << 20, file);
    let mut page = Vec::with_capacity(PAGE);
    for entry in entries {
        let (key, contents) = entry?;
        if page.is_empty() {
            summary.firsts.push(key.high);
        }
        page.extend([key.high, key.low, contents].iter().flat_map(|word| word.to_le_bytes()));
        filter.add(key.high);
        summary.count += 1;
        if page.len() == ENTRIES * ENTRY {
            end_page(&mut out, &mut page).map_err(io())?;
        }
    }
    if !page.is_empty() {
        end_page(&mut out, &mut page).map_err(io())?;
    }
    write_footer(out, &summary.encode(&filter)).map_err(io())?;
    Ok((summary, filter))
}

fn end_page(out: &mut impl Write, page: &mut Vec<u8>) -> std::io::Result<()> {
    page.resize(PAGE - 4, 0);
    let check = crc32fast::hash(page);
    page.extend(check.to_le_bytes());
    out.write_all(page)?;
    page.clear();
    Ok(())
}

fn write_footer(mut out: impl Write, summary: &[u8]) -> std::io::Result<()> {
    out.write_all(summary)?;
    out.write_all(&(summary.len() as u32).to_le_bytes())?;
    out.write_all(&crc32fast::hash(summary).to_le_bytes())?;
    out.write_all(&MAGIC)?;
    out.flush()
}

impl Summary {
    fn encode(&self, filter: &Filter) -> Vec<u8> {
        let mut out = Vec::new();
        put_number(&mut out, 1, self.covers);
        put_number(&mut out, 2, self.newest_ms as u64);
        put_bytes(&mut out, 3, &self.schema);
        put_number(&mut out, 4, self.count);
        put_bytes(&mut out, 5, bytemuck::cast_slice(&self.firsts));
        put_bytes(&mut out, 6, filter.bytes());
        out
    }

    fn decode(bytes: &[u8]) -> Result<(Summary, Filter)> {
        let (mut summary, mut filter) = (Summary::default(), Filter::default());
        let mut reader = Reader::new(bytes);
        while let Some((field, wire)) = reader.field()? {
            match field {
                1 => summary.covers = wire.number()?,
                2 => summary.newest_ms = wire.number()? as i64,
                3 => summary.schema = wire.bytes()?.to_vec(),
                4 => summary.count = wire.number()?,
                5 => {
                    let (words, _) = wire.bytes()?.as_chunks::<8>();
                    summary.firsts = words.iter().map(|word| u64::from_ne_bytes(*word)).collect();
                }
                6 => filter = Filter::from_bytes(wire.bytes()?),
                _ => {}
            }
        }
        Ok((summary, filter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn create(path: PathBuf, entries: &[Entry]) -> Generation {
        let summary = Summary {
            covers: 7,
            newest_ms: 8,
            schema: b"schema".to_vec(),
            ..Summary::default()
        };
        Generation::create(path, entries.iter().copied().map(Ok), entries.len(), summary).unwrap()
    }

    fn entries(words: &[(u64, u64)]) -> Vec<(Key, u64)> {
        let mut entries: Vec<_> = words
            .iter()
            .map(|(high, low)| (Key { high: *high, low: *low }, high ^ low))
            .collect();
        entries.sort_unstable();
        entries.dedup_by_key(|(key, _)| *key);
        entries
    }

    proptest! {
        #![proptest_config(crate::testing::cases(24))]

        /// Uses small high words, so that many keys share them across pages.
        #[test]
        fn a_generation_finds_exactly_its_keys(words in prop::collection::vec((0..6u64, 0..2000u64), 0..1500), other in (0..8u64, 0..2500u64)) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("1.keys");
            let entries = entries(&words);
            let made = create(path.clone(), &entries);
            let opened = Generation::open(path).unwrap();
            prop_assert_eq!((opened.summary.covers, opened.summary.newest_ms), (7, 8));
            prop_assert_eq!(&opened.summary.schema, b"schema");
            for generation in [made, opened] {
                prop_assert_eq!(generation.entries().map(Result::unwrap).collect::<Vec<_>>(), entries.clone());
                for (key, contents) in &entries {
                    prop_assert!(generation.may_contain(*key));
                    prop_assert_eq!(generation.find(*key).unwrap(), Some(*contents));
                }
                let other = Key { high: other.0, low: other.1 };
                let held = entries.iter().find(|(key, _)| *key == other).map(|(_, contents)| *contents);
                prop_assert_eq!(generation.find(other).unwrap(), held);
            }
        }
    }

    #[test]
    fn damage_at_any_byte_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.keys");
        let entries = entries(&(0..300).map(|at| (at << 50, at)).collect::<Vec<_>>());
        create(path.clone(), &entries);
        let whole = std::fs::read(&path).unwrap();
        for at in (0..whole.len()).step_by(7) {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            std::fs::write(&path, bytes).unwrap();
            let read = Generation::open(path.clone())
                .and_then(|opened| entries.iter().try_for_each(|(key, _)| opened.find(*key).map(drop)));
            assert!(matches!(read, Err(Error::Corrupt { .. })), "byte {at}");
        }
        for length in (0..whole.len()).step_by(97) {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(Generation::open(path.clone()).is_err());
        }
    }
}
