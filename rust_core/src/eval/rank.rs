//! Ranks and tiles: what needs everybody's value before anybody's answer.

use rayon::prelude::*;

use super::bits::{Bits, Tri};
use super::column::{Column, Numbers};
use super::program::{Place, Ranking};
use super::ratio::{Ratio, UNIT};
use crate::error::Result;
use crate::plan::Side;

/// One block's population of a ranking and the values of its people.
pub struct Contenders {
    pub population: Bits,
    pub values: Column<'static>,
}

/// What a ranking says of one block.
pub enum Placed {
    Rank(Tri),
    Tiles(Column<'static>),
}

impl Placed {
    pub fn tri(&self) -> Tri {
        match self {
            Placed::Rank(tri) => tri.clone(),
            Placed::Tiles(column) => Tri::known(Bits::none(column.len())),
        }
    }

    pub fn tiles<'a>(&self) -> Column<'a> {
        match self {
            Placed::Rank(tri) => Column::unknown(tri.t.len()),
            Placed::Tiles(column) => column.clone(),
        }
    }
}

/// Answers a ranking for every block.
pub fn place(ranking: &Ranking, blocks: &[Contenders]) -> Result<Vec<Placed>> {
    let ranked: Vec<Bits> = blocks
        .iter()
        .map(|block| block.population.and(&block.values.known))
        .collect();
    let numbers = blocks
        .iter()
        .map(|block| block.values.numbers())
        .collect::<Result<Vec<_>>>()?;
    let whole = numbers.iter().map(|numbers| match numbers {
        Numbers::Whole(view) => Some(*view),
        Numbers::Exact(_) => None,
    });
    Ok(match whole.collect::<Option<Vec<_>>>() {
        Some(views) => placed(ranking, blocks, &ranked, |block, row| views[block].get(row)),
        None => placed(ranking, blocks, &ranked, |block, row| -> Ratio {
            numbers[block].get(row)
        }),
    })
}

fn placed<T: Ord + Copy + Send + Sync>(
    ranking: &Ranking,
    blocks: &[Contenders],
    ranked: &[Bits],
    value: impl Fn(usize, usize) -> T + Sync,
) -> Vec<Placed> {
    let values = |block: usize| {
        ranked[block]
            .rows()
            .map(move |row| (block, row))
            .map(|(block, row)| value(block, row))
    };
    let people = ranked.iter().map(|rows| rows.count() as usize).sum::<usize>();
    let (side, wanted) = match ranking.place {
        Place::Tile { k } => {
            return tiles(
                k as usize,
                (0..blocks.len()).flat_map(values).collect(),
                blocks,
                ranked,
                value,
            );
        }
        Place::Count { side, count } => (side, count.min(people as u64) as usize),
        // Fewer than p · N are strictly better where fewer than its next whole number are.
        Place::Share { side, millionths } => {
            let unit = i128::from(UNIT);
            (
                side,
                ((i128::from(millionths) * people as i128 + unit - 1) / unit) as usize,
            )
        }
    };
    let index = match side {
        _ if wanted == 0 => None,
        Side::Top => people.checked_sub(wanted),
        Side::Bottom => Some(wanted - 1),
    };
    let last = index.map(|index| nth(index, people, blocks.len(), values));
    let within = |block: usize, row: usize| {
        last.is_some_and(|last| match side {
            Side::Top => value(block, row) >= last,
            Side::Bottom => value(block, row) <= last,
        })
    };
    let one = |(block, contenders): (usize, &Contenders)| {
        let known = &ranked[block];
        let mut t = Bits::from_fn(known.len(), |row| within(block, row));
        t.keep(known);
        Placed::Rank(Tri {
            t,
            u: contenders.population.and_not(known),
        })
    };
    blocks.par_iter().enumerate().map(one).collect()
}

/// Values that are sorted to guess between which two the wanted one lies.
const SAMPLE: usize = 1 << 12;
/// How far from the guess both are, in the sample: the guess is seldom farther off.
const FAR: usize = SAMPLE / 32;

/// The value that `index` of all `count` are before in order. `values`: those of each of so many blocks.
fn nth<T: Ord + Copy + Send + Sync, I: Iterator<Item = T>>(
    index: usize,
    count: usize,
    blocks: usize,
    values: impl Fn(usize) -> I + Sync,
) -> T {
    let every = count / SAMPLE + 1;
    let mut sample: Vec<T> = (0..blocks).flat_map(|block| values(block).step_by(every)).collect();
    sample.sort_unstable();
    let guess = index * sample.len() / count;
    let low = guess.checked_sub(FAR).map(|low| sample[low]);
    let high = sample.get(guess + FAR).copied();
    let near = |block| {
        let (mut before, mut near) = (0, Vec::new());
        for value in values(block) {
            if low.is_some_and(|low| value < low) {
                before += 1;
            } else if high.is_none_or(|high| value <= high) {
                near.push(value);
            }
        }
        (before, near)
    };
    let near: Vec<(usize, Vec<T>)> = (0..blocks).into_par_iter().map(near).collect();
    let before: usize = near.iter().map(|(before, _)| before).sum();
    let mut near: Vec<T> = near.into_iter().flat_map(|(_, near)| near).collect();
    match index.checked_sub(before) {
        Some(index) if index < near.len() => *near.select_nth_unstable(index).1,
        _ => {
            let mut all: Vec<T> = (0..blocks).flat_map(values).collect();
            *all.select_nth_unstable(index).1
        }
    }
}

/// `ceil(k · (number at or below) / N)`: a person is above tile j where more than `floor(j · N / k)` are at or below.
fn tiles<T: Ord + Copy + Send>(
    k: usize,
    mut values: Vec<T>,
    blocks: &[Contenders],
    ranked: &[Bits],
    value: impl Fn(usize, usize) -> T,
) -> Vec<Placed> {
    values.par_sort_unstable();
    let starts: Vec<T> = match values.len() {
        0 => Vec::new(),
        people => (1..k).map(|tile| values[tile * people / k]).collect(),
    };
    let one = |block: usize| {
        let known = ranked[block].clone();
        let tile = |row: usize| {
            let of = |value: T| 1 + starts.partition_point(|start| *start <= value) as i64;
            if known.get(row) {
                of(value(block, row)) * UNIT
            } else {
                0
            }
        };
        let tiles = (0..known.len()).map(tile).collect();
        Placed::Tiles(Column::int(known, tiles))
    };
    (0..blocks.len()).map(one).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_nth_of_all_is_that_of_the_sorted(
            seed in any::<u64>(), count in 1..20_000usize, most in 1..30_000u64, sorted in any::<bool>(), index in any::<prop::sample::Index>()
        ) {
            let mixed = |number: usize| (number as u64 + 1).wrapping_mul(seed | 1).rotate_left(29).wrapping_mul(0x9E37_79B9_7F4A_7C15) % most;
            let mut values: Vec<u64> = (0..count).map(mixed).collect();
            if sorted {
                values.sort_unstable();
            }
            let blocks: Vec<&[u64]> = values.chunks(1 + count / 3).collect();
            let index = index.index(count);
            let found = nth(index, count, blocks.len(), |block| blocks[block].iter().copied());
            values.sort_unstable();
            prop_assert_eq!(found, values[index]);
        }
    }
}
