//! The schema of a workspace (`quanyu.api.event.v1.Schema`): its event types, attributes, catalogs and settings.

mod check;
mod codec;
mod messages;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;

use crate::error::{Error, Result};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    Bool,
    Number,
    Money,
    Text,
    Enum,
    Instant,
    Date,
    MonthDay,
    Set,
    Map,
    Point,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    pub name: String,
    pub kind: Type,
    pub currency: String,
    /// The declared values of an enum or set. If empty, values are learned as they arrive.
    pub values: Vec<String>,
    pub ordered: bool,
    pub aliases: Vec<String>,
    /// The catalog to whose items this property refers by key; empty for none.
    pub reference: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct EventType {
    pub name: String,
    pub properties: BTreeMap<String, Field>,
    pub counts_as_seen: bool,
    pub aliases: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CatalogKind {
    Goods,
    Places,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Catalog {
    pub name: String,
    pub kind: CatalogKind,
    pub attributes: BTreeMap<String, Field>,
    pub aliases: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub timezone: String,
    pub day_start_minutes: u32,
    /// The first day of a week: 1 = Monday ... 7 = Sunday.
    pub week_start: u32,
    pub leap_day_is_march_first: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schema {
    pub event_types: BTreeMap<String, EventType>,
    pub attributes: BTreeMap<String, Field>,
    pub catalogs: BTreeMap<String, Catalog>,
    /// `None` until they are declared.
    pub settings: Option<Settings>,
}

impl Schema {
    /// Merges the declarations of `other`: replaces those with the same name, removes none.
    ///
    /// Returns `Error::Invalid` with the field and changes nothing if any part of the result is wrong.
    pub fn merge(&mut self, other: Schema) -> Result<()> {
        let mut merged = self.clone();
        for (name, mut declared) in other.event_types {
            if let Some(known) = merged.event_types.remove(&name) {
                declared.properties =
                    merge_fields(known.properties, declared.properties, &format!("event type {name}"))?;
            }
            merged.event_types.insert(name, declared);
        }
        for (name, mut declared) in other.catalogs {
            if let Some(known) = merged.catalogs.remove(&name) {
                if known.kind != declared.kind {
                    return Err(Error::Invalid(format!(
                        "catalog {name}: its kind cannot change; declare another catalog"
                    )));
                }
                declared.attributes = merge_fields(known.attributes, declared.attributes, &format!("catalog {name}"))?;
            }
            merged.catalogs.insert(name, declared);
        }
        merged.attributes = merge_fields(merged.attributes, other.attributes, "attributes")?;
        merged.settings = other.settings.or(merged.settings);
        check::check(&merged)?;
        *self = merged;
        Ok(())
    }
}

type Fields = BTreeMap<String, Field>;

fn merge_fields(mut known: Fields, declared: Fields, owner: &str) -> Result<Fields> {
    for (name, field) in declared {
        if let Some(before) = known.get(&name) {
            let changed = if before.kind != field.kind {
                Some(format!("type is {:?} and cannot become {:?}", before.kind, field.kind))
            } else if before.currency != field.currency {
                Some(format!(
                    "currency is {} and cannot become {}",
                    before.currency, field.currency
                ))
            } else {
                None
            };
            if let Some(changed) = changed {
                return Err(Error::Invalid(format!(
                    "{owner}: {name}: its {changed}; declare a field of another name"
                )));
            }
        }
        known.insert(name, field);
    }
    Ok(known)
}
