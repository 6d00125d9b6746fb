//! Decodes a state. Each number is checked before it is used.

use std::collections::VecDeque;

use crate::identity::decisions::erasure::{Erasure, ForgottenIdentifier};
use crate::identity::decisions::{Outcome, RecordedDecision, SplitResult};
use crate::identity::graph::edges::Observation;
use crate::identity::graph::nodes::NONE;
use crate::identity::graph::{Graph, SignIn};
use crate::identity::policy::Policy;
use crate::identity::state::State;
use crate::identity::violations::{KEPT, Reason, Violation, Violations};
use crate::storage::varints::{Cursor, Decoded};

pub fn read_state(cursor: &mut Cursor, policy: &Policy, capacity: u32) -> Decoded<State> {
    let (offset, received_at_ms) = (cursor.number()?, cursor.number()? as i64);
    let sequence = cursor.number()?;
    if offset == u64::MAX || sequence > u64::MAX / 2 {
        return Err("the offset is out of range");
    }
    let mut graph = Graph::new(policy.clone(), capacity);
    for code in 0..cursor.small()? {
        if graph.namespaces.intern(cursor.text()?, policy) != code {
            return Err("a namespace occurs twice");
        }
    }
    for code in 0..cursor.small()? {
        if graph.sources.intern(cursor.text()?) != code {
            return Err("a source occurs twice");
        }
    }
    read_persons(cursor, &mut graph)?;
    read_nodes(cursor, &mut graph, offset)?;
    read_edges(cursor, &mut graph, offset)?;
    read_sign_ins(cursor, &mut graph)?;
    read_violations(cursor, &mut graph)?;
    read_decisions(cursor, &mut graph)?;
    read_erasures(cursor, &mut graph)?;
    Ok(State {
        graph,
        offset,
        received_at_ms,
        sequence,
    })
}

fn read_persons(cursor: &mut Cursor, graph: &mut Graph) -> Decoded<()> {
    let count = cursor.small()?;
    let mut roots = Vec::new();
    for _ in 0..count {
        roots.push(cursor.index(count as usize)?);
        graph.persons.create();
    }
    for (person, &root) in roots.iter().enumerate() {
        if roots[root as usize] != root {
            return Err("an alias of an alias");
        }
        if root as usize != person {
            graph.persons.redirect(person as u32, root);
        }
    }
    Ok(())
}

fn read_nodes(cursor: &mut Cursor, graph: &mut Graph, end: u64) -> Decoded<()> {
    let mut newest = 0;
    for index in 0..cursor.small()? {
        let namespace = cursor.index(graph.namespaces.names.texts().len())?;
        let person = cursor.index(graph.persons.len() + 1)?.wrapping_sub(1);
        let origin = cursor.number()?;
        if origin < newest || origin >= end {
            return Err("identifiers out of order");
        }
        newest = origin;
        let value = cursor.text()?;
        let added = match value {
            // The identifier belongs to an erased person.
            "" => graph.nodes.get_or_add_forgotten(index, namespace, origin),
            value => {
                let hash = graph.nodes.hash(namespace, value);
                Some(graph.nodes.find_or_add(hash, namespace, value, origin))
            }
        };
        if added != Some(index) {
            return Err("an identifier occurs twice");
        }
        if person != NONE {
            graph.nodes.get_mut(index).person = person;
            graph.append(graph.persons.root(person), index, index, 1, index);
        }
    }
    Ok(())
}

fn read_edges(cursor: &mut Cursor, graph: &mut Graph, end: u64) -> Decoded<()> {
    let mut newest = 0;
    for _ in 0..cursor.small()? {
        let b_end = graph.nodes.len();
        let (a, b) = (cursor.index(b_end)?, cursor.index(b_end)?);
        let source = cursor.index(graph.sources.texts().len())?;
        let (count, glues) = (cursor.small()?, cursor.index(2)? == 1);
        let (first_ms, last_ms) = (cursor.number()? as i64, cursor.number()? as i64);
        let raw_offset = cursor.number()?;
        let record_id = cursor.text()?;
        let observation = Observation {
            source,
            record_id,
            first_ms,
            last_ms,
            count,
            glues,
            raw_offset,
        };
        if a >= b
            || raw_offset < newest
            || raw_offset >= end
            || !graph.edges.observe(&mut graph.nodes, a, b, &observation)
        {
            return Err("edges out of order");
        }
        newest = raw_offset;
    }
    Ok(())
}

