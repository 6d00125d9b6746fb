//! Writes the seed inputs of the targets: `seeds FOLDER` creates a folder for each target in FOLDER.

use std::fs;
use std::path::Path;

use quanyu_core::audience::roaring_set;
use quanyu_core::error::Result;
use quanyu_core::log::LocalLog;
use quanyu_fuzz::engine_files::Written;
use quanyu_fuzz::{plans, world};

fn main() -> Result<()> {
    let folder = std::env::args().nth(1).expect("seeds FOLDER");
    let mut snapshots = Vec::new();
    for (number, contents) in Written::new()?.contents().into_iter().enumerate() {
        snapshots.push(marked(number as u8, contents));
    }
    put(&folder, "snapshot", snapshots);
    put(&folder, "frame", frames());
    put(
        &folder,
        "plan",
        plans::conds()
            .into_iter()
            .map(|cond| plans::plan(vec![cond]).to_string().into_bytes()),
    );
    put(
        &folder,
        "request",
        [marked(0, &world::request()), marked(1, &world::schema().encode())],
    );
    put(&folder, "roaring", sets());
    put(&folder, "log", logs());
    Ok(())
}

fn put(folder: &str, target: &str, seeds: impl IntoIterator<Item = Vec<u8>>) {
    let folder = Path::new(folder).join(target);
    fs::create_dir_all(&folder).expect("a folder");
    for (number, seed) in seeds.into_iter().enumerate() {
        fs::write(folder.join(format!("seed-{number}")), seed).expect("a seed");
    }
}

/// Returns an input with the byte that selects its kind.
fn marked(kind: u8, bytes: &[u8]) -> Vec<u8> {
    [&[kind], bytes].concat()
}

fn frames() -> Vec<Vec<u8>> {
    let mut frames: Vec<Vec<u8>> = world::frames(world::FEW).iter().map(|frame| marked(2, frame)).collect();
    frames.extend(world::raw_frames().iter().map(|frame| marked(0, frame)));
    frames.push(marked(1, &world::rejects()));
    frames
}

/// Returns sets with arrays, runs, bitsets and several partitions.
fn sets() -> Vec<Vec<u8>> {
    let sets = [
        (0..3).collect::<Vec<u64>>(),
        (0..300).map(|person| person * 3).collect(),
        (0..9_000).map(|person| (1 << 32) + person * 2).collect(),
        (0..10).map(|person| (person << 32) + 65_535 + person).collect(),
    ];
    sets.into_iter()
        .map(|people| roaring_set::encode(&people.into_iter().collect()).expect("a set is written"))
        .collect()
}

/// Returns logs with one segment, with two, and with no durable frame.
fn logs() -> Vec<Vec<u8>> {
    let folder = quanyu_fuzz::new_folder();
    let log = LocalLog::create(folder.path()).expect("a new log");
    for frame in ["one", "two", "three"] {
        log.append(frame.as_bytes()).expect("room for a frame");
    }
    let first = fs::read(folder.path().join(format!("{:020}.log", 0))).expect("a segment");
    let cut = first.len() as u8;
    let mut second = first.clone();
    second[8] = 3;
    [
        marked_log([3, 3, cut, 0], &[&first]),
        marked_log([3, 7, cut, 4], &[&first, &second]),
        marked_log([0, 1, cut, 0], &[&first]),
    ]
    .into()
}

fn marked_log(head: [u8; 4], segments: &[&[u8]]) -> Vec<u8> {
    [&head, &segments.concat()[..]].concat()
}
