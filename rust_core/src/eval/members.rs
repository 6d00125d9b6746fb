//! Sets of people, stored by block.

use std::borrow::Cow;
use std::sync::Arc;

use roaring::{RoaringBitmap, RoaringTreemap};

use super::kernels::bits::Bits;
use super::kernels::galloping::count_less;
use crate::audience::roaring_set;
use crate::error::Result;
use crate::index::view::{BLOCK, person_of};

/// A set of people. Copies are cheap: they share their blocks.
#[derive(Clone, Default)]
pub struct Members {
    /// In ascending order; no block is empty.
    blocks: Vec<Arc<Block>>,
}

/// The members in one block.
pub(super) struct Block {
    partition: u32,
    first: u32,
    rows: Rows,
}

enum Rows {
    /// Ascending rows.
    Sparse(Vec<u16>),
    /// One bit for each row of the block.
    Dense(Bits),
}

static NO_ROWS: Rows = Rows::Sparse(Vec::new());

impl Rows {
    fn count(&self) -> u64 {
        match self {
            Rows::Sparse(rows) => rows.len() as u64,
            Rows::Dense(bits) => bits.count(),
        }
    }

    /// Returns a function that tells whether a row is a member. Callers must pass ascending rows.
    fn ascending_lookup(&self) -> impl FnMut(u16) -> bool {
        let (mut sparse, dense) = match self {
            Rows::Sparse(rows) => (&rows[..], None),
            Rows::Dense(bits) => (&[][..], Some(bits)),
        };
        move |row| {
            sparse = &sparse[count_less(sparse, row)..];
            sparse.first() == Some(&row) || dense.is_some_and(|bits| bits.get(row.into()))
        }
    }

    fn words(&self) -> Cow<'_, [u64]> {
        match self {
            Rows::Sparse(rows) => {
                let mut words = vec![0; BLOCK as usize / 64];
                rows.iter()
                    .for_each(|&row| words[usize::from(row) / 64] |= 1 << (row % 64));
                words.into()
            }
            Rows::Dense(bits) => bits.words().into(),
        }
    }
}

/// From this many rows on, one bit for each row of the block takes less memory than a list.
const DENSE_FROM: u64 = 1 << 12;

/// Rows of a block that a set gains and loses, ascending.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Moves {
    pub entered: Vec<u16>,
    pub left: Vec<u16>,
}

impl Members {
    pub const NONE: Members = Members { blocks: Vec::new() };

    /// Adds a block that follows all others.
    pub(super) fn extend(&mut self, block: Option<Arc<Block>>) {
        self.blocks.extend(block);
    }

    /// Returns the members as a Roaring set.
    pub fn set(&self) -> RoaringTreemap {
        let partitions = self.blocks.chunk_by(|a, b| a.partition == b.partition);
        let set = |blocks: &[Arc<Block>]| {
            let mut set = RoaringBitmap::new();
            blocks.iter().for_each(|block| set |= block.set());
            (blocks[0].partition, set)
        };
        RoaringTreemap::from_bitmaps(partitions.map(set))
    }

    /// Encodes the set in the 64-bit Roaring portable format.
    pub fn roaring(&self) -> Result<Vec<u8>> {
        roaring_set::encode(&self.set())
    }

    pub fn count(&self) -> u64 {
        self.blocks.iter().map(|block| block.count()).sum()
    }

    /// Returns up to `limit` members greater than `after`, ascending.
    pub fn page(&self, after: u64, limit: usize) -> Vec<u64> {
        let last = |block: &Block| person_of(block.partition, block.first) | 0xFFFF;
        let from = self.blocks.partition_point(|block| last(block) <= after);
        let members = self.blocks[from..].iter().flat_map(|block| block.persons());
        members.filter(|&person| person > after).take(limit).collect()
    }

    pub fn contains(&self, person: u64) -> bool {
        let first = |block: &Block| person_of(block.partition, block.first);
        let after = self.blocks.partition_point(|block| first(block) <= person);
        let block = after.checked_sub(1).map(|at| &self.blocks[at]);
        block.is_some_and(|block| block.contains(person - first(block)))
    }

    /// Returns (partition, block) of each block with members.
    pub fn block_keys(&self) -> impl Iterator<Item = (u32, u32)> {
        self.blocks.iter().map(|block| (block.partition, block.first / BLOCK))
    }

