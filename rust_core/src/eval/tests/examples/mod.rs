//! The numbered points of semantics.md, one by one.

mod ask;
mod events;
mod figures;
mod plans;
mod ranks;
mod unknowns;
mod values;
