//! The one error of the core; `python::error` maps it to Python's exceptions, one class a variant.

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller's input is wrong; the message says where and what to do.
    #[error("{0}")]
    Invalid(String),
    /// A plan, frame or file asks for something this version does not know.
    #[error("{0}")]
    Unsupported(String),
    /// A file's contents contradict its checksum or layout.
    #[error("{path}: damaged: {detail}")]
    Corrupt { path: PathBuf, detail: String },
    /// The operating system refused: full disk, permissions, missing file.
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: std::io::Error },
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
    /// For `map_err`: ties an I/O error to the file it concerns.
    pub fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        move |source| Error::Io { path, source }
    }
}
