//! Shared by the fuzz targets: a small workspace, and mutations of messages and plans that keep them decodable.

pub mod message;
pub mod plans;
pub mod random;
pub mod seal;
// This test fixture of the engine refers to these modules.
#[path = "../../src/index/tests/fixtures/encoded.rs"]
pub mod encoded;
pub mod engine_files;
pub mod world;

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use quanyu_core::proto;

/// Returns a new folder, in memory if possible, that is removed when dropped. Its name is not random: names steer code paths.
pub fn new_folder() -> tempfile::TempDir {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("quanyu-fuzz-{}-{}", std::process::id(), COUNT.fetch_add(1, Relaxed));
    let mut builder = tempfile::Builder::new();
    builder.prefix(&name).rand_bytes(0);
    builder
        .tempdir_in("/dev/shm")
        .or_else(|_| builder.tempdir())
        .expect("a temporary folder")
}

/// Replaces the random numbers of the system, so that hash seeds are the same in each run.
///
/// # Safety
///
/// `buffer` is valid for writes of `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getrandom(buffer: *mut u8, length: usize, _flags: u32) -> isize {
    unsafe { buffer.write_bytes(1, length) };
    length as isize
}
