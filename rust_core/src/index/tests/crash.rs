//! Kills a process that appends to a log, folds it and writes snapshots, or lets it run out of disk space. Acknowledged frames
//! survive, and the next process continues.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, setrlimit};
use xxhash_rust::xxh3::xxh3_64;

use super::fixtures::answers::answers;
use super::fixtures::folding::fold;
use super::fixtures::random_history::{frames, history_with_large_runs, plan_operations};
use crate::error::{Error, Result};
use crate::index::Index;
use crate::log::LocalLog;
use crate::log::tests::new_folder;

/// Environment variables of the worker process: its folder, and its maximum file size in bytes.
const FOLDER: &str = "KILLED_FOLDER";
const LIMIT: &str = "KILLED_LIMIT";
const SIGKILL: i32 = 9;
const SIGXFSZ: i32 = 25;
/// The number of frames between two snapshots.
const BETWEEN: u64 = 5;

/// All frames to append.
fn plan() -> Vec<Vec<u8>> {
    frames(&plan_operations(&history_with_large_runs(40)), 2)
}

/// Limits the size of files that this process writes; `None` removes the limit.
fn limit_files(bytes: Option<u64>) {
    let limit = Rlimit {
        current: bytes,
        maximum: None,
    };
    setrlimit(Resource::Fsize, limit).unwrap();
}

/// Runs `work` and, if a write fails, checks that nothing changed and runs it again without a limit.
fn retry_with_room(log: &LocalLog, index: &Index, mut work: impl FnMut() -> Result<()>) {
    let before = (log.end().unwrap(), index.offset(), answers(&index.version()));
    let refused = match work() {
        Ok(()) => return,
        Err(Error::Io { path, .. }) => path,
        Err(other) => panic!("{other}"),
    };
    assert!(
        !refused.exists() || refused.extension().unwrap() == "log",
        "it takes no room"
    );
    assert_eq!((log.end().unwrap(), index.offset(), answers(&index.version())), before);
    println!("\nrefused {}", refused.extension().unwrap().to_str().unwrap());
    limit_files(None);
    work().unwrap();
}

/// The worker process: appends, folds and writes snapshots, and prints the number of acknowledged frames after each append.
#[test]
#[ignore = "the other tests run it as a process of its own"]
fn work() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let (folder, plan) = (Path::new(&folder), plan());
    let log = LocalLog::create(&folder.join("log")).unwrap();
    let index = Index::open(&folder.join("state")).unwrap();
    if let Ok(limit) = std::env::var(LIMIT) {
        limit_files(limit.parse().ok());
    }
    let mut out = std::io::stdout();
    loop {
        for (offset, frame) in log.read(index.offset(), 1 << 20).unwrap() {
            index.fold(&[(offset, &frame)]).unwrap();
        }
        if log.end().unwrap().is_multiple_of(BETWEEN) {
            retry_with_room(&log, &index, || index.snapshot());
        }
        let Some(frame) = plan.get(log.end().unwrap() as usize) else {
            return;
        };
        retry_with_room(&log, &index, || log.append(frame).map(drop));
        writeln!(out, "\nacknowledged {}", log.end().unwrap()).unwrap();
    }
}

/// The end of a worker process: the signal that killed it, the acknowledged frames, and the extensions of files it could not write.
struct Outcome {
    signal: Option<i32>,
    acknowledged: u64,
    refused: Vec<String>,
}

/// Runs a worker process until it ends or `kill_after` has passed. `on_large_file` is shell code that sets the reaction to large files.
fn run_process(folder: &Path, kill_after: Option<Duration>, limit: Option<u64>, on_large_file: &str) -> Outcome {
    let name = "index::tests::crash::work";
    let mut command = Command::new("sh");
    command.args([
        "-c",
        &format!("{on_large_file} exec \"$0\" --exact {name} --ignored --nocapture"),
    ]);
    command.arg(std::env::current_exe().unwrap()).env(FOLDER, folder);
    limit.map(|bytes| command.env(LIMIT, bytes.to_string()));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    if let Some(time) = kill_after {
        std::thread::sleep(time);
        child.kill().unwrap();
    }
    let output = child.wait_with_output().unwrap();
    let output_text = String::from_utf8_lossy(&output.stdout);
    let failure = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() || output.status.signal().is_some(),
        "{output_text}{failure}"
    );
    let last = output_text
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("acknowledged ")?.parse().ok());
    Outcome {
        signal: output.status.signal(),
        acknowledged: last.unwrap_or(0),
        refused: output_text
            .lines()
            .filter_map(|line| line.strip_prefix("refused "))
            .map(str::to_owned)
            .collect(),
    }
}

