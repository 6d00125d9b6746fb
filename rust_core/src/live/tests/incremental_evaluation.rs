//! Segments that are kept up to date step by step equal segments that are evaluated in full.

use proptest::prelude::*;
use serde_json::Value as Json;
use tempfile::tempdir;

use super::followed_segments::{FollowedSegments, evaluate_fully, root};
use super::random::cond;
use crate::eval::Limits;
use crate::index::Index;
use crate::index::tests::fixtures::erasures;
use crate::index::tests::fixtures::random_history::{Step, frames, plan_operations, steps};
use crate::index::view::DAY_MS;
use crate::live::frame::MembershipFrame;

#[derive(Clone, Debug)]
struct Turn {
    /// The number of frames to fold, and of purges, before the step.
    folded: usize,
    purged: usize,
    later: i64,
    torn: Option<usize>,
    saved: bool,
    killed: bool,
    /// Every n-th rule is replaced.
    edited: Option<usize>,
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let later = prop::sample::select(vec![0, 1, DAY_MS / 2, DAY_MS, 3 * DAY_MS]);
    let rare = || prop::bool::weighted(0.15);
    let turn = (
        0..5usize,
        0..3usize,
        later,
        prop::option::weighted(0.15, 0..2usize),
        rare(),
        rare(),
        prop::option::weighted(0.3, 1..4usize),
    );
    let turn = turn.prop_map(|(folded, purged, later, torn, saved, killed, edited)| Turn {
        folded,
        purged,
        later,
        torn,
        saved,
        killed,
        edited,
    });
    prop::collection::vec(turn, 1..14)
}

proptest! {
    #![proptest_config(crate::testing::cases(250))]

    #[test]
    fn incremental_members_equal_a_full_evaluation(
        steps in steps(),
        conds in prop::collection::vec(cond(), 16),
        turns in turns(),
        begin in -2 * DAY_MS..6 * DAY_MS,
        erased in prop::option::of(any::<(prop::sample::Index, prop::sample::Index)>()),
    ) {
        let roots: Vec<Json> = conds.iter().map(root).collect();
        let (now, later) = roots.split_at(8);
        let (mut now, mut versions) = (now.to_vec(), [1; 8]);
        let mut as_of = begin;
        let folder = tempdir().unwrap();
        let index = Index::open(folder.path()).unwrap();
        let mut followed = FollowedSegments::new();
        followed.put(&now, 1);
        let mut steps = steps;
        steps.retain(|step| erased.is_none() || !matches!(step, Step::Split(..)));
        let operations = plan_operations(&steps);
        let erasure = erased.and_then(|(frame, person)| {
            let frame = frame.index(operations.len().div_ceil(3));
            erasures::choose_erasure(&operations, 3, frame, person)
        });
        let history = match &erasure {
            Some(erasure) => erasures::frames(&operations, 3, erasure, true),
            None => frames(&operations, 3),
        };
        let mut coming = history.iter();
        // The first frame declares the schema that the rules use.
        index.fold(&[(0, coming.next().unwrap())]).unwrap();
        let begun = index.version();
        for turn in turns {
            for frame in coming.by_ref().take(turn.folded) {
                index.fold(&[(index.offset(), frame)]).unwrap();
            }
            for _ in 0..turn.purged {
                index.purge().unwrap();
            }
            if turn.killed {
                followed.reopen();
                let last = followed.log.last().map(|frame| MembershipFrame::decode(frame).unwrap().epoch.raw_offset);
                if last.is_some_and(|last| last > begun.epoch.raw_offset) {
                    let early = followed.live.step(begun.clone(), as_of, &Limits::none()).unwrap();
                    prop_assert!(early.is_none(), "the index has not come so far again");
                }
                for (number, root) in now.iter().enumerate() {
                    followed.put_one(number, root, versions[number]);
                }
            }
            for number in turn.edited.into_iter().flat_map(|every| (0..8).step_by(every)) {
                now[number] = later[number].clone();
                versions[number] += 1;
                followed.put_one(number, &now[number], versions[number]);
            }
            as_of += turn.later;
            let version = index.version();
            followed.step(&version, as_of, turn.torn).unwrap();
            if turn.saved {
                followed.live.save().unwrap();
            }
            if turn.torn.is_some() {
                continue;
            }
            for (number, root) in now.iter().enumerate() {
                let name = format!("s{number}");
                let (_, held) = followed.live.members(std::slice::from_ref(&name));
                let expected = evaluate_fully(&version, as_of, root);
                prop_assert!(held[0].members.set().iter().eq(expected.iter().copied()), "{} {:?} {:?}", root, held[0].members.set(), expected);
                let (answer, answered_as_of) = followed.live.answer(&[name]).unwrap();
                prop_assert_eq!((answer.epoch, answered_as_of), (version.epoch, as_of));
                prop_assert_eq!(answer.roots[0].matched, expected.len() as u64);
            }
            prop_assert_eq!(followed.step(&version, as_of, None).unwrap(), 0, "nothing has changed since");
        }
    }
}
