//! What somebody decided of a person (`quanyu.api.event.v1.Decision`), read in place.

use xxhash_rust::xxh3::xxh3_64;

use super::record::{Identifier, identifier};
use super::wire::Reader;
use crate::error::{Error, Result};

#[derive(Debug, PartialEq)]
pub struct Decision<'a> {
    pub kind: Kind<'a>,
    pub by: &'a str,
    pub why: &'a str,
    /// Not empty.
    pub key: &'a str,
    /// Hash of the message.
    pub contents: u64,
}

#[derive(Debug, PartialEq)]
pub enum Kind<'a> {
    Split {
        person: u64,
        identifiers: Vec<Identifier<'a>>,
    },
    Erase {
        person: u64,
    },
}

impl<'a> Decision<'a> {
    /// Invalid if malformed, of no known kind, or without a key.
    pub fn decode(bytes: &'a [u8]) -> Result<Self> {
        let (mut kind, mut by, mut why, mut key) = (None, "", "", "");
        let mut reader = Reader::new(bytes);
        while let Some((field, wire)) = reader.field()? {
            match field {
                1 => kind = Some(split(wire.bytes()?)?),
                2 => kind = Some(erase(wire.bytes()?)?),
                3 => by = wire.text()?,
                4 => why = wire.text()?,
                5 => key = wire.text()?,
                _ => {}
            }
        }
        let kind = kind.ok_or_else(|| Error::Invalid("the decision is of no kind: set split or erase".into()))?;
        match key {
            "" => Err(Error::Invalid("idempotency_key: a decision needs one".into())),
            key => Ok(Decision {
                kind,
                by,
                why,
                key,
                contents: xxh3_64(bytes),
            }),
        }
    }
}

fn split(bytes: &[u8]) -> Result<Kind<'_>> {
    let (mut person, mut identifiers) = (0, Vec::new());
    let mut reader = Reader::new(bytes);
    while let Some((field, wire)) = reader.field()? {
        match field {
            1 => person = wire.fixed()?,
            2 => identifiers.push(identifier(wire.bytes()?)?),
            _ => {}
        }
    }
    Ok(Kind::Split { person, identifiers })
}

fn erase(bytes: &[u8]) -> Result<Kind<'_>> {
    let mut person = 0;
    let mut reader = Reader::new(bytes);
    while let Some((field, wire)) = reader.field()? {
        if field == 1 {
            person = wire.fixed()?;
        }
    }
    Ok(Kind::Erase { person })
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
        for (field, text) in (3..).zip([decision.by, decision.why, decision.key]) {
            put_text(&mut out, field, text);
        }
        out
    }

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        #[test]
        fn a_decision_reads_back(person: u64, identifiers: Option<Vec<(String, String)>>, by: String, why: String, key in ".+") {
            let kind = match &identifiers {
                Some(identifiers) => {
                    let identifiers = identifiers.iter().map(|(namespace, value)| (namespace.as_str(), value.as_str())).collect();
                    Kind::Split { person, identifiers }
                }
                None => Kind::Erase { person },
            };
            let decision = Decision { kind, by: &by, why: &why, key: &key, contents: 0 };
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
    fn what_decides_nothing_or_has_no_key_is_refused() {
        let keyless = Decision {
            kind: Kind::Erase { person: 1 },
            by: "",
            why: "",
            key: "",
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
