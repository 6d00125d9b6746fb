//! The trace that redaction leaves in a frame of the raw log (`quanyu.api.event.v1.Redaction`).

use prost::Message;

/// Tells which identifiers redaction removed from one record of a frame.
#[derive(Clone, PartialEq, Message)]
pub struct Redaction {
    /// The position of the record in its frame.
    #[prost(uint32, tag = "1")]
    pub record: u32,
    /// For each identifier of the record, in order: the number of the erased identifier plus one, or 0 if the identifier is unchanged.
    #[prost(fixed32, repeated, tag = "2")]
    pub nodes: Vec<u32>,
    /// The high and low half of the key of the record, a 128-bit hash of its source and id.
    #[prost(fixed64, tag = "3")]
    pub key_high: u64,
    #[prost(fixed64, tag = "4")]
    pub key_low: u64,
    /// True if the record belonged to an erased person: only its identifiers are left. False if it only named one.
    #[prost(bool, tag = "5")]
    pub is_of_erased: bool,
}

impl Redaction {
    /// Returns the two halves of the record's key.
    pub fn key(&self) -> [u64; 2] {
        [self.key_high, self.key_low]
    }
}
