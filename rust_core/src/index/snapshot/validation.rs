//! Checks that decoded data is consistent, so that later lookups stay in bounds.

use crate::index::columns::ints::Ints;
use crate::index::columns::texts::TextColumn;
use crate::index::partitioning::BLOCK;
use crate::index::summaries::firsts::FirstsBlock;
use crate::index::summaries::spans::Days;
use crate::index::summaries::totals::{BlockTotals, Totals};
use crate::index::view::{ChangeRun, Column, Details, EventRun, ItemUpdates, Items, Latest, Origins, Values};

impl Ints {
    fn fits(&self, rows: usize) -> bool {
        self.len() == rows && self.parts().1 > 0
    }
}

impl TextColumn {
    /// Returns whether the column has `rows` rows and consistent ends.
    pub fn fits(&self, rows: usize) -> bool {
        self.ends.len() == rows && lists_fit(&self.ends, self.bytes.len())
    }
}

impl Values {
    fn fits(&self, rows: usize) -> bool {
        self.known.len() == rows.div_ceil(64)
            && self.len() == rows
            && match &self.data {
                Column::Bool(_) | Column::Point(_) => true,
                Column::Flags(flags) => flags.are_valid(),
                Column::Ints(_, data) => data.fits(rows),
                Column::Set { ends, codes } => lists_fit(ends, codes.len()),
                Column::Map { ends, entries } => lists_fit(ends, entries.len()),
            }
    }
}

/// Returns whether the ends ascend and cover all elements.
fn lists_fit(ends: &[u32], elements: usize) -> bool {
    ends.is_sorted() && ends.last().map_or(0, |&end| end as usize) == elements
}

impl Origins {
    fn fits(&self, rows: usize) -> bool {
        self.sources.fits(rows) && self.ids.fits(rows) && self.arrivals.fits(rows) && self.nodes.fits(rows)
    }
}

impl Details {
    fn fits(&self, rows: usize) -> bool {
        let mut properties = self.properties.values();
        self.channels.fits(rows) && properties.all(|values| values.fits(rows)) && self.origins.fits(rows)
    }
}

impl EventRun {
    /// Returns whether the value is consistent in a partition of `people` ordinals.
    pub fn is_valid(&self, people: u32) -> bool {
        let rows = self.len();
        let froms = self.cells.iter().map(|cell| cell.from as usize);
        let keys = self.cells.iter().map(|cell| (cell.block, cell.day));
        let are_people = |cell: usize| {
            let persons = &self.persons[self.rows_of(cell..cell + 1)];
            persons.is_sorted()
                && persons
                    .last()
                    .is_none_or(|&last| is_person(self.cells[cell].block, last, people))
        };
        self.cells.first().is_none_or(|cell| cell.from == 0)
            && froms.is_sorted_by(|a, b| a < b)
            && keys.is_sorted_by(|a, b| a < b)
            && self.cells.last().map_or(rows == 0, |cell| (cell.from as usize) < rows)
            && self.times.len() == rows
            && self.details.fits(rows)
            && (0..self.cells.len()).all(are_people)
    }
}

impl ChangeRun {
    /// Returns whether the value is consistent in a partition of `people` ordinals.
    pub fn is_valid(&self, people: u32) -> bool {
        let rows = self.len();
        let are_people = |block: u32| {
            let persons = &self.persons[self.rows_of_block(block)];
            persons.is_sorted() && persons.last().is_none_or(|&last| is_person(block, last, people))
        };
        self.blocks.first().map_or(rows == 0, |&from| from == 0)
            && self.blocks.is_sorted()
            && self.blocks.last().is_none_or(|&from| from as usize <= rows)
            && self.times.fits(rows)
            && self.values.fits(rows)
            && self.origins.fits(rows)
            && (0..self.blocks.len() as u32).all(are_people)
    }
}

fn is_person(block: u32, person: u16, people: u32) -> bool {
    u64::from(block) * u64::from(BLOCK) + u64::from(person) < u64::from(people)
}

impl Latest {
    /// Returns whether the values are consistent.
    pub fn is_valid(&self) -> bool {
        self.values.len() <= BLOCK as usize && self.values.fits(self.values.len())
    }
}

impl Days {
    /// Returns whether the two columns have equal lengths of at most one block.
    pub fn is_valid(&self) -> bool {
        self.firsts.len() == self.lasts.len() && self.firsts.len() <= BLOCK as usize
    }
}

impl Totals {
    /// Returns whether the value is consistent in a partition of `people` ordinals.
    pub fn are_valid(&self, people: u32) -> bool {
        let (_, blocks) = self.parts();
        let in_block = (0..people)
            .step_by(BLOCK as usize)
            .map(|first| BLOCK.min(people - first) as usize);
        blocks.len() <= in_block.len()
            && blocks
                .iter()
                .zip(in_block)
                .all(|(total, people)| total.as_ref().is_none_or(|total| total.is_valid(people)))
    }
}

impl BlockTotals {
    fn is_valid(&self, most: usize) -> bool {
        let ((low, overflows), people) = (self.counts.parts(), self.counts.people());
        low.len() <= most
            && overflows.iter().all(|&person| usize::from(person) < people)
            && self.sums.values().flatten().all(|sums| sums.fits(people))
    }
}

impl FirstsBlock {
    /// Returns whether the two columns have fitting lengths of at most one block.
    pub fn is_valid(&self) -> bool {
        self.instants.len() <= BLOCK as usize && self.present.len() == self.instants.len().div_ceil(64)
    }
}

impl Items {
    /// Returns whether attributes and updates are consistent.
    pub fn is_valid(&self) -> bool {
        let mut attributes = self.attributes.values();
        attributes.all(|values| values.fits(values.len())) && self.updates.iter().all(|updates| updates.is_valid())
    }
}

impl ItemUpdates {
    fn is_valid(&self) -> bool {
        let attributes = self.attributes.values();
        self.arrivals.fits(self.keys.len())
            && attributes.into_iter().all(|(of, values)| {
                let are_updates = of.last().is_none_or(|&last| (last as usize) < self.keys.len());
                of.is_sorted() && are_updates && values.fits(of.len())
            })
    }
}
