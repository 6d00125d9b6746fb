//! What one evaluation shares between its blocks: dictionary work done once, and the places of ranked people.

use std::collections::HashMap;

use super::kernels::bits::{Bits, Tri};
use super::kernels::column::{Column, View};
use super::kernels::text_match::Memo;
use super::limits::{Budget, Limits};
use super::operators::rank::Placed;
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
    /// By ranking, then by block.
    pub placed: Vec<Vec<Placed>>,
    pub budget: Budget<'a>,
    /// Whether not only the members are wanted, but how many are unknown and what each clause comes to.
    pub counts: bool,
    /// Where figures of each condition are wanted.
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
            placed: Vec::new(),
            budget: Budget::new(limits),
            counts: true,
            trace: None,
        }
    }

    /// The text of a code: one of the dictionary or of the plan.
    pub fn text(&self, code: u32) -> &str {
        let extra = code.checked_sub(self.program.extra_from);
        match extra.and_then(|extra| self.program.extra.get(extra as usize)) {
            Some(text) => text,
            None => self.version.texts.get(code),
        }
    }
}

fn attributes_of(program: &Program, wanted: usize) -> impl Iterator<Item = &str> {
    program.exprs.iter().filter_map(move |expr| match expr {
        Expr::Lookup { catalog, attribute, .. } if *catalog == wanted => Some(attribute.as_str()),
        _ => None,
    })
}

/// A catalog's items by the codes of their keys.
pub struct Catalog<'a> {
    /// By code: one more than the row; 0 for none.
    pub rows: Vec<u32>,
    pub len: usize,
    /// One row an item and a last one, unknown, for keys that the catalog lacks.
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

/// A condition on items, answered by code of the key.
pub struct ItemVerdicts {
    pub answers: Vec<u8>,
    pub missing: u8,
}

pub const TRUE: u8 = 1;
pub const UNKNOWN: u8 = 2;

impl ItemVerdicts {
    pub fn ask(&self, key: &Column) -> Result<Tri> {
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
