//! Random worlds and plans from a seed.

mod draw;
mod plan;
mod world;

pub use draw::{AS_OF, Random, instant};
pub use plan::{RowKind, cond, events, expr, plan, steps};
pub use world::world;
