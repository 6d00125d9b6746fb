//! Checks mapped files when they are first read, so that the time to open a snapshot does not grow with its size.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::buffer::MappedFile;
use crate::error::{Error, Result};

/// The mapped file that contains the columns of a run, if they are mapped.
#[derive(Clone, Default)]
pub struct FileCheck(Option<Arc<CheckedFile>>);

struct CheckedFile {
    path: PathBuf,
    file: Arc<MappedFile>,
    crc32: u32,
    /// The number of ordinals of the partition.
    people: u32,
    is_intact: OnceLock<bool>,
}

impl FileCheck {
    pub fn of(path: &Path, file: &Arc<MappedFile>, crc32: u32, people: u32) -> FileCheck {
        FileCheck(Some(Arc::new(CheckedFile {
            path: path.to_owned(),
            file: file.clone(),
            crc32,
            people,
            is_intact: OnceLock::new(),
        })))
    }

    /// Returns `Error::Corrupt` if the file is damaged.
    ///
    /// The first call reads the file and calls `is_valid` with the number of ordinals of the partition.
    pub fn check(&self, is_valid: impl FnOnce(u32) -> bool) -> Result<()> {
        let Some(checked) = &self.0 else { return Ok(()) };
        let is_intact = || crc32fast::hash(&checked.file) == checked.crc32 && is_valid(checked.people);
        match checked.is_intact.get_or_init(is_intact) {
            true => Ok(()),
            false => Err(damaged(&checked.path, "its checksum does not match the manifest")),
        }
    }
}

/// Returns the error of a damaged snapshot file, with advice.
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
