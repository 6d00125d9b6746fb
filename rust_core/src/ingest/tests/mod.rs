//! The ingestor as its senders see it.

mod copies;
mod redacted;
mod refusals;
mod world;
