//! Live segments together with their membership log, stepped as the service steps them.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use tempfile::{TempDir, tempdir};

use crate::error::Result;
use crate::eval::{Limits, evaluate};
use crate::index::view::Version;
use crate::live::Live;

/// Live segments and their membership log.
pub struct FollowedSegments {
    pub folder: TempDir,
    pub live: Live,
    pub log: Vec<Vec<u8>>,
}

impl FollowedSegments {
    pub fn new() -> FollowedSegments {
        let folder = tempdir().unwrap();
        let live = Live::open(folder.path()).unwrap();
        FollowedSegments {
            folder,
            live,
            log: Vec::new(),
        }
    }

    pub fn put(&self, roots: &[Json], version: u32) {
        for (number, root) in roots.iter().enumerate() {
            self.put_one(number, root, version);
        }
    }

    pub fn put_one(&self, number: usize, root: &Json, version: u32) {
        let root = root.to_string();
        self.live.put(&format!("s{number}"), version, root.as_bytes()).unwrap();
    }

    /// Steps until no segment waits, and returns the number of frames. With `torn`, stops after that many frames of the first step.
    pub fn step(&mut self, version: &Arc<Version>, as_of: i64, torn: Option<usize>) -> Result<usize> {
        let mut count = 0;
        loop {
            let frames = self.live.step(version.clone(), as_of, &Limits::none())?.unwrap();
            for frame in frames.iter().take(torn.unwrap_or(usize::MAX)) {
                self.live.fold(self.log.len() as u64, frame)?;
                self.log.push(frame.clone());
            }
            count += frames.len();
            if torn.is_some() || !self.live.settle() {
                return Ok(count);
            }
        }
    }

    /// Reopens the saved memberships, as after a kill, and folds the rest of the log.
    pub fn reopen(&mut self) {
        self.live = Live::open(self.folder.path()).unwrap();
        for offset in self.live.offset() as usize..self.log.len() {
            self.live.fold(offset as u64, &self.log[offset]).unwrap();
        }
    }
}

pub fn root(cond: &Json) -> Json {
    json!({"name": "s", "cond": cond, "among": null})
}

pub fn evaluate_fully(version: &Version, as_of: i64, root: &Json) -> Vec<u64> {
    let plan = json!({"as_of": as_of, "roots": [root]}).to_string();
    evaluate(version, plan.as_bytes()).unwrap().roots[0]
        .members()
        .iter()
        .collect()
}
