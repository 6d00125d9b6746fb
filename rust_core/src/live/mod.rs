//! Live membership: published segments kept up to date as events arrive and time passes. Who enters and leaves is written to a log
//! before it is so, and what is so is a fold of that log.

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
use std::fs::{self, File};
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

/// The live segments of one workspace. One caller at a time steps and folds; readers wait for neither.
pub struct Live {
    file: PathBuf,
    memberships: RwLock<Memberships>,
    /// Held while stepping.
    rules: Mutex<Rules>,
    /// By name; apart from the rules, so that who reads does not wait for a step.
    freshness: RwLock<BTreeMap<String, Freshness>>,
}

/// How far the answer to a segment's rule has come, and why no farther.
#[derive(Clone, Default)]
struct Freshness {
    fresh: Option<(Epoch, i64)>,
    error: Option<String>,
}

#[derive(Default)]
struct Rules {
    /// By name.
    by_name: BTreeMap<String, Rule>,
    /// What the last step that was settled asked of.
    last: Option<Evaluated>,
    /// The last one that was asked anew.
    last_renewed: String,
    pending: Option<Reevaluation>,
}

/// The rule that says who is in a segment.
#[derive(Default)]
struct Rule {
    version: u32,
    /// Not there if it does not compile.
    root: Option<Root>,
    dependencies: Dependencies,
    /// Whether everybody is to be asked, not only those of whom something changed.
    needs_full: bool,
}

/// How a segment stands.
pub struct Status {
    pub segment: String,
    /// Of the rule that its members are found by.
    pub version: u32,
    pub count: u64,
    pub digest: u64,
    /// What the members rest on; `None` before they were first found.
    pub fresh: Option<(Epoch, i64)>,
    /// Why they are not fresher.
    pub error: Option<String>,
}

impl Live {
    /// The memberships saved in `folder`, or none.
    ///
    /// Corrupt, naming the file, if it is damaged.
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

    /// Of the next frame of the membership log to fold.
    pub fn offset(&self) -> u64 {
        self.memberships.read().offset
    }

    /// `Error::Invalid` for a frame that is not the next, is malformed, or does not fit what came before it; then nothing changes.
    pub fn fold(&self, offset: u64, frame: &[u8]) -> Result<()> {
        self.memberships.write().fold(offset, frame)
    }

    /// Sets the rule of a segment, as `quanyu.dsl.standing_root` gives it.
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

    /// Notes that the rule of a segment cannot be asked any more, and why. Its members stay as they are.
    pub fn refuse(&self, segment: &str, version: u32, error: &str) {
        let mut rules = self.rules.lock();
        let rule = rules.by_name.entry(segment.to_owned()).or_default();
        (rule.version, rule.root) = (version, None);
        self.note(segment, Some(error.to_owned()));
    }

    fn note(&self, segment: &str, error: Option<String>) {
        self.freshness.write().entry(segment.to_owned()).or_default().error = error;
    }

    /// Frames that bring every segment to a version of the index and an as-of. They are to be appended to the membership log and
    /// folded in order; then `settle` says so. Without that the next step begins from where the last one was settled; where only some of
    /// the frames were folded, whoever they may have moved is asked again.
    ///
    /// Where some segments are up to date but for what has happened since the last step, of those that everybody is to be asked for
    /// only some are, so that it does not take long; the others stay as they are until a later one. Cancelled if it is not wanted any more, and nothing is to be settled then.
    ///
    /// `None` while the index has not come as far again as it was, after a start: who has entered has not left because of that.
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

    /// Whether segments are left that everybody is to be asked for.
    pub fn settle(&self) -> bool {
        let mut rules = self.rules.lock();
        let reevaluation = rules.pending.take();
        reevaluation.is_some_and(|reevaluation| reevaluation.settle(&mut rules, &mut self.freshness.write()))
    }

    /// By name.
    pub fn statuses(&self) -> Vec<Status> {
        let freshness = self.freshness.read();
        let memberships = self.memberships.read();
        let status = |(name, freshness): (&String, &Freshness)| {
            let segment = memberships.segment(name);
            Status {
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

    /// Members of segments, each with the version of its rule, and the offset of the membership log that they were read at.
    pub fn members(&self, segments: &[String]) -> (u64, Vec<SegmentMembers>) {
        let memberships = self.memberships.read();
        let found = |name: &String| memberships.segment(name).clone();
        (memberships.offset, segments.iter().map(found).collect())
    }

    /// Members as an answer to be read like any other. `Error::Invalid` where one was not found yet.
    pub fn answer(&self, segments: &[String]) -> Result<(Answer, i64)> {
        let fresh = {
            let freshness = self.freshness.read();
            let of = |name: &String| freshness.get(name).and_then(|segment| segment.fresh);
            let all: Option<Vec<(Epoch, i64)>> = segments.iter().map(of).collect();
            all.and_then(|all| all.into_iter().min_by_key(|(epoch, as_of)| (epoch.raw_offset, *as_of)))
        };
        let (epoch, as_of_ms) = fresh.ok_or_else(|| Error::Invalid("these members were not found yet".into()))?;
        let roots = self
            .members(segments)
            .1
            .into_iter()
            .map(|segment| RootAnswer::held(segment.members, segment.count));
        let answer = Answer {
            epoch,
            universe: 0,
            roots: roots.collect(),
            counted: false,
            microseconds: 0,
        };
        Ok((answer, as_of_ms))
    }

    /// Makes what was folded so far durable, atomically, so that opening need not fold the log from its beginning.
    pub fn save(&self) -> Result<()> {
        let bytes = self.memberships.read().encode()?;
        let draft = self.file.with_extension("draft");
        let write = || {
            let mut file = File::create(&draft)?;
            file.write_all(&bytes)?;
            file.sync_all()
        };
        write().map_err(Error::io(&draft))?;
        fs::rename(&draft, &self.file).map_err(Error::io(&self.file))?;
        let folder = self.file.parent().unwrap_or(Path::new("."));
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(Error::io(folder))
    }
}
