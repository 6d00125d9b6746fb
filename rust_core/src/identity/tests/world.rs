//! Small random worlds, and frames made of them.

use proptest::prelude::*;

use crate::decision::Decision;
use crate::decision::tests::encode;
use crate::frame::{Change, RawFrame, ResolvedFrame};
use crate::identity::{Policy, Resolver, Rule};
use crate::wire::{put_bytes, put_number, put_text};

pub const DAY: i64 = 86_400_000;

pub type Key = (String, String);

#[derive(Clone, Debug, Default)]
pub struct Deed {
    pub id: String,
    pub at_ms: Option<i64>,
    pub profile: bool,
    pub identifiers: Vec<Key>,
}

#[derive(Clone, Debug)]
pub struct Delivery {
    pub received_at_ms: i64,
    pub deeds: Vec<Deed>,
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

    /// Record bytes.
    pub fn encode(&self) -> Vec<u8> {
        let (time, identifiers) = if self.profile { (3, 4) } else { (4, 5) };
        let (mut out, mut body) = (Vec::new(), Vec::new());
        put_text(&mut body, 1, "pos");
        put_text(&mut body, 2, &self.id);
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
    /// RawFrame bytes.
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

/// Folds frames from where the resolver stands; what they became.
pub fn fold(resolver: &Resolver, deliveries: &[Delivery]) -> Vec<Vec<u8>> {
    deliveries
        .iter()
        .map(|delivery| resolver.fold(resolver.offset(), &delivery.encode()).unwrap())
        .collect()
}

/// Folds a decision; the changes and their numbers.
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

/// One frame of records that arrive at once; whose each is.
pub fn fold_one(resolver: &Resolver, received_at_ms: i64, deeds: &[Deed]) -> Vec<u64> {
    let delivery = Delivery {
        received_at_ms,
        deeds: deeds.to_vec(),
    };
    let resolved = fold(resolver, &[delivery]);
    ResolvedFrame::decode(&resolved[0]).unwrap().persons
}

/// Limits so low that small worlds run into them.
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

/// Frames in order of arrival; every record has its own id.
pub fn world() -> impl Strategy<Value = Vec<Delivery>> {
    prop::collection::vec((0..25 * DAY, prop::collection::vec(deed(), 0..6)), 1..14).prop_map(|frames| {
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
            }
        };
        frames.into_iter().map(frame).collect()
    })
}
