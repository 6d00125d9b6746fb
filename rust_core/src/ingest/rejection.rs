//! Why a record is refused.

/// Why a record was not taken.
#[derive(Debug, PartialEq)]
pub struct Rejection {
    /// SCREAMING_SNAKE, stable.
    pub reason: &'static str,
    /// Path of the field; empty where the whole record is meant.
    pub field: String,
    /// What is wrong and what to do.
    pub message: String,
}
