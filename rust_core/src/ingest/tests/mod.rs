//! The ingestor as its senders see it.

mod copies;
mod refusals;
mod world;
