//! Namespaces and sources as numbers: few texts, used by every identifier and edge.

use hashbrown::HashMap;

use crate::identity::normalise::Kind;
use crate::identity::policy::Policy;

/// Texts numbered in order of arrival.
#[derive(Default)]
pub struct Names {
    texts: Vec<Box<str>>,
    codes: HashMap<Box<str>, u32>,
}

impl Names {
    pub fn code(&self, text: &str) -> Option<u32> {
        self.codes.get(text).copied()
    }

    pub fn intern(&mut self, text: &str) -> u32 {
        if let Some(code) = self.code(text) {
            return code;
        }
        let code = self.texts.len() as u32;
        self.texts.push(text.into());
        self.codes.insert(text.into(), code);
        code
    }

    /// The text of a code that `intern` gave.
    pub fn text(&self, code: u32) -> &str {
        &self.texts[code as usize]
    }

    pub fn texts(&self) -> &[Box<str>] {
        &self.texts
    }
}

/// What the policy says of a namespace, looked up once.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    pub kind: Kind,
    pub priority: u32,
    pub limit: u32,
    pub glues: bool,
}

impl Terms {
    pub fn of(namespace: &str, policy: &Policy) -> Terms {
        let rule = policy.rule(namespace);
        Terms {
            kind: Kind::of(namespace),
            priority: rule.priority,
            limit: rule.limit,
            glues: rule.glues,
        }
    }
}

#[derive(Default)]
pub struct Namespaces {
    pub names: Names,
    terms: Vec<Terms>,
}

impl Namespaces {
    pub fn intern(&mut self, namespace: &str, policy: &Policy) -> u32 {
        let code = self.names.intern(namespace);
        if code as usize == self.terms.len() {
            self.terms.push(Terms::of(namespace, policy));
        }
        code
    }

    pub fn terms(&self, code: u32) -> Terms {
        self.terms[code as usize]
    }
}
