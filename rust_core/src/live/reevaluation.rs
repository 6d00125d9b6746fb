//! One step: every segment asked again where something of it has changed, and what that changes about its members.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::affected_rows::Step;
use super::due_segments::{ANEW, Due, Touched, Who};
use super::frame::{BlockId, Frame};
use super::frame_builder::Frames;
use super::memberships::{Memberships, SegmentMembers};
use super::{Freshness, Rules};
use crate::error::{Error, Result};
use crate::eval::{BlockRoots, Limits, Moves, Wanted, evaluate_blocks};
use crate::index::view::Version;
use crate::plan::Plan;

/// What a step asked of.
#[derive(Clone)]
pub struct Asked {
    version: Arc<Version>,
    as_of_ms: i64,
}

/// A step whose frames may still have to be folded.
pub struct Reevaluation {
    asked: Asked,
    /// By segment: the version of its rule, and moves in order of the blocks.
    moves: BTreeMap<String, (u32, Vec<(BlockId, Moves)>)>,
    /// Why a segment could not be asked.
    errors: BTreeMap<String, String>,
    /// The last segment that was asked anew.
    renewed: String,
    /// Of the membership log, when it was asked.
    offset: u64,
}

impl Reevaluation {
    /// At an as-of before that of the last step, it is the last one's. Cancelled if it is not wanted any more.
    pub fn ask(
        rules: &Rules,
        memberships: &Memberships,
        version: Arc<Version>,
        as_of_ms: i64,
        limits: &Limits,
    ) -> Result<Reevaluation> {
        let since = rules.asked.as_ref().map_or(i64::MIN, |asked| asked.as_of_ms);
        let as_of_ms = as_of_ms.max(since);
        let renewing = renewing(rules);
        let mut reevaluation = Reevaluation {
            asked: Asked { version, as_of_ms },
            moves: BTreeMap::new(),
            errors: BTreeMap::new(),
            renewed: renewing.last().map_or_else(String::new, |&last| last.to_owned()),
            offset: memberships.offset,
        };
        let asked = reevaluation.asked.clone();
        let step = rules.asked.as_ref().map(|before| Step {
            before: &before.version,
            after: &asked.version,
            as_of: (before.as_of_ms, as_of_ms),
        });
        let touched = Touched::of(rules, &asked.version, step.as_ref());
        let asked_now = |(name, rule): &(&String, &super::Rule)| !rule.anew || renewing.contains(&name.as_str());
        let due = rules.of.iter().filter(asked_now);
        let due: Vec<Due> = due
            .filter_map(|(name, rule)| touched.due(name, rule, memberships))
            .collect();
        // A ranking needs everybody, so those without one do not wait for it.
        for ranks in [false, true] {
            let some: Vec<&Due> = due.iter().filter(|due| due.rule.dependencies.ranks == ranks).collect();
            reevaluation.ask_all(&some, &touched, limits)?;
        }
        Ok(reevaluation)
    }

    /// Asks some segments at once; where that fails, halves of them, so that one that cannot be asked holds up no other.
    fn ask_all(&mut self, due: &[&Due], touched: &Touched, limits: &Limits) -> Result<()> {
        match self.moves_of(due, touched, limits) {
            Ok(moves) => {
                for (due, moves) in due.iter().zip(moves) {
                    self.moves.insert(due.name.to_owned(), (due.rule.version, moves));
                }
            }
            Err(Error::Cancelled) => return Err(Error::Cancelled),
            Err(error) => match due {
                [one] => drop(self.errors.insert(one.name.to_owned(), error.to_string())),
                _ => {
                    let (some, others) = due.split_at(due.len() / 2);
                    self.ask_all(some, touched, limits)?;
                    self.ask_all(others, touched, limits)?;
                }
            },
        }
        Ok(())
    }

