//! The same rules over plain sets: slow, and plain enough to be believed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::world::{Deed, Key};
use crate::frame::Change;
use crate::identity::Policy;
use crate::identity::normalise::{Kind, normalise};
use crate::identity::violations::Reason;

/// Persons are numbered from 0 in order of creation.
type Person = usize;

#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub first_ms: i64,
    pub last_ms: i64,
    pub count: u32,
    pub glues: bool,
    pub record: String,
}

pub struct Model {
    policy: Policy,
    /// Normalised identifiers in order of arrival.
    pub known: Vec<Key>,
    /// Members of everybody ever created; nobody's after a merge.
    pub members: Vec<BTreeSet<Key>>,
    pub winner: HashMap<Person, Person>,
    pub sign_ins: HashMap<Key, (Person, i64)>,
    pub edges: BTreeMap<(Key, Key), Seen>,
    pub changes: Vec<Change>,
    pub violations: Vec<(Reason, Key, String)>,
}

impl Model {
    pub fn new(policy: Policy) -> Self {
        Model {
            policy,
            known: Vec::new(),
            members: Vec::new(),
            winner: HashMap::new(),
            sign_ins: HashMap::new(),
            edges: BTreeMap::new(),
            changes: Vec::new(),
            violations: Vec::new(),
        }
    }

    pub fn current(&self, person: Person) -> Person {
        self.winner.get(&person).map_or(person, |&winner| self.current(winner))
    }

    pub fn owner(&self, key: &Key) -> Option<Person> {
        self.members.iter().position(|members| members.contains(key))
    }

    fn rank(&self, key: &Key) -> Option<usize> {
        self.known.iter().position(|known| known == key)
    }

    pub fn apply(&mut self, deed: &Deed, received_at_ms: i64) -> Option<Person> {
        let mut keys: Vec<Key> = Vec::new();
        for (namespace, raw) in &deed.identifiers {
            match normalise(Kind::of(namespace), raw, &self.policy.country) {
                Some(value) => {
                    let key = (namespace.clone(), value.into_owned());
                    if !self.known.contains(&key) {
                        self.known.push(key.clone());
                    }
                    if !keys.contains(&key) {
                        keys.push(key);
                    }
                }
                None => self
                    .violations
                    .push((Reason::RefusedValue, (namespace.clone(), raw.clone()), deed.id.clone())),
            }
        }
        keys.sort_by_key(|(namespace, _)| {
            let rule = self.policy.rule(namespace);
            (!rule.glues, rule.priority)
        });
        let glues = |key: &Key| self.policy.rule(&key.0).glues;
        let (gluing, devices): (Vec<Key>, Vec<Key>) = keys.iter().cloned().partition(glues);
        let mut glued = Vec::new();
        let owner = if gluing.is_empty() {
            self.attribute(&devices, received_at_ms)
        } else {
            glued = self.admit(&gluing, deed);
            let person = self.unite(&glued);
            for device in devices {
                self.sign_ins.insert(device, (person, received_at_ms));
            }
            Some(person)
        };
        for other in keys.iter().skip(1) {
            self.see(&keys[0], other, deed, received_at_ms, glued.contains(other));
        }
        owner
    }

    /// Everybody's identifiers who would be one person.
    fn union(&self, keys: &[Key]) -> BTreeSet<Key> {
        let of = |key: &Key| {
            self.owner(key)
                .map_or_else(|| [key.clone()].into(), |person| self.members[person].clone())
        };
        keys.iter().flat_map(of).collect()
    }

    fn admit(&mut self, gluing: &[Key], deed: &Deed) -> Vec<Key> {
        let mut kept: Vec<Key> = Vec::new();
        for key in gluing {
            let with = [kept.as_slice(), std::slice::from_ref(key)].concat();
            let union = self.union(&with);
            let count = |namespace: &String| union.iter().filter(|(name, _)| name == namespace).count();
            let reason = if kept.is_empty() || union == self.union(&kept) {
                None
            } else if union.len() > self.policy.cluster_cap as usize {
                Some(Reason::ClusterCap)
            } else {
                let over = union
                    .iter()
                    .any(|(name, _)| count(name) > self.policy.rule(name).limit as usize);
                over.then_some(Reason::LimitExceeded)
            };
            match reason {
                None => kept = with,
                Some(reason) => self.violations.push((reason, key.clone(), deed.id.clone())),
            }
        }
        kept
    }

    fn unite(&mut self, kept: &[Key]) -> Person {
        let earliest = |person: &Person| self.members[*person].iter().map(|key| self.rank(key)).min();
        let mut persons: Vec<Person> = Vec::new();
        for person in kept.iter().filter_map(|key| self.owner(key)) {
            if !persons.contains(&person) {
                persons.push(person);
            }
        }
        let winner = persons
            .iter()
            .copied()
            .min_by_key(earliest)
            .unwrap_or_else(|| self.create());
        let all = self.union(kept);
        for &loser in persons.iter().filter(|&&person| person != winner) {
            self.members[loser].clear();
            self.winner.insert(loser, winner);
            self.changes.push(Change::Merged {
                winner: winner as u64,
                loser: loser as u64,
            });
        }
        self.members[winner].extend(all);
        winner
    }

    fn attribute(&mut self, devices: &[Key], now_ms: i64) -> Option<Person> {
        let fresh = |&&(person, at_ms): &&(Person, i64)| (now_ms - at_ms <= 30 * super::world::DAY).then_some(person);
        let signed_in = devices
            .iter()
            .find_map(|device| self.sign_ins.get(device).as_ref().and_then(fresh));
        let own = devices.iter().find_map(|device| self.owner(device));
        if let Some(person) = signed_in.or(own) {
            return Some(self.current(person));
        }
        let strongest = devices.first()?.clone();
        let person = self.create();
        self.members[person].insert(strongest);
        Some(person)
    }

    fn create(&mut self) -> Person {
        self.members.push(BTreeSet::new());
        self.changes.push(Change::Created {
            person: self.members.len() as u64 - 1,
        });
        self.members.len() - 1
    }

    fn see(&mut self, one: &Key, other: &Key, deed: &Deed, received_at_ms: i64, glues: bool) {
        let at = deed.at_ms.unwrap_or(received_at_ms);
        let ends = if one < other {
            (one.clone(), other.clone())
        } else {
            (other.clone(), one.clone())
        };
        let first = Seen {
            first_ms: at,
            last_ms: at,
            count: 0,
            glues,
            record: deed.id.clone(),
        };
        let seen = self.edges.entry(ends).or_insert(first);
        seen.first_ms = seen.first_ms.min(at);
        seen.last_ms = seen.last_ms.max(at);
        seen.count += 1;
        seen.glues |= glues;
    }
}
