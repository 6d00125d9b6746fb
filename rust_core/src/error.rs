//! The only error type of the engine; `python::error` maps each variant to one Python exception.

use std::io::ErrorKind;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller's input is wrong; the message says where and what to do.
    #[error("{0}")]
    Invalid(String),
    /// A pattern of a plan is not valid RE2, or compiles to more than the engine allows.
    #[error("{place}: {pattern:?} is not a valid RE2 pattern: {reason}")]
    InvalidPattern {
        /// Where in the plan.
        place: String,
        pattern: String,
        reason: String,
    },
    /// A plan, frame or file asks for something this version does not know.
    #[error("{0}")]
    Unsupported(String),
    /// A file's contents contradict its checksum or layout.
    #[error("{path}: damaged: {detail}")]
    Corrupt { path: PathBuf, detail: String },
    /// The operating system refused: permissions, missing file, broken device.
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    /// The disk has no space left (ENOSPC).
    #[error("{path}: {source}")]
    DiskFull { path: PathBuf, source: std::io::Error },
    /// Another process has it open for writing.
    #[error("{path}: in use by another process; stop it or choose another data folder")]
    Locked { path: PathBuf },
    /// An evaluation would hold more memory than its caller allows.
    #[error(
        "the query needs more than the {budget} bytes that it may take; ask fewer questions at once, or of a shorter window"
    )]
    OverBudget { budget: u64 },
    /// The caller no longer wants the answer.
    #[error("cancelled")]
    Cancelled,
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// For `map_err`: returns the error of a message that is not valid protobuf.
    pub fn malformed(error: prost::DecodeError) -> Error {
        Error::Invalid(format!("malformed message: {error}"))
    }

    /// For `map_err`: returns the error of an I/O operation on the file `path`.
    pub fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        move |source| match source.kind() {
            ErrorKind::StorageFull => Error::DiskFull { path, source },
            _ => Error::Io { path, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_full_disk_is_a_disk_full_error() {
        let error = |code| Error::io("log/7")(std::io::Error::from_raw_os_error(code));
        let full = error(rustix::io::Errno::NOSPC.raw_os_error());
        assert!(matches!(&full, Error::DiskFull { path, .. } if path == &PathBuf::from("log/7")));
        assert_eq!(full.to_string(), "log/7: No space left on device (os error 28)");
        for other in [
            rustix::io::Errno::IO,
            rustix::io::Errno::ACCESS,
            rustix::io::Errno::NOENT,
        ] {
            assert!(matches!(error(other.raw_os_error()), Error::Io { .. }));
        }
    }

    #[test]
    fn an_invalid_pattern_names_place_pattern_and_reason() {
        let error = Error::InvalidPattern {
            place: "plan.roots[0].cond.value".into(),
            pattern: "a(\n".into(),
            reason: "unclosed group".into(),
        };
        let message = "plan.roots[0].cond.value: \"a(\\n\" is not a valid RE2 pattern: unclosed group";
        assert_eq!(error.to_string(), message);
    }
}
