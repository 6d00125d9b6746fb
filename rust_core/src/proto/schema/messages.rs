//! The messages of `quanyu.api.event.v1` that declare a schema, with the field numbers of event.proto.

use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub struct Field {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(int32, tag = "2")]
    pub r#type: i32,
    #[prost(string, tag = "3")]
    pub currency: String,
    #[prost(string, repeated, tag = "4")]
    pub values: Vec<String>,
    #[prost(bool, tag = "5")]
    pub ordered: bool,
    #[prost(string, repeated, tag = "6")]
    pub aliases: Vec<String>,
    #[prost(string, tag = "7")]
    pub reference: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct EventType {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(message, repeated, tag = "2")]
    pub properties: Vec<Field>,
    #[prost(bool, optional, tag = "3")]
    pub counts_as_seen: Option<bool>,
    #[prost(string, repeated, tag = "4")]
    pub aliases: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Catalog {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(int32, tag = "2")]
    pub kind: i32,
    #[prost(message, repeated, tag = "3")]
    pub attributes: Vec<Field>,
    #[prost(string, repeated, tag = "4")]
    pub aliases: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Settings {
    #[prost(string, tag = "1")]
    pub timezone: String,
    #[prost(uint32, tag = "2")]
    pub day_start_minutes: u32,
    #[prost(uint32, tag = "3")]
    pub week_start: u32,
    #[prost(bool, tag = "4")]
    pub leap_day_is_march_first: bool,
}

#[derive(Clone, PartialEq, Message)]
pub struct Schema {
    #[prost(message, repeated, tag = "1")]
    pub event_types: Vec<EventType>,
    #[prost(message, repeated, tag = "2")]
    pub attributes: Vec<Field>,
    #[prost(message, repeated, tag = "3")]
    pub catalogs: Vec<Catalog>,
    #[prost(message, optional, tag = "4")]
    pub settings: Option<Settings>,
}
