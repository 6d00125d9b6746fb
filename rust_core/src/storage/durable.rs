//! Makes changes to files and folders durable.

use std::fs::{self, File};
use std::path::Path;

use crate::error::{Error, Result};

/// Replaces a file atomically: after a crash at any moment, `path` names the old contents or the new ones, whole.
///
/// Writes the new contents to `draft`, which must be in the same folder, syncs it, renames it to `path` and syncs the folder.
/// A crash can leave `draft` behind; the owner of the folder removes it.
pub fn replace_file<T>(path: &Path, draft: &Path, write: impl FnOnce(&mut File) -> Result<T>) -> Result<T> {
    let mut file = File::create(draft).map_err(Error::io(draft))?;
    let written = write(&mut file)?;
    file.sync_all().map_err(Error::io(draft))?;
    fs::rename(draft, path).map_err(Error::io(path))?;
    sync_folder(path.parent().unwrap_or(Path::new("")))?;
    Ok(written)
}

/// Syncs a folder: only then are the names of its new files durable.
pub fn sync_folder(folder: &Path) -> Result<()> {
    // The parent of a relative name is ''.
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    File::open(folder)
        .and_then(|file| file.sync_all())
        .map_err(Error::io(folder))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_contents() {
        let folder = tempfile::tempdir().unwrap();
        let (path, draft) = (folder.path().join("state"), folder.path().join("state.draft"));
        replace_file(&path, &draft, |file| file.write_all(b"old").map_err(Error::io(&draft))).unwrap();
        let failed = replace_file(&path, &draft, |file| {
            file.write_all(b"ne").map_err(Error::io(&draft))?;
            Err::<(), _>(Error::Invalid("the new contents cannot be encoded".into()))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        replace_file(&path, &draft, |file| file.write_all(b"new").map_err(Error::io(&draft))).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert!(!draft.exists());
    }
}
