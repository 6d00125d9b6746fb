//! Evaluates ranks and tiles, which need the values of all people before any verdict.

use std::borrow::Cow;

use rayon::prelude::*;

use crate::error::Result;
use crate::eval::kernels::bits::{Bits, Tri};
use crate::eval::kernels::column::{Column, Numbers, View};
use crate::eval::kernels::gather::gather;
use crate::eval::kernels::range_masks::mask;
use crate::eval::kernels::ratio::{Ratio, UNIT};
use crate::eval::program::{RankSelection, Ranking};
use crate::plan::Side;

/// The population of a ranking in one block, and the values of its people.
pub struct Contenders {
    pub population: Bits,
    pub values: Column<'static>,
}

/// The result of a ranking for one block.
pub enum RankResult {
    Rank(Tri),
    Tiles(Column<'static>),
}

impl RankResult {
    /// Returns the verdicts on the selected rows of the block; `None` selects all.
    pub fn tri(&self, chosen: Option<&[u16]>) -> Tri {
        let tri = match self {
            RankResult::Rank(tri) => tri,
            RankResult::Tiles(column) => &Tri::known(Bits::none(column.len())),
        };
        match chosen {
            None => tri.clone(),
            Some(rows) => Tri {
                t: tri.t.pick(rows),
                u: tri.u.pick(rows),
            },
        }
    }

    /// Returns the tiles of the selected rows of the block; `None` selects all.
    pub fn tiles<'a>(&self, chosen: Option<&[u16]>) -> Result<Column<'a>> {
        let column = match self {
            RankResult::Rank(tri) => &Column::unknown(tri.t.len()),
            RankResult::Tiles(column) => column,
        };
        match chosen {
            None => Ok(column.clone()),
            Some(rows) => gather(rows.len(), &[column], |at| Some((0, rows[at].into()))),
        }
    }
}

/// Evaluates a ranking for all blocks.
pub fn rank(ranking: &Ranking, blocks: &[Contenders]) -> Result<Vec<RankResult>> {
    let numbers = blocks
        .iter()
        .map(|block| block.values.numbers())
        .collect::<Result<Vec<_>>>()?;
    let whole = numbers.iter().zip(blocks).map(|(numbers, block)| match numbers {
        Numbers::Whole(View::Many(values)) => Some(Cow::Borrowed(*values)),
        Numbers::Whole(View::One(value)) => Some(vec![*value; block.values.len()].into()),
        Numbers::Exact(_) => None,
    });
    Ok(match whole.collect::<Option<Vec<Cow<[i64]>>>>() {
        Some(values) => rank_values(ranking, blocks, &values),
        None => {
            let exact = numbers.iter().zip(blocks).map(|(numbers, block)| {
                let rows = 0..block.values.len();
                rows.map(|row| numbers.get(row)).collect()
            });
            rank_values(ranking, blocks, &exact.collect::<Vec<Cow<[Ratio]>>>())
        }
    })
}

/// The rows of one block that have a rank: members of the population with a known value.
struct Ranked<'a, T> {
    values: &'a [T],
    rows: Bits,
}

/// Ranks values of one representation.
fn rank_values<T: Ord + Copy + Send + Sync>(
    ranking: &Ranking,
    blocks: &[Contenders],
    values: &[Cow<[T]>],
) -> Vec<RankResult> {
    let ranked = blocks.iter().zip(values).map(|(block, values)| Ranked {
        values,
        rows: block.population.and(&block.values.known),
    });
    let ranked: Vec<Ranked<T>> = ranked.collect();
    let people = ranked.iter().map(|block| block.rows.count()).sum::<u64>() as usize;
    let (side, wanted) = match ranking.selection {
        RankSelection::Tile { k } => return tiles(k as usize, &ranked),
        RankSelection::Count { side, count } => (side, count.min(people as u64) as usize),
        // A rank below p · N is a rank below the next whole number.
        RankSelection::Share { side, millionths } => {
            let unit = i128::from(UNIT);
            let wanted = (i128::from(millionths) * people as i128 + unit - 1) / unit;
            (side, wanted as usize)
        }
    };
    let index = match side {
        _ if wanted == 0 => None,
        Side::Top => Some(people - wanted),
        Side::Bottom => Some(wanted - 1),
    };
    let last = index.map(|index| nth(index, people, &ranked));
    let one = |(block, contenders): (&Ranked<T>, &Contenders)| {
        let (values, len) = (block.values, block.rows.len());
        let mut t = match (last, side) {
            (None, _) => Bits::none(len),
            (Some(last), Side::Top) => mask(values, len, |value| value >= last),
            (Some(last), Side::Bottom) => mask(values, len, |value| value <= last),
        };
        t.and_assign(&block.rows);
        let u = contenders.population.and_not(&block.rows);
        RankResult::Rank(Tri { t, u })
    };
    ranked.par_iter().zip(blocks).map(one).collect()
}

