//! Encodes a state.

use std::io;

use crate::identity::decisions::Outcome;
use crate::identity::graph::Graph;
use crate::identity::state::State;
use crate::storage::varints::Writer;

pub fn write_state(out: &mut Writer, state: &State) -> io::Result<()> {
    let graph = &state.graph;
    out.number(state.offset);
    out.number(state.received_at_ms as u64);
    out.number(state.sequence);
    out.texts(graph.namespaces.names.texts());
    out.texts(graph.sources.texts());
    write_persons_and_nodes(out, graph)?;
    write_edges(out, graph)?;
    write_sign_ins(out, graph)?;
    write_violations(out, graph)?;
    write_decisions(out, graph)?;
    write_erasures(out, graph)
}

fn write_persons_and_nodes(out: &mut Writer, graph: &Graph) -> io::Result<()> {
    out.number(graph.persons.len() as u64);
    for person in 0..graph.persons.len() as u32 {
        out.number(graph.persons.root(person).into());
        out.spill()?;
    }
    out.number(graph.nodes.len() as u64);
    for index in 0..graph.nodes.len() as u32 {
        let node = graph.nodes.get(index);
        out.number(node.namespace.into());
        out.number(node.person.wrapping_add(1).into());
        out.number(graph.nodes.origin(index));
        out.text(graph.nodes.value(index));
        out.spill()?;
    }
    Ok(())
}

fn write_edges(out: &mut Writer, graph: &Graph) -> io::Result<()> {
    out.number(graph.edges.len() as u64);
    for index in 0..graph.edges.len() as u32 {
        let edge = graph.edges.get(index);
        for number in [edge.a, edge.b, edge.source, edge.count(), edge.glues().into()] {
            out.number(number.into());
        }
        out.number(edge.first_seen_ms as u64);
        out.number(edge.last_seen_ms as u64);
        out.number(graph.edges.origin(index));
        out.text(graph.edges.record_id(index));
        out.spill()?;
    }
    Ok(())
}

fn write_sign_ins(out: &mut Writer, graph: &Graph) -> io::Result<()> {
    let mut sign_ins: Vec<_> = graph.sign_ins.iter().collect();
    sign_ins.sort_unstable_by_key(|&(&device, _)| device);
    out.number(sign_ins.len() as u64);
    for (&device, sign_in) in sign_ins {
        out.number(device.into());
        out.number(sign_in.node.into());
        out.number(sign_in.at_ms as u64);
        out.spill()?;
    }
    Ok(())
}

fn write_violations(out: &mut Writer, graph: &Graph) -> io::Result<()> {
    out.number(graph.violations.total());
    out.number(graph.violations.kept().len() as u64);
    for violation in graph.violations.kept() {
        out.number(violation.raw_offset);
        out.number(violation.reason as u64);
        for text in [
            &violation.namespace,
            &violation.value,
            &violation.source,
            &violation.record_id,
        ] {
            out.text(text);
        }
        out.number(violation.node.wrapping_add(1).into());
        out.spill()?;
    }
    Ok(())
}

fn write_decisions(out: &mut Writer, graph: &Graph) -> io::Result<()> {
    out.number(graph.decisions.all().len() as u64);
    for decided in graph.decisions.all() {
        for text in [&decided.key, &decided.by, &decided.why] {
            out.text(text);
        }
        out.number(decided.contents);
        out.number(decided.raw_offset);
        out.number(decided.at_ms as u64);
        match &decided.outcome {
            Outcome::Void => out.number(0),
            Outcome::Erased { person } => {
                out.number(1);
                out.number((*person).into());
            }
            Outcome::Split(split) => {
                out.number(2);
                out.number(split.from.into());
                out.number(split.to.into());
                for nodes in [&split.kept, &split.moved] {
                    out.number(nodes.len() as u64);
                    nodes.iter().for_each(|&node| out.number(node.into()));
                }
            }
        }
        out.spill()?;
    }
    Ok(())
}

fn write_erasures(out: &mut Writer, graph: &Graph) -> io::Result<()> {
    out.number(graph.erasures.len() as u64);
    for erasure in &graph.erasures {
        out.number(erasure.raw_offset);
        out.number(erasure.at_ms as u64);
        out.number(erasure.forgotten.len() as u64);
        for forgotten in &erasure.forgotten {
            out.number(forgotten.node.into());
            out.text(&forgotten.value);
        }
        out.spill()?;
    }
    Ok(())
}
