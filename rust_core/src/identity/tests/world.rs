//! Small random worlds and their frames.

use proptest::prelude::*;

use crate::identity::{Policy, Resolver, Rule};
use crate::proto::decision::tests::encode;
use crate::proto::decision::{Decision, Kind};
use crate::proto::frame::{Change, RawFrame, ResolvedFrame};
use crate::proto::wire::{put_bytes, put_number, put_text};

pub const DAY: i64 = 86_400_000;

pub type Key = (String, String);

#[derive(Clone, Debug, Default)]
pub struct Deed {
    pub id: String,
    pub at_ms: Option<i64>,
    pub profile: bool,
    pub identifiers: Vec<Key>,
}

#[derive(Clone, Debug, Default)]
pub struct Delivery {
    pub received_at_ms: i64,
    pub deeds: Vec<Deed>,
    /// A split instead of records: these identifiers leave the person of the first one.
    pub split: Option<Leaving>,
}

#[derive(Clone, Debug)]
pub struct Leaving {
    pub key: String,
    pub identifiers: Vec<Key>,
}

impl Deed {
    pub fn of(id: &str, identifiers: &[(&str, &str)]) -> Deed {
        let identifiers = identifiers
            .iter()
            .map(|&(name, value)| (name.into(), value.into()))
            .collect();
        Deed {
            id: id.into(),
            identifiers,
            ..Deed::default()
        }
    }

    /// Encodes the record.
    pub fn encode(&self) -> Vec<u8> {
        let (time, identifiers) = if self.profile { (3, 4) } else { (4, 5) };
        let (mut out, mut body) = (Vec::new(), Vec::new());
        put_text(&mut body, 1, "pos");
        put_text(&mut body, 2, &self.id);
        if !self.profile {
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
        put_bytes(&mut out, if self.profile { 2 } else { 1 }, &body);
        out
    }
}

impl Delivery {
    /// Encodes the raw frame; a split names the person that the resolver returns.
    pub fn seen_by(&self, resolver: &Resolver) -> Vec<u8> {
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
        let records: Vec<Vec<u8>> = self.deeds.iter().map(Deed::encode).collect();
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
pub fn fold(resolver: &Resolver, deliveries: &[Delivery]) -> Vec<Vec<u8>> {
    deliveries
        .iter()
        .map(|delivery| resolver.fold(resolver.offset(), &delivery.seen_by(resolver)).unwrap())
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
pub fn fold_one(resolver: &Resolver, received_at_ms: i64, deeds: &[Deed]) -> Vec<u64> {
    let delivery = Delivery {
        received_at_ms,
        deeds: deeds.to_vec(),
        split: None,
    };
    let resolved = fold(resolver, &[delivery]);
    ResolvedFrame::decode(&resolved[0]).unwrap().persons
}

/// A policy with limits that small worlds reach.
pub fn tight() -> Policy {
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
    (prop::sample::select(namespaces.to_vec()), 1..8u32, 0..30u32).prop_map(|(namespace, n, odd)| {
        let value = match (odd, namespace) {
            (0, _) => "null".into(),
            (1, _) => format!(" {n}"),
            (_, "phone") => format!("139 1234-567{n}"),
            (_, "email") => format!("U{n}@shop.cn"),
            _ => n.to_string(),
        };
        (namespace.to_owned(), value)
    })
}

fn deed() -> impl Strategy<Value = Deed> {
    let time = prop::option::of(0..100 * DAY);
    (time, any::<bool>(), prop::collection::vec(key(), 0..5)).prop_map(|(at_ms, profile, identifiers)| Deed {
        id: String::new(),
        at_ms,
        profile,
        identifiers,
    })
}

/// Returns frames in order of arrival; each record has a unique id.
pub fn world() -> impl Strategy<Value = Vec<Delivery>> {
    let deeds = prop::collection::vec(deed(), 0..6);
    prop::collection::vec((0..25 * DAY, deeds), 1..14).prop_map(|frames| {
        let (mut now, mut next) = (0, 0);
        let mut number = |mut deed: Deed| {
            next += 1;
            deed.id = format!("r{next}");
            deed
        };
        let frame = |(gap, deeds): (i64, Vec<Deed>)| {
            now += gap;
            Delivery {
                received_at_ms: now,
                deeds: deeds.into_iter().map(&mut number).collect(),
                split: None,
            }
        };
        frames.into_iter().map(frame).collect()
    })
}

/// Like `deliveries`, with splits between the frames. Some do not fit or are repeated.
pub fn world_with_splits() -> impl Strategy<Value = Vec<Delivery>> {
    let known = (any::<prop::sample::Index>(), 0u32..3);
    let split = (
        any::<prop::sample::Index>(),
        prop::collection::vec(known, 1..4),
        prop::option::weighted(0.1, key()),
        0..9u32,
    );
    (world(), prop::collection::vec(split, 0..8)).prop_map(|(mut world, splits)| {
        for (place, picked, stranger, number) in splits {
            let at = place.index(world.len() + 1);
            let seen: Vec<&Deed> = world[..at]
                .iter()
                .flat_map(|delivery| &delivery.deeds)
                .filter(|deed| !deed.identifiers.is_empty())
                .collect();
            if seen.is_empty() {
                continue;
            }
            // Mostly identifiers of one record or its neighbours, so that they often belong to one person.
            let near = picked[0].0.index(seen.len());
            let pick = |(index, far): (prop::sample::Index, u32)| {
                let deed = seen[(near + far as usize / 2).min(seen.len() - 1)];
                deed.identifiers[index.index(deed.identifiers.len())].clone()
            };
            let split = Leaving {
                key: format!("k{number}"),
                identifiers: picked.into_iter().map(pick).chain(stranger).collect(),
            };
            let received_at_ms = world[at.max(1) - 1].received_at_ms;
            world.insert(
                at,
                Delivery {
                    received_at_ms,
                    split: Some(split),
                    ..Delivery::default()
                },
            );
        }
        world
    })
}
