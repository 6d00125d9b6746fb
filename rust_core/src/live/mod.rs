//! Live segments: published segments kept up to date as events arrive and time passes.
//!
//! Moves are written to the membership log first; the memberships are a fold of that log.

mod affected_rows;
mod dependencies;
mod due_segments;
mod frame;
mod frame_builder;
mod memberships;
mod reevaluation;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

pub use self::dependencies::{Dependencies, Dependency};
use self::memberships::{Memberships, SegmentMembers};
use self::reevaluation::{Evaluated, Reevaluation};
use crate::error::{Error, Result};
use crate::eval::{Answer, Limits, RootAnswer};
use crate::index::view::{Epoch, Version};
use crate::plan::Root;
use crate::storage::durable::replace_file;

/// The live segments of one workspace. One caller at a time steps and folds; readers do not wait for it.
pub struct Live {
    file: PathBuf,
    memberships: RwLock<Memberships>,
    /// Locked during a step.
    rules: Mutex<Rules>,
    /// The freshness of each segment by name; separate from the rules, so that readers do not wait for a step.
    freshness: RwLock<BTreeMap<String, Freshness>>,
}

/// How recent the members of a segment are, and why they are not more recent.
#[derive(Clone, Default)]
struct Freshness {
    /// The epoch and as-of that the members reflect.
    fresh: Option<(Epoch, i64)>,
    /// Why the members are not more recent.
    error: Option<String>,
}

/// The rules of all segments and the progress of evaluation.
#[derive(Default)]
struct Rules {
    /// Rules by segment name.
    by_name: BTreeMap<String, Rule>,
    /// The version and as-of of the last settled step.
    last: Option<Evaluated>,
    /// The last segment that was evaluated for all people.
    last_renewed: String,
    /// The step whose frames may not be folded yet.
    pending: Option<Reevaluation>,
}

/// The rule of a segment.
#[derive(Default)]
struct Rule {
    version: u32,
    /// The compiled rule; `None` if it does not compile.
    root: Option<Root>,
    dependencies: Dependencies,
    /// Whether the rule must be evaluated for all people, not only for affected ones.
    needs_full: bool,
}

/// The state of a segment.
pub struct SegmentStatus {
    pub segment: String,
    /// The version of the rule that determined the members.
    pub version: u32,
    pub count: u64,
    pub digest: u64,
    /// The epoch and as-of that the members reflect; `None` before the first evaluation.
    pub fresh: Option<(Epoch, i64)>,
    /// Why the members are not more recent.
    pub error: Option<String>,
}

impl Live {
    /// Opens the memberships saved in `folder`; empty if there are none.
    ///
    /// Returns Corrupt, naming the file, if it is damaged.
    pub fn open(folder: &Path) -> Result<Live> {
        fs::create_dir_all(folder).map_err(Error::io(folder))?;
        let file = folder.join("memberships");
        let memberships = match fs::read(&file) {
            Err(error) if error.kind() == ErrorKind::NotFound => Memberships::default(),
            bytes => Memberships::decode(&bytes.map_err(Error::io(&file))?).map_err(|error| Error::Corrupt {
                path: file.clone(),
                detail: format!("{error}; remove it to have it rebuilt from the membership log"),
            })?,
        };
        Ok(Live {
            file,
            memberships: RwLock::new(memberships),
            rules: Mutex::default(),
            freshness: RwLock::default(),
        })
    }

    /// Returns the offset of the next frame of the membership log to fold.
    pub fn offset(&self) -> u64 {
        self.memberships.read().offset
    }

    /// Applies a frame of the membership log.
    ///
    /// Returns Invalid if the frame is not the next one, is malformed, or does not fit the current members; then nothing changes.
    pub fn fold(&self, offset: u64, frame: &[u8]) -> Result<()> {
        self.memberships.write().fold(offset, frame)
    }

    /// Sets the rule of a segment to the JSON that `quanyu.dsl.compile_live_segment` returns.
    pub fn put(&self, segment: &str, version: u32, root: &[u8]) -> Result<()> {
        let root = Root::parse(root)?;
        let mut rules = self.rules.lock();
        let rule = rules.by_name.entry(segment.to_owned()).or_default();
        if rule.root.as_ref() != Some(&root) || rule.version != version {
            rule.dependencies = Dependencies::of(&root);
            (rule.version, rule.root, rule.needs_full) = (version, Some(root), true);
            self.note(segment, None);
        }
        Ok(())
    }

