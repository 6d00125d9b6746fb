//! Tests of identity resolution: properties, a comparison with a simple model, and examples.

mod decisions;
mod erasure;
mod examples;
mod model;
mod properties;
mod queries;
mod snapshots;
mod throughput;
mod world;
