//! Converts schemas from and to their protobuf messages.

use std::collections::BTreeMap;

use prost::Message;

use super::messages;
use super::{Catalog, CatalogKind, EventType, Field, Schema, Settings, Type};
use crate::error::{Error, Result};

/// The field types in the order of their numbers in event.proto, which start at 1.
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

/// The kinds of catalog in the order of their numbers in event.proto, which start at 1.
const CATALOG_KINDS: [CatalogKind; 2] = [CatalogKind::Goods, CatalogKind::Places];

impl Schema {
    /// Decodes a Schema message. `merge` makes all other checks.
    ///
    /// Returns `Error::Invalid` if the bytes are malformed, a name is declared twice, or a type or kind is unknown.
    pub fn decode(bytes: &[u8]) -> Result<Schema> {
        let message = messages::Schema::decode(bytes).map_err(Error::malformed)?;
        let event_types = message.event_types.into_iter().map(event_type_from_message);
        let catalogs = message.catalogs.into_iter().map(catalog_from_message);
        Ok(Schema {
            event_types: by_name(event_types, |event_type| &event_type.name, "event_types")?,
            attributes: fields_from_messages(message.attributes, "attributes")?,
            catalogs: by_name(catalogs, |catalog| &catalog.name, "catalogs")?,
            settings: message.settings.map(settings_from_message),
        })
    }

    /// Encodes the schema as a Schema message. Equal schemas have equal bytes: declarations are sorted by name.
    pub fn encode(&self) -> Vec<u8> {
        let message = messages::Schema {
            event_types: self.event_types.values().map(event_type_to_message).collect(),
            attributes: self.attributes.values().map(field_to_message).collect(),
            catalogs: self.catalogs.values().map(catalog_to_message).collect(),
            settings: self.settings.as_ref().map(settings_to_message),
        };
        message.encode_to_vec()
    }
}

/// Maps declarations by name. `owner` is the place of the declarations in errors.
fn by_name<T>(
    declarations: impl Iterator<Item = Result<T>>,
    name: impl Fn(&T) -> &String,
    owner: &str,
) -> Result<BTreeMap<String, T>> {
    let mut map = BTreeMap::new();
    for declaration in declarations {
        let declaration = declaration?;
        let name = name(&declaration).clone();
        if map.contains_key(&name) {
            return Err(Error::Invalid(format!("{owner}: {name} is declared twice; keep one")));
        }
        map.insert(name, declaration);
    }
    Ok(map)
}

/// Returns the item with this number, which starts at 1.
fn numbered<T: Copy>(items: &[T], number: i32) -> Option<T> {
    let index = usize::try_from(number).ok()?.checked_sub(1)?;
    items.get(index).copied()
}

/// Returns the number of an item, which starts at 1.
fn number_of<T: PartialEq>(items: &[T], item: &T) -> i32 {
    items
        .iter()
        .zip(1..)
        .find(|(other, _)| *other == item)
        .map_or(0, |(_, number)| number)
}

fn fields_from_messages(fields: Vec<messages::Field>, owner: &str) -> Result<BTreeMap<String, Field>> {
    let fields = fields.into_iter().map(|field| field_from_message(field, owner));
    by_name(fields, |field| &field.name, owner)
}

fn field_from_message(message: messages::Field, owner: &str) -> Result<Field> {
    let kind = numbered(&TYPES, message.r#type).ok_or_else(|| {
        Error::Invalid(format!(
            "{owner}: {}: say its type, such as TYPE_NUMBER or TYPE_TEXT",
            message.name
        ))
    })?;
    Ok(Field {
        name: message.name,
        kind,
        currency: message.currency,
        values: message.values,
        ordered: message.ordered,
        aliases: message.aliases,
        reference: message.reference,
    })
}

fn event_type_from_message(message: messages::EventType) -> Result<EventType> {
    let owner = format!("event type {}", message.name);
    Ok(EventType {
        name: message.name,
        properties: fields_from_messages(message.properties, &owner)?,
        counts_as_seen: message.counts_as_seen.unwrap_or(true),
        aliases: message.aliases,
    })
}

fn catalog_from_message(message: messages::Catalog) -> Result<Catalog> {
    let owner = format!("catalog {}", message.name);
    let attributes = fields_from_messages(message.attributes, &owner)?;
    let kind = numbered(&CATALOG_KINDS, message.kind)
        .ok_or_else(|| Error::Invalid(format!("{owner}: say its kind: KIND_GOODS or KIND_PLACES")))?;
    Ok(Catalog {
        name: message.name,
        kind,
        attributes,
        aliases: message.aliases,
    })
}

fn settings_from_message(message: messages::Settings) -> Settings {
    Settings {
        timezone: message.timezone,
        day_start_minutes: message.day_start_minutes,
        // An absent number is 0; the default is Monday.
        week_start: message.week_start.max(1),
        leap_day_is_march_first: message.leap_day_is_march_first,
    }
}

fn field_to_message(field: &Field) -> messages::Field {
    messages::Field {
        name: field.name.clone(),
        r#type: number_of(&TYPES, &field.kind),
        currency: field.currency.clone(),
        values: field.values.clone(),
        ordered: field.ordered,
        aliases: field.aliases.clone(),
        reference: field.reference.clone(),
    }
}

fn event_type_to_message(event_type: &EventType) -> messages::EventType {
    messages::EventType {
        name: event_type.name.clone(),
        properties: event_type.properties.values().map(field_to_message).collect(),
        counts_as_seen: Some(event_type.counts_as_seen),
        aliases: event_type.aliases.clone(),
    }
}

fn catalog_to_message(catalog: &Catalog) -> messages::Catalog {
    messages::Catalog {
        name: catalog.name.clone(),
        kind: number_of(&CATALOG_KINDS, &catalog.kind),
        attributes: catalog.attributes.values().map(field_to_message).collect(),
        aliases: catalog.aliases.clone(),
    }
}

fn settings_to_message(settings: &Settings) -> messages::Settings {
    messages::Settings {
        timezone: settings.timezone.clone(),
        day_start_minutes: settings.day_start_minutes,
        week_start: settings.week_start,
        leap_day_is_march_first: settings.leap_day_is_march_first,
    }
}
