//! Files that are checked when what they hold is first read, so that opening them takes no longer the more there is in them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::buffer::MappedFile;
use crate::error::{Error, Result};

/// Of a run: the mapped file that its columns lie in, if they do.
#[derive(Clone, Default)]
pub struct Seal(Option<Arc<Sealed>>);

struct Sealed {
    path: PathBuf,
    file: Arc<MappedFile>,
    crc32: u32,
    /// Ordinals of the partition.
    people: u32,
    is_intact: OnceLock<bool>,
}

impl Seal {
    pub fn of(path: &Path, file: &Arc<MappedFile>, crc32: u32, people: u32) -> Seal {
        Seal(Some(Arc::new(Sealed {
            path: path.to_owned(),
            file: file.clone(),
            crc32,
            people,
            is_intact: OnceLock::new(),
        })))
    }

    /// Corrupt, naming the file, if it is damaged. The file is read once; `is_valid` is asked then too, with the partition's
    /// number of ordinals.
    pub fn check(&self, is_valid: impl FnOnce(u32) -> bool) -> Result<()> {
        let Some(sealed) = &self.0 else { return Ok(()) };
        let is_intact = || crc32fast::hash(&sealed.file) == sealed.crc32 && is_valid(sealed.people);
        match sealed.is_intact.get_or_init(is_intact) {
            true => Ok(()),
            false => Err(damaged(&sealed.path, "its checksum does not fit the manifest")),
        }
    }
}

/// What is wrong with a file of a snapshot, and what to do.
pub fn damaged(path: &Path, detail: impl ToString) -> Error {
    let detail = format!(
        "{}; remove the folder to have it rebuilt from the log",
        detail.to_string()
    );
    Error::Corrupt {
        path: path.to_owned(),
        detail,
    }
}
