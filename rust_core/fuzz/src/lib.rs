//! What the fuzz targets share: a small workspace to ask, and ways to change messages and plans that leave them readable.

pub mod message;
pub mod plans;
pub mod random;
pub mod seal;
// It is the engine's own, and finds these modules of the engine here.
#[path = "../../src/index/tests/encoded.rs"]
pub mod encoded;
pub mod engine_files;
pub mod world;

use quanyu_core::proto;

/// A folder in memory where there is such a thing, removed when it is dropped.
pub fn new_folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .expect("a temporary folder")
}
