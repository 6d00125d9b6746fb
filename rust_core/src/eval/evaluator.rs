//! Evaluates each condition and expression of a program once, over all rows of a scope at a time.

use std::cell::RefCell;
use std::rc::Rc;

use super::kernels::bits::{Bits, Tri};
use super::kernels::column::{Column, Data, Datum, Kind, Numbers, View};
use super::kernels::compare::{anniversary, compare, near};
use super::kernels::gather::gather;
use super::kernels::ratio::{Ratio, UNIT};
use super::program::{Cond, CondId, Expr, ExprId};
use super::query::Query;
use super::trace::Touched;
use crate::error::{Error, Result};
use crate::plan::{Arith, Cmp, Mode};

/// A kind of rows (people, events or items) and the nodes that only these rows can evaluate.
pub trait Scope<'a>: Sized {
    fn rows(&self) -> usize;

    /// Evaluates an expression; returns `None` if it means the same in all scopes.
    fn expr(eval: &Evaluator<'a, Self>, expr: &'a Expr) -> Result<Option<Rc<Column<'a>>>>;

    /// Evaluates a condition; returns `None` if it means the same in all scopes.
    fn cond(eval: &Evaluator<'a, Self>, cond: &'a Cond) -> Result<Option<Tri>>;

    /// Reserves memory that is kept for the rows. Scopes of few rows count none.
    fn reserve(&self, _bytes: usize) -> Result<()> {
        Ok(())
    }

    /// Compares an expression with an inclusive range of numbers or codes, if that needs no decoded values; else returns `None`.
    fn between(_: &Evaluator<'a, Self>, _: &'a Expr, _low: i64, _high: i64) -> Result<Option<Tri>> {
        Ok(None)
    }

    /// Finds the rows whose set contains one of the texts, if that needs no decoded values; else returns `None`.
    fn rows_containing_any(_: &Evaluator<'a, Self>, _: &'a Expr, _codes: &[u32]) -> Option<Tri> {
        None
    }
}

/// Evaluates the nodes of a program over the rows of a scope and caches the results.
pub struct Evaluator<'a, S> {
    pub query: &'a Query<'a>,
    pub scope: S,
    pub touched: Rc<Touched>,
    conds: RefCell<Vec<Option<Rc<Tri>>>>,
    exprs: RefCell<Vec<Option<Rc<Column<'a>>>>>,
}

