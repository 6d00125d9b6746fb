//! Checks a whole schema.

use std::collections::{BTreeMap, BTreeSet};

use unicode_normalization::UnicodeNormalization;

use super::{Catalog, Field, Schema, Settings, Type};
use crate::error::{Error, Result};

/// Names that the rule language reserves (semantics N12).
const RESERVED: [&str; 6] = ["person", "channel", "true", "false", "first_seen", "last_seen"];

fn invalid<T>(message: String) -> Result<T> {
    Err(Error::Invalid(message))
}

pub fn check(schema: &Schema) -> Result<()> {
    let names = shared_names(schema)?;
    check_recencies(schema, &names)?;
    for catalog in schema.catalogs.values() {
        let owner = format!("catalog {}", catalog.name);
        check_name(&catalog.name, "catalogs")?;
        check_fields(&catalog.attributes, &owner, &schema.catalogs)?;
    }
    for event_type in schema.event_types.values() {
        let owner = format!("event type {}", event_type.name);
        for name in names_of(event_type.properties.values()) {
            check_free(name, &owner)?;
        }
        check_fields(&event_type.properties, &owner, &schema.catalogs)?;
        for field in event_type.properties.values() {
            let key = &field.reference;
            if !key.is_empty() && *key != field.name && event_type.properties.contains_key(key) {
                return invalid(format!(
                    "{owner}: {}: its reference {key} is also a property, so {}.{key} would mean two things; rename one",
                    field.name, event_type.name
                ));
            }
        }
    }
    let mut attributes = schema.attributes.values();
    attributes.try_for_each(|field| check_field(field, "attributes", &schema.catalogs))?;
    schema.settings.as_ref().map_or(Ok(()), check_settings)
}

/// Returns the name of the model if an attribute is a version of its score: `churn_risk` for `churn_risk@4` (N11).
fn score_of(name: &str) -> Option<&str> {
    let (score, version) = name.split_once('@')?;
    let is_version = version.bytes().all(|byte| byte.is_ascii_digit()) && !version.starts_with('0');
    (is_version && (1..=9).contains(&version.len())).then_some(score)
}

fn names_of<'a>(fields: impl Iterator<Item = &'a Field>) -> impl Iterator<Item = &'a String> {
    fields.flat_map(|field| std::iter::once(&field.name).chain(&field.aliases))
}

/// The names and aliases of attributes and event types, which share one namespace (N12).
fn shared_names(schema: &Schema) -> Result<BTreeSet<&str>> {
    let events = schema.event_types.values();
    let events = events.flat_map(|event| std::iter::once(&event.name).chain(&event.aliases));
    let mut taken = BTreeSet::new();
    let attributes = names_of(schema.attributes.values()).map(|name| (name, "attributes"));
    for (name, owner) in attributes.chain(events.map(|name| (name, "event_types"))) {
        let is_attribute = schema.attributes.contains_key(name);
        check_name(score_of(name).filter(|_| is_attribute).unwrap_or(name), owner)?;
        check_free(name, owner)?;
        if !taken.insert(name.as_str()) {
            return invalid(format!(
                "{owner}: {name} is taken: attributes, event types and their aliases share one namespace; choose another name"
            ));
        }
    }
    let scores: BTreeSet<&str> = schema.attributes.keys().filter_map(|name| score_of(name)).collect();
    for &score in &scores {
        check_free(score, "attributes")?;
        if taken.contains(score) {
            return invalid(format!(
                "attributes: {score} has versions, such as {score}@1, so nothing else can be called {score}; rename one of them"
            ));
        }
    }
    taken.extend(scores);
    Ok(taken)
}

/// Checks that no attribute has the name of a recency: `last_order` is the recency of event `order` (N2).
fn check_recencies(schema: &Schema, names: &BTreeSet<&str>) -> Result<()> {
    for event in schema.event_types.values() {
        for name in std::iter::once(&event.name).chain(&event.aliases) {
            for recency in [format!("last_{name}"), format!("first_{name}")] {
                if names.contains(recency.as_str()) {
                    return invalid(format!(
                        "event_types: {name}: {recency} is its recency but is declared too; rename one of them"
                    ));
                }
            }
        }
    }
    Ok(())
}

fn check_free(name: &str, owner: &str) -> Result<()> {
    if RESERVED.contains(&name) {
        return invalid(format!("{owner}: {name} is reserved; choose another name"));
    }
    Ok(())
}

fn check_name(name: &str, owner: &str) -> Result<()> {
    let normal: String = name.nfkc().collect();
    if normal != name {
        return invalid(format!(
            "{owner}: {name:?} is not in Unicode NFKC form; write {normal:?}"
        ));
    }
    let starts = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    if !starts || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        return invalid(format!(
            "{owner}: {name:?} is not a name: letters, digits and underscores, not beginning with a digit"
        ));
    }
    if name.len() > 256 {
        return invalid(format!("{owner}: {name:.20}... is longer than 256 bytes"));
    }
    Ok(())
}

fn check_fields(fields: &BTreeMap<String, Field>, owner: &str, catalogs: &BTreeMap<String, Catalog>) -> Result<()> {
    let mut taken = BTreeSet::new();
    for name in names_of(fields.values()) {
        check_name(name, owner)?;
        if !taken.insert(name) {
            return invalid(format!(
                "{owner}: {name} is declared twice, as a name or alias; choose another"
            ));
        }
    }
    fields
        .values()
        .try_for_each(|field| check_field(field, owner, catalogs))
}

fn check_field(field: &Field, owner: &str, catalogs: &BTreeMap<String, Catalog>) -> Result<()> {
    let wrong = |what: String| invalid(format!("{owner}: {}: {what}", field.name));
    let currency = field.currency.len() == 3 && field.currency.bytes().all(|byte| byte.is_ascii_uppercase());
    if field.kind == Type::Money && !currency {
        return wrong(format!(
            "currency {:?} is not an ISO 4217 code such as CNY",
            field.currency
        ));
    }
    if field.kind != Type::Money && !field.currency.is_empty() {
        return wrong("only TYPE_MONEY has a currency; remove it".into());
    }
    if !matches!(field.kind, Type::Enum | Type::Set) && !field.values.is_empty() {
        return wrong("only TYPE_ENUM and TYPE_SET have values; remove them".into());
    }
    let distinct: BTreeSet<String> = field.values.iter().map(|value| value.nfkc().collect()).collect();
    if distinct.len() != field.values.len() || distinct.contains("") {
        return wrong("its values must be distinct and not empty".into());
    }
    if field.ordered && (field.kind != Type::Enum || field.values.is_empty()) {
        return wrong("only a TYPE_ENUM with declared values can be ordered; list the values, lowest first".into());
    }
    if field.reference.is_empty() {
        return Ok(());
    }
    if !matches!(field.kind, Type::Text | Type::Enum) {
        return wrong("a reference must be TYPE_TEXT or TYPE_ENUM".into());
    }
    if !catalogs.contains_key(&field.reference) {
        return wrong(format!(
            "its reference {:?} is not a declared catalog; declare it too",
            field.reference
        ));
    }
    Ok(())
}

fn check_settings(settings: &Settings) -> Result<()> {
    if settings.timezone.is_empty() {
        return invalid("settings.timezone is empty; give an IANA zone such as Asia/Shanghai".into());
    }
    if settings.day_start_minutes >= 1440 {
        return invalid("settings.day_start_minutes must be below 1440".into());
    }
    if !(1..=7).contains(&settings.week_start) {
        return invalid("settings.week_start must be 1 (Monday) to 7 (Sunday)".into());
    }
    Ok(())
}
