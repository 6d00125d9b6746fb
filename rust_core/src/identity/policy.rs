//! The identity policy: the strength of each namespace, its limit for each person, and whether it merges persons.

use crate::proto::wire::{put_bytes, put_number, put_text};

/// The rule of one namespace, or of all namespaces with a prefix that ends in `:`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub namespace: String,
    /// A lower number is stronger.
    pub priority: u32,
    /// The most identifiers of one full namespace that a person can have.
    pub limit: u32,
    pub glues: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// An exact name wins over a prefix, a longer prefix over a shorter one.
    pub rules: Vec<Rule>,
    /// The rule of all other namespaces.
    pub other: Rule,
    /// The most identifiers that a person can have.
    pub cluster_cap: u32,
    /// The calling code of phone numbers without one.
    pub country: String,
    /// How long a sign-in on a device attributes later records without a sign-in, in ms.
    pub sign_in_ms: i64,
}

impl Default for Policy {
    fn default() -> Self {
        let rule = |namespace: &str, priority, limit, glues| Rule {
            namespace: namespace.into(),
            priority,
            limit,
            glues,
        };
        let mut rules = vec![
            rule("member", 1, 2, true),
            rule("unionid", 2, 1, true),
            rule("phone", 3, 3, true),
            rule("card", 4, 5, true),
            rule("openid:", 5, 2, true),
        ];
        let platforms = ["meituan:", "eleme:", "jd:", "taobao:", "tmall:", "douyin:", "alipay:"];
        rules.extend(platforms.map(|platform| rule(platform, 6, 20, true)));
        rules.push(rule("email", 7, 5, true));
        // The limit has no effect on namespaces that do not glue.
        for (name, priority) in [("device", 9), ("device:", 9), ("cookie", 10), ("cookie:", 10)] {
            rules.push(rule(name, priority, 1, false));
        }
        Policy {
            rules,
            other: rule("", 8, 5, true),
            cluster_cap: 256,
            country: "86".into(),
            sign_in_ms: 30 * 86_400_000,
        }
    }
}

impl Policy {
    pub fn rule(&self, namespace: &str) -> &Rule {
        let fits = |rule: &&Rule| {
            rule.namespace == namespace || (rule.namespace.ends_with(':') && namespace.starts_with(&rule.namespace))
        };
        let fitting = self.rules.iter().filter(fits);
        fitting.max_by_key(|rule| rule.namespace.len()).unwrap_or(&self.other)
    }

    /// Returns GetPolicyResponse bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for rule in self.rules.iter().chain([&self.other]) {
            let mut message = Vec::new();
            put_text(&mut message, 1, &rule.namespace);
            put_number(&mut message, 2, rule.priority.into());
            put_number(&mut message, 3, rule.limit.into());
            put_number(&mut message, 4, rule.glues.into());
            put_bytes(&mut out, 1, &message);
        }
        put_number(&mut out, 2, self.cluster_cap.into());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_names_win_over_prefixes_and_long_prefixes_over_short_ones() {
        let mut policy = Policy::default();
        let mut add = |namespace: &str, limit| {
            let rule = Rule {
                namespace: namespace.into(),
                limit,
                ..policy.other.clone()
            };
            policy.rules.insert(0, rule);
        };
        add("openid:wx9", 7);
        add("openid:wx:", 8);
        let limit = |namespace: &str| policy.rule(namespace).limit;
        assert_eq!(limit("openid:wx1"), 2);
        assert_eq!(limit("openid:wx9"), 7);
        assert_eq!(limit("openid:wx:1"), 8);
        assert_eq!(limit("openid"), policy.other.limit);
        assert_eq!(limit("phone"), 3);
        assert_eq!(limit("phone2"), policy.other.limit);
    }

    #[test]
    fn strength_falls_from_member_numbers_to_cookies() {
        let policy = Policy::default();
        let order = [
            "member",
            "unionid",
            "phone",
            "card",
            "openid:a",
            "meituan:s",
            "email",
            "device",
            "cookie",
        ];
        let priorities = order.map(|namespace| policy.rule(namespace).priority);
        assert!(priorities.is_sorted_by(|a, b| a < b));
        assert_eq!(
            order
                .map(|namespace| policy.rule(namespace).glues)
                .iter()
                .filter(|&&glues| !glues)
                .count(),
            2
        );
    }
}
