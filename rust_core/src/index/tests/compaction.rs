//! Merging beside the folding changes nothing that can be asked, and leaves few runs.

use proptest::prelude::*;
use tempfile::tempdir;

use super::equivalence::{fold, settle, told};
use super::invariants::check_runs;
use super::random_history::{decide, frames, steps};
use crate::index::Index;

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
