//! The resolver against a naive model, what must hold whatever arrives, and examples.

mod decisions;
mod erasure;
mod examples;
mod files;
mod model;
mod properties;
mod rate;
mod world;
