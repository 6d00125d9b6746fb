//! Evaluates conditions on catalog items (goods or places) once for each item instead of once for each event.

use std::rc::Rc;

use crate::error::Result;
use crate::eval::evaluator::{Evaluator, Scope};
use crate::eval::kernels::bits::Tri;
use crate::eval::kernels::column::Column;
use crate::eval::program::{Cond, Expr};
use crate::eval::query::{Catalog, ItemVerdicts, Query, TRUE, UNKNOWN};

/// Returns, for each item filter of the program, its verdict on each item.
pub fn evaluate_item_filters(query: &Query) -> Result<Vec<ItemVerdicts>> {
    let item_filters = query.program.item_filters.iter().map(|filter| {
        let catalog = &query.catalogs[filter.catalog];
        let tri = Evaluator::new(query, ItemRows { catalog }, Rc::default()).cond(filter.cond)?;
        let verdict = |row| u8::from(tri.t.get(row)) * TRUE + u8::from(tri.u.get(row)) * UNKNOWN;
        let missing = verdict(catalog.len);
        let of_code = |&row: &u32| if row == 0 { missing } else { verdict(row as usize - 1) };
        Ok(ItemVerdicts {
            verdicts: catalog.rows.iter().map(of_code).collect(),
            missing,
        })
    });
    item_filters.collect()
}

/// The items of one catalog, followed by a row for a missing item.
struct ItemRows<'a> {
    catalog: &'a Catalog<'a>,
}

impl<'a> Scope<'a> for ItemRows<'a> {
    fn rows(&self) -> usize {
        self.catalog.len + 1
    }

    fn expr(eval: &Evaluator<'a, Self>, expr: &'a Expr) -> Result<Option<Rc<Column<'a>>>> {
        Ok(match expr {
            Expr::Lookup { attribute, .. } => Some(Rc::new(eval.scope.catalog.attribute(attribute))),
            _ => None,
        })
    }

    fn cond(_: &Evaluator<'a, Self>, _: &'a Cond) -> Result<Option<Tri>> {
        Ok(None)
    }
}