impl<'a, S: Scope<'a>> Evaluator<'a, S> {
    pub fn new(query: &'a Query<'a>, scope: S, touched: Rc<Touched>) -> Self {
        let program = query.program;
        let (conds, exprs) = (vec![None; program.conds.len()], vec![None; program.exprs.len()]);
        Evaluator {
            query,
            scope,
            touched,
            conds: RefCell::new(conds),
            exprs: RefCell::new(exprs),
        }
    }

    pub fn rows(&self) -> usize {
        self.scope.rows()
    }

    /// Returns the result of a condition; evaluates it on the first call.
    pub fn cond(&self, id: CondId) -> Result<Rc<Tri>> {
        if let Some(tri) = &self.conds.borrow()[id] {
            return Ok(tri.clone());
        }
        let tri = Rc::new(self.evaluate_cond(id)?);
        self.scope.reserve(tri.bytes())?;
        self.conds.borrow_mut()[id] = Some(tri.clone());
        Ok(tri)
    }

    /// Evaluates a condition that is not cached yet.
    fn evaluate_cond(&self, id: CondId) -> Result<Tri> {
        let cond = &self.query.program.conds[id];
        let evaluate = || match S::cond(self, cond)? {
            Some(tri) => Ok(tri),
            None => self.general_cond(cond),
        };
        match &self.query.trace {
            None => evaluate(),
            Some(trace) => trace.cond(id, &self.touched, evaluate),
        }
    }

    /// Returns the values of an expression; evaluates it on the first call.
    pub fn expr(&self, id: ExprId) -> Result<Rc<Column<'a>>> {
        if let Some(column) = &self.exprs.borrow()[id] {
            return Ok(column.clone());
        }
        let expr = &self.query.program.exprs[id];
        let column = match S::expr(self, expr)? {
            Some(column) => column,
            None => Rc::new(self.general_expr(expr)?),
        };
        self.scope.reserve(column.bytes())?;
        self.exprs.borrow_mut()[id] = Some(column.clone());
        Ok(column)
    }

    /// Returns a condition that is true, or false, for all rows.
    pub fn constant(&self, value: bool) -> Tri {
        Tri::known(if value {
            Bits::all(self.rows())
        } else {
            Bits::none(self.rows())
        })
    }

    /// Like `cond`, but does not cache the result of an `all` or `any`; the results of its parts are cached.
    pub fn cond_once(&self, id: CondId) -> Result<Tri> {
        match &self.query.program.conds[id] {
            Cond::All(_) | Cond::Any(_) if self.conds.borrow()[id].is_none() => self.evaluate_cond(id),
            _ => Ok(Tri::clone(&*self.cond(id)?)),
        }
    }

    /// Keeps the rows for which all conditions are true. Stops at the first condition that leaves no row.
    pub fn narrow(&self, parts: &[CondId], rows: &mut Bits) -> Result<()> {
        for &part in parts {
            if rows.is_none() {
                break;
            }
            rows.and_assign(&self.cond(part)?.t);
        }
        Ok(())
    }

    /// Combines conditions with `join`; returns the constant `empty` if there are none.
    fn join(&self, of: &[CondId], empty: bool, join: fn(&mut Tri, &Tri)) -> Result<Tri> {
        let Some((&first, rest)) = of.split_first() else {
            return Ok(self.constant(empty));
        };
        let mut joined = Tri::clone(&*self.cond(first)?);
        for &of in rest {
            join(&mut joined, &*self.cond(of)?);
        }
        Ok(joined)
    }

    /// Evaluates a condition that means the same in all scopes.
    fn general_cond(&self, cond: &'a Cond) -> Result<Tri> {
        Ok(match cond {
            Cond::Constant(value) => self.constant(*value),
            Cond::All(of) => self.join(of, true, Tri::and_assign)?,
            Cond::Any(of) => self.join(of, false, Tri::or_assign)?,
            Cond::Not(of) => self.cond(*of)?.not(),
            Cond::OrUnknown(of) => {
                let of = self.cond(*of)?;
                Tri::known(of.t.or(&of.u))
            }
            Cond::Given { of, known } => Tri::of(self.cond(*of)?.t.clone(), &self.cond(*known)?.t),
            Cond::Compare { cmp, left, right, kind } => match self.compare_with_literal(*cmp, *left, *right)? {
                Some(tri) => tri,
                None => compare(*cmp, &*self.expr(*left)?, &*self.expr(*right)?, *kind)?,
            },
            Cond::In {
                expr,
                items,
                kind: Kind::Set,
            } => self.has(Mode::Any, *expr, items)?,
            Cond::In { expr, items, kind } => self.among_items(*expr, items, *kind)?,
            Cond::Has { mode, expr, items } => self.has(*mode, *expr, items)?,
            Cond::Text { matcher, expr } => {
                let column = self.expr(*expr)?;
                let match_cache = &self.query.match_caches[*matcher];
                let holds = match column.codes()? {
                    View::One(code) if match_cache.matches(code) => Bits::all(self.rows()),
                    View::One(_) => Bits::none(self.rows()),
                    View::Many(codes) => Bits::from_fn(self.rows(), |row| {
                        column.known.get(row) && match_cache.matches(codes[row])
                    }),
                };
                Tri::of(holds, &column.known)
            }
            Cond::Known(expr) => Tri::known(self.expr(*expr)?.known.clone()),
            Cond::Within { expr, from, to } => {
                if let Some(tri) = self.between(*expr, *from, to.saturating_sub(1))? {
                    return Ok(tri);
                }
                let column = self.expr(*expr)?;
                let values = column.ints()?;
                let holds = Bits::from_fn(self.rows(), |row| (*from..*to).contains(&values.get(row)));
                Tri::of(holds, &column.known)
            }
            Cond::Anniversary {
                expr,
                latest_year,
                of_dates,
            } => anniversary(&*self.expr(*expr)?, latest_year, *of_dates)?,
            Cond::Near { expr, point, metres } => {
                near(&*self.expr(*expr)?, &*self.expr(*point)?, f64::from_bits(*metres))?
            }
            Cond::OfItem { filter, key } => self.query.item_verdicts[*filter].for_keys(&*self.expr(*key)?)?,
            Cond::Set { .. } | Cond::Happened { .. } | Cond::Sequence(_) | Cond::Rank(_) | Cond::Sample { .. } => {
                return Err(misplaced());
            }
        })
    }

    /// Compares an expression with an inclusive range if that needs no decoded values; see `Scope::between`.
    pub fn between(&self, expr: ExprId, low: i64, high: i64) -> Result<Option<Tri>> {
        S::between(self, &self.query.program.exprs[expr], low, high)
    }

    /// Compares an expression with a literal number or text; returns `None` for other comparisons.
    fn compare_with_literal(&self, cmp: Cmp, left: ExprId, right: ExprId) -> Result<Option<Tri>> {
        let number = match &self.query.program.exprs[right] {
            Expr::Literal(Datum::Int(number)) => *number,
            Expr::Literal(Datum::Code(code)) => i64::from(*code),
            _ => return Ok(None),
        };
        let (low, high) = match cmp {
            Cmp::Less if number == i64::MIN => return Ok(None),
            Cmp::More if number == i64::MAX => return Ok(None),
            Cmp::Less => (i64::MIN, number - 1),
            Cmp::AtMost => (i64::MIN, number),
            Cmp::More => (number + 1, i64::MAX),
            Cmp::AtLeast => (number, i64::MAX),
            Cmp::Equal | Cmp::Differs => (number, number),
        };
        let tri = self.between(left, low, high)?;
        Ok(tri.map(|tri| if cmp == Cmp::Differs { tri.not() } else { tri }))
    }

    /// Evaluates an expression that means the same in all scopes.
    fn general_expr(&self, expr: &'a Expr) -> Result<Column<'a>> {
        let len = self.rows();
        Ok(match expr {
            Expr::Literal(datum) => Column::one(len, *datum),
            Expr::Elapsed { of, as_of } => {
                let of = self.expr(*of)?;
                let instants = of.ints()?;
                let elapsed = (0..len).map(|row| as_of.saturating_sub(instants.get(row))).collect();
                Column::int(of.known.clone(), elapsed)
            }
            Expr::Arith { function, left, right } => arith(*function, &*self.expr(*left)?, &*self.expr(*right)?)?,
            Expr::Default { expr, otherwise } => {
                let (column, otherwise) = (self.expr(*expr)?, self.expr(*otherwise)?);
                gather(len, &[&column, &otherwise], |row| {
                    Some((usize::from(!column.known.get(row)), row))
                })?
            }
            Expr::Case { tiers, otherwise } => {
                let conds = tiers
                    .iter()
                    .map(|&(when, _)| self.cond(when))
                    .collect::<Result<Vec<_>>>()?;
                let values = tiers.iter().map(|&(_, value)| value).chain(*otherwise);
                let values: Vec<Column> = values.map(|value| Column::one(1, value)).collect();
                let last = otherwise.map(|_| tiers.len());
                let tier = |row| conds.iter().position(|cond| cond.t.get(row)).or(last);
                let sources: Vec<&Column> = values.iter().collect();
                gather(len, &sources, |row| tier(row).map(|tier| (tier, 0)))?
            }
            Expr::Lookup {
                catalog,
                key,
                attribute,
            } => {
                let key = self.expr(*key)?;
                let codes = key.codes()?;
                let catalog = &self.query.catalogs[*catalog];
                let source = catalog.attribute(attribute);
                gather(len, &[&source], |row| {
                    let known = key.known.get(row).then(|| codes.get(row));
                    known.and_then(|code| catalog.row(code)).map(|row| (0, row))
                })?
            }
            _ => return Err(misplaced()),
        })
    }
}

