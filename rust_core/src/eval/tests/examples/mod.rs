//! Examples of each point of docs/rules/semantics.md; a test name begins with the code of its point.

mod events;
mod execution;
mod fixtures;
mod plans;
mod ranks;
mod sequences;
mod unknowns;
mod values;
