//! Maps each variant of the engine's error to one Python exception; `CoreError` is the base of all.

use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;

use crate::error::Error;

create_exception!(_core, CoreError, PyException);
create_exception!(_core, InvalidError, CoreError);
create_exception!(_core, InvalidPatternError, InvalidError);
create_exception!(_core, UnsupportedError, CoreError);
create_exception!(_core, CorruptError, CoreError);
create_exception!(_core, StorageError, CoreError);
create_exception!(_core, DiskFullError, StorageError);
create_exception!(_core, LockedError, CoreError);
create_exception!(_core, OverBudgetError, CoreError);
create_exception!(_core, CancelledError, CoreError);

impl From<Error> for PyErr {
    fn from(error: Error) -> PyErr {
        let message = error.to_string();
        match error {
            Error::Invalid(_) => InvalidError::new_err(message),
            Error::InvalidPattern { pattern, reason, .. } => invalid_pattern(message, pattern, reason),
            Error::Unsupported(_) => UnsupportedError::new_err(message),
            Error::Corrupt { .. } => CorruptError::new_err(message),
            Error::Io { .. } => StorageError::new_err(message),
            Error::DiskFull { .. } => DiskFullError::new_err(message),
            Error::Locked { .. } => LockedError::new_err(message),
            Error::OverBudget { .. } => OverBudgetError::new_err(message),
            Error::Cancelled => CancelledError::new_err(message),
        }
    }
}

/// An `InvalidPatternError` with the attributes `pattern` and `reason`.
fn invalid_pattern(message: String, pattern: String, reason: String) -> PyErr {
    let error = InvalidPatternError::new_err(message);
    let with_attributes = Python::attach(|py| {
        let value = error.value(py);
        value.setattr("pattern", pattern)?;
        value.setattr("reason", reason)
    });
    with_attributes.err().unwrap_or(error)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("CoreError", py.get_type::<CoreError>())?;
    module.add("InvalidError", py.get_type::<InvalidError>())?;
    module.add("InvalidPatternError", py.get_type::<InvalidPatternError>())?;
    module.add("UnsupportedError", py.get_type::<UnsupportedError>())?;
    module.add("CorruptError", py.get_type::<CorruptError>())?;
    module.add("StorageError", py.get_type::<StorageError>())?;
    module.add("DiskFullError", py.get_type::<DiskFullError>())?;
    module.add("LockedError", py.get_type::<LockedError>())?;
    module.add("OverBudgetError", py.get_type::<OverBudgetError>())?;
    module.add("CancelledError", py.get_type::<CancelledError>())
}