    /// Returns the moves that turn the members of a block into those of `words`, which has one bit for each row; missing words are 0.
    pub fn moves(&self, partition: u32, block: u32, words: &[u64]) -> Moves {
        let stored = self.find(partition, block).ok().map(|at| self.blocks[at].words());
        let stored = stored.unwrap_or_default();
        let mut moves = Moves::default();
        for first in (0..stored.len().max(words.len())).step_by(CHUNK) {
            let (before, after) = (chunk_of(&stored, first), chunk_of(words, first));
            if before == after {
                continue;
            }
            for at in first..first + CHUNK {
                let word = |words: &[u64]| words.get(at - first).copied().unwrap_or(0);
                let (before, after) = (word(before), word(after));
                push_rows(&mut moves.entered, at, after & !before);
                push_rows(&mut moves.left, at, before & !after);
            }
        }
        moves
    }

    /// Like `moves`, for ascending rows of a block: `words` has one bit for each of these rows.
    pub fn moves_among(&self, partition: u32, block: u32, rows: &[u16], words: &[u64]) -> Moves {
        let mut moves = Moves::default();
        let stored = self.find(partition, block).ok().map(|at| &self.blocks[at].rows);
        if stored.is_none() && words.is_empty() {
            return moves;
        }
        let mut stored = stored.unwrap_or(&NO_ROWS).ascending_lookup();
        for (at, &row) in rows.iter().enumerate() {
            let before = stored(row);
            let after = words.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1);
            match (before, after) {
                (false, true) => moves.entered.push(row),
                (true, false) => moves.left.push(row),
                _ => {}
            }
        }
        moves
    }

    /// Applies moves. Ignores entered rows that are members already and left rows that are not.
    pub fn apply(&mut self, partition: u32, block: u32, moves: &Moves) {
        let found = self.find(partition, block);
        let stored = found.ok().map(|at| &self.blocks[at].rows);
        let rows = match stored.unwrap_or(&NO_ROWS) {
            Rows::Sparse(rows) if rows.len() + moves.entered.len() < DENSE_FROM as usize => {
                Rows::Sparse(apply_to_sparse(rows, moves))
            }
            rows => Rows::Dense(apply_to_dense(rows, moves)),
        };
        let after = Block::of_rows(partition, block * BLOCK, rows);
        match found {
            Ok(at) => drop(self.blocks.splice(at..=at, after)),
            Err(at) => drop(self.blocks.splice(at..at, after)),
        }
    }

    fn find(&self, partition: u32, block: u32) -> std::result::Result<usize, usize> {
        let key = (partition, block * BLOCK);
        self.blocks
            .binary_search_by_key(&key, |block| (block.partition, block.first))
    }
}

/// The number of words that are compared at once: most do not change.
const CHUNK: usize = 16;

fn chunk_of(words: &[u64], first: usize) -> &[u64] {
    words.get(first..words.len().min(first + CHUNK)).unwrap_or_default()
}

fn apply_to_sparse(rows: &[u16], moves: &Moves) -> Vec<u16> {
    let stays = |row: &u16| moves.left.binary_search(row).is_err();
    let mut after: Vec<u16> = rows.iter().chain(&moves.entered).copied().filter(stays).collect();
    after.sort_unstable();
    after.dedup();
    after
}

fn apply_to_dense(rows: &Rows, moves: &Moves) -> Bits {
    let mut words = rows.words().into_owned();
    words.resize(BLOCK as usize / 64, 0);
    let position = |row: u16| (usize::from(row) / 64, 1 << (row % 64));
    for (word, bit) in moves.entered.iter().map(|&row| position(row)) {
        words[word] |= bit;
    }
    for (word, bit) in moves.left.iter().map(|&row| position(row)) {
        words[word] &= !bit;
    }
    Bits::from_words(words, BLOCK as usize)
}

fn push_rows(rows: &mut Vec<u16>, word: usize, mut bits: u64) {
    while bits != 0 {
        rows.push((word * 64) as u16 + bits.trailing_zeros() as u16);
        bits &= bits - 1;
    }
}

impl Block {
    /// Returns the block that starts at the ordinal `first`; `None` if it has no members.
    pub(super) fn of(partition: u32, first: u32, rows: Bits) -> Option<Arc<Block>> {
        Block::of_rows(partition, first, Rows::Dense(rows))
    }

    /// Returns the block in the representation that takes the least memory.
    fn of_rows(partition: u32, first: u32, rows: Rows) -> Option<Arc<Block>> {
        let rows = match (rows.count(), rows) {
            (0, _) => return None,
            (1..DENSE_FROM, Rows::Dense(bits)) => Rows::Sparse(bits.rows().map(|row| row as u16).collect()),
            (_, rows) => rows,
        };
        Some(Arc::new(Block { partition, first, rows }))
    }

    pub(super) fn count(&self) -> u64 {
        self.rows.count()
    }

    pub(super) fn bytes(&self) -> usize {
        match &self.rows {
            Rows::Sparse(rows) => size_of_val(&rows[..]),
            Rows::Dense(rows) => rows.bytes(),
        }
    }

