//! Encodes requests, decodes answers, and opens an ingestor with its own logs.

use std::sync::Arc;

use crate::error::Result;
use crate::ingest::Ingestor;
use crate::log::LocalLog;
use crate::log::tests::new_folder;
use crate::proto::frame::RawFrame;
use crate::proto::schema::Schema;
use crate::proto::schema::tests::{Declared, declared};
use crate::proto::wire::{Reader, put_bytes, put_fixed64, put_text, put_varint};

/// The time at which requests arrive, in ms.
pub const NOW: i64 = 1_800_000_000_000;

/// An event; the default is valid.
#[derive(Clone)]
pub struct Sample {
    pub source: String,
    pub id: String,
    pub kind: String,
    pub seconds: Option<i64>,
    pub identifiers: Vec<(String, String)>,
    pub properties: Vec<(String, Vec<u8>)>,
}

impl Default for Sample {
    fn default() -> Self {
        Sample {
            source: "till".into(),
            id: "1".into(),
            kind: "order".into(),
            seconds: Some(NOW / 1000 - 60),
            identifiers: vec![("card".into(), "7".into())],
            properties: vec![],
        }
    }
}

/// Encodes a message.
pub fn message(fields: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    fields(&mut out);
    out
}

/// Encodes an entry of a map.
pub fn entry(name: &str, value: &[u8]) -> Vec<u8> {
    message(|out| {
        put_text(out, 1, name);
        put_bytes(out, 2, value);
    })
}

/// Encodes a message of two texts, such as an identifier.
pub fn pair(first: &str, second: &str) -> Vec<u8> {
    message(|out| {
        put_text(out, 1, first);
        put_text(out, 2, second);
    })
}

/// Encodes a Timestamp.
pub fn time(seconds: i64) -> Vec<u8> {
    message(|out| {
        put_varint(out, 1 << 3);
        put_varint(out, seconds as u64);
    })
}

impl Sample {
    pub fn record(&self) -> Vec<u8> {
        let body = message(|out| {
            put_text(out, 1, &self.source);
            put_text(out, 2, &self.id);
            put_text(out, 3, &self.kind);
            if let Some(seconds) = self.seconds {
                put_bytes(out, 4, &time(seconds));
            }
            for (namespace, value) in &self.identifiers {
                put_bytes(out, 5, &pair(namespace, value));
            }
            for (name, value) in &self.properties {
                put_bytes(out, 7, &entry(name, value));
            }
        });
        message(|out| put_bytes(out, 1, &body))
    }

    /// Returns a sample with one property.
    pub fn with(name: &str, value: Vec<u8>) -> Sample {
        Sample {
            properties: vec![(name.into(), value)],
            ..Sample::default()
        }
    }
}

/// Encodes a number value.
pub fn number(value: f64) -> Vec<u8> {
    message(|out| put_fixed64(out, 2, value.to_bits()))
}

/// Encodes a value that is a text, in the field with this number.
pub fn value(field: u32, text: &str) -> Vec<u8> {
    message(|out| put_bytes(out, field, text.as_bytes()))
}

/// Encodes a request of the workspace `shop` with sequence 9.
pub fn request(records: &[Vec<u8>]) -> Vec<u8> {
    message(|out| {
        put_text(out, 1, "shop");
        for record in records {
            put_bytes(out, 2, record);
        }
        put_varint(out, 3 << 3);
        put_varint(out, 9);
    })
}

/// The answer to a request.
#[derive(Debug, Default, PartialEq)]
pub struct Answer {
    pub sequence: u64,
    pub accepted: u64,
    pub duplicates: u64,
    /// (index, reason, field, message) of each rejected record.
    pub rejects: Vec<(u64, String, String, String)>,
    pub raw_offset: u64,
}

/// Decodes an answer.
pub fn answer(bytes: &[u8]) -> Answer {
    let mut answer = Answer::default();
    let mut reader = Reader::new(bytes);
    while let Some((field, wire)) = reader.field().unwrap() {
        match field {
            1 => answer.sequence = wire.number().unwrap(),
            2 => answer.accepted = wire.number().unwrap(),
            3 => answer.duplicates = wire.number().unwrap(),
            4 => {
                let mut reject = (0, String::new(), String::new(), String::new());
                let mut reader = Reader::new(wire.bytes().unwrap());
                while let Some((field, wire)) = reader.field().unwrap() {
                    match field {
                        1 => reject.0 = wire.number().unwrap(),
                        2 => reject.1 = wire.text().unwrap().into(),
                        3 => reject.2 = wire.text().unwrap().into(),
                        _ => reject.3 = wire.text().unwrap().into(),
                    }
                }
                answer.rejects.push(reject);
            }
            _ => answer.raw_offset = wire.number().unwrap(),
        }
    }
    answer
}

/// An ingestor and the folder with its logs and keys.
pub struct World {
    pub folder: tempfile::TempDir,
    pub ingestor: Option<Ingestor>,
}

impl World {
    pub fn new() -> World {
        let mut world = World {
            folder: new_folder(),
            ingestor: None,
        };
        world.reopen();
        world.ingestor().put_schema(&schema().encode(), NOW).unwrap();
        world
    }

    pub fn ingestor(&self) -> &Ingestor {
        self.ingestor.as_ref().unwrap()
    }

    pub fn reopen(&mut self) {
        self.ingestor = None;
        self.ingestor = Some(self.open().unwrap());
    }

    pub fn open(&self) -> Result<Ingestor> {
        let log = |name: &str| LocalLog::create(&self.folder.path().join(name)).map(Arc::new);
        Ingestor::open(log("raw")?, log("rejects")?, &self.folder.path().join("keys"))
    }

    pub fn ingest(&self, records: &[Vec<u8>]) -> Answer {
        answer(&self.ingestor().ingest(&request(records), NOW).unwrap())
    }

    /// Ingests one record, which must be rejected; returns the reason, field and message.
    pub fn reject(&self, record: Vec<u8>) -> (String, String, String) {
        let answer = self.ingest(&[record]);
        assert_eq!((answer.accepted, answer.duplicates, answer.rejects.len()), (0, 0, 1));
        let (_, reason, field, message) = answer.rejects.into_iter().next().unwrap();
        (reason, field, message)
    }

    /// Returns the records of the raw log in order.
    pub fn raw_records(&self) -> Vec<Vec<u8>> {
        let frames = self.ingestor().raw.read(0, usize::MAX).unwrap();
        let records = frames
            .iter()
            .flat_map(|(_, frame)| RawFrame::decode(frame).unwrap().records);
        records.map(<[u8]>::to_vec).collect()
    }
}

pub fn schema() -> Schema {
    declared(&[
        Declared::Event(
            "order",
            &[
                ("amount", "money"),
                ("note", "text"),
                ("level", "enum:gold,ｓilver"),
                ("day", "date"),
            ],
        ),
        Declared::Event(
            "answer",
            &[
                ("when", "instant"),
                ("born", "month_day"),
                ("tags", "set:a,b"),
                ("more", "map"),
                ("at", "point"),
                ("ok", "bool"),
            ],
        ),
        Declared::Attribute("city", "text"),
        Declared::Catalog("product", &[("brand", "text")]),
    ])
}

/// Encodes an event of a source, id and note.
pub fn event(source: usize, id: usize, note: usize) -> Vec<u8> {
    Sample {
        source: format!("s{source}"),
        id: id.to_string(),
        properties: vec![("note".into(), value(4, &note.to_string()))],
        ..Sample::default()
    }
    .record()
}
