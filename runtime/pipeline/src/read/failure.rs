//! Policies for rows that fail.

use crate::diagnostics::Diagnostics;
use crate::keys::FAILURES;
use crate::model::{FailurePolicy, OnFailure};
use crate::place::Spanned;
use crate::section::Section;

/// Reads `on-failure` and `failures`.
pub(super) fn read(section: &Section<'_>, d: &mut Diagnostics) -> FailurePolicy {
    let action = section.word("on-failure", d);
    let most = section
        .table("failures", &FAILURES, d)
        .and_then(|failures| failures.whole("most", d));
    let unreadable = action.is_none();
    let action = action.unwrap_or_else(|| Spanned::new(OnFailure::Fail, section.span.clone()));
    if section.has("failures") && action.value == OnFailure::Fail && !unreadable {
        let problem = d.error(
            &section.place("failures"),
            format!(
                "`failures` of {} has no effect: its first failure stops it",
                section.title
            ),
        );
        problem.label("expected with `on-failure = \"skip\"` or `\"dead-letter\"`");
        if section.has("on-failure") {
            problem.also(&action.span, "but this is the policy");
        }
        problem.help("choose one of these policies, or leave `failures` out");
    }
    FailurePolicy {
        action,
        most: most.map(|most| most.map(i64::unsigned_abs)),
    }
}
