use proptest::prelude::*;

use super::*;

fn field(name: &str, kind: Type) -> Field {
    let currency = if kind == Type::Money {
        "CNY".into()
    } else {
        String::new()
    };
    Field {
        name: name.into(),
        kind,
        currency,
        values: vec![],
        ordered: false,
        aliases: vec![],
        reference: String::new(),
    }
}

fn fields(list: Vec<Field>) -> BTreeMap<String, Field> {
    list.into_iter().map(|field| (field.name.clone(), field)).collect()
}

fn with_event(name: &str, properties: Vec<Field>) -> Schema {
    let event = EventType {
        name: name.into(),
        properties: fields(properties),
        counts_as_seen: true,
        aliases: vec![],
    };
    Schema {
        event_types: BTreeMap::from([(name.into(), event)]),
        ..Schema::default()
    }
}

fn with_attributes(list: Vec<Field>) -> Schema {
    Schema {
        attributes: fields(list),
        ..Schema::default()
    }
}

/// A part of a schema for tests. A type is written `text`, or `enum:a,b` with its values.
pub enum Declared<'a> {
    Event(&'a str, &'a [(&'a str, &'a str)]),
    Attribute(&'a str, &'a str),
    Catalog(&'a str, &'a [(&'a str, &'a str)]),
}

pub fn declared(parts: &[Declared]) -> Schema {
    let typed = |(name, kind): &(&str, &str)| {
        let (kind, values) = kind.split_once(':').unwrap_or((kind, ""));
        let kind = match kind {
            "bool" => Type::Bool,
            "number" => Type::Number,
            "money" => Type::Money,
            "enum" => Type::Enum,
            "instant" => Type::Instant,
            "date" => Type::Date,
            "month_day" => Type::MonthDay,
            "set" => Type::Set,
            "map" => Type::Map,
            "point" => Type::Point,
            _ => Type::Text,
        };
        let values = values.split(',').filter(|value| !value.is_empty()).map(String::from);
        Field {
            values: values.collect(),
            ..field(name, kind)
        }
    };
    let mut schema = Schema::default();
    for part in parts {
        match part {
            Declared::Event(name, properties) => {
                let properties = properties.iter().map(typed).collect();
                schema.event_types.extend(with_event(name, properties).event_types);
            }
            Declared::Attribute(name, kind) => schema.attributes.extend(fields(vec![typed(&(name, kind))])),
            Declared::Catalog(name, attributes) => {
                let catalog = Catalog {
                    name: (*name).into(),
                    kind: CatalogKind::Goods,
                    attributes: fields(attributes.iter().map(typed).collect()),
                    aliases: vec![],
                };
                schema.catalogs.insert((*name).into(), catalog);
            }
        }
    }
    schema
}

fn with_settings(timezone: &str, day_start_minutes: u32, week_start: u32) -> Schema {
    let settings = Settings {
        timezone: timezone.into(),
        day_start_minutes,
        week_start,
        leap_day_is_march_first: false,
    };
    Schema {
        settings: Some(settings),
        ..Schema::default()
    }
}

fn any_field() -> impl Strategy<Value = Field> {
    let kind = prop::sample::select(vec![Type::Bool, Type::Number, Type::Money, Type::Enum, Type::Point]);
    ("[a-z]{3,8}", kind, prop::collection::vec("[a-z]{1,3}", 0..3)).prop_map(|(name, kind, values)| {
        let values: std::collections::BTreeSet<String> = values.into_iter().collect();
        let declared = kind == Type::Enum && !values.is_empty();
        Field {
            values: if declared { values.into_iter().collect() } else { vec![] },
            ordered: declared,
            ..field(&name, kind)
        }
    })
}

fn any_schema() -> impl Strategy<Value = Schema> {
    let events = prop::collection::btree_map(
        "e_[a-z]{1,4}",
        (prop::collection::vec(any_field(), 0..4), any::<bool>()),
        0..4,
    );
    let settings = prop::option::of(("[A-Z][a-z]{2,9}", 0..1440u32, 1..=7u32, any::<bool>()));
    (events, prop::collection::vec(any_field(), 0..4), settings).prop_map(|(events, attributes, settings)| {
        let mut schema = with_attributes(attributes);
        for (name, (properties, counts_as_seen)) in events {
            schema.event_types.extend(with_event(&name, properties).event_types);
            if let Some(event) = schema.event_types.get_mut(&name) {
                event.counts_as_seen = counts_as_seen;
            }
        }
        schema.settings = settings.map(
            |(timezone, day_start_minutes, week_start, leap_day_is_march_first)| Settings {
                timezone,
                day_start_minutes,
                week_start,
                leap_day_is_march_first,
            },
        );
        schema
    })
}

