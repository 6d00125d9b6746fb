//! Frames of the logs: a decoded frame encodes to the same bytes, and a resolved frame can be folded and queried.

#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use quanyu_core::index::Index;
use quanyu_core::proto::frame::{RawFrame, RejectFrame, ResolvedFrame};
use quanyu_fuzz::{message, world};

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else {
        return;
    };
    match kind {
        0 => {
            let Ok(frame) = RawFrame::decode(bytes) else { return };
            assert_eq!(RawFrame::decode(&frame.encode()).expect("written by us"), frame);
        }
        1 => {
            let Ok(frame) = RejectFrame::decode(bytes) else { return };
            assert_eq!(RejectFrame::decode(&frame.encode()).expect("written by us"), frame);
        }
        _ => {
            let Ok(frame) = ResolvedFrame::decode(bytes) else {
                return;
            };
            assert_eq!(ResolvedFrame::decode(&frame.encode()).expect("written by us"), frame);
            file(bytes);
        }
    }
});

/// Folds the frame after those of a small workspace.
fn file(frame: &[u8]) {
    let folder = quanyu_fuzz::new_folder();
    let index = Index::follow(folder.path()).expect("an empty folder");
    world::fold(&index, &world::frames(6));
    if index.fold(&[(index.offset(), frame)]).is_ok() {
        world::ask(&index.version()).expect("what was filed can be asked");
    }
}

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    message::mutate(data, size, max_size, seed)
});
