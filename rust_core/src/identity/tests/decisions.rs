//! What is decided by hand.

use super::properties::resolver;
use super::world::{Deed, decide, fold_one, tight};
use crate::decision::{Decision, Kind};
use crate::frame::Change;

#[test]
fn who_is_erased_is_erased_once_and_whole() {
    let folder = tempfile::tempdir().unwrap();
    let resolver = resolver(&folder, tight());
    let [one, other] = ["1", "2"].map(|card| fold_one(&resolver, 0, &[Deed::of("r", &[("card", card)])])[0]);
    fold_one(&resolver, 0, &[Deed::of("r", &[("card", "1"), ("card", "2")])]);
    let erase = |person, key| Decision {
        kind: Kind::Erase { person },
        by: "zoe",
        why: "asked to",
        key,
    };
    assert_eq!(decide(&resolver, &erase(7, "unknown")), []);
    let erased = [(4, Change::Erased { person: one })];
    assert_eq!(decide(&resolver, &erase(other, "first")), erased);
    assert_eq!(decide(&resolver, &erase(one, "second")), []);
    assert_eq!(decide(&resolver, &erase(one, "first")), []);
}
