//! Snapshot files with one file mutated under a valid checksum: opening reports damage, or queries and folds work.

#![no_main]

use std::path::Path;
use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use quanyu_core::error::{Error, Result};
use quanyu_core::eval::Limits;
use quanyu_core::identity::{PARTITION, Policy, Resolver};
use quanyu_core::index::Index;
use quanyu_core::live::Live;
use quanyu_fuzz::engine_files::Written;
use quanyu_fuzz::plans;
use quanyu_fuzz::world;

static WRITTEN: LazyLock<Written> = LazyLock::new(|| Written::new().expect("a temporary folder"));

fuzz_target!(|bytes: &[u8]| {
    let Some((&number, contents)) = bytes.split_first() else {
        return;
    };
    let folder = quanyu_fuzz::new_folder();
    WRITTEN.put(folder.path(), usize::from(number), contents);
    let index = usize::from(number) + 2 < WRITTEN.contents().len();
    said(if index {
        open_index(folder.path())
    } else {
        open_others(folder.path())
    });
});

fn said(outcome: Result<()>) {
    match outcome {
        Ok(()) | Err(Error::Corrupt { .. } | Error::Unsupported(_) | Error::Invalid(_) | Error::OverBudget { .. }) => {}
        Err(error) => panic!("{error}"),
    }
}

fn open_index(folder: &Path) -> Result<()> {
    let index = Index::open(&folder.join("index"))?;
    let asked = world::ask(&index.version());
    for frame in &world::frames(world::FEW)[1..] {
        index.fold(&[(index.offset(), frame)])?;
    }
    index.snapshot()?;
    asked
}

fn open_others(folder: &Path) -> Result<()> {
    let people = Resolver::open(&folder.join("identity"), Policy::default(), PARTITION)?;
    for person in world::people(world::FEW) {
        people.person(person);
    }
    people.violations(0, 10);
    let resolved = people.fold(people.offset(), &world::raw_frames()[1])?;
    assert!(!resolved.is_empty());
    people.snapshot()?;

    let live = Live::open(&folder.join("live"))?;
    let empty = quanyu_fuzz::new_folder();
    let index = Index::follow(empty.path())?;
    world::fold(&index, &world::frames(world::FEW));
    for (number, root) in plans::roots().iter().enumerate() {
        live.put(&format!("segment {number}"), 2, root.to_string().as_bytes())?;
    }
    for frame in live
        .step(Arc::clone(&index.version()), plans::AS_OF, &Limits::none())?
        .unwrap_or_default()
    {
        live.fold(live.offset(), &frame)?;
    }
    live.save()
}
