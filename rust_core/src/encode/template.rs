//! Templates: texts with columns such as `{basket_id}-{product_id}` or `{row}`.

use std::fmt::Write;

use super::Columns;
use super::columns::FileColumn;

/// A parsed template.
pub struct Template {
    parts: Vec<Part>,
}

enum Part {
    Text(String),
    Column(String),
    Row,
}

impl Template {
    pub fn parse(text: &str) -> Result<Template, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            literal.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(doubled) = rest.strip_prefix(brace) {
                literal.push_str(brace);
                rest = doubled;
                continue;
            }
            let name = match (brace, rest.split_once('}')) {
                ("{", Some((name, after))) if !name.is_empty() && !name.contains('{') => {
                    rest = after;
                    name
                }
                _ => {
                    return Err(format!(
                        "{text:?} has a brace without its partner; write {{{{ or }}}} for a brace"
                    ));
                }
            };
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            parts.push(if name == "row" {
                Part::Row
            } else {
                Part::Column(name.to_owned())
            });
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        match parts.is_empty() {
            true => Err("it is empty".into()),
            false => Ok(Template { parts }),
        }
    }

    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Column(name) => Some(name.as_str()),
            _ => None,
        })
    }

    pub fn bind<'a>(&'a self, columns: &'a Columns) -> BoundTemplate<'a> {
        let bind = |part: &'a Part| match part {
            Part::Text(text) => BoundPart::Text(text),
            Part::Column(name) => BoundPart::Column(name, &columns[name]),
            Part::Row => BoundPart::Row,
        };
        BoundTemplate {
            parts: self.parts.iter().map(bind).collect(),
        }
    }
}

/// A template with its columns.
pub struct BoundTemplate<'a> {
    parts: Vec<BoundPart<'a>>,
}

enum BoundPart<'a> {
    Text(&'a str),
    Column(&'a str, &'a FileColumn),
    Row,
}

impl<'a> BoundTemplate<'a> {
    /// Renders a row into `out`. Returns the name of a column that is null or empty as the error.
    pub fn render(&self, row: usize, number: u64, out: &mut String) -> Result<(), &'a str> {
        out.clear();
        for part in &self.parts {
            match part {
                BoundPart::Text(text) => out.push_str(text),
                BoundPart::Row => {
                    // Writing to a String cannot fail.
                    let _ = write!(out, "{number}");
                }
                BoundPart::Column(name, column) => {
                    let before = out.len();
                    column.put_text(row, out);
                    if out.len() == before {
                        return Err(name);
                    }
                }
            }
        }
        Ok(())
    }
}
