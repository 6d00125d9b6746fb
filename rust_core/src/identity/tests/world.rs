//! Small random worlds and their frames.

use proptest::prelude::*;

use crate::identity::{Policy, Resolver, Rule};
use crate::proto::decision::tests::encode;
use crate::proto::decision::{Decision, Kind};
use crate::proto::frame::{Change, RawFrame, ResolvedFrame};
use crate::proto::wire::{put_bytes, put_number, put_text};

/// A day in ms.
pub const DAY: i64 = 86_400_000;

/// The namespace and the value of an identifier.
pub type Key = (String, String);

/// An event or a profile update.
#[derive(Clone, Debug, Default)]
pub struct TestRecord {
    pub id: String,
    pub at_ms: Option<i64>,
    pub is_profile: bool,
    pub identifiers: Vec<Key>,
}

/// A raw frame: records, or a split.
#[derive(Clone, Debug, Default)]
pub struct TestFrame {
    pub received_at_ms: i64,
    pub records: Vec<TestRecord>,
    /// A split instead of records.
    pub split: Option<TestSplit>,
}

/// A decision to split these identifiers off from the person of the first one; `key` is its idempotency key.
#[derive(Clone, Debug)]
pub struct TestSplit {
    pub key: String,
    pub identifiers: Vec<Key>,
}

impl TestRecord {
    pub fn of(id: &str, identifiers: &[(&str, &str)]) -> TestRecord {
        let identifiers = identifiers
            .iter()
            .map(|&(name, value)| (name.into(), value.into()))
            .collect();
        TestRecord {
            id: id.into(),
            identifiers,
            ..TestRecord::default()
        }
    }

    /// Encodes the record.
    pub fn encode(&self) -> Vec<u8> {
        let (time, identifiers) = if self.is_profile { (3, 4) } else { (4, 5) };
        let (mut out, mut body) = (Vec::new(), Vec::new());
        put_text(&mut body, 1, "pos");
        put_text(&mut body, 2, &self.id);
        if !self.is_profile {
            put_text(&mut body, 3, "order");
        }
        if let Some(ms) = self.at_ms {
            let mut timestamp = Vec::new();
            put_number(&mut timestamp, 1, ms.div_euclid(1000) as u64);
            put_number(&mut timestamp, 2, ms.rem_euclid(1000) as u64 * 1_000_000);
            put_bytes(&mut body, time, &timestamp);
        }
        for (namespace, value) in &self.identifiers {
            let mut identifier = Vec::new();
            put_text(&mut identifier, 1, namespace);
            put_text(&mut identifier, 2, value);
            put_bytes(&mut body, identifiers, &identifier);
        }
        put_bytes(&mut out, if self.is_profile { 2 } else { 1 }, &body);
        out
    }
}

impl TestFrame {
    /// Encodes the raw frame; the person of a split is the one that the resolver returns.
    pub fn encode_for(&self, resolver: &Resolver) -> Vec<u8> {
        let Some(split) = &self.split else { return self.encode() };
        let identifiers = split.identifiers.clone();
        let (namespace, value) = &identifiers[0];
        let decision = encode(&Decision {
            kind: Kind::Split {
                person: resolver.resolve((namespace, value)),
                identifiers,
            },
            by: "zoe".into(),
            why: "two people".into(),
            key: split.key.clone(),
            contents: 0,
        });
        RawFrame {
            received_at_ms: self.received_at_ms,
            decision: Some(&decision),
            ..RawFrame::default()
        }
        .encode()
    }

    /// Encodes the raw frame of the records.
    pub fn encode(&self) -> Vec<u8> {
        let records: Vec<Vec<u8>> = self.records.iter().map(TestRecord::encode).collect();
        let records = records.iter().map(Vec::as_slice).collect();
        RawFrame {
            received_at_ms: self.received_at_ms,
            records,
            ..RawFrame::default()
        }
        .encode()
    }
}

/// Folds frames from the offset of the resolver on; returns the resolved frames.
pub fn fold(resolver: &Resolver, frames: &[TestFrame]) -> Vec<Vec<u8>> {
    frames
        .iter()
        .map(|frame| resolver.fold(resolver.offset(), &frame.encode_for(resolver)).unwrap())
        .collect()
}

/// Folds a decision; returns the numbered changes.
pub fn decide(resolver: &Resolver, decision: &Decision) -> Vec<(u64, Change)> {
    let decision = encode(decision);
    let frame = RawFrame {
        received_at_ms: resolver.received_at_ms(),
        decision: Some(&decision),
        ..RawFrame::default()
    };
    let resolved = resolver.fold(resolver.offset(), &frame.encode()).unwrap();
    let changes = ResolvedFrame::decode(&resolved).unwrap().changes;
    changes
        .into_iter()
        .map(|change| (change.sequence, change.change))
        .collect()
}

