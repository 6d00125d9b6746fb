//! Validates records against general rules and the schema.

use std::collections::BTreeMap;

use super::rejection::Rejection;
use super::suggestion::nearest;
use super::values::{self, START_OF_TIME_MS};
use crate::proto::record::{Entries, Event, Identifier, Item, Profile, Record, Value};
use crate::proto::schema::{Field, Schema};

const MAX_KEY: usize = 512;
const MAX_CHANNEL: usize = 128;
const MAX_NAMESPACE: usize = 128;
const MAX_IDENTIFIER: usize = 1024;
const MAX_IDENTIFIERS: usize = 64;
const MAX_RECORD: usize = 1 << 20;
/// The maximum time by which an instant may lie in the future, because clocks differ.
const MAX_AHEAD_MS: i64 = 24 * 60 * 60 * 1000;

type Checked<T = ()> = Result<T, Rejection>;

fn reject<T>(reason: &'static str, field: impl Into<String>, message: impl Into<String>) -> Checked<T> {
    Err(Rejection {
        reason,
        field: field.into(),
        message: message.into(),
    })
}

pub fn conflicting_duplicate() -> Rejection {
    Rejection {
        reason: "CONFLICTING_DUPLICATE",
        field: "id".into(),
        message:
            "a record with this source and id but other contents was received before; send the correction with a new id"
                .into(),
    }
}

pub fn decode(bytes: &[u8]) -> Checked<Record<'_>> {
    if bytes.len() > MAX_RECORD {
        return reject(
            "TOO_LONG",
            "",
            format!(
                "the record has {} bytes; at most {MAX_RECORD} are allowed, so split it",
                bytes.len()
            ),
        );
    }
    Record::decode(bytes).or_else(|error| {
        let message = format!("{error}; correct it, or generate the client again from the protos");
        reject("MALFORMED", "", message)
    })
}

pub fn check(record: &Record, schema: &Schema, received_at_ms: i64) -> Checked {
    match record {
        Record::Event(event) => check_event(event, schema, received_at_ms),
        Record::Profile(profile) => check_profile(profile, schema, received_at_ms),
        Record::Item(item) => check_item(item, schema),
    }
}

fn check_event(event: &Event, schema: &Schema, received_at_ms: i64) -> Checked {
    check_key(event.source, event.id)?;
    if event.kind.is_empty() {
        return reject(
            "MISSING_TYPE",
            "type",
            "the event has no type; send one that is declared",
        );
    }
    let Some(event_type) = schema.event_types.get(event.kind) else {
        return unknown(
            "UNKNOWN_TYPE",
            "type",
            "event type",
            event.kind,
            schema.event_types.keys(),
        );
    };
    let Some(occurred_at_ms) = event.occurred_at_ms else {
        return reject(
            "MISSING_TIME",
            "occurred_at",
            "the event has no time; send when it happened",
        );
    };
    check_time(occurred_at_ms, received_at_ms)?;
    check_identifiers(&event.identifiers)?;
    at_most(MAX_CHANNEL, event.channel, "channel")?;
    check_entries(
        &event.properties,
        &event_type.properties,
        "UNKNOWN_PROPERTY",
        "properties",
        false,
    )
}

fn check_profile(profile: &Profile, schema: &Schema, received_at_ms: i64) -> Checked {
    check_key(profile.source, profile.id)?;
    if let Some(occurred_at_ms) = profile.occurred_at_ms {
        check_time(occurred_at_ms, received_at_ms)?;
    }
    check_identifiers(&profile.identifiers)?;
    check_entries(
        &profile.attributes,
        &schema.attributes,
        "UNKNOWN_ATTRIBUTE",
        "attributes",
        true,
    )
}

fn check_item(item: &Item, schema: &Schema) -> Checked {
    let Some(catalog) = schema.catalogs.get(item.catalog) else {
        return unknown(
            "UNKNOWN_CATALOG",
            "catalog",
            "catalog",
            item.catalog,
            schema.catalogs.keys(),
        );
    };
    if item.key.is_empty() {
        return reject(
            "MISSING_KEY",
            "key",
            "the item has no key; send the value by which events refer to it",
        );
    }
    at_most(MAX_KEY, item.key, "key")?;
    check_entries(
        &item.attributes,
        &catalog.attributes,
        "UNKNOWN_ATTRIBUTE",
        "attributes",
        false,
    )
}

