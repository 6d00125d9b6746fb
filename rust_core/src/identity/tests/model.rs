//! A model of identity resolution with plain sets: slow, but simple.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::world::{Key, TestRecord, TestSplit};
use crate::identity::Policy;
use crate::identity::normalise::{ValueKind, normalise};
use crate::identity::violations::Reason;
use crate::proto::frame::{Change, Split};

/// Persons are numbered from 0 in order of creation.
type Person = usize;

/// The stored data of an edge.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelEdge {
    pub first_ms: i64,
    pub last_ms: i64,
    pub count: u32,
    pub glues: bool,
    pub record: String,
}

/// The state of identity resolution after some frames.
pub struct Model {
    policy: Policy,
    /// The normalised identifiers in order of arrival.
    pub known: Vec<Key>,
    /// The members of each person ever created; empty after a merge.
    pub members: Vec<BTreeSet<Key>>,
    /// The person into which each merged person was merged.
    pub winner: HashMap<Person, Person>,
    /// The person that first owned each identifier, or owns it after a split.
    first_owner: HashMap<Key, Person>,
    /// The strongest identifier of the last sign-in on each device.
    pub sign_ins: HashMap<Key, (Key, i64)>,
    /// Pairs that a split keeps apart.
    pub separated: BTreeSet<(Key, Key)>,
    /// The keys of all decisions.
    decision_keys: BTreeSet<String>,
    pub edges: BTreeMap<(Key, Key), ModelEdge>,
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
            first_owner: HashMap::new(),
            separated: BTreeSet::new(),
            decision_keys: BTreeSet::new(),
            sign_ins: HashMap::new(),
            edges: BTreeMap::new(),
            changes: Vec::new(),
            violations: Vec::new(),
        }
    }

    /// Follows merges to the person that exists now.
    pub fn current(&self, person: Person) -> Person {
        self.winner.get(&person).map_or(person, |&winner| self.current(winner))
    }

    pub fn owner(&self, key: &Key) -> Option<Person> {
        self.members.iter().position(|members| members.contains(key))
    }

    /// Returns the position of an identifier in order of arrival.
    fn rank(&self, key: &Key) -> Option<usize> {
        self.known.iter().position(|known| known == key)
    }

    /// Applies a record; returns the identifier that attributes it to its person.
    pub fn apply(&mut self, record: &TestRecord, received_at_ms: i64) -> Option<Key> {
        let mut keys: Vec<Key> = Vec::new();
        for (namespace, raw) in &record.identifiers {
            match normalise(ValueKind::of(namespace), raw, &self.policy.country) {
                Some(value) => {
                    let key = (namespace.clone(), value.into_owned());
                    if !self.known.contains(&key) {
                        self.known.push(key.clone());
                    }
                    if !keys.contains(&key) {
                        keys.push(key);
                    }
                }
                None => self.violations.push((
                    Reason::RefusedValue,
                    (namespace.clone(), raw.clone()),
                    record.id.clone(),
                )),
            }
        }
        keys.sort_by_key(|(namespace, _)| {
            let rule = self.policy.rule(namespace);
            (!rule.glues, rule.priority)
        });
        let glues = |key: &Key| self.policy.rule(&key.0).glues;
        let (gluing, devices): (Vec<Key>, Vec<Key>) = keys.iter().cloned().partition(glues);
        let mut glued = Vec::new();
        let attributed_to = if gluing.is_empty() {
            self.attribute(&devices, received_at_ms)
        } else {
            glued = self.admit(&gluing, record);
            self.merge(&glued);
            for device in devices {
                self.sign_ins.insert(device, (gluing[0].clone(), received_at_ms));
            }
            Some(gluing[0].clone())
        };
        for other in keys.iter().skip(1) {
            let is_named = [&keys[0], other]
                .into_iter()
                .any(|end| attributed_to.as_ref() == Some(end));
            let record_id = if is_named { &record.id[..] } else { "" };
            let at = record.at_ms.unwrap_or(received_at_ms);
            self.observe_edge(&keys[0], other, record_id, at, glued.contains(other));
        }
        attributed_to
    }

    /// Returns the identifiers of the persons that would merge.
    fn union(&self, keys: &[Key]) -> BTreeSet<Key> {
        let of = |key: &Key| {
            self.owner(key)
                .map_or_else(|| [key.clone()].into(), |person| self.members[person].clone())
        };
        keys.iter().flat_map(of).collect()
    }

    /// Returns the gluing identifiers that can belong to one person; records a violation for each other one.
    fn admit(&mut self, gluing: &[Key], record: &TestRecord) -> Vec<Key> {
        let mut kept: Vec<Key> = Vec::new();
        for key in gluing {
            let with = [kept.as_slice(), std::slice::from_ref(key)].concat();
            let union = self.union(&with);
            let count = |namespace: &String| union.iter().filter(|(name, _)| name == namespace).count();
            let reason = if kept.is_empty() || union == self.union(&kept) {
                None
            } else if union.len() > self.policy.cluster_cap as usize {
                Some(Reason::ClusterCap)
            } else if self
                .separated
                .iter()
                .any(|(a, b)| union.contains(a) && union.contains(b))
            {
                Some(Reason::KeptApart)
            } else {
                let over = union
                    .iter()
                    .any(|(name, _)| count(name) > self.policy.rule(name).limit as usize);
                over.then_some(Reason::LimitExceeded)
            };
            match reason {
                None => kept = with,
                Some(reason) => self.violations.push((reason, key.clone(), record.id.clone())),
            }
        }
        kept
    }

    /// Merges the persons of these identifiers into the oldest one, or creates a person.
    fn merge(&mut self, kept: &[Key]) {
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
        for key in &all {
            self.first_owner.entry(key.clone()).or_insert(winner);
        }
        self.members[winner].extend(all);
    }

    /// Splits the listed identifiers off, unless one belongs to another person or none would be left.
    pub fn split(&mut self, split: &TestSplit, person: Option<Person>, at_ms: i64) {
        if !self.decision_keys.insert(split.key.clone()) {
            return;
        }
        let Some((person, listed)) = person.and_then(|person| self.split_identifiers(split, person)) else {
            self.violations
                .push((Reason::VoidDecision, Key::default(), split.key.clone()));
            return;
        };
        let rest: BTreeSet<Key> = self.members[person].difference(&listed).cloned().collect();
        let earliest = |keys: &BTreeSet<Key>| keys.iter().map(|key| self.rank(key)).min();
        let (kept, leaving) = match earliest(&listed) < earliest(&rest) {
            true => (listed, rest),
            false => (rest, listed),
        };
        let first_of = |former: Person, keys: &BTreeSet<Key>| {
            let own = keys.iter().filter(|key| self.first_owner[*key] == former);
            own.map(|key| self.rank(key)).min()
        };
        let former_persons: BTreeSet<Person> = self.members[person].iter().map(|key| self.first_owner[key]).collect();
        let is_leaving = |former: Person| match (first_of(former, &kept), first_of(former, &leaving)) {
            (Some(one), Some(other)) => other < one,
            (one, _) => one.is_none(),
        };
        let mut moved: Vec<Person> = former_persons
            .iter()
            .copied()
            .filter(|&former| is_leaving(former))
            .collect();
        let owns = |former: &Person| first_of(*former, &leaving) == earliest(&leaving);
        let revived = moved.iter().copied().find(owns);
        let to = revived.unwrap_or_else(|| self.create());
        moved.retain(|&former| former != to);
        for former in former_persons {
            let home = if former == to || moved.contains(&former) {
                to
            } else {
                person
            };
            self.winner.remove(&former);
            if former != home {
                self.winner.insert(former, home);
            }
        }
        let homes: Vec<(Key, Person)> = kept
            .iter()
            .map(|key| (key.clone(), person))
            .chain(leaving.iter().map(|key| (key.clone(), to)))
            .collect();
        for (key, home) in homes {
            if self.current(self.first_owner[&key]) != home {
                self.first_owner.insert(key, home);
            }
        }
        for one in &kept {
            for other in &leaving {
                self.separated.insert((one.clone(), other.clone()));
            }
        }
        let mut nodes: Vec<u32> = leaving.iter().map(|key| self.rank(key).unwrap() as u32 + 1).collect();
        nodes.sort_unstable();
        self.changes.push(Change::Split(Split {
            from: person as u64,
            to: to as u64,
            nodes,
            aliases: moved.iter().map(|&alias| alias as u64).collect(),
        }));
        self.unglue_edges(&kept, &leaving, &split.key, at_ms);
        (self.members[person], self.members[to]) = (kept, leaving);
    }

    /// Returns the person and the normalised identifiers of a split; `None` if the split is void.
    fn split_identifiers(&self, split: &TestSplit, person: Person) -> Option<(Person, BTreeSet<Key>)> {
        let person = self.current(person);
        let mut listed = BTreeSet::new();
        for (namespace, raw) in &split.identifiers {
            let value = normalise(ValueKind::of(namespace), raw, &self.policy.country)?;
            listed.insert((namespace.clone(), value.into_owned()));
        }
        let fits = listed.is_subset(&self.members[person]) && listed.len() < self.members[person].len();
        fits.then_some((person, listed))
    }

    /// Attributes a record that has only devices: to the last sign-in on one of them, to a known device, or to a new person.
    fn attribute(&mut self, devices: &[Key], now_ms: i64) -> Option<Key> {
        let is_fresh = |(_, at_ms): &&(Key, i64)| now_ms - at_ms <= 30 * super::world::DAY;
        let signed_in = devices
            .iter()
            .find_map(|device| self.sign_ins.get(device).filter(is_fresh));
        let own = devices.iter().find(|device| self.owner(device).is_some());
        if let Some(key) = signed_in.map(|(key, _)| key).or(own) {
            return Some(key.clone());
        }
        let strongest = devices.first()?.clone();
        let person = self.create();
        self.first_owner.insert(strongest.clone(), person);
        self.members[person].insert(strongest.clone());
        Some(strongest)
    }

    fn create(&mut self) -> Person {
        self.members.push(BTreeSet::new());
        self.changes.push(Change::Created {
            person: self.members.len() as u64 - 1,
        });
        self.members.len() - 1
    }

    /// Adds an observation of an edge.
    fn observe_edge(&mut self, one: &Key, other: &Key, record: &str, at: i64, glues: bool) {
        let ends = if one < other {
            (one.clone(), other.clone())
        } else {
            (other.clone(), one.clone())
        };
        let first = ModelEdge {
            first_ms: at,
            last_ms: at,
            count: 0,
            glues,
            record: record.to_owned(),
        };
        let seen = self.edges.entry(ends).or_insert(first);
        seen.first_ms = seen.first_ms.min(at);
        seen.last_ms = seen.last_ms.max(at);
        seen.count += 1;
        seen.glues |= glues;
    }

    /// Unglues the edges between the two parts of a split; the decision connects what other edges do not.
    fn unglue_edges(&mut self, kept: &BTreeSet<Key>, leaving: &BTreeSet<Key>, decision: &str, at_ms: i64) {
        for ((a, b), seen) in &mut self.edges {
            let is_between = |one: &Key, other: &Key| kept.contains(one) && leaving.contains(other);
            seen.glues &= !is_between(a, b) && !is_between(b, a);
        }
        for fragment in [kept, leaving] {
            let mut keys: Vec<Key> = fragment.iter().cloned().collect();
            keys.sort_by_key(|key| self.rank(key));
            let mut reached: BTreeSet<Key> = BTreeSet::new();
            for key in &keys {
                if reached.contains(key) {
                    continue;
                }
                if *key != keys[0] {
                    let first = ModelEdge {
                        first_ms: at_ms,
                        last_ms: at_ms,
                        count: 0,
                        glues: true,
                        record: decision.to_owned(),
                    };
                    let ends = if keys[0] < *key {
                        (keys[0].clone(), key.clone())
                    } else {
                        (key.clone(), keys[0].clone())
                    };
                    self.edges.entry(ends).or_insert(first).glues = true;
                }
                reached.insert(key.clone());
                while let Some(next) = self.next_connected(&reached) {
                    reached.insert(next);
                }
            }
        }
    }

    /// Returns a key that a gluing edge connects with these keys.
    fn next_connected(&self, reached: &BTreeSet<Key>) -> Option<Key> {
        let gluing = self.edges.iter().filter(|(_, seen)| seen.glues).map(|(ends, _)| ends);
        let mut neighbours = gluing.filter_map(|(a, b)| match (reached.contains(a), reached.contains(b)) {
            (true, false) => Some(b),
            (false, true) => Some(a),
            _ => None,
        });
        neighbours.next().cloned()
    }
}
