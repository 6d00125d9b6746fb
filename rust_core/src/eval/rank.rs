//! Ranks and tiles: what needs everybody's value before anybody's answer.

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

fn placed<T: Ord + Copy>(
    ranking: &Ranking,
    blocks: &[Contenders],
    ranked: &[Bits],
    value: impl Fn(usize, usize) -> T,
) -> Vec<Placed> {
    let mut values: Vec<T> = Vec::new();
    for (block, rows) in ranked.iter().enumerate() {
        values.extend(rows.rows().map(|row| value(block, row)));
    }
    let people = values.len() as i128;
    let (side, wanted) = match ranking.place {
        Place::Tile { k } => return tiles(k as usize, values, blocks, ranked, value),
        Place::Count { side, count } => (side, i128::from(count).min(people)),
        // Fewer than p · N are strictly better where fewer than its next whole number are.
        Place::Share { side, millionths } => {
            let unit = i128::from(UNIT);
            (side, (i128::from(millionths) * people + unit - 1) / unit)
        }
    };
    let last = nth_best(&mut values, wanted as usize, side);
    let within = |block: usize, row: usize| {
        last.is_some_and(|last| match side {
            Side::Top => value(block, row) >= last,
            Side::Bottom => value(block, row) <= last,
        })
    };
    let one = |(block, contenders): (usize, &Contenders)| {
        let known = &ranked[block];
        let t = Bits::from_fn(known.len(), |row| known.get(row) && within(block, row));
        Placed::Rank(Tri {
            t,
            u: contenders.population.and_not(known),
        })
    };
    blocks.iter().enumerate().map(one).collect()
}

fn nth_best<T: Ord + Copy>(values: &mut [T], wanted: usize, side: Side) -> Option<T> {
    let index = match side {
        _ if wanted == 0 || wanted > values.len() => return None,
        Side::Top => values.len() - wanted,
        Side::Bottom => wanted - 1,
    };
    Some(*values.select_nth_unstable(index).1)
}

/// `ceil(k · (number at or below) / N)`: a person is above tile j where more than `floor(j · N / k)` are at or below.
fn tiles<T: Ord + Copy>(
    k: usize,
    mut values: Vec<T>,
    blocks: &[Contenders],
    ranked: &[Bits],
    value: impl Fn(usize, usize) -> T,
) -> Vec<Placed> {
    values.sort_unstable();
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
