//! Past versions equal an index that folded only the frames before the offset.

use std::sync::Arc;

use proptest::prelude::*;
use tempfile::tempdir;

use super::fixtures::answers::answers;
use super::fixtures::folding::fold;
use super::fixtures::invariants::check_runs;
use super::fixtures::random_history::{Step, frames, plan_operations, steps};
use crate::index::Index;
use crate::index::view::Items;

proptest! {
    #![proptest_config(crate::testing::cases(40))]

    #[test]
    fn known_at_equals_an_index_that_folded_only_the_prefix(
        steps in steps(), size in 1..9usize, at_once in 1..9usize, also_at_once in 1..9usize
    ) {
        let frames = frames(&plan_operations(&steps), size);
        let folders = (tempdir().unwrap(), tempdir().unwrap());
        let (all, prefix) = (Index::open(folders.0.path()).unwrap(), Index::open(folders.1.path()).unwrap());
        fold(&all, &frames, at_once);
        let now = all.version();
        for part in frames.chunks(also_at_once) {
            let at = prefix.offset();
            let (known, asked_then) = (now.known_at(at).unwrap(), prefix.version());
            prop_assert_eq!(answers(&known), answers(&asked_then));
            prop_assert_eq!(known.digest().unwrap(), asked_then.digest().unwrap(), "at {}", at);
            fold(&prefix, part, also_at_once);
        }
        for (at, _) in frames.iter().enumerate() {
            let known = now.known_at(at as u64).unwrap();
            check_runs(&known);
            prop_assert_eq!(known.epoch.raw_offset, at as u64);
            prop_assert_eq!(now.known_at(at as u64 + 1).unwrap().known_at(at as u64).unwrap().digest().unwrap(), known.digest().unwrap());
        }
        prop_assert!(Arc::ptr_eq(&now.known_at(frames.len() as u64).unwrap(), &now));
        prop_assert_eq!(now.digest().unwrap(), prefix.version().digest().unwrap());
    }

    #[test]
    fn snapshots_preserve_past_versions(steps in steps(), size in 1..9usize, cut in any::<prop::sample::Index>()) {
        let frames = frames(&plan_operations(&steps), size);
        let folders = (tempdir().unwrap(), tempdir().unwrap());
        let uninterrupted = Index::open(folders.0.path()).unwrap();
        fold(&uninterrupted, &frames, 2);
        let index = Index::open(folders.1.path()).unwrap();
        let cut = cut.index(frames.len() + 1);
        fold(&index, &frames[..cut], 2);
        index.snapshot().unwrap();
        let reopened = Index::open(folders.1.path()).unwrap();
        fold(&reopened, &frames[cut..], 2);
        for at in 0..=frames.len() as u64 {
            let (one, other) = (uninterrupted.version().known_at(at).unwrap(), reopened.version().known_at(at).unwrap());
            prop_assert_eq!(one.digest().unwrap(), other.digest().unwrap());
        }
        prop_assert_eq!(answers(&uninterrupted.version()), answers(&reopened.version()));
    }
}

#[test]
fn past_versions_are_cached_and_future_offsets_rejected() {
    let folder = tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap();
    fold(
        &index,
        &frames(&plan_operations(&[Step::Create(1), Step::Item(2), Step::Item(3)]), 1),
        1,
    );
    let ask = |at| index.known_at(Some(at)).unwrap();
    assert!(Arc::ptr_eq(&ask(4), &index.version()));
    assert!(Arc::ptr_eq(&index.known_at(None).unwrap(), &index.version()));
    let (two, three) = (ask(2), ask(3));
    assert!(Arc::ptr_eq(&ask(2), &two) && Arc::ptr_eq(&ask(3), &three));
    ask(1);
    assert!(Arc::ptr_eq(&ask(3), &three) && !Arc::ptr_eq(&ask(2), &two));
    let error = index.known_at(Some(5)).err().unwrap().to_string();
    assert!(
        error.starts_with("known at 5: the raw log is folded up to offset 4"),
        "{error}"
    );
}

#[test]
fn unchanged_catalog_items_store_no_updates() {
    let folder = tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap();
    let items = [4, 15, 2].map(Step::Item);
    let log = frames(
        &plan_operations(&[&items[..], &items, &[Step::Item(10), Step::Item(4)]].concat()),
        4,
    );
    fold(&index, &log[..1], 1);
    let before = index.version().catalogs["goods"].clone();
    fold(&index, &log[1..], 1);
    let after = index.version().catalogs["goods"].clone();
    let updates = |items: &Items| items.updates.iter().map(|updates| updates.keys.len()).sum::<usize>();
    assert_eq!((updates(&before), updates(&after)), (3, 5));
}
