//! What the fuzz target of returned batches needs of the host's checks. Built for it alone (`cfg(fuzzing)`).

use arrow_schema::Field;

use crate::Limits;
use crate::check::{self, Expected};
use crate::description::Function;
use crate::outcome::{Failed, Outcome};

/// What `accumulate` and `merge` return.
pub type Accumulated = crate::wire::WireAccumulated;
/// Rows for one output.
pub type Emitted = crate::wire::WireEmitted;
/// A row that failed.
pub type Failure = crate::wire::WireFailure;
/// What most calls return.
pub type Output = crate::wire::WireOutput;
/// A column of an output.
pub type Produced = crate::wire::WireProduced;

/// Checks what a call of so many rows returned: of a transform or, if `of_firings`, of a function whose rows are firings.
///
/// # Errors
/// What is wrong with it.
pub fn returned(
    output: Output,
    function: &Function,
    rows: usize,
    of_firings: bool,
) -> Result<Outcome, String> {
    let expected = Expected {
        function,
        inputs: if of_firings {
            &function.key
        } else {
            &function.input
        },
        rows,
        own: !of_firings,
        limits: &Limits::default(),
    };
    check::output(output, &expected)
}

/// Checks what `accumulate` or `merge` returned, of so many rows, accumulators and marks.
///
/// # Errors
/// What is wrong with it.
pub fn accumulated(
    returned: &Accumulated,
    fields: &[Field],
    (rows, accs, marks): (usize, usize, usize),
) -> Result<Vec<Failed>, String> {
    check::accumulated(returned, fields, accs, marks)?;
    check::failures(returned.failures.clone(), rows, &Limits::default())
}

/// Checks the watermarks that `observe` returned, of so many rows.
///
/// # Errors
/// What is wrong with them.
pub fn watermarks(
    watermarks: &[i64],
    failures: Vec<Failure>,
    rows: usize,
) -> Result<Vec<Failed>, String> {
    let failed = check::failures(failures, rows, &Limits::default())?;
    check::watermarks(watermarks, &failed, rows)?;
    Ok(failed)
}
