//! One step: every segment asked again where something of it has changed, and what that changes about its members.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::affected_rows::Step;
use super::due_segments::{AffectedBlocks, DueSegment, MAX_FULL, Scope};
use super::frame::{BlockId, MembershipFrame};
use super::frame_builder::FrameBuilder;
use super::memberships::{Memberships, SegmentMembers};
use super::{Freshness, Rules};
use crate::error::{Error, Result};
use crate::eval::{BlockRoots, Limits, Moves, Wanted, evaluate_blocks};
use crate::index::view::Version;
use crate::plan::Plan;

/// What a step asked of.
#[derive(Clone)]
pub struct Evaluated {
    version: Arc<Version>,
    as_of_ms: i64,
}

/// A step whose frames may still have to be folded.
pub struct Reevaluation {
    evaluated: Evaluated,
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
    pub fn evaluate(
        rules: &Rules,
        memberships: &Memberships,
        version: Arc<Version>,
        as_of_ms: i64,
        limits: &Limits,
    ) -> Result<Reevaluation> {
        let since = rules.last.as_ref().map_or(i64::MIN, |evaluated| evaluated.as_of_ms);
        let as_of_ms = as_of_ms.max(since);
        let renewed_now = segments_to_renew(rules);
        let mut reevaluation = Reevaluation {
            evaluated: Evaluated { version, as_of_ms },
            moves: BTreeMap::new(),
            errors: BTreeMap::new(),
            renewed: renewed_now.last().map_or_else(String::new, |&last| last.to_owned()),
            offset: memberships.offset,
        };
        let evaluated = reevaluation.evaluated.clone();
        let step = rules.last.as_ref().map(|before| Step {
            before: &before.version,
            after: &evaluated.version,
            as_of: (before.as_of_ms, as_of_ms),
        });
        let affected = AffectedBlocks::of(rules, &evaluated.version, step.as_ref());
        let is_due = |(name, rule): &(&String, &super::Rule)| !rule.needs_full || renewed_now.contains(&name.as_str());
        let due = rules.by_name.iter().filter(is_due);
        let due: Vec<DueSegment> = due
            .filter_map(|(name, rule)| affected.due(name, rule, memberships))
            .collect();
        // A ranking needs everybody, so those without one do not wait for it.
        for ranks in [false, true] {
            let some: Vec<&DueSegment> = due.iter().filter(|due| due.rule.dependencies.ranks == ranks).collect();
            reevaluation.evaluate_segments(&some, &affected, limits)?;
        }
        Ok(reevaluation)
    }

    /// Asks some segments at once; where that fails, halves of them, so that one that cannot be asked holds up no other.
    fn evaluate_segments(&mut self, due: &[&DueSegment], affected: &AffectedBlocks, limits: &Limits) -> Result<()> {
        match self.compute_moves(due, affected, limits) {
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
                    self.evaluate_segments(some, affected, limits)?;
                    self.evaluate_segments(others, affected, limits)?;
                }
            },
        }
        Ok(())
    }

    /// By segment, in order of the blocks.
    fn compute_moves(
        &self,
        due: &[&DueSegment],
        affected: &AffectedBlocks,
        limits: &Limits,
    ) -> Result<Vec<Vec<(BlockId, Moves)>>> {
        let mut moves: Vec<Vec<(BlockId, Moves)>> = due
            .iter()
            .map(|due| moves_out_of_missing_blocks(due, &affected.block_ids))
            .collect();
        let is_evaluated = |due: &DueSegment| due.scopes.iter().any(|scope| *scope != Scope::Nobody);
        let evaluated: Vec<usize> = (0..due.len()).filter(|&at| is_evaluated(due[at])).collect();
        if evaluated.is_empty() {
            return Ok(moves);
        }
        let plan = Plan {
            as_of: self.evaluated.as_of_ms,
            roots: evaluated.iter().map(|&at| due[at].root.clone()).collect(),
        };
        let found = evaluate_blocks(
            &self.evaluated.version,
            &plan,
            &affected.wanted(due),
            limits,
            |wanted, block| {
                let place = (wanted.partition, wanted.block);
                let number = affected
                    .block_ids
                    .binary_search(&place)
                    .unwrap_or(affected.block_ids.len());
                let scope = if wanted.rows.is_some() {
                    Scope::Affected
                } else {
                    Scope::Everybody
                };
                let (mut words, mut found) = (Vec::new(), Vec::new());
                for (root, &at) in evaluated.iter().enumerate() {
                    if due[at].scopes.get(number) == Some(&scope) {
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
        let mut frames = FrameBuilder::new(MembershipFrame {
            epoch: self.evaluated.version.epoch,
            as_of_ms: self.evaluated.as_of_ms,
            ..MembershipFrame::default()
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
            if let Some(rule) = rules.by_name.get_mut(name) {
                rule.needs_full = true;
            }
        }
    }

    /// Whether segments wait to be asked anew by the next step.
    pub fn settle(self, rules: &mut Rules, freshness: &mut BTreeMap<String, Freshness>) -> bool {
        let mut has_waiting = false;
        let fresh = (self.evaluated.version.epoch, self.evaluated.as_of_ms);
        for (name, rule) in &mut rules.by_name {
            let of_segment = freshness.entry(name.clone()).or_default();
            if let Some((version, _)) = self.moves.get(name)
                && *version == rule.version
            {
                rule.needs_full = false;
                (of_segment.fresh, of_segment.error) = (Some(fresh), None);
            }
            if let Some(error) = self.errors.get(name) {
                rule.needs_full = true;
                of_segment.error = Some(error.clone());
            }
            has_waiting |= rule.needs_full && rule.root.is_some() && of_segment.error.is_none();
        }
        rules.last = Some(self.evaluated);
        rules.last_renewed = self.renewed;
        has_waiting
    }
}

/// Segments that are asked anew. Where that would hold up others, so many at most, those first who have waited since the last ones
/// were; at once they take the least time, since they share what they have in common.
fn segments_to_renew(rules: &Rules) -> Vec<&str> {
    let stale = rules
        .by_name
        .iter()
        .filter(|(_, rule)| rule.needs_full && rule.root.is_some());
    let mut stale: Vec<&str> = stale.map(|(name, _)| name.as_str()).collect();
    let next = stale.partition_point(|&name| name <= rules.last_renewed.as_str());
    stale.rotate_left(next);
    if rules
        .by_name
        .values()
        .any(|rule| !rule.needs_full && rule.root.is_some())
    {
        stale.truncate(MAX_FULL);
    }
    stale
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
fn moves_out_of_missing_blocks(due: &DueSegment, block_ids: &[BlockId]) -> Vec<(BlockId, Moves)> {
    let held = due.segment.members.places().filter(|_| due.rule.needs_full);
    let vanished = held.filter(|place| block_ids.binary_search(place).is_err());
    vanished
        .map(|place| (place, due.segment.members.moves(place.0, place.1, &[])))
        .collect()
}
