//! Measures time and memory.

use std::collections::HashMap;
use std::hint::black_box;
use std::time::Instant;

use quanyu_core::error::Result;
use quanyu_core::eval::{BlockRoots, BlockSelection, Limits, evaluate_blocks, find};
use quanyu_core::index::Index;
use quanyu_core::index::view::{BLOCK, Version};
use quanyu_core::plan::Plan;
use serde_json::Value as Json;

use crate::questions::plan;

/// Returns the milliseconds that an answer took.
pub struct Took {
    pub first: f64,
    pub median: f64,
}

pub fn ask(index: &Index, roots: &[(&str, &Json)]) -> Result<(Took, u64)> {
    let plan = plan(roots);
    let version = index.version();
    let mut times = Vec::new();
    let mut matched = 0;
    for _ in 0..7 {
        let started = Instant::now();
        matched = find(&version, plan.as_bytes(), &Limits::none())?.root(0)?.matched;
        times.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    let first = times[0];
    let median = median(times);
    Ok((Took { first, median }, matched))
}

/// Returns the milliseconds to find who entered or left each segment in the last day.
pub fn changes(index: &Index, roots: &[(&str, &Json)]) -> Result<f64> {
    let plan = Plan::parse(plan(roots).as_bytes())?;
    let version = index.version();
    let (all, limits) = (everybody(&version), Limits::none());
    let members = |block: &BlockRoots| {
        let of = |root| {
            let mut words = Vec::new();
            block.members(root, &mut words)?;
            Ok(words)
        };
        (0..roots.len()).map(of).collect::<Result<Vec<Vec<u64>>>>()
    };
    let blocks = evaluate_blocks(&version, &plan, &all, &limits, |wanted, block| {
        Ok(((wanted.partition, wanted.block), members(block)?))
    })?;
    let before: HashMap<(u32, u32), Vec<Vec<u64>>> = blocks.into_iter().collect();
    let changed = |wanted: &BlockSelection, block: &BlockRoots| {
        let (mut words, mut changed) = (Vec::new(), 0);
        for (root, before) in before[&(wanted.partition, wanted.block)].iter().enumerate() {
            block.members(root, &mut words)?;
            let pairs = words.iter().zip(before);
            changed += pairs
                .map(|(now, before)| u64::from((now ^ before).count_ones()))
                .sum::<u64>();
        }
        Ok(changed)
    };
    let mut times = Vec::new();
    for _ in 0..7 {
        let started = Instant::now();
        black_box(evaluate_blocks(&version, &plan, &all, &limits, changed)?);
        times.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(median(times))
}

fn everybody(version: &Version) -> Vec<BlockSelection> {
    let blocks = version.partitions.values().flat_map(|partition| {
        (0..partition.people.div_ceil(BLOCK)).map(|block| BlockSelection {
            partition: partition.number,
            block,
            rows: None,
        })
    });
    blocks.collect()
}

pub fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Returns the milliseconds to read this many uncached bytes.
pub fn reading_ms(bytes: usize) -> f64 {
    let memory = vec![1u64; (256 << 20) / 8];
    let started = Instant::now();
    black_box(memory.iter().fold(0u64, |sum, word| sum.wrapping_add(*word)));
    started.elapsed().as_secs_f64() * 1000.0 * bytes as f64 / (256 << 20) as f64
}

/// Returns the megabytes of this process: anonymous, and mapped from files.
pub fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let megabytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kilobytes.unwrap_or(0) / 1024
    };
    format!("{} MB and {} MB mapped", megabytes("RssAnon:"), megabytes("RssFile:"))
}

pub fn seconds<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let started = Instant::now();
    let done = work()?;
    println!(
        "{what}: {:.2} s, resident {}",
        started.elapsed().as_secs_f64(),
        resident()
    );
    Ok(done)
}