/// Folds one frame of records that arrive at once; returns the person of each.
pub fn fold_one(resolver: &Resolver, received_at_ms: i64, records: &[TestRecord]) -> Vec<u64> {
    let frame = TestFrame {
        received_at_ms,
        records: records.to_vec(),
        split: None,
    };
    let resolved = fold(resolver, &[frame]);
    ResolvedFrame::decode(&resolved[0]).unwrap().persons
}

/// Returns a policy whose limits are low enough for small worlds to reach them.
pub fn low_limits() -> Policy {
    let mut policy = Policy {
        cluster_cap: 7,
        ..Policy::default()
    };
    let limits = [("phone", 2), ("card", 2), ("openid:", 1), ("meituan:", 3)];
    for (namespace, limit) in limits {
        policy.rules.retain(|rule: &Rule| rule.namespace != namespace);
        let priority = Policy::default().rule(&format!("{namespace}x")).priority;
        let priority = if namespace.ends_with(':') {
            priority
        } else {
            Policy::default().rule(namespace).priority
        };
        policy.rules.push(Rule {
            namespace: namespace.into(),
            priority,
            limit,
            glues: true,
        });
    }
    policy
}

/// Draws an identifier, sometimes with spaces around it or with a placeholder as its value.
fn key() -> impl Strategy<Value = Key> {
    let namespaces = [
        "member",
        "unionid",
        "phone",
        "card",
        "openid:a",
        "openid:b",
        "meituan:s",
        "email",
        "device",
        "cookie",
        "other",
    ];
    (prop::sample::select(namespaces.to_vec()), 1..8u32, 0..30u32).prop_map(|(namespace, n, form)| {
        let value = match (form, namespace) {
            (0, _) => "null".into(),
            (1, _) => format!(" {n}"),
            (_, "phone") => format!("139 1234-567{n}"),
            (_, "email") => format!("U{n}@shop.cn"),
            _ => n.to_string(),
        };
        (namespace.to_owned(), value)
    })
}

/// Draws a record without an id.
fn record() -> impl Strategy<Value = TestRecord> {
    let time = prop::option::of(0..100 * DAY);
    (time, any::<bool>(), prop::collection::vec(key(), 0..5)).prop_map(|(at_ms, is_profile, identifiers)| TestRecord {
        id: String::new(),
        at_ms,
        is_profile,
        identifiers,
    })
}

/// Returns frames in order of arrival; each record has a unique id.
pub fn world() -> impl Strategy<Value = Vec<TestFrame>> {
    let records = prop::collection::vec(record(), 0..6);
    prop::collection::vec((0..25 * DAY, records), 1..14).prop_map(|frames| {
        let (mut now, mut next) = (0, 0);
        let mut number = |mut record: TestRecord| {
            next += 1;
            record.id = format!("r{next}");
            record
        };
        let frame = |(gap, records): (i64, Vec<TestRecord>)| {
            now += gap;
            TestFrame {
                received_at_ms: now,
                records: records.into_iter().map(&mut number).collect(),
                split: None,
            }
        };
        frames.into_iter().map(frame).collect()
    })
}

/// Like `world`, with splits between the frames; some splits are void or repeated.
pub fn world_with_splits() -> impl Strategy<Value = Vec<TestFrame>> {
    let known = (any::<prop::sample::Index>(), 0u32..3);
    let split = (
        any::<prop::sample::Index>(),
        prop::collection::vec(known, 1..4),
        prop::option::weighted(0.1, key()),
        0..9u32,
    );
    (world(), prop::collection::vec(split, 0..8)).prop_map(|(mut world, splits)| {
        for (position, picked, unrelated, number) in splits {
            let at = position.index(world.len() + 1);
            let earlier: Vec<&TestRecord> = world[..at]
                .iter()
                .flat_map(|frame| &frame.records)
                .filter(|record| !record.identifiers.is_empty())
                .collect();
            if earlier.is_empty() {
                continue;
            }
            // Most identifiers are of one record or its neighbours, so that they often belong to one person.
            let near = picked[0].0.index(earlier.len());
            let pick = |(index, far): (prop::sample::Index, u32)| {
                let record = earlier[(near + far as usize / 2).min(earlier.len() - 1)];
                record.identifiers[index.index(record.identifiers.len())].clone()
            };
            let decision = TestSplit {
                key: format!("k{number}"),
                identifiers: picked.into_iter().map(pick).chain(unrelated).collect(),
            };
            let received_at_ms = world[at.max(1) - 1].received_at_ms;
            world.insert(
                at,
                TestFrame {
                    received_at_ms,
                    split: Some(decision),
                    ..TestFrame::default()
                },
            );
        }
        world
    })
}
