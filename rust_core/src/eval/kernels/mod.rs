//! Loops over columns and bit vectors, independent of programs and people.

pub mod bits;
pub mod column;
pub mod compare;
pub mod galloping;
pub mod gather;
pub mod groups;
pub mod interner;
pub mod range_masks;
pub mod ratio;
pub mod sets;
pub mod simd_loops;
pub mod text_match;
