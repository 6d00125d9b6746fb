//! The names and types of a workspace: what `quanyu.api.event.v1.Schema` declares.

use std::collections::BTreeMap;

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
    /// Declared values of an enum or set; empty: learned as they are seen.
    pub values: Vec<String>,
    pub ordered: bool,
    pub aliases: Vec<String>,
    /// The catalog that this property is the key of; empty: none.
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
    /// 1 = Monday ... 7 = Sunday.
    pub week_start: u32,
    pub leap_day_is_march_first: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schema {
    pub event_types: BTreeMap<String, EventType>,
    pub attributes: BTreeMap<String, Field>,
    pub catalogs: BTreeMap<String, Catalog>,
    /// Absent until declared.
    pub settings: Option<Settings>,
}
