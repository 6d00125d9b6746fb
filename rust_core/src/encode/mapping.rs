//! Parses mappings, which assign columns to the fields of records.

use chrono_tz::Tz;
use serde_json::{Map, Value};

use super::template::Template;
use super::times;
use crate::error::{Error, Result};

/// The kind of records that a mapping yields.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Records {
    Event,
    Profile,
    Item,
}

/// The field numbers of a record in its message; 0 if it has no such field.
pub struct Layout {
    pub occurred_at: u32,
    pub identifiers: u32,
    pub channel: u32,
    pub entries: u32,
}

impl Records {
    /// Returns the number of the field in Record.
    pub fn field(self) -> u32 {
        self as u32 + 1
    }

    pub fn layout(self) -> Layout {
        let (occurred_at, identifiers, channel, entries) = match self {
            Records::Event => (4, 5, 6, 7),
            Records::Profile => (3, 4, 0, 5),
            Records::Item => (0, 0, 0, 3),
        };
        Layout {
            occurred_at,
            identifiers,
            channel,
            entries,
        }
    }

    /// Returns the required templates: the key and the number of the field.
    fn required(self) -> &'static [(&'static str, u32)] {
        match self {
            Records::Event => &[("source", 1), ("id", 2), ("type", 3)],
            Records::Profile => &[("source", 1), ("id", 2)],
            Records::Item => &[("catalog", 1), ("key", 2)],
        }
    }

    fn optional(self) -> &'static [&'static str] {
        match self {
            Records::Event => &["occurred_at", "zone", "channel", "identifiers", "properties"],
            Records::Profile => &["occurred_at", "zone", "identifiers", "attributes"],
            Records::Item => &["zone", "attributes"],
        }
    }
}

/// A parsed mapping.
pub struct Mapping {
    pub records: Records,
    /// The key, the field number and the template of each required field.
    pub required: Vec<(&'static str, u32, Template)>,
    pub occurred_at: Option<FieldSpec>,
    pub zone: Tz,
    pub channel: Option<Template>,
    /// The namespace and value of each identifier.
    pub identifiers: Vec<(Template, Template)>,
    /// The properties or attributes.
    pub entries: Vec<(String, FieldSpec)>,
}

/// The type to which a column is converted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum As {
    Text,
    Number,
    Decimal,
    Flag,
    Date,
    Instant,
    Set,
}

/// Tells how the values of a column are converted.
pub struct FieldSpec {
    pub column: String,
    /// `None` converts by the type of the column.
    pub kind: Option<As>,
    pub format: Option<times::TimeFormat>,
    pub separator: String,
}

fn wrong<T>(path: &str, what: impl std::fmt::Display) -> Result<T> {
    Err(Error::Invalid(format!("mapping: {path}: {what}")))
}

type Object = Map<String, Value>;

impl Mapping {
    pub fn parse(json: &[u8]) -> Result<Mapping> {
        let parsed: Value =
            serde_json::from_slice(json).map_err(|error| Error::Invalid(format!("mapping: not JSON: {error}")))?;
        let Value::Object(mapping) = parsed else {
            return Err(Error::Invalid(
                "mapping: it must be an object of keys and values".into(),
            ));
        };
        let records = match mapping.get("records").and_then(Value::as_str) {
            Some("event") => Records::Event,
            Some("profile") => Records::Profile,
            Some("item") => Records::Item,
            _ => return wrong("records", "set it to event, profile or item"),
        };
        check_keys(&mapping, records)?;
        let mut required = Vec::new();
        for (key, field) in records.required() {
            let Some(text) = mapping.get(*key) else {
                return wrong(key, "it is required");
            };
            required.push((*key, *field, template(key, text)?));
        }
        let zone = zone(mapping.get("zone"))?;
        let occurred_at = mapping
            .get("occurred_at")
            .map(|value| field("occurred_at", value, Some(As::Instant)));
        let occurred_at = occurred_at.transpose()?;
        if records == Records::Event && occurred_at.is_none() {
            return wrong("occurred_at", "an event needs its time");
        }
        let identifiers = identifiers(mapping.get("identifiers"), records)?;
        let group = if records == Records::Event {
            "properties"
        } else {
            "attributes"
        };
        Ok(Mapping {
            records,
            required,
            occurred_at,
            zone,
            channel: mapping
                .get("channel")
                .map(|text| template("channel", text))
                .transpose()?,
            identifiers,
            entries: entries(group, mapping.get(group))?,
        })
    }

    /// Returns each column, the key that reads it, and whether it is read as text.
    pub fn columns(&self) -> impl Iterator<Item = (&str, String, bool)> {
        let templates = self
            .required
            .iter()
            .map(|(key, _, template)| ((*key).to_owned(), template));
        let channel = self.channel.iter().map(|template| ("channel".to_owned(), template));
        let identifiers = self
            .identifiers
            .iter()
            .enumerate()
            .flat_map(|(at, (namespace, value))| {
                [
                    (format!("identifiers[{at}].namespace"), namespace),
                    (format!("identifiers[{at}].value"), value),
                ]
            });
        let templates = templates.chain(channel).chain(identifiers);
        let in_templates =
            templates.flat_map(|(key, template)| template.columns().map(move |column| (column, key.clone(), true)));
        let occurred_at = self
            .occurred_at
            .iter()
            .map(|field| (field.column.as_str(), "occurred_at".to_owned(), false));
        let entries = self
            .entries
            .iter()
            .map(|(name, field)| (field.column.as_str(), name.clone(), field.kind == Some(As::Text)));
        in_templates.chain(occurred_at).chain(entries)
    }
}

