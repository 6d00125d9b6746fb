//! Numbers namespaces and sources: few texts that every identifier and edge uses.

use hashbrown::HashMap;

use crate::identity::normalise::ValueKind;
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

    /// Returns the text of a code that `intern` returned.
    pub fn text(&self, code: u32) -> &str {
        &self.texts[code as usize]
    }

    pub fn texts(&self) -> &[Box<str>] {
        &self.texts
    }
}

/// The policy of one namespace, looked up once.
#[derive(Clone, Copy, Debug)]
pub struct NamespaceRules {
    pub kind: ValueKind,
    pub priority: u32,
    pub limit: u32,
    pub glues: bool,
}

impl NamespaceRules {
    pub fn of(namespace: &str, policy: &Policy) -> NamespaceRules {
        let rule = policy.rule(namespace);
        NamespaceRules {
            kind: ValueKind::of(namespace),
            priority: rule.priority,
            limit: rule.limit,
            glues: rule.glues,
        }
    }
}

/// Numbered namespaces with their rules.
#[derive(Default)]
pub struct Namespaces {
    pub names: Names,
    rules: Vec<NamespaceRules>,
}

impl Namespaces {
    pub fn intern(&mut self, namespace: &str, policy: &Policy) -> u32 {
        let code = self.names.intern(namespace);
        if code as usize == self.rules.len() {
            self.rules.push(NamespaceRules::of(namespace, policy));
        }
        code
    }

    pub fn rules(&self, code: u32) -> NamespaceRules {
        self.rules[code as usize]
    }
}
