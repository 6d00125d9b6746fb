//! The rejection of a record.

/// Why a record was rejected.
#[derive(Debug, PartialEq)]
pub struct Rejection {
    /// A stable code in SCREAMING_SNAKE_CASE.
    pub reason: &'static str,
    /// The path of the field; empty if the error concerns the whole record.
    pub field: String,
    /// Tells what is wrong and what to do.
    pub message: String,
}
