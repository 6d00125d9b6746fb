//! The state that the blocks of one evaluation share: text tests, catalogs, item verdicts and rankings.

use std::collections::HashMap;

use super::kernels::bits::{Bits, Tri};
use super::kernels::column::{Column, View};
use super::kernels::text_match::Memo;
use super::limits::{Budget, Limits};
use super::operators::rank::RankResult;
use super::program::{Expr, Program};
use super::trace::Trace;
use crate::error::Result;
use crate::index::view::{Items, Version};

pub struct Query<'a> {
    pub version: &'a Version,
    pub program: &'a Program,
    pub memos: Vec<Memo<'a>>,
    pub catalogs: Vec<Catalog<'a>>,
    pub item_verdicts: Vec<ItemVerdicts>,
    /// The results by ranking, then by block.
    pub rank_results: Vec<Vec<RankResult>>,
    pub budget: Budget<'a>,
    /// True if unknowns and clauses are counted, not only members found.
    pub counts: bool,
    /// Collects the cost of each condition, if requested.
    pub trace: Option<Trace>,
}

impl<'a> Query<'a> {
    pub fn new(version: &'a Version, program: &'a Program, limits: &'a Limits) -> Query<'a> {
        let memo = |test| Memo::new(test, &version.texts, &program.extra, program.extra_from);
        let catalog = |(number, name): (usize, &String)| {
            Catalog::new(
                version.catalogs.get(name).map(AsRef::as_ref),
                attributes_of(program, number),
            )
        };
        Query {
            version,
            program,
            memos: program.tests.iter().map(memo).collect(),
            catalogs: program.catalogs.iter().enumerate().map(catalog).collect(),
            item_verdicts: Vec::new(),
            rank_results: Vec::new(),
            budget: Budget::new(limits),
            counts: true,
            trace: None,
        }
    }

    /// Returns the text of a code, from the dictionary or from the plan.
    pub fn text(&self, code: u32) -> &str {
        let extra = code.checked_sub(self.program.extra_from);
        match extra.and_then(|extra| self.program.extra.get(extra as usize)) {
            Some(text) => text,
            None => self.version.texts.get(code),
        }
    }
}

/// Returns the attributes that the program looks up in a catalog.
fn attributes_of(program: &Program, wanted: usize) -> impl Iterator<Item = &str> {
    program.exprs.iter().filter_map(move |expr| match expr {
        Expr::Lookup { catalog, attribute, .. } if *catalog == wanted => Some(attribute.as_str()),
        _ => None,
    })
}

/// The items of a catalog by the code of their key.
pub struct Catalog<'a> {
    /// The row of each code plus one; 0 if no item has this key.
    pub rows: Vec<u32>,
    pub len: usize,
    /// One row for each item, and a last unknown row for keys that the catalog lacks.
    attributes: HashMap<&'a str, Column<'a>>,
}

impl<'a> Catalog<'a> {
    fn new(items: Option<&'a Items>, wanted: impl Iterator<Item = &'a str>) -> Catalog<'a> {
        let keys = || items.into_iter().flat_map(|items| &items.rows);
        let mut rows = vec![0; keys().map(|(&code, _)| code as usize + 1).max().unwrap_or(0)];
        for (&code, &row) in keys() {
            rows[code as usize] = row + 1;
        }
        let len = rows.iter().max().map_or(0, |&last| last as usize);
        let column = |name| {
            let values = items.and_then(|items| items.attributes.get(name));
            values.map_or_else(|| Column::unknown(len + 1), |values| Column::slice(values, 0..len + 1))
        };
        Catalog {
            rows,
            len,
            attributes: wanted.map(|name| (name, column(name))).collect(),
        }
    }

    pub fn row(&self, code: u32) -> Option<usize> {
        self.rows.get(code as usize)?.checked_sub(1).map(|row| row as usize)
    }

    pub fn attribute(&self, name: &str) -> Column<'a> {
        self.attributes
            .get(name)
            .cloned()
            .unwrap_or_else(|| Column::unknown(self.len + 1))
    }
}

/// The verdicts of a condition on items, by code of the key.
pub struct ItemVerdicts {
    pub answers: Vec<u8>,
    pub missing: u8,
}

pub const TRUE: u8 = 1;
pub const UNKNOWN: u8 = 2;

impl ItemVerdicts {
    /// Looks up the verdict for the key of each row.
    pub fn for_keys(&self, key: &Column) -> Result<Tri> {
        let codes = key.codes()?;
        let answer = |code: u32| self.answers.get(code as usize).copied().unwrap_or(self.missing);
        let row_answer = |row: usize| {
            if key.known.get(row) {
                answer(codes.get(row))
            } else {
                self.missing
            }
        };
        let every = |wanted: u8| Bits::from_fn(key.len(), |row| row_answer(row) & wanted != 0);
        Ok(match codes {
            View::Many(codes) if key.known.is_all() => Tri {
                t: Bits::from_fn(key.len(), |row| answer(codes[row]) & TRUE != 0),
                u: Bits::from_fn(key.len(), |row| answer(codes[row]) & UNKNOWN != 0),
            },
            _ => Tri {
                t: every(TRUE),
                u: every(UNKNOWN),
            },
        })
    }
}
