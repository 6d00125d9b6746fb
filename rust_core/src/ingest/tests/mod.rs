//! Tests of the ingestor through its requests and answers.

mod duplicates;
mod redaction;
mod rejections;
mod world;
