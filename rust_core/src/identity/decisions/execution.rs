//! Applies decisions to the graph.

use super::split::Refusal;
use super::{DecisionStatus, Outcome, RecordedDecision};
use crate::identity::graph::{FrameArrival, Graph, IdentifiedRecord};
use crate::identity::violations::Reason;
use crate::proto::decision::{Decision, Kind, borrow};
use crate::proto::frame::Change;

impl Graph {
    /// Applies a decision and adds to `changes`. A decision whose key is recorded changes nothing.
    ///
    /// `nodes` are those of its identifiers, as in `IdentifiedRecord`.
    pub fn apply_decision(
        &mut self,
        decision: &Decision,
        nodes: &[u32],
        arrival: FrameArrival,
        changes: &mut Vec<Change>,
    ) {
        if self.decisions.with_key(&decision.key).is_some() {
            return;
        }
        let outcome = match &decision.kind {
            Kind::Split { person, identifiers } => self
                .fragments(*person, &borrow(identifiers), nodes)
                .map(|fragments| Outcome::Split(self.split(fragments, decision, arrival, changes))),
            Kind::Erase { person } => self.erase(*person, arrival, changes),
        };
        if outcome.is_err() {
            self.note_void(decision, arrival);
        }
        self.decisions.push(RecordedDecision {
            key: decision.key.as_str().into(),
            by: decision.by.as_str().into(),
            why: decision.why.as_str().into(),
            contents: decision.contents,
            raw_offset: arrival.raw_offset,
            at_ms: arrival.received_at_ms,
            outcome: outcome.unwrap_or(Outcome::Void),
        });
    }

    /// Returns why a decision would change nothing now.
    pub fn refusal(&self, decision: &Decision) -> Option<Refusal> {
        match &decision.kind {
            Kind::Split { person, identifiers } => self.fragments(*person, &borrow(identifiers), &[]).err(),
            Kind::Erase { person } => self.person_of_decision(*person).err(),
        }
    }

    /// Returns the status of a decision whose key is recorded.
    pub fn outcome(&self, decision: &Decision) -> Option<DecisionStatus> {
        let decided = self.decisions.with_key(&decision.key)?;
        let id = |person: u32| self.persons.get(person).id;
        Some(match &decided.outcome {
            _ if decided.contents != decision.contents => DecisionStatus::Conflict,
            Outcome::Void => DecisionStatus::Void,
            Outcome::Split(split) => DecisionStatus::Split {
                from: id(split.from),
                to: id(split.to),
                raw_offset: decided.raw_offset + 1,
            },
            Outcome::Erased { .. } => DecisionStatus::Erased,
        })
    }

    fn note_void(&mut self, decision: &Decision, arrival: FrameArrival) {
        let record = IdentifiedRecord {
            source: &decision.by,
            id: &decision.key,
            at_ms: arrival.received_at_ms,
            identifiers: &[],
            nodes: &[],
        };
        self.violate(&record, arrival, Reason::VoidDecision, "", "");
    }

    fn erase(&mut self, id: u64, arrival: FrameArrival, changes: &mut Vec<Change>) -> Result<Outcome, Refusal> {
        let person = self.person_of_decision(id)?;
        self.forget_person(person, arrival.raw_offset, arrival.received_at_ms);
        changes.push(Change::Erased {
            person: self.persons.get(person).id,
        });
        Ok(Outcome::Erased { person })
    }

    /// Returns the person that a decision is about; for an alias, its winner. Erased people are unknown.
    pub fn person_of_decision(&self, id: u64) -> Result<u32, Refusal> {
        let person = self.persons.with_id(id).ok_or(Refusal::UnknownPerson)?;
        let person = self.persons.root(person);
        let erased = Outcome::Erased { person };
        match self.decisions.all().iter().any(|decided| decided.outcome == erased) {
            true => Err(Refusal::UnknownPerson),
            false => Ok(person),
        }
    }
}