    fn words(&self) -> Cow<'_, [u64]> {
        self.rows.words()
    }

    fn set(&self) -> RoaringBitmap {
        match &self.rows {
            Rows::Sparse(rows) => rows.iter().map(|&row| self.first + u32::from(row)).collect(),
            Rows::Dense(bits) => {
                let bytes: Vec<u8> = bits.words().iter().flat_map(|word| word.to_le_bytes()).collect();
                RoaringBitmap::from_lsb0_bytes(self.first, &bytes)
            }
        }
    }

    fn persons(&self) -> Box<dyn Iterator<Item = u64> + '_> {
        let first = person_of(self.partition, self.first);
        match &self.rows {
            Rows::Sparse(rows) => Box::new(rows.iter().map(move |&row| first + u64::from(row))),
            Rows::Dense(bits) => Box::new(bits.rows().map(move |row| first + row as u64)),
        }
    }

    fn contains(&self, row: u64) -> bool {
        match (&self.rows, u16::try_from(row)) {
            (Rows::Sparse(rows), Ok(row)) => rows.binary_search(&row).is_ok(),
            (Rows::Dense(bits), Ok(row)) => bits.get(row.into()),
            (_, Err(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// (partition, block, every, from): each row from `from` on that is a multiple of `every` is a member.
    type Pattern = (u32, u32, usize, usize);

    fn rows((_, _, every, from): Pattern) -> Bits {
        Bits::from_fn(BLOCK as usize, |row| row >= from && row % every == 0)
    }

    fn members(blocks: &BTreeSet<Pattern>) -> (Members, BTreeSet<u64>) {
        let (mut members, mut expected) = (Members::default(), BTreeSet::new());
        for &pattern in blocks {
            let (partition, block, ..) = pattern;
            let first = block * BLOCK;
            expected.extend(rows(pattern).rows().map(|row| person_of(partition, first) + row as u64));
            members.extend(Block::of(partition, first, rows(pattern)));
        }
        (members, expected)
    }

    fn pattern() -> impl Strategy<Value = BTreeSet<Pattern>> {
        let every = prop::sample::select(vec![1usize, 7, 15, 16, 17, 900]);
        let blocks = prop::collection::btree_map((1..3u32, 0..3u32), (every, 0..66_000usize), 1..5);
        blocks.prop_map(|blocks| {
            let flat = |((partition, block), (every, from))| (partition, block, every, from);
            blocks.into_iter().map(flat).collect()
        })
    }

    proptest! {
        #![proptest_config(crate::testing::cases(20))]

        #[test]
        fn sparse_and_dense_members_are_equal(
            blocks in pattern(),
            asked in prop::collection::vec((1..3u32, 0..3 * BLOCK), 1..50),
            limit in 0..99_999usize,
        ) {
            let (members, expected) = members(&blocks);
            prop_assert!(members.set().iter().eq(expected.iter().copied()));
            prop_assert_eq!(members.count(), expected.len() as u64);
            for (partition, ordinal) in asked {
                let person = person_of(partition, ordinal);
                prop_assert_eq!(members.contains(person), expected.contains(&person));
                let page: Vec<u64> = expected.range(person + 1..).take(limit).copied().collect();
                prop_assert_eq!(members.page(person, limit), page);
            }
        }

        #[test]
        fn applying_moves_turns_one_set_into_the_other(before in pattern(), after in pattern(), every in 1..9u16) {
            let (mut stored, _) = members(&before);
            let (wanted, expected) = members(&after);
            let all: BTreeSet<(u32, u32)> = before.union(&after).map(|&(partition, block, ..)| (partition, block)).collect();
            let (mut entered, mut left) = (0, 0);
            let old = stored.set();
            for (partition, block) in all {
                let words = wanted.find(partition, block).map_or(Vec::new(), |at| wanted.blocks[at].words().into_owned());
                let moves = stored.moves(partition, block, &words);
                let rows: Vec<u16> = (0..=u16::MAX).filter(|row| row % every == 0).collect();
                let some = Bits::from_words(words.clone(), BLOCK as usize).pick(&rows);
                let among = |of: &[u16]| of.iter().copied().filter(|row| row % every == 0).collect::<Vec<u16>>();
                let expected = Moves { entered: among(&moves.entered), left: among(&moves.left) };
                prop_assert_eq!(stored.moves_among(partition, block, &rows, &some.into_words()), expected);
                (entered, left) = (entered + moves.entered.len() as u64, left + moves.left.len() as u64);
                stored.apply(partition, block, &moves);
                prop_assert_eq!(stored.moves(partition, block, &words), Moves::default());
            }
            prop_assert!(stored.set().iter().eq(expected));
            prop_assert_eq!((entered, left), ((stored.set() - &old).len(), (old - stored.set()).len()));
        }
    }
}
