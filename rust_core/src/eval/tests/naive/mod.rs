//! The oracle evaluates one person and one event at a time. It is written from docs/plan.md and the semantics only.

mod aggregate;
mod events;
mod value;

use xxhash_rust::xxh3::xxh3_64;

pub use self::value::{Fraction, V};
use self::value::{nfkc, of_val, of_value};
use super::world::{Event, Person, Val, World};
use crate::plan::{Arith, Cmp, Cond, Expr, Mode, Moment, Plan, Root, Side, TextTest, YearDays};

#[derive(Clone, Copy)]
struct Row<'w> {
    person: &'w Person,
    event: Option<&'w Event>,
}

pub struct Naive<'w> {
    pub world: &'w World,
    pub as_of: i64,
    /// The as-of of the plan, to which relative instants refer.
    pub asked_at: i64,
}

#[derive(Debug, PartialEq, Default)]
pub struct Members {
    pub matched: Vec<u64>,
    pub unknown: Vec<u64>,
    pub clauses: Vec<(u64, u64)>,
}

impl<'w> Naive<'w> {
    pub fn universe(&self) -> impl Iterator<Item = &'w Person> {
        let as_of = self.as_of;
        self.world
            .people
            .iter()
            .filter(move |person| person.first_record < as_of)
    }

    pub fn root(world: &World, plan: &Plan, root: &Root) -> Members {
        let naive = Naive {
            world,
            as_of: plan.as_of,
            asked_at: plan.as_of,
        };
        let among = root.among.as_ref();
        let population: Vec<&Person> = naive.universe().filter(|person| naive.holds(among, person)).collect();
        let answer = |cond: &Cond| {
            let mut members = Members::default();
            for person in &population {
                match naive.cond(cond, Row { person, event: None }) {
                    Some(true) => members.matched.push(person.id()),
                    None => members.unknown.push(person.id()),
                    Some(false) => {}
                }
            }
            members.matched.sort_unstable();
            members.unknown.sort_unstable();
            members
        };
        let clauses = match &root.cond {
            Cond::All { of } | Cond::Any { of } => of.iter().collect(),
            one => vec![one],
        };
        let count = |clause: &Cond| {
            let members = answer(clause);
            (members.matched.len() as u64, members.unknown.len() as u64)
        };
        Members {
            clauses: clauses.into_iter().map(count).collect(),
            ..answer(&root.cond)
        }
    }

    /// The value of an expression of people.
    pub fn value(&self, expr: &Expr, person: &'w Person) -> Option<V> {
        self.expr(expr, Row { person, event: None })
    }

    pub fn value_of_event(&self, expr: &Expr, person: &Person, event: &Event) -> Option<V> {
        let row = Row {
            person,
            event: Some(event),
        };
        self.expr(expr, row)
    }

    fn holds(&self, among: Option<&Cond>, person: &Person) -> bool {
        among.is_none_or(|among| self.cond(among, Row { person, event: None }) == Some(true))
    }

    fn cond(&self, cond: &Cond, row: Row) -> Option<bool> {
        let not = |value: Option<bool>| value.map(|value| !value);
        match cond {
            Cond::All { of } => not(any(of.iter().map(|of| not(self.cond(of, row))))),
            Cond::Any { of } => any(of.iter().map(|of| self.cond(of, row))),
            Cond::Not { of } => not(self.cond(of, row)),
            Cond::OrUnknown { of } => Some(self.cond(of, row) != Some(false)),
            Cond::Set { of, among } => Some(self.in_set(of, among.as_deref(), row.person)),
            Cond::At { as_of, of, among } => {
                let then = Naive {
                    world: self.world,
                    as_of: as_of.resolve(self.asked_at),
                    asked_at: self.asked_at,
                };
                Some(then.in_set(of, among.as_deref(), row.person))
            }
            Cond::Constant { value } => Some(*value),
            Cond::Compare { cmp, left, right } => {
                let (left, right) = self.pair(left, right, row);
                let order = left?.partial_cmp(&right?)?;
                Some(match cmp {
                    Cmp::Less => order.is_lt(),
                    Cmp::AtMost => order.is_le(),
                    Cmp::More => order.is_gt(),
                    Cmp::AtLeast => order.is_ge(),
                    Cmp::Equal => order.is_eq(),
                    Cmp::Differs => order.is_ne(),
                })
            }
            Cond::In { expr, items } => {
                let value = items
                    .first()
                    .map_or_else(|| self.expr(expr, row), |item| self.pair(expr, item, row).0)?;
                let fits = |item: &Expr| {
                    self.expr(item, row).map(|item| match (&value, &item) {
                        (V::Set(set), V::Text(text)) => set.contains(text),
                        _ => value == item,
                    })
                };
                any(items.iter().map(fits))
            }
            Cond::Has { mode, expr, items } => {
                let Some(V::Set(set)) = self.expr(expr, row) else {
                    return None;
                };
                let held = |item: &Expr| match self.expr(item, row) {
                    Some(V::Text(text)) => Some(set.contains(&text)),
                    _ => None,
                };
                match mode {
                    Mode::Any => any(items.iter().map(held)),
                    Mode::None => not(any(items.iter().map(held))),
                    Mode::All => not(any(items.iter().map(|item| not(held(item))))),
                }
            }
            Cond::Text { test, expr, value } => {
                let Some(V::Text(text)) = self.expr(expr, row) else {
                    return None;
                };
                Some(match test {
                    TextTest::Contains => text.contains(&nfkc(value)),
                    TextTest::StartsWith => text.starts_with(&nfkc(value)),
                    TextTest::EndsWith => text.ends_with(&nfkc(value)),
                    TextTest::Matches => regex::Regex::new(value).unwrap().is_match(&text),
                })
            }
            Cond::Known { expr } => Some(self.expr(expr, row).is_some()),
            Cond::Unknown { expr } => Some(self.expr(expr, row).is_none()),
            Cond::Within { expr, from, to } => {
                let Some(V::Int(value)) = self.expr(expr, row) else {
                    return None;
                };
                let is_before = |moment: &Moment| value < moment.resolve(self.asked_at);
                Some(!from.as_ref().is_some_and(is_before) && to.as_ref().is_none_or(is_before))
            }
            Cond::Anniversary { expr, years } => {
                let Some(V::Int(value)) = self.expr(expr, row) else {
                    return None;
                };
                let date = matches!(expr, Expr::Attribute { name, .. } if name == "born");
                let (year, day) = if date { civil(value) } else { (i64::MIN, value) };
                let falls = |days: &YearDays| {
                    i64::from(days.year) > year && days.month_days.iter().any(|&on| i64::from(on) == day)
                };
                Some(years.iter().any(falls))
            }
            Cond::Near { expr, point, metres } => {
                let (Some(V::Point(a)), Some(V::Point(b))) = (self.expr(expr, row), self.expr(point, row)) else {
                    return None;
                };
                let chord = (((b[0] - a[0]).to_radians() / 2.0).sin().powi(2)
                    + a[0].to_radians().cos()
                        * b[0].to_radians().cos()
                        * ((b[1] - a[1]).to_radians() / 2.0).sin().powi(2))
                .sqrt();
                Some(2.0 * 6_371_008.8 * chord.min(1.0).asin() <= *metres)
            }
            Cond::Happened { events, min, max } => {
                let count = self.events(events, row.person).len() as u64;
                Some(*min <= count && max.is_none_or(|max| count <= max))
            }
            Cond::Sequence { .. } => Some(self.in_order(cond, row.person)),
            Cond::Rank {
                expr,
                side,
                percent,
                count,
                population,
            } => {
                if !self.in_population(population.as_deref(), row.person) {
                    return Some(false);
                }
                let own = self.expr(expr, row)?;
                let values = self.values(expr, population.as_deref());
                let better = |value: &&V| {
                    if *side == Side::Top {
                        **value > own
                    } else {
                        **value < own
                    }
                };
                let better = values.iter().filter(better).count();
                Some(match (percent, count) {
                    (Some(percent), _) => (better as i128) * 1_000_000 < i128::from(percent.0) * values.len() as i128,
                    (_, Some(count)) => (better as u64) < *count,
                    _ => unreachable!(),
                })
            }
            Cond::Sample { seed, below } => {
                let mut bytes = seed.as_bytes().to_vec();
                bytes.push(0);
                bytes.extend(row.person.id().to_le_bytes());
                Some(u128::from(xxh3_64(&bytes)) < below.0)
            }
        }
    }

    fn in_set(&self, of: &Cond, among: Option<&Cond>, person: &Person) -> bool {
        self.in_population(among, person) && self.cond(of, Row { person, event: None }) == Some(true)
    }

    fn in_population(&self, population: Option<&Cond>, person: &Person) -> bool {
        person.first_record < self.as_of && self.holds(population, person)
    }

    fn values(&self, expr: &Expr, population: Option<&Cond>) -> Vec<V> {
        let people = self.universe().filter(|person| self.holds(population, person));
        people
            .filter_map(|person| self.expr(expr, Row { person, event: None }))
            .collect()
    }

    /// Returns both values; a map entry is unknown if the other value has another type.
    fn pair(&self, left: &Expr, right: &Expr, row: Row) -> (Option<V>, Option<V>) {
        let (a, b) = (self.expr(left, row), self.expr(right, row));
        let alike = match (&a, &b) {
            (Some(a), Some(b)) => std::mem::discriminant(a) == std::mem::discriminant(b) || matches!(a, V::Set(_)),
            _ => true,
        };
        if alike { (a, b) } else { (None, b) }
    }

    fn expr(&self, expr: &Expr, row: Row) -> Option<V> {
        match expr {
            Expr::Literal { value } => Some(of_value(value, self.asked_at)),
            Expr::Attribute { name, key } => {
                let changes = row.person.changes.get(name.as_str())?;
                let held = changes.iter().rfind(|(occurred_at, _)| *occurred_at < self.as_of)?;
                match (held.1.as_ref()?, key) {
                    (Val::Map(map), Some(key)) => map.get(key).map(of_val),
                    (value, _) => Some(of_val(value)),
                }
            }
            Expr::Channels {} => {
                let seen = row
                    .person
                    .events
                    .iter()
                    .filter(|event| event.kind == "order" && event.time < self.as_of);
                Some(V::Set(
                    seen.filter_map(|event| event.channel).map(str::to_string).collect(),
                ))
            }
            Expr::Aggregate {
                function,
                events,
                value,
                day_starts,
            } => self.aggregate(*function, events, value.as_deref(), day_starts.as_deref(), row.person),
            Expr::Elapsed { of } => match self.expr(of, row)? {
                V::Int(at) => Some(V::Int(self.as_of - at)),
                _ => None,
            },
            Expr::Arith { function, left, right } => {
                let (Some(V::Num(a)), Some(V::Num(b))) = (self.expr(left, row), self.expr(right, row)) else {
                    return None;
                };
                Some(V::Num(match function {
                    Arith::Add => Fraction::new(a.0 * b.1 + b.0 * a.1, a.1 * b.1),
                    Arith::Subtract => Fraction::new(a.0 * b.1 - b.0 * a.1, a.1 * b.1),
                    Arith::Multiply => Fraction::new(a.0 * b.0, a.1 * b.1),
                    Arith::Divide if b.0 == 0 => return None,
                    Arith::Divide => Fraction::new(a.0 * b.1, a.1 * b.0),
                }))
            }
            Expr::Default { expr, otherwise } => {
                let (value, otherwise) = self.pair(expr, otherwise, row);
                value.or(otherwise)
            }
            Expr::Tile { k, expr, population } => {
                if !self.in_population(population.as_deref(), row.person) {
                    return None;
                }
                let own = self.expr(expr, row)?;
                let values = self.values(expr, population.as_deref());
                let below = values.iter().filter(|value| **value <= own).count();
                Some(V::Num(Fraction::whole((*k as usize * below).div_ceil(values.len()))))
            }
            Expr::Case { tiers, otherwise } => {
                let tier = tiers.iter().find(|tier| self.cond(&tier.when, row) == Some(true));
                tier.map(|tier| &tier.value)
                    .or(otherwise.as_ref())
                    .map(|value| of_value(value, self.asked_at))
            }
            Expr::Property { name } => row.event?.properties.get(name.as_str()).map(of_val),
            Expr::ByType { of } => {
                let own = of
                    .iter()
                    .find(|one| one.event_type == row.event.map_or("", |event| event.kind))?;
                self.expr(&own.value, row)
            }
            Expr::EventChannel {} => row.event?.channel.map(|channel| V::Text(channel.to_string())),
            Expr::Lookup { key, attribute, .. } => {
                let Some(V::Text(key)) = self.expr(key, row) else {
                    return None;
                };
                self.world
                    .products
                    .get(key.as_str())?
                    .get(attribute.as_str())
                    .map(of_val)
            }
            Expr::Person { expr } => self.expr(expr, Row { event: None, ..row }),
        }
    }
}

fn any(values: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let values: Vec<Option<bool>> = values.collect();
    if values.contains(&Some(true)) {
        return Some(true);
    }
    if values.contains(&None) { None } else { Some(false) }
}

/// Year and month * 100 + day by walking the years.
fn civil(days: i64) -> (i64, i64) {
    let leap = |year: i64| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let (mut year, mut rest) = (1970, days);
    while rest < 0 {
        year -= 1;
        rest += 365 + i64::from(leap(year));
    }
    while rest >= 365 + i64::from(leap(year)) {
        rest -= 365 + i64::from(leap(year));
        year += 1;
    }
    let months = [31, 28 + i64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while rest >= months[month] {
        rest -= months[month];
        month += 1;
    }
    (year, (month as i64 + 1) * 100 + rest + 1)
}