/// The size of the sample that yields a guess of the wanted value.
const SAMPLE: usize = 1 << 12;
/// The distance of both bounds from the guess, in the sample: the guess is rarely farther off.
const MARGIN: usize = SAMPLE / 32;

/// Returns the value at `index` of the `count` ranked values in ascending order.
fn nth<T: Ord + Copy + Send + Sync>(index: usize, count: usize, blocks: &[Ranked<T>]) -> T {
    let every = count / SAMPLE + 1;
    let some = |block: &Ranked<T>| {
        let rows = (0..block.values.len())
            .step_by(every)
            .filter(|&row| block.rows.get(row));
        rows.map(|row| block.values[row]).collect::<Vec<T>>()
    };
    let mut sample: Vec<T> = blocks.iter().flat_map(some).collect();
    sample.sort_unstable();
    let guess = index * sample.len() / count;
    let low = guess.checked_sub(MARGIN).map(|low| sample[low]);
    let high = sample.get(guess + MARGIN).copied();
    let near: Vec<(usize, Vec<T>)> = blocks.par_iter().map(|block| near(block, low, high)).collect();
    let before: usize = near.iter().map(|(before, _)| before).sum();
    let mut near = near.into_iter().map(|(_, near)| near).collect::<Vec<_>>().concat();
    match index.checked_sub(before) {
        Some(index) if index < near.len() => *near.select_nth_unstable(index).1,
        _ => *all(blocks).select_nth_unstable(index).1,
    }
}

/// Returns how many values are less than `low`, and the values from `low` to `high`.
fn near<T: Ord + Copy>(block: &Ranked<T>, low: Option<T>, high: Option<T>) -> (usize, Vec<T>) {
    let (values, len) = (block.values, block.rows.len());
    let less = low.map_or_else(|| Bits::none(len), |low| mask(values, len, |value| value < low));
    let more = high.map_or_else(|| Bits::none(len), |high| mask(values, len, |value| value > high));
    let rows = block.rows.and_not(&less.or(&more));
    let near = rows.rows().map(|row| values[row]).collect();
    (less.count_common(&block.rows) as usize, near)
}

fn all<T: Copy>(blocks: &[Ranked<T>]) -> Vec<T> {
    let values = |block: &Ranked<T>| block.rows.rows().map(|row| block.values[row]).collect::<Vec<T>>();
    blocks.iter().flat_map(values).collect()
}

/// Returns the tile of each person, `ceil(k · (number at or below) / N)`.
///
/// A person is above tile j if more than `floor(j · N / k)` values are at or below theirs.
fn tiles<T: Ord + Copy + Send + Sync>(k: usize, blocks: &[Ranked<T>]) -> Vec<RankResult> {
    let mut values = all(blocks);
    values.par_sort_unstable();
    let starts: Vec<T> = match values.len() {
        0 => Vec::new(),
        people => (1..k).map(|tile| values[tile * people / k]).collect(),
    };
    let one = |block: &Ranked<T>| {
        let mut tiles = vec![0; block.rows.len()];
        block.rows.each(|row| {
            let below = starts.partition_point(|start| *start <= block.values[row]);
            tiles[row] = (1 + below as i64) * UNIT;
        });
        RankResult::Tiles(Column::int(block.rows.clone(), tiles))
    };
    blocks.par_iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(crate::testing::cases(64))]

        #[test]
        fn nth_is_the_value_at_that_index_after_sorting(
            seed in any::<u64>(), count in 1..20_000usize, most in 1..30_000u64, sorted in any::<bool>(), absent in 2..9u64, index in any::<prop::sample::Index>()
        ) {
            let mixed = |number: usize| (number as u64 + 1).wrapping_mul(seed | 1).rotate_left(29).wrapping_mul(0x9E37_79B9_7F4A_7C15) % most;
            let mut values: Vec<u64> = (0..count).map(mixed).collect();
            if sorted {
                values.sort_unstable();
            }
            // Some values are not ranked.
            let ranked: Vec<Ranked<u64>> = values
                .chunks(1 + count / 3)
                .map(|values| Ranked { values, rows: Bits::from_fn(values.len(), |row| !values[row].is_multiple_of(absent)) })
                .collect();
            let mut expected: Vec<u64> = values.iter().copied().filter(|value| !value.is_multiple_of(absent)).collect();
            prop_assume!(!expected.is_empty());
            let index = index.index(expected.len());
            let found = nth(index, expected.len(), &ranked);
            expected.sort_unstable();
            prop_assert_eq!(found, expected[index]);
        }
    }
}
