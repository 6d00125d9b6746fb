//! Decodes records (`quanyu.api.event.v1.Record`) without copying: texts borrow from the request.

use super::wire::{Reader, Wire};
use crate::error::{Error, Result};

#[derive(Debug, PartialEq)]
pub enum Record<'a> {
    Event(Event<'a>),
    Profile(Profile<'a>),
    Item(Item<'a>),
}

/// A namespace and a value.
pub type Identifier<'a> = (&'a str, &'a str);
/// The entries of a map in the order sent. If a key occurs twice, the last entry counts.
pub type Entries<'a> = Vec<(&'a str, Value<'a>)>;

#[derive(Debug, Default, PartialEq)]
pub struct Event<'a> {
    pub source: &'a str,
    pub id: &'a str,
    pub kind: &'a str,
    pub occurred_at_ms: Option<i64>,
    pub identifiers: Vec<Identifier<'a>>,
    pub channel: &'a str,
    pub properties: Entries<'a>,
}

#[derive(Debug, Default, PartialEq)]
pub struct Profile<'a> {
    pub source: &'a str,
    pub id: &'a str,
    pub occurred_at_ms: Option<i64>,
    pub identifiers: Vec<Identifier<'a>>,
    pub attributes: Entries<'a>,
}

#[derive(Debug, Default, PartialEq)]
pub struct Item<'a> {
    pub catalog: &'a str,
    pub key: &'a str,
    pub attributes: Entries<'a>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// No kind is set.
    Missing,
    Flag(bool),
    Number(f64),
    Decimal(&'a str),
    Text(&'a str),
    /// Milliseconds since 1970 UTC.
    Instant(i64),
    /// A text such as "2026-11-22" or "11-22".
    Date(&'a str),
    Set(Vec<&'a str>),
    Map(Entries<'a>),
    /// Latitude, longitude.
    Point([f64; 2]),
    Cleared,
}

/// The maximum nesting of values, so that hostile input cannot exhaust the stack.
const DEPTH: usize = 4;

impl<'a> Record<'a> {
    /// Decodes a record; returns `Error::Invalid` if the bytes are malformed or have no kind.
    pub fn decode(bytes: &'a [u8]) -> Result<Record<'a>> {
        let mut reader = Reader::new(bytes);
        let mut record = None;
        while let Some((field, wire)) = reader.field()? {
            match field {
                1 => record = Some(Record::Event(Event::decode(wire.bytes()?)?)),
                2 => record = Some(Record::Profile(Profile::decode(wire.bytes()?)?)),
                3 => record = Some(Record::Item(Item::decode(wire.bytes()?)?)),
                _ => {}
            }
        }
        record.ok_or_else(|| Error::Invalid("the record is empty: set event, profile or item".into()))
    }

    /// Returns the identifiers; empty for catalog items.
    pub fn identifiers(&self) -> &[Identifier<'a>] {
        match self {
            Record::Event(event) => &event.identifiers,
            Record::Profile(profile) => &profile.identifiers,
            Record::Item(_) => &[],
        }
    }
}

/// Adds the field to the error of a malformed value.
trait InField {
    fn in_field(self, field: &str) -> Self;
}

impl<T> InField for Result<T> {
    fn in_field(self, field: &str) -> Self {
        self.map_err(|error| Error::Invalid(format!("{field:.60}: {error}")))
    }
}

/// The initial capacity for properties; few events have more.
const USUAL_PROPERTIES: usize = 12;

impl<'a> Event<'a> {
    fn decode(bytes: &'a [u8]) -> Result<Self> {
        let mut event = Event {
            properties: Vec::with_capacity(USUAL_PROPERTIES),
            ..Event::default()
        };
        let mut reader = Reader::new(bytes);
        while let Some((field, wire)) = reader.field()? {
            match field {
                1 => event.source = wire.text().in_field("source")?,
                2 => event.id = wire.text().in_field("id")?,
                3 => event.kind = wire.text().in_field("type")?,
                4 => event.occurred_at_ms = Some(time(wire).in_field("occurred_at")?),
                5 => event
                    .identifiers
                    .push(wire.bytes().and_then(identifier).in_field("identifiers")?),
                6 => event.channel = wire.text().in_field("channel")?,
                7 => event.properties.push(property(wire).in_field("properties")?),
                _ => {}
            }
        }
        Ok(event)
    }
}

impl<'a> Profile<'a> {
    fn decode(bytes: &'a [u8]) -> Result<Self> {
        let mut profile = Profile::default();
        let mut reader = Reader::new(bytes);
        while let Some((field, wire)) = reader.field()? {
            match field {
                1 => profile.source = wire.text().in_field("source")?,
                2 => profile.id = wire.text().in_field("id")?,
                3 => profile.occurred_at_ms = Some(time(wire).in_field("occurred_at")?),
                4 => profile
                    .identifiers
                    .push(wire.bytes().and_then(identifier).in_field("identifiers")?),
                5 => profile.attributes.push(property(wire).in_field("attributes")?),
                _ => {}
            }
        }
        Ok(profile)
    }
}

impl<'a> Item<'a> {
    fn decode(bytes: &'a [u8]) -> Result<Self> {
        let mut item = Item::default();
        let mut reader = Reader::new(bytes);
        while let Some((field, wire)) = reader.field()? {
            match field {
                1 => item.catalog = wire.text().in_field("catalog")?,
                2 => item.key = wire.text().in_field("key")?,
                3 => item.attributes.push(property(wire).in_field("attributes")?),
                _ => {}
            }
        }
        Ok(item)
    }
}

pub(crate) fn identifier(bytes: &[u8]) -> Result<Identifier<'_>> {
    let (mut namespace, mut value) = ("", "");
    let mut reader = Reader::new(bytes);
    while let Some((field, wire)) = reader.field()? {
        match field {
            1 => namespace = wire.text()?,
            2 => value = wire.text()?,
            _ => {}
        }
    }
    Ok((namespace, value))
}

/// Converts a google.protobuf.Timestamp to milliseconds, rounded down.
pub(crate) fn timestamp_ms(bytes: &[u8]) -> Result<i64> {
    let (mut seconds, mut nanos) = (0i64, 0i64);
    let mut reader = Reader::new(bytes);
    while let Some((field, wire)) = reader.field()? {
        match field {
            1 => seconds = wire.number()? as i64,
            2 => nanos = wire.number()? as i64,
            _ => {}
        }
    }
    if !(0..1_000_000_000).contains(&nanos) {
        return Err(Error::Invalid(
            "the nanos of a timestamp must be from 0 to 999,999,999".into(),
        ));
    }
    let millis = seconds
        .checked_mul(1000)
        .and_then(|millis| millis.checked_add(nanos / 1_000_000));
    millis.ok_or_else(|| Error::Invalid("a timestamp is out of range; check that its unit is seconds".into()))
}

fn time(wire: Wire) -> Result<i64> {
    timestamp_ms(wire.bytes()?)
}

fn property(wire: Wire<'_>) -> Result<(&str, Value<'_>)> {
    entry(wire.bytes()?, 0)
}

fn entry(bytes: &[u8], depth: usize) -> Result<(&str, Value<'_>)> {
    let (mut key, mut parsed) = ("", Value::Missing);
    let mut reader = Reader::new(bytes);
    while let Some((field, wire)) = reader.field()? {
        match field {
            1 => key = wire.text()?,
            2 => parsed = wire.bytes().and_then(|bytes| value(bytes, depth)).in_field(key)?,
            _ => {}
        }
    }
    Ok((key, parsed))
}

fn value(bytes: &[u8], depth: usize) -> Result<Value<'_>> {
    if depth > DEPTH {
        return Err(Error::Invalid(format!("a value nests deeper than {DEPTH}")));
    }
    let mut parsed = Value::Missing;
    let mut reader = Reader::new(bytes);
    while let Some((field, wire)) = reader.field()? {
        parsed = match field {
            1 => Value::Flag(wire.number()? != 0),
            2 => Value::Number(f64::from_bits(wire.fixed()?)),
            3 => Value::Decimal(wire.text()?),
            4 => Value::Text(wire.text()?),
            5 => Value::Instant(time(wire)?),
            6 => Value::Date(wire.text()?),
            7 => Value::Set(repeated(wire, |wire| wire.text())?),
            8 => Value::Map(repeated(wire, |wire| entry(wire.bytes()?, depth + 1))?),
            9 => Value::Point(point(wire.bytes()?)?),
            10 => Value::Cleared,
            _ => parsed,
        };
    }
    Ok(parsed)
}

/// Reads the elements of field 1 of a message.
fn repeated<'a, T>(wire: Wire<'a>, element: impl Fn(Wire<'a>) -> Result<T>) -> Result<Vec<T>> {
    let mut elements = Vec::new();
    let mut reader = Reader::new(wire.bytes()?);
    while let Some((field, wire)) = reader.field()? {
        if field == 1 {
            elements.push(element(wire)?);
        }
    }
    Ok(elements)
}

fn point(bytes: &[u8]) -> Result<[f64; 2]> {
    let mut point = [0.0; 2];
    let mut reader = Reader::new(bytes);
    while let Some((field, wire)) = reader.field()? {
        if let 1 | 2 = field {
            point[field as usize - 1] = f64::from_bits(wire.fixed()?);
        }
    }
    Ok(point)
}