proptest! {
    #![proptest_config(crate::testing::cases(256))]

    #[test]
    fn decode_reverses_encode(schema in any_schema()) {
        prop_assert_eq!(Schema::decode(&schema.encode()).unwrap(), schema);
    }

    #[test]
    fn merging_again_changes_nothing(schema in any_schema()) {
        let mut merged = Schema::default();
        merged.merge(schema.clone()).unwrap();
        prop_assert_eq!(&merged, &schema);
        merged.merge(schema.clone()).unwrap();
        prop_assert_eq!(merged, schema);
    }

    #[test]
    fn merging_removes_nothing_and_takes_over_everything(known in any_schema(), declared in any_schema()) {
        let mut merged = known.clone();
        if merged.merge(declared.clone()).is_err() {
            prop_assert_eq!(merged, known);
            return Ok(());
        }
        for before in [&known, &declared] {
            for (name, event) in &before.event_types {
                for property in event.properties.keys() {
                    prop_assert!(merged.event_types[name].properties.contains_key(property));
                }
            }
        }
        for (name, attribute) in &declared.attributes {
            prop_assert_eq!(&merged.attributes[name], attribute);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
        let _ = Schema::decode(&bytes);
    }
}

/// Each case is a wrong declaration and the words that its error must contain.
#[test]
fn wrong_declarations_are_rejected_with_their_name() {
    let referencing = |reference: &str, kind| Field {
        reference: reference.into(),
        ..field("store_id", kind)
    };
    let mut both = with_event("order", vec![]);
    both.attributes = fields(vec![field("order", Type::Text)]);
    let mut recency = with_event("order", vec![]);
    recency.attributes = fields(vec![field("last_order", Type::Text)]);
    let no_currency = Field {
        currency: String::new(),
        ..field("amount", Type::Money)
    };
    let unordered = Field {
        ordered: true,
        ..field("level", Type::Enum)
    };
    let mut score = with_event("risk", vec![]);
    score.attributes = fields(vec![field("risk@2", Type::Number)]);
    let mut score_recency = with_event("risk", vec![]);
    score_recency.attributes = fields(vec![field("last_risk@2", Type::Number)]);
    let cases = [
        (score, "risk has versions"),
        (score_recency, "last_risk is its recency"),
        (
            with_attributes(vec![field("channel@1", Type::Number)]),
            "channel is reserved",
        ),
        (with_attributes(vec![field("risk@0", Type::Number)]), "not a name"),
        (with_attributes(vec![field("risk@02", Type::Number)]), "not a name"),
        (with_attributes(vec![field("risk@x", Type::Number)]), "not a name"),
        (with_attributes(vec![field("@2", Type::Number)]), "not a name"),
        (with_event("order@2", vec![]), "not a name"),
        (with_event("order", vec![field("risk@2", Type::Number)]), "not a name"),
        (with_event("channel", vec![]), "channel is reserved"),
        (with_event("2nd", vec![]), "not a name"),
        (with_event("or der", vec![]), "not a name"),
        (with_event("", vec![]), "not a name"),
        (with_attributes(vec![field("ａｇｅ", Type::Number)]), "write \"age\""),
        (both, "order is taken"),
        (recency, "last_order is its recency"),
        (
            with_event("order", vec![no_currency]),
            "event type order: amount: currency",
        ),
        (with_attributes(vec![unordered]), "attributes: level"),
        (
            with_event("order", vec![referencing("store", Type::Text)]),
            "\"store\" is not a declared catalog",
        ),
        (
            with_event("order", vec![referencing("store", Type::Number)]),
            "TYPE_TEXT or TYPE_ENUM",
        ),
        (with_settings("", 0, 1), "settings.timezone"),
        (with_settings("Asia/Shanghai", 1440, 1), "settings.day_start_minutes"),
        (with_settings("Asia/Shanghai", 0, 8), "settings.week_start"),
    ];
    for (schema, words) in cases {
        let message = Schema::default().merge(schema).unwrap_err().to_string();
        assert!(message.contains(words), "{message:?} does not say {words:?}");
    }
}

#[test]
fn a_type_never_changes() {
    let mut schema = with_event("order", vec![field("amount", Type::Money), field("note", Type::Text)]);
    let before = schema.clone();
    let error = schema
        .merge(with_event("order", vec![field("amount", Type::Number)]))
        .unwrap_err();
    assert!(error.to_string().contains("order: amount"), "{error}");
    assert_eq!(schema, before);
    schema
        .merge(with_event("order", vec![field("place", Type::Text)]))
        .unwrap();
    let names: Vec<&String> = schema.event_types["order"].properties.keys().collect();
    assert_eq!(names, ["amount", "note", "place"]);
}

#[test]
fn scores_have_versions() {
    let mut schema = with_attributes(vec![field("risk@3", Type::Number), field("risk@12", Type::Number)]);
    schema
        .merge(with_attributes(vec![field("risk@4", Type::Number)]))
        .unwrap();
    let names: Vec<&String> = schema.attributes.keys().collect();
    assert_eq!(names, ["risk@12", "risk@3", "risk@4"]);
}

#[test]
fn chinese_names_are_valid() {
    Schema::default()
        .merge(with_event("订单", vec![field("金额", Type::Money)]))
        .unwrap();
}

/// Stored schemas keep these bytes: false and empty values are absent, except `counts_as_seen`.
#[test]
fn encode_writes_fields_by_number_and_omits_defaults() {
    let mut schema = with_event("buy", vec![field("sum", Type::Money)]);
    schema.settings = Some(Settings {
        timezone: "UTC".into(),
        day_start_minutes: 0,
        week_start: 1,
        leap_day_is_march_first: false,
    });
    let event_type = b"\x0a\x15\x0a\x03buy\x12\x0c\x0a\x03sum\x10\x03\x1a\x03CNY\x18\x01";
    let settings = b"\x22\x07\x0a\x03UTC\x18\x01";
    assert_eq!(schema.encode(), [&event_type[..], settings].concat());
}