    /// By segment, in order of the blocks.
    fn moves_of(&self, due: &[&Due], touched: &Touched, limits: &Limits) -> Result<Vec<Vec<(BlockId, Moves)>>> {
        let mut moves: Vec<Vec<(BlockId, Moves)>> = due.iter().map(|due| vanished(due, &touched.places)).collect();
        let is_asked = |due: &Due| due.who.iter().any(|who| *who != Who::Nobody);
        let asked: Vec<usize> = (0..due.len()).filter(|&at| is_asked(due[at])).collect();
        if asked.is_empty() {
            return Ok(moves);
        }
        let plan = Plan {
            as_of: self.asked.as_of_ms,
            roots: asked.iter().map(|&at| due[at].root.clone()).collect(),
        };
        let found = evaluate_blocks(
            &self.asked.version,
            &plan,
            &touched.wanted(due),
            limits,
            |wanted, block| {
                let place = (wanted.partition, wanted.block);
                let number = touched.places.binary_search(&place).unwrap_or(touched.places.len());
                let who = if wanted.rows.is_some() {
                    Who::Touched
                } else {
                    Who::Everybody
                };
                let (mut words, mut found) = (Vec::new(), Vec::new());
                for (root, &at) in asked.iter().enumerate() {
                    if due[at].who.get(number) == Some(&who) {
                        let moves = moves_in(wanted, block, root, due[at].segment, &mut words)?;
                        found.extend((moves != Moves::default()).then_some((at, moves)));
                    }
                }
                Ok((place, found))
            },
        )?;
        for (place, found) in found {
            for (at, of_block) in found {
                moves[at].push((place, of_block));
            }
        }
        moves
            .iter_mut()
            .for_each(|moves| moves.sort_by_key(|(place, _)| *place));
        Ok(moves)
    }

    /// Those that a segment's moves need, and one for a version of its rule that changes nothing.
    pub fn frames(&self, memberships: &Memberships) -> Result<Vec<Vec<u8>>> {
        let mut frames = Frames::new(Frame {
            epoch: self.asked.version.epoch,
            as_of_ms: self.asked.as_of_ms,
            ..Frame::default()
        });
        for (name, (version, moves)) in &self.moves {
            let held = memberships.segment(name);
            if held.version != *version || !moves.is_empty() {
                frames.add(name, *version, held, moves)?;
            }
        }
        frames.finish()
    }

    /// Where some of its frames were folded, but it is not settled: whom they moved is not known to who compares with the step before.
    pub fn abandon(self, rules: &mut Rules, memberships: &Memberships) {
        if memberships.offset == self.offset {
            return;
        }
        for name in self.moves.keys() {
            if let Some(rule) = rules.of.get_mut(name) {
                rule.anew = true;
            }
        }
    }

    /// Whether segments wait to be asked anew by the next step.
    pub fn settle(self, rules: &mut Rules, freshness: &mut BTreeMap<String, Freshness>) -> bool {
        let mut waits = false;
        let fresh = (self.asked.version.epoch, self.asked.as_of_ms);
        for (name, rule) in &mut rules.of {
            let of_segment = freshness.entry(name.clone()).or_default();
            if let Some((version, _)) = self.moves.get(name)
                && *version == rule.version
            {
                rule.anew = false;
                (of_segment.fresh, of_segment.error) = (Some(fresh), None);
            }
            if let Some(error) = self.errors.get(name) {
                rule.anew = true;
                of_segment.error = Some(error.clone());
            }
            waits |= rule.anew && rule.root.is_some() && of_segment.error.is_none();
        }
        rules.asked = Some(self.asked);
        rules.renewed = self.renewed;
        waits
    }
}

/// Segments that are asked anew. Where that would hold up others, so many at most, those first who have waited since the last ones
/// were; at once they take the least time, since they share what they have in common.
fn renewing(rules: &Rules) -> Vec<&str> {
    let anew = rules.of.iter().filter(|(_, rule)| rule.anew && rule.root.is_some());
    let mut anew: Vec<&str> = anew.map(|(name, _)| name.as_str()).collect();
    let next = anew.partition_point(|&name| name <= rules.renewed.as_str());
    anew.rotate_left(next);
    if rules.of.values().any(|rule| !rule.anew && rule.root.is_some()) {
        anew.truncate(ANEW);
    }
    anew
}

fn moves_in(
    wanted: &Wanted,
    block: &BlockRoots,
    root: usize,
    held: &SegmentMembers,
    words: &mut Vec<u64>,
) -> Result<Moves> {
    block.members(root, words)?;
    Ok(match &wanted.rows {
        None => held.members.moves(wanted.partition, wanted.block, words),
        Some(rows) => held.members.moves_among(wanted.partition, wanted.block, rows, words),
    })
}

/// Members in blocks that the index no longer has, as when it was put back to an earlier state.
fn vanished(due: &Due, places: &[BlockId]) -> Vec<(BlockId, Moves)> {
    let held = due.segment.members.places().filter(|_| due.rule.anew);
    let vanished = held.filter(|place| places.binary_search(place).is_err());
    vanished
        .map(|place| (place, due.segment.members.moves(place.0, place.1, &[])))
        .collect()
}