fn misplaced() -> Error {
    Error::Invalid("a node of the plan is in a scope that cannot evaluate it".into())
}

/// Computes exact arithmetic. A row is unknown if an operand is unknown or the divisor is 0.
fn arith<'a>(function: Arith, left: &Column, right: &Column) -> Result<Column<'a>> {
    let known = left.known.and(&right.known);
    let (a, b) = (left.numbers()?, right.numbers()?);
    if let (Numbers::Whole(a), Numbers::Whole(b)) = (a, b)
        && let Some(values) = whole(function, &known, a, b)
    {
        return Ok(Column {
            known,
            data: Data::Int(values.into()),
        });
    }
    let mut defined = known.clone();
    let mut values = Vec::with_capacity(known.len());
    for row in 0..known.len() {
        let result = if known.get(row) {
            a.get(row).combine(function, b.get(row))?
        } else {
            None
        };
        values.push(result.unwrap_or(Ratio::millionths(0)));
        if known.get(row) && result.is_none() {
            defined.clear(row);
        }
    }
    Ok(Column {
        known: defined,
        data: Data::Ratio(values),
    })
}

/// Computes in whole millionths; returns `None` if a result is not whole or does not fit.
fn whole(function: Arith, known: &Bits, a: View<i64>, b: View<i64>) -> Option<Vec<i64>> {
    let one = |row: usize| {
        let (a, b) = (a.get(row), b.get(row));
        match function {
            _ if !known.get(row) => Some(0),
            Arith::Add => a.checked_add(b),
            Arith::Subtract => a.checked_sub(b),
            Arith::Multiply => {
                let product = i128::from(a) * i128::from(b);
                let unit = i128::from(UNIT);
                if product % unit == 0 {
                    (product / unit).try_into().ok()
                } else {
                    None
                }
            }
            Arith::Divide => None,
        }
    };
    (0..known.len()).map(one).collect()
}
