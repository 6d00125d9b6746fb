//! Binds expressions and the scans of events that they need.

use super::{Binder, PlanPath, RowKind, kind_of, literal, named};
use crate::error::Result;
use crate::eval::kernels::column::Kind;
use crate::eval::program::{Expr, ExprId, FilteredType, Measure, RankSelection, Scan};
use crate::plan::{self, Function, Moment};

/// An expression of the program and its kind.
type BoundExpr = (ExprId, Kind);

impl Binder<'_> {
    /// Adds an expression to the program.
    fn intern(&mut self, expr: Expr, kind: Kind) -> Result<BoundExpr> {
        Ok((self.program.exprs.intern(expr), kind))
    }

    /// Binds an expression. A map entry takes the kind `beside` of the expression that it is compared with.
    pub fn expr(
        &mut self,
        expr: &plan::Expr,
        beside: Option<Kind>,
        row_kind: RowKind,
        at: &PlanPath,
    ) -> Result<BoundExpr> {
        match expr {
            plan::Expr::Literal { value } => {
                let (datum, kind) = literal(self, value, at)?;
                self.intern(Expr::Literal(datum), kind)
            }
            plan::Expr::Elapsed { of } => {
                let of = self.of_kind(of, Kind::Instant, row_kind, &at.field("of"))?;
                let as_of = self.as_of;
                self.intern(Expr::Elapsed { of, as_of }, Kind::Duration)
            }
            plan::Expr::Arith { function, left, right } => {
                let left = self.of_kind(left, Kind::Number, row_kind, &at.field("left"))?;
                let right = self.of_kind(right, Kind::Number, row_kind, &at.field("right"))?;
                self.intern(
                    Expr::Arith {
                        function: *function,
                        left,
                        right,
                    },
                    Kind::Number,
                )
            }
            plan::Expr::Default { expr, otherwise } => {
                let sides = ((&**expr, "expr"), (&**otherwise, "otherwise"));
                let (expr, otherwise, kind) = self.pair(sides.0, sides.1, beside, row_kind, at)?;
                self.intern(Expr::Default { expr, otherwise }, kind)
            }
            plan::Expr::Case { tiers, otherwise } => self.case(tiers, otherwise.as_ref(), row_kind, at),
            plan::Expr::Lookup {
                catalog,
                key,
                attribute,
            } => self.lookup(catalog, key, attribute, row_kind, at),
            plan::Expr::Property { .. }
            | plan::Expr::EventChannel {}
            | plan::Expr::ByType { .. }
            | plan::Expr::Person { .. } => self.of_event(expr, beside, row_kind, at),
            _ => match row_kind {
                RowKind::People => self.of_person(expr, beside, at),
                RowKind::Events(_) => {
                    at.invalid("this is an expression over people; in a filter of events, wrap it in `person`")
                }
            },
        }
    }

    /// Binds an expression over people only.
    fn of_person(&mut self, expr: &plan::Expr, beside: Option<Kind>, at: &PlanPath) -> Result<BoundExpr> {
        match expr {
            plan::Expr::Attribute { name, key } => self.attribute(name, key.as_deref(), beside, at),
            plan::Expr::Channels {} => {
                let as_of = self.as_of;
                self.intern(Expr::Channels { as_of }, Kind::Set)
            }
            plan::Expr::Aggregate {
                function,
                events,
                value,
                day_starts,
            } => self.measure(*function, events, value.as_deref(), day_starts.as_deref(), at),
            plan::Expr::Tile { k, expr, population } => {
                if !(1..=10_000).contains(k) {
                    return at.field("k").invalid("the number of tiles must be from 1 to 10,000");
                }
                let ranking = self.ranking(expr, population.as_deref(), RankSelection::Tile { k: *k }, at)?;
                self.intern(Expr::Tile(ranking), Kind::Number)
            }
            _ => at.invalid("not an expression over people"),
        }
    }

    /// Binds an expression over events only.
    fn of_event(
        &mut self,
        expr: &plan::Expr,
        beside: Option<Kind>,
        row_kind: RowKind,
        at: &PlanPath,
    ) -> Result<BoundExpr> {
        let RowKind::Events(steps) = row_kind else {
            return at.invalid("this is an expression over an event; only a filter of events can contain it");
        };
        match expr {
            plan::Expr::EventChannel {} => self.intern(Expr::EventChannel, Kind::Text),
            plan::Expr::Person { expr } => {
                let (of, kind) = self.expr(expr, beside, RowKind::People, &at.field("expr"))?;
                self.reads_person = true;
                self.intern(Expr::Person(of), kind)
            }
            plan::Expr::Property { name } => self.property(name, steps, at),
            plan::Expr::ByType { of } => self.by_type(of, beside, at),
            _ => at.invalid("not an expression over events"),
        }
    }

    /// Binds a property, which all event types must declare with the same kind.
    fn property(&mut self, name: &str, steps: &[plan::EventFilter], at: &PlanPath) -> Result<BoundExpr> {
        let mut found = None;
        for step in steps {
            let declared = self.version.schema.event_types.get(&step.event_type);
            let Some(field) = declared.and_then(|event| event.properties.get(name)) else {
                return at.invalid(format!("`{}` declares no property `{name}`", step.event_type));
            };
            let Some(kind) = kind_of(field) else {
                return at.invalid(format!("property `{name}` is a map, which has no value of its own"));
            };
            if found.is_some_and(|found| found != kind) {
                return at.invalid(format!("property `{name}` is of different types in these events"));
            }
            found = Some(kind);
        }
        let Some(kind) = found else {
            return at.invalid("there must be at least one event type");
        };
        self.intern(Expr::Property(name.to_string()), kind)
    }

    /// Binds a value for each event type; all values must have the same kind.
    fn by_type(&mut self, of: &[plan::TypeValue], mut beside: Option<Kind>, at: &PlanPath) -> Result<BoundExpr> {
        let mut values = Vec::new();
        for (index, one) in of.iter().enumerate() {
            let here = at.item("of", index);
            let step = plan::EventFilter {
                event_type: one.event_type.clone(),
                filter: None,
            };
            let row_kind = RowKind::Events(std::slice::from_ref(&step));
            let (value, kind) = self.expr(&one.value, beside, row_kind, &here.field("value"))?;
            if index > 0 && beside != Some(kind) {
                return here.invalid(format!("{} has another type than the other values", named(kind)));
            }
            beside = Some(kind);
            values.push((step.event_type, value));
        }
        match beside {
            Some(kind) if !values.is_empty() => self.intern(Expr::ByType(values), kind),
            _ => at.invalid("there must be at least one event type"),
        }
    }

    /// Binds an attribute of people, or an entry of an attribute that is a map.
    fn attribute(&mut self, name: &str, key: Option<&str>, beside: Option<Kind>, at: &PlanPath) -> Result<BoundExpr> {
        let Some(field) = self.version.schema.attributes.get(name) else {
            return at.invalid(format!("attribute `{name}` is not declared"));
        };
        let (as_of, name) = (self.as_of, name.to_string());
        match (kind_of(field), key) {
            (Some(kind), None) => self.intern(Expr::Attribute { name, as_of }, kind),
            (None, Some(key)) => {
                let kind = beside.unwrap_or(Kind::Any);
                let key = self.code(key);
                self.intern(Expr::Entry { name, key, kind, as_of }, kind)
            }
            (Some(_), Some(_)) => at.invalid(format!("attribute `{name}` is not a map; it has no keys")),
            (None, None) => self.intern(Expr::Attribute { name, as_of }, Kind::Any),
        }
    }

    /// Binds the tiers of a tag; all values must have the same kind.
    fn case(
        &mut self,
        tiers: &[plan::Tier],
        otherwise: Option<&plan::Value>,
        row_kind: RowKind,
        at: &PlanPath,
    ) -> Result<BoundExpr> {
        let mut bound = Vec::new();
        let mut kinds = Vec::new();
        for (index, tier) in tiers.iter().enumerate() {
            let here = at.item("tiers", index);
            let when = self.cond(&tier.when, row_kind, &here.field("when"))?;
            let (datum, kind) = literal(self, &tier.value, &here)?;
            bound.push((when, datum));
            kinds.push(kind);
        }
        let otherwise = otherwise
            .map(|value| literal(self, value, &at.field("otherwise")))
            .transpose()?;
        kinds.extend(otherwise.map(|(_, kind)| kind));
        let Some(&kind) = kinds.first() else {
            return at.invalid("a tag has at least one tier");
        };
        if let Some(&other) = kinds.iter().find(|&&other| other != kind) {
            return at.invalid(format!("{} and {} cannot be combined", named(kind), named(other)));
        }
        self.intern(
            Expr::Case {
                tiers: bound,
                otherwise: otherwise.map(|(datum, _)| datum),
            },
            kind,
        )
    }

    /// Binds an attribute of a catalog item.
    fn lookup(
        &mut self,
        catalog: &str,
        key: &plan::Expr,
        attribute: &str,
        row_kind: RowKind,
        at: &PlanPath,
    ) -> Result<BoundExpr> {
        let Some(declared) = self.version.schema.catalogs.get(catalog) else {
            return at.invalid(format!("catalog `{catalog}` is not declared"));
        };
        let Some(field) = declared.attributes.get(attribute) else {
            return at.invalid(format!("catalog `{catalog}` declares no attribute `{attribute}`"));
        };
        let Some(kind) = kind_of(field) else {
            return at.invalid(format!(
                "`{attribute}` of catalog `{catalog}` is a map, which has no value of its own"
            ));
        };
        let key = self.of_kind(key, Kind::Text, row_kind, &at.field("key"))?;
        let catalog = self.program.catalogs.intern(catalog.to_string());
        self.intern(
            Expr::Lookup {
                catalog,
                key,
                attribute: attribute.to_string(),
            },
            kind,
        )
    }

    /// Binds an aggregate: adds a measure to the scan of its events.
    pub fn measure(
        &mut self,
        function: Function,
        events: &plan::EventQuery,
        value: Option<&plan::Expr>,
        day_starts: Option<&[i64]>,
        at: &PlanPath,
    ) -> Result<BoundExpr> {
        let outer_reads_person = std::mem::replace(&mut self.reads_person, false);
        let value = match value {
            Some(value) => {
                // `count` and `days` only need to know whether the value is known.
                let wanted = match function {
                    Function::Sum | Function::Avg | Function::Median | Function::Min | Function::Max => {
                        Some(Kind::Number)
                    }
                    _ => None,
                };
                Some(self.expr(value, wanted, RowKind::Events(&events.steps), &at.field("value"))?)
            }
            None => None,
        };
        let kind = kind_of_measure(function, value.map(|(_, kind)| kind)).or_else(|problem| at.invalid(problem))?;
        if (function == Function::Days) != day_starts.is_some() {
            return at
                .field("day_starts")
                .invalid("`days` requires the starts of local days; other functions do not accept them");
        }
        if day_starts.is_some_and(|starts| !starts.is_sorted_by(|a, b| a < b)) {
            return at.field("day_starts").invalid("the starts must be strictly ascending");
        }
        let own = value.map(|(id, _)| id).filter(|_| self.reads_person);
        self.reads_person = outer_reads_person;
        let scan = self.scan(events, own, &at.field("events"))?;
        let measures = &mut self.program.scans[scan].measures;
        let wanted = Measure {
            function,
            value,
            day_starts: day_starts.map(Into::into),
        };
        let measure = measures
            .iter()
            .position(|measure| *measure == wanted)
            .unwrap_or_else(|| {
                measures.push(wanted);
                measures.len() - 1
            });
        self.intern(Expr::Measure { scan, measure }, kind)
    }

    /// Returns the scan of a query of events; adds it if there is no equal one. `own` is a value that needs a scan of its own.
    fn scan(&mut self, events: &plan::EventQuery, own: Option<ExprId>, at: &PlanPath) -> Result<usize> {
        let (from, to) = self.window((events.from, events.to), at)?;
        let mut steps = self.filtered_types(&events.steps, "steps", at)?;
        // The order of steps does not matter.
        steps.sort();
        let key = (steps, from, to, own);
        if let Some(&scan) = self.scans.get(&key) {
            return Ok(scan);
        }
        let steps = key.0.clone();
        self.program.scans.push(Scan {
            steps,
            from,
            to,
            measures: Vec::new(),
        });
        self.scans.insert(key, self.program.scans.len() - 1);
        Ok(self.program.scans.len() - 1)
    }

    /// Resolves a moment to ms since the epoch.
    pub fn instant(&self, moment: Moment) -> i64 {
        moment.resolve(self.program.as_of)
    }

    /// Resolves a window of events; it must not end after the as-of.
    pub fn window(&self, (from, to): (Option<Moment>, Moment), at: &PlanPath) -> Result<(i64, i64)> {
        let (from, to) = (from.map(|from| self.instant(from)), self.instant(to));
        if to > self.as_of {
            return at
                .field("to")
                .invalid("later than the `as_of` of the plan, or of the `at` that contains it");
        }
        Ok((from.unwrap_or(i64::MIN), to))
    }

    /// Binds the event types and filters of a field called `name`.
    pub fn filtered_types(
        &mut self,
        steps: &[plan::EventFilter],
        name: &'static str,
        at: &PlanPath,
    ) -> Result<Vec<FilteredType>> {
        let mut types: Vec<FilteredType> = Vec::new();
        for (index, step) in steps.iter().enumerate() {
            let here = at.item(name, index);
            if !self.version.schema.event_types.contains_key(&step.event_type) {
                return here.invalid(format!("event type `{}` is not declared", step.event_type));
            }
            if types.iter().any(|(event_type, _)| *event_type == step.event_type) {
                return here.invalid(format!(
                    "event type `{}` is listed twice; list it once",
                    step.event_type
                ));
            }
            let row_kind = RowKind::Events(std::slice::from_ref(step));
            let filter = step.filter.as_deref();
            let filter = filter
                .map(|filter| self.cond(filter, row_kind, &here.field("where")))
                .transpose()?;
            types.push((step.event_type.clone(), filter));
        }
        Ok(types)
    }
}

/// Returns the kind of a measure; an error message if its function does not accept values of the kind `value`.
fn kind_of_measure(function: Function, value: Option<Kind>) -> std::result::Result<Kind, String> {
    let mismatch = |wanted: &str| Err(format!("expected {wanted}, found {}", value.map_or("no value", named)));
    match (function, value) {
        (Function::Count | Function::Days, _) => Ok(Kind::Number),
        (Function::Sum | Function::Avg | Function::Median, Some(Kind::Number)) => Ok(Kind::Number),
        (Function::Sum | Function::Avg | Function::Median, _) => mismatch("numbers"),
        (Function::Min | Function::Max, Some(kind @ (Kind::Number | Kind::Date | Kind::Instant))) => Ok(kind),
        (Function::Min | Function::Max, _) => mismatch("numbers, dates or instants"),
        (Function::Distinct | Function::Most, None | Some(Kind::Set | Kind::Point | Kind::Any)) => {
            mismatch("single values")
        }
        (Function::Distinct, Some(_)) => Ok(Kind::Number),
        (Function::Earliest | Function::Latest, None) => Ok(Kind::Instant),
        (Function::Earliest | Function::Latest | Function::Most, Some(kind)) => Ok(kind),
    }
}
