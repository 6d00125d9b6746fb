//! Carries out decisions, and says what came of them.

use super::split::Refusal;
use super::{Carried, Decided, Outcome};
use crate::identity::graph::{Arrival, Graph, Sighted};
use crate::identity::violations::Reason;
use crate::proto::decision::{Decision, Kind, borrow};
use crate::proto::frame::Change;

impl Graph {
    /// Does what was decided and adds to `changes`. One whose key was decided before changes nothing. `nodes`: of its identifiers, as
    /// `Sighted` has them.
    pub fn carry_out(&mut self, decision: &Decision, nodes: &[u32], arrival: Arrival, changes: &mut Vec<Change>) {
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
        self.decisions.push(Decided {
            key: decision.key.as_str().into(),
            by: decision.by.as_str().into(),
            why: decision.why.as_str().into(),
            contents: decision.contents,
            raw_offset: arrival.raw_offset,
            at_ms: arrival.received_at_ms,
            outcome: outcome.unwrap_or(Outcome::Void),
        });
    }

    /// Why a decision would change nothing now.
    pub fn refusal(&self, decision: &Decision) -> Option<Refusal> {
        match &decision.kind {
            Kind::Split { person, identifiers } => self.fragments(*person, &borrow(identifiers), &[]).err(),
            Kind::Erase { person } => self.there(*person).err(),
        }
    }

    /// What came of a decision, if its key was decided.
    pub fn outcome(&self, decision: &Decision) -> Option<Carried> {
        let decided = self.decisions.with_key(&decision.key)?;
        let id = |person: u32| self.persons.get(person).id;
        Some(match &decided.outcome {
            _ if decided.contents != decision.contents => Carried::Conflict,
            Outcome::Void => Carried::Void,
            Outcome::Split(parting) => Carried::Split {
                from: id(parting.from),
                to: id(parting.to),
                raw_offset: decided.raw_offset + 1,
            },
            Outcome::Erased { .. } => Carried::Erased,
        })
    }

    fn note_void(&mut self, decision: &Decision, arrival: Arrival) {
        let record = Sighted {
            source: &decision.by,
            id: &decision.key,
            at_ms: arrival.received_at_ms,
            identifiers: &[],
            nodes: &[],
        };
        self.violate(&record, arrival, Reason::VoidDecision, "", "");
    }

    fn erase(&mut self, id: u64, arrival: Arrival, changes: &mut Vec<Change>) -> Result<Outcome, Refusal> {
        let person = self.there(id)?;
        self.forget(person, arrival.raw_offset, arrival.received_at_ms);
        changes.push(Change::Erased {
            person: self.persons.get(person).id,
        });
        Ok(Outcome::Erased { person })
    }

    /// A person that something can be decided of; of an alias the whole person.
    pub fn there(&self, id: u64) -> Result<u32, Refusal> {
        let person = self.persons.with_id(id).ok_or(Refusal::UnknownPerson)?;
        let person = self.persons.root(person);
        let erased = Outcome::Erased { person };
        match self.decisions.all().iter().any(|decided| decided.outcome == erased) {
            true => Err(Refusal::UnknownPerson),
            false => Ok(person),
        }
    }
}
