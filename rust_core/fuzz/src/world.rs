//! A small workspace: its schema, its records, and a query of everything.

use std::collections::BTreeMap;

use quanyu_core::error::Result;
use quanyu_core::eval::{Limits, evaluate_within};
use quanyu_core::index::Index;
use quanyu_core::index::view::{DAY_MS, Version, person_of};
use quanyu_core::proto::frame::{Change, IdentityChange, RawFrame, Reject, RejectFrame};
use quanyu_core::proto::record::Value;
use quanyu_core::proto::schema::{Catalog, CatalogKind, EventType, Field, Schema, Type};
use quanyu_core::proto::wire::{Reader, put_bytes, put_text};

use crate::encoded::{self, RecordFields};
use crate::plans::{self, AS_OF, START};

/// The number of people: enough for all cases to occur.
pub const FEW: u32 = 12;
/// A memory limit that is enough for each query about so few people.
const BUDGET: u64 = 64 << 20;
/// The number of people of each partition who are read one by one.
const SHOWN: u32 = 30;

const PROPERTIES: [(&str, Type); 6] = [
    ("amount", Type::Money),
    ("product", Type::Text),
    ("gift", Type::Bool),
    ("due", Type::Instant),
    ("day", Type::Date),
    ("labels", Type::Set),
];
const ATTRIBUTES: [(&str, Type); 9] = [
    ("vip", Type::Bool),
    ("balance", Type::Money),
    ("city", Type::Enum),
    ("signup", Type::Instant),
    ("born", Type::Date),
    ("birthday", Type::MonthDay),
    ("tags", Type::Set),
    ("survey", Type::Map),
    ("home", Type::Point),
];
const ITEM: [(&str, Type); 3] = [("category", Type::Enum), ("price", Type::Money), ("labels", Type::Set)];

fn fields(of: &[(&str, Type)]) -> BTreeMap<String, Field> {
    let field = |&(name, kind): &(&str, Type)| {
        let field = Field {
            name: name.into(),
            kind,
            currency: if kind == Type::Money {
                "CNY".into()
            } else {
                String::new()
            },
            values: Vec::new(),
            ordered: false,
            aliases: Vec::new(),
            reference: if name == "product" { name.into() } else { String::new() },
        };
        (name.to_owned(), field)
    };
    of.iter().map(field).collect()
}

pub fn schema() -> Schema {
    let event_type = |name: &str| EventType {
        name: name.into(),
        properties: fields(&PROPERTIES),
        counts_as_seen: name == "order",
        aliases: Vec::new(),
    };
    let product = Catalog {
        name: "product".into(),
        kind: CatalogKind::Goods,
        attributes: fields(&ITEM),
        aliases: Vec::new(),
    };
    Schema {
        event_types: ["order", "scan"].map(|name| (name.to_owned(), event_type(name))).into(),
        attributes: fields(&ATTRIBUTES),
        catalogs: [("product".to_owned(), product)].into(),
        settings: None,
    }
}

pub fn event(number: u32) -> Vec<u8> {
    let (id, day) = (number.to_string(), i64::from(number % 17));
    let values = [
        ("amount", Value::Decimal(["12.5", "0.01", "300"][number as usize % 3])),
        ("product", Value::Text(["p1", "p2", "p9"][number as usize / 2 % 3])),
        ("gift", Value::Flag(number.is_multiple_of(4))),
        ("due", Value::Instant(START + day * DAY_MS)),
        ("day", Value::Date("2025-06-20")),
        ("labels", Value::Set(vec!["a", "b"])),
    ];
    encoded::event(&RecordFields {
        source: "till",
        id: &id,
        kind: if number.is_multiple_of(3) { "scan" } else { "order" },
        time: Some(START + day * DAY_MS + i64::from(number) * 1000),
        channel: ["pos", "app", ""][number as usize % 3],
        values: &values[..1 + number as usize % values.len()],
    })
}

pub fn profile(number: u32) -> Vec<u8> {
    let id = number.to_string();
    let values = [
        ("city", Value::Text(["上海", "Berlin", "tea"][number as usize % 3])),
        ("vip", Value::Flag(number.is_multiple_of(2))),
        ("balance", Value::Number(f64::from(number) / 4.0)),
        ("signup", Value::Instant(START)),
        ("born", Value::Date("1990-02-28")),
        ("birthday", Value::Date("02-29")),
        ("tags", Value::Set(vec!["x", "y"])),
        (
            "survey",
            Value::Map(vec![("q", Value::Text("yes")), ("n", Value::Number(1.0))]),
        ),
        ("home", Value::Point([31.2, 121.5])),
    ];
    encoded::profile(&RecordFields {
        source: "crm",
        id: &id,
        kind: "",
        time: (!number.is_multiple_of(5)).then_some(START + i64::from(number) * DAY_MS),
        channel: "",
        values: &values[..1 + number as usize % values.len()],
    })
}

