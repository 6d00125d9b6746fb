//! Tests of live segments: dependencies, affected rows, steps and saved memberships.

mod affected_rows;
mod dependencies;
mod durability;
mod followed_segments;
mod incremental_evaluation;
mod membership_changes;
mod random;
