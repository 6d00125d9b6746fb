//! The state that the blocks of one evaluation share: text tests, catalogs, item verdicts and rankings.

use std::collections::HashMap;

use super::kernels::bits::{Bits, Tri};
use super::kernels::column::{Column, View};
use super::kernels::text_match::MatchCache;
use super::limits::{Budget, Limits};
use super::operators::rank::RankResult;
use super::program::{Expr, Program};
use super::trace::Trace;
use crate::error::Result;
use crate::index::view::{Items, Version};

/// The shared state of one evaluation.
pub struct Query<'a> {
    pub version: &'a Version,
    pub program: &'a Program,
    pub match_caches: Vec<MatchCache<'a>>,
    pub catalogs: Vec<Catalog<'a>>,
    pub item_verdicts: Vec<ItemVerdicts>,
    /// The results by ranking, then by block.
    pub rank_results: Vec<Vec<RankResult>>,
    pub budget: Budget<'a>,
    /// True if the evaluation counts unknowns and clauses; false if it only finds members.
    pub counts: bool,
    /// Collects the cost of each condition, if requested.
    pub trace: Option<Trace>,
}

impl<'a> Query<'a> {
    pub fn new(version: &'a Version, program: &'a Program, limits: &'a Limits) -> Query<'a> {
        let match_cache = |test| MatchCache::new(test, &version.texts, &program.plan_texts, program.first_plan_code);
        let catalog = |(number, name): (usize, &String)| {
            Catalog::new(
                version.catalogs.get(name).map(AsRef::as_ref),
                attributes_of(program, number),
            )
        };
        Query {
            version,
            program,
            match_caches: program.text_matchers.iter().map(match_cache).collect(),
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
        let index = code.checked_sub(self.program.first_plan_code);
        match index.and_then(|index| self.program.plan_texts.get(index as usize)) {
            Some(text) => text,
            None => self.version.texts.get(code),
        }
    }
}

/// Returns the attributes that the program looks up in a catalog.
fn attributes_of(program: &Program, number: usize) -> impl Iterator<Item = &str> {
    program.exprs.iter().filter_map(move |expr| match expr {
        Expr::Lookup { catalog, attribute, .. } if *catalog == number => Some(attribute.as_str()),
        _ => None,
    })
}

/// The items of a catalog by the code of their key.
pub struct Catalog<'a> {
    /// By code: the row of the item plus one; 0 if no item has this key.
    pub rows: Vec<u32>,
    /// The number of items.
    pub len: usize,
    /// One row for each item, and a last unknown row for keys that the catalog lacks.
    attributes: HashMap<&'a str, Column<'a>>,
}

impl<'a> Catalog<'a> {
    fn new(items: Option<&'a Items>, names: impl Iterator<Item = &'a str>) -> Catalog<'a> {
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
            attributes: names.map(|name| (name, column(name))).collect(),
        }
    }

    /// Returns the row of the item with this key.
    pub fn row(&self, code: u32) -> Option<usize> {
        self.rows.get(code as usize)?.checked_sub(1).map(|row| row as usize)
    }

    /// Returns the values of an attribute by row.
    pub fn attribute(&self, name: &str) -> Column<'a> {
        self.attributes
            .get(name)
            .cloned()
            .unwrap_or_else(|| Column::unknown(self.len + 1))
    }
}

/// The verdicts of a condition on items by the code of their key: 0 (false), `TRUE` or `UNKNOWN`.
pub struct ItemVerdicts {
    pub verdicts: Vec<u8>,
    /// The verdict on an unknown key and on keys that the catalog lacks.
    pub missing: u8,
}

pub const TRUE: u8 = 1;
pub const UNKNOWN: u8 = 2;

impl ItemVerdicts {
    /// Looks up the verdict for the key of each row.
    pub fn for_keys(&self, key: &Column) -> Result<Tri> {
        let codes = key.codes()?;
        let verdict = |code: u32| self.verdicts.get(code as usize).copied().unwrap_or(self.missing);
        let row_verdict = |row: usize| {
            if key.known.get(row) {
                verdict(codes.get(row))
            } else {
                self.missing
            }
        };
        let rows_with = |wanted: u8| Bits::from_fn(key.len(), |row| row_verdict(row) & wanted != 0);
        Ok(match codes {
            View::Many(codes) if key.known.is_all() => Tri {
                t: Bits::from_fn(key.len(), |row| verdict(codes[row]) & TRUE != 0),
                u: Bits::from_fn(key.len(), |row| verdict(codes[row]) & UNKNOWN != 0),
            },
            _ => Tri {
                t: rows_with(TRUE),
                u: rows_with(UNKNOWN),
            },
        })
    }
}
