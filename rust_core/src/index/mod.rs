//! People, events and catalogs of one workspace: a fold of its resolved log into immutable versions.

pub mod texts;
pub mod view;
