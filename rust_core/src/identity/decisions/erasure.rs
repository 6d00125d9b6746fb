//! People who were erased, as long as the logs may still hold something of them.

/// Somebody who was erased, and of whom the logs may still hold something.
#[derive(Clone, Debug, PartialEq)]
pub struct Erasure {
    /// Raw offset of the decision: what came later is not meant.
    pub raw_offset: u64,
    /// Arrival of the decision.
    pub at_ms: i64,
    /// Identifiers that were theirs, in order of arrival. No identifier of the same value came between one's arrival and the decision.
    pub forgotten: Vec<Forgotten>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Forgotten {
    pub node: u32,
    /// Empty where the logs held it no longer when they were folded.
    pub value: Box<str>,
}
