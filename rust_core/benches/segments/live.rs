//! Measures steps of live segments after the events of some people, and over a day without events.

use std::time::Instant;

use quanyu_core::error::{Error, Result};
use quanyu_core::eval::Limits;
use quanyu_core::index::Index;
use quanyu_core::live::Live;
use serde_json::{Value as Json, json};

use crate::timing::median;
use crate::world::{AS_OF, DAY_MS, happen};

/// The numbers of people with an event before each step.
const TOUCHED: u64 = 2_000;
const STEPS: u64 = 7;

/// Replaces windows that end at the as-of by relative ones.
fn moving(cond: &Json) -> Json {
    match cond {
        Json::Array(of) => of.iter().map(moving).collect(),
        Json::Object(fields) => {
            let is_window = fields.contains_key("steps");
            let field = |(name, field): (&String, &Json)| {
                let instant = field.as_u64().filter(|_| is_window && (name == "from" || name == "to"));
                let moved = instant.map_or_else(|| moving(field), |instant| json!({"ago": AS_OF - instant}));
                (name.clone(), moved)
            };
            Json::Object(fields.iter().map(field).collect())
        }
        other => other.clone(),
    }
}

fn ask(live: &Live, index: &Index, as_of: u64) -> Result<Vec<Vec<u8>>> {
    Ok(live
        .step(index.version(), as_of as i64, &Limits::none())?
        .unwrap_or_default())
}

/// Returns the milliseconds to find the moves, and to find and fold them.
fn step(live: &Live, index: &Index, as_of: u64) -> Result<(f64, f64)> {
    let (mut found, mut all) = (0.0, 0.0);
    loop {
        let started = Instant::now();
        let frames = ask(live, index, as_of)?;
        found += started.elapsed().as_secs_f64() * 1000.0;
        for frame in frames {
            live.fold(live.offset(), &frame)?;
        }
        let is_done = !live.settle();
        all += started.elapsed().as_secs_f64() * 1000.0;
        if is_done {
            return Ok((found, all));
        }
    }
}

pub fn steps(index: &Index, segments: &[(&str, &Json)]) -> Result<()> {
    let folder = tempfile::tempdir().map_err(Error::io(std::env::temp_dir()))?;
    let live = Live::open(folder.path())?;
    for (name, cond) in segments {
        let root = json!({"name": name, "cond": moving(cond), "among": null});
        live.put(name, 1, root.to_string().as_bytes())?;
    }
    let (found, all) = step(&live, index, AS_OF)?;
    println!("everybody of them        {found:>9.2} ms, folded {all:>9.2} ms");
    let (mut found, mut all) = (Vec::new(), Vec::new());
    for number in 0..STEPS {
        happen(index, number * TOUCHED..(number + 1) * TOUCHED)?;
        let took = step(&live, index, AS_OF + 10_000 * (number + 1))?;
        found.push(took.0);
        all.push(took.1);
    }
    let (found, all) = (median(found), median(all));
    println!("{TOUCHED} people did something {found:>9.2} ms, folded {all:>9.2} ms");
    let mut days = Vec::new();
    for _ in 0..STEPS {
        // The step is not folded, so the next one finds the same moves.
        let started = Instant::now();
        ask(&live, index, AS_OF + DAY_MS)?;
        days.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    println!("a day later              {:>9.2} ms", median(days));
    Ok(())
}
