//! Merging beside the folding changes nothing that can be asked, and leaves few runs.

use proptest::prelude::*;
use tempfile::tempdir;

use super::deeds::{decide, frames, steps};
use super::equivalence::{fold, told};
use super::order::check_runs;
use crate::index::Index;
use crate::index::merging::left;
use crate::index::view::Version;

fn is_merged(version: &Version) -> bool {
    version.partitions.values().all(|partition| {
        let mut events = partition.events.values();
        let mut attributes = partition.attributes.values();
        events.all(|of_type| left(&of_type.runs).is_none())
            && attributes.all(|attribute| left(&attribute.runs).is_none())
    })
}

/// Folds nothing until no runs are left to be merged.
fn settle(index: &Index) {
    while !is_merged(&index.version()) {
        index.fold(&[]).unwrap();
        std::thread::yield_now();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn merged_runs_say_what_their_parts_said(
        steps in steps(), size in 1..4usize, cut in any::<prop::sample::Index>(), snapshot in any::<bool>()
    ) {
        let frames = frames(&decide(&steps), size);
        let cut = cut.index(frames.len() + 1);
        let folder = tempdir().unwrap();
        let index = Index::open(folder.path()).unwrap();
        fold(&index, &frames[..cut], 1);
        if snapshot {
            index.snapshot().unwrap();
        }
        let before = told(&index.version());
        settle(&index);
        prop_assert_eq!(told(&index.version()), before);
        fold(&index, &frames[cut..], 1);
        let before = told(&index.version());
        settle(&index);
        prop_assert_eq!(told(&index.version()), before);
        check_runs(&index.version());
    }
}
