//! Which rows of a window its function sees: semantics, Windows 7, eviction.

use tidemill_core::window::{Keep, WindowKind};

use crate::diagnostics::Diagnostics;
use crate::keys::KEEP;
use crate::place::{Span, Spanned};
use crate::section::Section;
use crate::units::show_duration;

/// Reads `keep` of a window of a kind, if that is known. The inner [`None`]: every row is seen.
#[expect(
    clippy::option_option,
    reason = "the outer one says that something was wrong, as everywhere in the reader"
)]
pub(super) fn read(
    window: &Section<'_>,
    kind: Option<WindowKind>,
    d: &mut Diagnostics,
) -> Option<Option<Keep>> {
    if !window.has("keep") {
        return Some(None);
    }
    let section = window.table("keep", &KEEP, d)?;
    match (section.has("newest"), section.has("within")) {
        (true, false) => {
            let count = section.whole("newest", d)?;
            let most = match kind {
                Some(WindowKind::Rows { count }) => Some(i64::from(count)),
                _ => None,
            };
            if most.is_some_and(|most| count.value >= most) {
                return no_effect(&count.span, "no window has more rows", d);
            }
            let count = u32::try_from(count.value).expect("the key's range was checked");
            Some(Some(Keep::Newest(count)))
        }
        (false, true) => {
            let within = section.duration("within", d)?;
            within_window(&within, kind, d)
        }
        (both, _) => {
            if both || !section.has_any(&["newest", "within"]) {
                let found = if both { "both are" } else { "neither is" };
                d.error(
                    &section.span,
                    format!("{} does not say which rows", section.title),
                )
                .label(format!("expected `newest` or `within`: {found} here"))
                .help("for example `keep = { newest = 10 }` or `keep = { within = \"1m\" }`");
            }
            None
        }
    }
}

#[expect(clippy::option_option, reason = "as of `read`")]
fn within_window(
    within: &Spanned<i64>,
    kind: Option<WindowKind>,
    d: &mut Diagnostics,
) -> Option<Option<Keep>> {
    // From its first row to its last; both ends of what is kept are included.
    let longest = match kind {
        Some(
            WindowKind::Tumble { size, .. }
            | WindowKind::Hop { size, .. }
            | WindowKind::Cumulate { size, .. },
        ) => Some(size - 1),
        Some(WindowKind::Slide { range }) => Some(range),
        _ => None,
    };
    if longest.is_some_and(|longest| within.value >= longest) {
        let why = format!("no window is longer than {}", show_duration(within.value));
        return no_effect(&within.span, &why, d);
    }
    Some(Some(Keep::Within(within.value)))
}

#[expect(clippy::option_option, reason = "as of `read`")]
fn no_effect(span: &Span, why: &str, d: &mut Diagnostics) -> Option<Option<Keep>> {
    d.error(span, "`keep` keeps every row")
        .label(why)
        .help("keep fewer rows, or leave `keep` out");
    None
}
