//! Compaction changes no answers.

use proptest::prelude::*;
use tempfile::tempdir;

use super::fixtures::answers::answers;
use super::fixtures::folding::{fold, settle};
use super::fixtures::invariants::check_runs;
use super::fixtures::random_history::{frames, plan_operations, steps};
use crate::index::Index;

proptest! {
    #![proptest_config(crate::testing::cases(60))]

    #[test]
    fn compaction_does_not_change_answers(
        steps in steps(), size in 1..4usize, cut in any::<prop::sample::Index>(), snapshot in any::<bool>()
    ) {
        let frames = frames(&plan_operations(&steps), size);
        let cut = cut.index(frames.len() + 1);
        let folder = tempdir().unwrap();
        let index = Index::open(folder.path()).unwrap();
        fold(&index, &frames[..cut], 1);
        if snapshot {
            index.snapshot().unwrap();
        }
        let before = answers(&index.version());
        settle(&index);
        prop_assert_eq!(answers(&index.version()), before);
        fold(&index, &frames[cut..], 1);
        let before = answers(&index.version());
        settle(&index);
        prop_assert_eq!(answers(&index.version()), before);
        check_runs(&index.version());
    }
}
