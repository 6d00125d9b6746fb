//! Erased people whom the logs may still contain.

/// An erased person whom the logs may still contain.
#[derive(Clone, Debug, PartialEq)]
pub struct Erasure {
    /// The raw offset of the decision; later frames are not affected.
    pub raw_offset: u64,
    /// When the decision arrived, in ms since the epoch.
    pub at_ms: i64,
    /// The identifiers of the person, in order of arrival.
    pub forgotten: Vec<ForgottenIdentifier>,
}

/// An identifier of an erased person.
#[derive(Clone, Debug, PartialEq)]
pub struct ForgottenIdentifier {
    pub node: u32,
    /// Empty if the logs were already redacted when they were folded.
    pub value: Box<str>,
}