fn check_key(source: &str, id: &str) -> Checked {
    if source.is_empty() {
        return reject(
            "MISSING_SOURCE",
            "source",
            "the record has no source; name the system that sends it",
        );
    }
    if id.is_empty() {
        return reject(
            "MISSING_ID",
            "id",
            "the record has no id; send one that stays the same if the record is sent again",
        );
    }
    at_most(MAX_KEY, source, "source")?;
    at_most(MAX_KEY, id, "id")
}

fn at_most(limit: usize, text: &str, field: &str) -> Checked {
    if text.len() > limit {
        return reject(
            "TOO_LONG",
            field,
            format!("{} bytes; at most {limit} are allowed, so shorten it", text.len()),
        );
    }
    Ok(())
}

fn check_time(occurred_at_ms: i64, received_at_ms: i64) -> Checked {
    if occurred_at_ms > received_at_ms.saturating_add(MAX_AHEAD_MS) {
        let message = "it is more than 24 hours after its arrival; check the clock, zone and unit of the sender";
        return reject("FUTURE_TIME", "occurred_at", message);
    }
    if occurred_at_ms < START_OF_TIME_MS {
        return reject("TIME_BEFORE_1900", "occurred_at", "it is before 1900; check the unit");
    }
    Ok(())
}

fn check_identifiers(identifiers: &[Identifier]) -> Checked {
    if identifiers.is_empty() {
        let message = "the record has no identifier; send at least one";
        return reject("MISSING_IDENTIFIER", "identifiers", message);
    }
    if identifiers.len() > MAX_IDENTIFIERS {
        let message = format!(
            "{} identifiers; at most {MAX_IDENTIFIERS} are allowed, so send the strongest",
            identifiers.len()
        );
        return reject("TOO_MANY_IDENTIFIERS", "identifiers", message);
    }
    for (at, (namespace, value)) in identifiers.iter().enumerate() {
        if !is_namespace(namespace) {
            let message = "a namespace is an ASCII letter, then letters, digits, `_`, `-`, `.` and `:`, such as phone or openid:wx123";
            return reject("INVALID_NAMESPACE", format!("identifiers[{at}].namespace"), message);
        }
        if value.trim().is_empty() {
            let message = "the identifier is empty; leave it out";
            return reject("EMPTY_IDENTIFIER", format!("identifiers[{at}].value"), message);
        }
        if value.len() > MAX_IDENTIFIER {
            return at_most(MAX_IDENTIFIER, value, &format!("identifiers[{at}].value"));
        }
    }
    Ok(())
}

fn is_namespace(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.len() <= MAX_NAMESPACE
        && bytes.next().is_some_and(|first| first.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte))
}

fn check_entries(
    entries: &Entries,
    declared: &BTreeMap<String, Field>,
    unknown_reason: &'static str,
    group: &str,
    may_clear: bool,
) -> Checked {
    for (name, value) in entries {
        let Some(field) = declared.get(*name) else {
            let kind = if group == "properties" { "property" } else { "attribute" };
            return unknown(
                unknown_reason,
                &format!("{group}.{name:.60}"),
                kind,
                name,
                declared.keys(),
            );
        };
        if !(may_clear && *value == Value::Cleared) {
            values::check(field, value, group)?;
        }
    }
    Ok(())
}

fn unknown<'a>(
    reason: &'static str,
    field: &str,
    kind: &str,
    name: &str,
    names: impl Iterator<Item = &'a String>,
) -> Checked {
    let advice = match nearest(name, names) {
        Some(near) => format!("did you mean {near}? Declare it with PutSchema, or correct the name"),
        None => "declare it with PutSchema, or correct the name".to_owned(),
    };
    let message = format!("no {kind} {name:.60} is declared; {advice}");
    reject(reason, field, message)
}
