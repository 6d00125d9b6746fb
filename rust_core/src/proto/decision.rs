//! Decisions about a person (`quanyu.api.event.v1.Decision`).

use prost::Message;
use xxhash_rust::xxh3::xxh3_64;

use super::record::Identifier;
use crate::error::{Error, Result};

/// A decision that a caller made about a person.
#[derive(Debug, PartialEq)]
pub struct Decision {
    pub kind: Kind,
    pub by: String,
    pub why: String,
    /// The idempotency key; not empty.
    pub key: String,
    /// A hash of the message, which tells a repeated decision from another one with the same key.
    pub contents: u64,
}

#[derive(Debug, PartialEq)]
pub enum Kind {
    Split {
        person: u64,
        /// Namespace and value of each identifier that leaves the person.
        identifiers: Vec<(String, String)>,
    },
    Erase {
        person: u64,
    },
}

impl Decision {
    /// Decodes a Decision message. Returns `Error::Invalid` if it is malformed or has no kind or no key.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let message = messages::Decision::decode(bytes).map_err(Error::malformed)?;
        let kind = match message.kind {
            Some(messages::Kind::Split(split)) => Kind::Split {
                person: split.person,
                identifiers: split
                    .identifiers
                    .into_iter()
                    .map(|identifier| (identifier.namespace, identifier.value))
                    .collect(),
            },
            Some(messages::Kind::Erase(erase)) => Kind::Erase { person: erase.person },
            None => return Err(Error::Invalid("the decision has no kind: set split or erase".into())),
        };
        if message.idempotency_key.is_empty() {
            return Err(Error::Invalid("idempotency_key: a decision needs one".into()));
        }
        Ok(Decision {
            kind,
            by: message.by,
            why: message.why,
            key: message.idempotency_key,
            contents: xxh3_64(bytes),
        })
    }
}

/// Borrows the identifiers of a split.
pub fn borrow(identifiers: &[(String, String)]) -> Vec<Identifier<'_>> {
    identifiers
        .iter()
        .map(|(namespace, value)| (namespace.as_str(), value.as_str()))
        .collect()
}

/// The protobuf messages, with the field numbers of log.proto and event.proto.
mod messages {
    use prost::{Message, Oneof};

    #[derive(Clone, PartialEq, Message)]
    pub struct Decision {
        #[prost(oneof = "Kind", tags = "1, 2")]
        pub kind: Option<Kind>,
        #[prost(string, tag = "3")]
        pub by: String,
        #[prost(string, tag = "4")]
        pub why: String,
        #[prost(string, tag = "5")]
        pub idempotency_key: String,
    }

    #[derive(Clone, PartialEq, Oneof)]
    pub enum Kind {
        #[prost(message, tag = "1")]
        Split(Split),
        #[prost(message, tag = "2")]
        Erase(Erase),
    }

    #[derive(Clone, PartialEq, Message)]
    pub struct Split {
        #[prost(fixed64, tag = "1")]
        pub person: u64,
        #[prost(message, repeated, tag = "2")]
        pub identifiers: Vec<Identifier>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub struct Erase {
        #[prost(fixed64, tag = "1")]
        pub person: u64,
    }

    #[derive(Clone, PartialEq, Message)]
    pub struct Identifier {
        #[prost(string, tag = "1")]
        pub namespace: String,
        #[prost(string, tag = "2")]
        pub value: String,
    }
}

#[cfg(test)]
pub mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::proto::wire::{put_bytes, put_fixed64, put_text};

    /// Decision message bytes.
    pub fn encode(decision: &Decision) -> Vec<u8> {
        let (mut out, mut body) = (Vec::new(), Vec::new());
        let field = match &decision.kind {
            Kind::Split { person, identifiers } => {
                put_fixed64(&mut body, 1, *person);
                for (namespace, value) in identifiers {
                    let mut identifier = Vec::new();
                    put_text(&mut identifier, 1, namespace);
                    put_text(&mut identifier, 2, value);
                    put_bytes(&mut body, 2, &identifier);
                }
                1
            }
            Kind::Erase { person } => {
                put_fixed64(&mut body, 1, *person);
                2
            }
        };
        put_bytes(&mut out, field, &body);
        for (field, text) in (3..).zip([&decision.by, &decision.why, &decision.key]) {
            put_text(&mut out, field, text);
        }
        out
    }

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        #[test]
        fn decode_reverses_encode(person: u64, identifiers: Option<Vec<(String, String)>>, by: String, why: String, key in ".+") {
            let kind = match identifiers {
                Some(identifiers) => Kind::Split { person, identifiers },
                None => Kind::Erase { person },
            };
            let decision = Decision { kind, by, why, key, contents: 0 };
            let bytes = encode(&decision);
            let contents = xxh3_64(&bytes);
            prop_assert_eq!(Decision::decode(&bytes).unwrap(), Decision { contents, ..decision });
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            let _ = Decision::decode(&bytes);
        }
    }

    #[test]
    fn decode_rejects_a_decision_without_kind_or_key() {
        let keyless = Decision {
            kind: Kind::Erase { person: 1 },
            by: String::new(),
            why: String::new(),
            key: String::new(),
            contents: 0,
        };
        for (bytes, said) in [
            (encode(&keyless), "idempotency_key"),
            (b"\x2a\x01k".to_vec(), "no kind"),
        ] {
            let error = Decision::decode(&bytes).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
