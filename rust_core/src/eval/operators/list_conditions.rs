//! Evaluates list conditions: a value is in a list, or a set contains the items of a list.

use crate::error::Result;
use crate::eval::evaluator::{Evaluator, Scope};
use crate::eval::kernels::bits::{Bits, Tri};
use crate::eval::kernels::column::{Datum, Kind, View};
use crate::eval::kernels::compare::equals;
use crate::eval::kernels::sets::Sets;
use crate::eval::program::{Expr, ExprId};
use crate::plan::Mode;

/// Up to this many texts are compared one by one; longer lists use binary search.
const SHORT_LIST: usize = 8;

impl<'a, S: Scope<'a>> Evaluator<'a, S> {
    /// Returns the rows whose value equals one of the items.
    pub fn among_items(&self, expr: ExprId, items: &'a [ExprId], kind: Kind) -> Result<Tri> {
        if let (Kind::Text, Some(codes)) = (kind, self.literal_codes(items))
            && codes.len() <= SHORT_LIST
        {
            let each = codes.iter().map(|&code| self.between(expr, code.into(), code.into()));
            let each = each.collect::<Result<Option<Vec<Tri>>>>()?;
            let either = |mut found: Tri, other: Tri| {
                found.or_assign(&other);
                found
            };
            if let Some(found) = each.and_then(|each| each.into_iter().reduce(either)) {
                return Ok(found);
            }
        }
        let column = self.expr(expr)?;
        let mut result = self.constant(false);
        if let (Kind::Text, Some(codes)) = (kind, self.literal_codes(items))
            && let View::Many(values) = column.codes()?
        {
            result.t = match codes.as_slice() {
                few if few.len() <= SHORT_LIST => Bits::from_fn(self.rows(), |row| few.contains(&values[row])),
                many => Bits::from_fn(self.rows(), |row| many.binary_search(&values[row]).is_ok()),
            };
        } else {
            for &item in items {
                result.or_assign(&equals(&column, &*self.expr(item)?, kind)?);
            }
        }
        let known = &column.known;
        Ok(Tri {
            t: result.t.and(known),
            u: result.u.or(&known.not()),
        })
    }

    /// Returns the items as ascending text codes if all are literal texts.
    fn literal_codes(&self, items: &[ExprId]) -> Option<Vec<u32>> {
        let code = |&item: &ExprId| match self.query.program.exprs[item] {
            Expr::Literal(Datum::Code(code)) => Some(code),
            _ => None,
        };
        let mut codes: Vec<u32> = items.iter().map(code).collect::<Option<_>>()?;
        codes.sort_unstable();
        Some(codes)
    }

    /// Returns the rows whose set contains all, any or none of the items.
    pub fn has(&self, mode: Mode, expr: ExprId, items: &'a [ExprId]) -> Result<Tri> {
        if let (Mode::Any | Mode::None, Some(codes)) = (mode, self.literal_codes(items))
            && let Some(holding) = S::rows_containing_any(self, &self.query.program.exprs[expr], &codes)
        {
            return Ok(if mode == Mode::None { holding.not() } else { holding });
        }
        let column = self.expr(expr)?;
        let len = self.rows();
        let Some(sets) = column.sets()? else {
            return Ok(Tri {
                t: Bits::none(len),
                u: Bits::all(len),
            });
        };
        let mut result = match self.literal_codes(items) {
            Some(codes) if mode != Mode::All => Tri::known(sets.rows_containing_any(len, &codes)),
            _ => self.holding_each(mode, sets, items)?,
        };
        if mode == Mode::None {
            result = result.not();
        }
        let known = &column.known;
        Ok(Tri {
            t: result.t.and(known),
            u: result.u.or(&known.not()),
        })
    }

    /// Returns the rows whose set contains all of the items (`Mode::All`) or one of them, item by item.
    fn holding_each(&self, mode: Mode, sets: &Sets, items: &[ExprId]) -> Result<Tri> {
        let len = self.rows();
        let mut result = self.constant(mode == Mode::All);
        for &item in items {
            let item = self.expr(item)?;
            let holding = match item.codes()? {
                View::One(code) => sets.rows_containing_any(len, &[code]),
                View::Many(codes) => sets.rows_containing(len, |row| codes[row]),
            };
            let holding = Tri::of(holding, &item.known);
            match mode {
                Mode::All => result.and_assign(&holding),
                Mode::Any | Mode::None => result.or_assign(&holding),
            }
        }
        Ok(result)
    }
}