/// Returns all answers after each number of folded frames.
fn expected(plan: &[Vec<u8>]) -> Vec<BTreeMap<String, String>> {
    let folder = new_folder();
    let index = Index::open(folder.path()).unwrap();
    let mut after = vec![answers(&index.version())];
    for frame in plan {
        fold(&index, std::slice::from_ref(frame), 1);
        after.push(answers(&index.version()));
    }
    after
}

/// Opens the folder of an ended worker, checks the recovered state, folds the rest of its log, and returns the end of the log.
fn check_recovery(folder: &Path, outcome: &Outcome, plan: &[Vec<u8>], expected: &[BTreeMap<String, String>]) -> u64 {
    let log = LocalLog::create(&folder.join("log")).unwrap();
    let index = Index::open(&folder.join("state")).unwrap();
    let end = log.end().unwrap();
    assert!((outcome.acknowledged..=plan.len() as u64).contains(&end), "{end}");
    assert!(index.offset() <= end);
    assert_eq!(answers(&index.version()), expected[index.offset() as usize]);
    let rest: Vec<Vec<u8>> = log
        .read(0, usize::MAX)
        .unwrap()
        .into_iter()
        .map(|(_, frame)| frame)
        .collect();
    assert_eq!(rest, plan[..end as usize]);
    fold(&index, &rest[index.offset() as usize..], 3);
    assert_eq!(answers(&index.version()), expected[end as usize]);
    end
}

#[test]
fn acknowledged_frames_survive_a_kill_at_any_time() {
    let (plan, folder) = (plan(), new_folder());
    let expected = expected(&plan);
    let mut end = 0;
    for time in 0.. {
        // The time grows, so that the test ends on any machine.
        let millis = xxh3_64(&[time as u8]) % (20 + 4 * time);
        let outcome = run_process(folder.path(), Some(Duration::from_millis(millis)), None, "");
        assert!(outcome.signal.is_none_or(|signal| signal == SIGKILL));
        let reached = check_recovery(folder.path(), &outcome, &plan, &expected);
        assert!(reached >= end);
        end = reached;
        if end == plan.len() as u64 {
            return;
        }
    }
}

/// Each limit cuts some write short: the system kills the process that exceeds it.
#[test]
fn acknowledged_frames_survive_a_kill_during_any_write() {
    let plan = plan();
    let expected = expected(&plan);
    let mut killed = 0;
    for limit in (0..4000).step_by(190) {
        let folder = new_folder();
        let outcome = run_process(folder.path(), None, Some(limit), "ulimit -c 0;");
        killed += usize::from(outcome.signal == Some(SIGXFSZ));
        check_recovery(folder.path(), &outcome, &plan, &expected);
        let outcome = run_process(folder.path(), None, None, "");
        assert_eq!(
            check_recovery(folder.path(), &outcome, &plan, &expected),
            plan.len() as u64
        );
    }
    assert!(killed > 10, "{killed}");
}

/// A write beyond the limit fails like one to a full disk.
#[test]
fn writes_to_a_full_disk_fail_cleanly_and_succeed_with_room() {
    let plan = plan();
    let expected = expected(&plan);
    let mut refused = BTreeSet::new();
    for limit in (0..4000).step_by(190) {
        let folder = new_folder();
        let outcome = run_process(folder.path(), None, Some(limit), "trap '' XFSZ;");
        refused.extend(outcome.refused.iter().cloned());
        assert_eq!((outcome.signal, outcome.acknowledged), (None, plan.len() as u64));
        assert_eq!(
            check_recovery(folder.path(), &outcome, &plan, &expected),
            plan.len() as u64
        );
    }
    assert_eq!(refused, ["index", "log"].map(str::to_owned).into());
}
