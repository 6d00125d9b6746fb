//! Schema messages, read and written.

use std::collections::BTreeMap;

use super::{Catalog, CatalogKind, EventType, Field, Schema, Settings, Type};
use crate::error::{Error, Result};
use crate::proto::wire::{Reader, Wire, put_bytes, put_number, put_text, put_varint};

/// In the order of their numbers in the proto, from 1.
const TYPES: [Type; 11] = [
    Type::Bool,
    Type::Number,
    Type::Money,
    Type::Text,
    Type::Enum,
    Type::Instant,
    Type::Date,
    Type::MonthDay,
    Type::Set,
    Type::Map,
    Type::Point,
];

impl Schema {
    /// Invalid if the bytes are malformed, a name is declared twice or a type is unknown. Says nothing of what `merge` checks.
    pub fn decode(bytes: &[u8]) -> Result<Schema> {
        let mut schema = Schema::default();
        each(bytes, |field, wire| {
            match field {
                1 => {
                    let event_type = event_type(wire.bytes()?)?;
                    insert(
                        &mut schema.event_types,
                        event_type.name.clone(),
                        event_type,
                        "event_types",
                    )?;
                }
                2 => add_field(&mut schema.attributes, wire, "attributes")?,
                3 => {
                    let catalog = catalog(wire.bytes()?)?;
                    insert(&mut schema.catalogs, catalog.name.clone(), catalog, "catalogs")?;
                }
                4 => schema.settings = Some(settings(wire.bytes()?)?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(schema)
    }

    /// Deterministic: names in order.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for event_type in self.event_types.values() {
            put_bytes(&mut out, 1, &encode_event_type(event_type));
        }
        put_fields(&mut out, 2, &self.attributes);
        for catalog in self.catalogs.values() {
            put_bytes(&mut out, 3, &encode_catalog(catalog));
        }
        if let Some(settings) = &self.settings {
            put_bytes(&mut out, 4, &encode_settings(settings));
        }
        out
    }
}

fn each<'a>(bytes: &'a [u8], mut visit: impl FnMut(u32, Wire<'a>) -> Result<()>) -> Result<()> {
    let mut reader = Reader::new(bytes);
    while let Some((field, wire)) = reader.field()? {
        visit(field, wire)?;
    }
    Ok(())
}

fn insert<T>(map: &mut BTreeMap<String, T>, name: String, item: T, owner: &str) -> Result<()> {
    match map.insert(name.clone(), item) {
        None => Ok(()),
        Some(_) => Err(Error::Invalid(format!("{owner}: {name} is declared twice; keep one"))),
    }
}

fn add_field(fields: &mut BTreeMap<String, Field>, wire: Wire, owner: &str) -> Result<()> {
    let field = decode_field(wire.bytes()?, owner)?;
    insert(fields, field.name.clone(), field, owner)
}

fn event_type(bytes: &[u8]) -> Result<EventType> {
    let mut event_type = EventType {
        name: name_of(bytes)?,
        properties: BTreeMap::new(),
        counts_as_seen: true,
        aliases: Vec::new(),
    };
    let owner = format!("event type {}", event_type.name);
    each(bytes, |field, wire| {
        match field {
            2 => add_field(&mut event_type.properties, wire, &owner)?,
            3 => event_type.counts_as_seen = wire.number()? != 0,
            4 => event_type.aliases.push(wire.text()?.to_owned()),
            _ => {}
        }
        Ok(())
    })?;
    Ok(event_type)
}

fn catalog(bytes: &[u8]) -> Result<Catalog> {
    let name = name_of(bytes)?;
    let owner = format!("catalog {name}");
    let (mut kind, mut attributes, mut aliases) = (None, BTreeMap::new(), Vec::new());
    each(bytes, |field, wire| {
        match field {
            2 => kind = catalog_kind(wire.number()?),
            3 => add_field(&mut attributes, wire, &owner)?,
            4 => aliases.push(wire.text()?.to_owned()),
            _ => {}
        }
        Ok(())
    })?;
    let kind = kind.ok_or_else(|| Error::Invalid(format!("{owner}: say its kind: KIND_GOODS or KIND_PLACES")))?;
    Ok(Catalog {
        name,
        kind,
        attributes,
        aliases,
    })
}

fn catalog_kind(number: u64) -> Option<CatalogKind> {
    match number {
        1 => Some(CatalogKind::Goods),
        2 => Some(CatalogKind::Places),
        _ => None,
    }
}

fn settings(bytes: &[u8]) -> Result<Settings> {
    let mut settings = Settings {
        timezone: String::new(),
        day_start_minutes: 0,
        week_start: 1,
        leap_day_is_march_first: false,
    };
    each(bytes, |field, wire| {
        match field {
            1 => settings.timezone = wire.text()?.to_owned(),
            2 => settings.day_start_minutes = small(wire, "settings.day_start_minutes")?,
            // 0 is protobuf's absence.
            3 => settings.week_start = small(wire, "settings.week_start")?.max(1),
            4 => settings.leap_day_is_march_first = wire.number()? != 0,
            _ => {}
        }
        Ok(())
    })?;
    Ok(settings)
}

fn small(wire: Wire, field: &str) -> Result<u32> {
    u32::try_from(wire.number()?).map_err(|_| Error::Invalid(format!("{field} is out of range")))
}

/// Field 1 of every declaration.
fn name_of(bytes: &[u8]) -> Result<String> {
    let mut name = "";
    each(bytes, |field, wire| {
        if field == 1 {
            name = wire.text()?;
        }
        Ok(())
    })?;
    Ok(name.to_owned())
}

fn decode_field(bytes: &[u8], owner: &str) -> Result<Field> {
    let name = name_of(bytes)?;
    let (mut kind, mut currency, mut values, mut ordered) = (0, String::new(), Vec::new(), false);
    let (mut aliases, mut reference) = (Vec::new(), String::new());
    each(bytes, |field, wire| {
        match field {
            2 => kind = wire.number()?,
            3 => currency = wire.text()?.to_owned(),
            4 => values.push(wire.text()?.to_owned()),
            5 => ordered = wire.number()? != 0,
            6 => aliases.push(wire.text()?.to_owned()),
            7 => reference = wire.text()?.to_owned(),
            _ => {}
        }
        Ok(())
    })?;
    let kind = usize::try_from(kind)
        .ok()
        .and_then(|kind| TYPES.get(kind.wrapping_sub(1)));
    let kind = *kind.ok_or_else(|| {
        Error::Invalid(format!(
            "{owner}: {name}: say its type, such as TYPE_NUMBER or TYPE_TEXT"
        ))
    })?;
    Ok(Field {
        name,
        kind,
        currency,
        values,
        ordered,
        aliases,
        reference,
    })
}

fn put_fields(out: &mut Vec<u8>, number: u32, fields: &BTreeMap<String, Field>) {
    for field in fields.values() {
        put_bytes(out, number, &encode_field(field));
    }
}

fn put_texts(out: &mut Vec<u8>, number: u32, texts: &[String]) {
    for text in texts {
        put_bytes(out, number, text.as_bytes());
    }
}

fn encode_event_type(event_type: &EventType) -> Vec<u8> {
    let mut out = Vec::new();
    put_text(&mut out, 1, &event_type.name);
    put_fields(&mut out, 2, &event_type.properties);
    // Explicit presence: absent means true, so false must be written.
    put_varint(&mut out, 3 << 3);
    put_varint(&mut out, u64::from(event_type.counts_as_seen));
    put_texts(&mut out, 4, &event_type.aliases);
    out
}

fn encode_catalog(catalog: &Catalog) -> Vec<u8> {
    let mut out = Vec::new();
    put_text(&mut out, 1, &catalog.name);
    let kind = match catalog.kind {
        CatalogKind::Goods => 1,
        CatalogKind::Places => 2,
    };
    put_number(&mut out, 2, kind);
    put_fields(&mut out, 3, &catalog.attributes);
    put_texts(&mut out, 4, &catalog.aliases);
    out
}

fn encode_settings(settings: &Settings) -> Vec<u8> {
    let mut out = Vec::new();
    put_text(&mut out, 1, &settings.timezone);
    put_number(&mut out, 2, u64::from(settings.day_start_minutes));
    put_number(&mut out, 3, u64::from(settings.week_start));
    put_number(&mut out, 4, u64::from(settings.leap_day_is_march_first));
    out
}

fn encode_field(field: &Field) -> Vec<u8> {
    let mut out = Vec::new();
    put_text(&mut out, 1, &field.name);
    let kind = TYPES.iter().position(|&kind| kind == field.kind).map_or(0, |at| at + 1);
    put_number(&mut out, 2, kind as u64);
    put_text(&mut out, 3, &field.currency);
    put_texts(&mut out, 4, &field.values);
    put_number(&mut out, 5, u64::from(field.ordered));
    put_texts(&mut out, 6, &field.aliases);
    put_text(&mut out, 7, &field.reference);
    out
}
