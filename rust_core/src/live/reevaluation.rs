//! One step: evaluates segments where their inputs changed, and computes the moves of their members.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::affected_rows::Step;
use super::due_segments::{AffectedBlocks, DueSegment, MAX_FULL, RowScope};
use super::frame::{BlockId, MembershipFrame};
use super::frame_builder::FrameBuilder;
use super::memberships::{Memberships, SegmentMembers};
use super::{Freshness, Rules};
use crate::error::{Error, Result};
use crate::eval::{BlockRoots, BlockSelection, Limits, Moves, evaluate_blocks};
use crate::index::view::Version;
use crate::plan::Plan;

/// The version and as-of of an evaluation.
#[derive(Clone)]
pub struct Evaluated {
    version: Arc<Version>,
    as_of_ms: i64,
}

/// A step whose frames may not be folded yet.
pub struct Reevaluation {
    evaluated: Evaluated,
    /// For each segment, the version of its rule and its moves in order of the blocks.
    moves: BTreeMap<String, (u32, Vec<(BlockId, Moves)>)>,
    /// Evaluation errors by segment.
    errors: BTreeMap<String, String>,
    /// The last segment that was evaluated for all people.
    renewed: String,
    /// The offset of the membership log at the time of the evaluation.
    offset: u64,
}

impl Reevaluation {
    /// Evaluates the segments that are due, at an as-of no earlier than that of the last step.
    ///
    /// Returns Cancelled if the limits cancel it.
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
        // Rankings need all people; the other segments do not wait for them.
        for ranks in [false, true] {
            let some: Vec<&DueSegment> = due.iter().filter(|due| due.rule.dependencies.ranks == ranks).collect();
            reevaluation.evaluate_segments(&some, &affected, limits)?;
        }
        Ok(reevaluation)
    }

    /// Evaluates segments together. If that fails, evaluates each half, so that a failing segment blocks no other.
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

    /// Computes the moves of each segment, in order of the blocks.
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
        let is_evaluated = |due: &DueSegment| due.scopes.iter().any(|scope| *scope != RowScope::Nobody);
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
                let block_id = (wanted.partition, wanted.block);
                let number = affected
                    .block_ids
                    .binary_search(&block_id)
                    .unwrap_or(affected.block_ids.len());
                let scope = if wanted.rows.is_some() {
                    RowScope::Affected
                } else {
                    RowScope::Everybody
                };
                let (mut words, mut found) = (Vec::new(), Vec::new());
                for (root, &at) in evaluated.iter().enumerate() {
                    if due[at].scopes.get(number) == Some(&scope) {
                        let moves = moves_in(wanted, block, root, due[at].segment, &mut words)?;
                        found.extend((moves != Moves::default()).then_some((at, moves)));
                    }
                }
                Ok((block_id, found))
            },
        )?;
        for (block_id, found) in found {
            for (at, of_block) in found {
                moves[at].push((block_id, of_block));
            }
        }
        moves
            .iter_mut()
            .for_each(|moves| moves.sort_by_key(|(block_id, _)| *block_id));
        Ok(moves)
    }

    /// Builds the frames of the step: moves of members, and new rule versions that move nobody.
    pub fn frames(&self, memberships: &Memberships) -> Result<Vec<Vec<u8>>> {
        let mut frames = FrameBuilder::new(MembershipFrame {
            epoch: self.evaluated.version.epoch,
            as_of_ms: self.evaluated.as_of_ms,
            ..MembershipFrame::default()
        });
        for (name, (version, moves)) in &self.moves {
            let current = memberships.segment(name);
            if current.version != *version || !moves.is_empty() {
                frames.add(name, *version, current, moves)?;
            }
        }
        frames.finish()
    }

    /// Abandons a step that was not settled. If some of its frames were folded, its segments are evaluated in full, because a comparison
    /// with the step before would miss their moves.
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

    /// Records the results of the step; returns whether segments wait for an evaluation of all people.
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

/// Returns the segments to evaluate for all people.
///
/// If others are up to date, at most `MAX_FULL`, starting after the last one; evaluated together, they share common parts of rules.
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

/// Computes the moves of a segment in one block.
fn moves_in(
    wanted: &BlockSelection,
    block: &BlockRoots,
    root: usize,
    current: &SegmentMembers,
    words: &mut Vec<u64>,
) -> Result<Moves> {
    block.members(root, words)?;
    Ok(match &wanted.rows {
        None => current.members.moves(wanted.partition, wanted.block, words),
        Some(rows) => current.members.moves_among(wanted.partition, wanted.block, rows, words),
    })
}

/// Removes members in blocks that the index no longer has, as after it was restored to an earlier state.
fn moves_out_of_missing_blocks(due: &DueSegment, block_ids: &[BlockId]) -> Vec<(BlockId, Moves)> {
    let member_blocks = due.segment.members.block_keys().filter(|_| due.rule.needs_full);
    let vanished = member_blocks.filter(|block_id| block_ids.binary_search(block_id).is_err());
    vanished
        .map(|block_id| (block_id, due.segment.members.moves(block_id.0, block_id.1, &[])))
        .collect()
}
