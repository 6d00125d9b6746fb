//! Random worlds and plans from a seed.

mod draw;
mod plan;
mod world;

pub use draw::{AS_OF, Random};
pub use plan::{Stand, cond, events, expr, plan};
pub use world::world;
