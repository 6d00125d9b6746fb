//! One step: every segment asked again where something of it has changed, and what that changes about its members.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::frame::{Frame, Place, SegmentMoves};
use super::memberships::{Memberships, Segment};
use super::senses::{Between, Sense};
use super::{Freshness, Rule, Rules};
use crate::error::Result;
use crate::eval::{Moves, evaluate_blocks};
use crate::index::view::{BLOCK, Version};
use crate::plan::{Plan, Root};

/// Moves of so many people make a frame, so that none is large.
const FRAME: usize = 1 << 19;

/// What a step asked of.
#[derive(Clone)]
pub struct Asked {
    version: Arc<Version>,
    as_of_ms: i64,
}

/// A step whose frames may still have to be folded.
pub struct Step {
    asked: Asked,
    /// By segment: the version of its rule, and moves by block.
    moves: BTreeMap<String, (u32, BTreeMap<Place, Moves>)>,
    /// Why a segment could not be asked.
    errors: BTreeMap<String, String>,
}

/// A segment that is asked again.
struct Due<'a> {
    name: &'a str,
    rule: &'a Rule,
    root: &'a Root,
    segment: Segment,
    /// By block, as in `Step::places`.
    blocks: Vec<bool>,
}

impl Step {
    /// At an as-of before that of the last step, it is the last one's.
    pub fn ask(rules: &mut Rules, memberships: &Memberships, version: Arc<Version>, as_of_ms: i64) -> Step {
        let since = rules.asked.as_ref().map_or(i64::MIN, |asked| asked.as_of_ms);
        let as_of_ms = as_of_ms.max(since);
        let mut step = Step {
            asked: Asked { version, as_of_ms },
            moves: BTreeMap::new(),
            errors: BTreeMap::new(),
        };
        let places = places(&step.asked.version);
        let due = step.due(rules, memberships, &places);
        // A ranking needs everybody, so those without one do not wait for it.
        for ranks in [false, true] {
            let some: Vec<&Due> = due.iter().filter(|due| due.rule.senses.ranks == ranks).collect();
            step.ask_all(&some, &places);
        }
        step
    }

    fn due<'a>(&self, rules: &'a Rules, memberships: &Memberships, places: &[Place]) -> Vec<Due<'a>> {
        let between = rules.asked.as_ref().map(|before| Between {
            before: &before.version,
            after: &self.asked.version,
            as_of: (before.as_of_ms, self.asked.as_of_ms),
        });
        let senses: BTreeSet<&Sense> = rules.of.values().flat_map(|rule| &rule.senses.of).collect();
        let concern = |sense: &Sense| match &between {
            Some(between) => places
                .iter()
                .map(|&(partition, block)| between.concerns(sense, partition, block))
                .collect(),
            None => vec![true; places.len()],
        };
        let concerned: BTreeMap<&Sense, Vec<bool>> =
            senses.into_par_iter().map(|sense| (sense, concern(sense))).collect();
        let due = rules.of.iter().filter_map(|(name, rule)| {
            let concerns = |at: usize| rule.anew || rule.senses.of.iter().any(|sense| concerned[sense][at]);
            let mut blocks: Vec<bool> = (0..places.len()).map(concerns).collect();
            if rule.senses.ranks && blocks.contains(&true) {
                blocks.fill(true);
            }
            Some(Due {
                name,
                rule,
                root: rule.root.as_ref()?,
                segment: memberships.segments.get(name).cloned().unwrap_or_default(),
                blocks,
            })
        });
        due.collect()
    }

    /// Asks some segments at once; where that fails, one by one, so that one that cannot be asked holds up no other.
    fn ask_all(&mut self, due: &[&Due], places: &[Place]) {
        match self.moves_of(due, places) {
            Ok(moves) => {
                for (due, moves) in due.iter().zip(moves) {
                    self.moves.insert(due.name.to_owned(), (due.rule.version, moves));
                }
            }
            Err(error) => match due {
                [one] => drop(self.errors.insert(one.name.to_owned(), error.to_string())),
                _ => due.iter().for_each(|&one| self.ask_all(&[one], places)),
            },
        }
    }

    /// By segment.
    fn moves_of(&self, due: &[&Due], places: &[Place]) -> Result<Vec<BTreeMap<Place, Moves>>> {
        let mut moves: Vec<BTreeMap<Place, Moves>> = due.iter().map(|due| self.vanished(due, places)).collect();
        let asked: Vec<usize> = (0..due.len()).filter(|&at| due[at].blocks.contains(&true)).collect();
        if asked.is_empty() {
            return Ok(moves);
        }
        let plan = Plan {
            as_of: self.asked.as_of_ms,
            roots: asked.iter().map(|&at| due[at].root.clone()).collect(),
        };
        let number: BTreeMap<Place, usize> = places.iter().copied().zip(0..).collect();
        let wanted = |partition, block| {
            let place = number.get(&(partition, block));
            place.is_some_and(|&place| asked.iter().any(|&at| due[at].blocks[place]))
        };
        let found = evaluate_blocks(&self.asked.version, &plan, wanted, |block| {
            let place = (block.partition(), block.block());
            let (mut words, mut found) = (Vec::new(), Vec::new());
            for (root, &at) in asked.iter().enumerate() {
                if due[at].blocks[number[&place]] {
                    block.members(root, &mut words)?;
                    let moves = due[at].segment.members.moves(place.0, place.1, &words);
                    found.extend((moves != Moves::default()).then_some((at, moves)));
                }
            }
            Ok((place, found))
        })?;
        for (place, found) in found {
            for (at, of_block) in found {
                moves[at].insert(place, of_block);
            }
        }
        Ok(moves)
    }

    /// Members in blocks that the index no longer has, as when it was put back to an earlier state.
    fn vanished(&self, due: &Due, places: &[Place]) -> BTreeMap<Place, Moves> {
        let held = due.segment.members.places().filter(|_| due.rule.anew);
        let vanished = held.filter(|place| places.binary_search(place).is_err());
        vanished
            .map(|place| (place, due.segment.members.moves(place.0, place.1, &[])))
            .collect()
    }

    /// Those that a segment's moves need, and one for a version of its rule that changes nothing.
    pub fn frames(&self, memberships: &Memberships) -> Result<Vec<Vec<u8>>> {
        let mut frames = Frames::new(&self.asked);
        for (name, (version, moves)) in &self.moves {
            let held = memberships.segments.get(name).cloned().unwrap_or_default();
            if held.version == *version && moves.is_empty() {
                continue;
            }
            frames.begin(name, *version, held);
            moves.iter().for_each(|(&place, moves)| frames.add(place, moves));
            frames.end_segment();
        }
        frames.finish()
    }

    pub fn settle(self, rules: &mut Rules, freshness: &mut BTreeMap<String, Freshness>) {
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
        }
        rules.asked = Some(self.asked);
    }
}