pub fn item(number: u32) -> Vec<u8> {
    let values = [
        ("category", Value::Text("coffee")),
        ("price", Value::Decimal("9.90")),
        ("labels", Value::Set(vec!["a"])),
    ];
    encoded::item("product", &format!("p{number}"), &values)
}

/// Person ids in two partitions.
pub fn people(count: u32) -> impl Iterator<Item = u64> {
    (0..count).map(|number| person_of(1 + number % 2, number / 2))
}

/// Returns resolved frames: the schema, `people` in two partitions with a few records each, and a merge of two of them.
pub fn frames(people: u32) -> Vec<Vec<u8>> {
    let ids: Vec<u64> = self::people(people).collect();
    let changes = ids.iter().map(|&person| Change::Created { person });
    let changes = changes
        .zip(1..)
        .map(|(change, sequence)| IdentityChange { sequence, change });
    let mut records: Vec<(u64, Vec<u8>)> = (1..4).map(|number| (0, item(number))).collect();
    for (&person, number) in ids.iter().zip(0..) {
        records.push((person, profile(number)));
        records.extend((0..number % 4).map(|of_person| (person, event(4 * number + of_person))));
    }
    let merged = IdentityChange {
        sequence: u64::from(people) + 1,
        change: Change::Merged {
            winner: ids[0],
            loser: ids[3],
        },
    };
    vec![
        encoded::frame(0, changes.collect(), &[], Some(&schema().encode())),
        encoded::frame(1, Vec::new(), &records, None),
        encoded::frame(2, vec![merged], &[(ids[0], event(1)), (ids[2], profile(7))], None),
    ]
}

/// Returns events, profiles and an item.
fn records() -> Vec<Vec<u8>> {
    let known_by = |record: Vec<u8>, kind: u32, field: u32, number: u32| {
        let mut reader = Reader::new(&record);
        let (_, wire) = reader.field().ok().flatten().expect("a record");
        let mut body = wire.bytes().expect("its body").to_vec();
        for (namespace, value) in [
            ("member", u64::from(number / 2)),
            ("phone", 13_800_000_000 + u64::from(number)),
        ] {
            let mut identifier = Vec::new();
            put_text(&mut identifier, 1, namespace);
            put_text(&mut identifier, 2, &value.to_string());
            put_bytes(&mut body, field, &identifier);
        }
        let mut out = Vec::new();
        put_bytes(&mut out, kind, &body);
        out
    };
    let events = (0..6).map(|number| known_by(event(number), 1, 5, number));
    let profiles = (0..6).map(|number| known_by(profile(number), 2, 4, number));
    events.chain(profiles).chain([item(1)]).collect()
}

pub fn raw_frames() -> Vec<Vec<u8>> {
    let (schema, records) = (schema().encode(), records());
    let declared = RawFrame {
        received_at_ms: START,
        schema: Some(&schema),
        ..RawFrame::default()
    };
    let sent = RawFrame {
        received_at_ms: AS_OF,
        records: records.iter().map(Vec::as_slice).collect(),
        ..RawFrame::default()
    };
    vec![declared.encode(), sent.encode()]
}

/// Encodes an IngestRequest.
pub fn request() -> Vec<u8> {
    let mut out = Vec::new();
    put_text(&mut out, 1, "shop");
    records().iter().for_each(|record| put_bytes(&mut out, 2, record));
    out
}

pub fn rejects() -> Vec<u8> {
    let reject = Reject {
        index: 1,
        reason: "MISSING_ID".into(),
        field: "id".into(),
        message: "an id is missing".into(),
        record: b"record",
    };
    let frame = RejectFrame {
        received_at_ms: START,
        rejects: vec![reject],
    };
    frame.encode()
}

pub fn fold(index: &Index, frames: &[Vec<u8>]) {
    for frame in frames {
        index.fold(&[(index.offset(), frame)]).expect("a frame of this world");
    }
}

pub fn limits() -> Limits {
    Limits {
        bytes: BUDGET,
        ..Limits::none()
    }
}

/// Reads people one by one, and evaluates all kinds of conditions and expressions for them.
pub fn ask(version: &Version) -> Result<()> {
    for (&number, partition) in &version.partitions {
        for ordinal in 0..partition.people.min(SHOWN) {
            let person = person_of(number, ordinal);
            version.timeline(person, b"", 50)?;
            for as_of in [0, AS_OF, i64::MAX] {
                version.profile(person, as_of)?;
            }
        }
    }
    let answer = evaluate_within(version, plans::all().as_bytes(), &limits())?;
    for root in &answer.roots {
        assert_eq!(root.members().len(), root.matched);
    }
    Ok(())
}