fn check_keys(mapping: &Object, records: Records) -> Result<()> {
    for key in mapping.keys() {
        let required = records.required().iter().any(|(name, _)| name == key);
        if key != "records" && !required && !records.optional().contains(&key.as_str()) {
            let required = records.required().iter().map(|(name, _)| *name);
            let known: Vec<&str> = required.chain(records.optional().iter().copied()).collect();
            return wrong(
                key,
                format!("not a key of these records; the keys are {}", known.join(", ")),
            );
        }
    }
    Ok(())
}

fn template(path: &str, value: &Value) -> Result<Template> {
    match value.as_str() {
        Some(text) => Template::parse(text).or_else(|what| wrong(path, what)),
        None => wrong(path, "it must be a text, with {column} where a column's value goes"),
    }
}

fn zone(value: Option<&Value>) -> Result<Tz> {
    let Some(value) = value else {
        return Ok(Tz::UTC);
    };
    match value.as_str().and_then(|name| name.parse().ok()) {
        Some(zone) => Ok(zone),
        None => wrong("zone", format!("{value} is not an IANA zone such as Asia/Shanghai")),
    }
}

fn identifiers(value: Option<&Value>, records: Records) -> Result<Vec<(Template, Template)>> {
    if records == Records::Item {
        return Ok(Vec::new());
    }
    let list = match value.and_then(Value::as_array) {
        Some(list) if !list.is_empty() => list,
        _ => return wrong("identifiers", "list at least one {namespace: ..., value: ...}"),
    };
    let parsed = list.iter().enumerate().map(|(at, item)| {
        let path = format!("identifiers[{at}]");
        let part = |key: &str| match item.get(key) {
            Some(value) => template(&format!("{path}.{key}"), value),
            None => wrong(&path, format!("{key} is required")),
        };
        if item.as_object().is_some_and(|item| item.len() > 2) {
            return wrong(&path, "it takes namespace and value, nothing else");
        }
        Ok((part("namespace")?, part("value")?))
    });
    parsed.collect()
}

fn entries(group: &str, value: Option<&Value>) -> Result<Vec<(String, FieldSpec)>> {
    let entries = match value {
        None => return Ok(Vec::new()),
        Some(Value::Object(entries)) => entries,
        Some(_) => return wrong(group, "it must name fields and their columns"),
    };
    let parsed = entries
        .iter()
        .map(|(name, value)| Ok((name.clone(), field(&format!("{group}.{name}"), value, None)?)));
    parsed.collect()
}

/// Parses a field. `always` is the type of a field that does not depend on the column.
fn field(path: &str, value: &Value, always: Option<As>) -> Result<FieldSpec> {
    let plain = |column: &str| FieldSpec {
        column: column.to_owned(),
        kind: always,
        format: None,
        separator: ",".to_owned(),
    };
    let object = match value {
        Value::String(column) => return Ok(plain(column)),
        Value::Object(object) => object,
        _ => return wrong(path, "it must be a column's name or {column: NAME, as: KIND}"),
    };
    let mut spec = plain("");
    for (key, value) in object {
        let path = format!("{path}.{key}");
        let Some(text) = value.as_str() else {
            return wrong(&path, "it must be a text");
        };
        match key.as_str() {
            "column" => spec.column = text.to_owned(),
            "as" => spec.kind = Some(kind(&path, text, always)?),
            "format" => spec.format = Some(times::TimeFormat::parse(text).or_else(|what| wrong(&path, what))?),
            "separator" if text.is_empty() => return wrong(&path, "it is empty"),
            "separator" => spec.separator = text.to_owned(),
            _ => return wrong(&path, "a field takes column, as, format and separator"),
        }
    }
    if spec.column.is_empty() {
        return wrong(path, "column is required");
    }
    if spec.format.is_some() && spec.kind != Some(As::Instant) {
        return wrong(path, "format goes with as: instant only");
    }
    if object.contains_key("separator") && spec.kind != Some(As::Set) {
        return wrong(path, "separator goes with as: set only");
    }
    Ok(spec)
}

fn kind(path: &str, text: &str, always: Option<As>) -> Result<As> {
    let kind = match text {
        "text" => As::Text,
        "number" => As::Number,
        "decimal" => As::Decimal,
        "flag" => As::Flag,
        "date" => As::Date,
        "instant" => As::Instant,
        "set" => As::Set,
        _ => {
            return wrong(
                path,
                format!("{text:?} is not one of text, number, decimal, flag, date, instant, set"),
            );
        }
    };
    match always {
        Some(always) if always != kind => wrong(path, "it is always an instant"),
        _ => Ok(kind),
    }
}