/// Every block of a version, in order.
fn places(version: &Version) -> Vec<Place> {
    let of = |partition: u32, people: u32| (0..people.div_ceil(BLOCK)).map(move |block| (partition, block));
    let partitions = version.partitions.values();
    partitions
        .flat_map(|partition| of(partition.number, partition.people))
        .collect()
}

/// Moves cut into frames.
struct Frames {
    done: Vec<Frame>,
    open: Frame,
    /// How many people move in the open frame.
    moved: usize,
    segment: Segment,
    moves: SegmentMoves,
}

impl Frames {
    fn new(asked: &Asked) -> Frames {
        let open = Frame {
            epoch: asked.version.epoch,
            as_of_ms: asked.as_of_ms,
            ..Frame::default()
        };
        Frames {
            done: Vec::new(),
            open,
            moved: 0,
            segment: Segment::default(),
            moves: SegmentMoves::default(),
        }
    }

    fn begin(&mut self, name: &str, version: u32, held: Segment) {
        self.segment = held;
        self.moves = SegmentMoves {
            segment: name.to_owned(),
            version,
            ..SegmentMoves::default()
        };
    }

    fn add(&mut self, place: Place, moves: &Moves) {
        self.moves.add(place, moves);
        self.moved += moves.entered.len() + moves.left.len();
        if self.moved >= FRAME {
            self.end_segment();
            let next = Frame {
                segments: Vec::new(),
                ..self.open
            };
            self.done.push(std::mem::replace(&mut self.open, next));
            self.moved = 0;
        }
    }

    /// What was added so far of the segment goes into the open frame.
    fn end_segment(&mut self) {
        let (count, digest) = self.segment.after(&self.moves.entered, &self.moves.left);
        (self.segment.count, self.segment.digest) = (count, digest);
        let rest = SegmentMoves {
            segment: self.moves.segment.clone(),
            version: self.moves.version,
            ..SegmentMoves::default()
        };
        let moves = std::mem::replace(&mut self.moves, rest);
        self.open.segments.push(SegmentMoves { count, digest, ..moves });
    }

    fn finish(mut self) -> Result<Vec<Vec<u8>>> {
        if !self.open.segments.is_empty() {
            self.done.push(self.open);
        }
        if let Some(last) = self.done.last_mut() {
            last.complete = true;
        }
        self.done.iter().map(Frame::encode).collect()
    }
}
