//! Random worlds and plans; each is a function of a seed.

mod conditions;
mod draw;
mod expressions;
mod past_sets;
mod sequences;
mod world;

pub use conditions::{cond, plan};
pub use draw::{AS_OF, Random, instant};
pub use expressions::{RowKind, events, expr};
pub use past_sets::past_set;
pub use sequences::{crowded_sequence, crowded_world, sequence};
pub use world::world;
