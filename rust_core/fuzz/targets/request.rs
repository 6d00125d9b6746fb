//! Ingest requests: rejected with a reason, or accepted so that identity resolution and index can fold them.

#![no_main]

use std::sync::Arc;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use quanyu_core::error::{Error, Result};
use quanyu_core::identity::{PARTITION, Policy, Resolver};
use quanyu_core::index::Index;
use quanyu_core::ingest::{Ingestor, peek_workspace};
use quanyu_core::log::LocalLog;
use quanyu_fuzz::{message, plans, world};

const NOW: i64 = plans::AS_OF;

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else {
        return;
    };
    let folder = quanyu_fuzz::new_folder();
    let log = |name| Arc::new(LocalLog::create(&folder.path().join(name)).expect("a new log"));
    let raw = log("raw");
    let ingestor = Ingestor::open(raw.clone(), log("rejects"), &folder.path().join("keys")).expect("a new ingestor");
    ingestor
        .put_schema(&world::schema().encode(), NOW)
        .expect("a right schema");
    let sent: Result<()> = match kind {
        0 => {
            let _ = peek_workspace(bytes);
            ingestor.ingest(bytes, NOW).map(drop)
        }
        _ => ingestor.put_schema(bytes, NOW).map(drop),
    };
    match sent {
        Ok(()) => {}
        Err(Error::Invalid(_)) => return,
        Err(error) => panic!("{error}"),
    }
    let people = Resolver::open(&folder.path().join("identity"), Policy::default(), PARTITION).expect("nobody yet");
    let index = Index::follow(&folder.path().join("index")).expect("an empty folder");
    for (offset, frame) in raw.read(0, usize::MAX).expect("an undamaged log") {
        let resolved = people.fold(offset, &frame).expect("identity takes what was accepted");
        index
            .fold(&[(offset, &resolved)])
            .expect("the index takes what was accepted");
    }
    world::ask(&index.version()).expect("what was accepted can be asked");
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    message::mutate(data, size, max_size, seed)
});