    /// Records that the rule of a segment can no longer be evaluated, and why. Its members stay as they are.
    pub fn refuse(&self, segment: &str, version: u32, error: &str) {
        let mut rules = self.rules.lock();
        let rule = rules.by_name.entry(segment.to_owned()).or_default();
        (rule.version, rule.root) = (version, None);
        self.note(segment, Some(error.to_owned()));
    }

    /// Sets or clears the error of a segment.
    fn note(&self, segment: &str, error: Option<String>) {
        self.freshness.write().entry(segment.to_owned()).or_default().error = error;
    }

    /// Evaluates the segments and returns the frames that bring them to a version of the index and an as-of (ms since the epoch).
    ///
    /// The caller appends the frames to the membership log, folds them in order, and then calls `settle`. If it does not, the next step
    /// starts from the last settled one; if only some frames were folded, the segments that they changed are evaluated in full.
    ///
    /// While some segments are up to date, a step evaluates only some of those that need all people, so that it stays short; the others
    /// wait for later steps. Returns Cancelled if the limits cancel the step; then there is nothing to settle.
    ///
    /// Returns `None` until the index has caught up with the epoch of the memberships after a restart, so that nobody seems to have left.
    pub fn step(&self, version: Arc<Version>, as_of_ms: i64, limits: &Limits) -> Result<Option<Vec<Vec<u8>>>> {
        let mut rules = self.rules.lock();
        let memberships = self.memberships.read();
        let (raw_offset, since) = memberships.reached.unwrap_or((0, i64::MIN));
        if version.epoch.raw_offset < raw_offset {
            return Ok(None);
        }
        let as_of_ms = as_of_ms.max(since);
        if let Some(reevaluation) = rules.pending.take() {
            reevaluation.abandon(&mut rules, &memberships);
        }
        let reevaluation = Reevaluation::evaluate(&rules, &memberships, version, as_of_ms, limits)?;
        let frames = reevaluation.frames(&memberships)?;
        rules.pending = Some(reevaluation);
        Ok(Some(frames))
    }

    /// Marks the pending step as done; returns whether segments wait for an evaluation of all people.
    pub fn settle(&self) -> bool {
        let mut rules = self.rules.lock();
        let reevaluation = rules.pending.take();
        reevaluation.is_some_and(|reevaluation| reevaluation.settle(&mut rules, &mut self.freshness.write()))
    }

    /// Returns the state of each segment, by name.
    pub fn statuses(&self) -> Vec<SegmentStatus> {
        let freshness = self.freshness.read();
        let memberships = self.memberships.read();
        let status = |(name, freshness): (&String, &Freshness)| {
            let segment = memberships.segment(name);
            SegmentStatus {
                segment: name.clone(),
                version: segment.version,
                count: segment.count,
                digest: segment.digest,
                fresh: freshness.fresh,
                error: freshness.error.clone(),
            }
        };
        freshness.iter().map(status).collect()
    }

    /// Returns the members of segments and the offset of the membership log at which they were read.
    pub fn members(&self, segments: &[String]) -> (u64, Vec<SegmentMembers>) {
        let memberships = self.memberships.read();
        let found = |name: &String| memberships.segment(name).clone();
        (memberships.offset, segments.iter().map(found).collect())
    }

    /// Returns the members of segments as an answer, with its as-of. Returns Invalid if one has not been evaluated yet.
    pub fn answer(&self, segments: &[String]) -> Result<(Answer, i64)> {
        let fresh = {
            let freshness = self.freshness.read();
            let of = |name: &String| freshness.get(name).and_then(|segment| segment.fresh);
            let all: Option<Vec<(Epoch, i64)>> = segments.iter().map(of).collect();
            all.and_then(|all| all.into_iter().min_by_key(|(epoch, as_of)| (epoch.raw_offset, *as_of)))
        };
        let (epoch, as_of_ms) =
            fresh.ok_or_else(|| Error::Invalid("these segments have not been evaluated yet".into()))?;
        let roots = self
            .members(segments)
            .1
            .into_iter()
            .map(|segment| RootAnswer::of_members(segment.members, segment.count));
        let answer = Answer {
            epoch,
            universe: 0,
            roots: roots.collect(),
            counted: false,
            microseconds: 0,
        };
        Ok((answer, as_of_ms))
    }

    /// Saves the memberships durably and atomically, so that opening need not fold the log from its beginning.
    pub fn save(&self) -> Result<()> {
        let bytes = self.memberships.read().encode()?;
        let draft = self.file.with_extension("draft");
        replace_file(&self.file, &draft, |file| {
            file.write_all(&bytes).map_err(Error::io(&draft))
        })
    }
}