fn read_sign_ins(cursor: &mut Cursor, graph: &mut Graph) -> Decoded<()> {
    for _ in 0..cursor.small()? {
        let device = cursor.index(graph.nodes.len())?;
        let node = cursor.index(graph.nodes.len())?;
        if graph.owner(node).is_none() {
            return Err("a sign-in without a person");
        }
        let at_ms = cursor.number()? as i64;
        graph.sign_ins.insert(device, SignIn { node, at_ms });
    }
    Ok(())
}

fn read_violations(cursor: &mut Cursor, graph: &mut Graph) -> Decoded<()> {
    let (total, count) = (cursor.number()?, cursor.number()?);
    if count > total || count > KEPT as u64 || total == u64::MAX {
        return Err("too many violations");
    }
    let mut kept = VecDeque::new();
    for _ in 0..count {
        let raw_offset = cursor.number()?;
        let reason = Reason::ALL[cursor.index(Reason::ALL.len())? as usize];
        let [namespace, value, source, record_id] =
            [cursor.text()?, cursor.text()?, cursor.text()?, cursor.text()?].map(Box::from);
        let node = cursor.index(graph.nodes.len() + 1)?.wrapping_sub(1);
        kept.push_back(Violation {
            raw_offset,
            reason,
            namespace,
            value,
            source,
            record_id,
            node,
        });
    }
    graph.violations = Violations::restore(kept, total);
    Ok(())
}

fn read_decisions(cursor: &mut Cursor, graph: &mut Graph) -> Decoded<()> {
    for _ in 0..cursor.number()? {
        let [key, by, why] = [cursor.text()?, cursor.text()?, cursor.text()?].map(Box::from);
        if graph.decisions.with_key(&key).is_some() {
            return Err("a decision occurs twice");
        }
        let contents = cursor.number()?;
        let (raw_offset, at_ms) = (cursor.number()?, cursor.number()? as i64);
        let outcome = read_outcome(cursor, graph)?;
        graph.decisions.push(RecordedDecision {
            key,
            by,
            why,
            contents,
            raw_offset,
            at_ms,
            outcome,
        });
    }
    Ok(())
}

fn read_outcome(cursor: &mut Cursor, graph: &Graph) -> Decoded<Outcome> {
    let (persons, nodes) = (graph.persons.len(), graph.nodes.len());
    let members =
        |cursor: &mut Cursor| -> Decoded<Vec<u32>> { (0..cursor.small()?).map(|_| cursor.index(nodes)).collect() };
    match cursor.number()? {
        0 => Ok(Outcome::Void),
        1 => Ok(Outcome::Erased {
            person: cursor.index(persons)?,
        }),
        2 => Ok(Outcome::Split(SplitResult {
            from: cursor.index(persons)?,
            to: cursor.index(persons)?,
            kept: members(cursor)?,
            moved: members(cursor)?,
        })),
        _ => Err("a decision of an unknown kind"),
    }
}

fn read_erasures(cursor: &mut Cursor, graph: &mut Graph) -> Decoded<()> {
    for _ in 0..cursor.number()? {
        let (raw_offset, at_ms) = (cursor.number()?, cursor.number()? as i64);
        let mut forgotten = Vec::new();
        for _ in 0..cursor.number()? {
            let node = cursor.index(graph.nodes.len())?;
            let value = cursor.text()?.into();
            forgotten.push(ForgottenIdentifier { node, value });
        }
        graph.erasures.push(Erasure {
            raw_offset,
            at_ms,
            forgotten,
        });
    }
    Ok(())
}
