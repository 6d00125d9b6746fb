//! Measures queries on an index in memory and on one mapped from its snapshot, next to the time to read as many bytes.
//! Run with `cargo bench --bench segments`.
//!
//! `PEOPLE` (default 1,000,000) people have ten times as many events in 180 days. Most events are of browsing; few people cause most.

mod live;
mod questions;
mod timing;
mod world;

use std::path::Path;
use std::process::Command;

use quanyu_core::error::{Error, Result};
use quanyu_core::eval::{Limits, explain};
use quanyu_core::index::Index;
use serde_json::Value as Json;

use questions::{all, among, plan, questions};
use timing::{Took, ask, changes, reading_ms, resident, seconds};
use world::load;

/// The allocator of the extension module.
#[cfg(not(feature = "python"))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The environment variable with the folder that a second process opens.
const REOPENED: &str = "REOPENED";

/// Evicts the files of a folder from the page cache, as after a restart of the machine.
fn forget_pages(folder: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let file = std::fs::File::open(entry?.path())?;
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
        bytes += file.metadata()?.len();
    }
    Ok(bytes)
}

/// Measures a new process that opens the folder.
fn reopened(folder: &Path) -> Result<()> {
    let index = seconds("opened", || Index::open(folder))?;
    println!("{:<24} {:>12} {:>12}", "", "first", "then");
    for (name, cond) in &questions() {
        let (Took { first, median }, matched) = ask(&index, &[(name, cond)])?;
        println!("{name:<24} {first:>9.2} ms {median:>9.2} ms   {matched:>9} people");
    }
    println!("resident {}", resident());
    Ok(())
}

/// Runs this program again on a folder.
fn reopen(folder: &Path, pages: &str) -> std::io::Result<()> {
    println!("\n{pages}");
    let status = Command::new(std::env::current_exe()?).env(REOPENED, folder).status()?;
    assert!(status.success());
    Ok(())
}

fn segments(index: &Index, questions: &[(&str, Json)]) -> Result<()> {
    let many: Vec<(String, Json)> = (0..1000u64)
        .map(|number| {
            let city = format!("city {}", number % 100);
            let cond = all(vec![
                among("city", &[&city]),
                questions[(number % 8) as usize].1.clone(),
            ]);
            (format!("segment {number}"), cond)
        })
        .collect();
    let many: Vec<(&str, &Json)> = many.iter().map(|(name, cond)| (&name[..], cond)).collect();
    println!("a thousand segments      {:>9.2} ms", ask(index, &many)?.0.median);
    println!("who joined and left      {:>9.2} ms", changes(index, &many)?);
    live::steps(index, &many)
}

fn main() -> Result<()> {
    if let Some(folder) = std::env::var_os(REOPENED) {
        return reopened(Path::new(&folder));
    }
    let people: u64 = std::env::var("PEOPLE")
        .ok()
        .and_then(|people| people.parse().ok())
        .unwrap_or(1_000_000);
    let questions = questions();
    let folder = tempfile::tempdir().map_err(Error::io(std::env::temp_dir()))?;
    let folder = folder.path();
    let index = load(people, folder)?;
    println!("resident {}", resident());
    println!("reading a byte a person takes {:.3} ms", reading_ms(people as usize));
    for (name, cond) in &questions {
        let (Took { median, .. }, matched) = ask(&index, &[(name, cond)])?;
        let plan = plan(&[(name, cond)]);
        let bytes = explain(&index.version(), plan.as_bytes(), &Limits::none())?.1.bytes();
        let (read, share) = (bytes as f64 / people as f64, reading_ms(bytes as usize));
        println!(
            "{name:<24} {median:>9.2} ms   {share:>9.2} ms to read {read:>6.2} bytes a person   {matched:>9} people"
        );
    }
    segments(&index, &questions)?;
    seconds("snapshot", || index.snapshot())?;
    println!(
        "{} bytes in memory beside the files",
        index.version().statistics()["bytes"]
    );
    drop(index);
    reopen(folder, "Opened again, with its files in the page cache").map_err(Error::io(folder))?;
    let bytes = forget_pages(folder).map_err(Error::io(folder))?;
    println!(
        "{} bytes an event on disk, ids and attributes included",
        bytes / (10 * people)
    );
    reopen(folder, "Opened again, from the disk").map_err(Error::io(folder))
}
