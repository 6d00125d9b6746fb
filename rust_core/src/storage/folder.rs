//! Makes changes to a folder durable.

use std::fs::File;
use std::path::Path;

use crate::error::{Error, Result};

/// A new file is only there after a power cut if its folder was synced.
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
